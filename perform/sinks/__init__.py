"""Where the picture goes: the window, a film, stills, or nowhere."""
