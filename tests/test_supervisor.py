"""The parent: when it waits, when it ends a show, how it starts it again, when it gives up."""

from __future__ import annotations

import configparser
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from perform.hours import Hours
from perform.supervisor import AGAIN, QUIT, WANTING, Beats, MachineWall, Patience, Process, Supervisor, command


@dataclass
class PaperWall:
    """Time that passes only when somebody sleeps."""

    seconds: float = 0.0
    starts_at: int = 9 * 60  # minutes after midnight
    on_sleep: list[Callable[[], None]] = field(default_factory=list)

    def now(self) -> float:
        return self.seconds

    def local(self) -> datetime:
        return datetime(2026, 11, 30) + timedelta(minutes=self.starts_at, seconds=self.seconds)  # a Monday

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        for step in self.on_sleep:
            step()


@dataclass
class PaperChild:
    """A show that beats ten times a second for `plays` seconds, then ends with `code` (None: it hangs). It begins
    after `late` seconds.
    """

    wall: PaperWall
    plays: float
    code: int | None = 0
    stubborn: bool = False
    closes: float | None = None  # seconds that it takes to close, once asked; it says that it does
    late: float = 0.0
    born: float = 0.0
    ended: int | None = None
    signals: list[str] = field(default_factory=list)
    asked: float | None = None

    def __post_init__(self) -> None:
        self.born = self.wall.now()

    @property
    def beats(self) -> int:
        return int(min(max(self._playing(), 0.0), self.plays) * 10)

    def _playing(self) -> float:
        return self.wall.now() - self.born - self.late

    @property
    def closing(self) -> bool:
        return self.closes is not None and (bool(self.signals) or self._playing() >= self.plays)

    def poll(self) -> int | None:
        if self.closes is not None:
            if self.closing and self.ended is None:
                self.asked = self.wall.now() if self.asked is None else self.asked
                self.ended = self.code if self.wall.now() - self.asked >= self.closes else None
            return self.ended
        if self.ended is None and self.code is not None and self._playing() >= self.plays:
            self.ended = self.code
        return self.ended

    def terminate(self) -> None:
        self.signals.append("term")
        if not self.stubborn and self.closes is None:
            self.ended = -15

    def kill(self) -> None:
        self.signals.append("kill")
        self.ended = -9


@dataclass
class Cast:
    """Hands out one child after another and notes whether each was asked to resume."""

    wall: PaperWall
    parts: list[dict[str, object]]
    resumed: list[bool] = field(default_factory=list)
    children: list[PaperChild] = field(default_factory=list)

    def __call__(self, resume: bool) -> PaperChild:
        self.resumed.append(resume)
        part = self.parts[min(len(self.children), len(self.parts) - 1)]
        self.children.append(PaperChild(self.wall, **part))  # type: ignore[arg-type]
        return self.children[-1]


def supervise(*parts: dict[str, object], hours: str | None = None) -> tuple[int, Cast, Supervisor]:
    wall = PaperWall()
    cast = Cast(wall, list(parts))
    supervisor = Supervisor(cast, wall, Patience(), lambda: Hours.parse(hours) if hours else None)
    return supervisor.run(), cast, supervisor


@pytest.mark.parametrize(("code", "given"), [(0, 0), (2, 2), (3, 3), (130, 0)])
def test_a_quit_and_a_bad_show_are_not_tried_again(code: int, given: int) -> None:
    exit_code, cast, _ = supervise({"plays": 1.0, "code": code})
    assert exit_code == given
    assert len(cast.children) == 1


def test_a_hanging_show_is_ended_and_resumed() -> None:
    code, cast, supervisor = supervise({"plays": 100.0, "code": None}, {"plays": 1.0})
    assert code == 0
    assert cast.children[0].signals == ["term"]
    assert cast.resumed == [False, True]
    assert supervisor.restarts == 1
    assert 110.0 <= cast.children[1].born <= 112.0  # ten seconds of patience, then at once


