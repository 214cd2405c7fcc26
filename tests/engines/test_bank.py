"""The bank: loads in the background, keeps what is needed within its budget, tries again when files change."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from perform.clock import ManualClock
from perform.engines.bank import AGAIN, Bank, Role
from perform.engines.generator import Shape
from perform.engines.host import HostGenerator
from perform.engines.openvino import OpenVino
from perform.engines.trial import Run
from perform.health import Status
from perform.library import Card, Library
from perform.params import Params
from perform.plugins import EngineError
from tests.engines.conftest import until
from tests.engines.worlds import make_world, onnx_bytes, write_card

SHAPE = (64, 32)
SIZE = 10**9  # bytes each world costs in `Slow`: far above what a test process gains while loading


def role(world: str, size: str = "m") -> Role:
    return Role(world, size, SHAPE)


def said(params: Params) -> str:
    params.settle(0.0)
    return str(params["/status/worlds"].value)


@dataclass
class Slow:
    """Hardware that loads when it is let, and remembers the order."""

    gate: threading.Event = field(default_factory=threading.Event)
    loaded: list[str] = field(default_factory=list)
    refuse: set[str] = field(default_factory=set)

    def load(self, card: Card, size: str, shape: Shape) -> HostGenerator:
        assert self.gate.wait(120)
        self.loaded.append(card.world)
        if card.world in self.refuse:
            raise EngineError(f"{card.world} is refused")

        def make() -> Run:
            return lambda picture, mood: picture

        return HostGenerator(make, shape, 0, SIZE, "slow")


def library(tmp_path: Path, *worlds: str) -> Library:
    for world in worlds:
        make_world(tmp_path / "models", world)
    return Library([tmp_path / "models"])


def test_what_a_show_names_is_loaded_in_that_order(tmp_path: Path) -> None:
    slow = Slow()
    slow.gate.set()
    params = Params()
    bank = Bank(library(tmp_path, "a", "b", "c"), lambda: [slow], 4 * SIZE, status=Status(params, "/status/worlds"))
    bank.keep([role("b"), role("a"), role("c"), role("a")])
    until(lambda: len(bank.warm) == 3)
    assert slow.loaded == ["b", "a", "c"]
    assert bank.nbytes >= 3 * SIZE
    until(lambda: said(params) == "c m is ready (slow)")
    bank.close()


def test_what_a_slot_waits_for_is_loaded_first(tmp_path: Path) -> None:
    slow = Slow()
    bank = Bank(library(tmp_path, "a", "b", "c"), lambda: [slow], 4 * SIZE)
    bank.keep([role("a"), role("b"), role("c")])
    bank.hold(role("c"))
    slow.gate.set()
    until(lambda: len(bank.warm) == 3)
    assert slow.loaded.index("c") <= 1  # "a" may have been under way
    bank.close()


def test_what_there_is_no_room_for_is_not_loaded_again_and_again(tmp_path: Path) -> None:
    slow = Slow()
    slow.gate.set()
    bank = Bank(library(tmp_path, "a", "b", "c"), lambda: [slow], 2 * SIZE + SIZE // 2)
    bank.keep([role("a"), role("b"), role("c")])
    bank.hold(role("c"))  # the last in the show plays
    until(lambda: slow.loaded.count("b") and set(bank.warm) == {role("a"), role("c")} and not bank._shelf.queue())
    assert slow.loaded.count("b") == 1  # what it takes is known only now
    bank.close()


def test_the_least_needed_is_dropped_first_and_nothing_that_plays(tmp_path: Path) -> None:
    slow = Slow()
    slow.gate.set()
    bank = Bank(library(tmp_path, "a", "b", "c", "d"), lambda: [slow], 2 * SIZE + SIZE // 2)
    bank.keep([role("a"), role("b")])
    until(lambda: len(bank.warm) == 2)
    bank.hold(role("c"))
    until(lambda: bank.find(role("c")) is not None)
    until(lambda: set(bank.warm) == {role("a"), role("c")})  # b is needed less than a; c is held
    bank.hold(role("d"))
    until(lambda: set(bank.warm) == {role("c"), role("d")})
    bank.release(role("c"))
    bank.release(role("d"))
    until(lambda: role("a") in bank.warm and bank.nbytes <= 2 * SIZE + SIZE // 2)  # first it is there, then others go
    bank.close()


def test_a_budget_of_nothing_still_plays_what_is_wanted(tmp_path: Path) -> None:
    slow = Slow()
    slow.gate.set()
    bank = Bank(library(tmp_path, "a", "b"), lambda: [slow], budget=0)
    bank.keep([role("a"), role("b")])
    bank.hold(role("b"))
    until(lambda: bank.find(role("b")) is not None)
    assert bank.warm == [role("b")]
    bank.release(role("b"))
    until(lambda: bank.warm == [])
    assert slow.loaded == ["b"]
    bank.close()


def test_a_world_that_does_not_fit_is_not_loaded_over_and_over(tmp_path: Path) -> None:
    slow = Slow()
    slow.gate.set()
    bank = Bank(library(tmp_path, "a", "b"), lambda: [slow], SIZE + SIZE // 2)
    bank.keep([role("a"), role("b")])
    until(lambda: slow.loaded == ["a", "b"] and bank.warm == [role("a")])
    bank.hold(role("a"))
    bank.release(role("a"))
    bank.keep([role("a"), role("b")])
    until(lambda: not bank._shelf.queue())
    assert slow.loaded == ["a", "b"]
    bank.close()


def test_a_failed_load_waits_for_the_file_or_a_request(tmp_path: Path) -> None:
    slow = Slow(refuse={"a"})
    slow.gate.set()
    bank = Bank(library(tmp_path, "a"), lambda: [slow])
    bank.hold(role("a"))
    until(lambda: bank.trouble(role("a")) == "a is refused")
    slow.refuse.clear()
    bank.hold(role("a"))
    assert bank.find(role("a")) is None
    bank.retry("a")
    until(lambda: bank.find(role("a")) is not None)
    assert bank.trouble(role("a")) == ""
    assert slow.loaded == ["a", "a"]
    bank.close()


@pytest.mark.parametrize("shown", [True, False], ids=["a slot waits for it", "the show names it"])
def test_a_failed_load_is_tried_again_after_a_while_and_said_once(
    tmp_path: Path, shown: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    slow, params, clock = Slow(refuse={"a", "b"}), Params(), ManualClock()
    slow.gate.set()
    status = Status(params, "/status/worlds")
    bank = Bank(library(tmp_path, "a", "b"), lambda: [slow], synchronous=True, status=status, clock=clock.now)
    here, nobodys = role("a"), role("b")
    bank.hold(here) if shown else bank.keep([here])
    bank.hold(nobodys)

    def look(seconds: float) -> list[str]:
        """What is loaded when so many seconds are over; the worker's look and what it would do then."""
        clock.advance(seconds)
        slow.loaded.clear()
        for _ in range(2):
            bank._look()
            for each in (here, nobodys):
                bank.find(each)
        return list(slow.loaded)

    assert look(0.0) == ["a", "b"]
    bank.release(nobodys)
    assert look(AGAIN - 1.0) == []
    assert look(1.0) == ["a"]
    assert bank.trouble(here) == "a is refused"
    assert look(AGAIN - 1.0) == []
    assert [line.count("a m cannot be loaded") for line in caplog.messages].count(1) == 1
    assert [line.count("loading a m") for line in caplog.messages].count(1) == 1
    slow.refuse.clear()
    assert look(1.0) == ["a"]
    assert bank.trouble(here) == ""
    assert said(params) == "a m is ready (slow)"
    assert look(10 * AGAIN) == []


