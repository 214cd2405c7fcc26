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
from perform.gl.dither import DITHER
from perform.gl.shader import Program
from perform.gl.target import Target
from perform.gl.transfer import Readback, copy
from perform.layers.flashguard import GRID, FlashGuard
from perform.layers.inset import INSET, draw_inset
from perform.layers.memory import inside
from perform.params import Param, Params, Spec

INSETS = ("off", "inset", "side-by-side")
HOLD = 1.5  # seconds: time constant of the low-pass of a held picture; three red flashes a second stay below theirs
MIDDLE = (4 * GRID[0], 4 * GRID[1])  # the first of two steps from the composite to the flash guard's cells
ALERT = 1.0  # flashes a second from which the guard may soon hold
PLAIN = {
    "gamma": 1.0,
    "hue": 0.0,
    "hold": 0.0,
    "falling": False,
    "linear": False,
    "side": 0.0,
}  # nothing special is wanted

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
uniform bool falling;           // a blackout during which nothing may get brighter
uniform bool linear;
uniform float stage;            // aspect
uniform float side;             // 0 full, 1 side by side
uniform vec2 givenextent;       // given covers half a stage
uniform vec2 dreamextent;       // composite covers half a stage
uniform float frame;
vec3 turned(vec3 c) {           // hue by rotation about the grey axis (Rodrigues)
    const vec3 k = vec3(0.57735027);
    return c * cos(hue) + cross(k, c) * sin(hue) + k * dot(k, c) * (1.0 - cos(hue));
}
vec3 graded(vec4 c) {
    vec3 rgb = max(c.rgb, 0.0); // premultiplied over black
    if (linear) rgb = mix(rgb * 12.92, 1.055 * pow(rgb, vec3(1.0 / 2.4)) - 0.055, step(0.0031308, rgb));
    return pow(clamp(turned(rgb), 0.0, 1.0), vec3(1.0 / gamma));
}
void main() {
#if defined MEAN                // of evenly spread pixels: with few of them, noise would count as flashes
    vec2 step = vec2(textureSize(composite, 0)) / vec2(MIDDLE);
    vec4 sum = vec4(0.0);
    for (int y = 0; y < MEAN; y++)
        for (int x = 0; x < MEAN; x++)
            sum += texelFetch(composite, ivec2((gl_FragCoord.xy - 0.5 + (vec2(x, y) + 0.5) / float(MEAN)) * step), 0);
    color = sum / float(MEAN * MEAN);
    return;
#elif defined SMALL             // what would be shown, for the flash guard: the mean of a cell's 16 means
    vec4 sum = vec4(0.0);
    for (int y = 0; y < 4; y++)
        for (int x = 0; x < 4; x++) sum += texelFetch(composite, 4 * ivec2(gl_FragCoord.xy) + ivec2(x, y), 0);
    vec3 mean = graded(sum / 16.0);
#ifdef HALVES                   // side by side: what was given is half of what is shown
    vec2 size = vec2(textureSize(composite, 0)) / 4.0;
    vec4 left = vec4(0.0), right = vec4(0.0);
    for (int y = 0; y < 4; y++)
        for (int x = 0; x < 4; x++) {
            vec2 at = (gl_FragCoord.xy - 0.5 + (vec2(x, y) + 0.5) / 4.0) / size;
            vec2 box = (vec2(fract(at.x * 2.0), at.y) - 0.5) * vec2(stage * 0.5, 1.0);
            left += texture(given, box / givenextent + 0.5);
            right += texture(composite, box / dreamextent + 0.5);
        }
    mean = mix(mean, uv.x < 0.5 ? left.rgb / 16.0 : graded(right / 16.0), side);
#endif
    color = vec4(mean * level, 1.0);
    return;
#endif
#ifdef PLAIN
    vec3 rgb = texture(composite, uv).rgb * level;
#else
    vec3 rgb = graded(texture(composite, uv));
    if (side > 0.0) {
        vec2 box = (vec2(fract(uv.x * 2.0), uv.y) - 0.5) * vec2(stage * 0.5, 1.0);
        vec3 left = texture(given, box / givenextent + 0.5).rgb;
        vec2 off = 0.125 / vec2(textureSize(composite, 0));  // off the border of two pixels, where either may be read
        vec3 right = graded(texture(composite, box / dreamextent + 0.5 + off));
        rgb = mix(rgb, uv.x < 0.5 ? left : right, side);
    }
    vec3 was = texture(before, uv).rgb;
    rgb = mix(clamp(rgb * level, 0.0, 1.0), was, hold);
    if (falling) rgb = min(rgb, was);
#endif
    color = vec4(rgb + dither(frame) / 255.0, 1.0);
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
    """Composite -> the picture that every sink gets: RGBA8, opaque. Render thread; one pass, and two small ones for the
    flash guard.
    """

    size: tuple[int, int]
    params: Params
    knobs: MasterParams
    linear: bool = False
    software: bool = True
    guard: FlashGuard = field(default_factory=FlashGuard)
    _programs: dict[str, Program] = field(default_factory=dict)
    _targets: list[Target] = field(default_factory=list)
    _steps: list[Target] = field(default_factory=list)  # down to the guard's cells
    _kept: Target | None = None  # what was given last, while that is still seen
    _over: Target | None = None  # what is shown, where the inset must not get into what is held
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
        given = self._last(given, now)
        before, after = self._targets
        uniforms = self._uniforms() | self._halves(given)
        self._watch(composite, given, uniforms, now)
        hold = self._hold(now, dt) if self.knobs.flashguard.value else 0.0
        # Nothing holds a blackout back. What comes out of one is held, so that tapping it is no way around the guard.
        falling = hold > 0.0 and bool(self.knobs.blackout.value)
        hold *= 1.0 - self._dark if falling else 1.0
        uniforms |= {"hold": hold, "falling": falling}
        kind = "full" if any(uniforms[k] != v for k, v in PLAIN.items()) else "plain"
        textures = {"composite": composite.texture, "given": (given or composite).texture, "before": before.texture}
        self._programs[kind].draw(after, textures, uniforms)
        shown = after
        if given is not None and self._inset > 0.0:
            if hold > 0.0 or self.guard.flashes >= ALERT:  # held with it, its shadow would add up frame by frame
                shown = self._over = self._over or Target(*self.size, "rgba8")
                copy(after.texture, shown)
            level = uniforms["level"] * _smooth(self._inset) * (1.0 - self._side)  # black is black, the corner too
            draw_inset(self._programs["inset"], shown, given, level)
        self._targets = [after, before]
        self._serial += 1
        return Frame(shown.texture, now, self._serial)

    def _hold(self, now: float, dt: float) -> float:
        """How much of what was shown `dt` seconds ago the flash guard keeps."""
        return self.guard.hold(now) * (1.0 if self.guard.frozen(now) else math.exp(-dt / HOLD))

    def _last(self, given: Frame | None, now: float) -> Frame | None:
        """What is given, or was given last while the inset or its half of the stage still goes."""
        if max(self._inset, self._side) <= 0.0:
            return given
        if given is not None:
            self._kept = self._kept or Target(*given.size, "rgba8")
            self._kept.resize(*given.size)
            copy(given.texture, self._kept)
            return given
        return Frame(self._kept.texture, now, 0) if self._kept is not None else None

    def _open(self, given: Frame | None) -> None:
        header = "#version 330 core\n" + DITHER
        mean = f"#define MEAN {min(4, math.ceil(self.size[0] / MIDDLE[0]))}\n#define MIDDLE {MIDDLE[0]}, {MIDDLE[1]}\n"
        self._programs = {
            "plain": Program(header + "#define PLAIN\n" + MASTER, name="master"),
            "full": Program(header + MASTER, name="master"),
            "inset": Program(INSET, name="inset"),
            "mean": Program(header + mean + MASTER, name="mean"),
            "small": Program(header + "#define SMALL\n" + MASTER, name="flashguard"),
            "halves": Program(header + "#define SMALL\n#define HALVES\n" + MASTER, name="flashguard"),
        }
        self._targets = [Target(*self.size, "rgba8"), Target(*self.size, "rgba8")]
        self._steps = [Target(*MIDDLE, "rgba16f", linear=False), Target(*GRID, "rgba8")]
        self._readback = Readback(*GRID, self.software)
        self.guard.late = not self.software
        self._inset, self._side = self._goals(given)

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

    def _watch(self, composite: Frame, given: Frame | None, uniforms: dict[str, Any], now: float) -> None:
        """Measures what would be shown, so that the hold lasts as long as the flashing does."""
        middle, cells = self._steps
        self._programs["mean"].draw(middle, {"composite": composite.texture})
        kind = "halves" if given is not None and self._side > 0.0 else "small"
        textures = {"composite": middle.texture, "given": (given or composite).texture}
        self._programs[kind].draw(cells, textures, uniforms)
        assert self._readback is not None
        pixels = self._readback.read(cells)  # on a GPU that of the frame before: nothing waits
        if pixels is None:
            return
        self.guard.watch(pixels[..., :3].astype(np.float32) / 255.0, now)
        if self.guard.flashes != self.knobs.flashes.value:
            self.params.publish("/status/flashes", self.guard.flashes)

    def close(self) -> None:
        """Give back GL objects."""
        things = (*self._programs.values(), *self._targets, *self._steps, self._kept, self._over, self._readback)
        for thing in things:
            if thing is not None:
                thing.close()
        self._programs, self._targets, self._steps = {}, [], []
        self._kept = self._over = self._readback = None


def _smooth(t: float) -> float:
    return t * t * (3.0 - 2.0 * t)
