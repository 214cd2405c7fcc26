"""Cosmos, in words."""

from __future__ import annotations

from perform.lab.moods import Colours
from perform.lab.words import Moods, Words

WORDS = Words(
    title="Cosmos",
    description="A network that has seen nebulae and galaxies, and nothing else: your light glows in the dark.",
    sources="600 rendered nebulae (CC0, from seeds) and about 110 deep-sky photographs of Debian's stellarium-data,"
    " public domain, CC-BY or CC-BY-SA: see ATTRIBUTION.csv.",
    licence="CC-BY-SA-4.0",  # some of the photographs are share-alike
    moods=Moods(
        default="rose",
        named={
            "void": Colours((86, 84, 96), (24, 24, 34), 0.3),
            "abyss": Colours((96, 104, 140), (38, 40, 62), 0.0),
            "cinder": Colours((142, 72, 66), (58, 28, 30), -0.3),
            "violet": Colours((142, 108, 170), (74, 56, 98), 0.4),
            "rose": Colours((178, 108, 124), (84, 50, 66), 0.0),
            "ember": Colours((184, 112, 88), (92, 58, 50), 0.2),
            "azure": Colours((134, 158, 194), (70, 80, 112), 0.5),
            "jade": Colours((128, 168, 150), (64, 80, 78), 0.0),
            "amber": Colours((184, 158, 118), (96, 82, 64), 0.5),
        },
        pad=(("abyss", "void", "cinder"), ("violet", "rose", "ember"), ("azure", "jade", "amber")),
    ),
)
