"""The buffer bridge: CUDA maps pixel buffers, GL copies between them and textures. Where a texture cannot be mapped."""

from __future__ import annotations

from ctypes import c_uint
from dataclasses import dataclass, field
from typing import Any

from perform.frame import Texture
from perform.gl import target
from perform.gl.interop.bridge import Shape
from perform.gl.interop.calls import CudaError, call
from perform.gl.interop.parts import Tap, fill, mapped, pixel, same_size, unregister
from perform.gl.lib import gl


@dataclass(slots=True)
class BufferBridge:
    """See `bridge.Bridge`."""

    cuda: Any
    shape: Shape
    format: target.Format = "rgba8"
    kind: str = field(default="buffer", init=False)
    _tap: Tap = field(default_factory=Tap, init=False, repr=False)
    _outlets: list[target.Texture] = field(default_factory=list, init=False, repr=False)
    _names: list[int] = field(default_factory=list, init=False, repr=False)  # pixel buffers: GL to CUDA, CUDA to GL
    _resources: list[Any] = field(default_factory=list, init=False, repr=False)

    def __post_init__(self) -> None:
        pixel(self.format)
        try:
            self._register()
        except BaseException:
            self.close()
            raise

    @property
    def nbytes(self) -> int:
        """Of one picture."""
        return self.shape[0] * self.shape[1] * pixel(self.format)

    def _register(self) -> None:
        flags = self.cuda.cudaGraphicsRegisterFlags
        self._outlets = [target.Texture.make(*self.shape, self.format, blank=False) for _ in range(2)]
        names = (c_uint * 2)()
        gl.glGenBuffers(2, names)
        self._names = list(names)
        uses = (
            (gl.GL_PIXEL_PACK_BUFFER, gl.GL_STREAM_COPY, flags.cudaGraphicsRegisterFlagsReadOnly),
            (gl.GL_PIXEL_UNPACK_BUFFER, gl.GL_STREAM_DRAW, flags.cudaGraphicsRegisterFlagsWriteDiscard),
        )
        for name, (kind, use, flag) in zip(self._names, uses, strict=True):
            gl.glBindBuffer(kind, name)
            gl.glBufferData(kind, self.nbytes, None, use)
            gl.glBindBuffer(kind, 0)
            self._resources.append(call(self.cuda, "cudaGraphicsGLRegisterBuffer", name, flag))

    def take(self, texture: Texture, address: int, stream: int, event: Any = None) -> None:
        """See `bridge.Bridge`."""
        self._enter(texture)
        with mapped(self.cuda, stream, self._resources[0]):
            self._fetch(address, stream, event)

    def ripen(self, address: int, stream: int) -> None:
        """Nothing: it stays on the card."""

    def give(self, address: int, stream: int) -> target.Texture:
        """See `bridge.Bridge`."""
        with mapped(self.cuda, stream, self._resources[1]):
            self._copy(self._pointer(self._resources[1]), address, stream)
        return self._leave()

    def exchange(self, texture: Texture, to: int, source: int, stream: int, event: Any = None) -> target.Texture:
        """See `bridge.Bridge`."""
        self._enter(texture)
        with mapped(self.cuda, stream, *self._resources):
            self._fetch(to, stream, event)
            self._copy(self._pointer(self._resources[1]), source, stream)
        return self._leave()

    def _enter(self, texture: Texture) -> None:
        same_size(texture, *self.shape)
        gl.glBindBuffer(gl.GL_PIXEL_PACK_BUFFER, self._names[0])
        self._tap.read(texture, self.format, None)
        gl.glBindBuffer(gl.GL_PIXEL_PACK_BUFFER, 0)

    def _leave(self) -> target.Texture:
        self._outlets.reverse()
        gl.glBindBuffer(gl.GL_PIXEL_UNPACK_BUFFER, self._names[1])
        fill(self._outlets[0], self.format, None)
        gl.glBindBuffer(gl.GL_PIXEL_UNPACK_BUFFER, 0)
        return self._outlets[0]

    def _fetch(self, address: int, stream: int, event: Any) -> None:
        self._copy(address, self._pointer(self._resources[0]), stream)
        if event is not None:
            call(self.cuda, "cudaEventRecord", event, stream)

    def _pointer(self, resource: Any) -> int:
        """Where the buffer is this time."""
        address, size = call(self.cuda, "cudaGraphicsResourceGetMappedPointer", resource)
        if int(size) < self.nbytes:
            raise CudaError(f"CUDA maps {int(size)} bytes of a pixel buffer of {self.nbytes}")
        return int(address)

    def _copy(self, to: int, source: int, stream: int) -> None:
        kind = self.cuda.cudaMemcpyKind.cudaMemcpyDeviceToDevice
        call(self.cuda, "cudaMemcpyAsync", to, source, self.nbytes, kind, stream)

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
        if self._names:
            gl.glDeleteBuffers(len(self._names), (c_uint * len(self._names))(*self._names))
            self._names.clear()
        while self._outlets:
            self._outlets.pop().close()
        self._tap.close()
