"""The composite and the master, pixel by pixel, in a real GL context."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pytest

from perform.frame import Frame
from perform.gl.context import Context
from perform.gl.target import Target, Texture
from perform.gl.transfer import copy, read, read_float, upload
from perform.layers import LayerStack, Master, MasterParams, Place
from perform.layers.flashguard import FlashGuard
from perform.layers.stack import box, taps
from perform.params import Params
from perform.testing import Paint, stage

SIZE = (64, 36)
Colour = tuple[float, float, float, float]
Picture = Callable[..., Frame]


@pytest.fixture
def picture(gl: Context) -> Iterator[Picture]:
    """Makes frames: picture((r, g, b, a)) plain, or picture(left, right) in two halves."""
    made: list[Texture] = []

    def make(left: Colour, right: Colour | None = None, size: tuple[int, int] = SIZE) -> Frame:
        texture = Texture.make(*size, linear=right is None or size != SIZE)
        pixels = np.empty((size[1], size[0], 4), np.uint8)
        pixels[:, : size[0] // 2] = np.round(np.array(left) * 255)
        pixels[:, size[0] // 2 :] = np.round(np.array(right or left) * 255)
        upload(texture, pixels)
        made.append(texture)
        return Frame(texture, 0.0, len(made))

    yield make
    for texture in made:
        texture.close()


class Invert:
    """A blend patch of its own kind: shows `bottom` where `top` is dark."""

    def __init__(self) -> None:
        self.target = Target(*SIZE, "rgba16f")
        self.calls = 0

    def render(self, size: tuple[int, int], now: float, inputs: Mapping[str, object]) -> Texture:
        self.calls += 1
        assert inputs["opacity"] == 0.5
        copy(inputs["bottom"], self.target)  # type: ignore[arg-type]
        return self.target.texture

    def close(self) -> None:
        self.target.close()


class Desk:
    """A stack of two layers, a and b, with its parameters."""

    def __init__(self, **options: object) -> None:
        self.params = Params()
        self.patch = Invert()
        self.said: list[str] = []
        self.lacks = {"broken"}
        places = {n: Place.declare(self.params, n, ["normal", "odd", "broken"], lambda: ["none", "m"]) for n in "ab"}
        self.stack = LayerStack(SIZE, places, self.open_blend, trouble=self.said.append, **options)  # type: ignore[arg-type]
        self.now = 0.0

    def open_blend(self, name: str) -> Invert:
        if name in self.lacks:
            raise LookupError("no such file")
        return self.patch

    def set(self, **values: object) -> None:
        for key, value in values.items():
            name, _, tail = key.partition("_")
            self.params.post(f"/layer/{name}/{tail.replace('__', '/')}", value)
        for _ in range(2):  # long enough for every smoothing
            self.now += 10.0
            self.params.settle(self.now)

    def blend(self, a: Frame | None, b: Frame | None, **frames: Frame) -> np.ndarray:
        return read_float(self.stack.blend({"a": a, "b": b}, frames, self.now).texture)


@pytest.fixture
def desk(gl: Context) -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.stack.close()


def middle(pixels: np.ndarray) -> list[float]:
    return [float(v) for v in pixels[18, 32]]


def test_layers_are_laid_over_each_other_premultiplied(desk: Desk, picture: Picture) -> None:
    out = desk.blend(picture((1, 0, 0, 1)), picture((0, 1, 0, 0.5)))
    assert middle(out) == pytest.approx([0.498, 0.502, 0.0, 1.0], abs=0.004)
    desk.set(a_on=False)
    assert middle(desk.blend(picture((1, 0, 0, 1)), picture((0, 1, 0, 0.5)))) == pytest.approx(
        [0.0, 0.502, 0.0, 0.502], abs=0.004
    )


def test_opacity_on_and_solo(desk: Desk, picture: Picture) -> None:
    red, green = picture((1, 0, 0, 1)), picture((0, 1, 0, 1))
    desk.set(b_opacity=0.25)
    assert middle(desk.blend(red, green)) == pytest.approx([0.75, 0.25, 0.0, 1.0], abs=0.003)
    desk.set(a_solo=True, a_on=False)
    assert middle(desk.blend(red, green)) == pytest.approx([1, 0, 0, 1])
    assert desk.stack.visible("a")
    assert not desk.stack.visible("b")
    assert middle(desk.blend(None, green)) == [0, 0, 0, 0]


def test_a_picture_covers_the_stage_without_being_stretched(desk: Desk, picture: Picture) -> None:
    square = picture((1, 0, 0, 1), (0, 0, 1, 1), size=(32, 32))
    out = desk.blend(square, None)
    assert out[0, 0] == pytest.approx([1, 0, 0, 1])
    assert out[-1, -1] == pytest.approx([0, 0, 1, 1])
    assert (out[..., 3] == 1.0).all()


def test_transforms_move_scale_and_turn_anticlockwise(desk: Desk, picture: Picture) -> None:
    halves = picture((1, 0, 0, 1), (0, 0, 1, 1))
    desk.set(a_transform__scale=0.5)
    out = desk.blend(halves, None)
    assert middle(out[:, 8:]) == pytest.approx([0, 0, 1, 1], abs=0.01)
    assert out[2, 2] == pytest.approx([0, 0, 0, 0])
    desk.set(a_transform__x=0.25, a_transform__y=0.25)
    out = desk.blend(halves, None)
    assert out[27, 40] == pytest.approx([1, 0, 0, 1], abs=0.01)
    assert out[27, 56] == pytest.approx([0, 0, 1, 1], abs=0.01)
    assert out[9, 48] == pytest.approx([0, 0, 0, 0])
    desk.set(a_transform__x=0, a_transform__y=0, a_transform__rotate=90, a_transform__scale=1)
    out = desk.blend(halves, None)
    assert out[8, 32] == pytest.approx([1, 0, 0, 1], abs=0.01)  # what was left is below
    assert out[28, 32] == pytest.approx([0, 0, 1, 1], abs=0.01)


def test_a_mask_lets_through_by_brightness(desk: Desk, picture: Picture) -> None:
    mask = picture((0, 0, 0, 1), (1, 1, 1, 1))
    desk.set(a_mask="m")
    out = desk.blend(picture((1, 0.5, 0, 1)), None, m=mask)
    assert out[18, 4] == pytest.approx([0, 0, 0, 0], abs=0.01)
    assert out[18, 60] == pytest.approx([1, 0.502, 0, 1], abs=0.01)
    desk.set(a_mask__invert=True)
    out = desk.blend(picture((1, 0.5, 0, 1)), None, m=mask)
    assert out[18, 4] == pytest.approx([1, 0.502, 0, 1], abs=0.01)
    assert middle(desk.blend(picture((1, 0.5, 0, 1)), None)) == pytest.approx(
        [1, 0.502, 0, 1], abs=0.01
    )  # mask is gone


def test_a_blend_patch_gets_both_pictures_and_its_output_goes_on(desk: Desk, picture: Picture) -> None:
    desk.set(a_opacity=0.5, a_blend="odd", b_blend="odd", b_opacity=0.5)
    assert middle(desk.blend(picture((1, 0, 0, 1)), picture((0, 1, 0, 1)))) == [0, 0, 0, 0]  # `bottom`, twice
    assert desk.patch.calls == 2
    desk.set(b_blend="normal")
    out = desk.blend(picture((1, 0, 0, 1)), picture((0, 1, 0, 1)))
    assert middle(out) == pytest.approx([0, 0.5, 0, 0.5], abs=0.003)


def test_a_blend_that_does_not_open_shows_normal_and_says_so_once(desk: Desk, picture: Picture) -> None:
    desk.set(a_blend="broken")
    for _ in range(3):
        assert middle(desk.blend(picture((1, 0, 0, 1)), None)) == pytest.approx([1, 0, 0, 1])
    assert desk.said == ["blend 'broken' cannot be used, normal is shown instead: no such file"]


def test_a_blend_that_did_not_open_is_tried_again_when_it_is_chosen_again(desk: Desk, picture: Picture) -> None:
    red, green = picture((1, 0, 0, 1)), picture((0, 1, 0, 1))
    desk.set(b_blend="broken", b_opacity=0.5)
    desk.blend(red, green)
    desk.lacks.clear()
    for _ in range(3):  # not by itself: what is looked for in every frame would cost every frame
        assert middle(desk.blend(red, green)) == pytest.approx([0.5, 0.5, 0, 1], abs=0.003)
    assert len(desk.said) == 1
    desk.set(b_blend="normal")
    desk.set(b_blend="broken")
    assert middle(desk.blend(red, green)) == [1, 0, 0, 1]  # the patch shows what is below
    assert len(desk.said) == 1


def test_layers_whose_blend_does_not_open_do_not_try_it_in_turns(desk: Desk, picture: Picture) -> None:
    red = picture((1, 0, 0, 1))
    desk.set(a_blend="odd")
    desk.set(a_blend="broken", b_blend="broken")  # each has changed another number of times
    for _ in range(3):
        desk.blend(red, red)
    assert len(desk.said) == 2


def test_a_blend_that_raises_leaves_the_picture_before_whole(desk: Desk, picture: Picture) -> None:
    good = desk.stack.blend({"a": picture((1, 0, 0, 1)), "b": None}, {}, desk.now)
    desk.set(b_blend="odd")
    desk.patch.render = lambda *args: 1 / 0  # type: ignore[method-assign,assignment]
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            desk.blend(picture((0, 0, 1, 1)), picture((0, 1, 0, 1)))
        assert middle(read_float(good.texture)) == [1, 0, 0, 1]


def test_linear_blending_mixes_light_and_the_master_brings_it_back(gl: Context, picture: Picture) -> None:
    desk = Desk(linear=True)
    master = Master(SIZE, desk.params, MasterParams.declare(desk.params, "off"), linear=True)
    desk.set(b_opacity=0.5)
    frame = desk.stack.blend({"a": picture((0, 0, 0, 1)), "b": picture((1, 1, 1, 1))}, {}, desk.now)
    shown = read(master.show(frame, None, desk.now).texture)
    assert shown[18, 32, :3] == pytest.approx([188, 188, 188], abs=1)  # half the light, not half the signal
    master.close()
    desk.stack.close()


def test_enlarged_pictures_are_smooth_and_stay_in_range(gl: Context, picture: Picture) -> None:
    desk = Desk(smoothly=True)
    out = desk.blend(picture((0, 0, 0, 1), (1, 1, 1, 1), size=(16, 9)), None)
    row = out[18, :, 0]
    assert (np.diff(row) >= -1e-3).all()
    assert 0.0 <= row.min() <= row.max() <= 1.0
    assert ((row > 0.02) & (row < 0.98)).sum() >= 3
    desk.stack.close()


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(
    ("size", "scale", "turned"),
    [((192, 108), 1.0, 0.0), ((192, 144), 1.0, 0.0), ((64, 36), 0.25, 0.0), ((128, 72), 0.4, 30.0), ((150, 84), 1, 0)],
)
def test_a_thin_line_that_drifts_over_a_smaller_stage_keeps_its_light(
    desk: Desk, picture: Picture, size: tuple[int, int], scale: float, turned: float, masked: bool
) -> None:
    desk.set(a_transform__scale=scale, a_transform__rotate=turned, a_mask="m" if masked else "none")
    texture = Texture.make(*size)
    pixels = np.zeros((size[1], size[0], 4), np.uint8)
    lights = []
    for n in range(12):
        pixels[..., :] = (0, 0, 0, 255)
        pixels[:, size[0] // 2 + n] = 255
        upload(texture, pixels)
        lights.append(float(desk.blend(Frame(texture, 0.0, n + 1), None, m=picture((1, 1, 1, 1)))[..., 0].sum()))
    texture.close()
    assert min(lights) > 0.0
    assert max(lights) / min(lights) < 1.2


def test_a_picture_that_is_made_smaller_lends_no_colour_where_it_is_clear(desk: Desk, picture: Picture) -> None:
    out = desk.blend(picture((1, 0, 0, 1), (0, 1, 0, 0), size=(256, 144)), None)
    assert out[..., 1].max() == 0.0
    assert out[18, 8] == pytest.approx([1, 0, 0, 1], abs=0.01)
    assert out[18, 56] == pytest.approx([0, 0, 0, 0], abs=0.01)


def test_only_the_part_of_the_stage_where_a_picture_lies_is_drawn(desk: Desk, picture: Picture) -> None:
    frame = picture((1, 0, 0, 1))
    desk.set(a_transform__scale=0.25, a_transform__x=-0.25, a_blend="odd", a_opacity=0.5)
    desk.blend(frame, None)
    desk.set(a_transform__x=0.25, a_transform__rotate=90)
    desk.blend(frame, None)
    assert desk.stack._placed is not None
    placed = read_float(desk.stack._placed.texture)[..., 3]  # nothing of where it was
    assert placed.sum() == pytest.approx(16 * 9, rel=0.02)
    assert placed[:, 40:56].sum() == pytest.approx(16 * 9, rel=0.02)
    desk.set(a_transform__x=2.0, a_blend="normal")
    assert desk.blend(frame, None).max() == 0.0
    assert box((32.0, 18.0), (16.0, 9.0), 0.0, SIZE) == (23, 12, 18, 12)
    assert box((32.0, 18.0), (64.0, 36.0), 0.0, SIZE) == (0, 0, *SIZE)
    assert box((200.0, 18.0), (64.0, 36.0), 0.0, SIZE) is None


def test_only_what_is_made_much_smaller_is_read_more_than_once() -> None:
    assert [taps(n) for n in (0.5, 1.0, 1.5, 1.6, 2.0, 3.0, 3.75, 40.0)] == [1, 1, 1, 2, 2, 3, 4, 8]


# ---------------------------------------------------------------------- the master


class Show:
    def __init__(
        self, frame: Frame, given: Frame | None = None, inset: str = "off", software: bool = True, fps: float = 60.0
    ) -> None:
        self.params, self.frame, self.given, self.now, self.dt = Params(), frame, given, 0.0, 1.0 / fps
        knobs = MasterParams.declare(self.params, inset)
        self.master = Master(frame.size, self.params, knobs, software=software)
        self.params.settle(0.0)
        self.shown = self.step()

    def step(self) -> np.ndarray:
        self.now += self.dt
        self.params.settle(self.now)
        self.shown = read(self.master.show(self.frame, self.given, self.now).texture)
        return self.shown

    def flash(self, off: Frame, on: Frame, rate: float, lit: float = 0.5) -> np.ndarray:
        self.frame = on if self.now * rate % 1.0 < lit else off
        return self.step()

    def set(self, address: str, value: object, seconds: float = 2.0) -> np.ndarray:
        self.params.post(address, value)
        for _ in range(round(seconds * 60)):
            self.step()
        return self.shown


@pytest.fixture
def show(picture: Picture) -> Iterator[Show]:
    show = Show(picture((0.8, 0.4, 0.2, 1)))
    yield show
    show.master.close()


def test_the_master_shows_the_composite_opaque_and_dithered_within_a_step(show: Show) -> None:
    assert show.shown[..., 3].min() == 255
    assert np.abs(show.shown[..., :3].astype(int) - [204, 102, 51]).max() <= 1


def test_blackout_is_a_short_fade_and_opacity_a_level(show: Show) -> None:
    show.params.post("/master/blackout", True)
    levels = [int(show.step()[18, 32, 0]) for _ in range(15)]
    assert levels == sorted(levels, reverse=True)
    assert 0 < levels[4] < 204
    assert levels[-1] <= 1
    show.set("/master/blackout", False)
    assert show.set("/master/opacity", 0.5)[18, 32, 0] == pytest.approx(102, abs=1)


def test_gamma_and_hue(show: Show) -> None:
    assert show.set("/master/gamma", 2.0)[18, 32, 0] == pytest.approx(255 * 0.8**0.5, abs=1)
    show.set("/master/gamma", 1.0)
    turned = show.set("/master/hue", 120.0)[18, 32]
    assert turned[:3] == pytest.approx([51, 204, 102], abs=2)


@pytest.mark.parametrize(("address", "value"), [("/master/blackout", True), ("/master/opacity", 0.0)])
def test_black_is_black_in_the_corner_of_the_inset_too(picture: Picture, address: str, value: float) -> None:
    show = Show(picture((0.2, 0.2, 0.2, 1)), picture((1, 1, 1, 1)), inset="inset")
    assert show.shown[..., :3].max() > 200
    assert show.set(address, value)[..., :3].max() <= 1
    show.master.close()


def test_the_inset_shows_what_was_given_and_fades(picture: Picture) -> None:
    show = Show(picture((0.2, 0.2, 0.2, 1)), picture((1, 1, 1, 1)), inset="inset")
    corner = (4, 7)
    assert show.shown[corner][0] == pytest.approx(0.92 * 255, abs=4)
    show.params.post("/master/inset", "off")
    levels = [int(show.step()[corner][0]) for _ in range(40)]
    assert 60 < levels[12] < 220
    assert levels[-1] == pytest.approx(51, abs=1)
    show.master.close()


def test_side_by_side_has_the_given_on_the_left(picture: Picture) -> None:
    show = Show(picture((0.2, 0.2, 0.2, 1)), picture((1, 1, 1, 1)), inset="side-by-side")
    assert show.shown[18, 8, 0] == pytest.approx(255, abs=1)
    assert show.shown[18, 56, 0] == pytest.approx(51, abs=1)
    show.master.close()


STROBES = [(3.2, 0.8), (3.4, 0.5), (6.0, 0.5), (9.0, 0.2), (20.0, 0.5)]


def judged(show: Show, seconds: float, frame: Callable[[float], Frame]) -> float:
    """The most flashes in a second of what is shown, as a second guard counts them."""
    judge, worst = FlashGuard(), 0.0
    for _ in range(round(seconds / show.dt)):
        show.frame = frame(show.now)
        judge.watch(show.step()[::4, ::4, :3].astype(np.float32) / 255, show.now)
        worst = max(worst, judge.flashes)
    show.master.close()
    return worst


@pytest.mark.parametrize("colour", [(1.0, 1.0, 1.0, 1.0), (1.0, 0.0, 0.0, 1.0)], ids=["white", "red"])
@pytest.mark.parametrize(("rate", "lit"), STROBES)
def test_of_a_strobe_no_more_is_shown_than_is_allowed(
    picture: Picture, colour: tuple[float, float, float, float], rate: float, lit: float
) -> None:
    """From the moment on when the strobe begins."""
    off, on = picture((0, 0, 0, 1)), picture(colour)
    assert 2.0 <= judged(Show(off), 4.0, lambda now: on if now * rate % 1.0 < lit else off) <= 3.0


@pytest.mark.parametrize("software", [True, False], ids=["software", "gpu"])
@pytest.mark.parametrize("colour", [(1.0, 1.0, 1.0, 1.0), (1.0, 0.0, 0.0, 1.0)], ids=["white", "red"])
@pytest.mark.parametrize(("rate", "fps"), [(6.0, 24.0), (12.0, 24.0), (20.0, 60.0)])
def test_a_strobe_that_is_seen_a_frame_late_and_held_while_bright_is_within_the_limit_too(
    picture: Picture, colour: tuple[float, float, float, float], rate: float, fps: float, software: bool
) -> None:
    """A GPU's cells come a frame late; and what is held at an extreme must not count as a swing of its own."""
    off, on = picture((0, 0, 0, 1)), picture(colour)
    show = Show(on, software=software, fps=fps)
    assert 2.0 <= judged(show, 3.0, lambda now: on if now * rate % 1.0 < 0.5 else off) <= 3.0


