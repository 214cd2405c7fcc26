"""The dissolve to the fallback and back, checked by pixels; and that nothing black is ever seen."""

from __future__ import annotations

import pytest

from perform.clock import ManualClock
from perform.frame import Frame
from perform.gl.target import Target
from perform.gl.transfer import read
from perform.health import Guard, Status
from perform.sources.fallback import Fallback
from tests.sources.conftest import MakeStage, said

RED, BLUE = (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)


class Plain:
    """A source of one colour that is lost, or has no picture yet, when the test says so."""

    def __init__(self, color: tuple[float, float, float], size: tuple[int, int] = (8, 8)) -> None:
        self.target = Target(*size)
        self.target.clear(*color, 1.0)
        self.lost = False
        self.serial = 1
        self.asked = 0

    def frame(self, now: float) -> Frame:
        self.asked += 1
        return Frame(self.target.texture, now, self.serial)

    def close(self) -> None:
        self.target.close()


@pytest.fixture
def pair(gl: object) -> tuple[Plain, Plain]:
    return Plain(RED), Plain(BLUE, (16, 4))


def middle(frame: Frame) -> tuple[int, int, int]:
    pixels = read(frame.texture)  # type: ignore[arg-type]
    r, g, b, a = (int(v) for v in pixels[pixels.shape[0] // 2, pixels.shape[1] // 2])
    assert a == 255
    return r, g, b


def test_a_good_primary_is_handed_on_untouched(stage: MakeStage, pair: tuple[Plain, Plain]) -> None:
    primary, other = pair
    with Fallback(primary, other).open(stage()) as both:  # type: ignore[arg-type]
        frame = both.frame(0.0)
        assert frame.texture is primary.target.texture
        assert both.frame(0.1).serial == frame.serial
        primary.serial = 2
        assert both.frame(0.2).serial == frame.serial + 1
        assert other.asked == 0  # what cannot be seen costs nothing


def test_before_the_first_picture_the_fallback_shows_at_once(stage: MakeStage, pair: tuple[Plain, Plain]) -> None:
    primary, other = pair
    primary.serial = 0
    with Fallback(primary, other).open(stage()) as both:  # type: ignore[arg-type]
        assert both.frame(0.0).texture is other.target.texture
        primary.serial = 1
        seen = [middle(both.frame(0.1 * n)) for n in range(1, 18)]
        assert seen[0][2] > 200
        assert seen[-1] == (255, 0, 0)


def test_dissolves_both_ways_in_the_time_it_was_given(stage: MakeStage, pair: tuple[Plain, Plain]) -> None:
    primary, other = pair
    clock = ManualClock()
    with Fallback(primary, other, seconds=1.0).open(stage(clock)) as both:  # type: ignore[arg-type]
        both.frame(0.0)
        for lost, first, last in ((True, 0, 2), (False, 2, 0)):
            primary.lost = lost
            seen, serials = [], []
            for _ in range(11):
                frame = both.frame(clock.advance(0.1))
                seen.append(middle(frame))
                serials.append(frame.serial)
            ups, downs = [c[last] for c in seen], [c[first] for c in seen]
            assert ups == sorted(ups)
            assert downs == sorted(downs, reverse=True)
            assert 20 < ups[4] < 235  # half way it is neither
            assert (ups[-1], downs[-1]) == (255, 0)
            assert min(sum(c) for c in seen) > 200  # never dark in between
            assert len(set(serials)) >= 9


def test_a_dead_fallback_leaves_the_last_good_picture(stage: MakeStage, pair: tuple[Plain, Plain]) -> None:
    primary, other = pair
    other.serial, other.lost = 0, True
    with Fallback(primary, other, seconds=0.0).open(stage()) as both:  # type: ignore[arg-type]
        both.frame(0.0)
        primary.lost = True
        assert middle(both.frame(1.0)) == (255, 0, 0)
        assert both.lost


def test_with_nothing_at_all_the_serial_says_so(stage: MakeStage, pair: tuple[Plain, Plain]) -> None:
    primary, other = pair
    primary.serial = other.serial = 0
    with Fallback(primary, other).open(stage()) as both:  # type: ignore[arg-type]
        assert both.frame(0.0).serial == 0
        other.serial = 1
        assert both.frame(0.1).serial == 1


def test_a_primary_that_raises_counts_as_lost_and_is_tried_again(stage: MakeStage, pair: tuple[Plain, Plain]) -> None:
    primary, other = pair
    clock = ManualClock()
    here = stage(clock)
    guard = Guard(Status(here.params, "/status/source/it"))
    frame = primary.frame

    def broken(now: float) -> Frame:
        raise RuntimeError("the lens fell off")

    with Fallback(primary, other, seconds=0.2, guard=guard).open(here) as both:  # type: ignore[arg-type]
        primary.frame = broken  # type: ignore[method-assign]
        assert both.frame(0.0).texture is other.target.texture  # from the very first
        assert "the lens fell off" in said(here)
        primary.frame = frame  # type: ignore[method-assign]
        for _ in range(10):
            both.frame(clock.advance(0.1))
        assert middle(both.frame(clock.advance(0.1))) == (255, 0, 0)
        primary.frame = broken  # type: ignore[method-assign]
        seen = [middle(both.frame(clock.advance(0.1))) for _ in range(4)]
        assert seen[-1] == (0, 0, 255)
        other.lost = True
        assert both.lost


def test_fallbacks_chain(stage: MakeStage, pair: tuple[Plain, Plain]) -> None:
    primary, other = pair
    third = Plain((0.0, 1.0, 0.0))
    with (
        Fallback(other, third, seconds=0.0).open(stage()) as inner,  # type: ignore[arg-type]
        Fallback(primary, inner, seconds=0.0).open(stage()) as both,  # type: ignore[arg-type]
    ):
        both.frame(0.0)
        primary.lost = other.lost = True
        assert middle(both.frame(1.0)) == (0, 255, 0)
        other.lost = False
        assert middle(both.frame(2.0)) == (0, 0, 255)
        both.close()
