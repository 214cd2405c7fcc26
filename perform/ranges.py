"""How far a layer's addresses go that are keys in show.toml too: read there, declared elsewhere, told once.

Each is (lowest, highest), as `Spec` and the reader's tables take them.
"""

from __future__ import annotations

SHARE = (0.0, 1.0)  # opacity, mix, memory, a place on the mood pad
CROSSFADE = (0.0, 60.0)  # seconds from world to world
MOOD_FADE = (0.0, 600.0)  # seconds from mood to mood
