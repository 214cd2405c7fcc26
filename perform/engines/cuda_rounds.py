"""Rounds: who has had their turn this frame, so that what several layers submit goes as one batch.

A layer submits and asks for its dream before the next layer does, so the first to ask cannot be the sign. A round is
over when all that took part in the last one have been heard; when one is heard a second time; or when the one comes
that has the longest pause before it, for that pause is the end of a frame.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
W = TypeVar("W")
CALM = 0.8  # how slowly what is known of the pauses changes


@dataclass(slots=True)
class Rounds(Generic[K, W]):
    """What waits (`waiting`, oldest first; a newer wish takes the place of an older one) and whether it is `due`."""

    clock: Callable[[], float] = time.perf_counter
    waiting: dict[K, W] = field(default_factory=dict)
    due: bool = False
    _heard: set[K] = field(default_factory=set)
    _expected: set[K] = field(default_factory=set)
    _asked: set[K] = field(default_factory=set)  # have asked for their dream since they were heard
    _pause: dict[K, float] = field(default_factory=dict)  # seconds before each is heard, usually
    _last: float = 0.0

    def hear(self, who: K, wish: W | None) -> None:
        """Somebody submits; None: nothing new, which is news too."""
        now = self.clock()
        pause, self._last = (now - self._last if self._pause else 0.0), now
        self._pause[who] = CALM * self._pause.get(who, pause) + (1.0 - CALM) * pause
        first = self._pause[who] >= max(self._pause.values())
        if who in self._heard or (first and self._heard):
            self._over()
        self._heard.add(who)
        self._asked.discard(who)
        if wish is not None:
            self.waiting[who] = wish
        if self._expected <= self._heard:
            self._over()

    def ask(self, who: K) -> None:
        """Somebody asks for a dream. Asked twice without submitting: nobody else will come, what waits is due."""
        if who in self._asked:
            self.due = bool(self.waiting)
        self._asked.add(who)

    def take(self, most: int) -> list[tuple[K, W]]:
        """Up to `most` of what waits, the oldest first; it waits no more."""
        chosen = list(self.waiting)[:most]
        taken = [(who, self.waiting.pop(who)) for who in chosen]
        self.due = self.due and bool(self.waiting)
        return taken

    def leave(self, who: K) -> None:
        """Somebody is gone."""
        self.waiting.pop(who, None)
        self._pause.pop(who, None)
        for known in (self._heard, self._asked, self._expected):
            known.discard(who)

    def _over(self) -> None:
        self._expected, self._heard = self._heard, set()
        self.due = bool(self.waiting)
