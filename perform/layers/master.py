"""The last pass: the composite becomes what is shown, RGBA8, graded, guarded and dithered, in one draw.

It also shows what the generator was given: as a small quiet inset, or side by side as in *Learning to See*.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from perform.clock import toward
from perform.frame import Frame
from perform.gl.cover import cover
from perform.gl.shader import Program
from perform.gl.target import Target
from perform.gl.transfer import Readback
from perform.layers.flashguard import GRID, FlashGuard
from perform.layers.memory import inside
from perform.params import Param, Params, Spec

INSETS = ("off", "inset", "side-by-side")
MARGIN, WIDTH = 0.045, 0.2  # of the inset: in stage heights, in stage widths
HOLD = 0.27  # seconds: time constant of the low-pass that a held picture goes through
PLAIN = {"gamma": 1.0, "hue": 0.0, "hold": 0.0, "linear": False, "side": 0.0}  # nothing special is wanted

# A software rasteriser runs both arms of every `if`, so what is rarely wanted is compiled in only when it is:
# PLAIN is the ordinary frame, and half the cost.
MASTER = """in vec2 uv;
out vec4 color;
uniform sampler2D composite;
uniform sampler2D given;
uniform sampler2D before;       // what was shown last
uniform float level;            // opacity and blackout
uniform float gamma;
uniform float hue;              // radians
uniform float hold;             // flash guard: how much of what was shown stays
uniform bool linear;
uniform float stage;            // aspect
uniform float side;             // 0 full, 1 side by side
uniform vec2 givenextent;       // given covers half a stage
uniform vec2 dreamextent;       // composite covers half a stage
uniform float frame;
uniform vec2 cell;
vec3 turned(vec3 c) {           // hue by rotation about the grey axis (Rodrigues)
    const vec3 k = vec3(0.57735027);
    return c * cos(hue) + cross(k, c) * sin(hue) + k * dot(k, c) * (1.0 - cos(hue));
}
vec3 graded(vec4 c) {
    vec3 rgb = max(c.rgb, 0.0); // premultiplied over black
    if (linear) rgb = mix(rgb * 12.92, 1.055 * pow(rgb, vec3(1.0 / 2.4)) - 0.055, step(0.0031308, rgb));
    return pow(clamp(turned(rgb), 0.0, 1.0), vec3(1.0 / gamma));
}
float dither(vec2 p) {          // interleaved gradient noise (Jimenez 2014), moved each frame
    return fract(52.9829189 * fract(dot(p + 5.588238 * frame, vec2(0.06711056, 0.00583715)))) - 0.5;
}
void main() {
#if defined SMALL               // what would be shown, for the flash guard: a 4x4 grid of bilinear taps a cell
    vec4 sum = vec4(0.0);
    for (int y = 0; y < 4; y++)
        for (int x = 0; x < 4; x++)
            sum += texture(composite, uv + (vec2(x, y) - 1.5) * 0.25 * cell);
    color = vec4(graded(sum / 16.0) * level, 1.0);
    return;
#endif
#ifdef PLAIN
    vec3 rgb = texture(composite, uv).rgb * level;
#else
    vec3 rgb = graded(texture(composite, uv));
    if (side > 0.0) {
        vec2 box = (vec2(fract(uv.x * 2.0), uv.y) - 0.5) * vec2(stage * 0.5, 1.0);
        vec3 left = texture(given, box / givenextent + 0.5).rgb;
        vec3 right = graded(texture(composite, box / dreamextent + 0.5));
        rgb = mix(rgb, uv.x < 0.5 ? left : right, side);
    }
    rgb = mix(clamp(rgb * level, 0.0, 1.0), texture(before, uv).rgb, hold);
#endif
    color = vec4(rgb + dither(gl_FragCoord.xy) / 255.0, 1.0);
}
"""

# The inset, laid over what is shown: the picture, a hairline, and a soft shadow around it. Premultiplied.
INSET = """#version 330 core
out vec4 color;
uniform sampler2D given;
uniform vec2 seen;              // share of it that is shown: as much as of the dream
uniform vec4 box;               // left, bottom, width, height in pixels
uniform float level;
uniform float spread;           // of the shadow, in pixels: to nothing at the edge of what is drawn
void main() {
    vec2 p = (gl_FragCoord.xy - box.xy) / box.zw, far = (abs(p - 0.5) - 0.5) * box.zw;
    float outside = max(far.x, far.y);                    // pixels beyond the edge
    float line = 0.55 * (1.0 - smoothstep(0.5, 1.5, abs(outside - 1.0)));
    float inside = clamp(0.5 - outside, 0.0, 1.0);
    float near = clamp(1.0 - length(max(far, 0.0)) / spread, 0.0, 1.0);
    vec4 shadow = vec4(0.0, 0.0, 0.0, 0.3 * near * near * near);
    vec4 c = mix(shadow, vec4(texture(given, (p - 0.5) * seen + 0.5).rgb * 0.92, 1.0), inside);
    color = level * mix(c, vec4(0.93, 0.92, 0.88, 1.0), line);
}
"""


@dataclass(slots=True)
class MasterParams:
    """The addresses under /master."""

    opacity: Param
    blackout: Param
    freeze: Param
    gamma: Param
    hue: Param
    inset: Param
    flashguard: Param
    flashes: Param

    @classmethod
    def declare(cls, params: Params, inset: str = "inset") -> MasterParams:
        """Make /master/… with the show's choice of inset."""

        def make(key: str, spec: Spec) -> Param:
            return params.declare(f"/master/{key}", spec)

        return cls(
            opacity=make("opacity", Spec("float", 1.0, 0.0, 1.0, doc="How bright the whole show is.", smooth=0.02)),
            blackout=make("blackout", Spec("bool", False, doc="Nothing but black, in a sixth of a second.")),
            freeze=make("freeze", Spec("bool", False, doc="Hold the composite as it is.")),
            gamma=make("gamma", Spec("float", 1.0, 0.2, 5.0, curve="log", doc="Above 1 lifts the middle tones.")),
            hue=make("hue", Spec("float", 0.0, -180.0, 180.0, unit="degrees", doc="Turns all colours.", smooth=0.05)),
            inset=make("inset", Spec("choice", inset, choices=INSETS, doc="How to show what the generator was given.")),
            flashguard=make("flashguard", Spec("bool", True, doc="Hold back flashes that can hurt (WCAG 2.3.1).")),
            flashes=params.declare(
                "/status/flashes", Spec("float", 0.0, 0.0, unit="1/s", doc="Flashes in the last second.", readonly=True)
            ),
        )


