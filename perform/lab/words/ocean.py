"""Ocean, in words."""

from __future__ import annotations

from perform.lab.moods import Colours
from perform.lab.words import Moods, Words

WORDS = Words(
    title="Ocean",
    description="A network that has seen the open sea in every weather, and nothing else: your hand becomes a swell.",
    sources="720 rendered seas (CC0, from seeds) and 21 photographs of Debian's endless-sky-data, public domain or"
    " CC-BY-SA: see ATTRIBUTION.csv.",
    licence="CC-BY-SA-4.0",  # some of the photographs are share-alike
    moods=Moods(
        default="noon",
        named={
            "moon": Colours((125, 147, 182), (34, 52, 92), 0.6),
            "storm": Colours((134, 152, 158), (52, 84, 90), 0.6),
            "ember": Colours((214, 132, 118), (88, 40, 62), 0.0),
            "noon": Colours((140, 170, 200), (38, 88, 138), 0.6),
            "grey": Colours((176, 183, 185), (98, 121, 124), -0.1),
            "gold": Colours((214, 180, 126), (88, 74, 60), 0.1),
            "lagoon": Colours((118, 188, 202), (34, 140, 162), -0.5),
            "breeze": Colours((188, 212, 220), (72, 128, 150), 0.8),
            "dawn": Colours((208, 188, 192), (112, 110, 132), -0.8),
        },
        pad=(("moon", "storm", "ember"), ("noon", "grey", "gold"), ("lagoon", "breeze", "dawn")),
    ),
)
