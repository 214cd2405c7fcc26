"""Landscape, in words."""

from __future__ import annotations

from perform.lab.moods import Colours
from perform.lab.words import Moods, Words

WORDS = Words(
    title="Landscape",
    description=(
        "A network that has seen mountains, deserts, coasts and skies, and nothing else, looks at what you hold up."
    ),
    sources="About 200 photographs from Debian's endless-sky-data, public domain or CC-BY-SA: see ATTRIBUTION.csv.",
    licence="CC-BY-SA-4.0",  # some of the photographs are share-alike
    moods=Moods(
        default="noon",
        named={
            "night": Colours((96, 119, 154), (27, 38, 60), -0.4),
            "storm": Colours((142, 152, 156), (42, 52, 58), 0.3),
            "dusk": Colours((210, 142, 108), (64, 47, 58), 0.0),
            "ice": Colours((190, 212, 232), (84, 120, 158), 0.6),
            "mist": Colours((206, 209, 208), (128, 136, 140), -1.3),
            "dawn": Colours((232, 192, 184), (98, 87, 112), -0.3),
            "noon": Colours((180, 208, 230), (82, 100, 76), 0.6),
            "desert": Colours((224, 206, 184), (150, 103, 76), 0.6),
            "gold": Colours((230, 198, 142), (90, 71, 49), 0.0),
        },
        pad=(("night", "storm", "dusk"), ("ice", "mist", "dawn"), ("noon", "desert", "gold")),
    ),
)
