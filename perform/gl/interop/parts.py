"""What the bridges share: pixels of a format, a tap that reads any texture, resources while they are mapped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import byref, c_uint, c_void_p
from dataclasses import dataclass
from typing import Any

from perform.frame import Texture
from perform.gl.interop.calls import CudaError, call
from perform.gl.lib import gl
from perform.gl.target import Format, Target, framebuffer

PIXEL = {"rgba8": 4, "rgba16f": 8}  # bytes


def pixel(format: Format) -> int:
    """Bytes of one pixel. Raises ValueError for a format that CUDA and GL do not share here."""
    if format not in PIXEL:
        raise ValueError(f"a bridge carries {' or '.join(PIXEL)}, not {format}")
    return PIXEL[format]


def component(format: Format) -> int:
    """GL's name for the type of one channel."""
    return int(gl.GL_UNSIGNED_BYTE if format == "rgba8" else gl.GL_HALF_FLOAT)


def same_size(texture: Texture, width: int, height: int) -> None:
    """Raises ValueError unless the texture has this size."""
    if (texture.width, texture.height) != (width, height):
        raise ValueError(f"this bridge carries {width}×{height} pixels, not {texture.width}×{texture.height}")


@dataclass(slots=True)
class Tap:
    """Reads textures that belong to others. One framebuffer, attached anew each time: GL gives names a second time."""

    _framebuffer: int = 0

    def bind(self, texture: Texture) -> None:
        """Let GL read from this texture."""
        self._framebuffer = self._framebuffer or framebuffer(texture.id)
        kind = gl.GL_READ_FRAMEBUFFER
        gl.glBindFramebuffer(kind, self._framebuffer)
        gl.glFramebufferTexture2D(kind, gl.GL_COLOR_ATTACHMENT0, gl.GL_TEXTURE_2D, texture.id, 0)

    def copy(self, texture: Texture, to: Target) -> None:
        """Copy a texture of the target's size into it, on the card."""
        self.bind(texture)
        gl.glBindFramebuffer(gl.GL_DRAW_FRAMEBUFFER, to.framebuffer)
        box = (0, 0, to.width, to.height)
        gl.glBlitFramebuffer(*box, *box, gl.GL_COLOR_BUFFER_BIT, gl.GL_NEAREST)

    def read(self, texture: Texture, format: Format, where: int | None) -> None:
        """Read all pixels to an address of the host, or (None) into the pixel buffer that is bound."""
        self.bind(texture)
        box = (0, 0, texture.width, texture.height)
        gl.glReadPixels(*box, gl.GL_RGBA, component(format), c_void_p(where))

    def close(self) -> None:
        """May be called twice."""
        if self._framebuffer:
            gl.glDeleteFramebuffers(1, byref(c_uint(self._framebuffer)))
            self._framebuffer = 0


def fill(texture: Texture, format: Format, where: int | None) -> None:
    """Put pixels at an address of the host, or (None) those of the bound pixel buffer, into a texture."""
    gl.glBindTexture(gl.GL_TEXTURE_2D, texture.id)
    box = (0, 0, texture.width, texture.height)
    gl.glTexSubImage2D(gl.GL_TEXTURE_2D, 0, *box, gl.GL_RGBA, component(format), c_void_p(where))


@contextmanager
def mapped(cuda: Any, resource: Any, stream: int) -> Iterator[Any]:
    """The resource is CUDA's while this lasts: GL's work so far comes before, GL's work from now on after it.

    It is given back whatever happens inside. `resource` stays the object that CUDA gave: a number would be read as an
    address.
    """
    call(cuda, "cudaGraphicsMapResources", 1, resource, stream)
    try:
        yield resource
    except BaseException:
        cuda.cudaGraphicsUnmapResources(1, resource, stream)  # what happened inside is what is to be told
        raise
    call(cuda, "cudaGraphicsUnmapResources", 1, resource, stream)


def unregister(cuda: Any, resources: list[Any]) -> None:
    """Give resources back to GL alone. Where CUDA or the GL context is lost they are gone with it."""
    while resources:
        try:
            call(cuda, "cudaGraphicsUnregisterResource", resources.pop())
        except CudaError:
            continue
