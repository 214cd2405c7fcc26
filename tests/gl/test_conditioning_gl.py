"""The conditioning chain by its pixels: parity with torch, framing, smoothing, filters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
import torch.nn.functional as F

from perform.clock import FixedClock, ManualClock
from perform.conditioning import Conditioning
from perform.conditioning.framing import Framing, View
from perform.conditioning.reduction import Reduction, Tone, cells
from perform.frame import Frame
from perform.gl.context import Context
from perform.gl.target import Texture
from perform.gl.transfer import read, upload
from perform.params import Params
from perform.plugins import Stage

pytestmark = pytest.mark.usefixtures("gl")
Picture = npt.NDArray[np.uint8]  # (H, W, 4), row 0 at the top: as a person looks at it
PATCHES = Path(__file__).parents[2] / "patches"
RNG = np.random.default_rng(20)

INVERT = """/*{"ISFVSN": "2", "INPUTS": [{"NAME": "inputImage", "TYPE": "image"},
    {"NAME": "amount", "TYPE": "float", "DEFAULT": 1.0, "MIN": 0.0, "MAX": 1.0}]}*/
void main() { vec4 c = IMG_THIS_PIXEL(inputImage); gl_FragColor = vec4(mix(c.rgb, 1.0 - c.rgb, amount), c.a); }
"""
GLOW = '{"NAME": "glow", "TYPE": "float", "DEFAULT": 0.5, "MIN": 0.0, "MAX": 1.0}'

# Counts its frames in a sum that it keeps.
COUNTS = """/*{"INPUTS": [{"NAME": "inputImage", "TYPE": "image"}],
    "PASSES": [{"TARGET": "sum", "PERSISTENT": true}, {}]}*/
void main() { gl_FragColor = IMG_THIS_PIXEL(sum) + (PASSINDEX == 0 ? vec4(0.04) : vec4(0.0, 0.0, 0.0, 1.0)); }
"""


@pytest.fixture(scope="module")
def reduction(_context: Context) -> Iterator[Reduction]:
    _context.make_current()
    reduction = Reduction()
    yield reduction
    reduction.close()
    reduction.close()


@pytest.fixture(scope="module")
def framing(_context: Context) -> Iterator[Framing]:
    _context.make_current()
    framing = Framing()
    yield framing
    framing.close()
    framing.close()


@pytest.fixture
def textures() -> Iterator[list[Texture]]:
    made: list[Texture] = []
    yield made
    for texture in made:
        texture.close()


@pytest.fixture
def params() -> Params:
    return Params()


@pytest.fixture
def stage(params: Params, tmp_path: Path) -> Stage:
    (tmp_path / "invert.fs").write_text(INVERT)
    return Stage(params, ManualClock(), "/layer/dream", (64, 48), folder=tmp_path, patches=(tmp_path, PATCHES))


def gpu(made: list[Texture], picture: Picture) -> Texture:
    texture = Texture.make(picture.shape[1], picture.shape[0])
    upload(texture, np.ascontiguousarray(picture[::-1]))
    made.append(texture)
    return texture


def pixels(texture: Any) -> npt.NDArray[np.int16]:
    return read(texture)[::-1].astype(np.int16)


def noise(width: int, height: int) -> Picture:
    picture = RNG.integers(0, 256, (height, width, 4), dtype=np.uint8)
    picture[..., 3] = 255
    return picture


def hills(width: int, height: int) -> Picture:
    """Smooth pictures show what noise averages away: shifts, flips, wrong kernels."""
    y, x = np.mgrid[0:height, 0:width]
    waves = [
        np.sin(x * a / width * 9.0 + y * b / height * 7.0 + c) for a, b, c in ((1, 0.6, 0), (2.1, -1, 1), (0.3, 3, 2))
    ]
    picture = np.stack([*(127.5 + 127.0 * wave for wave in waves), np.full_like(x, 255)], -1)
    return picture.astype(np.uint8)


def torch_condition(picture: Picture, tone: Tone) -> npt.NDArray[np.int16]:
    """The condition from its definition, on torch's own area and bicubic; independent of the lab."""
    height, width = picture.shape[:2]
    rgb = torch.from_numpy(picture[..., :3].copy()).float().permute(2, 0, 1)[None] / 255.0
    v = 0.299 * rgb[:, 0:1] + 0.587 * rgb[:, 1:2] + 0.114 * rgb[:, 2:3]
    columns, rows = max(1, round(width / tone.reduce)), max(1, round(height / tone.reduce))
    v = F.interpolate(v, (rows, columns), mode="area")
    v = F.interpolate(v, (height, width), mode="bicubic", align_corners=False)
    v = ((v - tone.black) / max(tone.white - tone.black, 0.001)).clamp(0.0, 1.0) ** (1.0 / tone.gamma)
    v = (v - 0.5) * tone.contrast + 0.5 + tone.brightness
    v = v + (1.0 - 2.0 * v) * tone.invert
    y, x = np.mgrid[:height, :width].astype(np.uint32)
    h = x * np.uint32(0x9E3779B1) + y * np.uint32(0x85EBCA77)
    h = (h ^ (h >> np.uint32(16))) * np.uint32(0x7FEB352D)
    h = (h ^ (h >> np.uint32(15))) * np.uint32(0x846CA68B)
    h = h ^ (h >> np.uint32(16))
    v = v + tone.grain * torch.from_numpy((h.view(np.uint8).reshape(height, width, 4).sum(-1) - 510.0) / 147.8)
    return (v.clamp(0.0, 1.0) * 255.0).round()[0, 0].numpy().astype(np.int16)


