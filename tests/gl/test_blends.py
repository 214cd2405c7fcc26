"""All blends, pixel by pixel, against NumPy written from the W3C's Compositing and Blending Level 1."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from perform.gl.isf import Patch, read
from perform.gl.lib import gl as library
from perform.gl.target import Texture

pytestmark = pytest.mark.usefixtures("gl")
BLENDS = Path(__file__).parents[2] / "patches" / "blends"
Array = npt.NDArray[np.float64]


def lum(c: Array) -> Array:
    return (c @ np.array([0.3, 0.59, 0.11]))[..., None]


def clip_colour(c: Array) -> Array:
    light, low, high = lum(c), c.min(-1, keepdims=True), c.max(-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        c = np.where(low < 0.0, light + (c - light) * light / (light - low), c)
        return np.where(high > 1.0, light + (c - light) * (1.0 - light) / (high - light), c)


def set_lum(c: Array, light: Array) -> Array:
    return clip_colour(c + (light - lum(c)))


def sat(c: Array) -> Array:
    return c.max(-1, keepdims=True) - c.min(-1, keepdims=True)


def set_sat(c: Array, s: Array) -> Array:
    """By ordering the channels, as the specification's pseudo-code does."""
    out = np.zeros_like(c)
    for index in np.ndindex(c.shape[:-1]):
        low, mid, high = np.argsort(c[index], kind="stable")
        if c[index][high] > c[index][low]:
            span = c[index][high] - c[index][low]
            out[index][mid] = (c[index][mid] - c[index][low]) * s[index][0] / span
            out[index][high] = s[index][0]
    return out


