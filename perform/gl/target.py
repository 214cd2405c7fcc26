"""Textures, and targets to draw into. Row 0 is the bottom of the picture, GL's own order. Render thread only."""

from __future__ import annotations

from ctypes import byref, c_int, c_uint
from dataclasses import dataclass, field
from typing import Literal

from perform.gl.lib import gl

Format = Literal["rgba8", "rgba16f", "rgba32f"]
LARGEST = 16384  # pixels a side: what GPUs of the last ten years take


def _storage(form: Format) -> tuple[int, int]:
    """(internal format, component type)."""
    kinds = {
        "rgba8": (gl.GL_RGBA8, gl.GL_UNSIGNED_BYTE),
        "rgba16f": (gl.GL_RGBA16F, gl.GL_HALF_FLOAT),
        "rgba32f": (gl.GL_RGBA32F, gl.GL_FLOAT),
    }
    return kinds[form]


@dataclass(slots=True, eq=False)
class Texture:
    """A 2-D RGBA texture. Make one with `Texture.make`; `id` is 0 once it is closed."""

    id: int
    width: int
    height: int
    format: Format = "rgba8"
    mipmap: bool = False

    @classmethod
    def make(
        cls,
        width: int,
        height: int,
        format: Format = "rgba8",
        linear: bool = True,
        mipmap: bool = False,
        repeat: bool = False,
        blank: bool = True,
    ) -> Texture:
        """A new texture of width × height pixels, transparent black (unless not `blank`: then it is anything at all).

        `linear` interpolates between pixels, `repeat` tiles (otherwise the edge continues), `mipmap` expects
        `make_mipmaps` after each change. Raises ValueError for a size below 1 or beyond what the GPU can hold.
        """
        name = c_uint()
        gl.glGenTextures(1, byref(name))
        texture = cls(name.value, 0, 0, format, mipmap)
        gl.glBindTexture(gl.GL_TEXTURE_2D, name.value)
        near = gl.GL_LINEAR if linear else gl.GL_NEAREST
        far = near
        if mipmap:
            far = gl.GL_LINEAR_MIPMAP_LINEAR if linear else gl.GL_NEAREST_MIPMAP_NEAREST
        edge = gl.GL_REPEAT if repeat else gl.GL_CLAMP_TO_EDGE
        gl.glTexParameteri(gl.GL_TEXTURE_2D, gl.GL_TEXTURE_MIN_FILTER, far)
        gl.glTexParameteri(gl.GL_TEXTURE_2D, gl.GL_TEXTURE_MAG_FILTER, near)
        gl.glTexParameteri(gl.GL_TEXTURE_2D, gl.GL_TEXTURE_WRAP_S, edge)
        gl.glTexParameteri(gl.GL_TEXTURE_2D, gl.GL_TEXTURE_WRAP_T, edge)
        try:
            texture.allocate(width, height, blank)
        except ValueError:
            texture.close()
            raise
        return texture

    @classmethod
    def cube(cls, side: int) -> Texture:
        """A cube map of RGBA8 sides, smooth across its edges; `transfer.upload_side` fills it."""
        name = c_uint()
        gl.glGenTextures(1, byref(name))
        gl.glBindTexture(gl.GL_TEXTURE_CUBE_MAP, name.value)
        empty = bytes(side * side * 4)
        for face in range(gl.GL_TEXTURE_CUBE_MAP_POSITIVE_X, gl.GL_TEXTURE_CUBE_MAP_POSITIVE_X + 6):
            gl.glTexImage2D(face, 0, gl.GL_RGBA8, side, side, 0, gl.GL_RGBA, gl.GL_UNSIGNED_BYTE, empty)
        for filtering in (gl.GL_TEXTURE_MIN_FILTER, gl.GL_TEXTURE_MAG_FILTER):
            gl.glTexParameteri(gl.GL_TEXTURE_CUBE_MAP, filtering, gl.GL_LINEAR)
        gl.glEnable(gl.GL_TEXTURE_CUBE_MAP_SEAMLESS)
        return cls(name.value, side, side)

    def allocate(self, width: int, height: int, blank: bool = True) -> None:
        """Give the texture this size (same GL name). What it showed is lost: it is transparent black again, or (not
        `blank`) anything at all, which saves uploading the black: some milliseconds at 1080p."""
        if not (1 <= width <= LARGEST and 1 <= height <= LARGEST):
            raise ValueError(f"a picture of {width}×{height} pixels cannot be made; 1 to {LARGEST} a side")
        form, kind = _storage(self.format)
        size = width * height * {"rgba8": 4, "rgba16f": 8, "rgba32f": 16}[self.format]
        gl.glBindTexture(gl.GL_TEXTURE_2D, self.id)
        gl.glTexImage2D(gl.GL_TEXTURE_2D, 0, form, width, height, 0, gl.GL_RGBA, kind, bytes(size) if blank else None)
        self.width, self.height = width, height
        if self.mipmap:
            self.make_mipmaps()

    def make_mipmaps(self) -> None:
        """Make the smaller versions after the picture has changed."""
        gl.glBindTexture(gl.GL_TEXTURE_2D, self.id)
        gl.glGenerateMipmap(gl.GL_TEXTURE_2D)

    def close(self) -> None:
        """Give the memory back. May be called twice."""
        if self.id:
            gl.glDeleteTextures(1, byref(c_uint(self.id)))
            self.id = 0


