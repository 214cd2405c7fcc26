"""The trained condition on the GPU: the twin of perform/lab/conditions.py, step by step and number by number.

area down -> (temporal smoothing) -> cubic up -> grey -> black and white points -> gamma -> contrast -> brightness
-> invert -> grain -> 8 bits. Down and up are separable: a 256 x 256 picture at 16 pixels a cell is read once,
everything in between is small, and the last pass reads once a pixel.
Luma is linear, so taking it after the cubic is the same as before the reduction; colour can then stay (`grey`).
"""

from __future__ import annotations

from dataclasses import dataclass

from perform.frame import Texture
from perform.gl.shader import Program
from perform.gl.target import Target

HEAD = """#version 330 core
in vec2 uv;
out vec4 color;
uniform sampler2D picture;
"""

# Cell i of n over `size` pixels is the plain mean of the pixels floor(i size / n) .. ceil((i + 1) size / n) - 1
# (torch: adaptive_avg_pool2d, which is F.interpolate's mode="area"). Seen from either end the cells are the same,
# so that rows counted from the bottom change nothing. Transparent pixels are laid on black.
ROWS = """
uniform int columns;
void main() {
    ivec2 p = ivec2(gl_FragCoord.xy);
    int size = textureSize(picture, 0).x;
    int from = p.x * size / columns;
    int to = ((p.x + 1) * size + columns - 1) / columns;
    vec3 sum = vec3(0.0);
    for (int x = from; x < to; x++) {
        vec4 c = texelFetch(picture, ivec2(x, p.y), 0);
        sum += c.rgb * c.a;
    }
    color = vec4(sum / float(to - from), 1.0);
}
"""

# The same down the columns; then what was there a moment ago is mixed in, for as long as `still` seconds where
# nothing moves, and hardly at all where the difference is larger than noise would be.
COLUMNS = """
uniform sampler2D past;
uniform int rows;
uniform float still;    // time constant in seconds; 0: no smoothing
uniform float elapsed;  // seconds since `past` was drawn
void main() {
    ivec2 p = ivec2(gl_FragCoord.xy);
    int size = textureSize(picture, 0).y;
    int from = p.y * size / rows;
    int to = ((p.y + 1) * size + rows - 1) / rows;
    vec3 sum = vec3(0.0);
    for (int y = from; y < to; y++) {
        vec4 c = texelFetch(picture, ivec2(p.x, y), 0);
        sum += c.rgb * c.a;
    }
    vec3 now = sum / float(to - from);
    if (still > 0.0) {
        vec3 old = texture(past, uv).rgb;
        vec3 gap = abs(now - old);
        float moved = smoothstep(0.03, 0.18, max(gap.r, max(gap.g, gap.b)));
        now = mix(now, old, exp(-elapsed / (still * (1.0 - moved) + 0.002)));
    }
    color = vec4(now, 1.0);
}
"""

# Keys' cubic with a = -0.75, edges continued: what torch calls bicubic with align_corners=False.
CUBIC = """
const float A = -0.75;
vec4 weights(float t) {
    vec4 d = vec4(1.0 + t, t, 1.0 - t, 2.0 - t);
    vec2 near = ((A + 2.0) * d.yz - (A + 3.0)) * d.yz * d.yz + 1.0;
    vec2 far = ((A * d.xw - 5.0 * A) * d.xw + 8.0 * A) * d.xw - 4.0 * A;
    return vec4(far.x, near.x, near.y, far.y);
}
"""
# Four rows of the grid's luma side by side in one pixel: row j holds the cells j - 2 .. j + 1 that the cubic will ask
# for together. The full-size pass then reads once instead of four times, which halves the whole condition.
STACK = """
void main() {
    ivec2 p = ivec2(gl_FragCoord.xy);
    int last = textureSize(picture, 0).y - 1;
    vec4 v;
    for (int k = 0; k < 4; k++)
        v[k] = dot(texelFetch(picture, ivec2(p.x, clamp(p.y + k - 2, 0, last)), 0).rgb, vec3(0.299, 0.587, 0.114));
    color = v;
}
"""
WIDEN = """
uniform int width;
void main() {
    int count = textureSize(picture, 0).x, y = int(gl_FragCoord.y);
    float s = gl_FragCoord.x * float(count) / float(width) - 0.5;
    int i = int(floor(s));
    vec4 w = weights(s - floor(s));
    color = vec4(0.0);
    for (int k = 0; k < 4; k++) color += w[k] * texelFetch(picture, ivec2(clamp(i + k - 1, 0, count - 1), y), 0);
}
"""

