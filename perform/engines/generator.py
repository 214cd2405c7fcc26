"""Between a bank and an engine: hardware that loads worlds, and the loaded world from which engines are opened.

    hardware.load(card, size, shape) -> Generator     a worker: reads, compiles, measures; seconds
    generator.open(venue)            -> Engine        the render thread: GL objects of its own; a millisecond

Two layers that play the same world share one generator and have an engine each. An engine that works on the GPU
(textures shared with CUDA) implements the same two steps; one that works in host memory is `host.HostGenerator`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from perform.card import Asset, Card, Size
from perform.clock import FixedClock
from perform.plugins import Engine, EngineError, Stage

Shape = tuple[int, int]  # (width, height) in pixels
FILES = {"weights": "safetensors", "onnx": "ONNX file"}  # kinds of files, in words


def asset_of(card: Card, size: str, kind: str, whose: str) -> Asset:
    """The file of a kind ("weights", "onnx") that a world brings. Raises EngineError: there is none for `whose` use;
    CardError: there is no such size."""
    asset = card.size(size).files.get(kind)
    if asset is None:
        raise EngineError(f"{card.world} {size} brings no {FILES[kind]} for {whose}")
    return asset


def check_shape(shape: Shape, multiple: int) -> None:
    """Raise EngineError unless a network that takes sides in such steps takes pictures of this shape."""
    width, height = shape
    if width % multiple or height % multiple:
        raise EngineError(f"{width}×{height} is not a size this world dreams at: sides are multiples of {multiple}")


@dataclass(frozen=True, slots=True)
class Venue:
    """How an engine is to run. `fps` caps its dreams a second (0: no cap).

    `synchronous` is for a fixed clock: `submit` returns when the dream is finished, so that frame n shows the
    dream of frame n and two runs are the same bit for bit. Slow machines only take longer.
    """

    software: bool = True
    synchronous: bool = False
    fps: float = 0.0

    @classmethod
    def of(cls, stage: Stage, fps: float = 0.0) -> Venue:
        """The venue a stage describes."""
        return cls(stage.software, isinstance(stage.clock, FixedClock), fps)


class Generator(Protocol):
    """A world loaded at one size and shape. `nbytes` is what it costs in memory, `note` how it runs in a few words."""

    @property
    def shape(self) -> Shape: ...

    @property
    def nbytes(self) -> int: ...

    @property
    def note(self) -> str: ...

    def prepare(self) -> None:
        """Make the next `open` quick. The worker that loaded it; not called for a fixed clock."""
        ...

    def open(self, venue: Venue) -> Engine:
        """An engine that plays this. Render thread, GL context current; quick."""
        ...

    def close(self) -> None:
        """Nothing will be opened from it again. Engines that are open go on until they are closed. Any thread."""
        ...


class Full(EngineError):
    """The memory that a world needs is taken: it could be loaded if something else went."""


@runtime_checkable
class OnCard(Protocol):
    """A generator that lives in a graphics card's memory: what it takes there, and what nobody has. Worker thread.

    `making`: something better is being made for it, perhaps by a compiler that cannot be stopped; any thread.
    """

    @property
    def card_bytes(self) -> int: ...

    @property
    def making(self) -> bool: ...

    def card_free(self) -> int:
        """Bytes of the card that are free at this moment."""
        ...

    def part(self, seconds: float) -> bool:
        """It has been closed: whether it has given its memory back, waiting for that so long at most. Engines that are
        still open keep theirs, and are not waited for."""
        ...


@runtime_checkable
class Choosy(Protocol):
    """Hardware that plays some kinds of files only, and can say so before anything is loaded. Any thread."""

    def lacks(self, size: Size) -> str:
        """What this size does not bring: "no ONNX file, which is what ... plays"; empty if all is there."""
        ...


class Hardware(Protocol):
    """Loads worlds onto one kind of hardware. The entry points of `perform.engines` name dataclasses of this kind."""

    def load(self, card: Card, size: str, shape: Shape) -> Generator:
        """Worker thread; takes from tens of milliseconds to seconds. Raises EngineError (Full where memory is short) or
        CardError: one sentence."""
        ...
