"""What the bridges share: pixels of a format, a tap that reads any texture, resources while they are mapped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import addressof, byref, c_char_p, c_int, c_uint, c_void_p, cast
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
    _copies: bool | None = None  # whether this GL copies images without drawing; asked once

    def bind(self, texture: Texture) -> None:
        """Let GL read from this texture."""
        self._framebuffer = self._framebuffer or framebuffer(texture.id)
        kind = gl.GL_READ_FRAMEBUFFER
        gl.glBindFramebuffer(kind, self._framebuffer)
        gl.glFramebufferTexture2D(kind, gl.GL_COLOR_ATTACHMENT0, gl.GL_TEXTURE_2D, texture.id, 0)

    def copy(self, texture: Texture, to: Target) -> None:
        """Copy a texture of the target's size into it, on the card: as it is where GL can (4.3), else by drawing."""
        if self._copies is None:
            self._copies = _copies_images()
        if self._copies and getattr(texture, "format", None) == to.texture.format:
            kind, size = gl.GL_TEXTURE_2D, (to.width, to.height, 1)
            gl.glCopyImageSubData(texture.id, kind, 0, 0, 0, 0, to.texture.id, kind, 0, 0, 0, 0, *size)
            return
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


def _copies_images() -> bool:
    """Whether this context has GL_ARB_copy_image (which is part of GL 4.3)."""
    number, major, minor = c_int(), c_int(), c_int()
    gl.glGetIntegerv(gl.GL_MAJOR_VERSION, byref(major))
    gl.glGetIntegerv(gl.GL_MINOR_VERSION, byref(minor))
    if (major.value, minor.value) >= (4, 3):
        return True
    gl.glGetIntegerv(gl.GL_NUM_EXTENSIONS, byref(number))
    names = (cast(gl.glGetStringi(gl.GL_EXTENSIONS, n), c_char_p).value for n in range(number.value))
    return b"GL_ARB_copy_image" in names


def fill(texture: Texture, format: Format, where: int | None) -> None:
    """Put pixels at an address of the host, or (None) those of the bound pixel buffer, into a texture."""
    gl.glBindTexture(gl.GL_TEXTURE_2D, texture.id)
    box = (0, 0, texture.width, texture.height)
    gl.glTexSubImage2D(gl.GL_TEXTURE_2D, 0, *box, gl.GL_RGBA, component(format), c_void_p(where))


@contextmanager
def mapped(cuda: Any, stream: int, *resources: Any) -> Iterator[None]:
    """The resources are CUDA's while this lasts: GL's work so far comes before, GL's work from now on after it.

    They are given back whatever happens inside. Each pair of calls makes the card change from GL to CUDA and back,
    whatever it holds: on one Hopper card 0.3 ms.
    """
    count, handles = len(resources), (c_void_p * len(resources))(*map(int, resources))
    call(cuda, "cudaGraphicsMapResources", count, addressof(handles), stream)  # a number is read as an address
    try:
        yield
    except BaseException:
        cuda.cudaGraphicsUnmapResources(count, addressof(handles), stream)  # what happened inside is to be told
        raise
    call(cuda, "cudaGraphicsUnmapResources", count, addressof(handles), stream)


def unregister(cuda: Any, resources: list[Any]) -> None:
    """Give resources back to GL alone. Where CUDA or the GL context is lost they are gone with it."""
    while resources:
        try:
            call(cuda, "cudaGraphicsUnregisterResource", resources.pop())
        except CudaError:
            continue