def test_the_guard_can_be_switched_off(picture: Picture) -> None:
    black, white = picture((0, 0, 0, 1)), picture((1, 1, 1, 1))
    show = Show(black)
    show.set("/master/flashguard", False)
    values = []
    for n in range(120):
        show.frame = white if (n // 3) % 2 else black
        values.append(int(show.step()[18, 32, 0]))
    show.master.close()
    assert max(abs(a - b) for a, b in itertools.pairwise(values[60:])) == 255


@pytest.mark.parametrize("colour", [(1.0, 1.0, 1.0, 1.0), (1.0, 0.0, 0.0, 1.0)], ids=["white", "red"])
def test_what_is_given_beside_a_still_dream_is_guarded_too(
    picture: Picture, colour: tuple[float, float, float, float]
) -> None:
    off, on, dream = picture((0, 0, 0, 1)), picture(colour), picture((0.3, 0.3, 0.3, 1))
    show = Show(dream, off, inset="side-by-side")

    def frame(now: float) -> Frame:
        show.given = on if now * 8.0 % 1.0 < 0.5 else off
        return dream

    assert 2.0 <= judged(show, 3.0, frame) <= 3.0


@pytest.fixture
def strobe(picture: Picture) -> Iterator[tuple[Show, Frame, Frame]]:
    """A show in the midst of a strobe of 10 Hz, with an inset, which the guard holds; and the strobe's two pictures."""
    black, white = (picture((level, level, level, 1), size=(320, 180)) for level in (0, 1))
    show = Show(black, picture((0.5, 0.5, 0.5, 1)), inset="inset")
    for _ in range(120):
        show.flash(black, white, 10.0)
    yield show, black, white
    show.master.close()


def test_a_blackout_is_not_held_back(strobe: tuple[Show, Frame, Frame]) -> None:
    show, *pictures = strobe
    show.params.post("/master/blackout", True)
    for _ in range(12):
        show.flash(*pictures, 10.0)
    assert show.shown[..., :3].max() <= 1


def test_tapping_the_blackout_is_no_way_around_the_guard(picture: Picture) -> None:
    show, judge, worst = Show(picture((1, 1, 1, 1))), FlashGuard(), 0.0
    for n in range(240):
        show.params.post("/master/blackout", n % 12 < 6)
        judge.watch(show.step()[::4, ::4, :3].astype(np.float32) / 255, show.now)
        worst = max(worst, judge.flashes)
    show.master.close()
    assert 2.0 <= worst <= 3.0


def test_the_shadow_of_the_inset_does_not_add_up_in_what_is_held(strobe: tuple[Show, Frame, Frame]) -> None:
    show, *pictures = strobe
    dark: dict[bool, float] = {}
    for guard in (True, False):
        show.params.post("/master/flashguard", guard)
        shown = [show.flash(*pictures, 10.0).astype(float) for _ in range(180)][60:]
        dark[guard] = float(np.mean([one[5, 40, 0] for one in shown]) / np.mean([one[150, 250, 0] for one in shown]))
    assert dark[True] == pytest.approx(dark[False], abs=0.05)
    assert dark[False] < 0.95


def test_noise_is_no_flashing(gl: object) -> None:
    rng = np.random.default_rng(1)
    paint = Paint(size=(1280, 720)).open(stage())
    params = Params()
    master = Master((1280, 720), params, MasterParams.declare(params, "off"))
    for n in range(60):
        paint.paint(np.repeat(rng.integers(0, 2, (720, 1280, 1), np.uint8) * 255, 4, 2))
        master.show(paint.frame(n / 60), None, n / 60)
    assert master.guard.warnings == 0
    master.close()
    paint.close()


@pytest.mark.parametrize(("inset", "where"), [("inset", (4, 7)), ("side-by-side", (18, 8))])
def test_what_was_given_leaves_slowly_when_no_world_dreams_any_more(
    picture: Picture, inset: str, where: tuple[int, int]
) -> None:
    show = Show(picture((0.2, 0.2, 0.2, 1)), picture((1, 1, 1, 1)), inset=inset)
    levels = [int(show.step()[where][0])]
    show.given = None
    levels += [int(show.step()[where][0]) for _ in range(60)]
    show.master.close()
    assert levels[0] > 220
    assert levels[-1] == pytest.approx(51, abs=1)
    assert max(a - b for a, b in itertools.pairwise(levels)) < 20


@pytest.mark.parametrize("width", [320, 321, 342, 343])
def test_side_by_side_keeps_every_column(gl: object, width: int) -> None:
    pixels = np.zeros((180, width, 4), np.uint8)
    pixels[:, ::2] = 255
    pixels[..., 3] = 255
    target = Target(width, 180, linear=False)
    upload(target.texture, pixels)
    params = Params()
    master = Master((width, 180), params, MasterParams.declare(params, "side-by-side"))
    frame = Frame(target.texture, 0.0, 1)
    row = read(master.show(frame, frame, 0.0).texture)[90, width // 2 + 1 :, 0] > 127
    assert np.count_nonzero(row[1:] != row[:-1]) == len(row) - 1
    master.close()
    target.close()
