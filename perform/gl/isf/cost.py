"""What a frame of a patch costs, found out with tiny ones: GL cannot be interrupted once it draws."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path

from perform.gl.isf.kinds import PatchError
from perform.gl.isf.patch import Patch
from perform.gl.lib import gl

Size = tuple[int, int]
PROBES: tuple[Size, ...] = ((8, 4), (12, 6), (16, 9), (32, 18), (64, 36), (128, 72), (256, 144), (512, 288))
LONGEST = 2.0  # seconds a frame: a patch that would take longer is not put on
BRIEF = 0.1  # seconds for one tiny frame where a show waits for it
THOROUGH = 1.0  # and where nobody waits
TRIES = 3
HARDLY = 1.5  # times as long as the probe before, which was half as large at most: most of that does not grow


class TooSlow(PatchError):
    """Nothing is wrong with the patch, but this machine would need too long for a frame of it: now, at any rate."""


class NoEnd(PatchError):
    """Not even tiny frames were done in time: a loop that never ends, or a machine that is very busy."""


def seconds_a_frame(
    patch: Patch, size: Size, limit: float, spend: float = THOROUGH, timed: Callable[[Patch, Size], float] | None = None
) -> float:
    """How long one frame of this size takes on this machine, from tiny ones; leaves the patch as new.

    Goes from tiny sizes upward, as long as the answer may be more than `limit` seconds and the next probe promises
    to cost no more than `spend` seconds, or hardly more than the one before; altogether it takes about five times
    `spend` (for a patch whose cost does not grow, five of its frames), and the driver's compilation. What the last
    probe took beside those before it decides: the part that grows with the picture is multiplied, the rest is not.
    The best of three decides against a patch, because a busy machine is no reason to refuse one. `timed` measures
    one frame. Render thread.
    """
    measure = timed or _timed
    area = size[0] * size[1]
    probes = (*(p for p in PROBES if p[0] * p[1] < area), size)
    before, pixels = measure(patch, probes[0]), 0  # pays for the compilation, but is no faster than without
    best, takes = before, math.inf
    for here, after in zip(probes, (*probes[1:], size), strict=True):
        extent, growth = here[0] * here[1], after[0] * after[1] - here[0] * here[1]
        best, spent = (before if pixels == 0 else math.inf), 0.0
        for _ in range(TRIES):
            took = measure(patch, here)
            best, spent = min(best, took), spent + took
            takes = best * max(1.0, area / max(1, extent))  # at most
            # What does not grow with the picture (passes of a fixed size, idle cores) is not what the next one costs.
            slope = max(0.0, best - before) / (extent - pixels) if pixels else 0.0
            if pixels:
                goes_on = best + slope * growth <= max(spend, HARDLY * best) or best <= HARDLY * before
            else:
                goes_on = best * (extent + growth) / extent <= max(limit / 4.0, 2.0 * spend)
            goes_on = goes_on and growth > 0
            if takes <= limit or goes_on or spent > 3.0 * spend:
                break
        if takes <= limit:
            return takes
        if not goes_on:  # it has grown by so much that a few milliseconds more or less do not matter
            return min(takes, best + slope * (area - extent)) if pixels else takes
        before, pixels = best, extent
    return takes


def judge(path: Path, size: Size, takes: float, limit: float = LONGEST) -> None:
    """Raises TooSlow, one sentence, if `takes` seconds for a frame are too many."""
    if takes > limit:
        much = f"about {takes:.1f} s" if takes < 60.0 else "more than a minute"
        busy = "as busy as this machine is now; a smaller `size` helps"
        raise TooSlow(path, 0, f"a frame of {size[0]}×{size[1]} would take {much}: too slow to show, {busy}")


def _timed(patch: Patch, size: Size) -> float:
    """Seconds for the first frame of this size."""
    patch.reset()
    gl.glFinish()
    start = time.perf_counter()
    patch.render(size, 1.0)
    gl.glFinish()
    took = time.perf_counter() - start
    patch.reset()
    return took
