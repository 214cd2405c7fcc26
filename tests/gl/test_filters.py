"""Every filter patch: compiles, keeps to its size and alpha, does what its name says, and never forgets its clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from perform.clock import WRAP
from perform.gl.isf import Patch
from perform.gl.isf import read as header_of
from perform.gl.target import Texture
from perform.gl.transfer import read, upload

pytestmark = pytest.mark.usefixtures("gl")
FILTERS = sorted((Path(__file__).parents[2] / "patches" / "filters").glob("*.fs"))
W, H = 96, 64
Picture = npt.NDArray[np.uint8]  # (H, W, 4), row 0 at the top
Pixels = npt.NDArray[np.int16]
Render = Callable[..., Pixels]


def scene(width: int = W, height: int = H) -> Picture:
    """Light, dark, colour, edges and texture, and nothing symmetrical about it."""
    y, x = np.mgrid[0:height, 0:width] / height
    picture = np.zeros((height, width, 4))
    picture[..., 0] = 0.5 + 0.4 * np.sin(3.0 * x + 1.0) - 0.25 * y
    picture[..., 1] = 0.4 + 0.3 * y + 0.1 * np.sin(40.0 * x) * np.sin(31.0 * y)
    picture[..., 2] = 0.3 + 0.5 * y * (1.0 - 0.4 * x)
    disc = np.hypot(x - 0.5, y - 0.35) < 0.18
    picture[disc, :3] = (0.98, 0.95, 0.85)
    picture[(np.abs(x - 1.1) < 0.12) & (np.abs(y - 0.7) < 0.2), :3] = (0.05, 0.06, 0.1)
    picture[..., 3] = 1.0
    return (picture.clip(0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)


def flat(red: int, green: int, blue: int, alpha: int = 255) -> Picture:
    return np.broadcast_to(np.array((red, green, blue, alpha), np.uint8), (H, W, 4)).copy()


@pytest.fixture
def open_filter() -> Iterator[Callable[[str], Render]]:
    """open_filter("blur") gives render(picture, now=1.0, size=(W, H), **inputs) -> (H, W, 4)."""
    made: list[Any] = []

    def opened(name: str) -> Render:
        patch = Patch.open(FILTERS[0].with_name(f"{name}.fs"))
        made.append(patch)

        def render(picture: Picture, now: float = 1.0, size: tuple[int, int] = (W, H), /, **inputs: Any) -> Pixels:
            texture = Texture.make(picture.shape[1], picture.shape[0])
            made.append(texture)
            upload(texture, np.ascontiguousarray(picture[::-1]))
            return read(patch.render(size, now, {"inputImage": texture, **inputs}))[::-1].astype(np.int16)

        return render

    yield opened
    for thing in made:
        thing.close()


def gap(a: Any, b: Any) -> float:
    """The largest difference of two pictures, in 255ths."""
    return float(np.abs(np.asarray(a, np.int32) - np.asarray(b, np.int32)).max())


def every_but(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("name", [path.stem for path in FILTERS if path.stem not in names])


every = every_but()
KEYING = {"chroma_key"}


def test_there_are_enough() -> None:
    assert len(FILTERS) >= 20
    wanted = "blur bloom edges threshold posterise kaleidoscope trails displace pixelate grade chroma_key mirror grain"
    assert {*wanted.split(), "slit_scan", "adaptive_threshold", "canny"} <= {path.stem for path in FILTERS}


@every
def test_header_is_whole(name: str) -> None:
    header = header_of(FILTERS[0].with_name(f"{name}.fs"))
    assert header.kind == "filter"
    assert header.description.endswith(".")
    assert header.credit
    assert len(header.categories) > 1
    for entry in header.inputs:
        if entry.name == "inputImage":
            continue
        assert entry.label, entry.name
        assert entry.default is not None, entry.name
        if entry.type in ("float", "point2D"):
            assert entry.lo is not None, entry.name
            assert entry.hi is not None, entry.name
        if entry.type == "float":
            assert entry.lo <= entry.default <= entry.hi, entry.name


@every
def test_defaults_change_the_picture_and_keep_it_whole(name: str, open_filter: Callable[[str], Render]) -> None:
    picture = scene()
    render = open_filter(name)
    for frame in range(4):
        got = render(picture, 1.0 + frame / 30.0)
    assert got.shape == picture.shape
    assert np.ptp(got[..., :3]) > 60, "the picture is gone"
    if name not in KEYING:
        assert (got[..., 3] == 255).all()
    if name not in ("trails", "slit_scan", *KEYING):  # those need something that moves, or something green
        assert np.abs(got - picture).mean() > 0.5, "nothing happens"


@every
def test_the_same_twice(name: str, open_filter: Callable[[str], Render]) -> None:
    picture = scene()
    first, second = open_filter(name), open_filter(name)
    for frame in range(3):
        now = 1.0 + frame / 30.0
        assert gap(first(picture, now), second(picture, now)) == 0


@every
@pytest.mark.parametrize("size", [(1, 1), (37, 23), (48, 96)])
def test_any_size(name: str, size: tuple[int, int], open_filter: Callable[[str], Render]) -> None:
    render = open_filter(name)
    render(scene(), 1.0, (40, 40))
    assert render(scene(*size), 1.04, size).shape == (size[1], size[0], 4)


@every
def test_every_input_at_both_ends(name: str, open_filter: Callable[[str], Render]) -> None:
    picture = scene()
    header = header_of(FILTERS[0].with_name(f"{name}.fs"))
    render = open_filter(name)
    for entry in header.inputs:
        ends: tuple[Any, ...] = (entry.lo, entry.hi)
        if entry.type == "long":
            ends = entry.values
        elif entry.type == "bool":
            ends = (True, False)
        elif entry.type == "color":
            ends = ((0.0, 0.0, 0.0, 1.0), (1.0, 1.0, 1.0, 1.0))
        elif entry.picture:
            continue
        for value in ends:
            assert render(picture, 1.0, **{entry.name: value}).shape == picture.shape


@every_but("lens")  # draws from around the place
def test_nothing_stays_nothing(name: str, open_filter: Callable[[str], Render]) -> None:
    """Straight alpha: where the picture is transparent, a filter adds nothing to it (its colour does not leak)."""
    got = open_filter(name)(flat(255, 0, 0, 0))
    assert (got[..., 3] <= 2).all()


@every_but("grain")  # new each time anyway
def test_two_hours_pass_unseen(name: str, open_filter: Callable[[str], Render]) -> None:
    """TIME wraps at WRAP seconds: the picture goes on where it was."""
    picture = scene()
    render = open_filter(name)
    pictures = [render(picture, WRAP + 0.002 * n) for n in range(-12, 3)]
    steps = [float(np.abs(b - a).mean()) for a, b in pairwise(pictures)]
    assert max(steps[-3:]) <= 0.2 + 2.0 * max(steps[-6:-3])


def test_blur_softens_evenly(open_filter: Callable[[str], Render]) -> None:
    picture = flat(0, 0, 0)
    picture[28:36, 44:52, :3] = 255
    render = open_filter("blur")
    got = render(picture, radius=8.0)[..., 0]
    assert abs(got.mean() - picture[..., 0].mean()) < 0.8
    assert gap(got, got[::-1]) <= 2
    assert gap(got, got[:, ::-1]) <= 2
    assert 20 < got.max() < 200
    rows = np.arange(H) - (H - 1) / 2.0
    weights = got.sum(1) / got.sum()
    assert abs(np.sqrt((weights * rows**2).sum()) - np.hypot(0.04 * H, 8.0 / np.sqrt(12.0))) < 1.5
    assert gap(render(picture, radius=0.0), picture) <= 1
    assert gap(render(picture, amount=0.0), picture) <= 1


@every
@pytest.mark.parametrize("at", ["defaults", "far"])
def test_what_is_clear_lends_no_colour(name: str, at: str, open_filter: Callable[[str], Render]) -> None:
    """Two pictures that differ only in the colour beneath alpha 0 look the same."""
    far: dict[str, dict[str, float]] = {
        "adaptive_threshold": {"radius": 12.0},
        "displace": {"dispersion": 0.5},
        "painterly": {"brush": 12.0},
        "posterise": {"clean": 6.0},
        "threshold": {"clean": 6.0},
    }
    y, x = np.mgrid[0:H, 0:W]
    alpha = np.clip((36.0 - np.hypot(x - W / 2, y - H / 2)) / 30.0, 0.0, 1.0)
    render = [open_filter(name), open_filter(name)]
    seen = []
    for draw, beneath in zip(render, ((255, 0, 255), (0, 255, 0)), strict=True):
        picture = scene()
        picture[..., 3] = (alpha * 255.0).astype(np.uint8)
        picture[picture[..., 3] == 0, :3] = beneath
        for frame in range(3):
            got = draw(picture, 3.0 + frame / 30.0, **(far.get(name, {}) if at == "far" else {})).astype(np.float64)
        seen.append(got[..., :3] * got[..., 3:] / 255.0)
    assert gap(seen[0].round(), seen[1].round()) <= 2


@pytest.mark.parametrize("name", ["feedback", "slit_scan", "trails"])
def test_what_is_clear_lends_no_colour_to_what_moves(name: str, open_filter: Callable[[str], Render]) -> None:
    render = [open_filter(name), open_filter(name)]
    seen = []
    for draw, beneath in zip(render, ((255, 0, 255), (0, 255, 0)), strict=True):
        for frame in range(12):
            picture = flat(*beneath, 0)
            picture[16:48, 4 * frame : 4 * frame + 24] = (240, 200, 60, 255)
            got = draw(picture, 3.0 + frame / 15.0).astype(np.float64)
        seen.append(got[..., :3] * got[..., 3:] / 255.0)
    assert gap(seen[0].round(), seen[1].round()) <= 2


def test_blur_lends_no_colour_from_what_is_transparent(open_filter: Callable[[str], Render]) -> None:
    picture = flat(255, 0, 0, 0)
    picture[:, 48:] = (0, 0, 255, 255)
    got = open_filter("blur")(picture, radius=6.0)
    seen = got[got[..., 3] > 8]
    assert seen[:, 0].max() <= 4
    assert seen[:, 2].min() >= 250


def test_bloom_spills_light_only(open_filter: Callable[[str], Render]) -> None:
    picture = flat(20, 20, 24)
    picture[24:40, 40:56, :3] = 255
    render = open_filter("bloom")
    got = render(picture)
    assert got[32, 60, 0] > 30
    assert (got - picture).min() >= -1
    assert gap(render(picture, intensity=0.0), picture) <= 1
    assert gap(render(flat(60, 60, 60)), flat(60, 60, 60)) <= 1


@pytest.mark.parametrize("name", ["edges", "canny"])
def test_lines_are_where_edges_are(name: str, open_filter: Callable[[str], Render]) -> None:
    picture = flat(40, 40, 40)
    picture[:, 48:, :3] = 220
    render = open_filter(name)
    inks = {"ink": (1.0, 1.0, 1.0, 1.0), "paper": (0.0, 0.0, 0.0, 1.0), "fill": 0.0}
    for frame in range(3):
        got = render(picture, 1.0 + frame / 30.0, **inks)[..., 0]
    assert got[:, 46:50].max(1).min() > 120
    assert got[:, :40].max() <= 3
    assert got[:, 56:].max() <= 3


def test_edges_draw_no_line_where_the_picture_is_cut_out(open_filter: Callable[[str], Render]) -> None:
    picture = flat(200, 180, 160, 0)
    picture[16:48, 24:72, 3] = 255
    got = open_filter("edges")(picture, width=6.0)[16:48, 24:72, :3]
    assert gap(got, got[16, 24]) <= 2


def test_canny_joins_weak_lines_to_strong_ones(open_filter: Callable[[str], Render]) -> None:
    """One outline that fades: its faint end is kept for its strong end's sake, a faint one alone is not."""
    picture = flat(100, 100, 100)
    picture[:32, 48:, :3] = np.linspace(220, 122, 32).astype(np.uint8)[:, None, None]
    picture[32:, 48:, :3] = 122
    faint = flat(100, 100, 100)
    faint[:, 48:, :3] = 122
    joined, alone = open_filter("canny"), open_filter("canny")
    inks = {"ink": (1.0, 1.0, 1.0, 1.0), "paper": (0.0, 0.0, 0.0, 1.0), "low": 0.03, "high": 0.2}
    for frame in range(80):
        kept = joined(picture, frame / 30.0, **inks)
        dropped = alone(faint, frame / 30.0, **inks)
    assert kept[55:60, 45:51, 0].max() > 120
    assert dropped[..., 0].max() <= 10


