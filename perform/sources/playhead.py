"""Where in a film we are: show time in, seconds of film out. Pure arithmetic, render thread."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

SLACK = 1e-4  # seconds: show time and film time are both rounded; less than any frame lasts


@dataclass(slots=True)
class Playhead:
    """Plays from `start` to `end` (seconds of film) at a rate that may change every frame.

    `end` is infinite until the film's length is known. While the rate stands still the position is computed from
    where it last changed, not summed up: no drift in week six, and the same answer for the same time.
    """

    start: float = 0.0
    end: float = math.inf
    loop: bool = True
    rate: float = 0.0
    _from_now: float = field(default=math.nan, init=False)  # show time at which _from was true
    _from: float = field(default=0.0, init=False)  # seconds played since `start`, not wrapped
    _now: float = field(default=0.0, init=False)

    def at(self, now: float, rate: float) -> float:
        """Seconds of film at show time `now`, which never runs backwards. `rate` counts from the last call on."""
        if math.isnan(self._from_now):
            self._from_now, self.rate = now, rate
        elif rate != self.rate:
            self._from = self._held(self._played(self._now))
            self._from_now, self.rate = self._now, rate
        self._now = now
        return self.start + self._wrapped(self._played(now))

    def ahead(self, seconds: float) -> float:
        """Where it will be `seconds` from now, if nothing changes."""
        return self.start + self._wrapped(self._played(self._now + seconds))

    def jump(self, share: float) -> None:
        """Go to a share (0..1) of the way from start to end (1 is the last frame); needs a known end."""
        if math.isfinite(self.end):
            self._from_now, self._from = self._now, min(share * self.length, self.length - 2 * SLACK)

    def restart(self) -> None:
        """Go to the start, whether the end is known or not."""
        self._from_now, self._from = self._now, 0.0

    @property
    def length(self) -> float:
        """Seconds from start to end, at least a millisecond."""
        return max(0.001, self.end - self.start)

    def _played(self, now: float) -> float:
        return self._from + (now - self._from_now) * self.rate

    def _held(self, played: float) -> float:
        """Without a loop the rate pushes against the ends and not beyond: it can be turned round at once."""
        return played if self.loop else min(max(played, 0.0), self.length)

    def _wrapped(self, played: float) -> float:
        if not self.loop:
            return self._held(played)
        if not math.isfinite(self.end):
            return max(0.0, played)
        rest = played % self.length
        return rest if self.length - rest > SLACK else 0.0  # rounding must not hold the last frame for the first
