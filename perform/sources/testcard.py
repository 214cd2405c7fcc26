"""A test card, drawn rather than stored: sharp at every size, and it moves, so that a frozen output is seen."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

from perform.clock import wrap
from perform.frame import Frame
from perform.gl.shader import Program, Uniform
from perform.gl.target import Target
from perform.plugins import Closing, Stage

# Lengths are in the picture's shorter side, y upwards, the origin in the middle; `px` is one pixel.
COMMON = """#version 330 core
out vec4 color;
uniform vec2 size;       // pixels
float px;
vec2 edge;               // half the picture

const float CELL = 0.008;  // a pixel of the letters
const vec3 PAPER = vec3(0.93, 0.91, 0.87);
const vec3 AMBER = vec3(0.98, 0.68, 0.28);

float fill(float d) { return clamp(0.5 - d / px, 0.0, 1.0); }
float line(float d, float width) { return fill(abs(d) - 0.5 * width * px); }
float box(vec2 p, vec2 half_size) { vec2 d = abs(p) - half_size; return max(d.x, d.y); }

// 3x5 glyphs, one bit a pixel, rows from the bottom, three bits a row: 0-9, then x and :
const int GLYPH[12] = int[12](31599, 29850, 29671, 31207, 18925, 31183, 31695, 18727, 31727, 31215, 2728, 1040);
float glyph(vec2 p, int n) {                 // p in glyph cells of 3x5
    ivec2 c = ivec2(floor(p));
    if (any(lessThan(c, ivec2(0))) || c.x > 2 || c.y > 4) return 0.0;
    int row = 4 - c.y;
    return float((GLYPH[n] >> (row * 3 + c.x)) & 1);
}
float number(vec2 p, int value, int digits) { // right-aligned in `digits` cells of 4x5
    int cell = int(floor(p.x / 4.0));
    if (cell < 0 || cell >= digits) return 0.0;
    for (int i = digits - 1; i > cell; i--) value /= 10;
    return glyph(vec2(p.x - 4.0 * float(cell), p.y), value % 10);
}
void lay(inout vec3 c, vec3 over, float a) { c = mix(c, over, a); }
vec2 place() {                                // sets px and edge, gives this pixel's place
    px = 1.0 / min(size.x, size.y);
    edge = 0.5 * size * px;
    return (gl_FragCoord.xy - 0.5 * size) * px;
}
"""
STILL = (
    COMMON
    + """
int places(int n) { return n > 9999 ? 5 : n > 999 ? 4 : n > 99 ? 3 : n > 9 ? 2 : 1; }

vec3 bars(float x) {                          // 75 % bars, in the order of SMPTE EG 1
    int i = int(clamp(floor(x * 7.0), 0.0, 6.0));
    const vec3 c[7] = vec3[7](vec3(1), vec3(1, 1, 0), vec3(0, 1, 1), vec3(0, 1, 0), vec3(1, 0, 1), vec3(1, 0, 0),
                              vec3(0, 0, 1));
    return c[i] * 0.75;
}
vec3 naturals(float x) {                      // what eyes know: skin, earth, leaf, sky, sea, petal, sun, dusk
    int i = int(clamp(floor(x * 8.0), 0.0, 7.0));
    const vec3 c[8] = vec3[8](vec3(.76, .59, .51), vec3(.45, .32, .27), vec3(.35, .42, .26), vec3(.38, .48, .62),
                              vec3(.20, .45, .48), vec3(.74, .33, .37), vec3(.93, .75, .35), vec3(.38, .28, .45));
    return c[i];
}
float star(vec2 p, float r) {                 // a Siemens star: focus, and how a projector scales
    float d = length(p), a = atan(p.y, p.x);
    float spokes = smoothstep(-0.5, 0.5, sin(a * 18.0) * d * 6.0 / (18.0 * px) * 0.5);
    return fill(d - r) * mix(0.5, spokes, clamp(d / (18.0 * px * 1.2) , 0.0, 1.0));
}

