"""Bundles dated in the future wait here, on show time, until their frame."""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from perform.clock import Clock
from perform.control.osc.packet import IMMEDIATELY
from perform.params import Post

HORIZON = 2.0  # seconds; what is dated further ahead comes from a clock that differs
EPOCH = 2208988800.0  # seconds from 1900 (NTP) to 1970 (Unix)
MOST = 4096  # bundles that may wait
SLACK = 1e-6  # seconds: rounding must not cost a frame


@dataclass(slots=True)
class Ahead:
    """Keeps posts until they are due. `hold` from any thread; `due` is a feed of `Params.settle`.

    `wall` gives Unix time in seconds: a timetag is a date.
    """

    clock: Clock
    wall: Callable[[], float]
    _new: deque[tuple[float, int, Sequence[Post]]] = field(default_factory=deque)
    _heap: list[tuple[float, int, Sequence[Post]]] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=itertools.count)

    def seconds_ahead(self, tag: int) -> float:
        """How far a timetag lies in the future; 0 or less is now."""
        return 0.0 if tag == IMMEDIATELY else tag / 2**32 - EPOCH - self.wall()

    def hold(self, seconds: float, posts: Sequence[Post]) -> bool:
        """Keep these for so many seconds; False if too much waits already."""
        if len(self._new) + len(self._heap) >= MOST:
            return False
        self._new.append((self.clock.now() + seconds, next(self._order), posts))
        return True

    def due(self, now: float) -> list[Post]:
        """What has come due, in the order of its dates. Render thread; costs nothing when nothing waits."""
        while self._new:
            heapq.heappush(self._heap, self._new.popleft())
        posts: list[Post] = []
        while self._heap and self._heap[0][0] <= now + SLACK:
            posts.extend(heapq.heappop(self._heap)[2])
        return posts