def test_an_unknown_world_appears_when_its_folder_does(tmp_path: Path) -> None:
    bank = Bank(Library([tmp_path / "models"]), lambda: [OpenVino(cache=tmp_path / "cache")])
    bank.hold(role("late"))
    until(lambda: "there is no world 'late'" in bank.trouble(role("late")))
    make_world(tmp_path / "models", "late")
    until(lambda: bank.find(role("late")) is not None)
    bank.close()


def test_the_next_engine_is_tried_when_one_cannot(tmp_path: Path) -> None:
    class Cannot:
        def load(self, card: Card, size: str, shape: Shape) -> HostGenerator:
            raise RuntimeError("driver\nlost")

    bank = Bank(library(tmp_path, "a"), lambda: [Cannot(), OpenVino(cache=tmp_path / "cache")], synchronous=True)
    bank.hold(role("a"))
    generator = bank.find(role("a"))
    assert generator is not None
    assert generator.note.startswith("OpenVINO")
    alone = Bank(library(tmp_path), lambda: [Cannot()], synchronous=True)
    alone.hold(role("a"))
    assert alone.find(role("a")) is None
    assert alone.trouble(role("a")) == "Cannot: driver\nlost"
    nothing = Bank(library(tmp_path), list, synchronous=True)
    nothing.hold(role("a"))
    assert nothing.find(role("a")) is None
    assert nothing.trouble(role("a")) == "there is no engine on this machine"


def test_a_size_the_world_lacks_is_told(tmp_path: Path) -> None:
    bank = Bank(library(tmp_path, "a"), lambda: [OpenVino(cache=tmp_path / "cache")], synchronous=True)
    bank.hold(role("a", "xl"))
    assert bank.find(role("a", "xl")) is None
    assert bank.trouble(role("a", "xl")) == "the world 'a' has no size 'xl'; there are m, s"
    assert bank.card(role("a", "xl")) is not None


def test_files_that_change_are_loaded_again_once_they_are_complete(tmp_path: Path) -> None:
    bank = Bank(library(tmp_path, "a"), lambda: [OpenVino(cache=tmp_path / "cache")])
    bank.hold(role("a"))
    until(lambda: bank.find(role("a")) is not None)
    first = bank.find(role("a"))
    folder = tmp_path / "models" / "a"
    (folder / "m.onnx").write_bytes(onnx_bytes(1.0))
    write_card(folder, ["s", "m"])
    until(lambda: bank.find(role("a")) is not first)
    assert bank.find(role("a")) is not None
    bank.close()


def test_closing_while_something_loads_forgets_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Slow()
    bank = Bank(library(tmp_path, "a"), lambda: [slow])
    bank.hold(role("a"))
    worker = bank._worker
    assert worker is not None
    monkeypatch.setattr("perform.engines.bank.PARTING", 0.0)
    bank.close()
    slow.gate.set()
    until(lambda: not worker.alive)
    assert bank.warm == []
    assert bank.find(role("a")) is None
    assert bank.trouble(role("a")) == ""
    assert bank.card(role("a")) is None
    bank.release(role("a"))
    bank.close()
