"""Reading a clock properly: device events on a card, the wall's clock elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

WARM = 5  # runs that do not count
LEAST, MOST = 20, 5000  # runs that do


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds of one run, and how many there were; `rate` is runs a second, one after another without a pause."""

    p50: float
    p95: float
    p99: float
    rate: float
    runs: int

    @classmethod
    def of(cls, milliseconds: Sequence[float], wall: float) -> Times:
        """From the time of each run and the seconds of them all."""
        ordered = sorted(milliseconds)
        return cls(at(ordered, 0.5), at(ordered, 0.95), at(ordered, 0.99), len(ordered) / wall, len(ordered))


def at(ordered: Sequence[float], share: float) -> float:
    """The percentile of a sorted list, between neighbours."""
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def measure(run: Callable[[int], object], seconds: float, device: str) -> Times:
    """Time `run(i)` for about `seconds`, `i` counting up: rotate the inputs by it. On a card no run is waited for."""
    import torch

    cuda = device.startswith("cuda")
    sync = torch.cuda.synchronize if cuda else lambda: None
    for i in range(WARM):
        run(i)
    sync()
    began = time.perf_counter()
    for i in range(WARM):
        run(i)
    sync()
    each = (time.perf_counter() - began) / WARM
    count = max(LEAST, min(MOST, int(seconds / max(each, 1e-6))))
    return _events(torch, run, count) if cuda else _wall(run, count)


def _events(torch: Any, run: Callable[[int], object], count: int) -> Times:
    marks = [(torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)) for _ in range(count)]
    began = time.perf_counter()
    for i, (start, end) in enumerate(marks):
        start.record()
        run(i)
        end.record()
    torch.cuda.synchronize()
    wall = time.perf_counter() - began
    return Times.of([start.elapsed_time(end) for start, end in marks], wall)


def _wall(run: Callable[[int], object], count: int) -> Times:
    found = []
    began = time.perf_counter()
    for i in range(count):
        start = time.perf_counter()
        run(i)
        found.append((time.perf_counter() - start) * 1e3)
    return Times.of(found, time.perf_counter() - began)
