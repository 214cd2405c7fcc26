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
        self._inlet = target.Target(*self.shape, self.format)
        self._outlets = [target.Texture.make(*self.shape, self.format) for _ in range(2)]
        wanted = [(self._inlet.texture.id, flags.cudaGraphicsRegisterFlagsReadOnly)]
        wanted += [(texture.id, flags.cudaGraphicsRegisterFlagsWriteDiscard) for texture in self._outlets]
        for name, flag in wanted:
            self._resources.append(call(self.cuda, "cudaGraphicsGLRegisterImage", name, gl.GL_TEXTURE_2D, flag))

    def take(self, texture: Texture, address: int, stream: int) -> None:
        """See `bridge.Bridge`."""
        width, height = self.shape
        same_size(texture, width, height)
        assert self._inlet is not None
        self._tap.copy(texture, self._inlet)
        row = width * pixel(self.format)
        with mapped(self.cuda, self._resources[0], stream) as resource:
            array = call(self.cuda, "cudaGraphicsSubResourceGetMappedArray", resource, 0, 0)
            onto = self.cuda.cudaMemcpyKind.cudaMemcpyDeviceToDevice
            call(self.cuda, "cudaMemcpy2DFromArrayAsync", address, row, array, 0, 0, row, height, onto, stream)

    def ripen(self, address: int, stream: int) -> None:
        """Nothing: it stays on the card."""

    def give(self, address: int, stream: int) -> target.Texture:
        """See `bridge.Bridge`."""
        self._outlets.reverse()
        self._resources[1:] = self._resources[:0:-1]
        width, height = self.shape
        row = width * pixel(self.format)
        with mapped(self.cuda, self._resources[1], stream) as resource:
            array = call(self.cuda, "cudaGraphicsSubResourceGetMappedArray", resource, 0, 0)
            onto = self.cuda.cudaMemcpyKind.cudaMemcpyDeviceToDevice
            call(self.cuda, "cudaMemcpy2DToArrayAsync", array, 0, 0, address, row, row, height, onto, stream)
        return self._outlets[0]

    def resize(self, shape: Shape) -> None:
        """See `bridge.Bridge`."""
        if shape != self.shape:
            self.close()
            self.shape = shape
            self.__post_init__()

    def close(self) -> None:
        """See `bridge.Bridge`. Unregistered first: CUDA must not hold what GL deletes."""
        unregister(self.cuda, self._resources)
        if self._inlet is not None:
            self._inlet.close()
            self._inlet = None
        while self._outlets:
            self._outlets.pop().close()
        self._tap.close()
