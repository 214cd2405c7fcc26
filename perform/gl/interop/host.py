"""The host bridge: through pinned memory. Where GL and CUDA are different cards; the slowest, and it always works."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from perform.frame import Texture
from perform.gl import target
from perform.gl.interop.bridge import Shape
from perform.gl.interop.calls import NOT_READY, CudaError, call
from perform.gl.interop.parts import Tap, fill, pixel, same_size

RING = 2  # pinned pictures each way: an engine has two under way at most


@dataclass(slots=True)
class HostBridge:
    """See `bridge.Bridge`. Pinned pictures are used in turn, whatever the addresses on the card, which are others with
    each world: pinning 8 MB takes milliseconds. Whoever carries a third picture knows that the first of three has
    arrived, and a third dream that the first was given.
    """

    cuda: Any
    shape: Shape
    format: target.Format = "rgba8"
    kind: str = field(default="host", init=False)
    _tap: Tap = field(default_factory=Tap, init=False, repr=False)
    _outlets: list[target.Texture] = field(default_factory=list, init=False, repr=False)
    _up: list[int] = field(default_factory=list, init=False, repr=False)  # pinned, the last one used last
    _down: list[int] = field(default_factory=list, init=False, repr=False)
    _fetched: dict[int, int] = field(default_factory=dict, init=False, repr=False)  # address on the card: on the host
    _streams: list[int | None] = field(default_factory=lambda: [None, None], init=False, repr=False)  # up, down
    _marks: list[Any] = field(default_factory=list, init=False, repr=False)  # events: behind the last copy on each

    def __post_init__(self) -> None:
        pixel(self.format)
        quiet = self.cuda.cudaEventDisableTiming
        try:
            for _ in self._streams:
                self._marks.append(call(self.cuda, "cudaEventCreateWithFlags", quiet))
            self._outlets = [target.Texture.make(*self.shape, self.format, blank=False) for _ in range(2)]
        except BaseException:
            self.close()
            raise

    @property
    def nbytes(self) -> int:
        """Of one picture."""
        return self.shape[0] * self.shape[1] * pixel(self.format)

    def take(self, texture: Texture, address: int, stream: int, event: Any = None) -> None:
        """See `bridge.Bridge`. Waits until GL has drawn the picture."""
        same_size(texture, *self.shape)
        pinned = self._next(self._up)
        self._tap.read(texture, self.format, pinned)
        kind, self._streams[0] = self.cuda.cudaMemcpyKind.cudaMemcpyHostToDevice, stream
        call(self.cuda, "cudaMemcpyAsync", address, pinned, self.nbytes, kind, stream)
        if event is not None:
            call(self.cuda, "cudaEventRecord", event, stream)

    def ripen(self, address: int, stream: int) -> None:
        """Start the copy to the host."""
        kind, pinned = self.cuda.cudaMemcpyKind.cudaMemcpyDeviceToHost, self._next(self._down)
        self._fetched = {at: there for at, there in self._fetched.items() if there != pinned} | {address: pinned}
        self._streams[1] = stream
        call(self.cuda, "cudaMemcpyAsync", pinned, address, self.nbytes, kind, stream)

    def give(self, address: int, stream: int) -> target.Texture:
        """See `bridge.Bridge`. The dream is in pinned memory by now: `ripen` was called and its stream is past it."""
        if address not in self._fetched:
            raise CudaError("nothing has been fetched from there")
        self._outlets.reverse()
        fill(self._outlets[0], self.format, self._fetched[address])
        return self._outlets[0]

    def exchange(self, texture: Texture, to: int, source: int, stream: int, event: Any = None) -> target.Texture:
        """See `bridge.Bridge`. There is nothing to be saved but time: `take` waits for all that GL was told before, and
        the upload of a dream is not to be a part of that, nor is the picture to set out behind it."""
        self.take(texture, to, stream, event)
        return self.give(source, stream)

    def _next(self, ring: list[int]) -> int:
        """The pinned picture whose turn it is."""
        ring.append(ring.pop(0) if len(ring) == RING else int(call(self.cuda, "cudaMallocHost", self.nbytes)))
        return ring[-1]

    def resize(self, shape: Shape) -> None:
        """See `bridge.Bridge`."""
        if shape != self.shape:
            self.close()
            self.shape = shape
            self.__post_init__()

    def rest(self) -> None:
        """See `bridge.Bridge`. A copy on a network's stream may be a whole dream away."""
        for mark, stream in zip(self._marks, self._streams, strict=False):
            if stream is not None:
                self.cuda.cudaEventRecord(mark, stream)  # where CUDA is gone the copies are, too
        self._streams = [None, None]
        self._fetched = {}

    @property
    def idle(self) -> bool:
        """See `bridge.Bridge`."""
        return all(int(self.cuda.cudaEventQuery(mark)[0]) != NOT_READY for mark in self._marks)

    def close(self, wait: bool = True) -> None:
        """See `bridge.Bridge`."""
        self.rest()
        while self._outlets:
            self._outlets.pop().close()
        self._tap.close()
        if not self.idle:
            if not wait:
                return
            for mark in self._marks:
                self.cuda.cudaEventSynchronize(mark)
        for ring in (self._up, self._down):
            while ring:
                self.cuda.cudaFreeHost(ring.pop())  # where CUDA is gone the memory is, too
        while self._marks:
            self.cuda.cudaEventDestroy(self._marks.pop())
