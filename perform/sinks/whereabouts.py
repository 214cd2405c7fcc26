"""Where a window is, as the system has it: in full screen pyglet passes on none of X11's news of that."""

from __future__ import annotations

import ctypes
from typing import Any, NamedTuple


class Whereabouts(NamedTuple):
    """Pixels of the desktop: where the window's corner is, how large it is, and how large the desktop is."""

    place: tuple[int, int]
    size: tuple[int, int]
    desktop: tuple[int, int]


def whereabouts(window: Any) -> Whereabouts | None:
    """Asked of the X server, which knows it without asking a driver; None where pyglet's own events tell of it.

    Render thread; three questions to the server, each about 0.1 ms.
    """
    if not hasattr(window, "_x_display"):
        return None
    from pyglet.libs.x11 import xlib

    def ask(which: Any) -> Any:
        attributes = xlib.XWindowAttributes()
        xlib.XGetWindowAttributes(window._x_display, which, ctypes.byref(attributes))
        return attributes

    ours = ask(window._window)
    root = ask(ours.root)
    return Whereabouts(window.get_location(), (ours.width, ours.height), (root.width, root.height))
