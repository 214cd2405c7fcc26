"""The host bridge: through pinned memory. Where GL and CUDA are different cards; the slowest, and it always works."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from perform.frame import Texture
from perform.gl import target
from perform.gl.interop.bridge import Shape
from perform.gl.interop.calls import CudaError, call
from perform.gl.interop.parts import Tap, fill, pixel, same_size

MOST = 16  # pinned pictures kept: an engine has two in flight each way


@dataclass(slots=True)
class HostBridge:
    """See `bridge.Bridge`. One pinned picture for each address: what is under way to one is not overwritten for the
    other. Whoever uses an address again knows that its last copy is over."""

    cuda: Any
    shape: Shape
    format: target.Format = "rgba8"
    kind: str = field(default="host", init=False)
    _tap: Tap = field(default_factory=Tap, init=False, repr=False)
    _outlets: list[target.Texture] = field(default_factory=list, init=False, repr=False)
    _pinned: dict[int, int] = field(default_factory=dict, init=False, repr=False)  # address on the card: on the host

    def __post_init__(self) -> None:
        pixel(self.format)
        self._outlets = [target.Texture.make(*self.shape, self.format, blank=False) for _ in range(2)]

    @property
    def nbytes(self) -> int:
        """Of one picture."""
        return self.shape[0] * self.shape[1] * pixel(self.format)

    def take(self, texture: Texture, address: int, stream: int, event: Any = None) -> None:
        """See `bridge.Bridge`. Waits until GL has drawn the picture."""
        same_size(texture, *self.shape)
        pinned = self._pin(address)
        self._tap.read(texture, self.format, pinned)
        kind = self.cuda.cudaMemcpyKind.cudaMemcpyHostToDevice
        call(self.cuda, "cudaMemcpyAsync", address, pinned, self.nbytes, kind, stream)
        if event is not None:
            call(self.cuda, "cudaEventRecord", event, stream)

    def ripen(self, address: int, stream: int) -> None:
        """Start the copy to the host."""
        kind = self.cuda.cudaMemcpyKind.cudaMemcpyDeviceToHost
        call(self.cuda, "cudaMemcpyAsync", self._pin(address), address, self.nbytes, kind, stream)

    def give(self, address: int, stream: int) -> target.Texture:
        """See `bridge.Bridge`. The dream is in pinned memory by now: `ripen` was called and its stream is past it."""
        if address not in self._pinned:
            raise CudaError("nothing has been fetched from there")
        self._outlets.reverse()
        fill(self._outlets[0], self.format, self._pinned[address])
        return self._outlets[0]

    def exchange(self, texture: Texture, to: int, source: int, stream: int, event: Any = None) -> target.Texture:
        """See `bridge.Bridge`. There is nothing to be saved."""
        dream = self.give(source, stream)
        self.take(texture, to, stream, event)
        return dream

    def _pin(self, address: int) -> int:
        if address not in self._pinned:
            if len(self._pinned) >= MOST:
                self._free(next(iter(self._pinned)))
            self._pinned[address] = int(call(self.cuda, "cudaMallocHost", self.nbytes))
        return self._pinned[address]

    def _free(self, address: int) -> None:
        try:
            call(self.cuda, "cudaFreeHost", self._pinned.pop(address))
        except CudaError:
            return  # CUDA is gone, and the memory with it

    def resize(self, shape: Shape) -> None:
        """See `bridge.Bridge`."""
        if shape != self.shape:
            self.close()
            self.shape = shape
            self.__post_init__()

    def close(self) -> None:
        """See `bridge.Bridge`."""
        while self._pinned:
            self._free(next(iter(self._pinned)))
        while self._outlets:
            self._outlets.pop().close()
        self._tap.close()
