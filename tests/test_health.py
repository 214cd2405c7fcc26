"""Status parameters, and the first ring of failure."""

from __future__ import annotations

import logging

import pytest

from perform.health import LINES, Guard, Health, Status
from perform.params import Params


@pytest.fixture
def params() -> Params:
    return Params()


def test_a_status_is_said_once_and_read_only(params: Params, caplog: pytest.LogCaptureFixture) -> None:
    status = Status(params, "/status/camera")
    with caplog.at_level(logging.INFO):
        status.say("playing")
        status.say("playing")
        status.say("lost", trouble=True)
    assert [(r.levelname, r.message) for r in caplog.records] == [
        ("INFO", "camera: playing"),
        ("WARNING", "camera: lost"),
    ]
    params.post("/status/camera", "hacked")
    params.settle(0.0)
    assert params["/status/camera"].value == "lost"
    assert params.refused == 1


def test_a_guard_keeps_the_last_answer_rests_longer_each_time_and_heals(params: Params) -> None:
    guard = Guard(Status(params, "/status/part"))
    broken, calls = True, []

    def deed() -> str:
        calls.append(now)
        if broken:
            raise OSError("the cable is out")
        return "fresh"

    now = 0.0
    while now < 8.0:
        assert guard.run(now, deed, "last good") == "last good"
        now += 1 / 64
    assert calls == pytest.approx([0.0, 0.5, 1.5, 3.5, 7.5])
    params.settle(now)
    assert params["/status/part"].value == "the cable is out (trying again)"
    broken = False
    assert guard.run(20.0, deed, "last good") == "fresh"
    params.settle(20.0)
    assert (guard.failures, params["/status/part"].value) == (0, "back")


def test_beats_are_counted_and_passed_on(params: Params) -> None:
    beats: list[float] = []
    health = Health(params, on_beat=beats.append)
    for n in range(5):
        health.beat(n / 60)
    params.settle(1.0)
    assert health.frames == 5
    assert beats == [n / 60 for n in range(5)]
    assert params["/status/uptime"].value >= 0.0


def test_a_flood_of_one_parts_lines_is_cut_and_counted(params: Params, caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    status = Status(params, "/status/cue", clock=lambda: now)
    with caplog.at_level(logging.INFO):
        for n in range(1000):
            status.say(f"cue {n}")
        assert len(caplog.records) == LINES
        now = 11.0
        status.say("calm")
    assert [r.message for r in caplog.records[LINES:]] == ["cue: 980 more lines like these were left out", "cue: calm"]
    params.settle(0.0)
    assert params["/status/cue"].value == "calm"


def test_what_a_guard_said_does_not_stand_in_the_parts_place(params: Params) -> None:
    part, guard = Status(params, "/status/part"), Guard(Status(params, "/status/part"))
    part.say("lost")
    guard.run(0.0, lambda: 1 / 0, None)
    guard.run(1.0, lambda: None, None)
    part.say("lost")
    params.settle(1.0)
    assert params["/status/part"].value == "lost"