TONES = (
    Tone(),
    Tone(reduce=1.0),
    Tone(reduce=7.3, gamma=2.2, contrast=1.6),
    Tone(reduce=32.0, black=0.12, white=0.8, brightness=-0.1),
    Tone(reduce=24.0, gamma=0.5, contrast=0.6, invert=1.0),
    Tone(reduce=1.7, black=-0.1, white=1.1, invert=0.3, brightness=0.2),
    Tone(reduce=64.0, contrast=2.5),
    Tone(reduce=16.0, grain=0.03),
    Tone(reduce=1.0, grain=0.1, invert=1.0),
)
SIZES = ((256, 256), (255, 143), (97, 131), (320, 176))


class TestReduction:
    @pytest.mark.parametrize("size", SIZES)
    def test_agrees_with_torch(self, reduction: Reduction, textures: list[Texture], size: tuple[int, int]) -> None:
        for picture in (noise(*size), hills(*size)):
            for tone in TONES:
                got = pixels(reduction.draw(gpu(textures, picture), tone, 0.1, 0.0))
                assert np.abs(got[..., 0] - torch_condition(picture, tone)).max() <= 1, tone  # the promise is 2
                assert (got[..., 0] == got[..., 1]).all()
                assert (got[..., 0] == got[..., 2]).all()
                assert (got[..., 3] == 255).all()

    @pytest.mark.parametrize("size", SIZES)
    def test_agrees_with_what_worlds_are_trained_on(
        self, reduction: Reduction, textures: list[Texture], size: tuple[int, int]
    ) -> None:
        conditions = pytest.importorskip("perform.lab.conditions")
        for tone in TONES:
            numbers = {name: getattr(tone, name) for name in Tone.__dataclass_fields__ if name != "grey"}
            for picture in (noise(*size), hills(*size)):
                got = pixels(reduction.draw(gpu(textures, picture), tone, 0.0, 0.0))
                want = conditions.condition(torch.from_numpy(picture), **numbers).numpy().astype(np.int16)
                assert np.abs(got - want).max() <= 2, tone

    def test_colour_stays_where_it_is_wanted(self, reduction: Reduction, textures: list[Texture]) -> None:
        picture = hills(96, 64)
        grey = pixels(reduction.draw(gpu(textures, picture), Tone(reduce=8.0, grey=0.0), 0.0, 0.0))
        for channel in range(3):
            alone = picture.copy()
            alone[..., :3] = picture[..., channel : channel + 1]
            assert np.abs(grey[..., channel] - torch_condition(alone, Tone(reduce=8.0))).max() <= 1
        half = pixels(reduction.draw(textures[0], Tone(reduce=8.0, grey=0.5), 0.0, 0.0))
        whole = pixels(reduction.draw(textures[0], Tone(reduce=8.0, grey=1.0), 0.0, 0.0))
        assert np.abs(half - (grey + whole) / 2.0).max() <= 1.0

    def test_what_is_transparent_lies_on_black(self, reduction: Reduction, textures: list[Texture]) -> None:
        picture = noise(32, 32)
        picture[..., 3] = 0
        for reduce in (1.0, 8.0):
            got = pixels(reduction.draw(gpu(textures, picture), Tone(reduce=reduce), 0.0, 0.0))
            assert (got[..., :3] == 0).all()

    def test_cells_round_as_the_lab_does(self) -> None:
        assert cells((40, 24), 16.0) == (2, 2)  # 2.5 and 1.5: halves to even
        assert cells((5, 3), 64.0) == (1, 1)

    @pytest.mark.parametrize("fps", [15.0, 60.0])
    @pytest.mark.parametrize("reduce", [1.0, 8.0])
    def test_smoothing_takes_its_time_at_any_rate(
        self, reduction: Reduction, textures: list[Texture], fps: float, reduce: float
    ) -> None:
        dark, light = np.full((16, 16, 4), 100, np.uint8), np.full((16, 16, 4), 106, np.uint8)
        dark[..., 3] = light[..., 3] = 255
        before, after = gpu(textures, dark), gpu(textures, light)
        tone = Tone(reduce=reduce)
        reduction.draw(before, tone, 0.4, 10.0)
        got = before
        for n in range(1, round(0.4 * fps) + 1):
            got = reduction.draw(after, tone, 0.4, 10.0 + n / fps)
        want = 100 + 6 * (1.0 - np.exp(-1.0))
        assert abs(pixels(got)[8, 8, 0] - want) <= 0.8

    def test_smoothing_lets_motion_through(self, reduction: Reduction, textures: list[Texture]) -> None:
        dark, light = np.full((16, 16, 4), 40, np.uint8), np.full((16, 16, 4), 220, np.uint8)
        dark[..., 3] = light[..., 3] = 255
        reduction.draw(gpu(textures, dark), Tone(reduce=4.0), 1.0, 10.0)
        got = reduction.draw(gpu(textures, light), Tone(reduce=4.0), 1.0, 10.02)
        assert abs(pixels(got)[8, 8, 0] - 220) <= 2

    def test_smoothing_starts_anew_after_a_pause(self, reduction: Reduction, textures: list[Texture]) -> None:
        dark, light = np.full((8, 8, 4), 100, np.uint8), np.full((8, 8, 4), 106, np.uint8)
        dark[..., 3] = light[..., 3] = 255
        tone = Tone(reduce=4.0)
        before, after = gpu(textures, dark), gpu(textures, light)
        reduction.draw(before, tone, 4.0, 10.0)
        assert pixels(reduction.draw(after, tone, 4.0, 20.0))[0, 0, 0] == 106