def test_threshold_has_two_tones(open_filter: Callable[[str], Render]) -> None:
    picture = np.repeat(np.linspace(0, 255, W).astype(np.uint8)[None, :, None], H, 0).repeat(4, 2)
    picture[..., 3] = 255
    inks = {"ink": (0.0, 0.0, 0.0, 1.0), "paper": (1.0, 1.0, 1.0, 1.0)}
    got = open_filter("threshold")(picture, level=0.5, **inks)[..., 0]
    assert got[:, :44].max() == 0
    assert got[:, 53:].min() == 255


def test_adaptive_threshold_sees_in_shadow_and_light(open_filter: Callable[[str], Render]) -> None:
    """Strokes a little darker than a slope from dark to light: one level cannot find them all, this one does."""
    ground = np.linspace(90, 240, W)[None].repeat(H, 0)
    strokes = (np.arange(W) % 16) < 4
    light = np.where(strokes[None], ground * 0.62, ground)
    picture = np.dstack([light] * 3 + [np.full_like(light, 255)]).astype(np.uint8)
    inks = {"ink": (0.0, 0.0, 0.0, 1.0), "paper": (1.0, 1.0, 1.0, 1.0)}
    got = open_filter("adaptive_threshold")(picture, radius=8.0, **inks)[32, 8:88, 0]
    want = strokes[8:88]
    assert got[want].mean() < 60
    assert got[~want].mean() > 195


