"""A compiled patch: runs its passes and gives a texture. Render thread only."""

from __future__ import annotations

import time
from collections.abc import Mapping
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
Date = tuple[float, float, float, float]  # year, month from 1, day, seconds of the day


def today() -> Date:
    """The wall clock's local date, for DATE."""
    now = time.time()
    t = time.localtime(now)
    seconds = t.tm_hour * 3600.0 + t.tm_min * 60.0 + t.tm_sec + now % 1.0
    return float(t.tm_year), float(t.tm_mon), float(t.tm_mday), seconds


class Patch:
    """One patch, compiled. `header` says what it takes. Raises PatchError (file, line, message) if it does not compile.

    Compiling takes 1–200 ms; `render` costs about 0.05 ms a pass plus the pixels.
    """

    def __init__(self, draft: Draft, format: Format = "rgba8") -> None:
        self.header: Header = draft.header
        self._names = draft.shader.names
        self._clears = draft.shader.discards
        self._format = format
        self._programs = programs(draft)
        self._used = frozenset().union(*(p.uniforms for p in self._programs))
        self._defaults = {i.name: i.default for i in self.header.inputs if not i.picture}
        self._fixed = {name: _imported(sides) for name, sides in draft.images.items()}
        self._empty = {i.name: self._nothing(i) for i in self.header.pictures}
        self._blank = Texture.make(1, 1)
        self._buffers: dict[str, Buffer] = buffers(self.header)
        self._output: Target | None = None
        self._spare: Target | None = None  # where it draws while its own picture is what it looks at
        self._frame = 0
        self._last = 0.0

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
    ) -> Texture:
        """Run all passes; the picture of `size` (width, height) is valid until the next render.

        `now` is show time in seconds; TIME is that, wrapped. `inputs` by name: numbers, booleans, tuples, and
        textures for pictures; what is missing has its default. A chain's picture may come as `inputImage` for a
        patch that calls it otherwise.
        """
        size = max(1, size[0]), max(1, size[1])
        given = inputs or {}
        values = self._defaults | {k: v for k, v in given.items() if k in self._defaults}
        textures = self._textures(given)
        common = self._uniforms(size, now, values, textures, date)
        sums: dict[str, float] = {n: float(v) for n, v in values.items() if isinstance(v, (int, float))}
        sums |= {"WIDTH": float(size[0]), "HEIGHT": float(size[1])}
        sizes = [pass_size(p, size, sums) if p.target else size for p in self.header.passes]
        for step, extent in zip(self.header.passes, sizes, strict=True):
            if step.target:
                self._buffers[step.target].prepare(extent)
        texture = self._blank
        for index, step in enumerate(self.header.passes):
            texture = self._pass(index, step.target, size, textures, common)
        self._frame += 1
        self._last = now
        return self._whole(texture, size)

    def _textures(self, given: Mapping[str, Any]) -> dict[str, AnyTexture]:
        found: dict[str, AnyTexture] = {**self._empty, **self._fixed}
        pictures = [i.name for i in self.header.pictures]
        for name in pictures:
            if name in given:
                found[name] = given[name]
        if pictures and "inputImage" in given and "inputImage" not in pictures and pictures[0] not in given:
            found[pictures[0]] = given["inputImage"]
        return found

    def _pass(
        self,
        index: int,
        target: str,
        size: tuple[int, int],
        pictures: Mapping[str, AnyTexture],
        common: Mapping[str, Uniform],
    ) -> Texture:
        if target:
            canvas = self._buffers[target].begin()
        else:
            if self._output is not None and any(t.id == self._output.texture.id for t in pictures.values()):
                self._output, self._spare = self._spare, self._output  # it looks at its own picture: not into that one
            self._output = canvas = self._output or Target(*size, self._format)
            canvas.resize(*size)
        textures = dict(pictures)
        for name, buffer in self._buffers.items():
            textures[name] = buffer.texture or self._blank
        extent = float(canvas.width), float(canvas.height)
        uniforms = {**common, "PASSINDEX": index, "RENDERSIZE": extent}
        if self.header.dialect != "isf":
            uniforms["iResolution"] = (*extent, 1.0)
        if self._clears:
            canvas.clear()
        program = self._programs[min(index, len(self._programs) - 1)]
        program.draw(canvas, {self._names.get(n, n): t for n, t in textures.items()}, uniforms)
        if target:
            self._buffers[target].end()
        return canvas.texture

    def _uniforms(
        self,
        size: tuple[int, int],
        now: float,
        values: Mapping[str, Any],
        textures: Mapping[str, AnyTexture],
        date: Date | None,
    ) -> dict[str, Uniform]:
        """What stays the same for all passes of a frame, by the names in the shader."""
        delta = max(0.0, now - self._last) if self._frame else 0.0
        found: dict[str, Uniform] = {"TIME": wrap(now), "TIMEDELTA": delta, "FRAMEINDEX": self._frame}
        if "DATE" in self._used or "iDate" in self._used:
            found["DATE"] = date or today()
        for entry in self.header.inputs:
            if not entry.picture:
                found[self._names[entry.name]] = _scaled(entry, values[entry.name], size)
        if self.header.dialect != "isf":
            found |= _strange(size, now, delta, self._frame, found.get("DATE"))
            found["iChannelResolution"] = tuple(float(n) for c in CHANNELS for n in _extent(textures.get(c), size))
        return {n: v for n, v in found.items() if n in self._used}

    def _whole(self, texture: Texture, size: tuple[int, int]) -> Texture:
        """The picture at the size and in the format that was asked for."""
        if (texture.width, texture.height) == size and texture.format == self._format:
            return texture
        self._output = self._output or Target(*size, self._format)
        self._output.resize(*size)
        copy(texture, self._output)
        return self._output.texture

    def reset(self) -> None:
        """Forget all frames: persistent buffers are empty, FRAMEINDEX is 0."""
        for buffer in self._buffers.values():
            buffer.close()
        self._frame = 0

    def close(self) -> None:
        """Give everything back. May be called twice."""
        self.reset()
        for target in (self._output, self._spare):
            if target is not None:
                target.close()
        self._output = self._spare = None
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


def _strange(size: tuple[int, int], now: float, delta: float, frame: int, date: Uniform | None) -> dict[str, Uniform]:
    """The names that Shadertoy and plain shaders use for time and size."""
    moment, extent = wrap(now), (float(size[0]), float(size[1]))
    found: dict[str, Uniform] = dict.fromkeys(("iTime", "iGlobalTime", "time", "u_time", "uTime"), moment)
    found |= dict.fromkeys(("resolution", "u_resolution", "uResolution"), extent)
    found |= {"iFrame": frame, "frame": frame, "u_frame": frame, "iTimeDelta": delta, "u_delta": delta}
    found |= {"iFrameRate": 1.0 / delta if delta > 0.0 else 60.0, "iSampleRate": 44100.0, "iChannelTime": (moment,) * 4}
    if isinstance(date, tuple):
        found["iDate"] = (date[0], date[1] - 1.0, *date[2:])  # Shadertoy counts months from 0
    return found
