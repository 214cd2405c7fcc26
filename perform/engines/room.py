"""How much memory warm worlds may take: bytes of the host's, and a share of what a graphics card has free."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from perform.engines.generator import Generator, OnCard

ROUGH = 40_000_000  # bytes: what a world is thought to cost before it has been loaded


@dataclass(frozen=True, slots=True)
class Cost:
    """Bytes that a world takes, of the host's memory and of a card's."""

    host: int = ROUGH
    card: int = 0

    @classmethod
    def of(cls, generator: Generator, grown: int) -> Cost:
        """`grown` is by how much the process grew while it was loaded: what its library hides. Of a world on a card
        that is the library itself, which stays."""
        if isinstance(generator, OnCard):
            return cls(generator.nbytes, generator.card_bytes)
        return cls(max(generator.nbytes, grown))

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.host + other.host, self.card + other.card)

    def __sub__(self, other: Cost) -> Cost:
        return Cost(self.host - other.host, self.card - other.card)

    @classmethod
    def sum(cls, costs: Iterable[Cost]) -> Cost:
        """All together."""
        return sum(costs, cls(0, 0))


@dataclass(slots=True)
class Room:
    """What there is for warm worlds. `share` is of what the card has free when nothing of theirs is on it; before a
    world lies there, nobody knows how much that is, and it counts as enough."""

    host: int
    share: float
    card: float = math.inf

    def look(self, generators: Iterable[Generator]) -> None:
        """See what the card has: what is free, and what these worlds take of it. Worker thread; a driver call."""
        there = [generator for generator in generators if isinstance(generator, OnCard)]
        if there:
            self.card = self.share * (there[0].card_free() + sum(generator.card_bytes for generator in there))

    def holds(self, cost: Cost) -> bool:
        """Whether it is enough."""
        return cost.host <= self.host and cost.card <= self.card

    def helps(self, cost: Cost, without: Cost) -> bool:
        """Whether there is too much of what this one takes."""
        return (cost.host > self.host and without.host > 0) or (cost.card > self.card and without.card > 0)

    def short(self, cost: Cost) -> str:
        """That it is not enough, in the end of a sentence."""
        if cost.card > self.card:
            return f"worlds may take {self.card / 1e9:.1f} GB of the graphics card and would take {cost.card / 1e9:.1f}"
        return f"worlds may take {self.host / 1e9:.1f} GB of memory and would take {cost.host / 1e9:.1f}"
