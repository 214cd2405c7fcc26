"""What sources, engines, sinks and controls promise, and how third parties add their own.

A plugin is a dataclass whose fields are its keys in show.toml. Where a value is none, a field that has
`metadata={"like": "{ x = 0.5 }"}` is told with that, as TOML writes what would be right. A package announces a plugin
as an entry point in the group `perform.sources`, `perform.engines`, `perform.sinks` or `perform.controls`; the entry's
name is the `type` a show names. The built-ins are announced the same way in this project's own pyproject.toml.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Protocol, Self, runtime_checkable

from perform.clock import Clock
from perform.frame import Frame, Texture
from perform.likeness import near
from perform.params import Params

Group = Literal["sources", "engines", "sinks", "controls"]


@dataclass(frozen=True, slots=True)
class Stage:
    """What a part is handed when it is opened: where it lives and what it may use.

    `prefix` is the part's address ("/source/camera"); `size` the show's (width, height) in pixels; `folder` the
    one that holds show.toml (relative paths start there); `patches` the folders searched for patches, in order;
    `software` is True on a CPU rasteriser (llvmpipe), where direct uploads beat PBOs.
    `sound` holds what is heard, as pictures for patches ("audio", "audioFFT"): empty while nobody listens.
    """

    params: Params
    clock: Clock
    prefix: str
    size: tuple[int, int]
    fps: float = 60.0
    folder: Path = Path()
    patches: Sequence[Path] = ()
    software: bool = True
    sound: dict[str, Texture] = field(default_factory=dict)


@runtime_checkable
class Part(Protocol):
    """What every plugin is: opened once on the render thread with a GL context current, closed once there.

    `with part.open(stage): ...` closes it; `close` may be called twice.
    """

    def open(self, stage: Stage) -> Self: ...
    def close(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


@runtime_checkable
class Source(Part, Protocol):
    """Gives pictures. `lost` is True once nothing has arrived for the grace time: the fallback may take over."""

    @property
    def lost(self) -> bool: ...

    def frame(self, now: float) -> Frame:
        """The newest picture; the last good one if there is no new one (black before the first).

        Render thread; never blocks. Equal serial means the same picture.
        """
        ...


@runtime_checkable
class Engine(Protocol):
    """Runs one generator. Render thread for all calls; the work happens elsewhere or on the GPU's own queue."""

    def submit(self, frame: Frame, mood: Sequence[float]) -> None:
        """Dream this RGBA8 picture in this mood. Never blocks; replaces a submission that has not started."""
        ...

    def newest(self) -> Frame | None:
        """The newest finished dream (RGBA8, same size as its input), or None before the first. Never blocks.

        Raises EngineError if the engine has failed and will not recover by itself.
        """
        ...

    def close(self) -> None: ...


class EngineError(RuntimeError):
    """A generator cannot run; the text is one sentence that says what and why.

    `deadly`: nothing in this process can run it any more, only a new process can.
    """

    deadly = False


@runtime_checkable
class Sink(Part, Protocol):
    """Takes the finished picture. `dropped` counts the frames it could not take."""

    dropped: int

    def show(self, picture: Frame) -> None:
        """Render thread; never blocks."""
        ...


@runtime_checkable
class Control(Part, Protocol):
    """A device that posts values (from its own worker) or attaches modulators once it is open."""


@runtime_checkable
class Declares(Protocol):
    """What a control or a sink may have besides, and should if it has addresses of its own.

    `perform check` and `perform params` ask it instead of `open`, so that they know each address and need no device.
    A control without it is not asked: what a cue sets under a name that nobody else has is then only pointed out.
    """

    def declare(self, stage: Stage) -> None:
        """Declare in `stage.params` every address that `open` does, and do nothing else: no port, no device, no file,
        no thread, no GL. Render thread. A show calls it before `open`, so that its addresses are there when a device
        is not; `open` declares them all the same, and there may be neither `open` nor `close` after it.
        """
        ...


class Closing:
    """Gives a part its `with`: inherit, write `close`."""

    def close(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def names(group: Group) -> list[str]:
    """The `type` names that a show may use in this group, sorted."""
    return sorted({e.name for e in entry_points(group=f"perform.{group}")})


def find(group: Group, name: str) -> type[Any]:
    """The plugin class behind a `type`. Imports its module (and so perhaps a heavy library).

    Raises LookupError with one sentence (and the nearest name) if there is none or if it cannot be imported.
    """
    for entry in entry_points(group=f"perform.{group}", name=name):
        try:
            plugin = entry.load()
        except (ImportError, OSError, AttributeError) as e:
            raise LookupError(f"the {group[:-1]} {name!r} cannot be loaded: {e}") from e
        if not dataclasses.is_dataclass(plugin) or not isinstance(plugin, type):
            raise LookupError(f"the {group[:-1]} {name!r} is not a dataclass: {entry.value}")
        return plugin
    meant = near(name, names(group))
    hint = f"; did you mean {meant!r}?" if meant else f"; there are {', '.join(names(group))}"
    raise LookupError(f"there is no {group[:-1]} of type {name!r}{hint}")
