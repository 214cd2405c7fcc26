"""Bridges that are used again: a switch from world to world registers nothing with CUDA, which would cost a frame."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from perform.frame import Texture
from perform.gl import target
from perform.gl.interop.bridge import KINDS, Bridge, Shape
from perform.gl.interop.choice import open_bridge
from perform.gl.interop.frames import Clock

IDLE = 2  # kept for the next engine: a crossfade has two


@dataclass(slots=True)
class Bridges:
    """Opens bridges of RGBA8. The kind that was chosen for the first one is taken for all: choosing costs some frames.
    Those that are closed are kept while others are in use, and all are closed with the last one; none is lent anew, and
    none of its memory given back, while copies are under way. Render thread, GL context current, for all but `sweep`.
    """

    cuda: Any
    device: int = 0
    kinds: Sequence[str] = KINDS
    clock: Clock = time.perf_counter
    _trusted: str = ""
    _lent: int = 0
    _idle: list[Bridge] = field(default_factory=list)
    _parted: list[Bridge] = field(default_factory=list)  # closed but for memory that copies still used
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def open(self, shape: Shape) -> Lent:
        """See `choice.open_bridge`. One that was used before costs nothing."""
        bridge = next((bridge for bridge in self._idle if bridge.shape == shape and bridge.idle), None)
        if bridge is not None:
            self._idle.remove(bridge)
        else:
            self.sweep()
            bridge = open_bridge(self.cuda, shape, "rgba8", self.device, self.kinds, self._trusted, self.clock)
            self._trusted = bridge.kind
        self._lent += 1
        return Lent(bridge, self)

    def back(self, bridge: Bridge) -> None:
        """Nobody uses it any more. Its streams still live."""
        bridge.rest()
        self._lent -= 1
        self._idle.append(bridge)
        while len(self._idle) > (IDLE if self._lent else 0):
            self._close([self._idle.pop(0)])

    def sweep(self) -> None:
        """Give back what copies still used when a bridge was closed, as far as they are done. Any thread."""
        with self._lock:
            parted, self._parted = self._parted, []
        self._close(parted)

    def _close(self, bridges: Sequence[Bridge]) -> None:
        """Not under the lock: to give pinned memory back may take as long as what runs on the card."""
        late = [bridge for bridge in bridges if not bridge.idle]  # asked first: they may end at any moment
        for bridge in bridges:
            bridge.close(wait=False)
        with self._lock:
            self._parted += late


@dataclass(slots=True)
class Lent:
    """See `bridge.Bridge`. Closing it gives it back."""

    bridge: Bridge
    home: Bridges
    _open: bool = True

    @property
    def kind(self) -> str:
        return self.bridge.kind

    @property
    def shape(self) -> Shape:
        return self.bridge.shape

    def take(self, texture: Texture, address: int, stream: int, event: Any = None) -> None:
        self.bridge.take(texture, address, stream, event)

    def ripen(self, address: int, stream: int) -> None:
        self.bridge.ripen(address, stream)

    def give(self, address: int, stream: int) -> target.Texture:
        return self.bridge.give(address, stream)

    def exchange(self, texture: Texture, to: int, source: int, stream: int, event: Any = None) -> target.Texture:
        return self.bridge.exchange(texture, to, source, stream, event)

    def resize(self, shape: Shape) -> None:
        self.bridge.resize(shape)

    def rest(self) -> None:
        self.bridge.rest()

    @property
    def idle(self) -> bool:
        return self.bridge.idle

    def close(self, wait: bool = True) -> None:
        if self._open:
            self._open = False
            self.home.back(self.bridge)
