"""What is particular to the world `landscape`: its words, its moods and where they lie on the pad.

A mood is written as it is heard: the colour of the light, the colour of the dark, how crisp (0: as the average
photograph, -2: fog, 1: stone in clear air). The colours were chosen by eye, near those of photographs that carry the
name.
"""

from __future__ import annotations

from perform.lab.moods import Colours

TITLE = "Landscape"
DESCRIPTION = (
    "A network that has seen mountains, deserts, coasts and skies, and nothing else, looks at what you hold up."
)
SOURCES = "About 200 photographs from Debian's endless-sky-data, public domain or CC-BY-SA: see ATTRIBUTION.csv."
LICENCE = "CC-BY-SA-4.0"  # some of the photographs are share-alike
AUTHOR = "the perform authors"
DEFAULT = "noon"

NAMED: dict[str, Colours] = {
    "night": Colours((96, 119, 154), (27, 38, 60), -0.4),
    "storm": Colours((142, 152, 156), (42, 52, 58), 0.3),
    "dusk": Colours((210, 142, 108), (64, 47, 58), 0.0),
    "ice": Colours((190, 212, 232), (84, 120, 158), 0.6),
    "mist": Colours((206, 209, 208), (128, 136, 140), -1.3),
    "dawn": Colours((232, 192, 184), (98, 87, 112), -0.3),
    "noon": Colours((180, 208, 230), (82, 100, 76), 0.6),
    "desert": Colours((224, 206, 184), (150, 103, 76), 0.6),
    "gold": Colours((230, 198, 142), (90, 71, 49), 0.0),
}
PAD = (  # y 0 dark .. 1 light, x 0 cool .. 1 warm
    ("night", "storm", "dusk"),
    ("ice", "mist", "dawn"),
    ("noon", "desert", "gold"),
)
