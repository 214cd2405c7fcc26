"""Every patch that comes with the program: its header says all it should, it draws, and it draws the same twice."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from perform import paths
from perform.frame import Texture
from perform.gl.context import Context
from perform.gl.isf.header import read
from perform.gl.isf.patch import Date, Patch
from perform.gl.isf.stills import given, views
from perform.gl.target import Texture as GlTexture
from perform.gl.transfer import read as pixels
from perform.gl.transfer import upload

SIZE = (96, 54)
NOON: Date = (2026.0, 6.0, 21.0, 43200.0)
KINDS = {"sources": "source", "filters": "filter", "transitions": "transition", "blends": "blend"}
FILES = sorted(paths.patches().glob("*/*.fs"))
SOURCES = [f for f in FILES if f.parent.name == "sources"]
TRANSITIONS = [f for f in FILES if f.parent.name == "transitions"]

Picture = npt.NDArray[np.uint8]
Play = Callable[..., Picture]


def name(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


@cache
def header(path: Path) -> dict[str, Any]:
    """The header as written, before any host fills in what is missing."""
    found = re.match(r"\s*/\*(.*?)\*/", path.read_text("utf-8"), re.DOTALL)
    assert found, "a patch begins with its header"
    written: dict[str, Any] = json.loads(found[1])
    return written


@pytest.fixture(scope="module")
def opened() -> Iterator[dict[Path, Patch]]:
    """Patches compile once for all tests of this file."""
    patches: dict[Path, Patch] = {}
    yield patches
    for patch in patches.values():
        patch.close()


@pytest.fixture(scope="module")
def pictures() -> dict[str, Texture]:
    return {}


@pytest.fixture
def play(gl: Context, opened: dict[Path, Patch], pictures: dict[str, Texture]) -> Play:
    """play(path, times, **inputs): the last picture of a patch that starts afresh and is drawn at these times."""
    if not pictures:
        pictures.update(views(SIZE))

    def last(path: Path, *times: float, **inputs: Any) -> Picture:
        patch = opened.get(path) or opened.setdefault(path, Patch.open(path))
        patch.reset()
        for now in times:
            moving = {k: v(now) if callable(v) else v for k, v in inputs.items()}
            texture = patch.render(SIZE, now, {**given(patch.header, pictures), **moving}, NOON)
        return pixels(texture).copy()

    return last


def far(a: Picture, b: Picture) -> float:
    """Mean difference of two pictures in steps of 8 bits."""
    return float(np.abs(a.astype(np.int16) - b.astype(np.int16)).mean())


def test_there_are_enough() -> None:
    count = {folder: len([f for f in FILES if f.parent.name == folder]) for folder in KINDS}
    assert count["sources"] >= 10
    assert count["filters"] >= 14
    assert count["transitions"] >= 8
    assert count["blends"] >= 20


def test_a_source_filter_or_transition_is_found_by_its_name_alone() -> None:
    stems = [f.stem for f in FILES if f.parent.name != "blends"]
    assert sorted(stems) == sorted(set(stems))


@pytest.mark.parametrize("path", FILES, ids=name)
def test_the_header_says_what_the_patch_is(path: Path) -> None:
    found, said = read(path), header(path)
    assert found.kind == KINDS[path.parent.name]
    assert said["ISFVSN"] == "2"
    assert "perform" in said["CREDIT"]
    assert said["CATEGORIES"]
    assert said["DESCRIPTION"].endswith(".")
    assert 20 < len(said["DESCRIPTION"]) < 300
    assert re.search(r"/\*|//", found.body), "a comment says what the idea is and what it costs"


@pytest.mark.parametrize("path", FILES, ids=name)
def test_every_input_can_be_played_without_reading_the_code(path: Path) -> None:
    for entry in header(path)["INPUTS"]:
        kind = entry["TYPE"]
        if entry["NAME"] == "inputImage":
            continue  # what every filter has
        assert len(entry.get("LABEL", "")) >= 4, f"{entry['NAME']} needs a LABEL"
        if kind == "float":
            assert entry["MIN"] < entry["MAX"]
            assert entry["MIN"] <= entry["DEFAULT"] <= entry["MAX"]
        elif kind == "long":
            assert len(entry["VALUES"]) == len(entry["LABELS"])
            assert entry["DEFAULT"] in entry["VALUES"]
        elif kind == "color":
            assert len(entry["DEFAULT"]) == 4
            assert all(0.0 <= c <= 1.0 for c in entry["DEFAULT"])
        elif kind == "point2D":
            ranges = zip(entry["MIN"], entry["DEFAULT"], entry["MAX"], strict=True)
            assert all(lo <= default <= hi for lo, default, hi in ranges)
        elif kind == "bool":
            assert entry["DEFAULT"] in (True, False)


@pytest.mark.parametrize("path", SOURCES + TRANSITIONS, ids=name)
def test_any_isf_host_can_read_it(path: Path) -> None:
    """No word of newer GLSL than old hosts and WebGL know, and no loop whose length a compiler cannot see."""
    code = re.sub(r"/\*.*?\*/|//[^\n]*", "", path.read_text("utf-8"), flags=re.DOTALL)
    assert not re.search(r"\b(texture|textureSize|texelFetch|uint|round|switch|while|isnan|inverse)\b", code)
    for loop in re.findall(r"for \(([^)]*)\)", code):
        assert re.fullmatch(r"int (\w) = -?\d+; \1 <=? \d+; \1\+\+", loop), loop


@pytest.mark.parametrize("path", FILES, ids=name)
def test_it_draws_a_picture_and_the_same_one_twice(path: Path, play: Play) -> None:
    times = [5.0 + n / 30.0 for n in range(3)]
    picture = play(path, *times)
    colours = picture[..., :3].astype(np.float64)
    assert 4.0 < colours.mean() < 251.0, "neither black nor white"
    assert colours.std() > 4.0, "not one flat colour"
    assert np.array_equal(picture, play(path, *times))


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_a_source_is_opaque_moves_and_never_jumps(path: Path, play: Play) -> None:
    before, after = play(path, 20.0), play(path, 20.0, 20.0 + 1.0 / 30.0)
    assert (after[..., 3] == 255).all()
    assert far(before, after) < 3.0
    assert far(before, play(path, 20.0, 20.5, 21.0, 21.5, 22.0)) > 0.2


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_a_source_has_no_seam_where_time_wraps(path: Path, play: Play) -> None:
    assert far(play(path, 7200.0 - 1e-3), play(path, 7200.0 + 1e-3)) < 1.0


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_moving_the_speed_fader_never_makes_a_source_jump(path: Path, play: Play) -> None:
    top = next(e["MAX"] for e in header(path)["INPUTS"] if e["NAME"] == "speed")
    frame = 1.0 / 60.0

    def speed(now: float) -> float:
        return top if now > 900.0 + 1.5 * frame else 1.0

    before = play(path, 900.0, 900.0 + frame)
    after = play(path, 900.0, 900.0 + frame, 900.0 + 2.0 * frame, speed=speed)
    assert far(before, after) < 4.0


@pytest.mark.parametrize("path", TRANSITIONS, ids=name)
def test_what_is_clear_lends_a_transition_no_colour(path: Path, opened: dict[Path, Patch], gl: Context) -> None:
    """From nothing (black, alpha 0) to white: whatever is there half way is white, but for what the patch paints."""
    clear, white = GlTexture.make(*SIZE), GlTexture.make(*SIZE)
    upload(clear, np.zeros((SIZE[1], SIZE[0], 4), np.uint8))
    upload(white, np.full((SIZE[1], SIZE[0], 4), 255, np.uint8))
    patch = opened[path] if path in opened else opened.setdefault(path, Patch.open(path))
    paints = {"edge": 0.0, "brown": 0.0, "heat": 0.0, "glow": 0.0, "blend": 0.5}  # of its own
    given = {"startImage": clear, "endImage": white, "progress": 0.5, **paints}
    half = pixels(patch.render(SIZE, 1.0, given)).astype(int)
    there = half[half[..., 3] > 16]
    assert len(there) > 100
    assert np.percentile(there[:, :3], 5) > (200 if path.stem in ("tide", "filmburn") else 250)
    for texture in (clear, white):
        texture.close()


@pytest.mark.parametrize("path", TRANSITIONS, ids=name)
def test_a_transition_begins_and_ends_with_the_pictures_themselves(
    path: Path, play: Play, pictures: dict[str, Texture]
) -> None:
    begin, half, end = (play(path, 1.0, progress=k) for k in (0.0, 0.5, 1.0))
    start, stop = pixels(pictures["evening"]), pixels(pictures["night"])
    assert np.array_equal(begin, start)
    assert np.array_equal(end, stop)
    assert far(half, start) > 2.0
    assert far(half, stop) > 2.0


@pytest.mark.parametrize("path", TRANSITIONS, ids=name)
def test_a_transition_neither_starts_nor_stops_with_a_jolt(
    path: Path, play: Play, pictures: dict[str, Texture]
) -> None:
    assert far(play(path, 1.0, progress=0.004), pixels(pictures["evening"])) < 2.0
    assert far(play(path, 1.0, progress=0.996), pixels(pictures["night"])) < 2.0


@pytest.mark.parametrize("path", TRANSITIONS, ids=name)
def test_a_transition_uses_all_its_time(path: Path, play: Play, pictures: dict[str, Texture]) -> None:
    """Something is seen to happen soon, and it goes on until shortly before the end."""

    def changed(progress: float, since: str) -> float:
        picture, other = play(path, 1.0, progress=progress).astype(np.int16), pixels(pictures[since])
        return float((np.abs(picture - other)[..., :3].max(2) > 6).mean())

    assert changed(0.12, "evening") > 0.03
    assert changed(0.85, "night") > 0.025


@pytest.mark.parametrize("light", [0.3, 1.0])
def test_luma_changes_a_dark_picture_as_evenly_as_a_bright_one(
    light: float, opened: dict[Path, Patch], gl: Context
) -> None:
    path = paths.patches() / "transitions" / "luma.fs"
    patch = opened[path] if path in opened else opened.setdefault(path, Patch.open(path))
    ramp = np.zeros((SIZE[1], SIZE[0], 4), np.uint8)
    ramp[..., 1] = (255 * light * np.linspace(0.0, 1.0, SIZE[0])).astype(np.uint8)
    ramp[..., 3] = 255
    start, stop = GlTexture.make(*SIZE), GlTexture.make(*SIZE)
    upload(start, ramp)
    upload(stop, ramp + np.array([0, 0, 255, 0], np.uint8))
    given = {"startImage": start, "endImage": stop}
    blue = [pixels(patch.render(SIZE, 1.0, {**given, "progress": k})).mean((0, 1))[2] / 255.0 for k in (0.2, 0.5, 0.8)]
    assert np.abs(np.array(blue) - (0.2, 0.5, 0.8)).max() < 0.12
    for texture in (start, stop):
        texture.close()


def test_a_light_out_of_focus_is_a_disc_not_dots(opened: dict[Path, Patch], gl: Context) -> None:
    path = paths.patches() / "transitions" / "defocus.fs"
    patch = opened[path] if path in opened else opened.setdefault(path, Patch.open(path))
    side = 360
    dark = np.zeros((side, side, 4), np.uint8)
    dark[..., 3] = 255
    dark[side // 2 - 3 : side // 2 + 3, side // 2 - 3 : side // 2 + 3, :3] = 255
    texture = GlTexture.make(side, side)
    upload(texture, dark)
    half = pixels(patch.render((side, side), 1.0, {"startImage": texture, "endImage": texture, "progress": 0.5}))
    y, x = np.mgrid[0:side, 0:side] - (side - 1) / 2.0
    inside = half[np.hypot(x, y) < 0.045 * side * 0.7][:, 0].astype(np.float64)
    assert inside.mean() > 8.0
    assert inside.std() < 0.25 * inside.mean()
    texture.close()


def test_the_sand_of_the_dunes_is_whole(opened: dict[Path, Patch], gl: Context) -> None:
    """Near sand is smooth across the picture: a ray that stops short of it tears it into scales."""
    path = paths.patches() / "sources" / "dunes.fs"
    patch = opened[path] if path in opened else opened.setdefault(path, Patch.open(path))
    for now in (6.0, 20.0):
        patch.reset()
        light = pixels(patch.render((640, 360), now, {}, NOON))[:160, :, :3].astype(np.float64).mean(2)
        bent = np.abs(light[:, 2:] - 2.0 * light[:, 1:-1] + light[:, :-2])
        assert (bent > 3.0).mean() < 0.013


def test_the_dunes_go_on_to_both_sides_of_a_panorama(opened: dict[Path, Patch], gl: Context) -> None:
    """No row of sand is one colour drawn out to the rim."""
    path = paths.patches() / "sources" / "dunes.fs"
    patch = opened[path] if path in opened else opened.setdefault(path, Patch.open(path))
    patch.reset()
    sand = pixels(patch.render((356, 100), 4.0, {}, NOON))[10:40, :, :3].astype(np.float64).mean(2)
    for side in (sand[:, :20], sand[:, -20:]):
        assert np.ptp(side, axis=1).max() > 30.0


def test_a_tunnel_in_few_frames_is_the_tunnel_in_many(opened: dict[Path, Patch], gl: Context) -> None:
    """A long frame takes in light at several moments: at its one moment it left a copy of the rim each frame."""
    path = paths.patches() / "sources" / "tunnel.fs"
    patch = opened[path] if path in opened else opened.setdefault(path, Patch.open(path))
    seen = []
    for fps in (10, 30):
        patch.reset()
        for n in range(4 * fps + 1):
            texture = patch.render((320, 180), 20.0 + n / fps, {"zoom": 1.5}, NOON)
        seen.append(pixels(texture).copy())
    assert far(*seen) < 3.2