class TestFraming:
    @staticmethod
    def quarters(width: int, height: int) -> Picture:
        """Red, green / blue, white, as a person sees them."""
        picture = np.zeros((height, width, 4), np.uint8)
        picture[..., 3] = 255
        picture[: height // 2, : width // 2, 0] = 255
        picture[: height // 2, width // 2 :, 1] = 255
        picture[height // 2 :, : width // 2, 2] = 255
        picture[height // 2 :, width // 2 :, :3] = 255
        return picture

    @staticmethod
    def corners(got: npt.NDArray[np.int16]) -> str:
        """The colours near top left, top right, bottom left, bottom right."""
        names = {(255, 0, 0): "r", (0, 255, 0): "g", (0, 0, 255): "b", (255, 255, 255): "w"}
        h, w = got.shape[0] // 8, got.shape[1] // 8
        return "".join(names.get(tuple(int(v) for v in got[y, x, :3]), "?") for y in (h, -h - 1) for x in (w, -w - 1))

    def test_nothing_to_do_costs_nothing(self, framing: Framing, textures: list[Texture]) -> None:
        texture = gpu(textures, noise(32, 16))
        assert framing.draw(texture, (32, 16), View()) is texture

    @pytest.mark.parametrize(
        ("view", "want"),
        [
            (View(mirror="left"), "rrbb"),
            (View(mirror="right"), "ggww"),
            (View(mirror="top"), "rgrg"),
            (View(mirror="bottom"), "bwbw"),
            (View(mirror="quad"), "rrrr"),
            (View(rotate=90.0), "gwrb"),
            (View(rotate=-90.0), "brwg"),
            (View(x=0.5), "rrbb"),
            (View(x=-0.5), "ggww"),
            (View(y=0.5), "bwbw"),
            (View(y=-0.5), "rgrg"),
            (View(zoom=2.0), "rgbw"),
        ],
    )
    def test_moves_as_a_performer_would_say_it(
        self, framing: Framing, textures: list[Texture], view: View, want: str
    ) -> None:
        got = pixels(framing.draw(gpu(textures, self.quarters(64, 64)), (64, 64), view))
        assert self.corners(got) == want

    @pytest.mark.parametrize("size", [(64, 64), (32, 32)])
    def test_does_not_draw_into_what_it_looks_at(
        self, framing: Framing, textures: list[Texture], size: tuple[int, int]
    ) -> None:
        first = framing.draw(gpu(textures, self.quarters(64, 64)), (64, 64), View(mirror="left"))
        before = pixels(first)
        second = framing.draw(first, size, View(rotate=90.0))
        assert self.corners(pixels(second)) == "rbrb"
        assert np.array_equal(pixels(first), before)

    def test_zooms_into_the_middle(self, framing: Framing, textures: list[Texture]) -> None:
        picture = hills(128, 128)
        got = pixels(framing.draw(gpu(textures, picture), (64, 64), View(zoom=2.0)))
        assert np.abs(got - picture[32:96, 32:96]).max() <= 1

    def test_zooming_out_goes_on_as_a_reflection(self, framing: Framing, textures: list[Texture]) -> None:
        picture = hills(64, 64)
        got = pixels(framing.draw(gpu(textures, picture), (64, 64), View(zoom=0.5)))
        assert np.abs(got[:16] - got[31:15:-1]).max() <= 1
        assert np.abs(got[:, 48:] - got[:, 47:31:-1]).max() <= 1
        assert np.abs(got[16] - got[40]).max() > 20

    @pytest.mark.parametrize(("source", "size"), [((160, 90), (64, 64)), ((64, 64), (160, 90)), ((90, 160), (48, 64))])
    def test_covers_without_stretching(
        self, framing: Framing, textures: list[Texture], source: tuple[int, int], size: tuple[int, int]
    ) -> None:
        picture = np.full((source[1], source[0], 4), 255, np.uint8)
        y, x = np.mgrid[0 : source[1], 0 : source[0]]
        radius = min(source) * 0.3
        disc = np.hypot(x + 0.5 - source[0] / 2, y + 0.5 - source[1] / 2) < radius
        picture[disc, :3] = 0
        got = pixels(framing.draw(gpu(textures, picture), size, View()))[..., 0] < 128
        wide, high = got.any(0).sum(), got.any(1).sum()
        scale = max(size[0] / source[0], size[1] / source[1])
        assert abs(wide - high) <= 1.0 + 1.5 * scale
        assert abs(wide - 2 * radius * scale) <= 1.0 + 1.5 * scale

    @pytest.mark.parametrize("view", [View(), View(1.6, 0.1, -0.2, 25.0, "quad"), View(zoom=0.6, mirror="right")])
    @pytest.mark.parametrize("reduce", [10.0, 16.0, 30.0])
    def test_framing_and_reducing_in_one_gives_the_same(
        self, framing: Framing, reduction: Reduction, textures: list[Texture], view: View, reduce: float
    ) -> None:
        texture, size = gpu(textures, hills(320, 180)), (120, 96)
        long = pixels(reduction.draw(framing.draw(texture, size, view), Tone(reduce=reduce), 0.0, 0.0))
        lines = framing.lines(texture, size, view, cells(size, reduce))
        short = pixels(reduction.draw_lines(lines, size, Tone(reduce=reduce), 0.0, 0.0))
        assert np.abs(long - short).max() <= 6
        assert np.abs(long - short).mean() <= 1.0

    def test_averages_what_it_shrinks(self, framing: Framing, textures: list[Texture]) -> None:
        picture = np.zeros((256, 256, 4), np.uint8)
        picture[::2, :, :3] = 255
        picture[..., 3] = 255
        texture = gpu(textures, picture)
        got = pixels(framing.draw(texture, (40, 40), View()))[..., 0]
        assert got.min() > 90
        assert got.max() < 165

    def test_transparent_pixels_lend_no_colour(self, framing: Framing, textures: list[Texture]) -> None:
        picture = np.zeros((16, 16, 4), np.uint8)
        picture[:] = (255, 0, 0, 0)
        picture[:, (np.arange(16) // 4) % 2 == 0] = (20, 100, 200, 255)
        got = pixels(framing.draw(gpu(textures, picture), (2, 2), View()))
        assert np.abs(got - np.array((20, 100, 200, 127))).max() <= 1


class TestChain:
    @pytest.fixture
    def frame(self, textures: list[Texture]) -> Frame:
        return Frame(gpu(textures, hills(64, 48)), 3.0, 1)

    def test_is_the_trained_condition_by_default(self, stage: Stage, frame: Frame) -> None:
        with Conditioning().open(stage) as chain:
            given = chain.draw(frame, (64, 48), 3.0)
            assert given.size == (64, 48)
            assert given.time == 3.0
            assert np.abs(pixels(given.texture)[..., 0] - torch_condition(hills(64, 48), Tone())).max() <= 1

    def test_frames_a_camera_to_the_generators_shape(self, stage: Stage, textures: list[Texture]) -> None:
        frame = Frame(gpu(textures, hills(160, 90)), 3.0, 1)
        middle = hills(160, 90)[:, 35:125]
        with Conditioning().open(stage) as chain:
            got = pixels(chain.draw(frame, (90, 90), 3.0).texture)[..., 0]
        assert np.abs(got - torch_condition(middle, Tone())).mean() <= 1.5

    def test_what_will_not_be_seen_is_added_around_the_picture(self, stage: Stage, textures: list[Texture]) -> None:
        """A smooth picture with a border of 4 pixels: without it, it is the picture as it was."""
        y, x = np.mgrid[0:96, 0:128] / 96.0
        grey = (60 + 90 * x + 50 * np.sin(3 * y)).astype(np.uint8)
        frame = Frame(gpu(textures, np.dstack([grey, grey, grey, np.full_like(grey, 255)])), 0.0, 1)
        with Conditioning().open(stage) as conditioning:
            plain = read(conditioning.draw(frame, (116, 88), 0.0, condition=False).texture)[..., 0].astype(int)
            more = read(conditioning.draw(frame, (124, 96), 0.0, condition=False, border=4).texture)[..., 0].astype(int)
        assert np.abs(more[4:-4, 4:-4] - plain).max() <= 3
        assert np.abs(more[:4] - more[7:3:-1]).max() <= 3, "it goes on as its reflection"

    def test_works_only_when_something_changed(self, stage: Stage, params: Params, frame: Frame) -> None:
        with Conditioning().open(stage) as chain:
            first = chain.draw(frame, (64, 48), 3.0)
            late = chain.draw(frame, (64, 48), 9.0)  # smoothing has come to rest
            assert chain.draw(frame, (64, 48), 9.1) is late
            params.post("/layer/dream/condition/invert", 1.0)
            params.settle(9.2)
            changed = chain.draw(frame, (64, 48), 9.2)
            assert changed.serial > late.serial >= first.serial
            newer = chain.draw(Frame(frame.texture, 9.3, 2), (64, 48), 9.3)
            assert newer.serial > changed.serial
            assert newer.time == 9.3
            assert chain.draw(frame, (32, 32), 9.4).size == (32, 32)

    def test_without_smoothing_the_second_look_is_free(self, stage: Stage, frame: Frame) -> None:
        chain = Conditioning()
        chain.defaults({"name": "reduce", "reduce": 8.0, "smooth": 0.0})
        with chain.open(stage):
            first = chain.draw(frame, (64, 48), 3.0)
            assert chain.draw(frame, (64, 48), 3.01) is first

    def test_smoothing_settles_though_the_source_stands_still(
        self, stage: Stage, frame: Frame, textures: list[Texture]
    ) -> None:
        other = hills(64, 48)
        other[..., :3] = np.minimum(other[..., :3] + np.uint8(6), 255)
        with Conditioning().open(stage) as chain:
            chain.draw(Frame(gpu(textures, other), 3.0, 1), (64, 48), 3.0)
            now = 3.0
            while now < 4.5:
                now += 0.02
                given = chain.draw(Frame(frame.texture, 3.02, 2), (64, 48), now)
            assert np.abs(pixels(given.texture)[..., 0] - torch_condition(hills(64, 48), Tone())).max() <= 1

    def test_without_a_world_only_filters_run(self, stage: Stage, frame: Frame) -> None:
        with Conditioning(["invert"], condition=False).open(stage) as chain:
            got = pixels(chain.draw(frame, (64, 48), 3.0).texture)
            assert np.abs(got[..., :3] - (255 - hills(64, 48)[..., :3].astype(np.int16))).max() <= 1
            conditioned = pixels(chain.draw(frame, (64, 48), 3.0, condition=True).texture)
            assert (conditioned[..., 0] == conditioned[..., 1]).all()
        with Conditioning(condition=False).open(stage) as chain:
            assert chain.draw(frame, (64, 48), 3.0).texture is frame.texture

    def test_a_named_condition_keeps_its_place(self, stage: Stage, frame: Frame) -> None:
        with Conditioning(["Condition", "invert", "condition"], condition=False).open(stage) as chain:
            got = pixels(chain.draw(frame, (64, 48), 3.0).texture)[..., 0]
        assert np.abs(got - (255 - torch_condition(hills(64, 48), Tone()))).max() <= 1

    def test_controls_reach_the_picture(self, stage: Stage, params: Params, frame: Frame) -> None:
        with Conditioning().open(stage) as chain:
            for name, value in (("reduce", 4.0), ("contrast", 1.5), ("gamma", 0.8), ("black", 0.1), ("smooth", 0.0)):
                params.post(f"/layer/dream/condition/{name}", value)
            params.settle(1.0)
            got = pixels(chain.draw(frame, (64, 48), 3.0).texture)[..., 0]
            want = torch_condition(hills(64, 48), Tone(reduce=4.0, contrast=1.5, gamma=0.8, black=0.1))
            assert np.abs(got - want).max() <= 1
            params.post("/layer/dream/condition/mirror", "left")
            params.settle(1.1)
            mirrored = pixels(chain.draw(frame, (64, 48), 3.1).texture)[..., 0]
            assert np.abs(mirrored - mirrored[:, ::-1]).max() <= 1
            assert np.abs(mirrored - got).max() > 20

    def test_a_filters_inputs_are_addresses(self, stage: Stage, params: Params, frame: Frame) -> None:
        with Conditioning(["invert"], condition=False).open(stage) as chain:
            inverted = chain.draw(frame, (64, 48), 3.0)
            assert chain.draw(frame, (64, 48), 3.1) is inverted  # a filter without time in it stands still
            params.post("/layer/dream/filter/invert/amount", 0.0)
            params.settle(3.2)
            plain = chain.draw(frame, (64, 48), 3.2)
            assert np.abs(pixels(plain.texture) - hills(64, 48)).max() <= 1
            params.post("/layer/dream/filter/invert/amount", 1.0)
            params.settle(3.3)
            inverted = chain.draw(frame, (64, 48), 3.3)
            params.post("/layer/dream/filter/invert/on", False)
            params.settle(3.4)
            shares = []
            for n in range(1, 30):
                off = chain.draw(frame, (64, 48), 3.4 + n / 60.0)
                shares.append(np.abs(pixels(off.texture) - hills(64, 48)).max())
            assert shares == sorted(shares, reverse=True)
            assert 80 < shares[11] < 180  # half of a dissolve of 0.4 s
            assert shares[-1] <= 1
            assert off.serial > inverted.serial > plain.serial
            assert chain.draw(frame, (64, 48), 5.0) is off
            params.settle(5.1)
            assert params["/status/layer/dream/filter/invert"].value == "off"
        assert "/layer/dream/filter/invert/on" not in params

    def test_the_same_filter_twice_has_two_names(self, stage: Stage, params: Params, frame: Frame) -> None:
        with Conditioning(["invert", "invert.fs"], condition=False).open(stage) as chain:
            assert np.abs(pixels(chain.draw(frame, (64, 48), 3.0).texture) - hills(64, 48)).max() <= 2
            assert "/layer/dream/filter/invert2/amount" in params

    def test_a_filter_with_time_in_it_is_drawn_each_frame(self, stage: Stage, frame: Frame) -> None:
        moving = INVERT.replace("1.0 - c.rgb, amount", "1.0 - c.rgb, fract(TIME)")
        (stage.folder / "pulse.fs").write_text(moving)
        with Conditioning(["pulse"], condition=False).open(stage) as chain:
            one = chain.draw(frame, (64, 48), 3.0)
            assert np.abs(pixels(one.texture) - hills(64, 48)).max() <= 1
            two = chain.draw(frame, (64, 48), 3.5)
            assert two.serial > one.serial
            assert np.ptp(pixels(two.texture)[..., 0]) <= 1  # half inverted is grey all over

    def test_a_filter_remembers_the_source_and_what_is_given_apart(self, stage: Stage, frame: Frame) -> None:
        (stage.folder / "counts.fs").write_text(COUNTS)
        with Conditioning(["counts"]).open(stage) as chain:
            for n in range(1, 5):  # a dream that comes or goes: both in each frame
                chain.draw(frame, (64, 48), n / 60)
                bare = chain.draw(frame, (32, 24), n / 60, condition=False)
                assert np.abs(pixels(bare.texture)[..., 0].astype(int) - n * 10).max() <= 2

    def test_other_filters_leave_those_that_stay_their_memory_and_their_values(
        self, stage: Stage, params: Params, frame: Frame
    ) -> None:
        (stage.folder / "counts.fs").write_text(COUNTS)
        with Conditioning(["invert", "counts"]).open(stage) as chain:
            params.post("/layer/dream/condition/smooth", 0.0)
            params.settle(1.0)
            for n, filters in enumerate((["counts"], ["counts", "condition"], ["invert", "counts"], ["counts"]), 1):
                got = pixels(chain.draw(frame, (64, 48), n / 60).texture)
                assert np.abs(got[..., 0].astype(int) - n * 10).max() <= 2
                chain.refilter(filters)
                assert ("/layer/dream/filter/invert/amount" in params) == ("invert" in filters)
                assert chain.named == ("condition" in filters)

    def test_another_file_of_the_same_name_takes_the_place_of_the_one(
        self, stage: Stage, params: Params, frame: Frame
    ) -> None:
        (stage.folder / "own").mkdir()
        (stage.folder / "own" / "invert.fs").write_text(INVERT.replace("1.0 - c.rgb", "vec3(1.0)"))
        with Conditioning(["invert"], condition=False).open(stage) as chain:
            chain.draw(frame, (64, 48), 3.0)
            chain.refilter([str(stage.folder / "own" / "invert.fs")])
            assert (pixels(chain.draw(frame, (64, 48), 3.1).texture)[..., :3] == 255).all()
            assert [p.address for p in params if "invert2" in p.address] == []
            assert "/layer/dream/filter/invert/amount" in params

    def test_a_broken_file_of_the_same_name_costs_nothing_and_takes_its_place_once_it_is_mended(
        self, stage: Stage, params: Params, frame: Frame
    ) -> None:
        own = stage.folder / "own" / "invert.fs"
        own.parent.mkdir()
        own.write_text("/*{ broken")
        still = replace(stage, clock=FixedClock(60.0))  # nobody watches the files
        with Conditioning(["invert", "filters/blur"], condition=False).open(still) as chain:
            amount, inverted = params["/layer/dream/filter/invert/amount"], 255 - hills(64, 48)[..., :3]
            params.post("/layer/dream/filter/invert/amount", 0.9)
            params.settle(1.0)
            params.post("/layer/dream/filter/invert/amount", 1.0)
            params.post("/layer/dream/filter/blur/on", False)
            params.settle(1.0)
            for n in range(30):
                chain.draw(frame, (64, 48), 1.0 + n / 60.0)
            chain.refilter([str(own)])  # and blur goes, once that is good
            for now in (3.0, 3.1):
                got = pixels(chain.draw(frame, (64, 48), now).texture)[..., :3]
                assert np.abs(got - inverted).max() <= 1
            params.settle(3.1)
            said = params["/status/layer/dream/filter/invert"].value
            assert "invert.fs" in said
            assert said.endswith("; the last good version stays")
            assert "/layer/dream/filter/blur/on" in params
            own.write_text(INVERT.replace("1.0 - c.rgb", "vec3(1.0)").replace('"MAX": 1.0}', '"MAX": 1.0}, ' + GLOW))
            step = chain._steps[0]
            assert step is not None
            assert step._play.coming is not None
            step._play.coming.look()
            for now in (3.2, 3.3):
                assert (pixels(chain.draw(frame, (64, 48), now).texture)[..., :3] == 255).all()
            params.settle(3.3)
            assert params["/status/layer/dream/filter/invert"].value == "on"
            assert params["/layer/dream/filter/invert/amount"] is amount  # and whatever moved it
            assert "/layer/dream/filter/invert/glow" in params
            assert "/layer/dream/filter/blur/on" not in params
            chain.refilter(["invert"])
            assert np.abs(pixels(chain.draw(frame, (64, 48), 3.4).texture)[..., :3] - inverted).max() <= 1
            assert "/layer/dream/filter/invert/glow" not in params

    def test_a_file_of_the_same_name_that_is_taken_back_or_is_not_there_leaves_the_filter_its_memory(
        self, stage: Stage, params: Params, frame: Frame
    ) -> None:
        (stage.folder / "counts.fs").write_text(COUNTS)
        (stage.folder / "own").mkdir()
        (stage.folder / "own" / "counts.fs").write_text("/*{ broken")
        own, none = str(stage.folder / "own" / "counts.fs"), str(stage.folder / "none" / "counts.fs")
        with Conditioning(["counts"], condition=False).open(stage) as chain:
            for n, asked in enumerate((own, "counts", none, own, "counts"), 1):
                got = pixels(chain.draw(frame, (64, 48), n / 60).texture)
                assert np.abs(got[..., 0].astype(int) - n * 10).max() <= 2
                chain.refilter([asked])
                params.settle(n / 60)
                stays = "the last good version stays" in params["/status/layer/dream/filter/counts"].value
                assert stays == (asked != "counts")

    def test_inputs_of_another_file_may_be_spelled_otherwise(self, stage: Stage, params: Params, frame: Frame) -> None:
        (stage.folder / "own").mkdir()
        (stage.folder / "own" / "invert.fs").write_text(INVERT.replace("amount", "Amount"))
        with Conditioning(["invert"], condition=False).open(stage) as chain:
            chain.refilter([str(stage.folder / "own" / "invert.fs")])
            chain.draw(frame, (64, 48), 3.0)
            params.settle(3.0)
            assert params["/status/layer/dream/filter/invert"].value == "on"
            assert params["/layer/dream/filter/invert/amount"].address == "/layer/dream/filter/invert/Amount"

    def test_a_filter_that_has_gone_leaves_nothing_and_one_that_waits_goes_with_the_next_edit(
        self, stage: Stage, params: Params, frame: Frame
    ) -> None:
        (stage.folder / "bad.fs").write_text("/*{ broken")
        with Conditioning(["invert", "bad"], condition=False).open(stage) as chain:

            def there() -> list[str]:
                chain.draw(frame, (64, 48), 3.0)
                return [name for name in ("invert", "bad", "bad2") if f"/status/layer/dream/filter/{name}" in params]

            chain.refilter(["bad"])  # has been broken before: nothing waits for it
            assert there() == ["bad"]
            chain.refilter(["invert"])
            assert there() == ["invert"]
            chain.refilter(["bad", "bad"])
            assert there() == ["invert", "bad", "bad2"]
            chain.refilter(["bad"])
            assert there() == ["invert", "bad"]
            chain.refilter([])
            assert there() == []
            assert chain.draw(frame, (64, 48), 3.0).texture is frame.texture

    @pytest.mark.parametrize("text", ["/*{ broken", '/*{"INPUTS": []}*/ void main() { gl_FragColor = nonsense; }'])
    def test_a_broken_filter_is_passed_by_and_says_why(
        self, stage: Stage, params: Params, frame: Frame, text: str
    ) -> None:
        (stage.folder / "bad.fs").write_text(text)
        with Conditioning(["bad"], condition=False).open(stage) as chain:
            assert np.abs(pixels(chain.draw(frame, (64, 48), 3.0).texture) - hills(64, 48)).max() == 0
            params.settle(3.0)
            assert "bad.fs" in params["/status/layer/dream/filter/bad"].value

    def test_a_missing_filter_is_passed_by_and_says_why(self, stage: Stage, params: Params, frame: Frame) -> None:
        with Conditioning(["blooom", "invert"], condition=False).open(stage) as chain:
            got = pixels(chain.draw(frame, (64, 48), 3.0).texture)
            assert np.abs(got[..., :3] - (255 - hills(64, 48)[..., :3].astype(np.int16))).max() <= 1
            params.settle(3.0)
            said = params["/status/layer/dream/filter/blooom"].value
            assert "blooom" in said
            assert "bloom" in said.replace("blooom", "")

    def test_a_filter_that_fails_in_flight_is_passed_by(
        self, stage: Stage, params: Params, frame: Frame, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from perform.gl.isf import LivePatch

        with Conditioning(["invert"], condition=False).open(stage) as chain:
            chain.draw(frame, (64, 48), 3.0)

            def fail(*_: object) -> None:
                raise MemoryError("the GPU is full")

            monkeypatch.setattr(LivePatch, "render", fail)
            got = chain.draw(Frame(frame.texture, 3.1, 2), (64, 48), 3.1)
            assert np.abs(pixels(got.texture) - hills(64, 48)).max() == 0
            params.settle(3.1)
            assert "the GPU is full" in params["/status/layer/dream/filter/invert"].value

    def test_must_be_open(self, gl: Context, frame: Frame) -> None:
        with pytest.raises(RuntimeError, match="not open"):
            Conditioning().draw(frame, (8, 8), 0.0)


def test_a_filter_offline_knows_no_wall_clock(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "today.fs").write_text(
        '/*{"INPUTS": [{"NAME": "inputImage", "TYPE": "image"}]}*/\n'
        "void main() { gl_FragColor = vec4(DATE.x / 4000.0, DATE.y / 20.0, DATE.w / 100.0, 1.0); }"
    )
    clock, seen = FixedClock(1.0), []
    with Conditioning(["today"], condition=False).open(replace(stage, clock=clock)) as chain:
        source = Texture.make(64, 48)
        for frame in (0, 50):
            clock.frame = frame
            now = clock.now()
            seen.append(read(chain.draw(Frame(source, now, 1), (64, 48), now).texture)[0, 0, :3].tolist())
        source.close()
    assert seen == [[128, 13, 0], [128, 13, 128]]
