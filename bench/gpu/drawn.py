"""GL alone: the passes of the whole path, each picture in the place of its own dream, and no engine at all.

How fast the whole path could be with an engine, a bridge and a change between GL and CUDA that cost nothing. The same
loop, the same fences, the same finish behind a latency; then each pass by GL's own clock. A software rasteriser draws
later than it is told to: there the sum is right, and which pass it was is not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from ctypes import byref, c_int, c_uint, c_uint64
from typing import Any

from bench.gpu.path import Loop
from bench.gpu.plan import GL_ALONE
from bench.gpu.timing import at
from perform.frame import Frame

WARM = 30  # frames that do not count
ROUNDS = 60  # of all passes, for their own times


class Echo:
    """In the place of an engine: a picture is its own dream, at once."""

    def __init__(self) -> None:
        self._newest: Frame | None = None

    def submit(self, frame: Frame, mood: Sequence[float]) -> None:
        self._newest = frame

    def newest(self) -> Frame | None:
        return self._newest


def run(case: Any, seconds: float) -> Iterator[dict[str, Any]]:
    """One row: frames a second, latency, milliseconds of each pass. Render thread. Raises GLUnavailable."""
    from bench.gpu.scene import Theatre, context

    stage = context()
    size = tuple(case.what["size"])
    with ExitStack() as after:
        theatre = Theatre(stage, size)
        after.callback(theatre.close)
        loop = Loop(theatre, Echo(), "none")  # no card to wait for
        for _ in range(WARM):
            loop.frame()
        row = {"size": list(size), "engine": GL_ALONE, "gl": stage.renderer}
        yield row | loop.rate(seconds) | loop.latency(seconds) | passes(theatre)


def passes(theatre: Any, rounds: int = ROUNDS, queries: bool | None = None) -> dict[str, Any]:
    """`passes_ms`, the median of each, and `by` what: GL's timer queries, or the wall's clock between two finishes
    (what the driver takes to begin and to tell of the end is in that as well). `queries` None: whichever there is.
    """
    given = theatre.camera(0.0)
    deeds: dict[str, Callable[[], object]] = {
        "camera": lambda: theatre.camera(0.0),
        "composite": lambda: theatre.composite(given.texture, given.texture),
        "resolve": theatre.resolve,
    }
    if queries is None:
        queries = can_query()
    found = _queried(deeds, rounds) if queries else _fenced(deeds, rounds)
    medians = {name: round(at(sorted(times), 0.5), 4) for name, times in found.items()}
    return {"passes_ms": medians, "by": "timer queries" if queries else "finishes"}


def can_query() -> bool:
    """Whether GL can time its own work: core since 3.3 (ARB_timer_query), but the counter may have no bits."""
    from perform.gl.lib import gl

    bits = c_int()
    gl.glGetQueryiv(gl.GL_TIME_ELAPSED, gl.GL_QUERY_COUNTER_BITS, byref(bits))
    return bits.value > 0


def _queried(deeds: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """All are drawn before the first is asked for: nothing waits in between."""
    from perform.gl.lib import gl

    count = len(deeds) * rounds
    queries = (c_uint * count)()
    gl.glGenQueries(count, queries)
    for i in range(rounds):
        for j, deed in enumerate(deeds.values()):
            gl.glBeginQuery(gl.GL_TIME_ELAPSED, queries[i * len(deeds) + j])
            deed()
            gl.glEndQuery(gl.GL_TIME_ELAPSED)
        gl.glFlush()
    found: dict[str, list[float]] = {name: [] for name in deeds}
    took = c_uint64()  # nanoseconds
    for i in range(rounds):
        for j, times in enumerate(found.values()):
            gl.glGetQueryObjectui64v(queries[i * len(deeds) + j], gl.GL_QUERY_RESULT, byref(took))
            times.append(took.value / 1e6)
    gl.glDeleteQueries(count, queries)
    return found


def _fenced(deeds: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    from bench.gpu.scene import finish

    found: dict[str, list[float]] = {name: [] for name in deeds}
    for _ in range(rounds):
        for name, deed in deeds.items():
            finish()
            began = time.perf_counter()
            deed()
            finish()
            found[name].append((time.perf_counter() - began) * 1e3)
    return found