@dataclass(slots=True, eq=False, init=False)
class Target:
    """A texture that shaders draw into. Same keywords as `Texture.make`; transparent black when new."""

    texture: Texture
    _framebuffer: int = field(repr=False)

    def __init__(
        self,
        width: int,
        height: int,
        format: Format = "rgba8",
        *,
        linear: bool = True,
        mipmap: bool = False,
        repeat: bool = False,
        blank: bool = True,
    ) -> None:
        self.texture = Texture.make(width, height, format, linear, mipmap, repeat, blank)
        self._framebuffer = framebuffer(self.texture.id)

    @property
    def width(self) -> int:
        return self.texture.width

    @property
    def height(self) -> int:
        return self.texture.height

    @property
    def framebuffer(self) -> int:
        """GL name of the framebuffer object."""
        return self._framebuffer

    def bind(self) -> None:
        """Draw into this from now on: framebuffer and viewport."""
        gl.glBindFramebuffer(gl.GL_FRAMEBUFFER, self._framebuffer)
        gl.glViewport(0, 0, self.texture.width, self.texture.height)

    def clear(self, r: float = 0.0, g: float = 0.0, b: float = 0.0, a: float = 0.0) -> None:
        """Fill with one colour."""
        self.bind()
        gl.glClearColor(r, g, b, a)
        gl.glClear(gl.GL_COLOR_BUFFER_BIT)

    def resize(self, width: int, height: int) -> bool:
        """Give it this size; True (and transparent black again) if that was a change."""
        if (width, height) == (self.texture.width, self.texture.height):
            return False
        self.texture.allocate(width, height)
        return True

    def close(self) -> None:
        """Give the memory back. May be called twice."""
        if self._framebuffer:
            gl.glDeleteFramebuffers(1, byref(c_uint(self._framebuffer)))
            self._framebuffer = 0
        self.texture.close()


def framebuffer(texture: int) -> int:
    """A new framebuffer object that draws into this texture; returns its GL name."""
    name, before = c_uint(), c_int()
    gl.glGetIntegerv(gl.GL_DRAW_FRAMEBUFFER_BINDING, byref(before))
    gl.glGenFramebuffers(1, byref(name))
    gl.glBindFramebuffer(gl.GL_FRAMEBUFFER, name.value)
    gl.glFramebufferTexture2D(gl.GL_FRAMEBUFFER, gl.GL_COLOR_ATTACHMENT0, gl.GL_TEXTURE_2D, texture, 0)
    state = gl.glCheckFramebufferStatus(gl.GL_FRAMEBUFFER)
    gl.glBindFramebuffer(gl.GL_FRAMEBUFFER, before.value)
    if state != gl.GL_FRAMEBUFFER_COMPLETE:
        gl.glDeleteFramebuffers(1, byref(name))
        raise ValueError(f"the GPU cannot draw into this kind of texture (framebuffer status {state:#x})")
    return name.value