void grid(inout vec3 c, vec2 p) {
    vec2 cell = abs(fract(p * 12.0 + 0.5) - 0.5) / 12.0;
    lay(c, vec3(0.27, 0.28, 0.30), max(line(cell.x, 1.0), line(cell.y, 1.0)) * 0.8);
    lay(c, vec3(0.50), max(line(p.x, 1.0), line(p.y, 1.0)) * 0.9);
}
void frames(inout vec3 c, vec2 p) {           // action safe 93 %, title safe 90 % (EBU R 95), brackets at the corners
    for (int i = 0; i < 2; i++) {
        vec2 h = edge * (i == 0 ? 0.93 : 0.90);
        float corner = step(h.x - 0.075, abs(p.x)) * step(h.y - 0.075, abs(p.y));
        lay(c, i == 0 ? PAPER : AMBER, line(box(p, h), 1.5) * corner);
    }
    lay(c, PAPER, line(box(p, edge - 0.5 * px), 1.0));   // the outermost pixels: seen only if nothing is cut off
    vec2 q = edge - abs(p);                              // arrows that touch the edges
    float arrow = min(max(abs(p.x) - q.y, q.y - 0.028), max(abs(p.y) - q.x, q.x - 0.028));
    lay(c, PAPER, fill(arrow));
}
void chart(inout vec3 c, vec2 p) {            // inside the big circle
    float inside = fill(length(p) - 0.43);
    lay(c, vec3(0.10, 0.105, 0.115), inside * 0.82);
    vec2 q = p / vec2(0.60, 1.0) + vec2(0.5, 0.0);       // 0..1 across the chart
    bool across = q.x > 0.0 && q.x < 1.0;
    if (!across) return;
    if (p.y > 0.13 && p.y < 0.25) lay(c, bars(q.x), 1.0);
    if (p.y > 0.03 && p.y < 0.12) lay(c, naturals(q.x), 1.0);
    if (p.y > -0.06 && p.y < 0.02) lay(c, vec3(floor(q.x * 11.0) / 10.0), 1.0);
    if (p.y > -0.14 && p.y < -0.06) lay(c, vec3(q.x), 1.0);
}
void label(inout vec3 c, vec2 p) {            // the picture's size
    int w = int(size.x + 0.5), h = int(size.y + 0.5), nw = places(w), nh = places(h);
    vec2 q = (p - vec2(-0.5 * float(4 * (nw + nh + 1) - 1) * CELL, 0.300)) / CELL;
    float on = number(q, w, nw) + glyph(q - vec2(4 * nw, 0), 10) + number(q - vec2(4 * nw + 4, 0), h, nh);
    lay(c, PAPER, clamp(on, 0.0, 1.0));
}
void dial(inout vec3 c, vec2 p) {
    float r = length(p), turn = atan(p.x, p.y) / 6.2831853;
    lay(c, PAPER, line(r - 0.44, 2.0));
    float ticks = line((fract(turn * 60.0 + 0.5) - 0.5) / 60.0 * 6.2831853 * r, 1.0);
    lay(c, PAPER, ticks * fill(abs(r - 0.462) - 0.004));
}
void main() {
    vec2 p = place();
    vec3 c = mix(vec3(0.175, 0.18, 0.19), vec3(0.095, 0.10, 0.115), smoothstep(0.1, 1.4, length(p / edge)));
    grid(c, p);
    if (max(edge.x, edge.y) > 0.6) {          // room for stars in the corners
        float r = 0.085;
        vec2 q = abs(p) - (edge * 0.90 - r - 0.02);
        lay(c, vec3(0.10), fill(length(q) - r - 0.010));
        lay(c, PAPER * star(q, r), fill(length(q) - r));
        lay(c, PAPER, line(length(q) - r - 0.010, 1.5));
    }
    chart(c, p);
    label(c, p);
    dial(c, p);
    frames(c, p);
    color = vec4(c, 1.0);
}
"""
)
MOVING = (
    COMMON
    + """
