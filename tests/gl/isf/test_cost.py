"""What a frame costs is found out with few and tiny ones, and a busy machine is forgiven."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from perform.gl.isf import Patch, PatchError
from perform.gl.isf.cost import BRIEF, LONGEST, PROBES, THOROUGH, Size, judge, seconds_a_frame

FULL = (320, 180)
PATCH = cast(Patch, None)  # a stopwatch that is given looks at no patch


class Stopwatch:
    """Says what a frame of a size costs, and `stalls` for the first ones; remembers what was drawn."""

    def __init__(self, cost: Callable[[int], float], stalls: tuple[float, ...] = ()) -> None:
        self.cost, self.stalls = cost, iter(stalls)
        self.drawn: list[Size] = []
        self.spent = 0.0

    def __call__(self, patch: Any, size: Size) -> float:
        self.drawn.append(size)
        took = self.cost(size[0] * size[1]) + next(self.stalls, 0.0)
        self.spent += took
        return took

    def takes(self, size: Size = FULL, spend: float = BRIEF) -> float:
        return seconds_a_frame(PATCH, size, LONGEST, spend, self)


def test_a_light_patch_costs_two_tiny_frames() -> None:
    watch = Stopwatch(lambda pixels: 1e-4)
    assert watch.takes() <= LONGEST
    assert watch.drawn == [PROBES[0]] * 2


@pytest.mark.parametrize("seconds", [2.1, 5.0, 25.0, 40.0, 300.0])
@pytest.mark.parametrize("size", [FULL, (1280, 720), (3840, 2160)])
def test_however_slow_it_is_the_show_hardly_waits(seconds: float, size: Size) -> None:
    watch = Stopwatch(lambda pixels: seconds * pixels / (size[0] * size[1]))
    assert watch.takes(size) == pytest.approx(seconds)
    assert watch.spent < 1.0


def test_what_is_slow_at_its_tiniest_is_drawn_twice() -> None:
    watch = Stopwatch(lambda pixels: 5.0)
    assert watch.takes() > 1000.0
    assert watch.drawn == [PROBES[0]] * 2


@pytest.mark.parametrize("size", [FULL, (1920, 1080)])
def test_what_does_not_grow_with_the_picture_is_not_multiplied(size: Size) -> None:
    watch = Stopwatch(lambda pixels: 0.02 + 0.1 * pixels / (size[0] * size[1]))
    assert watch.takes(size) <= LONGEST
    assert watch.spent < 1.0


def test_a_buffer_of_fixed_size_is_not_multiplied_though_it_be_slow() -> None:
    watch = Stopwatch(lambda pixels: 0.2 + 0.05 * pixels / (FULL[0] * FULL[1]))
    assert watch.takes() <= LONGEST
    assert watch.spent < 2.0


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080)])
@pytest.mark.parametrize("spend", [BRIEF, THOROUGH])
@pytest.mark.parametrize("seed", range(20))
def test_a_slow_buffer_of_fixed_size_is_shown_on_a_machine_that_is_not_steady(
    size: Size, spend: float, seed: int
) -> None:
    """As `ink` on a CPU, whose 320 lines take 125 to 190 ms whatever the picture's size."""
    jitter = random.Random(seed)
    watch = Stopwatch(lambda pixels: jitter.uniform(0.125, 0.19) + 4e-8 * pixels)
    assert watch.takes(size, spend) <= LONGEST


def test_where_nobody_waits_a_much_slower_one_is_shown_too() -> None:
    watch = Stopwatch(lambda pixels: 0.6 + 1e-7 * pixels)
    assert watch.takes((1920, 1080), THOROUGH) == pytest.approx(0.8, abs=0.05)


def test_what_grows_is_multiplied_and_what_does_not_is_not() -> None:
    watch = Stopwatch(lambda pixels: 0.04 + 4e-6 * pixels)
    assert watch.takes((1280, 720)) == pytest.approx(0.04 + 4e-6 * 1280 * 720)
    assert watch.spent < 1.0


@pytest.mark.parametrize("late", range(8))
def test_a_busy_machine_refuses_nothing(late: int) -> None:
    stalls = (*[0.0] * late, 0.25)
    watch = Stopwatch(lambda pixels: 1e-3 + 0.5 * pixels / (FULL[0] * FULL[1]), stalls)
    assert watch.takes() <= LONGEST


def test_a_picture_smaller_than_all_probes_is_drawn_as_it_is() -> None:
    watch = Stopwatch(lambda pixels: 3.0)
    assert watch.takes((2, 2)) == 3.0
    assert watch.drawn == [(2, 2)] * 2


def test_a_verdict_is_a_sentence() -> None:
    judge(Path("a.fs"), FULL, LONGEST)
    with pytest.raises(PatchError, match=r"a frame of 320×180 would take about 25\.0 s: too slow to show, as busy"):
        judge(Path("a.fs"), FULL, 25.0)
    with pytest.raises(PatchError, match="more than a minute"):
        judge(Path("a.fs"), FULL, 61.0)
