"""Framing: which part of a picture is looked at, and how it is laid onto the generator's own shape.

The picture covers the output without being stretched (what stands over is cut off evenly), then it is zoomed,
moved, turned and mirrored. Past its edge it goes on as its own reflection: there is never a border for a
generator to dream about. Where the picture is larger than the output it is averaged, not skipped.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from perform.frame import Texture
from perform.gl.shader import Program, Uniform
from perform.gl.target import Target

MIRRORS = ("off", "left", "right", "top", "bottom", "quad")
TAPS = (1, 2, 3, 4, 6)  # reads an axis for one output pixel; each spans two source pixels

SHADER = """#version 330 core
in vec2 uv;
out vec4 color;
uniform sampler2D picture;
uniform vec2 extent;   // of the output, in its own heights
uniform vec2 pixel;    // one output pixel, in the same unit
uniform vec4 turn;     // the 2 x 2 matrix from there to the source's 0..1, column by column
uniform vec2 middle;   // where in the source the middle of the output lies
uniform int mirror;    // 0 off, 1 left, 2 right, 3 top, 4 bottom, 5 quad
const int taps = TAPS;  // reads along each axis; a constant, which a CPU rasteriser unrolls (three times as fast)

void main() {
    vec2 p = (uv - 0.5) * extent;
    if (mirror == 1 || mirror == 5) p.x = -abs(p.x);
    if (mirror == 2) p.x = abs(p.x);
    if (mirror == 3 || mirror == 5) p.y = abs(p.y);
    if (mirror == 4) p.y = -abs(p.y);
    mat2 m = mat2(turn.xy, turn.zw);
    vec4 sum = vec4(0.0);
    for (int j = 0; j < taps; j++) {
        for (int i = 0; i < taps; i++) {
            vec2 q = m * (p + pixel * ((vec2(i, j) + 0.5) / float(taps) - 0.5)) + middle;
            vec4 c = texture(picture, 1.0 - abs(mod(q, 2.0) - 1.0));
            sum += vec4(c.rgb * c.a, c.a);
        }
    }
    // Averaged premultiplied, given on straight; an all-transparent pixel keeps its black.
    color = vec4(sum.rgb / max(sum.a, 1e-5), sum.a / float(taps * taps));
}
"""


@dataclass(frozen=True, slots=True)
class View:
    """What is looked at. `zoom` 1 covers the output; `x`, `y` move the picture by widths and heights of the output.

    `rotate` is in degrees, anticlockwise; `mirror` is one of MIRRORS: the part that is kept and reflected.
    """

    zoom: float = 1.0
    x: float = 0.0
    y: float = 0.0
    rotate: float = 0.0
    mirror: str = "off"

    def taps(self, source: tuple[int, int], size: tuple[int, int]) -> int:
        """How many reads along each axis it takes to miss no source pixel; one of TAPS."""
        pixels = min(source[0] / size[0], source[1] / size[1]) / self.zoom
        return next((taps for taps in TAPS if pixels <= 2.0 * taps + 0.05), TAPS[-1])

    def uniforms(self, source: tuple[int, int], size: tuple[int, int]) -> dict[str, Uniform]:
        """The shader's uniforms for a source and an output of these (width, height)."""
        aspect = size[0] / size[1]
        own = source[0] / source[1]
        # The source's width and height when it just covers the output, in heights of the output.
        wide, high = (own, 1.0) if own > aspect else (aspect, aspect / own)
        a = math.radians(-self.rotate)
        cos, sin = math.cos(a) / self.zoom, math.sin(a) / self.zoom
        return {
            "extent": (aspect, 1.0),
            "pixel": (1.0 / size[1], 1.0 / size[1]),
            "turn": (cos / wide, sin / high, -sin / wide, cos / high),
            "middle": (0.5 - self.x * aspect / wide, 0.5 - self.y / high),
            "mirror": MIRRORS.index(self.mirror),
        }


class Framing:
    """Lays a picture onto a target as a View says. Render thread; cost on a CPU rasteriser: 0.5 ms at 256 x 256."""

    def __init__(self) -> None:
        self._programs = {n: Program(SHADER.replace("TAPS", str(n)), name="framing") for n in TAPS}
        self._target: Target | None = None

    def draw(self, picture: Texture, size: tuple[int, int], view: View, rough: bool = False) -> Texture:
        """The picture framed to `size`, RGBA8, straight alpha; the picture itself where nothing is to be done.

        `rough` reads once a pixel, whatever is skipped: for what will be averaged over many pixels anyway.
        """
        if (picture.width, picture.height) == size and view == View():
            return picture
        if self._target is None:
            self._target = Target(*size)
        self._target.resize(*size)
        own = picture.width, picture.height
        taps = 1 if rough else view.taps(own, size)
        self._programs[taps].draw(self._target, {"picture": picture}, view.uniforms(own, size))
        return self._target.texture

    def close(self) -> None:
        """Give everything back. May be called twice."""
        for program in self._programs.values():
            program.close()
        if self._target is not None:
            self._target.close()
            self._target = None
