"""Agate, in words."""

from __future__ import annotations

from perform.lab.moods import Colours
from perform.lab.words import Moods, Words

WORDS = Words(
    title="Agate",
    description="A network that has seen cut and polished stone, and nothing else: outlines become bands.",
    sources="800 rendered slices of agate, carnelian, malachite and onyx, from seeds.",
    licence="CC0-1.0",
    moods=Moods(
        default="carnelian",
        named={
            "onyx": Colours((110, 100, 94), (40, 36, 36), 0.4),
            "malachite": Colours((104, 160, 134), (36, 84, 64), 0.6),
            "fire": Colours((216, 128, 48), (112, 52, 22), 0.3),
            "lagoon": Colours((132, 190, 198), (44, 116, 130), 0.3),
            "amethyst": Colours((184, 166, 204), (100, 70, 140), 0.2),
            "carnelian": Colours((226, 160, 112), (146, 78, 50), 0.2),
            "lace": Colours((190, 204, 228), (120, 140, 182), -0.2),
            "moss": Colours((192, 202, 194), (96, 122, 100), -0.2),
            "rose": Colours((226, 200, 182), (156, 120, 104), 0.2),
        },
        pad=(("malachite", "onyx", "fire"), ("lagoon", "amethyst", "carnelian"), ("lace", "moss", "rose")),
    ),
)
