"""Which bridge is best here: of the kinds that work the first, unless a frame by a later one is clearly quicker."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

from perform.gl import target
from perform.gl.interop.bridge import KINDS, Bridge, Shape
from perform.gl.interop.calls import CudaError, Poisoned, call
from perform.gl.interop.frames import CLEARLY, TOGETHER, Clock, frames
from perform.gl.interop.proof import MAKERS, working

log = logging.getLogger(__name__)


def open_bridge(
    cuda: Any,
    shape: Shape,
    format: target.Format = "rgba8",
    device: int = 0,
    allow: Sequence[str] = KINDS,
    trusted: str = "",
    clock: Clock = time.perf_counter,
) -> Bridge:
    """The best bridge here, said in one line of the log: the first kind that works, unless a frame by a later one is
    clearly quicker at this size. Render thread, GL context current.

    Costs some milliseconds, and where several kinds work about `frames.TOGETHER` for timing them. `cuda` is
    cuda.bindings.runtime (or a stand-in), `device` the CUDA device that the memory is on; `trusted` is a kind that was
    chosen before: it is taken as it is. Raises CudaError if none of the kinds allowed works, Poisoned if CUDA is done
    for.
    """
    call(cuda, "cudaSetDevice", device)
    troubles: list[str] = []
    if trusted:
        kinds, times = [trusted], dict[str, float]()
    else:
        kinds = working(cuda, format, device, allow, troubles)
        times = _timed(cuda, kinds, shape, format, clock, troubles) if len(kinds) > 1 else {}
        kinds = by_time(kinds, times)
    for kind in kinds:
        try:
            bridge: Bridge = MAKERS[kind](cuda, shape, format)
        except Poisoned:
            raise
        except CudaError as e:
            troubles.append(f"{kind}: {e}")
            continue
        log.info("%s", line(kind, shape, format, troubles, times))
        return bridge
    if trusted:  # what it needs may be taken by now
        return open_bridge(cuda, shape, format, device, allow, clock=clock)
    raise CudaError(f"pictures cannot go between GL and CUDA: {'; '.join(dict.fromkeys(troubles))}")


def _timed(
    cuda: Any, kinds: Sequence[str], shape: Shape, format: target.Format, clock: Clock, troubles: list[str]
) -> dict[str, float]:
    """Seconds of a frame by each; without those that fail at this size, and nothing where there is no room to try."""
    found: dict[str, float] = {}
    try:
        with frames(cuda, shape, format) as around:
            for kind in kinds:
                try:
                    with closing(MAKERS[kind](cuda, shape, format)) as bridge:
                        found[kind] = around.seconds(bridge, clock, TOGETHER / len(kinds))
                except Poisoned:
                    raise
                except CudaError as e:
                    troubles.append(f"{kind}: {e}")
    except Poisoned:
        raise
    except CudaError as e:
        troubles.append(f"not timed: {e}")
        return {}
    return found


def by_time(kinds: Sequence[str], times: Mapping[str, float]) -> list[str]:
    """The order in which to take them: the first, or a later one that is clearly quicker, then the others."""
    best = kinds[0] if kinds else ""
    for kind in kinds:
        if times.get(kind, math.inf) < CLEARLY * times.get(best, math.inf):
            best = kind
    return sorted(kinds, key=lambda kind: kind != best)


def line(
    kind: str, shape: Shape, format: str, troubles: Sequence[str], times: Mapping[str, float] | None = None
) -> str:
    """Which bridge was chosen, in one line, and why."""
    ways = {
        "array": "on the card, straight into the texture",
        "buffer": "on the card, through a pixel buffer",
        "host": "through the host's memory",
    }
    each = ", ".join(f"{seconds * 1e3:.2f} ms by {name}" for name, seconds in (times or {}).items())
    why = "; ".join([f"a frame takes {each}"] * bool(each) + list(troubles))
    return f"pictures of {shape[0]}×{shape[1]} {format} go between GL and CUDA {ways[kind]}" + f" ({why})" * bool(why)
