"""Stills of patches: each file rendered to a PNG, with a picture to work on where it needs one."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from perform.gl.context import open_headless
from perform.gl.isf.cost import seconds_a_frame
from perform.gl.isf.kinds import Header, PatchError
from perform.gl.isf.patch import Date, Patch, Value
from perform.gl.lib import gl
from perform.gl.shader import Program
from perform.gl.target import Target, Texture
from perform.gl.transfer import read

FPS = 60.0
LONGEST = 20.0  # seconds a frame beyond which a still is given up
PATIENCE = 60.0  # seconds of rendering that a patch with memory may take to warm up
NOON: Date = (2026.0, 6.0, 21.0, 43200.0)

# A view that shows what a filter does: a bright disc, soft sky, hard ridges, fine grass, all colours.
VIEW = """#version 330 core
in vec2 uv;
out vec4 color;
uniform float aspect;
uniform int which;     // 0 an evening, 1 a night, 2 the night within a soft circle, premultiplied
float hash(vec2 p) { return fract(sin(dot(p, vec2(12.9898, 78.233))) * 43758.5453); }
float noise(vec2 p) {
    vec2 i = floor(p), f = fract(p);
    f = f * f * (3.0 - 2.0 * f);
    return mix(mix(hash(i), hash(i + vec2(1, 0)), f.x), mix(hash(i + vec2(0, 1)), hash(i + 1.0), f.x), f.y);
}
float ridge(float x, float seed) {
    float h = 0.0, a = 0.5;
    for (int i = 0; i < 5; i++) { h += a * noise(vec2(x, seed)); x *= 2.1; a *= 0.5; }
    return h;
}
void main() {
    vec2 p = vec2((uv.x - 0.5) * aspect, uv.y);
    bool night = which > 0;
    vec3 top = night ? vec3(0.05, 0.09, 0.22) : vec3(0.20, 0.36, 0.62);
    vec3 low = night ? vec3(0.16, 0.38, 0.46) : vec3(0.98, 0.70, 0.45);
    vec3 c = mix(low, top, smoothstep(0.25, 1.0, uv.y + 0.06 * noise(p * 3.0)));
    c += 0.10 * smoothstep(0.45, 0.9, noise(vec2(p.x * 2.0, uv.y * 9.0) + 3.0)) * (1.0 - uv.y);
    vec2 sun = night ? vec2(-0.42, 0.74) : vec2(0.30, 0.56);
    float d = length(p - sun);
    vec3 light = night ? vec3(0.85, 0.92, 1.0) : vec3(1.0, 0.90, 0.66);
    c += light * 0.28 * exp(-d * 4.0);
    c = mix(c, light, smoothstep(0.088, 0.082, d));
    if (night) c += step(0.9975, hash(floor(p * 220.0))) * smoothstep(0.4, 1.0, uv.y);
    for (int i = 0; i < 4; i++) {
        float k = float(i), h = 0.50 - 0.115 * k + 0.20 * (ridge(p.x * (1.2 + k * 0.5), k * 7.3 + float(night)) - 0.5);
        vec3 hill = night ? mix(vec3(0.13, 0.30, 0.38), vec3(0.02, 0.05, 0.09), k / 3.0)
                          : mix(vec3(0.68, 0.45, 0.48), vec3(0.10, 0.20, 0.13), k / 3.0);
        hill *= 0.86 + 0.28 * noise(p * vec2(40.0, 90.0) * (0.5 + k)) * (0.3 + 0.25 * k);
        c = mix(c, hill, smoothstep(h + 0.0025, h - 0.0025, uv.y));
    }
    float alpha = which == 2 ? smoothstep(0.40, 0.34, length(p - vec2(0.0, 0.5))) : 1.0;
    color = vec4(clamp(c, 0.0, 1.0) * alpha, alpha);
}
"""


def views(size: tuple[int, int]) -> dict[str, Texture]:
    """Pictures for patches that work on one: "evening", "night", and "round", premultiplied with soft edges."""
    program = Program(VIEW, name="view")
    found = {}
    for which, name in enumerate(("evening", "night", "round")):
        target = Target(*size)
        program.draw(target, {}, {"which": which, "aspect": size[0] / size[1]})
        found[name] = target.texture
    program.close()
    return found


def given(header: Header, pictures: Mapping[str, Texture]) -> dict[str, Value | Texture]:
    """What a patch gets for its still: pictures, and the middle of a transition."""
    if header.kind == "transition":
        return {"startImage": pictures["evening"], "endImage": pictures["night"], "progress": 0.5}
    if header.kind == "blend":
        return {"bottom": pictures["evening"], "top": pictures["round"]}
    if header.dialect == "shadertoy":
        return {}  # its channels have noise unless somebody knows better
    images = [i.name for i in header.pictures if i.type == "image"]
    order = ("evening", "night")
    return {name: pictures[order[n % 2]] for n, name in enumerate(images)}


def render(paths: Sequence[Path], to: Path, size: tuple[int, int], seconds: float = 2.0) -> dict[Path, str]:
    """Render each patch as it is after `seconds` to a PNG in `to`; returns what failed, with the reason.

    A patch with persistent buffers plays all its frames up to then at 60 a second. Opens its own GL context.
    Raises GLUnavailable.
    """
    failures: dict[Path, str] = {}
    to.mkdir(parents=True, exist_ok=True)
    with open_headless():
        pictures = views(size)
        names = named(paths)
        for path in paths:
            try:
                still(path, to / f"{names[path]}.png", size, seconds, pictures)
            except PatchError as e:
                failures[path] = f"line {e.line}: {e.message}" if e.line else e.message
            except OSError as e:
                failures[path] = f"cannot be saved: {e.strerror or e}"
    return failures


def named(paths: Sequence[Path]) -> dict[Path, str]:
    """A name for each file's still: its own, with the folder's before it where two are alike."""
    stems = [p.stem for p in paths]
    found: dict[Path, str] = {}
    for path in paths:
        name = path.stem if stems.count(path.stem) == 1 else f"{path.parent.name}-{path.stem}"
        while name in found.values():
            name += "_"
        found[path] = name
    return found


def still(path: Path, to: Path, size: tuple[int, int], seconds: float, pictures: Mapping[str, Texture]) -> None:
    """One patch to one PNG. Needs a current context. Raises PatchError, or OSError if it cannot be saved."""
    from PIL import Image

    patch = Patch.open(path)
    try:
        takes = seconds_a_frame(patch, size, LONGEST)
        if takes > LONGEST:
            raise PatchError(path, 0, f"a frame of {size[0]}×{size[1]} would take about {takes:.0f} s")
        pixels = read(_play(patch, size, seconds, given(patch.header, pictures)))
    finally:
        patch.close()
    Image.fromarray(pixels[::-1]).save(to)


def _play(patch: Patch, size: tuple[int, int], seconds: float, inputs: Mapping[str, Any]) -> Texture:
    """The last of the frames that lead up to `seconds`: all of them if the patch remembers, else two."""
    remembers = any(p.persistent for p in patch.header.passes)
    frames = max(2, round(seconds * FPS)) if remembers else 2
    deadline = time.monotonic() + PATIENCE
    for n in range(frames):
        texture = patch.render(size, max(0.0, seconds - (frames - 1 - n) / FPS), inputs, NOON)
        if n % 16 == 0:
            gl.glFinish()
            if time.monotonic() > deadline:
                break
    return texture
