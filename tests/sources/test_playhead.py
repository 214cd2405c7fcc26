"""Show time to film time."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perform.sources.playhead import Playhead


def test_plays_and_wraps() -> None:
    head = Playhead(1.0, 3.0)
    assert [round(head.at(t, 1.0), 6) for t in (10.0, 10.5, 11.9, 12.0, 14.5)] == [1.0, 1.5, 2.9, 1.0, 1.5]


def test_a_change_of_rate_counts_from_now_on() -> None:
    head = Playhead(0.0, 10.0)
    head.at(0.0, 1.0)
    assert head.at(2.0, 1.0) == 2.0
    assert head.at(3.0, 2.0) == 4.0
    assert head.at(4.0, 0.0) == 4.0
    assert head.at(5.0, -1.0) == 3.0
    assert head.at(9.0, -1.0) == 9.0  # backwards over the start comes in at the end


def test_without_a_loop_it_stays_at_the_ends_and_turns_at_once() -> None:
    head = Playhead(0.0, 2.0, loop=False)
    head.at(0.0, 1.0)
    assert head.at(100.0, 1.0) == 2.0
    assert head.at(101.0, -1.0) == 1.0


def test_jumps_by_share_and_waits_for_the_length() -> None:
    head = Playhead(2.0)
    head.at(0.0, 1.0)
    head.jump(0.5)
    assert head.at(1.0, 1.0) == 3.0
    head.end = 6.0
    head.jump(0.5)
    assert head.at(1.0, 1.0) == 4.0
    assert head.ahead(0.5) == 4.5


@pytest.mark.parametrize("end", [5.0, math.inf])
def test_starts_again_after_the_end_or_before_it_is_known(end: float) -> None:
    head = Playhead(2.0, end, loop=False)
    assert [head.at(t, 1.0) for t in (0.0, 1.0, 8.0)] == [2.0, 3.0, min(end, 10.0)]
    head.restart()
    assert [head.at(t, 1.0) for t in (8.0, 9.0)] == [2.0, 3.0]


def test_the_far_end_is_still_inside() -> None:
    head = Playhead(0.0, 4.0)
    head.at(0.0, 0.0)
    head.jump(1.0)
    assert head.at(1.0, 0.0) == pytest.approx(4.0, abs=0.01)


@given(st.lists(st.tuples(st.floats(0, 1e5), st.floats(-4, 4)), max_size=30), st.floats(0.001, 1e4), st.booleans())
def test_never_outside_the_film(steps: list[tuple[float, float]], length: float, loop: bool) -> None:
    head, now = Playhead(1.0, 1.0 + length, loop), 0.0
    for wait, rate in steps:
        now += wait
        assert 1.0 <= head.at(now, rate) <= 1.0 + length + 1e-9


def test_exact_in_week_six() -> None:
    head = Playhead(0.0, 10.0)
    head.at(0.0, 1.0)
    weeks = 6 * 7 * 86400.0
    assert math.isclose(head.at(weeks + 3.25, 1.0), (weeks + 3.25) % 10.0, abs_tol=1e-6)


@pytest.mark.parametrize(("fps", "frames"), [(30, 40), (30, 25), (25, 24), (60, 100)])
def test_rounding_never_holds_the_last_frame_for_the_first(fps: int, frames: int) -> None:
    head = Playhead(0.0, frames / fps)
    seen = [int(head.at(n / fps, 1.0) * fps + 1e-3) for n in range(20 * frames)]
    assert seen == [n % frames for n in range(20 * frames)]