def dodge(b: Array, s: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(b == 0.0, 0.0, np.where(s >= 1.0, 1.0, np.minimum(1.0, b / (1.0 - s))))


def burn(b: Array, s: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(b >= 1.0, 1.0, np.where(s <= 0.0, 0.0, 1.0 - np.minimum(1.0, (1.0 - b) / s)))


def screen(b: Array, s: Array) -> Array:
    return b + s - b * s


def hard_light(b: Array, s: Array) -> Array:
    return np.where(s <= 0.5, b * 2.0 * s, screen(b, 2.0 * s - 1.0))


def soft_light(b: Array, s: Array) -> Array:
    d = np.where(b <= 0.25, ((16.0 * b - 12.0) * b + 4.0) * b, np.sqrt(b))
    return np.where(s <= 0.5, b - (1.0 - 2.0 * s) * b * (1.0 - b), b + (2.0 * s - 1.0) * (d - b))


REFERENCE: dict[str, Callable[[Array, Array], Array]] = {
    "normal": lambda b, s: s,
    "add": lambda b, s: np.minimum(b + s, 1.0),
    "subtract": lambda b, s: np.maximum(b - s, 0.0),
    "multiply": lambda b, s: b * s,
    "screen": screen,
    "overlay": lambda b, s: hard_light(s, b),
    "soft_light": soft_light,
    "hard_light": hard_light,
    "darken": np.minimum,
    "lighten": np.maximum,
    "difference": lambda b, s: np.abs(b - s),
    "exclusion": lambda b, s: b + s - 2.0 * b * s,
    "dodge": dodge,
    "burn": burn,
    "linear_burn": lambda b, s: np.maximum(b + s - 1.0, 0.0),
    "linear_light": lambda b, s: np.clip(b + 2.0 * s - 1.0, 0.0, 1.0),
    "hue": lambda b, s: set_lum(set_sat(s, sat(b)), lum(b)),
    "saturation": lambda b, s: set_lum(set_sat(b, sat(s)), lum(b)),
    "colour": lambda b, s: set_lum(s, lum(b)),
    "luminosity": lambda b, s: set_lum(b, lum(s)),
}


def composite(name: str, bottom: Array, top: Array, opacity: float) -> Array:
    """Premultiplied pixels in and out."""
    top = top * opacity
    ab, a = bottom[..., 3:], top[..., 3:]
    with np.errstate(divide="ignore", invalid="ignore"):
        cb = np.where(ab > 0.0, bottom[..., :3] / ab, 0.0)
        cs = np.where(a > 0.0, top[..., :3] / a, 0.0)
    colour = a * (1.0 - ab) * cs + a * ab * REFERENCE[name](cb, cs) + (1.0 - a) * ab * cb
    return np.concatenate([colour, a + ab * (1.0 - a)], -1)


SIDE = 48
CORNERS = np.array([0.0, 0.25, 0.5, 1.0])


def layers(seed: int) -> Array:
    """Premultiplied pixels: random ones, and every corner where a formula has an edge. Alpha 0, 1 and between."""
    rng = np.random.default_rng(seed)
    colours = rng.random((SIDE, SIDE, 3))
    colours[::3] = CORNERS[rng.integers(0, 4, colours[::3].shape)]
    colours[::5, :, 1] = colours[::5, :, 0]  # two equal channels
    colours[::7, :, 1] = colours[::7, :, 2] = colours[::7, :, 0]  # grey
    alpha = rng.random((SIDE, SIDE, 1))
    kinds = rng.integers(0, 4, alpha.shape)
    alpha = np.where(kinds == 0, 0.0, np.where(kinds == 1, 1.0, np.where(kinds == 2, 0.5, alpha)))
    return np.concatenate([colours * alpha, alpha], -1)


def deep(picture: Array) -> Texture:
    """A 32-bit float texture, so that the test measures the formula and not the storage."""
    texture = Texture.make(SIDE, SIDE, "rgba32f", linear=False)
    data = np.ascontiguousarray(picture, np.float32)
    library.glBindTexture(library.GL_TEXTURE_2D, texture.id)
    library.glTexSubImage2D(
        library.GL_TEXTURE_2D, 0, 0, 0, SIDE, SIDE, library.GL_RGBA, library.GL_FLOAT, data.ctypes.data
    )
    return texture


def floats(texture: Texture) -> Array:
    data = np.empty((SIDE, SIDE, 4), np.float32)
    library.glBindTexture(library.GL_TEXTURE_2D, texture.id)
    library.glGetTexImage(library.GL_TEXTURE_2D, 0, library.GL_RGBA, library.GL_FLOAT, data.ctypes.data)
    return data.astype(np.float64)


@pytest.fixture
def pair() -> Iterator[tuple[Texture, Texture]]:
    made = deep(layers(1)), deep(layers(2))
    yield made
    for texture in made:
        texture.close()


def test_there_are_twenty() -> None:
    assert {path.stem for path in BLENDS.glob("*.fs")} == set(REFERENCE)
    assert len(REFERENCE) == 20


@pytest.mark.parametrize("name", REFERENCE)
def test_is_what_the_specification_says(name: str, pair: tuple[Texture, Texture]) -> None:
    bottom, top = (np.float64(np.float32(layers(seed))) for seed in (1, 2))
    patch = Patch.open(BLENDS / f"{name}.fs", "rgba16f")
    try:
        for opacity in (1.0, 0.37, 0.0):
            inputs = {"bottom": pair[0], "top": pair[1], "opacity": opacity}
            got = floats(patch.render((SIDE, SIDE), 0.0, inputs))
            want = composite(name, bottom, top, opacity)
            assert np.abs(got - want).max() <= 0.3 / 255.0, f"opacity {opacity}"
            if opacity == 0.0:
                assert np.abs(got - bottom).max() <= 0.3 / 255.0
    finally:
        patch.close()


@pytest.mark.parametrize("name", REFERENCE)
def test_nothing_escapes(name: str) -> None:
    """Whatever arrives (over-bright, more light than alpha, negative): finite, and alpha within 0..1."""
    wild = np.random.default_rng(3).uniform(-0.5, 2.0, (SIDE, SIDE, 4))
    wild[..., 3] = np.clip(wild[..., 3], 0.0, 1.0)
    bottom, top = deep(wild), deep(wild[::-1])
    patch = Patch.open(BLENDS / f"{name}.fs", "rgba16f")
    try:
        got = floats(patch.render((SIDE, SIDE), 0.0, {"bottom": bottom, "top": top, "opacity": 1.0}))
        assert np.isfinite(got).all()
        assert got[..., 3].min() >= 0.0
        assert got[..., 3].max() <= 1.0 + 1e-3
        assert np.abs(got).max() < 6.0
    finally:
        patch.close()
        bottom.close()
        top.close()


@pytest.mark.parametrize("path", sorted(BLENDS.glob("*.fs")), ids=lambda path: path.stem)
def test_headers_say_what_it_is(path: Path) -> None:
    header = read(path)
    assert header.kind == "blend"
    assert [entry.name for entry in header.inputs] == ["bottom", "top", "opacity"]
    assert header.description.endswith(".")
    assert header.credit


def test_all_share_one_composite() -> None:
    """Only B(cb, cs) differs: whatever is mended in one of them must be mended in all."""
    tails = {re.split(r"(?=// Section 9\.1\.4)", path.read_text())[-1] for path in BLENDS.glob("*.fs")}
    assert len(tails) == 1