@dataclass(slots=True)
class Master:
    """Composite -> the picture that every sink gets: RGBA8, opaque. Render thread; one pass plus a 32x18 one."""

    size: tuple[int, int]
    params: Params
    knobs: MasterParams
    linear: bool = False
    software: bool = True
    guard: FlashGuard = field(default_factory=FlashGuard)
    _programs: dict[str, Program] = field(default_factory=dict)
    _targets: list[Target] = field(default_factory=list)
    _small: Target | None = None
    _readback: Readback | None = None
    _serial: int = 0
    _then: float = 0.0
    _dark: float = 0.0  # blackout, eased
    _inset: float = 0.0  # inset, eased
    _side: float = 0.0  # side by side, eased

    def show(self, composite: Frame, given: Frame | None, now: float) -> Frame:
        """What is shown at `now`. `given` is what the first dreaming layer's generator got, for the inset."""
        if not self._programs:
            self._open(given)
        dt = self._ease(given, now)
        before, after = self._targets
        uniforms = self._uniforms()
        self._watch(composite, uniforms, now)
        hold = self.guard.hold(now) if self.knobs.flashguard.value else 0.0
        uniforms["hold"] = hold * math.exp(-dt / HOLD)
        uniforms |= self._halves(given)
        kind = "full" if any(uniforms[k] != v for k, v in PLAIN.items()) else "plain"
        textures = {"composite": composite.texture, "given": (given or composite).texture, "before": before.texture}
        self._programs[kind].draw(after, textures, uniforms)
        if given is not None and self._inset > 0.0:
            self._draw_inset(after, given, uniforms["level"])
        self._targets = [after, before]
        self._serial += 1
        return Frame(after.texture, now, self._serial)

    def _open(self, given: Frame | None) -> None:
        header = "#version 330 core\n"
        self._programs = {
            "plain": Program(header + "#define PLAIN\n" + MASTER, name="master"),
            "full": Program(header + MASTER, name="master"),
            "inset": Program(INSET, name="inset"),
            "small": Program(header + "#define SMALL\n" + MASTER, name="flashguard"),
        }
        self._targets = [Target(*self.size, "rgba8"), Target(*self.size, "rgba8")]
        self._small = Target(*GRID, "rgba8")
        self._readback = Readback(*GRID, self.software)
        self._inset, self._side = self._goals(given)

    def _draw_inset(self, target: Target, given: Frame, master: float) -> None:
        stage, height = self.size
        margin, width = MARGIN * height, WIDTH * stage
        box = (margin, margin, width, width * given.size[1] / given.size[0])
        around = round(margin)
        viewport = (
            round(box[0]) - around, round(box[1]) - around, round(box[2]) + 2 * around, round(box[3]) + 2 * around
        )  # fmt: skip
        level = master * _smooth(self._inset) * (1.0 - self._side)  # black is black, the corner too
        uniforms: dict[str, Any] = {"box": box, "level": level, "spread": float(around), "seen": inside(given.size)}
        self._programs["inset"].draw(target, {"given": given.texture}, uniforms, blend=True, viewport=viewport)

    def _goals(self, given: Frame | None) -> tuple[float, float]:
        choice = self.knobs.inset.value if given is not None else "off"
        return float(choice == "inset"), float(choice == "side-by-side")

    def _ease(self, given: Frame | None, now: float) -> float:
        """Nothing pops: blackout takes a sixth of a second, the inset half a second, side by side 0.8 s."""
        dt, self._then = max(0.0, now - self._then), now
        inset, side = self._goals(given)
        self._dark = toward(self._dark, float(bool(self.knobs.blackout.value)), dt / 0.16)
        self._inset = toward(self._inset, inset, dt / 0.5)
        self._side = toward(self._side, side, dt / 0.8)
        return dt

    def _uniforms(self) -> dict[str, Any]:
        return {
            "level": float(self.knobs.opacity.value) * _smooth(1.0 - self._dark),
            "gamma": float(self.knobs.gamma.value),
            "hue": math.radians(float(self.knobs.hue.value)),
            "linear": self.linear,
            "frame": float(self._serial % 64),
        }

    def _halves(self, given: Frame | None) -> dict[str, Any]:
        """Both pictures cover their half of the stage."""
        stage = self.size[0] / self.size[1]
        aspect = given.size[0] / given.size[1] if given else 1.0
        seen = inside(given.size) if given else (1.0, 1.0)
        wide, high = cover(aspect, stage * 0.5)
        return {
            "side": _smooth(self._side),
            "stage": stage,
            "givenextent": (wide / seen[0], high / seen[1]),
            "dreamextent": cover(stage, stage * 0.5),
        }

    def _watch(self, composite: Frame, uniforms: dict[str, Any], now: float) -> None:
        """Measures what would be shown, so that the hold lasts as long as the flashing does."""
        assert self._small is not None
        cell = {"cell": (1.0 / GRID[0], 1.0 / GRID[1])}
        self._programs["small"].draw(self._small, {"composite": composite.texture}, uniforms | cell)
        assert self._readback is not None
        pixels = self._readback.read(self._small)  # on a GPU that of the frame before: nothing waits
        if pixels is None:
            return
        self.guard.watch(pixels[..., :3].astype(np.float32) / 255.0, now)
        if self.guard.flashes != self.knobs.flashes.value:
            self.params.publish("/status/flashes", self.guard.flashes)

    def close(self) -> None:
        """Give back GL objects."""
        for thing in (*self._programs.values(), *self._targets, self._small, self._readback):
            if thing is not None:
                thing.close()
        self._programs, self._targets, self._small, self._readback = {}, [], None, None


def _smooth(t: float) -> float:
    return t * t * (3.0 - 2.0 * t)
