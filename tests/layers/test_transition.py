"""How a layer changes from one picture to another: by a patch, and by a dissolve wherever a patch will not do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from perform import paths
from perform.clock import ManualClock
from perform.engines.crossing import Crossing
from perform.engines.fade import Still
from perform.engines.seat import Seat
from perform.frame import Frame
from perform.gl.context import Context
from perform.gl.isf import Patch, find_patch
from perform.gl.target import Format, Texture
from perform.gl.transfer import Pixels, read, upload
from perform.layers import Transition
from perform.params import Params
from perform.plugins import Stage

SIZE = (64, 36)
SPLIT = """/*{"DESCRIPTION": "from the left", "CREDIT": "perform", "CATEGORIES": ["Transition"], "INPUTS": [
  {"NAME": "startImage", "TYPE": "image"}, {"NAME": "endImage", "TYPE": "image"},
  {"NAME": "progress", "TYPE": "float", "DEFAULT": 0.0, "MIN": 0.0, "MAX": 1.0}]}*/
void main() {
    vec2 uv = isf_FragNormCoord;
    gl_FragColor = uv.x < progress ? IMG_NORM_PIXEL(endImage, uv) : IMG_NORM_PIXEL(startImage, uv);
}
"""


class Desk:
    """A transition, two pictures, and a folder of patches."""

    def __init__(self, folder: Path) -> None:
        (folder / "transitions").mkdir()
        (folder / "transitions" / "split.fs").write_text(SPLIT)
        (folder / "transitions" / "wrong.fs").write_text(SPLIT.replace("vec2 uv", "vec2 vu"))
        self.folders = (folder, paths.patches())
        self.params = Params()
        stage = Stage(self.params, ManualClock(), "/layer/dream", SIZE, software=True)
        self.transition = Transition.declare(stage, ["dissolve", "split", "wrong", "gone"], self.open)
        self.dark, self.bright = self.picture(40), self.picture(200)
        self.opened: list[str] = []

    def open(self, name: str, format: Format) -> Patch:
        self.opened.append(name)
        return Patch.open(find_patch(f"transitions/{name}", self.folders), format)

    def picture(self, grey: int) -> Texture:
        texture = Texture.make(*SIZE)
        upload(texture, np.full((SIZE[1], SIZE[0], 4), (grey, grey, grey, 255), np.uint8))
        return texture

    def choose(self, name: str) -> str:
        """What is said of it."""
        self.params.post("/layer/dream/transition", name)
        self.params.settle(0.0)
        self.params.settle(0.0)
        return str(self.params["/status/layer/dream/transition"].value)

    def draw(self, progress: float, now: float = 0.0, size: tuple[int, int] | None = None) -> Pixels:
        drawn = self.transition.draw(self.dark, self.bright, progress, now, size)
        assert isinstance(drawn, Texture)
        return read(drawn)


@pytest.fixture
def desk(gl: Context, tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.transition.close()
    desk.transition.close()


def test_a_dissolve_unless_something_else_is_chosen(desk: Desk) -> None:
    assert desk.params["/layer/dream/transition"].spec.choices == ("dissolve", "split", "wrong", "gone")
    assert np.all(desk.draw(0.5)[..., 0] == 120)
    assert desk.draw(0.5, size=(32, 16)).shape == (16, 32, 4)
    assert not desk.opened


def test_a_patch_draws_the_change_in_any_size_until_another_is_chosen(desk: Desk) -> None:
    assert desk.choose("split") == "split"
    for size in (SIZE, (32, 16)):
        across = desk.draw(0.25, size=size)[..., 0]
        assert np.all(across[:, : size[0] // 4] == 200)
        assert np.all(across[:, size[0] // 4 :] == 40)
    assert desk.opened == ["split"]
    assert desk.choose("dissolve") == "dissolve"
    assert np.all(desk.draw(0.5)[..., 0] == 120)


@pytest.mark.parametrize(("name", "why"), [("wrong", "wrong.fs"), ("gone", "there is no patch 'transitions/gone'")])
def test_what_cannot_be_opened_is_said_and_a_dissolve_takes_its_place(desk: Desk, name: str, why: str) -> None:
    said = desk.choose(name)
    assert why in said
    assert said.endswith("; a dissolve takes its place")
    assert np.all(desk.draw(0.5)[..., 0] == 120)


def test_what_fails_while_it_draws_costs_no_frame(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.choose("split")

    def fails(self: Patch, *given: object, **more: object) -> Texture:
        raise RuntimeError("the driver is tired")

    with monkeypatch.context() as patch:
        patch.setattr(Patch, "render", fails)
        assert np.all(desk.draw(0.5)[..., 0] == 120)
    assert desk.choose("split") == "the driver is tired (trying again)"
    assert np.any(desk.draw(0.5, now=60.0)[..., 0] == 200)


def test_it_never_draws_onto_the_picture_that_it_looks_at(desk: Desk) -> None:
    desk.choose("split")
    first = desk.transition.draw(desk.dark, desk.bright, 0.5, 0.0)
    second = desk.transition.draw(desk.dark, first, 0.5, 0.0)
    assert second is not first
    before, after = desk.transition.serial, desk.draw(0.5)
    assert desk.transition.serial == before + 1
    assert np.any(after[..., 0] == 200)


def test_what_was_drawn_can_be_looked_at_until_the_next_picture_is_there(desk: Desk) -> None:
    desk.choose("split")
    seen = desk.transition.draw(desk.dark, desk.bright, 0.25, 0.0)
    assert isinstance(seen, Texture)
    pixels = read(seen)
    for name in ("dissolve", "split", "gone", "split"):  # in the tick in which a fade is interrupted, or faster
        desk.choose(name)
        assert np.array_equal(read(seen), pixels)
    assert np.any(desk.draw(0.5)[..., 0] == 200)
    assert seen.id == 0


def test_a_world_fade_that_is_interrupted_leaves_its_own_picture_while_the_layer_fades_too(desk: Desk) -> None:
    desk.choose("split")
    crossing = Crossing(desk.transition)
    given = Frame(desk.picture(90), 0.0, 1)
    present, coming = (Seat(Still.of(texture)) for texture in (desk.dark, desk.bright))
    for seat in (present, coming):
        seat.dream(given, ())
    crossing.present = present
    crossing.bring(coming, 2.0)
    for now in (0.0, 1.0):
        shown = crossing.draw(given, now)
        assert isinstance(shown.texture, Texture)
        pixels = read(shown.texture)
        desk.transition.draw(given.texture, desk.dark, 0.1, now, (96, 54), lane="source")
    assert len(np.unique(pixels[..., 0])) == 2
    crossing.interrupt()
    still = crossing.draw(given, 1.0).texture
    assert isinstance(still, Texture)
    assert np.array_equal(read(still), pixels)
    crossing.close()


def test_what_was_drawn_in_one_lane_stays_until_the_next_picture_of_that_lane(desk: Desk) -> None:
    desk.choose("split")
    desk.draw(0.5)
    seen = desk.transition.draw(desk.dark, desk.bright, 0.25, 0.0, lane="source")
    assert isinstance(seen, Texture)
    desk.choose("dissolve")
    desk.draw(0.5)
    assert np.any(read(seen)[..., 0] == 200)
    desk.transition.draw(desk.dark, desk.bright, 0.25, 0.0, lane="source")
    assert seen.id == 0
