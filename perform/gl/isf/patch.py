"""A compiled patch: runs its passes and gives a texture. Render thread only."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from perform.clock import wrap
from perform.frame import Texture as AnyTexture
from perform.gl.isf.buffers import Buffer, buffers, pass_size
from perform.gl.isf.draft import Draft, draft
from perform.gl.isf.kinds import Header, Input
from perform.gl.isf.programs import programs
from perform.gl.isf.strangers import CHANNELS
from perform.gl.shader import Uniform
from perform.gl.target import Format, Target, Texture
from perform.gl.transfer import copy, upload, upload_side

Value = float | int | bool | tuple[float, ...]
PAUSE = 1.0  # seconds after which a lane that is not drawn any more is forgotten
Date = tuple[float, float, float, float]  # year, month from 1, day, seconds of the day


def today() -> Date:
    """The wall clock's local date, for DATE."""
    now = time.time()
    t = time.localtime(now)
    seconds = t.tm_hour * 3600.0 + t.tm_min * 60.0 + t.tm_sec + now % 1.0
    return float(t.tm_year), float(t.tm_mon), float(t.tm_mday), seconds


@dataclass(slots=True)
class Lane:
    """What a patch remembers of one row of pictures."""

    buffers: dict[str, Buffer]
    output: Target | None = None
    spare: Target | None = None  # where it draws while its own picture is what it looks at
    frame: int = 0
    last: float = 0.0

    def reset(self) -> None:
        """Forget all frames."""
        for buffer in self.buffers.values():
            buffer.close()
        self.frame = 0

    def close(self) -> None:
        """Give everything back. May be called twice."""
        self.reset()
        for target in (self.output, self.spare):
            if target is not None:
                target.close()
        self.output = self.spare = None


