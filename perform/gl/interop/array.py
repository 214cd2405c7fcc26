"""The array bridge: CUDA maps the textures themselves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from perform.frame import Texture
from perform.gl import target
from perform.gl.interop.bridge import Shape
from perform.gl.interop.calls import call
from perform.gl.interop.parts import Tap, mapped, pixel, same_size, unregister
from perform.gl.lib import gl


@dataclass(slots=True)
class ArrayBridge:
    """See `bridge.Bridge`. Textures of others are copied into one of its own first, on the card (8 MB at 1080p): a
    registration must not outlive its texture, and of others' textures nobody says when they are closed or resized."""

    cuda: Any
    shape: Shape
    format: target.Format = "rgba8"
    kind: str = field(default="array", init=False)
    _tap: Tap = field(default_factory=Tap, init=False, repr=False)
    _inlet: target.Target | None = field(default=None, init=False, repr=False)
    _outlets: list[target.Texture] = field(default_factory=list, init=False, repr=False)
    _resources: list[Any] = field(default_factory=list, init=False, repr=False)  # of the inlet, of the two outlets

    def __post_init__(self) -> None:
        pixel(self.format)
        try:
            self._register()
        except BaseException:
            self.close()
            raise

    def _register(self) -> None:
        flags = self.cuda.cudaGraphicsRegisterFlags
        self._inlet = target.Target(*self.shape, self.format, blank=False)
        self._outlets = [target.Texture.make(*self.shape, self.format, blank=False) for _ in range(2)]
        wanted = [(self._inlet.texture.id, flags.cudaGraphicsRegisterFlagsReadOnly)]
        wanted += [(texture.id, flags.cudaGraphicsRegisterFlagsWriteDiscard) for texture in self._outlets]
        for name, flag in wanted:
            self._resources.append(call(self.cuda, "cudaGraphicsGLRegisterImage", name, gl.GL_TEXTURE_2D, flag))

    def take(self, texture: Texture, address: int, stream: int, event: Any = None) -> None:
        """See `bridge.Bridge`."""
        self._enter(texture)
        with mapped(self.cuda, stream, self._resources[0]):
            self._fetch(address, stream, event)

    def ripen(self, address: int, stream: int) -> None:
        """Nothing: it stays on the card."""

    def give(self, address: int, stream: int) -> target.Texture:
        """See `bridge.Bridge`."""
        self._turn()
        with mapped(self.cuda, stream, self._resources[1]):
            self._fill(address, stream)
        return self._outlets[0]

    def exchange(self, texture: Texture, to: int, source: int, stream: int, event: Any = None) -> target.Texture:
        """See `bridge.Bridge`."""
        self._enter(texture)
        self._turn()
        with mapped(self.cuda, stream, self._resources[0], self._resources[1]):
            self._fetch(to, stream, event)
            self._fill(source, stream)
        return self._outlets[0]

    def _enter(self, texture: Texture) -> None:
        same_size(texture, *self.shape)
        assert self._inlet is not None
        self._tap.copy(texture, self._inlet)

    def _turn(self) -> None:
        """The other outlet is next."""
        self._outlets.reverse()
        self._resources[1:] = self._resources[:0:-1]

    def _fetch(self, address: int, stream: int, event: Any) -> None:
        array = call(self.cuda, "cudaGraphicsSubResourceGetMappedArray", self._resources[0], 0, 0)  # each time anew
        row, kind = self.shape[0] * pixel(self.format), self.cuda.cudaMemcpyKind.cudaMemcpyDeviceToDevice
        call(self.cuda, "cudaMemcpy2DFromArrayAsync", address, row, array, 0, 0, row, self.shape[1], kind, stream)
        if event is not None:
            call(self.cuda, "cudaEventRecord", event, stream)

    def _fill(self, address: int, stream: int) -> None:
        array = call(self.cuda, "cudaGraphicsSubResourceGetMappedArray", self._resources[1], 0, 0)
        row, kind = self.shape[0] * pixel(self.format), self.cuda.cudaMemcpyKind.cudaMemcpyDeviceToDevice
        call(self.cuda, "cudaMemcpy2DToArrayAsync", array, 0, 0, address, row, row, self.shape[1], kind, stream)

    def resize(self, shape: Shape) -> None:
        """See `bridge.Bridge`."""
        if shape != self.shape:
            self.close()
            self.shape = shape
            self.__post_init__()

    def rest(self) -> None:
        """Nothing: mapping puts what the next one does behind all copies."""

    @property
    def idle(self) -> bool:
        """See `bridge.Bridge`."""
        return True

    def close(self, wait: bool = True) -> None:
        """See `bridge.Bridge`. Unregistered first: CUDA must not hold what GL deletes."""
        unregister(self.cuda, self._resources)
        if self._inlet is not None:
            self._inlet.close()
            self._inlet = None
        while self._outlets:
            self._outlets.pop().close()
        self._tap.close()
