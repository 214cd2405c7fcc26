"""The composite: places each layer on the stage and blends it over what is below, in premultiplied RGBA16F.

Blending happens in display space, as performers know it from their other tools; `linear` blends in linear
light instead. `normal` needs one pass a layer (the GPU's own "over"); every other mode is a patch from
`patches/blends` with the composite as `bottom` and the placed layer as `top`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from perform.frame import Frame, Texture
from perform.gl.cover import cover
from perform.gl.isf import PatchError
from perform.gl.shader import Program
from perform.gl.target import Target
from perform.gl.transfer import copy
from perform.params import Param, Params, Spec
from perform.ranges import SHARE

# Reads an axis for one pixel of the stage: as many as it shows of a picture that is made smaller, so that no line falls
# between them. From COARSE on; what a large film on a small stage takes is compiled, which a CPU rasteriser unrolls.
TAPS = (1, 2, 3)
MOST = 8  # where they are counted: a picture made that small takes little of the stage
COARSE = 1.55  # pixels of the picture to one of the stage: 1080p on 720p costs no more than what is shown as it is
# A software rasteriser runs both arms of every `if`: PLAIN is the ordinary layer, without what it does not use.
PLACE = """out vec4 color;
uniform sampler2D picture;
uniform sampler2D mask;
uniform vec2 screen;        // size of the stage in pixels
uniform vec2 shift;         // in stage heights
uniform vec2 turn;          // cosine and sine
uniform float stage;        // aspect of the stage
uniform vec2 extent;        // of the picture, in stage heights, scale included
uniform vec2 maskextent;
uniform vec2 pixels;        // size of the picture in pixels
uniform float opacity;
uniform int masked;         // 0 no, 1 yes, -1 inverted
uniform bool linear;
uniform bool smoothly;      // bicubic when the picture is enlarged
vec4 bicubic(vec2 at) {     // Catmull-Rom: 16 texels through 5 bilinear taps, corners left out
    vec2 p = at * pixels, c = floor(p - 0.5) + 0.5, f = p - c;
    vec2 w0 = f * (-0.5 + f * (1.0 - 0.5 * f)), w1 = 1.0 + f * f * (1.5 * f - 2.5);
    vec2 w2 = f * (0.5 + f * (2.0 - 1.5 * f)), w3 = f * f * (-0.5 + 0.5 * f), w12 = w1 + w2;
    vec2 t0 = (c - 1.0) / pixels, t3 = (c + 2.0) / pixels, t12 = (c + w2 / w12) / pixels;
    vec4 s = texture(picture, vec2(t12.x, t0.y)) * w12.x * w0.y + texture(picture, vec2(t0.x, t12.y)) * w0.x * w12.y
           + texture(picture, t12) * w12.x * w12.y + texture(picture, vec2(t3.x, t12.y)) * w3.x * w12.y
           + texture(picture, vec2(t12.x, t3.y)) * w12.x * w3.y;
    return clamp(s / (w12.x * w0.y + w0.x * w12.y + w12.x * w12.y + w3.x * w12.y + w12.x * w3.y), 0.0, 1.0);
}
uniform int taps;           // reads along each axis, where TAPS does not say
vec4 seen(vec2 at) {        // the mean of what one pixel of the stage shows, colours weighted with their alpha
#if TAPS == 1
    return texture(picture, at);
#else
#if TAPS > 1
    const int taps = TAPS;
#endif
    vec2 right = dFdx(at), up = dFdy(at);
    vec4 sum = vec4(0.0);
    for (int j = 0; j < taps; j++) {
        for (int i = 0; i < taps; i++) {
            vec2 o = (vec2(i, j) + 0.5) / float(taps) - 0.5;
            vec4 c = texture(picture, at + right * o.x + up * o.y);
            sum += vec4(c.rgb * c.a, c.a);
        }
    }
    return vec4(sum.rgb / max(sum.a, 1e-5), sum.a / float(taps * taps));
#endif
}
void main() {
    vec2 uv = gl_FragCoord.xy / screen;  // of the stage, whatever part of it is drawn
    vec2 p = (uv - 0.5) * vec2(stage, 1.0) - shift;
    p = vec2(turn.x * p.x + turn.y * p.y, turn.x * p.y - turn.y * p.x);
    vec2 at = p / extent + 0.5;
    vec2 edge = min(at, 1.0 - at) / fwidth(at) + 0.5;   // one soft pixel at the picture's border
#ifdef PLAIN
    vec4 c = seen(at);
    float alpha = c.a * opacity * clamp(min(edge.x, edge.y), 0.0, 1.0);
    color = vec4(c.rgb * alpha, alpha);
#else
#if TAPS == 1
    vec4 c = smoothly ? bicubic(at) : texture(picture, at);
#else
    vec4 c = seen(at);
#endif
    float alpha = c.a * opacity * clamp(min(edge.x, edge.y), 0.0, 1.0);
    if (masked != 0) {
        vec4 m = texture(mask, (uv - 0.5) * vec2(stage, 1.0) / maskextent + 0.5);
        float luma = dot(m.rgb, vec3(0.299, 0.587, 0.114)) * m.a;
        alpha *= masked > 0 ? luma : 1.0 - luma;
    }
    vec3 rgb = linear ? mix(c.rgb / 12.92, pow((c.rgb + 0.055) / 1.055, vec3(2.4)), step(0.04045, c.rgb)) : c.rgb;
    color = vec4(rgb * alpha, alpha);
#endif
}
"""


Box = tuple[int, int, int, int]  # x, y, width, height in pixels


class Blend(Protocol):
    """A blend patch, opened: draws `bottom` and `top` (both premultiplied) into a texture."""

    def render(self, size: tuple[int, int], now: float, inputs: Mapping[str, object]) -> Texture: ...
    def close(self) -> None: ...


@dataclass(slots=True)
class Place:
    """Where a layer is on the stage: its addresses for blend, opacity, mask and transform."""

    on: Param
    solo: Param
    opacity: Param
    blend: Param
    mask: Param
    mask_invert: Param
    x: Param
    y: Param
    scale: Param
    rotate: Param

    @classmethod
    def declare(cls, params: Params, name: str, blends: Sequence[str], masks: Callable[[], Sequence[str]]) -> Place:
        """Make the addresses under `/layer/<name>`."""

        def make(key: str, spec: Spec) -> Param:
            return params.declare(f"/layer/{name}/{key}", spec)

        def number_of(default: float, lo: float, hi: float, unit: str, doc: str) -> Spec:
            return Spec("float", default, lo, hi, unit=unit, doc=doc, smooth=0.05)

        return cls(
            on=make("on", Spec("bool", True, doc="Whether the layer is shown.")),
            solo=make("solo", Spec("bool", False, doc="Show only layers that are soloed.")),
            opacity=make("opacity", Spec("float", 1.0, *SHARE, doc="How much of the layer shows.", smooth=0.02)),
            blend=make("blend", Spec("choice", "normal", choices=tuple(blends), doc="How it mixes with those below.")),
            mask=make("mask", Spec("choice", "none", live_choices=masks, doc="Whose brightness lets it through.")),
            mask_invert=make("mask/invert", Spec("bool", False, doc="Dark lets it through instead of bright.")),
            x=make("transform/x", number_of(0.0, -2.0, 2.0, "stage widths", "Moves the layer right.")),
            y=make("transform/y", number_of(0.0, -2.0, 2.0, "stage heights", "Moves the layer up.")),
            scale=make("transform/scale", number_of(1.0, 0.01, 16.0, "", "Size; 1 covers the stage.")),
            rotate=make("transform/rotate", number_of(0.0, -3600.0, 3600.0, "degrees", "Turns it anticlockwise.")),
        )


def taps(pixels: float) -> int:
    """How many reads along each axis it takes for one pixel of the stage that shows so many of a picture."""
    return 1 if pixels < COARSE else min(MOST, math.ceil(pixels - 0.2))


def box(middle: tuple[float, float], size: tuple[float, float], angle: float, stage: tuple[int, int]) -> Box | None:
    """The pixels of the stage (x, y, width, height) in which a picture lies that has this middle and size in pixels and
    is turned by so many radians, its soft edge included; None if in none."""
    c, s = abs(math.cos(angle)), abs(math.sin(angle))
    half = (c * size[0] + s * size[1]) / 2.0 + 1.0, (s * size[0] + c * size[1]) / 2.0 + 1.0
    low = [max(0, math.floor(m - h)) for m, h in zip(middle, half, strict=True)]
    high = [min(n, math.ceil(m + h)) for m, h, n in zip(middle, half, stage, strict=True)]
    if low[0] >= high[0] or low[1] >= high[1]:
        return None
    return low[0], low[1], high[0] - low[0], high[1] - low[1]


@dataclass(slots=True)
class LayerStack:
    """Blends pictures from bottom to top. Render thread. `open_blend(name)` opens a patch or raises LookupError."""

    size: tuple[int, int]
    places: Mapping[str, Place]
    open_blend: Callable[[str], Blend]
    linear: bool = False
    smoothly: bool = False
    trouble: Callable[[str], None] = lambda text: None
    _programs: dict[tuple[bool, int], Program] = field(default_factory=dict)  # plain or not, and taps (0: any)
    _composites: list[Target] = field(default_factory=list)  # the newest last: a blend that fails leaves it whole
    _placed: Target | None = None
    _blends: dict[str, Blend] = field(default_factory=dict)
    _failed: dict[str, tuple[Param, int]] = field(default_factory=dict)  # by layer: its blend and that one's serial
    _serial: int = 0

    def blend(self, pictures: Mapping[str, Frame | None], frames: Mapping[str, Frame], now: float) -> Frame:
        """The composite of this tick, premultiplied RGBA16F. `frames` holds what masks may name."""
        if not self._composites:
            self._compile()
            # Read pixel by pixel, so not interpolated: half the cost in software.
            self._composites = [Target(*self.size, "rgba16f", linear=False) for _ in range(2)]
        base = self._composites[0]
        base.clear(0.0, 0.0, 0.0, 0.0)
        below: Texture | None = None  # a blend patch's own output, while it is the newest composite
        for name, picture in pictures.items():
            if picture is None or not self.visible(name):
                continue
            if below is not None:
                copy(below, base)  # a patch owns its output, and the next may be the same patch
                below = None
            place = self.places[name]
            mode = str(place.blend.value)
            patch = None if mode == "normal" else self._patch(name, mode)
            if patch is None:
                self._draw(picture, place, frames, base, float(place.opacity.value), over=True)
                continue
            if self._placed is None:
                self._placed = Target(*self.size, "rgba16f", linear=False)
            self._draw(picture, place, frames, self._placed, 1.0, over=False)
            inputs = {"bottom": base.texture, "top": self._placed.texture, "opacity": float(place.opacity.value)}
            below = patch.render(self.size, now, inputs)
        self._composites.reverse()
        self._serial += 1
        return Frame(below or base.texture, now, self._serial)

    def _compile(self) -> None:
        """All of them at once: it must not cost the frame in which a layer is made smaller."""
        for reads, plain in itertools.product((*TAPS, 0), (True, False)):
            head = f"#version 330 core\n#define TAPS {reads}\n" + "#define PLAIN\n" * plain
            self._programs[plain, reads] = Program(head + PLACE, name="place")

    def visible(self, name: str) -> bool:
        """Whether a layer shows at all: on (or soloed, where any is) and not fully transparent."""
        place = self.places[name]
        solo = any(p.solo.value for p in self.places.values())
        return bool(place.solo.value if solo else place.on.value) and float(place.opacity.value) > 0.0

    def _patch(self, name: str, mode: str) -> Blend | None:
        """The open blend patch of a layer; None (so: normal) if it does not open, said once. Chosen again, it is tried
        again: its file may have been mended.
        """
        if mode not in self._blends:
            param = self.places[name].blend
            chosen = param, param.serial
            if self._failed.get(name) == chosen:
                return None
            try:
                self._blends[mode] = self.open_blend(mode)
            except (LookupError, PatchError) as e:
                self.trouble(f"blend {mode!r} cannot be used, normal is shown instead: {e}")
                self._failed[name] = chosen
                return None
        return self._blends[mode]

    def _draw(
        self, picture: Frame, place: Place, frames: Mapping[str, Frame], target: Target, opacity: float, over: bool
    ) -> None:
        stage = self.size[0] / self.size[1]
        width, height = picture.size
        scale, angle = float(place.scale.value), math.radians(float(place.rotate.value))
        extent = cover(width / height, stage)
        mask = frames.get(str(place.mask.value))
        mask_size = mask.size if mask else (1, 1)
        size = extent[1] * scale * self.size[1]  # its height on the stage, in pixels
        smoothly = self.smoothly and size > 1.01 * height
        reads = taps(height / size)
        plain = mask is None and not self.linear and not smoothly
        x, y = float(place.x.value) * stage, float(place.y.value)
        middle = self.size[0] / 2.0 + x * self.size[1], self.size[1] / 2.0 + y * self.size[1]
        part = box(middle, (size * width / height, size), angle, self.size)
        if not over and part != (0, 0, *self.size):
            target.clear()
        if part is None:
            return
        self._programs[plain, reads if reads in TAPS else 0].draw(
            target,
            {"picture": picture.texture, "mask": mask.texture if mask else picture.texture},
            {
                "screen": (float(self.size[0]), float(self.size[1])),
                "taps": reads,
                "shift": (x, y),
                "turn": (math.cos(angle), math.sin(angle)),
                "stage": stage,
                "extent": (extent[0] * scale, extent[1] * scale),
                "maskextent": cover(mask_size[0] / mask_size[1], stage),
                "pixels": (float(width), float(height)),
                "opacity": opacity,
                "masked": 0 if mask is None else (-1 if place.mask_invert.value else 1),
                "linear": self.linear,
                "smoothly": smoothly,
            },
            blend=over,
            viewport=part,
        )

    def close(self) -> None:
        """Give back the targets, the program and the blend patches."""
        for thing in (*self._programs.values(), *self._composites, self._placed, *self._blends.values()):
            if thing is not None:
                thing.close()
        self._composites.clear()
        self._placed = None
        self._programs.clear()
        self._blends.clear()
        self._failed.clear()
