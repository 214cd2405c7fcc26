"""What the recording CUDA maps: real GL textures and buffers, reached through GL's own calls. GL context current."""

from __future__ import annotations

import ctypes
from ctypes import c_int, c_void_p
from dataclasses import dataclass
from typing import Any

from perform.gl.lib import gl


@dataclass(eq=False)
class Resource:
    """A registered texture or buffer."""

    name: int
    buffer: bool
    flags: int
    mapped: bool = False
    registered: bool = True
    memory: Any = None  # of a mapped buffer

    def __int__(self) -> int:
        """Its handle."""
        return 0x5000 + self.name * 2 + self.buffer

    def map(self) -> None:
        """From here on CUDA has it: a buffer's bytes are in `memory`."""
        self.mapped = True
        if not self.buffer:
            return
        size = c_int()
        gl.glBindBuffer(gl.GL_COPY_READ_BUFFER, self.name)
        gl.glGetBufferParameteriv(gl.GL_COPY_READ_BUFFER, gl.GL_BUFFER_SIZE, ctypes.byref(size))
        self.memory = (ctypes.c_ubyte * size.value)()
        gl.glGetBufferSubData(gl.GL_COPY_READ_BUFFER, 0, size.value, ctypes.cast(self.memory, c_void_p))
        gl.glBindBuffer(gl.GL_COPY_READ_BUFFER, 0)

    def unmap(self) -> None:
        """GL has it again, with what CUDA wrote."""
        self.mapped = False
        if not self.buffer:
            return
        gl.glBindBuffer(gl.GL_COPY_WRITE_BUFFER, self.name)
        gl.glBufferSubData(gl.GL_COPY_WRITE_BUFFER, 0, ctypes.sizeof(self.memory), ctypes.cast(self.memory, c_void_p))
        gl.glBindBuffer(gl.GL_COPY_WRITE_BUFFER, 0)

    def read(self, to: int) -> None:
        """A texture's pixels to an address."""
        kind = self._bind()
        gl.glGetTexImage(gl.GL_TEXTURE_2D, 0, gl.GL_RGBA, kind, c_void_p(to))

    def write(self, source: int) -> None:
        """A texture's pixels from an address."""
        kind = self._bind()
        sides = _level(gl.GL_TEXTURE_WIDTH), _level(gl.GL_TEXTURE_HEIGHT)
        gl.glTexSubImage2D(gl.GL_TEXTURE_2D, 0, 0, 0, *sides, gl.GL_RGBA, kind, c_void_p(source))

    def _bind(self) -> int:
        """Make it the bound texture; the type of its channels."""
        gl.glBindTexture(gl.GL_TEXTURE_2D, self.name)
        half = _level(gl.GL_TEXTURE_INTERNAL_FORMAT) == gl.GL_RGBA16F
        return int(gl.GL_HALF_FLOAT if half else gl.GL_UNSIGNED_BYTE)


def _level(what: int) -> int:
    """A number of the bound texture."""
    found = c_int()
    gl.glGetTexLevelParameteriv(gl.GL_TEXTURE_2D, 0, what, ctypes.byref(found))
    return found.value
