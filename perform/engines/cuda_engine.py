"""The engine of one layer on an NVIDIA card: textures in, textures out, and nothing on the host in between."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from perform.engines.generator import Shape, Venue
from perform.engines.trial import fit
from perform.frame import Frame
from perform.gl.interop import Bridge
from perform.gl.target import Texture
from perform.plugins import EngineError


@dataclass(frozen=True, slots=True)
class Wish:
    """A picture to dream, and in which mood."""

    frame: Frame
    mood: tuple[float, ...]

    def alive(self, shape: Shape) -> bool:
        """Whether its texture is still what it was: its owner may have closed or resized it since."""
        return bool(self.frame.texture.id) and self.frame.size == shape


class House(Protocol):
    """What an engine needs of its generator. Render thread."""

    def hear(self, engine: CudaEngine, wish: Wish | None) -> None:
        """It submits (None: nothing new)."""
        ...

    def ask(self, engine: CudaEngine) -> tuple[Texture, float] | None:
        """Its newest finished dream, once, with the time of its picture."""
        ...

    def now(self, engine: CudaEngine, wish: Wish) -> tuple[Texture, float]:
        """Dream and wait: for a fixed clock."""
        ...

    def leave(self, engine: CudaEngine) -> None:
        """It closes."""
        ...


class CudaEngine:
    """See perform.plugins.Engine. Memory: three textures, and a share of its generator's. Render thread.

    `submit` and `newest` cost some tens of microseconds of the host; the work is the card's.
    """

    def __init__(self, house: House, bridge: Bridge, shape: Shape, mood: int, venue: Venue) -> None:
        self._house, self.bridge, self._shape, self._mood, self._venue = house, bridge, shape, mood, venue
        self._last: tuple[int, tuple[float, ...]] | None = None
        self._newest: Frame | None = None
        self._again = 0.0  # wall seconds: not before, where dreams a second are capped
        self._open = True

    def submit(self, frame: Frame, mood: Sequence[float]) -> None:
        """See perform.plugins.Engine. The same picture in the same mood is not dreamt again."""
        if frame.size != self._shape:
            raise EngineError("this generator takes {}×{} pixels, not {}×{}".format(*self._shape, *frame.size))
        vector = fit(mood, self._mood)
        key = (frame.serial, vector)
        if key == self._last or self._early():
            self._house.hear(self, None) if not self._venue.synchronous else None
            return
        self._last = key
        wish = Wish(frame, vector)
        if self._venue.synchronous:
            self._show(*self._house.now(self, wish))
        else:
            self._house.hear(self, wish)

    def newest(self) -> Frame | None:
        """See perform.plugins.Engine."""
        if not self._venue.synchronous:
            found = self._house.ask(self)
            if found is not None:
                self._show(*found)
        return self._newest

    def close(self) -> None:
        """Give the bridge back; does not wait. May be called twice."""
        if self._open:
            self._open = False
            self.bridge.close()  # first: it marks where its streams are, and with the last engine they go
            self._house.leave(self)

    def _show(self, texture: Texture, taken: float) -> None:
        self._newest = Frame(texture, taken, self._newest.serial + 1 if self._newest is not None else 1)

    def _early(self) -> bool:
        """Whether it dreams as often as it may. What comes too early comes again with the next frame."""
        if self._venue.fps <= 0.0 or self._venue.synchronous:
            return False
        now = time.perf_counter()
        if now < self._again:
            return True
        self._again = max(now, self._again + 1.0 / self._venue.fps)
        return False
