"""The order in which everything happens, once a frame; no logic of its own."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from perform.clock import Clock
from perform.control.cues import Cues
from perform.frame import Frame
from perform.gl.context import Context
from perform.health import Guard, Health
from perform.layers import Layer, LayerStack, Master
from perform.params import Params
from perform.performance.feeds import LAYER, Feed, Feeds
from perform.plugins import Control, Sink
from perform.show import Show

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Output:
    """One sink with its guard."""

    sink: Sink
    guard: Guard


@dataclass(slots=True)
class Performance:
    """A show that plays. Made by `perform.performance.open_performance`; the thread that made it is the render thread.

    `tick` draws one frame; `run` ticks at the show's rate until the time is over, the window is closed or `quit` is
    set. What changes while it plays (`edits`) is taken up between two frames.
    """

    show: Show
    clock: Clock
    context: Context
    params: Params
    health: Health
    stack: LayerStack
    master: Master
    guard: Guard  # of the composite
    sources: dict[str, Feed] = field(default_factory=dict)
    layers: dict[str, Layer] = field(default_factory=dict)
    guards: dict[str, Guard] = field(default_factory=dict)  # of the layers
    outputs: dict[str, Output] = field(default_factory=dict)
    controls: dict[str, Control] = field(default_factory=dict)
    strangers: list[str] = field(default_factory=list)  # tables of controls whose addresses are not known
    cues: Cues | None = None
    before: list[Callable[[float], None]] = field(default_factory=list)  # done before parameters settle: edits
    closing: list[Callable[[], Any]] = field(default_factory=list)  # closed in reverse order
    quit: bool = False
    picture: Frame | None = None
    _composite: Frame | None = None
    _blended: set[str] = field(default_factory=set)  # names of the layers in it
    _feeds: Feeds | None = None

    def tick(self) -> None:
        """One frame: numbers settle, pictures are made, blended, shown."""
        now = self.clock.now()
        for step in self.before:
            step(now)
        self.params.settle(now)  # the only moment a parameter changes
        feeds = self._feeds = Feeds(self.sources, self.layers, self.guards, now)
        if self._composite is None or not self.master.knobs.freeze.value:
            seen = {name: feeds.get(LAYER + name) for name in self.layers if self.stack.visible(name)}
            pictures = {name: picture for name, picture in seen.items() if not self.layers[name].late}
            # A cut to a layer that is late comes in some frames, and until then what was seen stands: it must not go
            # through black, nor through what the layer dreamt when it was seen last. Where nobody left for it, others
            # play on without it.
            late = len(pictures) < len(seen)
            if self._composite is None or not (late and (not pictures or self._blended - seen.keys())):
                self._blended = set(pictures)
                self._composite = self.guard.run(now, lambda: self.stack.blend(pictures, feeds, now), self._composite)
            feeds.rest()
        else:
            for layer in self.layers.values():
                layer.hold(now)
        if self._composite is None:
            return  # nothing was ever blended: no beat, so that the supervisor starts afresh
        self.picture = self.master.show(self._composite, self.given, now)
        for output in self.outputs.values():
            output.guard.run(now, lambda o=output: o.sink.show(self.picture), None)  # type: ignore[misc]
        if self._presented:
            self.health.beat(now)

    @property
    def _presented(self) -> bool:
        """Whether the picture got out: to the window, or, where there is none, to any sink. Only that is a beat."""
        window = self.outputs.get("window")
        outputs = [window] if window is not None else list(self.outputs.values())
        return not outputs or any(not output.guard.failures for output in outputs)

    def look(self, name: str, now: float) -> Frame | None:
        """A source's or layer's picture in this tick, for a source that works on it."""
        return self._feeds.get(name) if self._feeds is not None else None

    @property
    def given(self) -> Frame | None:
        """What the lowest visible dreaming layer's generator was given, for the inset."""
        for name, layer in self.layers.items():
            if layer.given is not None and self.stack.visible(name):
                return layer.given
        return None

    def run(self, seconds: float | None = None) -> None:
        """Play until `seconds` of show time are over, until somebody quits, or until only a new process can go on."""
        while not (self.quit or self.health.restart):
            if any(getattr(o.sink, "closed", False) for o in self.outputs.values()):
                break
            if seconds is not None and self.clock.now() >= seconds - 1e-9:
                break
            self.tick()
            self.clock.pace(self.show.fps)

    def close(self) -> None:
        """Close everything, last opened first; one part's trouble does not keep the others open."""
        while self.closing:
            close = self.closing.pop()
            try:
                close()
            except Exception:
                log.warning("something did not close cleanly", exc_info=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