class Patch:
    """One patch, compiled. `header` says what it takes. Raises PatchError (file, line, message) if it does not compile.

    Compiling takes 1–200 ms; `render` costs about 0.05 ms a pass plus the pixels.
    """

    def __init__(self, draft: Draft, format: Format = "rgba8") -> None:
        self.header: Header = draft.header
        self._names = draft.shader.names
        self._widths = draft.shader.widths
        self._clears = draft.shader.discards
        self._format = format
        self._programs = programs(draft)
        self._used = frozenset().union(*(p.uniforms for p in self._programs))
        self._defaults = {i.name: i.default for i in self.header.inputs if not i.picture}
        self._fixed = {name: _imported(sides) for name, sides in draft.images.items()}
        self._empty = {i.name: self._nothing(i) for i in self.header.pictures}
        self._blank = Texture.make(1, 1)
        self._lanes: dict[str, Lane] = {}

    @classmethod
    def open(cls, path: Path, format: Format = "rgba8") -> Patch:
        """Read and compile a patch. Raises PatchError."""
        return cls(draft(path), format)

    def _nothing(self, entry: Input) -> Texture:
        """What an input shows while nobody supplies it: transparent black, silence, or noise for Shadertoy."""
        if self.header.dialect == "shadertoy" and entry.name in CHANNELS:
            noise = Texture.make(256, 256, repeat=True)
            upload(noise, np.random.default_rng(256).integers(0, 256, (256, 256, 4), np.uint8))
            return noise
        texture = Texture.make(1, 1)
        if entry.type == "audio":  # a wave is centred around 0.5
            upload(texture, np.array([[[128, 128, 128, 255]]], np.uint8))
        elif entry.type == "audioFFT":
            upload(texture, np.array([[[0, 0, 0, 255]]], np.uint8))
        return texture

    def render(
        self,
        size: tuple[int, int],
        now: float,
        inputs: Mapping[str, Value | AnyTexture] | None = None,
        date: Date | None = None,
        lane: str = "",
    ) -> Texture:
        """Run all passes; the picture of `size` (width, height) is valid until the next render in its lane.

        A patch that works on two rows of pictures, of different sizes perhaps, gives each a `lane`: frames before,
        FRAMEINDEX and buffers are the lane's own, and forgotten when another has been drawn for a second without it.
        `now` is show time in seconds; TIME is that, wrapped. `inputs` by name: numbers, booleans, tuples, and
        textures for pictures; what is missing has its default. A chain's picture may come as `inputImage` for a
        patch that calls it otherwise.
        """
        size = max(1, size[0]), max(1, size[1])
        given = inputs or {}
        values = self._defaults | {k: v for k, v in given.items() if k in self._defaults}
        textures = self._textures(given)
        own = self._lanes.get(lane)
        if own is None:
            own = self._lanes[lane] = Lane(buffers(self.header))
        common = self._uniforms(own, size, now, values, textures, date)
        sums: dict[str, float] = {n: float(v) for n, v in values.items() if isinstance(v, (int, float))}
        sums |= {"WIDTH": float(size[0]), "HEIGHT": float(size[1])}
        sizes = [pass_size(p, size, sums) if p.target else size for p in self.header.passes]
        for step, extent in zip(self.header.passes, sizes, strict=True):
            if step.target:
                own.buffers[step.target].prepare(extent)
        texture = self._blank
        for index, step in enumerate(self.header.passes):
            texture = self._pass(own, index, step.target, size, textures, common)
        own.frame += 1
        own.last = now
        for name in [n for n, other in self._lanes.items() if now - other.last > PAUSE]:
            self._lanes.pop(name).close()
        return self._whole(own, texture, size)

    def _textures(self, given: Mapping[str, Any]) -> dict[str, AnyTexture]:
        found: dict[str, AnyTexture] = {**self._empty, **self._fixed}
        pictures = [i.name for i in self.header.pictures]
        for name in pictures:
            if name in given:
                found[name] = given[name]
        first = next((i.name for i in self.header.pictures if i.type == "image"), None)  # sound is not looked at
        if first is not None and "inputImage" in given and "inputImage" not in pictures and first not in given:
            found[first] = given["inputImage"]
        return found

    def _pass(
        self,
        own: Lane,
        index: int,
        target: str,
        size: tuple[int, int],
        pictures: Mapping[str, AnyTexture],
        common: Mapping[str, Uniform],
    ) -> Texture:
        if target:
            canvas = own.buffers[target].begin()
        else:
            if own.output is not None and any(t.id == own.output.texture.id for t in pictures.values()):
                own.output, own.spare = own.spare, own.output  # it looks at its own picture: not into that one
            own.output = canvas = own.output or Target(*size, self._format)
            canvas.resize(*size)
        textures = dict(pictures)
        for name, buffer in own.buffers.items():
            textures[name] = buffer.texture or self._blank
        extent = float(canvas.width), float(canvas.height)
        uniforms = {**common, "PASSINDEX": index, "RENDERSIZE": extent}
        if self.header.dialect != "isf":
            uniforms |= self._fitted({"iResolution": (*extent, 1.0)})
        if self._clears:
            canvas.clear()
        program = self._programs[min(index, len(self._programs) - 1)]
        program.draw(canvas, {self._names.get(n, n): t for n, t in textures.items()}, uniforms)
        if target:
            own.buffers[target].end()
        return canvas.texture

    def _uniforms(
        self,
        own: Lane,
        size: tuple[int, int],
        now: float,
        values: Mapping[str, Any],
        textures: Mapping[str, AnyTexture],
        date: Date | None,
    ) -> dict[str, Uniform]:
        """What stays the same for all passes of a frame, by the names in the shader."""
        delta = max(0.0, now - own.last) if own.frame else 0.0
        found: dict[str, Uniform] = {"TIME": wrap(now), "TIMEDELTA": delta, "FRAMEINDEX": own.frame}
        if "DATE" in self._used or "iDate" in self._used:
            found["DATE"] = date or today()
        for entry in self.header.inputs:
            if not entry.picture:
                found[self._names[entry.name]] = _scaled(entry, values[entry.name], size)
        if self.header.dialect != "isf":
            found |= _strange(size, now, delta, own.frame, found.get("DATE"))
            found["iChannelResolution"] = tuple(float(n) for c in CHANNELS for n in _extent(textures.get(c), size))
        return self._fitted({n: v for n, v in found.items() if n in self._used})

    def _fitted(self, values: dict[str, Uniform]) -> dict[str, Uniform]:
        """The values, cut or filled up where the shader has a vector of another size than ours."""
        return {n: _resized(n, v, self._widths[n]) if n in self._widths else v for n, v in values.items()}

    def _whole(self, own: Lane, texture: Texture, size: tuple[int, int]) -> Texture:
        """The picture at the size and in the format that was asked for."""
        if (texture.width, texture.height) == size and texture.format == self._format:
            return texture
        own.output = own.output or Target(*size, self._format)
        own.output.resize(*size)
        copy(texture, own.output)
        return own.output.texture

    def reset(self) -> None:
        """Forget all frames: persistent buffers are empty, FRAMEINDEX is 0."""
        for lane in self._lanes.values():
            lane.reset()

    def close(self) -> None:
        """Give everything back. May be called twice."""
        for lane in self._lanes.values():
            lane.close()
        self._lanes.clear()
        for texture in (*self._fixed.values(), *self._empty.values(), self._blank):
            texture.close()
        for program in self._programs:
            program.close()


