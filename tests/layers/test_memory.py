"""What is seen of a dream: mix and memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from perform.frame import Frame
from perform.gl.context import Context
from perform.gl.target import Texture
from perform.gl.transfer import read, upload
from perform.layers import Memory
from perform.layers.memory import border

SIZE = (32, 18)


def plain(value: int, size: tuple[int, int] = SIZE) -> Frame:
    texture = Texture.make(*size)
    upload(texture, np.full((size[1], size[0], 4), value, np.uint8))
    return Frame(texture, 0.0, 1)


@pytest.fixture(params=["rgba16f", "rgba8"])
def memory(gl: Context, request: pytest.FixtureRequest) -> Iterator[Memory]:
    memory = Memory(request.param)
    yield memory
    memory.close()


def middle(frame: Frame) -> float:
    return float(read(frame.texture)[9, 16, 0])  # type: ignore[arg-type]


def test_nothing_is_drawn_where_nothing_has_changed(memory: Memory) -> None:
    dream, given = plain(100), plain(0)
    shown = memory.settle(dream, given, 0.0, 1.0, 0.0)
    assert memory.settle(dream, given, 1.0, 1.0, 0.0) is shown
    assert memory.settle(dream, given, 2.0, 0.5, 0.0) is not shown
    assert middle(memory.settle(replace(dream, serial=2), given, 3.0, 1.0, 0.0)) == pytest.approx(100, abs=1)


@pytest.mark.parametrize(("size", "inner"), [((128, 72), (114, 64)), ((64, 64), (56, 56)), ((8, 8), (8, 8))])
def test_the_border_of_a_dream_is_not_seen_and_the_rest_is_as_it_was(
    memory: Memory, size: tuple[int, int], inner: tuple[int, int]
) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (size[1], size[0], 4), np.uint8)
    texture = Texture.make(*size)
    upload(texture, pixels)
    shown = memory.settle(Frame(texture, 0.0, 1), plain(0, size), 0.0, 1.0, 0.0)
    assert shown.size == inner
    x, y = border(size)
    wanted = pixels[y : size[1] - y, x : size[0] - x].astype(float)
    found = np.asarray(read(shown.texture), float)  # type: ignore[arg-type]
    assert np.abs(found - wanted).max() <= 1.01  # the grain


def test_the_border_keeps_the_proportions_as_the_page_of_shows_has_it() -> None:
    assert border((640, 360)) == (7, 4)
    assert border((360, 640)) == (4, 7)
    page = (Path(__file__).parents[2] / "docs" / "show.md").read_text("utf-8")
    assert "640×360: 7 left and right, 4 above and below" in page


def test_mix_goes_from_the_given_to_the_dream(memory: Memory) -> None:
    shown = memory.settle(plain(200), plain(100), 0.0, 0.25, 0.0)
    assert middle(shown) == pytest.approx(125, abs=1)


@pytest.mark.parametrize("fps", [25.0, 60.0])
def test_what_hardly_changes_comes_slowly_and_at_any_rate_alike(memory: Memory, fps: float) -> None:
    before, after = plain(100), plain(116)
    memory.settle(before, before, 0.0, 1.0, 0.8)
    for n in range(1, round(fps * 0.2) + 1):  # a fifth of a second: 0.8 ^ 6 of the old is left
        shown = memory.settle(after, after, n / fps, 1.0, 0.8)
    assert middle(shown) == pytest.approx(116 - 16 * 0.8**6, abs=1.6)


def test_what_moves_comes_through_at_once(memory: Memory) -> None:
    dark, bright = plain(10), plain(220)
    memory.settle(dark, dark, 0.0, 1.0, 0.9)
    assert middle(memory.settle(bright, bright, 1 / 60, 1.0, 0.9)) == pytest.approx(220, abs=1)


def test_memory_that_was_off_remembers_nothing_of_before(memory: Memory) -> None:
    old, new = plain(100), plain(115)
    memory.settle(old, old, 0.0, 1.0, 0.8)
    memory.settle(new, new, 1.98, 1.0, 0.0)
    assert middle(memory.settle(new, new, 2.0, 1.0, 0.8)) == pytest.approx(115, abs=1)


def test_the_longest_memory_arrives_in_the_end(memory: Memory) -> None:
    before, after = plain(100), plain(120)
    memory.settle(before, before, 0.0, 1.0, 1.0)
    for n in range(1, 1200):
        shown = memory.settle(after, after, n / 60, 1.0, 1.0)
    mean = read(shown.texture)[..., 0].mean()  # type: ignore[arg-type]
    # Without dither both stop at 114 or sooner. llvmpipe cuts half floats off instead of rounding: not all the way.
    assert mean == pytest.approx(120, abs=0.7 if memory.format == "rgba8" else 3.5)
