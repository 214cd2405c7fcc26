"""What is particular to the world `landscape`: its words, its moods and where they lie on the pad.

Moods are named after looking at the photographs; each is the mean of the moods of a few of them, pushed a little
further from the average where a mean of photographs is milder than the word.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from perform.lab import moods

TITLE = "Landscape"
DESCRIPTION = (
    "Mountains, deserts, coasts and skies: a network that has seen nothing else looks at what you hold before it."
)
SOURCES = "About 200 photographs from Debian's endless-sky-data, public domain or CC-BY-SA: see ATTRIBUTION.csv."
LICENCE = "CC-BY-SA-4.0"  # some of the photographs are share-alike
AUTHOR = "the perform authors"
DEFAULT = "noon"

NAMED: dict[str, tuple[float, tuple[str, ...]]] = {  # how far from the average (1: as measured), and whose mood
    "night": (1.2, ("water4", "canyon6", "mountain0", "valley0")),
    "storm": (1.0, ("fog3", "mountain6", "water9", "beach6", "dune0")),
    "dusk": (1.0, ("sky3", "sky5", "sea10-sfiera", "desert2", "beach5")),
    "ice": (1.0, ("snow2", "snow5", "mountain23-spfld", "snow8", "snow1")),
    "mist": (1.0, ("fog0", "fog5", "sea13-sfiera", "valley10-sfiera", "snow6")),
    "dawn": (1.1, ("snow3", "water0", "canyon3", "dmottl5", "valley6")),
    "noon": (1.0, ("forest4", "mountain5", "myrabella8", "forest0", "myrabella3", "mountain20-harro")),
    "desert": (1.0, ("bwerner6", "bwerner7", "hills0", "canyon04", "canyon1")),
    "gold": (1.0, ("sea2", "sky9", "fog2", "desert1", "fields4")),
}
PAD = (
    ("night", "storm", "dusk"),
    ("ice", "mist", "dawn"),
    ("noon", "desert", "gold"),
)  # y 0 dark .. 1 light, x 0 cool .. 1 warm


def named(names: Sequence[str], raw: Tensor, scale: moods.Scale) -> dict[str, list[float]]:
    """The named moods from raw moods [N,7] of the photographs `names` (file names). Raises ValueError for a
    photograph not there.
    """
    rows = {name.rsplit(".", 1)[0]: index for index, name in enumerate(names)}
    out = {}
    for mood, (reach, photographs) in NAMED.items():
        missing = [name for name in photographs if name not in rows]
        if missing:
            raise ValueError(f"mood {mood}: no photograph {', '.join(missing)}")
        vector = reach * scale(raw[[rows[name] for name in photographs]]).mean(0)
        out[mood] = [round(float(number), 3) for number in vector]
    return out
