"""Framing: which part of a picture is looked at, and how it is laid onto the generator's own shape.

The picture covers the output without being stretched (what stands over is cut off evenly), then it is zoomed,
moved, turned and mirrored. Past its edge it goes on as its own reflection: there is never a border for a
generator to dream about. Where the picture is larger than the output it is averaged, not skipped.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from perform.frame import Texture
from perform.gl.cover import cover
from perform.gl.shader import Program, Uniform
from perform.gl.target import Target

MIRRORS = ("off", "left", "right", "top", "bottom", "quad")
TAPS = (1, 2, 3, 4, 6)  # reads an axis for one output pixel; each spans two source pixels

LOOK = """#version 330 core
in vec2 uv;
out vec4 color;
uniform sampler2D picture;
uniform vec2 extent;   // of the output, in its own heights
uniform vec2 pixel;    // one output pixel, in the same unit
uniform vec4 turn;     // the 2 x 2 matrix from there to the source's 0..1, column by column
uniform vec2 middle;   // where in the source the middle of the output lies
uniform int mirror;    // 0 off, 1 left, 2 right, 3 top, 4 bottom, 5 quad
const int taps = TAPS; // reads along each axis; a constant, which a CPU rasteriser unrolls (three times as fast)

vec2 mirrored(vec2 p) {
    if (mirror == 1 || mirror == 5) p.x = -abs(p.x);
    if (mirror == 2) p.x = abs(p.x);
    if (mirror == 3 || mirror == 5) p.y = abs(p.y);
    if (mirror == 4) p.y = -abs(p.y);
    return p;
}

vec4 seen(vec2 p) {  // premultiplied
    vec2 q = mat2(turn.xy, turn.zw) * p + middle;
    vec4 c = texture(picture, 1.0 - abs(mod(q, 2.0) - 1.0));
    return vec4(c.rgb * c.a, c.a);
}
"""
PIXELS = """
void main() {
    vec2 p = mirrored((uv - 0.5) * extent);
    vec4 sum = vec4(0.0);
    for (int j = 0; j < taps; j++) {
        for (int i = 0; i < taps; i++) sum += seen(p + pixel * ((vec2(i, j) + 0.5) / float(taps) - 0.5));
    }
    // Averaged premultiplied, given on straight; an all-transparent pixel keeps its black.
    color = vec4(sum.rgb / max(sum.a, 1e-5), sum.a / float(taps * taps));
}
"""
# Straight to the first half of a reduction: each output pixel is one of `taps` lines of a cell, read at `taps` places.
LINES = """
uniform float columns;
void main() {
    vec2 p = (uv - 0.5) * extent;
    float wide = extent.x / columns;
    vec3 sum = vec3(0.0);
    for (int i = 0; i < taps; i++) {
        float along = (float(i) + 0.5) / float(taps) - 0.5;
        sum += seen(mirrored(p + vec2(along * wide, 0.0))).rgb;
    }
    color = vec4(sum / float(taps), 1.0);
}
"""
DENSE = (8, 12)  # reads an axis in a cell: for cells up to 12 pixels, and above


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
        wide, high = cover(own, aspect)
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
    """Lays a picture onto a target as a View says. Render thread; cost on a CPU rasteriser: 0.7 ms at 256 x 256."""

    def __init__(self) -> None:
        self._pixels = {n: Program(LOOK.replace("TAPS", str(n)) + PIXELS, name="framing") for n in TAPS}
        self._lines = {n: Program(LOOK.replace("TAPS", str(n)) + LINES, name="framing: cells") for n in DENSE}
        self._target, self._spare = Target(1, 1), Target(1, 1)
        self._cells = Target(1, 1, "rgba32f")

    def draw(self, picture: Texture, size: tuple[int, int], view: View) -> Texture:
        """The picture framed to `size`, RGBA8, straight alpha; the picture itself where nothing is to be done."""
        own = picture.width, picture.height
        if own == size and view == View():
            return picture
        if picture.id == self._target.texture.id:  # feedback: layers that look at each other hand it its own picture
            self._target, self._spare = self._spare, self._target
        self._target.resize(*size)
        self._pixels[view.taps(own, size)].draw(self._target, {"picture": picture}, view.uniforms(own, size))
        return self._target.texture

    def lines(self, picture: Texture, size: tuple[int, int], view: View, cells: tuple[int, int]) -> Texture:
        """What `draw` and a mean over the columns of a grid of `cells` would give, without the picture in between.

        Float; `cells[0]` wide and a whole number of lines to each cell high; laid on black. Costs a quarter.
        """
        own = picture.width, picture.height
        taps = DENSE[0] if size[0] <= 12 * cells[0] else DENSE[1]
        self._cells.resize(cells[0], cells[1] * taps)
        uniforms = view.uniforms(own, size) | {"columns": float(cells[0])}
        self._lines[taps].draw(self._cells, {"picture": picture}, uniforms)
        return self._cells.texture

    def close(self) -> None:
        """Give everything back. May be called twice."""
        for program in (*self._pixels.values(), *self._lines.values()):
            program.close()
        self._target.close()
        self._spare.close()
        self._cells.close()
