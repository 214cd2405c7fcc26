"""Pixels between memory and GPU. Arrays are uint8 (height, width, 4), contiguous, row 0 at the bottom.

On a software rasteriser direct calls are memcpy and PBOs only add copies; on a GPU a direct read stalls the
pipeline and a pair of PBOs hides it behind one frame of delay. `Upload` and `Readback` know both ways.
"""

from __future__ import annotations

from ctypes import byref, c_uint, c_void_p, memmove
from typing import Any

import numpy as np
import numpy.typing as npt

from perform.frame import Texture
from perform.gl.dither import DITHER
from perform.gl.lib import gl
from perform.gl.shader import Program
from perform.gl.target import Target, framebuffer

Pixels = npt.NDArray[np.uint8]

RESOLVE = (
    "#version 330 core\n"
    + DITHER
    + """in vec2 uv;
out vec4 color;
uniform sampler2D picture;
uniform vec2 part;    // how much of the picture is taken, from its lower left corner
uniform float turn;   // frame serial modulo 64; below 0: no dither
void main() {
    vec4 c = texture(picture, uv * part);
    bvec4 bad = equal(floatBitsToUint(c) & 0x7f800000u, uvec4(0x7f800000u));
    c = clamp(mix(c, vec4(0.0), bad), 0.0, 1.0);
    if (turn >= 0.0) c.rgb += dither(turn) / 255.0;
    color = c;
}
"""
)


def _check(texture: Texture, array: Pixels) -> None:
    if array.dtype != np.uint8 or array.shape != (texture.height, texture.width, 4) or not array.flags.c_contiguous:
        raise ValueError(
            f"a texture of {texture.width}×{texture.height} takes a contiguous uint8 array of shape "
            f"({texture.height}, {texture.width}, 4), not {array.dtype} {array.shape}"
        )


def upload(texture: Texture, array: Pixels) -> None:
    """Put the pixels into the texture now. Cost on a CPU rasteriser: 0.1 ms at 720p."""
    _check(texture, array)
    _put(texture, array.ctypes.data)


def upload_side(cube: Texture, side: int, array: Pixels) -> None:
    """Put the pixels into one side of a cube map (0 to 5: +x, -x, +y, -y, +z, -z), row 0 at the top of the side."""
    _check(cube, array)
    gl.glBindTexture(gl.GL_TEXTURE_CUBE_MAP, cube.id)
    face = gl.GL_TEXTURE_CUBE_MAP_POSITIVE_X + side
    form, kind = gl.GL_RGBA, gl.GL_UNSIGNED_BYTE
    gl.glTexSubImage2D(face, 0, 0, 0, cube.width, cube.height, form, kind, c_void_p(array.ctypes.data))


def _put(texture: Texture, source: int | None) -> None:
    gl.glBindTexture(gl.GL_TEXTURE_2D, texture.id)
    form, kind = gl.GL_RGBA, gl.GL_UNSIGNED_BYTE
    gl.glTexSubImage2D(gl.GL_TEXTURE_2D, 0, 0, 0, texture.width, texture.height, form, kind, c_void_p(source))


def _buffers(kind: int, size: int, use: int) -> list[int]:
    names = (c_uint * 2)()
    gl.glGenBuffers(2, names)
    for name in names:
        gl.glBindBuffer(kind, name)
        gl.glBufferData(kind, size, None, use)
    gl.glBindBuffer(kind, 0)
    return list(names)


def _delete(names: list[int]) -> None:
    if names:
        gl.glDeleteBuffers(len(names), (c_uint * len(names))(*names))
        names.clear()


class Upload:
    """Uploads a stream of pictures of one size: direct on a software rasteriser, through two PBOs on a GPU."""

    def __init__(self, width: int, height: int, software: bool) -> None:
        self.width, self.height = width, height
        self._turn = 0
        self._size = width * height * 4
        self._names = [] if software else _buffers(gl.GL_PIXEL_UNPACK_BUFFER, self._size, gl.GL_STREAM_DRAW)

    def write(self, texture: Texture, array: Pixels) -> None:
        """Put the pixels into the texture. The array may be reused at once."""
        _check(texture, array)
        if not self._names:
            _put(texture, array.ctypes.data)
            return
        if array.nbytes != self._size:
            raise ValueError(f"this uploads {self.width}×{self.height} pixels, not {texture.width}×{texture.height}")
        self._turn ^= 1
        kind = gl.GL_PIXEL_UNPACK_BUFFER
        gl.glBindBuffer(kind, self._names[self._turn])
        gl.glBufferData(kind, self._size, None, gl.GL_STREAM_DRAW)  # a fresh store: never waits for the GPU
        gl.glBufferSubData(kind, 0, self._size, c_void_p(array.ctypes.data))
        _put(texture, None)
        gl.glBindBuffer(kind, 0)

    def close(self) -> None:
        """Give the buffers back. May be called twice."""
        _delete(self._names)