def test_a_stubborn_show_is_killed() -> None:
    _, cast, _ = supervise({"plays": 100.0, "code": None, "stubborn": True}, {"plays": 1.0})
    assert cast.children[0].signals == ["term", "kill"]


def test_a_show_without_a_first_picture_has_more_time() -> None:
    _, cast, _ = supervise({"plays": 0.0, "code": None}, {"plays": 1.0})
    assert 60.0 <= cast.children[1].born <= 63.0


@pytest.mark.parametrize(("late", "plays", "silent"), [(0.0, 0.0, 60), (55.0, 20.0, 10)])
def test_waiting_for_a_first_picture_is_not_playing_well(
    late: float, plays: float, silent: int, caplog: pytest.LogCaptureFixture
) -> None:
    parts: list[dict[str, object]] = [{"late": late, "plays": plays, "code": None}] * 8
    code, cast, _ = supervise(*parts, {"plays": 1.0})
    assert code == 1
    assert cast.resumed == [False, True, True, False, False, False]
    assert f"failed 6 times in a row (last: gave no picture for {silent} seconds)" in caplog.text


def test_a_crash_loop_is_started_fresh_then_given_up(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        code, cast, _ = supervise({"plays": 1.0, "code": 1})
    assert code == 1
    assert cast.resumed == [False, True, True, False, False, False]
    assert "failed 6 times in a row (last: ended with code 1); not trying again" in caplog.text
    waits = [round(b.born - a.born) for a, b in zip(cast.children, cast.children[1:], strict=False)]
    assert waits == sorted(waits)  # it waits longer and longer


def test_a_show_that_asks_for_a_new_process_gets_one_where_it_was(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        code, cast, supervisor = supervise({"plays": 90.0, "code": AGAIN}, {"plays": 1.0})
    assert code == 0
    assert cast.resumed == [False, True]
    assert supervisor.cards
    assert "the show asked for a new process; starting it again where it was" in caplog.text


def test_a_card_that_fails_again_and_again_is_left_alone(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    with caplog.at_level(logging.WARNING):
        code, cast, supervisor = supervise({"plays": 3.0, "code": AGAIN}, {"plays": 3.0, "code": AGAIN}, {"plays": 1.0})
    assert code == 0
    assert cast.resumed == [False, True, True]
    assert not supervisor.cards
    assert "the graphics card failed 2 times in a row; the worlds play on the CPU from now on" in caplog.text
    assert "--no-gpu" in command(["show.toml"], tmp_path / "x", True, supervisor.cards)
    assert command(["show.toml", "--no-gpu"], tmp_path / "x", True, False).count("--no-gpu") == 1
    assert "--no-gpu" not in command(["show.toml"], tmp_path / "x", True)


def test_a_child_that_cannot_be_started_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    wall, asked = PaperWall(), []

    def spawn(resume: bool) -> PaperChild:
        asked.append(resume)
        if len(asked) == 1:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        return PaperChild(wall, 5.0)

    assert Supervisor(spawn, wall).run() == 0
    assert len(asked) == 2
    assert "could not be started (Resource temporarily unavailable)" in caplog.text


@pytest.mark.parametrize("closes", [60.0, 1e9])
def test_a_show_that_was_quit_may_take_its_time_to_close_and_does_not_come_back(closes: float) -> None:
    code, cast, supervisor = supervise({"plays": 5.0, "closes": closes})
    assert code == 0
    assert len(cast.children) == 1
    assert supervisor.wall.now() == pytest.approx(5.0 + min(closes, 120.0), abs=2)
    assert cast.children[0].signals == ([] if closes < 120.0 else ["term", "kill"])


def test_a_show_that_dies_while_it_closes_was_quit_all_the_same() -> None:
    code, cast, _ = supervise({"plays": 5.0, "closes": 2.0, "code": -11})
    assert (code, len(cast.children)) == (0, 1)


def test_closing_time_waits_for_the_film() -> None:
    wall = PaperWall()
    cast = Cast(wall, [{"plays": 1e9, "closes": 30.0}])
    supervisor = Supervisor(cast, wall)
    wall.on_sleep.append(lambda: supervisor.stop() if wall.now() > 5.0 else None)
    assert supervisor.run() == 0
    assert wall.now() == pytest.approx(35.0, abs=1)
    assert cast.children[0].signals == ["term"]


@pytest.mark.parametrize("code", [2, 3])
def test_what_has_played_is_looked_at_until_it_can_be_played_again(code: int, caplog: pytest.LogCaptureFixture) -> None:
    cannot = {"plays": 0.0, "code": code}
    with caplog.at_level(logging.WARNING):
        given, cast, _ = supervise({"plays": 30.0, "code": 1}, *[cannot] * 7, {"plays": 1.0})
    assert given == 0
    assert cast.resumed == [False] + [True] * 8
    waits = [round(b.born - a.born) for a, b in zip(cast.children[1:], cast.children[2:], strict=False)]
    assert waits == [5, 10, 20, 40, 60, 60, 60]
    assert "looking again in 5 s" in caplog.text


def test_a_mistake_at_opening_time_waits_for_whoever_mends_it() -> None:
    code, cast, _ = supervise({"plays": 0.0, "code": 2}, {"plays": 1.0}, hours="10:00-18:00")
    assert code == 0
    assert len(cast.children) == 2


def test_a_show_that_has_played_well_is_never_given_up() -> None:
    code, cast, _ = supervise({"plays": 100.0, "code": 1}, *[{"plays": 1.0, "code": 1}] * 9, {"plays": 2.0})
    assert code == 0
    assert len(cast.children) == 11
    assert cast.children[-1].born - cast.children[-2].born == pytest.approx(61.0, abs=1)


def test_failures_far_apart_are_no_crash_loop() -> None:
    parts: list[dict[str, object]] = [{"plays": 120.0, "code": -11}] * 8
    code, cast, _ = supervise(*parts, {"plays": 1.0})
    assert code == 0
    assert cast.resumed == [False] + [True] * 8


def test_stop_ends_the_show_cleanly() -> None:
    wall = PaperWall()
    cast = Cast(wall, [{"plays": 1e9, "code": None}])
    supervisor = Supervisor(cast, wall)
    wall.on_sleep.append(lambda: supervisor.stop() if wall.now() > 5.0 else None)
    assert supervisor.run() == 0
    assert cast.children[0].signals == ["term"]


def test_a_signal_that_ends_the_child_first_starts_nothing_again(caplog: pytest.LogCaptureFixture) -> None:
    wall = PaperWall()
    cast = Cast(wall, [{"plays": 0.4, "code": -2}])
    supervisor = Supervisor(cast, wall)
    wall.on_sleep.append(lambda: supervisor.stop() if wall.now() > 0.3 else None)
    assert supervisor.run() == 0
    assert len(cast.children) == 1
    assert "starting it again" not in caplog.text


def test_stop_while_waiting_to_start_again() -> None:
    wall = PaperWall()
    cast = Cast(wall, [{"plays": 0.0, "code": 1}])
    supervisor = Supervisor(cast, wall, Patience(backoff=(1000.0,)))
    wall.on_sleep.append(lambda: supervisor.stop() if wall.now() > 500.0 else None)
    assert supervisor.run() == 0
    assert len(cast.children) == 1


def test_hours_that_change_while_it_plays() -> None:
    """Somebody in the gallery writes other hours into the file: at once, and no new start of the parent."""
    wall, hours = PaperWall(starts_at=12 * 60), ["10:00-18:00"]
    cast = Cast(wall, [{"plays": 1e9, "code": None}, {"plays": 30.0}])
    wall.on_sleep.append(lambda: hours.__setitem__(0, "14:00-18:00") if wall.now() > 600.0 else None)
    assert Supervisor(cast, wall, hours=lambda: Hours.parse(hours[0])).run() == 0
    assert cast.children[0].signals == ["term"]
    assert cast.children[1].born == pytest.approx(2 * 3600, abs=2)


def test_opening_hours() -> None:
    wall = PaperWall(starts_at=9 * 60)
    cast = Cast(wall, [{"plays": 1e9, "code": None}, {"plays": 30.0}])
    assert Supervisor(cast, wall, hours=lambda: Hours.parse("10:00-18:00")).run() == 0
    opened, next_day = cast.children
    assert opened.born == pytest.approx(3600, abs=2)
    assert opened.signals == ["term"]
    assert next_day.born == pytest.approx(25 * 3600, abs=2)
    assert cast.resumed == [False, False]


# ---------------------------------------------------------------- with real processes and pipes
@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    read, write = os.pipe()
    yield read, write
    os.close(read)


def test_beats_are_bytes_and_no_more_than_ten_a_second(pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    wall = iter([0.0, 0.05, 0.1, 0.2])
    monkeypatch.setattr("perform.supervisor.time.monotonic", lambda: next(wall))
    with os.fdopen(pipe[1], "wb", buffering=0) as write:
        beats = Beats(write)
        beats._next = -1.0
        for n in range(4):
            beats.on_beat(n / 60)
    assert os.read(pipe[0], 100) == b"..."


def test_a_beat_without_a_supervisor_says_so() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb", buffering=0) as end:
        beats = Beats(end)
        beats.on_beat(0.0)
        assert beats.orphaned


CHILD = """
import sys, time
from perform.supervisor import Beats
beats = Beats.take_stdout()
print("words go to standard error")
first = not {resume}
while True:
    beats.on_beat(0.0)
    if first: time.sleep(1000)   # hangs after its first picture
    time.sleep(0.02)
    if beats.on_beat(0.0) or time.monotonic() > {until}: sys.exit(0)
"""


def test_a_real_process_that_hangs_is_replaced(capfd: pytest.CaptureFixture[str]) -> None:
    pids = []

    def spawn(resume: bool) -> Process:
        until = time.monotonic() + 0.5
        child = Process([sys.executable, "-c", CHILD.format(resume=resume, until=until)])
        pids.append(child.pid)
        return child

    supervisor = Supervisor(spawn, MachineWall(), Patience(silence=1.0, grace=60.0, stop_after=100))
    watchdog = threading.Timer(120.0, supervisor.stop)
    watchdog.start()
    assert supervisor.run() == 0
    watchdog.cancel()
    assert len(pids) >= 2  # more only where the machine was too busy for the second one's beats
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)
    assert capfd.readouterr().err.count("words go to standard error") >= 2


def test_command_of_a_child() -> None:
    words = command(["show.toml", "--size", "64x64"], Path("last.json"), resume=True)
    assert words[1:] == [
        "-m", "perform", "run", "show.toml", "--size", "64x64", "--child", "--snapshot", "last.json", "--resume",
    ]  # fmt: skip
    assert "--resume" not in command([], Path("last.json"), resume=False)


def test_the_unit_of_the_gallery_tries_again_what_may_pass_and_waits_for_a_film() -> None:
    text = (Path(__file__).parents[1] / "docs" / "gallery.md").read_text("utf-8")
    unit = configparser.ConfigParser()
    unit.read_string(text.partition("```ini\n")[2].partition("```")[0])
    service = unit["Service"]
    final = {int(code) for code in service.get("RestartPreventExitStatus", "").split()}
    assert final.isdisjoint(WANTING)
    assert service["Restart"] == "on-failure"
    assert QUIT == 0  # no failure
    assert float(service["TimeoutStopSec"]) > Patience().closing + Patience().farewell
    assert unit["Unit"]["StartLimitIntervalSec"] == "0"  # in [Service], systemd passes it over
