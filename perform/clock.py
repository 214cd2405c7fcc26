"""Show time: float64 seconds since the show opened, from a clock that is passed in.

Show time never runs backwards and never becomes a float32 on the CPU. What a shader gets is wrapped
(`wrap`), so that it is as exact in week six as in minute one: a float32 holds 1/64 s at 36 hours and
only 1/4 s after six weeks.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Protocol

# Patches see time modulo this: 2 hours keeps a float32 exact to 0.5 ms, and 7200 s is a whole number of
# periods for every period that divides it (1, 2, 3, 4, 5, 6, 8, 9, 10, 12 s …), which is what loops use.
WRAP = 7200.0


class Clock(Protocol):
    """Where show time comes from. `now()` may be called from any thread."""

    def now(self) -> float:
        """Seconds of show time, float64, never decreasing."""
        ...

    def pace(self, fps: float) -> None:
        """Wait until the next frame is due (a live clock sleeps; a fixed clock steps). Render thread."""
        ...


@dataclass(slots=True)
class LiveClock:
    """Follows the machine's monotonic clock; `pace` keeps a steady grid and skips beats that were missed.

    The grid is absolute: a late frame does not push the following ones back, so 60 fps is 3,600 frames a
    minute, not 3,496. After a stall longer than a frame the grid restarts at the next beat.
    """

    start: float = field(default_factory=time.perf_counter)
    due: float = 0.0  # show time of the beat that was paced last; a frame's own slot, however late it begins
    late: int = 0

    def now(self) -> float:
        return time.perf_counter() - self.start

    def pace(self, fps: float) -> None:
        period = 1.0 / fps
        self.due += period
        wait = self.due - self.now()
        if wait > 0.0:
            time.sleep(wait)
        else:
            self.late += 1
            if wait < -period:
                self.due = self.now()


@dataclass(slots=True)
class FixedClock:
    """Show time as a frame count: frame n is at n/fps exactly. Renders offline, the same twice."""

    fps: float = 60.0
    frame: int = 0

    def now(self) -> float:
        return self.frame / self.fps

    def pace(self, fps: float) -> None:
        self.frame += 1


@dataclass(slots=True)
class ManualClock:
    """For tests: time stands still until somebody moves it."""

    time: float = 0.0

    def now(self) -> float:
        return self.time

    def pace(self, fps: float) -> None:
        self.time += 1.0 / fps

    def advance(self, seconds: float) -> float:
        """Move time forward; returns the new time."""
        if seconds < 0:
            raise ValueError("show time never runs backwards")
        self.time += seconds
        return self.time


def wrap(seconds: float) -> float:
    """Show time for a float32 uniform: seconds modulo `WRAP`."""
    return seconds % WRAP


def toward(value: float, goal: float, step: float) -> float:
    """`value`, brought nearer to `goal` by `step` (0 or more) and never past it."""
    return min(goal, value + step) if goal > value else max(goal, value - step)