class Readback:
    """Reads a stream of RGBA8 pictures of one size back: direct on software GL, through two PBOs on a GPU."""

    def __init__(self, width: int, height: int, software: bool) -> None:
        self.width, self.height = width, height
        self._software = software
        self._turn = 0
        self._waiting = False
        self._framebuffer = 0
        size = width * height * 4
        self._names = [] if software else _buffers(gl.GL_PIXEL_PACK_BUFFER, size, gl.GL_STREAM_READ)

    def read(self, picture: Target | Texture) -> Pixels | None:
        """The pixels as a new array. Through PBOs: those of the picture given the time before (None at first)."""
        texture = picture.texture if isinstance(picture, Target) else picture
        if (texture.width, texture.height) != (self.width, self.height):
            raise ValueError(f"this reads {self.width}×{self.height} pixels, not {texture.width}×{texture.height}")
        self._bind(picture)
        if self._software:
            return _get(self.width, self.height)
        kind = gl.GL_PIXEL_PACK_BUFFER
        gl.glBindBuffer(kind, self._names[self._turn])
        gl.glReadPixels(0, 0, self.width, self.height, gl.GL_RGBA, gl.GL_UNSIGNED_BYTE, None)
        self._turn ^= 1
        pixels = self._fetch() if self._waiting else None
        self._waiting = True
        gl.glBindBuffer(kind, 0)
        return pixels

    def flush(self) -> Pixels | None:
        """The last picture that is still on its way (waits for it); None if there is none."""
        if self._software or not self._waiting:
            return None
        self._waiting = False
        self._turn ^= 1
        pixels = self._fetch()
        self._turn ^= 1
        gl.glBindBuffer(gl.GL_PIXEL_PACK_BUFFER, 0)
        return pixels

    def _bind(self, picture: Target | Texture) -> None:
        if isinstance(picture, Target):
            gl.glBindFramebuffer(gl.GL_READ_FRAMEBUFFER, picture.framebuffer)
            return
        self._framebuffer = self._framebuffer or framebuffer(picture.id)
        kind = gl.GL_READ_FRAMEBUFFER
        gl.glBindFramebuffer(kind, self._framebuffer)  # attached anew each time: GL gives names a second time
        gl.glFramebufferTexture2D(kind, gl.GL_COLOR_ATTACHMENT0, gl.GL_TEXTURE_2D, picture.id, 0)

    def _fetch(self) -> Pixels:
        pixels = np.empty((self.height, self.width, 4), np.uint8)
        kind = gl.GL_PIXEL_PACK_BUFFER
        gl.glBindBuffer(kind, self._names[self._turn])
        there: Any = gl.glMapBuffer(kind, gl.GL_READ_ONLY)
        memmove(pixels.ctypes.data, there, pixels.nbytes)
        gl.glUnmapBuffer(kind)
        return pixels

    def close(self) -> None:
        """Give the buffers back. May be called twice."""
        _delete(self._names)
        if self._framebuffer:
            gl.glDeleteFramebuffers(1, byref(c_uint(self._framebuffer)))
            self._framebuffer = 0


def _get(width: int, height: int) -> Pixels:
    pixels = np.empty((height, width, 4), np.uint8)
    gl.glReadPixels(0, 0, width, height, gl.GL_RGBA, gl.GL_UNSIGNED_BYTE, c_void_p(pixels.ctypes.data))
    return pixels


def read(texture: Texture) -> Pixels:
    """The pixels now: simple, waits for the GPU. For tests and stills. Float pictures are clamped and rounded."""
    name = framebuffer(texture.id)
    gl.glBindFramebuffer(gl.GL_READ_FRAMEBUFFER, name)
    pixels = _get(texture.width, texture.height)
    gl.glDeleteFramebuffers(1, byref(c_uint(name)))
    return pixels


def read_float(texture: Texture) -> npt.NDArray[np.float32]:
    """Like `read`, as float32, neither clamped nor rounded."""
    pixels = np.empty((texture.height, texture.width, 4), np.float32)
    gl.glBindTexture(gl.GL_TEXTURE_2D, texture.id)
    gl.glGetTexImage(gl.GL_TEXTURE_2D, 0, gl.GL_RGBA, gl.GL_FLOAT, c_void_p(pixels.ctypes.data))
    return pixels


def copy(texture: Texture, target: Target) -> None:
    """Draw the texture into the target, scaled to fit, without a shader. Costs about a copy pass."""
    name = framebuffer(texture.id)
    gl.glBindFramebuffer(gl.GL_READ_FRAMEBUFFER, name)
    gl.glBindFramebuffer(gl.GL_DRAW_FRAMEBUFFER, target.framebuffer)
    same = (texture.width, texture.height) == (target.width, target.height)
    gl.glBlitFramebuffer(
        0, 0, texture.width, texture.height, 0, 0, target.width, target.height,
        gl.GL_COLOR_BUFFER_BIT, gl.GL_NEAREST if same else gl.GL_LINEAR,
    )  # fmt: skip
    gl.glDeleteFramebuffers(1, byref(c_uint(name)))


class Resolve:
    """Brings a float picture to the 8 bits of a screen or a film, with dither that hides the steps."""

    def __init__(self) -> None:
        self._program = Program(RESOLVE, name="resolve")

    def draw(self, texture: Texture, target: Target, dither: bool = True, serial: int = 0) -> None:
        """Fill `target` (RGBA8) from `texture`, scaled to fit; what is a column or a row too large is cut instead, for
        that would blur it. Equal serial: equal pixels. NaN and infinity become 0.
        """
        sides = ((target.width, texture.width), (target.height, texture.height))
        part = tuple(want / have if have == want + 1 else 1.0 for want, have in sides)
        self._program.draw(target, {"picture": texture}, {"part": part, "turn": float(serial % 64) if dither else -1.0})

    def close(self) -> None:
        self._program.close()
