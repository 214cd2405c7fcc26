"""What is loaded where: the rungs of the ladder, a card that is full, and engines that fail at play."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from perform.clock import ManualClock
from perform.engines.bank import Bank, Role
from perform.engines.blame import PATIENCE, STEADY, Blames
from perform.engines.generator import Full, Shape, Venue
from perform.engines.passthrough import Input
from perform.engines.slot import Slot
from perform.frame import Frame
from perform.gl.context import Context
from perform.gl.interop import Poisoned
from perform.gl.target import Texture
from perform.health import Health, Status
from perform.library import Card, Library
from perform.params import Params
from perform.plugins import Engine, EngineError, Stage
from tests.engines.conftest import until
from tests.engines.worlds import make_world

SHAPE = (64, 32)
GB = 10**9


def role(world: str, size: str = "m") -> Role:
    return Role(world, size, SHAPE)


class Broken(Input):
    """An engine that fails at its first picture."""

    why: Exception = EngineError("it broke")

    def submit(self, frame: Frame, mood: Any) -> None:
        raise self.why


@dataclass(eq=False)
class Lying:
    """A generator on a card, of a size that its test gives."""

    card: FakeCard
    card_bytes: int
    note: str
    engine: type[Engine] = Input
    shape: Shape = SHAPE
    nbytes: int = 0
    making: bool = False
    closed: bool = False

    def card_free(self) -> int:
        return self.card.free

    def prepare(self) -> None:
        """Nothing to do."""

    def open(self, venue: Venue) -> Engine:
        return self.engine()

    def close(self) -> None:
        self.closed = True
        if not self.making:
            self.card.there.remove(self)

    def part(self, seconds: float) -> bool:
        if self in self.card.there and self.card.made.wait(seconds):
            self.card.there.remove(self)
        return self not in self.card.there


@dataclass
class FakeCard:
    """Hardware with so many bytes; each size of a world takes `sizes`."""

    total: int = 10 * GB
    sizes: dict[str, int] = field(default_factory=lambda: {"s": GB, "m": 4 * GB})
    note: str = "a card"
    engine: type[Engine] = Input
    there: list[Lying] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    others: int = 0  # bytes that other programs have
    made: threading.Event = field(default_factory=threading.Event)  # what was being made for a world

    @property
    def free(self) -> int:
        return self.total - self.others - sum(g.card_bytes for g in self.there)

    def load(self, card: Card, size: str, shape: Shape) -> Lying:
        self.loads.append(card.world)
        if self.sizes[size] > self.free:
            raise Full(f"{card.world} {size} does not fit on the card")
        self.there.append(Lying(self, self.sizes[size], self.note, self.engine))
        return self.there[-1]


def bank_of(tmp_path: Path, *hardware: Any, share: float = 0.9, synchronous: bool = False, params: Any = None) -> Bank:
    for world in ("a", "b", "c"):
        make_world(tmp_path / "models", world)
    status = Status(params, "/status/worlds") if params is not None else None
    return Bank(Library([tmp_path / "models"]), lambda: hardware, 10 * GB, synchronous, status, share)


def test_worlds_take_their_share_of_the_card_and_the_least_needed_goes(tmp_path: Path) -> None:
    card, params = FakeCard(), Params()
    bank = bank_of(tmp_path, card, share=0.9, params=params)
    bank.keep([role("a"), role("b"), role("c")])  # 12 GB are asked for, 9 may be had
    until(lambda: {r.world for r in bank.warm} == {"a", "b"} and not bank._shelf.queue())
    assert sum(g.card_bytes for g in card.there) <= 9 * GB
    bank.hold(role("c"))
    until(lambda: {r.world for r in bank.warm} == {"a", "c"})
    assert card.free == 2 * GB
    bank.close()
    assert card.there == []


def test_what_others_take_of_the_card_makes_the_share_smaller(tmp_path: Path) -> None:
    card = FakeCard()
    bank = bank_of(tmp_path, card, share=0.9)
    bank.keep([role("a"), role("b")])
    until(lambda: len(bank.warm) == 2)
    card.others = 2 * GB - 1  # another program starts: 7.2 GB are left for worlds that take 8
    bank._wake()
    until(lambda: [r.world for r in bank.warm] == ["a"])
    bank.close()


def test_a_full_card_puts_the_least_needed_away_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    card = FakeCard(sizes={"m": 4 * GB}, others=GB)
    bank = bank_of(tmp_path, card, share=0.95, params=Params())
    bank.keep([role("a"), role("b")])
    until(lambda: len(bank.warm) == 2)
    bank.hold(role("c"))
    until(lambda: bank.find(role("c")) is not None)
    assert {r.world for r in bank.warm} == {"a", "c"}
    said = [r.getMessage() for r in caplog.records]
    assert "worlds: b m was put away: the graphics card's memory is full" in said
    bank.close()


def crowded(tmp_path: Path) -> tuple[FakeCard, Bank]:
    """A card with room for two worlds, and two that are warm: a, and b, which is needed less."""
    card = FakeCard(sizes={"m": 4 * GB}, others=GB)
    bank = bank_of(tmp_path, card, share=0.95, params=Params())
    bank.keep([role("a"), role("b")])
    until(lambda: len(bank.warm) == 2)
    return card, bank


def test_a_world_that_takes_its_time_to_leave_a_full_card_is_waited_for(tmp_path: Path) -> None:
    card, bank = crowded(tmp_path)
    a, b = card.there
    a.making = b.making = True
    bank.hold(role("c"))
    until(lambda: b.closed)
    until(lambda: bank._leaving or bank.trouble(role("c")) or a.closed)
    assert not a.closed
    card.made.set()
    until(lambda: bank.find(role("c")) is not None or bank.trouble(role("c")))
    assert {r.world for r in bank.warm} == {"a", "c"}
    bank.close()


def test_of_a_full_card_the_world_that_can_leave_at_once_goes_first(tmp_path: Path) -> None:
    card = FakeCard(sizes={"m": 4 * GB}, others=GB)
    bank = bank_of(tmp_path, card, share=0.95)
    for world in ("a", "b"):
        bank.hold(role(world))
        until(lambda: bank.find(role(world)) is not None)  # noqa: B023 - called now
        bank.release(role(world))
    card.there[0].making = True
    bank.hold(role("c"))
    until(lambda: bank.find(role("c")) is not None)
    assert {r.world for r in bank.warm} == {"a", "c"}
    card.made.set()
    bank.close()


def test_a_bank_can_be_closed_while_it_waits_for_a_card(tmp_path: Path) -> None:
    card, bank = crowded(tmp_path)
    for generator in card.there:
        generator.making = True
    bank.hold(role("c"))
    until(lambda: bank._leaving)
    worker = bank._worker
    bank.close()
    assert worker is not None
    assert not worker.alive


def test_a_world_loaded_ahead_does_not_push_out_one_that_is_needed_more(tmp_path: Path) -> None:
    card = FakeCard(sizes={"m": 6 * GB})
    bank = bank_of(tmp_path, card, share=0.95)
    bank.keep([role("a"), role("b")])
    until(lambda: card.loads == ["a", "b"] and not bank._shelf.queue())
    assert [r.world for r in bank.warm] == ["a"]
    assert bank.trouble(role("b")) == "", "it was not asked for"
    bank.hold(role("b"))
    until(lambda: bank.find(role("b")) is not None)
    assert [r.world for r in bank.warm] == ["b"], "now it is"
    bank.close()


def test_after_one_that_does_not_fit_a_smaller_one_does(tmp_path: Path) -> None:
    card = FakeCard(sizes={"m": 11 * GB, "s": GB})
    bank = bank_of(tmp_path, card)
    bank.hold(role("a"))
    until(lambda: bool(bank.trouble(role("a"))))
    bank.hold(role("a", "s"))
    until(lambda: bank.find(role("a", "s")) is not None)
    assert card.free == 9 * GB
    bank.close()


def test_where_no_card_has_room_the_next_engine_is_taken(tmp_path: Path) -> None:
    card, cpu = FakeCard(sizes={"m": 11 * GB}), FakeCard(note="a CPU")
    bank = bank_of(tmp_path, card, cpu, synchronous=True)
    bank.hold(role("a"))
    generator = bank.find(role("a"))
    assert generator is not None
    assert generator.note == "a CPU"
    bank.close()


def test_a_world_loaded_ahead_waits_for_room_on_the_card_instead_of_going_to_a_slower_engine(tmp_path: Path) -> None:
    card, cpu = FakeCard(sizes={"m": 6 * GB}), FakeCard(note="a CPU")
    bank = bank_of(tmp_path, card, cpu, share=0.95)
    bank.keep([role("a"), role("b")])
    until(lambda: card.loads == ["a", "b"] and not bank._shelf.queue())
    assert cpu.loads == []
    bank.hold(role("b"))
    until(lambda: bank.find(role("b")) is not None)
    assert [g.note for g in card.there] == ["a card"]
    assert [r.world for r in bank.warm] == ["b"]
    bank.close()


def test_what_had_no_room_on_the_card_is_not_left_on_a_slower_engine_for_ever(tmp_path: Path) -> None:
    card, cpu = FakeCard(sizes={"m": 6 * GB}), FakeCard(note="a CPU")
    bank = bank_of(tmp_path, card, cpu, share=0.95)
    bank.keep([role("a"), role("b")])
    bank.hold(role("a"))
    until(lambda: bank.find(role("a")) is not None)
    bank.hold(role("b"))  # both play at once
    until(lambda: getattr(bank.find(role("b")), "note", "") == "a CPU")
    bank.release(role("a"))
    bank.hold(role("b"))  # asked for anew while it plays: it goes on
    bank.release(role("b"))
    bank.release(role("b"))
    until(lambda: cpu.there == [])
    bank.hold(role("b"))
    until(lambda: getattr(bank.find(role("b")), "note", "") == "a card")
    bank.close()


def test_failures_far_apart_do_not_add_up(tmp_path: Path) -> None:
    card, cpu = FakeCard(), FakeCard(note="a CPU")
    bank, blames, now = bank_of(tmp_path, card, cpu, synchronous=True), Blames(), 0.0
    bank.hold(role("a"))
    assert bank.find(role("a")) is not None
    for _ in range(6):  # once in a while
        assert blames.add(role("a"), "it broke", now) == 1
        assert blames.add(role("a"), "it broke", now) == 0, "it is left alone"
        bank.failed(role("a"), "it broke", again=False)
        now += STEADY + PATIENCE[0] + 1.0
    assert getattr(bank.find(role("a")), "note", "") == "a card"
    assert blames.add(role("a"), "it broke", now) == 1
    assert blames.add(role("a"), "it broke", now + PATIENCE[0]) == 2
    bank.failed(role("a"), "it broke", again=True)
    assert getattr(bank.find(role("a")), "note", "") == "a CPU"
    bank.close()


def test_an_engine_that_fails_twice_at_play_is_loaded_one_rung_down_and_forgiven_when_asked(tmp_path: Path) -> None:
    card, cpu = FakeCard(), FakeCard(note="a CPU")
    bank = bank_of(tmp_path, card, cpu)
    bank.hold(role("a"))
    until(lambda: bank.find(role("a")) is not None)
    bank.failed(role("a"), "it broke")
    first = bank.find(role("a"))
    assert first is not None
    assert first.note == "a card", "once may happen"
    bank.failed(role("a"), "it broke")
    until(lambda: getattr(bank.find(role("a")), "note", "") == "a CPU")
    for _ in range(4):
        bank.failed(role("a"), "it broke as well")
    last = bank.find(role("a"))
    assert last is not None
    assert last.note == "a CPU", "there is no rung below"
    bank.retry("a")
    until(lambda: getattr(bank.find(role("a")), "note", "") == "a card")
    bank.close()


def test_a_card_that_dies_while_it_loads_asks_for_a_new_process_instead_of_the_next_engine(tmp_path: Path) -> None:
    class Dying(FakeCard):
        def load(self, card: Card, size: str, shape: Shape) -> Lying:
            raise Poisoned("the graphics card has failed (launch failure)", 719)

    params, cpu = Params(), FakeCard(note="a CPU")
    health = Health(params)
    bank = bank_of(tmp_path, Dying(), cpu, params=params, synchronous=True)
    bank.hold(role("a"))
    assert bank.find(role("a")) is None
    params.settle(0.0)
    assert health.restart == "the graphics card has failed (launch failure)"
    assert cpu.loads == []
    bank.close()


def shown(slot: Slot, params: Params, clock: ManualClock, texture: Texture, frames: int) -> None:
    for n in range(frames):
        params.settle(clock.now())
        slot.dream(Frame(texture, clock.now(), n), (), clock.now())
        clock.pace(20.0)


def test_in_a_show_a_failing_card_ends_up_on_the_cpu(gl: Context, tmp_path: Path) -> None:
    card, cpu = FakeCard(engine=Broken), FakeCard(note="a CPU")
    bank, params, clock, texture = bank_of(tmp_path, card, cpu), Params(), ManualClock(), Texture.make(*SHAPE)
    slot = Slot(bank, Stage(params, clock, "/layer/dream", SHAPE))
    slot.want("a", "m")

    def plays() -> bool:
        shown(slot, params, clock, texture, 5)
        seat = slot._crossing.present
        return seat.generator is not None and seat.generator.note == "a CPU"

    until(plays)
    assert not Health(params).restart
    slot.close()
    bank.close()
    texture.close()


def test_a_dead_card_asks_for_a_new_process_and_says_why(gl: Context, tmp_path: Path) -> None:
    class Dead(Broken):
        why = Poisoned("the graphics card has failed (an illegal memory access); a new process is needed", 700)

    bank, params, clock, texture = (
        bank_of(tmp_path, FakeCard(engine=Dead)),
        Params(),
        ManualClock(),
        Texture.make(*SHAPE),
    )
    health = Health(params)
    slot = Slot(bank, Stage(params, clock, "/layer/dream", SHAPE))
    assert health.restart == ""
    slot.want("a", "m")

    def asked() -> bool:
        shown(slot, params, clock, texture, 2)
        return bool(health.restart)

    until(asked)
    assert health.restart.startswith("a m: the graphics card has failed")
    slot.close()
    bank.close()
    texture.close()
