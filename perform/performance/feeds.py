"""What can be looked at in one tick: sources and layers by name, each rendered when somebody first asks for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from perform.frame import Frame
from perform.health import Guard
from perform.layers import Layer
from perform.plugins import Source

LAYER = "layer:"


class Closable(Protocol):
    """Anything with a close."""

    def close(self) -> None: ...


@dataclass(slots=True)
class Feed:
    """One source with its guard and its last good picture."""

    source: Source
    guard: Guard
    last: Frame | None = None
    closing: Sequence[Closable] = ()

    def close(self) -> None:
        """Close the source and what was put around it."""
        for thing in self.closing:
            thing.close()

    def frame(self, now: float) -> Frame | None:
        """The source's frame; its last good one while it is in trouble."""
        self.last = self.guard.run(now, lambda: self.source.frame(now), self.last)
        return self.last


@dataclass(slots=True)
class Feeds(Mapping[str, Frame]):
    """Sources by name and layers as "layer:<name>", at `now`. Made anew each tick; nothing is rendered twice.

    A layer or source that (by way of others) looks at itself gets its own picture of the tick before: feedback, not a
    loop.
    """

    sources: Mapping[str, Feed]
    layers: Mapping[str, Layer]
    guards: Mapping[str, Guard]  # of the layers
    now: float
    _frames: dict[str, Frame | None] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Frame:
        if name not in self._frames:
            self._frames[name] = self._render(name)
        frame = self._frames[name]
        if frame is None:
            raise KeyError(name)
        return frame

    def _render(self, name: str) -> Frame | None:
        if name in self.sources:
            feed = self.sources[name]
            self._frames[name] = feed.last  # what a circle gets to see
            return feed.frame(self.now)
        own = name.removeprefix(LAYER)
        if own == name or own not in self.layers:
            return None
        layer = self.layers[own]
        self._frames[name] = layer.picture  # what a circle gets to see
        return self.guards[own].run(self.now, lambda: layer.render(self, self.now), layer.picture)

    def rest(self) -> None:
        """Tell the layers that nobody looked at in this tick."""
        for name, layer in self.layers.items():
            if LAYER + name not in self._frames:
                layer.rest()

    def __iter__(self) -> Iterator[str]:
        yield from self.sources
        yield from (LAYER + name for name in self.layers)

    def __len__(self) -> int:
        return len(self.sources) + len(self.layers)
