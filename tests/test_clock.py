"""Show time: steady, never backwards, exact in week six."""

from __future__ import annotations

import numpy as np
import pytest

from perform import clock
from perform.clock import WRAP, FixedClock, LiveClock, ManualClock, wrap


def test_a_fixed_clock_counts_frames_exactly() -> None:
    fixed = FixedClock(fps=60.0)
    for _ in range(60 * 3600):
        fixed.pace(60.0)
    assert fixed.now() == 3600.0


def test_a_manual_clock_stands_still_and_never_runs_backwards() -> None:
    manual = ManualClock()
    assert manual.advance(1.5) == manual.now() == 1.5
    with pytest.raises(ValueError, match="backwards"):
        manual.advance(-0.1)


def test_wrapped_time_is_exact_in_a_float32_after_six_weeks() -> None:
    weeks = 6 * 7 * 86400.0
    frame = 1.0 / 60.0
    steps = [np.float32(wrap(weeks + n * frame)) for n in range(600)]
    assert np.diff(np.array(steps, np.float64)) == pytest.approx(frame, abs=0.0006)
    assert np.float32(weeks + frame) - np.float32(weeks) == 0.0  # what would have happened


@pytest.mark.parametrize("period", [6.0, 8.0, 9.0, 10.0, 12.0])
def test_loops_have_no_seam_where_time_wraps(period: float) -> None:
    assert (WRAP / period) % 1.0 == 0.0


class Wall:
    """A wall clock that only sleeping (and working) moves."""

    def __init__(self) -> None:
        self.time = 100.0
        self.slept: list[float] = []

    def perf_counter(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Wall:
    wall = Wall()
    monkeypatch.setattr(clock, "time", wall)
    return wall


def test_a_live_clock_keeps_an_absolute_grid(wall: Wall) -> None:
    live = LiveClock(start=wall.time)
    for n in range(3600):
        wall.time += 0.018 if n % 100 == 0 else 0.004  # one frame in a hundred takes longer than its slot
        live.pace(60.0)
    assert live.now() == pytest.approx(60.0, abs=0.001)
    assert live.late == 36


def test_a_live_clock_does_not_race_to_catch_up_after_a_stall(wall: Wall) -> None:
    live = LiveClock(start=wall.time)
    live.pace(60.0)
    wall.time += 3.0
    live.pace(60.0)
    before = wall.time
    for _ in range(10):
        live.pace(60.0)
    assert wall.time - before == pytest.approx(10 / 60.0, abs=0.001)
