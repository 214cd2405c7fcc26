"""Which plans there are to choose from, and breeding them."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from perform.lab.plans import Plan

SMALLEST = Plan((16, 32, 48), (32, 32))  # somewhat below `s`
LARGEST = Plan((32, 64, 128), (128, 128, 128, 128))  # `l`


@dataclass(frozen=True)
class Space:
    """The plans between the smallest and the largest, in steps of 8 channels. The order of blocks is kept: a plan of
    n blocks has the first n.
    """

    smallest: Plan = SMALLEST
    largest: Plan = LARGEST

    def anyone(self, rng: random.Random) -> Plan:
        """A plan, each width uniform in its range."""
        a, b, c = (self._width(lo, hi, rng) for lo, hi in zip(self.smallest.widths, self.largest.widths, strict=True))
        blocks = rng.randint(len(self.smallest.inner), len(self.largest.inner))
        return Plan((a, b, c), tuple(self._inner(k, rng) for k in range(blocks)))

    def near(self, plan: Plan, rng: random.Random, chance: float = 0.3) -> Plan:
        """A neighbour: each number drawn anew with this chance."""
        fresh = self.anyone(rng)
        a, b, c = (new if rng.random() < chance else old for old, new in zip(plan.widths, fresh.widths, strict=True))
        blocks = len(fresh.inner) if rng.random() < chance else len(plan.inner)
        fresh_inner = [self._inner(k, rng) for k in range(blocks)]
        kept = [*plan.inner, *fresh_inner[len(plan.inner) :]][:blocks]
        inner = (new if rng.random() < chance else old for new, old in zip(fresh_inner, kept, strict=True))
        return Plan((a, b, c), tuple(inner))

    def cross(self, one: Plan, other: Plan, rng: random.Random) -> Plan:
        """A child: each number from either parent, as many blocks as one of them has."""
        a, b, c = (rng.choice(pair) for pair in zip(one.widths, other.widths, strict=True))
        long, short = sorted((one.inner, other.inner), key=len, reverse=True)
        inner = [rng.choice(pair) for pair in zip(long, short, strict=False)]
        return Plan((a, b, c), (*inner, *(long[len(short) :] if rng.random() < 0.5 else ())))

    def _inner(self, block: int, rng: random.Random) -> int:
        return self._width(min(self.smallest.inner), self.largest.inner[block], rng)

    def _width(self, low: int, high: int, rng: random.Random) -> int:
        return 8 * rng.randint(low // 8, high // 8)


def evolve(
    space: Space,
    fits: Callable[[Plan], bool],
    badness: Callable[[Plan], float],
    rng: random.Random,
    size: int = 24,
    generations: int = 8,
) -> list[tuple[float, Plan]]:
    """The plans looked at that fit, best first: the better quarter of each generation has children, half of them
    crossed, half of them changed (Real et al. 2019, Cai et al. 2020). Raises ValueError if hardly any plan fits.
    """
    known: dict[Plan, float] = {}

    def draw(make: Callable[[], Plan]) -> Plan:
        for _ in range(2000):
            plan = make()
            if fits(plan) and plan not in known:
                return plan
        raise ValueError("hardly any plan of this space fits; ask for more time or a smaller smallest")

    best: list[Plan] = []
    makers: tuple[Callable[[], Plan], ...] = (
        lambda: space.near(rng.choice(best), rng),
        lambda: space.cross(rng.choice(best), space.near(rng.choice(best), rng, 0.1), rng),
    )
    for generation in range(generations):
        best[:] = sorted(known, key=lambda plan: known[plan])[: max(2, size // 4)]
        for k in range(size):
            plan = draw(makers[k % 2] if generation else lambda: space.anyone(rng))
            known[plan] = badness(plan)
    return sorted((value, plan) for plan, value in known.items())