def _imported(sides: list[npt.NDArray[np.uint8]]) -> Texture:
    """An imported image, tiled; or a cube map from six."""
    height, width = sides[0].shape[:2]
    if len(sides) == 1:
        texture = Texture.make(width, height, repeat=True)
        upload(texture, sides[0])
        return texture
    cube = Texture.cube(width)
    for n, pixels in enumerate(sides):
        upload_side(cube, n, pixels)
    return cube


def _extent(texture: AnyTexture | None, size: tuple[int, int]) -> tuple[int, int, int]:
    return (texture.width, texture.height, 1) if texture is not None else (*size, 1)


def _scaled(entry: Input, value: Any, size: tuple[int, int]) -> Uniform:
    """An input's value in the unit that the shader expects."""
    if entry.mouse:
        x, y = value
        if entry.name == "mouse":
            return float(x), float(y)
        at = float(x) * size[0], float(y) * size[1]
        return at if entry.name == "u_mouse" else (*at, *(at if any(at) else (0.0, 0.0)))
    if entry.relative:
        return float(value[0]) * size[0], float(value[1]) * size[1]
    if isinstance(value, tuple):
        return tuple(float(v) for v in value)
    return value  # type: ignore[no-any-return]


def _resized(name: str, value: Uniform, width: int) -> Uniform:
    """So many components of a value; a size in pixels goes on with 1 (square pixels), all else with 0."""
    parts = value if isinstance(value, tuple) else (float(value),)
    parts = (*parts, *(1.0 if name.casefold().endswith("resolution") else 0.0 for _ in range(width)))[:width]
    return parts if width > 1 else parts[0]


def _strange(size: tuple[int, int], now: float, delta: float, frame: int, date: Uniform | None) -> dict[str, Uniform]:
    """The names that Shadertoy and plain shaders use for time and size."""
    moment, extent = wrap(now), (float(size[0]), float(size[1]))
    found: dict[str, Uniform] = dict.fromkeys(("iTime", "iGlobalTime", "time", "u_time", "uTime"), moment)
    found |= dict.fromkeys(("resolution", "u_resolution", "uResolution"), extent)
    found["surfaceSize"] = extent[0] / extent[1], 1.0
    found |= {"iFrame": frame, "frame": frame, "u_frame": frame, "iTimeDelta": delta, "u_delta": delta}
    found |= {"iFrameRate": 1.0 / delta if delta > 0.0 else 60.0, "iSampleRate": 44100.0, "iChannelTime": (moment,) * 4}
    if isinstance(date, tuple):
        found["iDate"] = (date[0], date[1] - 1.0, *date[2:])  # Shadertoy counts months from 0
    return found
