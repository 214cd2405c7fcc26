"""Where faster computes are made: one at a time in a process, however many warm worlds would like one.

torch.export cannot be at work twice in one process, and each compiler beside a show costs it frames.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Protocol


class Guest(Protocol):
    """Who makes something there. `players`: how many engines play it at this moment."""

    @property
    def players(self) -> int: ...

    def come(self) -> None:
        """It is your turn, until you `leave`. Any thread; does not wait."""
        ...


@dataclass(slots=True, eq=False)
class Workbench:
    """Calls one guest at a time: who is played goes first, then who has waited longest. Any thread; never waits."""

    _there: Guest | None = field(default=None, init=False, repr=False)
    _queue: list[Guest] = field(default_factory=list, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def ask(self, guest: Guest) -> None:
        """It would like a turn: `come` is called when that is, perhaps at once."""
        with self._lock:
            self._queue.append(guest)
        self._call()

    def leave(self, guest: Guest) -> None:
        """It has done, or wants its turn no more. May be called by one that never asked."""
        with self._lock:
            if self._there is guest:
                self._there = None
            self._queue = [other for other in self._queue if other is not guest]
        self._call()

    def _call(self) -> None:
        with self._lock:
            if self._there is not None or not self._queue:
                return
            guest = max(self._queue, key=lambda g: g.players > 0)  # of those alike, the first
            self._there, self._queue = guest, [other for other in self._queue if other is not guest]
        guest.come()


WORKBENCH = Workbench()  # the process's
