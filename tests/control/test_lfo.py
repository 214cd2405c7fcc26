"""The low-frequency oscillator: what it adds to values, and what it leaves alone."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from perform.clock import ManualClock
from perform.control.lfo import PERIODS, Lfo
from perform.control.movers import unmovable
from perform.params import Param, Params, Spec
from perform.plugins import Stage
from perform.testing import check_control


class Pond:
    """A show with two floats and a toggle, and one LFO on them."""

    def __init__(self, **keys: Any) -> None:
        self.clock, self.params = ManualClock(), Params()
        self.x, self.y = (self.params.declare(f"/layer/1/mood/{key}", Spec("float", 0.5, 0.0, 1.0)) for key in "xy")
        self.params.declare("/layer/1/on", Spec("bool", True))
        self.stage = Stage(self.params, self.clock, "/breath", (16, 16))
        self.lfo = Lfo(**keys)
        self.lfo.open(self.stage)
        self.wait(0.0)

    def wait(self, seconds: float) -> None:
        self.params.settle(self.clock.advance(seconds))

    def turn(self, period: float) -> None:
        """Once around, so that what is smoothed has got where it was sent and the wave is where it was."""
        for _ in range(8):
            self.wait(period / 8)


def test_it_keeps_a_controls_contract() -> None:
    check_control(lambda: Lfo(period=1.0, drive={"/layer/1/opacity": -0.5}))


@pytest.mark.parametrize(
    ("wave", "quarters"), [("sine", (0, 1, 0, -1)), ("triangle", (0, 1, 0, -1)), ("ramp", (-1, -0.5, 0, 0.5)),
                           ("square", (1, 1, -1, -1))]
)  # fmt: skip
def test_a_wave_by_its_quarters(wave: str, quarters: tuple[float, ...]) -> None:
    pond = Pond(wave=wave, period=8.0, drive={"/layer/1/mood/x": 0.25})
    for quarter in (*quarters, *quarters):
        assert pond.x.value == pytest.approx(0.5 + 0.25 * quarter)
        assert pond.params["/breath/value"].value == pytest.approx(quarter)
        pond.wait(2.0)
    assert pond.x.base == 0.5  # the fader stays


def test_nobody_has_to_look_the_tree_through_again_because_it_moves() -> None:
    pond = Pond(period=8.0, drive={"/layer/1/mood/x": 0.25})
    before = pond.params.version
    pond.turn(8.0)
    assert pond.params.version == before


def test_a_phase_is_so_much_of_a_turn_further() -> None:
    pond = Pond(period=8.0, drive={"/layer/1/mood/x": 0.5, "/layer/1/mood/y": {"amount": 0.5, "phase": 0.25}})
    for turn in range(16):
        angle = math.tau * turn / 16
        assert (pond.x.value, pond.y.value) == pytest.approx((0.5 + 0.5 * math.sin(angle), 0.5 + 0.5 * math.cos(angle)))
        pond.wait(0.5)


def test_without_an_amount_it_is_1_and_a_phase_below_zero_is_behind() -> None:
    pond = Pond(period=8.0, drive={"/free": {"phase": -0.25}})
    free = pond.params.declare("/free", Spec("float"))
    pond.wait(0.0)
    pond.wait(0.0)
    assert free.value == pytest.approx(-1.0)


def test_a_drift_is_smooth_goes_far_and_is_the_same_each_time() -> None:
    def walk() -> list[tuple[float, float]]:
        pond = Pond(wave="drift", period=2.0, drive={"/layer/1/mood/x": 0.5, "/layer/1/mood/y": 0.5})
        places = []
        for _ in range(6000):
            pond.wait(1 / 60)
            places.append((pond.x.value, pond.y.value))
        return places

    places = walk()
    assert places == walk()
    for along in zip(*places, strict=True):
        steps = [abs(b - a) for a, b in itertools.pairwise(along)]
        assert max(steps) < 0.02  # 1.875 a turn is the steepest the easing gets, times two ways across
        assert min(along) < 0.1
        assert max(along) > 0.9
    apart = [abs(x - y) for x, y in places]
    assert sum(apart) / len(apart) > 0.1  # each its own way


def test_two_drifts_on_one_address_go_their_own_ways_and_the_same_each_time() -> None:
    def walk(name: str) -> list[float]:
        pond = Pond(wave="drift", period=2.0, drive={"/layer/1/mood/y": 0.5})
        pond.lfo.close()
        pond.lfo = Lfo(wave="drift", period=2.0, drive={"/layer/1/mood/x": 0.5})
        pond.lfo.open(replace(pond.stage, prefix=name))
        places = []
        for _ in range(400):
            pond.wait(0.25)
            places.append(pond.x.value)
        return places

    breath, tide = walk("/breath"), walk("/tide")
    assert breath == walk("/breath")
    assert sum(abs(a - b) for a, b in zip(breath, tide, strict=True)) / len(tide) > 0.1


def test_a_new_period_and_an_edit_go_on_from_where_the_wave_is() -> None:
    pond = Pond(period=8.0, drive={"/layer/1/mood/x": 0.25})
    pond.wait(1.0)
    before = pond.x.value
    pond.params.post("/breath/period", 800.0)
    pond.wait(0.001)
    assert pond.x.value == pytest.approx(before, abs=1e-3)
    pond.params.post("/breath/depth", 0.5)
    pond.turn(800.0)
    pond.lfo.close()  # as an edit of the show does
    pond.lfo = Lfo(period=80.0, drive={"/layer/1/mood/x": 0.25}).open(pond.stage)
    pond.wait(0.0)
    pond.wait(0.0)
    assert pond.params["/breath/period"].base == 80.0  # what was edited
    assert pond.params["/breath/depth"].base == 0.5  # what was played
    assert pond.x.value == pytest.approx(0.5 + (before - 0.5) / 2, abs=1e-3)


def test_an_edit_costs_no_frame_of_its_turn() -> None:
    pond = Pond(period=8.0, drive={"/layer/1/mood/x": 0.25})
    pond.wait(0.5)
    pond.wait(0.5)
    pond.lfo.close()  # between two frames, as an edit of the show is taken up
    pond.lfo = Lfo(period=8.0, depth=0.5, drive={"/layer/1/mood/x": 0.25}).open(pond.stage)
    pond.wait(0.5)
    pond.wait(0.5)
    assert pond.params["/breath/turns"].base == pytest.approx(2.0 / 8.0)


def test_no_depth_is_no_movement_and_closed_it_lets_go() -> None:
    pond = Pond(period=8.0, drive={"/layer/1/mood/x": 0.25})
    pond.wait(2.0)
    pond.params.post("/breath/depth", 0.0)
    pond.turn(8.0)
    assert pond.x.value == pytest.approx(0.5, abs=1e-6)
    pond.params.post("/breath/depth", 1.0)
    pond.turn(8.0)
    assert pond.x.value == pytest.approx(0.75, abs=1e-3)
    pond.lfo.close()
    pond.wait(0.1)
    assert (pond.x.value, pond.x.modulators, pond.params.feeds) == (0.5, [], [])


def test_weeks_later_it_is_as_smooth_as_in_the_first_minute() -> None:
    pond = Pond(period=PERIODS[0], drive={"/layer/1/mood/x": 0.5})
    pond.wait(42 * 86400.0)
    for _ in range(100):
        before = pond.params["/breath/turns"].base
        pond.wait(1 / 60)
        assert pond.params["/breath/turns"].base - before == pytest.approx(1 / 60 / PERIODS[0], abs=1e-6)


def test_what_cannot_be_moved_is_said_and_the_rest_moves() -> None:
    pond = Pond(period=8.0, drive={"/layer/1/on": 1.0, "/later": 0.5, "/layer/1/mood/x": 0.25})
    status = pond.params["/status/breath"]
    pond.wait(2.0)
    pond.wait(0.0)
    assert pond.x.value == pytest.approx(0.75)
    assert "/layer/1/on is a bool" in status.base
    assert "there is no address '/later'" in status.base
    later: Param = pond.params.declare("/later", Spec("float"))
    pond.wait(0.0)
    pond.wait(0.0)
    assert later.value == pytest.approx(0.5)
    assert "later" not in status.base


def test_what_it_cannot_move_is_said_as_check_says_it() -> None:
    pond = Pond(drive={"/layer/1/mod/x": 0.5, "/layer/*/on": 0.5, "/layer/1/on": 0.5})
    pond.wait(0.0)
    said = pond.params["/status/breath"].base
    wrong = [unmovable(pond.params, address) for address in ("/layer/1/mod/x", "/layer/*/on", "/layer/1/on")]
    assert said == "; ".join(f"drive: {sentence}" for sentence in wrong)
    assert wrong == [
        "there is no address '/layer/1/mod/x'; did you mean '/layer/1/mood/x'?",
        "/layer/*/on is a pattern; each address that is moved is written by itself",
        "/layer/1/on is a bool; only floats can be moved",
    ]


def test_what_goes_while_it_plays_costs_no_frame_a_search(monkeypatch: pytest.MonkeyPatch) -> None:
    pond = Pond(drive={"/layer/1/mod/x": 0.5, "/layer/1/mood/x": 0.5})
    status = pond.params["/status/breath"]
    pond.wait(0.0)
    assert status.base == "drive: there is no address '/layer/1/mod/x'; did you mean '/layer/1/mood/x'?"

    def near(word: str, names: Iterable[str]) -> str:
        assert not list(names), "a frame has gone through all addresses"
        return ""

    monkeypatch.setattr("perform.likeness.near", near)
    pond.params.remove("/layer/1/mood/x")
    pond.wait(0.0)
    pond.wait(0.0)  # what is said is there one frame later
    assert status.base.count("drive: there is no address") == 2


@pytest.mark.parametrize(
    ("keys", "what"),
    [
        ({"wave": "sinus"}, "wave = 'sinus' is none of sine, triangle"),
        ({"period": 0.0}, "not within 0.05 to 86400"),
        ({"period": math.nan}, "not within"),
        ({"depth": 2.0}, "depth = 2.0 is not within 0 to 1"),
        ({"drive": {"/a": "much"}}, "/a takes an amount"),
        ({"drive": {"/a": True}}, "/a takes an amount"),
        ({"drive": {"/a": math.inf}}, "/a takes an amount"),
        ({"drive": {"/a": {"amunt": 0.3}}}, "/a takes an amount"),
        ({"drive": {"/a": {"amount": 0.3, "phase": "late"}}}, "/a takes an amount"),
        ({"drive": {"/a": {"phase": 90}}}, "/a has phase = 90, but a phase is in turns, -1 to 1: 90 degrees is 0.25"),
    ],
)
def test_mistakes_are_refused(keys: dict[str, Any], what: str) -> None:
    with pytest.raises(ValueError, match=what):
        Lfo(**keys)


def test_all_mistakes_in_what_it_drives_are_said_at_once() -> None:
    with pytest.raises(ValueError, match=r"drive: /a takes an amount.*\ndrive: /c takes an amount"):
        Lfo(drive={"/a": "much", "/b": 0.5, "/c": True})
