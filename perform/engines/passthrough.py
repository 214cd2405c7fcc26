"""No generator at all: the dream is what the layer was given. The last rung, and a layer without a world."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from perform.card import Card
from perform.engines.generator import Shape, Venue
from perform.frame import Frame
from perform.plugins import Engine


@dataclass(slots=True)
class Input:
    """An engine that gives back the picture it was given: no copy, no delay, any size."""

    _frame: Frame | None = None

    def submit(self, frame: Frame, mood: Sequence[float]) -> None:
        self._frame = frame

    def newest(self) -> Frame | None:
        return self._frame

    def close(self) -> None:
        self._frame = None


@dataclass(frozen=True, slots=True)
class InputGenerator:
    """What `Passthrough` loads: nothing."""

    shape: Shape
    nbytes: int = 0
    note: str = "passthrough"

    def prepare(self) -> None:
        """There is nothing to make ready."""

    def open(self, venue: Venue) -> Engine:
        return Input()

    def close(self) -> None:
        """There is nothing to give back."""


@dataclass(frozen=True, slots=True)
class Passthrough:
    """Plays any world as its own input. For machines that can do no more, and for trying out a show."""

    def load(self, card: Card, size: str, shape: Shape) -> InputGenerator:
        """See `generator.Hardware`. Costs nothing and cannot fail."""
        return InputGenerator(shape)