def test_posterise_leaves_few_tones(open_filter: Callable[[str], Render]) -> None:
    ramp = np.repeat(np.linspace(0, 255, W).astype(np.uint8)[None, :, None], H, 0).repeat(4, 2)
    ramp[..., 3] = 255
    got = open_filter("posterise")(ramp, levels=4.0, softness=0.0, tint=0.0)[H // 2, :, 1]
    values, counts = np.unique(got, return_counts=True)
    assert (counts > 1).sum() == 4
    assert values.min() <= 1
    assert values.max() >= 254


def test_posterise_steps_colour_too(open_filter: Callable[[str], Render]) -> None:
    """One light, all colours: what was a slope from one to the next is a few flat inks."""
    x = np.linspace(-1.0, 1.0, W)
    picture = flat(128, 128, 128)
    picture[..., 0] = (128 + 90 * x).astype(np.uint8)
    picture[..., 2] = (128 - 90 * x * 0.299 / 0.114).clip(0, 255).astype(np.uint8)
    got = open_filter("posterise")(picture, softness=0.0, clean=0.0)[H // 2, 2:-2]
    same = np.abs(np.diff(got[:, :3], axis=0)).max(1) <= 1
    assert same.mean() > 0.6
    assert np.ptp(got[:, 0]) > 60


def test_kaleidoscope_has_its_symmetry(open_filter: Callable[[str], Render]) -> None:
    side = 96
    got = open_filter("kaleidoscope")(scene(side, side), 0.0, (side, side), segments=4.0, spin=0.0)
    assert np.abs(got - got[::-1]).mean() < 1.0
    assert np.abs(got - got[:, ::-1]).mean() < 1.0
    assert np.abs(got - got.transpose(1, 0, 2)).mean() < 1.0
    plain = open_filter("kaleidoscope")(scene(side, side), 0.0, (side, side), segments=3.0, spin=0.0)
    assert np.abs(plain - plain.transpose(1, 0, 2)).mean() > 2.0


def test_a_change_of_speed_does_not_jump(open_filter: Callable[[str], Render]) -> None:
    picture = scene()
    for name, speed in (("kaleidoscope", "spin"), ("displace", "speed")):
        render = open_filter(name)
        for n in range(90):
            before = render(picture, n / 30.0, **{speed: 2.0})
        after = render(picture, 90 / 30.0, **{speed: 0.1})
        assert np.abs(after - before).mean() < 1.5, name


@pytest.mark.parametrize("fps", [10.0, 50.0])
def test_trails_fade_by_half(open_filter: Callable[[str], Render], fps: float) -> None:
    render = open_filter("trails")
    render(flat(200, 200, 200), 1.0)
    for n in range(1, round(0.5 * fps) + 1):
        got = render(flat(0, 0, 0), 1.0 + n / fps, half_life=0.5, amount=1.0, hue=0.0)
    assert np.abs(got[..., :3] - 100).max() <= 2


def test_trails_of_a_light_figure_on_nothing_are_not_dark(open_filter: Callable[[str], Render]) -> None:
    render = open_filter("trails")
    render(flat(255, 255, 255), 1.0, kind=1)
    got = render(flat(0, 0, 0, 0), 1.5, kind=1, half_life=0.5, amount=1.0, hue=0.0)
    assert np.abs(got[..., 3] - 128).max() <= 2
    assert got[..., :3].min() >= 253
    got = render(flat(30, 30, 30), 1.5, kind=1, half_life=0.5, amount=1.0, hue=0.0)  # and a dark one's are dark
    got = render(flat(0, 0, 0, 0), 2.0, kind=1, half_life=0.5, amount=1.0, hue=0.0)
    assert got[..., :3].max() <= 32


def test_trails_of_the_dark(open_filter: Callable[[str], Render]) -> None:
    render = open_filter("trails")
    render(flat(30, 30, 30), 1.0, kind=1)
    got = render(flat(255, 255, 255), 1.5, kind=1, half_life=0.5, amount=1.0, hue=0.0)
    assert np.abs(got[..., :3] - (255 - 112)).max() <= 3


def test_feedback_settles_and_flows_outward(open_filter: Callable[[str], Render]) -> None:
    picture = flat(0, 0, 0)
    picture[28:36, 44:52, :3] = 230
    render = open_filter("feedback")
    for n in range(60):
        got = render(picture, n / 30.0, turn=0.0, hue=0.0, zoom=0.6)[..., 0]
    assert got[32, 56] > 20
    assert got[0, 0] < 12
    assert gap(render(picture, 2.0, turn=0.0, hue=0.0, zoom=0.6)[..., 0], got) <= 12
    for n in range(60, 240):
        got = render(flat(0, 0, 0), n / 30.0, turn=0.0, hue=0.0)[..., 0]
    assert got.max() <= 4


def test_displace_by_nothing_is_nothing(open_filter: Callable[[str], Render]) -> None:
    assert gap(open_filter("displace")(scene(), amount=0.0), scene()) <= 1


def test_pixelate_averages_its_cells(open_filter: Callable[[str], Render]) -> None:
    picture = scene()
    got = open_filter("pixelate")(picture, cells=8.0, shape=0, gap=0.0, relief=0.0)
    for cell in got.reshape(8, 8, 12, 8, 4).transpose(0, 2, 1, 3, 4).reshape(-1, 64, 4):
        assert np.ptp(cell, 0).max() <= 1
    want = picture.reshape(8, 8, 12, 8, 4).mean((1, 3))
    assert np.abs(got[4::8, 4::8] - want).mean() < 6.0


def test_grade_at_rest_changes_nothing(open_filter: Callable[[str], Render]) -> None:
    middle = (0.5, 0.5, 0.5, 1.0)
    neutral = {"lift": middle, "gamma": middle, "gain": middle, "contrast": 0.0, "vibrance": 0.0}
    render = open_filter("grade")
    assert gap(render(scene(), **neutral), scene()) <= 1
    assert gap(render(scene(), amount=0.0, exposure=2.0), scene()) <= 1
    warm = render(flat(128, 128, 128), **neutral, temperature=0.6)[0, 0]
    assert warm[0] > warm[1] > warm[2]
    grey = render(scene(), **neutral, saturation=0.0)
    assert np.ptp(grey[..., :3], -1).max() <= 1
    assert render(flat(100, 100, 100), **neutral, exposure=1.0)[0, 0, 0] == pytest.approx(141, abs=2)


def test_chroma_key_removes_its_colour_only(open_filter: Callable[[str], Render]) -> None:
    render = open_filter("chroma_key")
    for green in (flat(26, 178, 56), flat(14, 100, 32), flat(60, 220, 90)):
        assert render(green)[..., 3].max() <= 3, green[0, 0]
    for kept in (
        flat(224, 180, 150),
        flat(120, 80, 60),
        flat(200, 30, 30),
        flat(30, 60, 200),
        flat(250, 250, 250),
        flat(8, 8, 8),
    ):
        got = render(kept)
        assert got[..., 3].min() >= 252, kept[0, 0]
        assert gap(got, kept) <= 6
    assert render(flat(20, 40, 210), key=(0.08, 0.16, 0.82, 1.0))[..., 3].max() <= 3


@pytest.mark.parametrize("key", [(0.0, 0.0, 0.0, 1.0), (1.0, 1.0, 1.0, 1.0), (0.5, 0.5, 0.5, 1.0)])
def test_a_key_without_colour_takes_no_colour_away(
    open_filter: Callable[[str], Render], key: tuple[float, ...]
) -> None:
    for kept in (flat(40, 120, 60), flat(90, 160, 70), flat(200, 90, 80)):
        assert gap(open_filter("chroma_key")(kept, key=key), kept) <= 2


def test_what_is_warm_stays_warm_beside_a_red_key(open_filter: Callable[[str], Render]) -> None:
    red, green, blue, _ = open_filter("chroma_key")(flat(255, 230, 165), key=(1.0, 0.0, 0.0, 1.0))[32, 48]
    assert red >= green > blue


@pytest.mark.parametrize(("side", "axis"), [(0, 1), (1, 1), (2, 0), (3, 0), (4, 0), (4, 1)])
def test_mirror_mirrors(open_filter: Callable[[str], Render], side: int, axis: int) -> None:
    got = open_filter("mirror")(scene(), side=side)
    assert gap(got, np.flip(got, axis)) <= 2
    half = (
        scene()[:, : W // 2]
        if side in (0,)
        else scene()[:, W // 2 :]
        if side == 1
        else scene()[: H // 2]
        if side == 2
        else None
    )
    if half is not None:
        kept = got[:, : W // 2] if side == 0 else got[:, W // 2 :] if side == 1 else got[: H // 2]
        assert gap(kept, half) <= 1


@pytest.mark.parametrize(
    ("side", "rows", "columns"), [(0, slice(12, 26), slice(73, 87)), (5, slice(40, 50), slice(36, 44))]
)
def test_a_half_silvered_mirror_takes_no_colour_from_what_is_clear(
    open_filter: Callable[[str], Render], side: int, rows: slice, columns: slice
) -> None:
    """Within the reflection of a red figure there is nothing of the green beneath alpha 0."""
    picture = flat(0, 255, 0, 0)
    picture[8:30, 30:50] = (200, 0, 0, 255)
    got = open_filter("mirror")(picture, side=side, amount=0.5, axis=(0.625, 0.5))[rows, columns]
    assert got[..., 3].min() > 100
    assert got[..., 1].max() <= 1


def test_grain_is_even_and_new_24_times_a_second(open_filter: Callable[[str], Render]) -> None:
    render = open_filter("grain")
    one = render(flat(128, 128, 128), 1.001, amount=1.0)
    assert abs(one[..., :3].mean() - 128.0) < 2.0
    assert one[..., :3].std() > 3.0
    assert gap(one, render(flat(128, 128, 128), 1.002, amount=1.0)) == 0
    assert gap(one, render(flat(128, 128, 128), 1.05, amount=1.0)) > 8
    assert render(flat(4, 4, 4), amount=1.0)[..., :3].std() < one[..., :3].std() / 2.5
    assert gap(render(scene(), amount=0.0), scene()) <= 1


def test_slit_scan_shows_the_past(open_filter: Callable[[str], Render]) -> None:
    """A flash that has passed is still to be seen where the picture is older, and not where it is new."""
    render = open_filter("slit_scan")
    inputs = {"spread": 1.0, "sway": 0.0, "by": 0}
    now = 0.0
    for n in range(120):
        now = n / 30.0
        render(flat(220, 220, 220) if 80 <= n < 90 else flat(30, 30, 30), now, **inputs)
    got = render(flat(30, 30, 30), now + 1 / 30.0, **inputs)[..., 0]
    age = np.linspace(1.94, 0.0, H)  # seconds, from the top down
    seen = (age > 120 / 30.0 - 89 / 30.0 + 0.1) & (age < 120 / 30.0 - 80 / 30.0 - 0.1)
    assert got[seen].min() > 150
    assert got[(age < 0.8) | (age > 1.6)].max() < 60
    still = open_filter("slit_scan")
    for n in range(40):
        got = still(scene(), n / 30.0)
    assert np.abs(got - scene()).mean() < 1.0


@pytest.mark.parametrize("shade", [0, 220])
def test_slit_scan_shows_the_past_of_a_figure_on_nothing(open_filter: Callable[[str], Render], shade: int) -> None:
    render = open_filter("slit_scan")
    inputs = {"spread": 1.0, "sway": 0.0, "by": 0}
    for n in range(121):
        there = flat(shade, shade, shade) if 80 <= n < 90 else flat(0, 0, 0, 0)
        got = render(there, n / 30.0, **inputs)[..., 3]
    age = np.linspace(1.94, 0.0, H)  # seconds, from the top down
    seen = (age > 120 / 30.0 - 89 / 30.0 + 0.1) & (age < 120 / 30.0 - 80 / 30.0 - 0.1)
    assert got[seen].min() > 150
    assert got[(age < 0.8) | (age > 1.6)].max() < 60


def test_duotone_stays_between_its_inks(open_filter: Callable[[str], Render]) -> None:
    render = open_filter("duotone")
    inks = {"shadow": (0.1, 0.0, 0.2, 1.0), "light": (1.0, 0.9, 0.7, 1.0), "amount": 1.0}
    assert gap(render(flat(0, 0, 0), **inks)[0, 0], (26, 0, 51, 255)) <= 3
    assert gap(render(flat(255, 255, 255), **inks)[0, 0], (255, 230, 179, 255)) <= 3
    assert gap(render(scene(), amount=0.0), scene()) <= 1


def test_halftone_prints_as_dark_as_it_should(open_filter: Callable[[str], Render]) -> None:
    render = open_filter("halftone")
    means = [
        render(flat(v, v, v), colour=0.0, lines=8.0, paper=(1.0, 1.0, 1.0, 1.0))[..., 1].mean()
        for v in (0, 64, 128, 192, 255)
    ]
    assert means == sorted(means)
    assert means[0] < 45
    assert means[-1] > 250
    assert abs(means[2] - 145) < 25


@pytest.mark.parametrize("lines", [6.0, 16.0])
def test_halftone_keeps_tone_and_hue_from_afar(open_filter: Callable[[str], Render], lines: float) -> None:
    render = open_filter("halftone")
    for colour in ((128, 128, 128), (64, 64, 64), (200, 90, 70), (90, 140, 200), (60, 120, 60), (120, 70, 140)):
        got = render(flat(*colour), lines=lines, paper=(1.0, 1.0, 1.0, 1.0))
        assert gap(got[..., :3].mean((0, 1)), colour) <= 14


def test_lens_leaves_the_middle_alone(open_filter: Callable[[str], Render]) -> None:
    picture = scene()
    got = open_filter("lens")(picture, bow=0.0)
    assert gap(got[30:34, 46:50], picture[30:34, 46:50]) <= 8
    assert got[0, 0, :3].sum() < picture[0, 0, :3].sum() * 0.8
    assert gap(open_filter("lens")(flat(200, 180, 160), vignette=0.0), flat(200, 180, 160)) <= 1


def test_lens_never_folds_the_picture(open_filter: Callable[[str], Render]) -> None:
    """At its most hollow a slope from left to right is still a slope: nothing is seen twice."""
    picture = flat(0, 0, 0)
    picture[..., :3] = np.linspace(0, 255, W).astype(np.uint8)[None, :, None]
    hollow = next(i.lo for i in header_of(FILTERS[0].with_name("lens.fs")).inputs if i.name == "bow")
    got = open_filter("lens")(picture, bow=hollow, vignette=0.0, softness=0.0, dispersion=0.0)[..., 0]
    assert np.diff(got, axis=1).min() >= 0


def test_painterly_keeps_flats_and_outlines(open_filter: Callable[[str], Render]) -> None:
    picture = flat(60, 60, 60)
    picture[:, 48:, :3] = 200
    noisy = picture.copy()
    noisy[..., :3] = (picture[..., :3] + np.random.default_rng(5).integers(-20, 20, (H, W, 1))).astype(np.uint8)
    got = open_filter("painterly")(noisy, relief=0.0, detail=0.0, saturation=1.0, brush=14.0)
    assert got[:, :40, 0].std() < 0.6 * noisy[:, :40, 0].std()
    assert (got[:, 54:, 0].mean() - got[:, :42, 0].mean()) > 130


def test_the_page_names_every_filter_and_input() -> None:
    page = (FILTERS[0].parents[2] / "docs" / "patches.md").read_text()
    rows = {line.split("|")[1].strip(" `"): line for line in page.splitlines() if line.startswith("| `")}
    for path in FILTERS:
        header = header_of(path)
        assert header.description in rows[path.stem]
        assert all(f"`{entry.name}" in rows[path.stem] for entry in header.inputs if not entry.picture), path.stem