uniform sampler2D card;
uniform float time;      // show time in seconds, wrapped
uniform int seconds;     // whole seconds of show time
uniform float fps;

float turn(vec2 p) { return fract(atan(p.x, p.y) / 6.2831853); }
void clock(inout vec3 c, vec2 p) {            // how long the show has run
    int s = seconds;
    vec2 q = (p - vec2(-0.5 * 31.0 * CELL, -0.225)) / CELL;
    float on = number(q, s / 3600, 2) + glyph(q - vec2(8, 0), 11) + number(q - vec2(12, 0), (s / 60) % 60, 2);
    on += glyph(q - vec2(20, 0), 11) + number(q - vec2(24, 0), s % 60, 2);
    lay(c, PAPER, clamp(on, 0.0, 1.0));
}
void strip(inout vec3 c, vec2 p) {            // one cell a frame, a second from left to right
    float n = max(1.0, fps), frame = mod(floor(time * n + 0.5), n);
    vec2 q = vec2(p.x / 0.50 + 0.5, p.y + 0.285);
    if (q.x <= 0.0 || q.x >= 1.0 || abs(q.y) >= 0.019) return;
    float cell = floor(q.x * n), behind = mod(frame - cell + n, n) / n;
    lay(c, mix(vec3(0.20), AMBER, pow(1.0 - behind, 12.0)), step(0.16, fract(q.x * n)));
}
void main() {
    vec2 p = place();
    vec3 c = texelFetch(card, ivec2(gl_FragCoord.xy), 0).rgb;
    float r = length(p), swept = float(seconds % 60) / 60.0;   // a minute
    lay(c, AMBER, line(r - 0.4515, max(2.0, 0.006 / px)) * step(turn(p), swept));
    clock(c, p);
    strip(c, p);
    float breath = 0.5 - 0.5 * cos(time * 0.6283185);          // ten seconds
    lay(c, AMBER, fill(length(p - vec2(0.0, -0.345)) - mix(0.006, 0.018, breath)));
    color = vec4(c, 1.0);
}
"""
)


@dataclass
class TestCard(Closing):
    """`type = "testcard"`: greys, colours, circle, safe areas, the picture's size, and something that moves.

    Always there: never `lost`. Costs a pass over the middle of the picture, once a second over all of it.
    """

    __test__ = False  # pytest: not a class of tests

    def open(self, stage: Stage) -> Self:
        """Render thread."""
        width, height = stage.size
        self._uniforms: dict[str, Uniform] = {"size": (float(width), float(height)), "fps": stage.fps}
        self._still = Target(width, height)
        card = Program(STILL, name="testcard")
        card.draw(self._still, {}, self._uniforms)
        card.close()
        self._program = Program(MOVING, name="testcard, moving")
        self._target = Target(width, height)
        side = min(width, height)  # what moves more than once a second lies in this part: x, y, width, height
        self._part = (int(width / 2 - 0.26 * side), int(height / 2 - 0.38 * side), int(0.52 * side), int(0.22 * side))
        self._second = -1
        self._now = -math.inf
        self._frame = Frame(self._target.texture, 0.0, 0)
        return self

    lost = False

    def frame(self, now: float) -> Frame:
        """The card at show time `now`. Render thread."""
        if now != self._now:
            self._now = now
            second = int(now) % 360_000
            uniforms = {**self._uniforms, "time": wrap(now), "seconds": second}
            viewport = self._part if second == self._second else None
            self._second = second
            self._program.draw(self._target, {"card": self._still.texture}, uniforms, viewport=viewport)
            self._frame = Frame(self._target.texture, now, self._frame.serial + 1)
        return self._frame

    def close(self) -> None:
        """Render thread; twice is allowed."""
        self._target.close()
        self._still.close()
        self._program.close()
