"""Textures and targets: sizes, formats, filtering, life."""

from __future__ import annotations

import numpy as np
import pytest

from perform.gl.context import Context
from perform.gl.lib import gl as library
from perform.gl.shader import Program
from perform.gl.target import Format, Target, Texture, framebuffer
from perform.gl.transfer import read, read_float, upload

SHOW = "in vec2 uv; out vec4 color; uniform sampler2D a; uniform vec2 at; void main() { color = texture(a, at); }"


def sample(texture: Texture, at: tuple[float, float]) -> list[int]:
    out = Target(1, 1)
    Program(SHOW).draw(out, {"a": texture}, {"at": at})
    pixel: list[int] = read(out.texture)[0, 0].tolist()
    return pixel


@pytest.fixture
def two(gl: Context) -> np.ndarray:
    """Black left, white right."""
    return np.array([[[0, 0, 0, 255], [255, 255, 255, 255]]], np.uint8)


def test_linear_nearest_clamp_and_repeat(gl: Context, two: np.ndarray) -> None:
    plain, hard, tiled = (
        Texture.make(2, 1),
        Texture.make(2, 1, linear=False),
        Texture.make(2, 1, linear=False, repeat=True),
    )
    for texture in (plain, hard, tiled):
        upload(texture, two)
    assert sample(plain, (0.5, 0.5))[0] == pytest.approx(127, abs=2)
    assert sample(hard, (0.4, 0.5))[0] == 0
    assert sample(hard, (1.2, 0.5))[0] == 255
    assert sample(tiled, (1.2, 0.5))[0] == 0


def test_mipmaps_hold_the_average(gl: Context) -> None:
    texture = Texture.make(64, 64, mipmap=True)
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[::2] = 255
    upload(texture, pixels)
    texture.make_mipmaps()
    out = Target(1, 1)
    Program("in vec2 uv; out vec4 color; uniform sampler2D a; void main() { color = textureLod(a, uv, 6.0); }").draw(
        out, {"a": texture}
    )
    assert int(read(out.texture)[0, 0, 0]) == pytest.approx(127, abs=2)


@pytest.mark.parametrize(("form", "kept"), [("rgba8", 1.0), ("rgba16f", 3.5), ("rgba32f", 3.5)])
def test_formats_keep_what_they_can(gl: Context, form: Format, kept: float) -> None:
    target = Target(2, 2, form)
    target.clear(3.5, 0.25, 0.0, 1.0)
    assert read_float(target.texture)[0, 0, 0] == pytest.approx(kept)


def test_resize_says_whether_it_did_and_clears(gl: Context) -> None:
    target = Target(4, 4)
    name = target.texture.id
    target.clear(1.0, 1.0, 1.0, 1.0)
    assert target.resize(4, 4) is False
    assert read(target.texture).max() == 255
    assert target.resize(6, 2) is True
    assert (target.width, target.height, target.texture.id) == (6, 2, name)
    assert read(target.texture).max() == 0
    assert library.glGetError() == 0


@pytest.mark.parametrize("size", [(0, 4), (4, -1), (100_000, 1)])
def test_impossible_sizes_are_refused(gl: Context, size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="cannot be made"):
        Texture.make(*size)


def test_closing_twice_is_fine(gl: Context) -> None:
    target = Target(4, 4)
    target.close()
    target.close()
    assert target.texture.id == 0
    assert library.glGetError() == 0


def test_a_framebuffer_needs_a_texture(gl: Context) -> None:
    with pytest.raises(ValueError, match="cannot draw into"):
        framebuffer(0)
