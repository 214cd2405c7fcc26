"""The picture's corners moved in the window: the mapping, what the window draws with it, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from perform.frame import Frame
from perform.gl.context import Context
from perform.gl.target import Target, Texture
from perform.gl.transfer import read, upload
from perform.sinks.corners import CORNERS, Fitting, moved, placing
from perform.sinks.window import Window

SLANTED = {"top_left": [0.2, -0.1], "bottom_right": (-0.1, 0.3)}


def seen(corners: dict[str, Any], extent: tuple[float, float], place: tuple[float, float]) -> tuple[float, float]:
    """The place in the picture that is seen at a place in the window."""
    x, y, w = placing(moved(corners), extent) @ (*place, 1.0)
    return x / w, y / w


def test_unmoved_it_is_where_it_was() -> None:
    assert placing(moved({}), (1.0, 1.0)) == pytest.approx(np.eye(3), abs=1e-12)
    for place in ((0.0, 0.25), (0.5, 0.5), (1.0, 0.75), (0.3, 0.6)):  # a picture as wide as the window, half as high
        assert seen({}, (1.0, 0.5), place) == pytest.approx((place[0], (place[1] - 0.5) / 0.5 + 0.5))


def test_each_corner_is_where_it_was_moved_and_lines_stay_lines() -> None:
    extent = (0.8, 1.0)
    places = {}
    for name, (u, v) in CORNERS.items():
        right, up = SLANTED.get(name, (0.0, 0.0))
        places[name] = np.array([(u + right - 0.5) * extent[0] + 0.5, (v + up - 0.5) * extent[1] + 0.5])
        assert seen(SLANTED, extent, tuple(places[name])) == pytest.approx((u, v), abs=1e-9)
    crossing = [places["bottom_left"], places["top_right"], places["bottom_right"], places["top_left"]]
    a, b, c, d = crossing  # where the diagonals meet is the picture's middle, in any perspective
    t = np.linalg.solve(np.stack([b - a, c - d], axis=1), c - a)[0]
    assert seen(SLANTED, extent, tuple(a + t * (b - a))) == pytest.approx((0.5, 0.5))


@pytest.mark.parametrize(
    ("corners", "what"),
    [
        ({"top": [0.1, 0.0]}, "there is no 'top'; there are bottom_left"),
        ({"top_left": 0.1}, "top_left is moved by"),
        ({"top_left": [0.1]}, "top_left is moved by"),
        ({"top_left": [0.1, 2.0]}, "top_left is moved by"),
        ({"top_left": [0.1, math.nan]}, "top_left is moved by"),
        ({"top_left": ["left", 0.1]}, "top_left is moved by"),
        ({"top_left": [True, 0.1]}, "top_left is moved by"),
        ({"top_left": [1.0, 0.0], "top_right": [-1.0, 0.0]}, "fold the picture"),
        ({"top_right": [-0.9, -0.9]}, "fold the picture"),
        ({"top_right": [-0.5, -0.5]}, "fold the picture"),  # on the line between its neighbours
    ],
)
def test_what_is_no_corner_is_refused(corners: dict[str, Any], what: str) -> None:
    with pytest.raises(ValueError, match=what):
        Window(corners=corners)


def drawn(corners: dict[str, Any], size: tuple[int, int], light: np.ndarray) -> np.ndarray:
    """What a window of this size draws of a picture, RGBA, its lower row first as the picture's."""
    fitting, target, picture = Fitting(corners), Target(*size), Texture.make(light.shape[1], light.shape[0])
    upload(picture, light)
    fitting.draw(target, Frame(picture, 0.0, 1), size)
    shown = read(target.texture)
    for thing in (fitting, target, picture):
        thing.close()
    return shown


def test_unmoved_the_window_shows_the_picture_to_the_byte(gl: Context) -> None:
    light = np.random.default_rng(0).integers(0, 256, (36, 64, 4), dtype=np.uint8)
    light[..., 3] = 255
    assert (drawn({}, (64, 36), light) == light).all()
    tall = drawn({}, (64, 72), light)  # black above and below
    assert (tall[18:54] == light).all()
    assert not tall[:18, :, :3].any()
    assert not tall[54:, :, :3].any()


def test_moved_the_window_shows_it_between_its_corners_with_even_edges(gl: Context) -> None:
    light = np.full((90, 160, 4), 255, np.uint8)
    shown = drawn({"top_left": [0.25, 0.0], "bottom_left": [0.0, 0.2]}, (160, 90), light)[..., 0].astype(int)
    y, x = np.mgrid[0:90, 0:160] + 0.5
    left = np.interp(y, (18.0, 90.0), (0.0, 40.0))  # pixels from the left, by height; up to there it is cut from below
    below = np.interp(x, (0.0, 160.0), (18.0, 0.0))
    inside = np.minimum(x - left, y - below)
    assert (shown[inside > 1.5] >= 254).all()
    assert (shown[inside < -1.5] == 0).all()
    edge = shown[np.abs(inside) < 0.4]
    assert 60 < edge.mean() < 195
    assert len(set(edge.tolist())) > 10  # between light and dark, not steps
    assert shown.sum() / 255 == pytest.approx((inside > 0).sum(), rel=0.01)
