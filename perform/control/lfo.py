"""A slow hand: floats move around where their faders stand, by themselves, for as long as the show plays."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Self

from perform.control.movers import Movers
from perform.health import Status
from perform.params import Modulator, Param, Post, Spec
from perform.plugins import Closing, Stage

PERIODS = (0.05, 86400.0)  # seconds
LARGEST = 3.4e38  # what a float32 holds


@lru_cache(maxsize=1024)
def _place(whose: str, turn: int) -> float:
    """Where a drift is when a turn of it begins, -1 to 1: chance, but the same at each start, anywhere. `whose` it is:
    an LFO's, of one address.
    """
    return random.Random(f"{whose} {turn}").uniform(-1.0, 1.0)


def drift(whose: str, turns: float) -> float:
    """From chance to chance without a corner: value noise, eased as in Perlin, Improving Noise (2002)."""
    turn = math.floor(turns)
    t = turns - turn
    here, there = _place(whose, turn), _place(whose, turn + 1)
    return here + (there - here) * t * t * t * (t * (6.0 * t - 15.0) + 10.0)


# Each gives -1 to 1 for a count of turns; all but ramp and square are at 0 and rising, or anywhere, when they begin.
WAVES: dict[str, Callable[[str, float], float]] = {
    "sine": lambda _, turns: math.sin(math.tau * (turns % 1.0)),
    "triangle": lambda _, turns: 4.0 * abs((turns - 0.25) % 1.0 - 0.5) - 1.0,
    "ramp": lambda _, turns: 2.0 * (turns % 1.0) - 1.0,
    "square": lambda _, turns: 1.0 if turns % 1.0 < 0.5 else -1.0,
    "drift": drift,
}


@dataclass(slots=True)
class Lfo(Closing):
    """`type = "lfo"`. `drive` says what it moves: `{ "/layer/dream/mood/x" = 0.3 }` adds the wave (-1..1) times 0.3 to
    the value, never to the fader; `{ amount = 0.3, phase = 0.25 }` begins a quarter of a turn further.
    An amount that is not there is 1, as sound's is; a phase is -1 to 1, and one below zero so much behind.

    `wave` is sine, triangle, ramp, square or drift (each address goes its own way, with each LFO another, to another
    place every `period`); `period` the seconds of a turn, 0.05 to a day; `depth` (0..1) how much of every amount is
    felt. All three are addresses, too, and a new period goes on from where the wave is. It follows the show's clock and
    begins at the same place each time, so that a film is the same twice. Render thread; some microseconds a frame.
    """

    wave: str = "sine"
    period: float = 10.0
    depth: float = 1.0
    drive: dict[str, Any] = field(default_factory=dict, metadata={"like": '{ "/layer/1/opacity" = 0.3 }'})
    _swing: _Swing | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.wave not in WAVES:
            raise ValueError(f"wave = {self.wave!r} is none of {', '.join(WAVES)}")
        if not PERIODS[0] <= self.period <= PERIODS[1]:
            raise ValueError(f"period = {self.period} is not within {PERIODS[0]} to {PERIODS[1]:.0f} seconds")
        if not 0.0 <= self.depth <= 1.0:
            raise ValueError(f"depth = {self.depth} is not within 0 to 1")
        if wrong := [why for address, how in self.drive.items() if (why := _misfit(address, how))]:
            raise ValueError("\n".join(wrong))

    def declare(self, stage: Stage) -> dict[str, Param]:
        """Its addresses and the status. Opened again, by an edit, it goes on: what the edit changed is set."""
        Status(stage.params, f"/status{stage.prefix}")
        specs = {
            "wave": Spec("choice", self.wave, choices=tuple(WAVES), doc="The shape of the movement."),
            "period": Spec("float", self.period, *PERIODS, curve="log", unit="s", doc="How long a turn takes."),
            "depth": Spec("float", self.depth, 0.0, 1.0, doc="How much of the movement is felt.", smooth=0.2),
            "turns": Spec("float", 0.0, doc="How many turns it has made.", readonly=True),
            "value": Spec("float", 0.0, -1.0, 1.0, doc="Where the wave is.", readonly=True),
        }
        params = {}
        for key, spec in specs.items():
            address = f"{stage.prefix}/{key}"
            before = stage.params.find(address)
            default = before.spec.default if before is not None else spec.default
            params[key] = stage.params.declare(address, spec)
            if default != spec.default:
                stage.params.post(address, spec.default)
        return params

    def open(self, stage: Stage) -> Self:
        """Begin to move what is there, and what will be."""
        self.close()
        self._swing = _Swing(stage, self.declare(stage), Status(stage.params, f"/status{stage.prefix}"))
        self._swing.open(self.drive)
        return self

    def close(self) -> None:
        """Let everything go back to its fader. Twice is allowed."""
        swing, self._swing = self._swing, None
        if swing is not None:
            swing.close()


def _amount(address: str, how: object) -> tuple[float, float]:
    """(amount, phase) of one entry of `drive`. Raises ValueError with a sentence."""
    numbers: dict[str, Any] = {"amount": 1.0, "phase": 0.0} | (how if isinstance(how, dict) else {"amount": how})
    if len(numbers) > 2 or not all(
        isinstance(n, (int, float)) and not isinstance(n, bool) and abs(n) <= LARGEST for n in numbers.values()
    ):
        raise ValueError(f"drive: {address} takes an amount, or {{ amount = 0.3, phase = 0.25 }}, not {how!r}")
    if abs(phase := numbers["phase"]) > 1.0:  # below zero it is so much behind
        turns = "a phase is in turns, -1 to 1: 90 degrees is 0.25"
        raise ValueError(f"drive: {address} has phase = {phase:g}, but {turns}")
    return float(numbers["amount"]), float(phase)


def _misfit(address: str, how: object) -> str:
    """What is wrong with one entry of `drive`, a sentence; empty if nothing is."""
    try:
        _amount(address, how)
    except ValueError as e:
        return str(e)
    return ""


@dataclass(slots=True)
class _Swing:
    """Everything that is there while the part is open."""

    stage: Stage
    mine: dict[str, Param]
    status: Status  # made once: it declares its address, and the tree would be another one with each frame
    turns: float = 0.0  # after six weeks of the quickest period exact to less than a millionth of a turn
    _then: float | None = None
    _movers: Movers = field(init=False)

    def open(self, drive: dict[str, Any]) -> None:
        params, self.turns = self.stage.params, float(self.mine["turns"].base)
        if self.turns:  # opened again between two frames: the time from the last to the next is its own, too
            self._then = params.now
        movers = {address: self._mover(address, *_amount(address, how)) for address, how in drive.items()}
        self._movers = Movers(params, movers)
        params.feeds.append(self.turn)

    def _mover(self, address: str, amount: float, phase: float) -> Modulator:
        return lambda now: amount * float(self.mine["depth"].value) * self._at(address, phase)

    def _at(self, address: str, phase: float = 0.0) -> float:
        whose = f"{self.stage.prefix} {address}"  # of one address two drifts must not go the same way
        return WAVES[str(self.mine["wave"].value)](whose, self.turns + phase)

    def turn(self, now: float) -> Sequence[Post]:
        """A frame further; says where the wave is."""
        if self._then is not None:
            self.turns += max(0.0, now - self._then) / float(self.mine["period"].value)
        self._then = now
        if (wrong := self._movers.follow()) is not None:
            self.status.say(wrong or "moving", trouble=bool(wrong))
        said = {"turns": self.turns, "value": self._at(self.stage.prefix)}
        return [Post(self.mine[key].address, number, inside=True) for key, number in said.items()]

    def close(self) -> None:
        feeds = self.stage.params.feeds
        feeds[:] = [feed for feed in feeds if feed != self.turn]
        self._movers.close()