# Three ways to the light of a pixel: from stacked rows (grey), from four rows (colour), as it is (not reduced).
STACKED = """
#define Light float
uniform int rows, height;
float light() {
    float s = gl_FragCoord.y * float(rows) / float(height) - 0.5;
    float row = floor(s);
    return dot(weights(s - row), texelFetch(picture, ivec2(int(gl_FragCoord.x), int(row) + 1), 0));
}
"""
COLOURED = """
#define Light vec3
uniform int rows, height;
uniform float grey;
vec3 light() {
    int x = int(gl_FragCoord.x);
    float s = gl_FragCoord.y * float(rows) / float(height) - 0.5;
    int i = int(floor(s));
    vec4 w = weights(s - floor(s));
    vec3 v = vec3(0.0);
    for (int k = 0; k < 4; k++) v += w[k] * texelFetch(picture, ivec2(x, clamp(i + k - 1, 0, rows - 1)), 0).rgb;
    return mix(v, vec3(dot(v, vec3(0.299, 0.587, 0.114))), grey);
}
"""
UNREDUCED = """
#define Light vec3
uniform int height;
uniform float grey;
vec3 light() {
    vec4 c = texelFetch(picture, ivec2(gl_FragCoord.xy), 0);
    return mix(c.rgb, vec3(dot(c.rgb, vec3(0.299, 0.587, 0.114))), grey) * c.a;
}
"""
# The grain is a hash of the pixel's column and row (from the top): it never moves, and is the lab's to the bit.
TONES = """
uniform float black, white, gamma, contrast, brightness, invert, grain;
float speckle() {
    uint h = uint(gl_FragCoord.x) * 0x9E3779B1u + uint(height - 1 - int(gl_FragCoord.y)) * 0x85EBCA77u;
    h = (h ^ (h >> 16)) * 0x7FEB352Du;
    h = (h ^ (h >> 15)) * 0x846CA68Bu;
    h ^= h >> 16;
    return (float((h & 255u) + ((h >> 8) & 255u) + ((h >> 16) & 255u) + (h >> 24)) - 510.0) / 147.8;
}
void main() {
    Light v = clamp((light() - black) / max(white - black, 0.001), 0.0, 1.0);
    if (gamma != 1.0) v = pow(max(v, 1e-30), Light(1.0 / gamma));  // 0 to a power is undefined
    v = (v - 0.5) * contrast + 0.5 + brightness;
    v += (1.0 - 2.0 * v) * invert;
    if (grain > 0.0) v += grain * speckle();
    color = vec4(vec3(clamp(v, 0.0, 1.0)), 1.0);
}
"""


@dataclass(frozen=True, slots=True)
class Tone:
    """The numbers of the condition. `reduce` is in pixels a cell; the rest are display values as in the lab."""

    reduce: float = 16.0
    black: float = 0.0
    white: float = 1.0
    gamma: float = 1.0
    contrast: float = 1.0
    brightness: float = 0.0
    invert: float = 0.0
    grain: float = 0.0
    grey: float = 1.0


def cells(size: tuple[int, int], reduce: float) -> tuple[int, int]:
    """(columns, rows) of the grid for a picture of this (width, height); halves round to even, as in the lab."""
    return max(1, round(size[0] / reduce)), max(1, round(size[1] / reduce))


class Reduction:
    """Draws the condition. Render thread; cost on a CPU rasteriser: about 1 ms at 256 x 256, 3 ms at 512 x 512."""

    def __init__(self) -> None:
        steps = {
            "rows": ROWS,
            "columns": COLUMNS,
            "stack": STACK,
            "widen": CUBIC + WIDEN,
            "stacked": CUBIC + STACKED + TONES,
            "coloured": CUBIC + COLOURED + TONES,
            "unreduced": UNREDUCED + TONES,
        }
        self._steps = {name: Program(HEAD + code, name=f"condition: {name}") for name, code in steps.items()}
        self._narrow, self._stack, self._wide = (Target(1, 1, "rgba32f") for _ in range(3))
        self._grids = [Target(1, 1, "rgba32f"), Target(1, 1, "rgba32f")]  # this moment's and the last one's
        self._out = Target(1, 1)
        self._last: float | None = None

    def draw(self, picture: Texture, tone: Tone, smooth: float, now: float) -> Texture:
        """The condition of a picture, same size, RGBA8, grey with alpha 255.

        `smooth` is the time constant in seconds of the temporal smoothing (0: none), `now` show time in seconds.
        """
        size = picture.width, picture.height
        if cells(size, tone.reduce) == size:
            light = picture if smooth <= 0.0 else self._settle(picture, size, smooth, now)
            return self._finish("unreduced", light, size, tone)
        columns = cells(size, tone.reduce)[0]
        self._narrow.resize(columns, size[1])
        self._steps["rows"].draw(self._narrow, {"picture": picture}, {"columns": columns})
        return self.draw_lines(self._narrow.texture, size, tone, smooth, now)

    def draw_lines(self, lines: Texture, size: tuple[int, int], tone: Tone, smooth: float, now: float) -> Texture:
        """The condition of `size` (width, height) from what is already one cell wide in each column of the grid."""
        columns, rows = cells(size, tone.reduce)
        light = self._settle(lines, (columns, rows), smooth, now)
        step = "coloured" if tone.grey < 1.0 else "stacked"
        if step == "stacked":
            self._stack.resize(columns, rows + 1)
            self._steps["stack"].draw(self._stack, {"picture": light})
            light = self._stack.texture
        self._wide.resize(size[0], light.height)
        self._steps["widen"].draw(self._wide, {"picture": light}, {"width": size[0]})
        return self._finish(step, self._wide.texture, size, tone)

    def _finish(self, step: str, light: Texture, size: tuple[int, int], tone: Tone) -> Texture:
        self._out.resize(*size)
        uniforms = {name: getattr(tone, name) for name in Tone.__dataclass_fields__}
        uniforms |= {"rows": cells(size, tone.reduce)[1], "height": size[1]}
        self._steps[step].draw(self._out, {"picture": light}, uniforms)
        return self._out.texture

    def _settle(self, narrow: Texture, size: tuple[int, int], smooth: float, now: float) -> Texture:
        """The grid of cells at this moment, smoothed with the last one (which may have had another size)."""
        self._grids.reverse()
        grid, past = self._grids
        grid.resize(*size)
        elapsed = 0.0 if self._last is None else now - self._last
        # A first picture, or one long after the last, starts from itself.
        still = smooth if 0.0 < elapsed < 2.0 else 0.0
        self._last = now
        uniforms = {"rows": size[1], "still": still, "elapsed": elapsed}
        self._steps["columns"].draw(grid, {"picture": narrow, "past": past.texture}, uniforms)
        return grid.texture

    def close(self) -> None:
        """Give everything back. May be called twice."""
        for program in self._steps.values():
            program.close()
        for target in (self._narrow, self._stack, self._wide, *self._grids, self._out):
            target.close()
