"""What is particular to each world: its words for the card, its moods, and where they lie on the pad.

A mood is written as it is heard: the colour of the light, the colour of the dark, how crisp (0: as the average
picture, -2: fog, 1: stone in clear air). They were found by clustering a world's own pictures (`moods.cluster`) and
named by looking at the pictures nearest to each.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from perform.lab.moods import Colours, Scale

AUTHOR = "the perform authors"


@dataclass(frozen=True)
class Moods:
    """Named moods, one of them where a show begins, and the pad: rows of names, y 0 dark .. 1 light, x 0 cool .. 1
    warm.
    """

    default: str
    named: Mapping[str, Colours]
    pad: Sequence[Sequence[str]]

    def vectors(self, scale: Scale) -> dict[str, list[float]]:
        """Each name's vector, 7 numbers, in the units of one world's statistics."""
        return {name: colours.vector(scale) for name, colours in self.named.items()}


@dataclass(frozen=True)
class Words:
    """What a card says of a world. `sources`: of what it was made; `licence`: the weights' SPDX name."""

    title: str
    description: str
    sources: str
    licence: str
    moods: Moods
    author: str = AUTHOR


def words(world: str) -> Words:
    """The words of one of the lab's own worlds. Raises ValueError for any other."""
    try:
        if not re.fullmatch(r"[a-z]+", world):
            raise ModuleNotFoundError(name=f"{__name__}.{world}")
        module = importlib.import_module(f"{__name__}.{world}")
    except ModuleNotFoundError as error:
        if error.name != f"{__name__}.{world}":
            raise
        raise ValueError(f"the lab has no words for a world {world!r}: describe it in its words.toml") from None
    found: Words = module.WORDS
    return found
