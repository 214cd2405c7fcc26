"""A layer and its slot: worlds that come out of its source, go back into it, and are let go."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from perform.clock import FixedClock
from perform.conditioning import Conditioning
from perform.engines.bank import Bank, Role
from perform.engines.generator import Generator, Shape, Venue
from perform.engines.host import HostEngine, HostGenerator
from perform.engines.mood import MoodPad
from perform.engines.slot import Slot
from perform.engines.trial import Vector
from perform.frame import Frame
from perform.gl.target import Target, Texture
from perform.gl.transfer import Pixels, read, read_float, upload
from perform.layers import Layer, LayerParams, LayerStack, Place, Transition
from perform.library import Card, Library
from perform.params import Params
from perform.plugins import Stage
from tests.engines.conftest import House, until
from tests.engines.worlds import CARD, write_card

SIZE = (64, 32)
LIGHT = {"dark": 0, "pale": 120}  # what a world adds to half of what it is given
SOURCE = 128
GREYS = {world: SOURCE // 2 + light for world, light in LIGHT.items()}


@dataclass
class Plain:
    """Hardware whose worlds halve and lighten, the mood too (by tens); counts the engines that are open."""

    engines: int = 0

    def load(self, card: Card, size: str, shape: Shape) -> HostGenerator:
        def run(picture: Pixels, mood: Vector) -> Pixels:
            dream = picture.copy()
            dream[..., :3] = picture[..., :3].astype(int) // 2 + LIGHT[card.world] + round(10.0 * float(mood[0]))
            return dream

        return Counted(lambda: run, shape, 2, 1000, "plain", self)


class Counted(HostGenerator):
    """Tells its hardware of each engine."""

    def __init__(self, *given: object) -> None:
        *usual, self.hardware = given
        super().__init__(*usual)  # type: ignore[arg-type]

    def open(self, venue: Venue) -> HostEngine:
        engine, close = super().open(venue), HostEngine.close
        self.hardware.engines += 1  # type: ignore[attr-defined]

        def closed() -> None:
            self.hardware.engines -= engine._open  # type: ignore[attr-defined]
            close(engine)

        engine.close = closed  # type: ignore[method-assign]
        return engine


class Slow(Bank):
    """A bank that is still loading some worlds, for as long as the test says."""

    loading: tuple[str, ...] = ()

    def find(self, role: Role) -> Generator | None:
        found = super().find(role)
        return None if role.world in self.loading else found


@dataclass
class Desk:
    """One layer over a grey source, fifty frames a second."""

    house: House
    params: Params = field(default_factory=Params)
    clock: FixedClock = field(default_factory=lambda: FixedClock(50.0))
    hardware: Plain = field(default_factory=Plain)
    shapes: dict[str, tuple[int, int]] = field(default_factory=dict)  # where a world takes no pictures of SIZE
    size: tuple[int, int] = SIZE  # of the stage, and of the pictures of worlds
    wide: tuple[int, int] = SIZE  # the source

    def __post_init__(self) -> None:
        for world in GREYS:
            folder = self.house.world(world, sizes=("m",))
        write_card(folder, ["m"], CARD.replace("bright = [2.0", "bright = [-4.0").replace("reduce = 16", "reduce = 8"))
        self.bank = Slow(Library([self.house.models]), lambda: (self.hardware,), 10**9, True)
        stage = Stage(self.params, self.clock, "/layer/a", self.size, software=True)
        transition = Transition.declare(stage, [], lambda name, format: pytest.fail("no patch is named"))
        self.slot = Slot(self.bank, stage, fader=transition)
        knobs = LayerParams.declare(
            self.params, "a", lambda: ("grey",), lambda: ("none", *GREYS, "lost"), lambda: ("m",)
        )
        pad = MoodPad.declare(self.params, "/layer/a", "/layer/1", self.card)
        self.layer = Layer("a", knobs, Conditioning().open(stage), self.slot, pad, transition, self.resolution)
        self.source = Target(*self.wide)
        self.serial = 0
        self.paint(SOURCE)
        self.post("memory", 0.0)

    def card(self) -> Card | None:
        """Of the world that is asked for, loaded or not; of what plays if there is none."""
        world = str(self.params["/layer/a/world"].base)
        return self.bank.library.card(world) if world in GREYS else self.slot.card

    def resolution(self) -> tuple[int, int]:
        return self.shapes.get(self.layer.world or "", self.size)

    def paint(self, grey: int) -> None:
        """What the source shows from now on."""
        self.source.clear(grey / 255, grey / 255, grey / 255, 1.0)
        self.serial += 1

    def post(self, key: str, value: object) -> None:
        self.params.post(f"/layer/a/{key}", value)

    def step(self) -> Frame | None:
        """One frame."""
        now = self.clock.now()
        self.params.settle(now)
        picture = self.layer.render({"grey": Frame(self.source.texture, now, self.serial)}, now)
        self.clock.pace(50.0)
        return picture

    def run(self, frames: int = 1) -> list[int]:
        """The grey of the middle of each frame."""
        greys = []
        for _ in range(frames):
            picture = self.step()
            assert picture is not None
            assert isinstance(picture.texture, Texture)
            greys.append(int(read(picture.texture)[16, 32, 0]))
        return greys

    def close(self) -> None:
        self.layer.close()
        self.bank.close()
        self.source.close()


@pytest.fixture
def desk(house: House) -> Iterator[Desk]:
    desk = Desk(house)
    yield desk
    desk.close()


def test_a_world_that_is_sent_away_is_let_go(desk: Desk) -> None:
    desk.post("world", "dark")
    assert desk.run()[-1] == GREYS["dark"]
    assert desk.hardware.engines == 1
    desk.post("crossfade", 0.2)
    desk.post("world", "none")
    assert desk.run(20)[-1] == SOURCE
    assert desk.slot.playing is None
    assert desk.hardware.engines == 0
    assert not desk.slot._held


def test_the_source_stays_until_the_next_world_dreams_and_then_dissolves_into_it(desk: Desk) -> None:
    desk.post("world", "dark")
    desk.post("crossfade", 0.2)
    desk.run()
    desk.post("world", "none")
    desk.run(20)
    desk.bank.loading = ("pale",)
    desk.post("world", "pale")
    assert set(desk.run(30)) == {SOURCE}
    desk.bank.loading = ()
    greys = desk.run(20)
    assert greys == sorted(greys)
    assert SOURCE < greys[4] < GREYS["pale"]
    assert greys[-1] == GREYS["pale"]


def test_a_world_that_is_asked_for_just_as_the_last_one_is_gone_does_not_bring_that_back(desk: Desk) -> None:
    desk.post("world", "dark")
    desk.post("crossfade", 0.2)
    desk.run()
    desk.post("world", "none")
    while desk.layer._asleep:
        desk.run()
    desk.bank.loading = ("pale",)
    desk.post("world", "pale")
    assert set(desk.run(30)) == {SOURCE}
    assert desk.hardware.engines == 0


def test_a_world_plays_on_in_its_own_shape_while_one_of_another_loads_or_cannot(desk: Desk) -> None:
    desk.shapes["pale"] = (64, 40)
    desk.post("world", "dark")
    desk.run()
    desk.bank.loading = ("pale",)
    desk.post("world", "pale")
    desk.run()
    desk.paint(200)
    assert desk.run()[-1] == pytest.approx(100, abs=1)
    assert desk.layer.given is not None
    assert desk.layer.given.size == SIZE
    assert str(desk.params["/status/engine/a"].value) == "pale m is loading; dark m plays on"


def test_both_worlds_dream_in_a_crossfade_between_two_shapes(desk: Desk) -> None:
    desk.shapes["pale"] = (64, 40)
    desk.post("world", "dark")
    desk.post("crossfade", 10.0)
    desk.run()
    desk.post("world", "pale")
    assert desk.run(10)[-1] == pytest.approx(GREYS["dark"], abs=2)
    assert desk.slot.fading
    assert desk.layer.given is not None
    assert desk.layer.given.size == (64, 40)
    desk.paint(200)
    assert desk.run()[-1] == pytest.approx(100, abs=2)
    desk.run(500)
    assert desk.run()[-1] == pytest.approx(100 + LIGHT["pale"], abs=1)
    assert desk.slot.playing == Role("pale", "m", (64, 40))


def bright(desk: Desk) -> int:
    """Play dark in its mood "bright"; the grey of that."""
    desk.post("world", "dark")
    desk.run()
    desk.post("mood", "bright")
    return desk.run(100)[-1]


def test_what_plays_keeps_its_mood_while_another_world_loads_and_when_it_is_asked_for_again(desk: Desk) -> None:
    grey = bright(desk)
    assert grey == GREYS["dark"] + 20
    desk.bank.loading = ("pale",)
    desk.post("world", "pale")
    assert set(desk.run(100)) == {grey}
    desk.post("world", "dark")
    assert set(desk.run(100)) == {grey}
    desk.post("mood", "calm")
    assert desk.run(100)[-1] == GREYS["dark"]


def test_in_a_crossfade_each_world_is_in_its_own_mood(desk: Desk) -> None:
    grey = bright(desk)
    desk.post("crossfade", 10.0)
    desk.post("world", "pale")
    desk.run(100)
    present, coming = desk.slot._crossing.present.frame, desk.slot._crossing.coming
    assert present is not None
    assert coming is not None
    assert coming.frame is not None
    assert isinstance(present.texture, Texture)
    assert isinstance(coming.frame.texture, Texture)
    assert int(read(present.texture)[16, 32, 0]) == grey
    assert int(read(coming.frame.texture)[16, 32, 0]) == GREYS["pale"] - 40


def test_beside_a_world_that_nobody_knows_the_moods_are_those_of_what_plays(desk: Desk) -> None:
    bright(desk)
    desk.post("world", "lost")
    desk.run()
    desk.post("mood", "calm")
    assert desk.run(100)[-1] == GREYS["dark"]


def test_what_plays_keeps_its_condition_while_another_world_loads(desk: Desk) -> None:
    desk.post("world", "dark")
    desk.run()
    desk.post("world", "pale")
    desk.bank.loading = ("pale",)
    desk.run()
    until(lambda: desk.run() and desk.slot.card is not None and desk.slot.card.world == "pale")
    desk.run(200)
    reduce = desk.params["/layer/a/condition/reduce"]
    assert reduce.base == 16.0
    desk.bank.loading = ()
    desk.run(200)
    assert reduce.base == 8.0


class Behind(Slot):
    """A slot whose dreams are ready some frames later; what is not asked for is not dreamt."""

    frames: int = 0
    dreams: list[Frame]

    def dream(self, picture: Frame, mood: Sequence[float], now: float, whose: str | None = None) -> Frame:
        fresh = super().dream(picture, mood, now, whose)
        self.dreams = [*getattr(self, "dreams", []), fresh][-1 - self.frames :]
        return self.dreams[0]


class Coming(Slot):
    """A slot whose world is ready, and takes five frames for its first dream."""

    frames: int = 5

    def dream(self, picture: Frame, mood: Sequence[float], now: float, whose: str | None = None) -> Frame:
        self.frames -= 1
        return picture if self.frames >= 0 else super().dream(picture, mood, now, whose)


def seen(desk: Desk, frames: int) -> list[bool]:
    """Which of the next frames show the layer."""
    shown = []
    for _ in range(frames):
        desk.step()
        shown.append(not desk.layer.late)
    return shown


def rest(desk: Desk, seconds: float) -> None:
    """The layer is not seen for so long, and the source goes on."""
    desk.paint(60)
    for _ in range(round(seconds * 50)):
        desk.layer.rest()
        desk.clock.pace(50.0)


def frozen(desk: Desk, seconds: float) -> None:
    """The picture is frozen for so long."""
    for _ in range(round(seconds * 50)):
        desk.layer.hold(desk.clock.now())
        desk.clock.pace(50.0)


def dreaming(desk: Desk, behind: int) -> None:
    desk.slot.__class__ = Behind
    desk.slot.frames = behind  # type: ignore[attr-defined]
    desk.post("crossfade", 0.0)
    desk.post("world", "dark")
    desk.run(10)


@pytest.mark.parametrize("behind", [0, 1, 3])
def test_a_layer_that_is_seen_again_waits_for_a_dream_of_what_is_there_now(desk: Desk, behind: int) -> None:
    dreaming(desk, behind)
    rest(desk, 3.5)
    assert seen(desk, 10) == [False] * behind + [True] * (10 - behind)
    desk.run(100)
    desk.slot.frames = 1000  # type: ignore[attr-defined]
    for _ in range(100):
        desk.layer.rest()
        desk.clock.pace(50.0)
    assert all(seen(desk, 3))  # the source stands still: it is the dream of what is there


def test_it_does_not_wait_after_a_moment_nor_after_frames_that_came_late_nor_for_ever(desk: Desk) -> None:
    dreaming(desk, 3)
    rest(desk, 0.2)
    assert all(seen(desk, 5))
    for _ in range(100):  # the machine was busy
        desk.clock.pace(50.0)
    assert all(seen(desk, 5))
    desk.slot.frames = 1000  # type: ignore[attr-defined]
    rest(desk, 1.0)
    shown = seen(desk, 60)
    assert shown == sorted(shown)
    assert sum(shown) == pytest.approx(10, abs=1)


@pytest.mark.parametrize("before", [0, 3])
def test_a_world_that_a_layer_was_given_out_of_sight_comes_with_its_dream(desk: Desk, before: int) -> None:
    """For the first time in the midst of a show, or where it had shown its source."""
    for _ in range(before):
        desk.step()
    desk.slot.__class__ = Coming
    desk.post("world", "dark")
    rest(desk, 1.0)
    desk.paint(SOURCE)
    assert seen(desk, 6) == [False] * 5 + [True]
    assert desk.run(3) == [GREYS["dark"]] * 3


def test_a_world_that_is_ready_within_the_wait_is_there_without_its_source_too(desk: Desk) -> None:
    desk.bank.loading = ("dark",)
    desk.post("world", "dark")
    rest(desk, 1.0)
    desk.paint(SOURCE)
    assert not any(seen(desk, 10))
    desk.bank.loading = ()
    assert seen(desk, 1) == [True]
    assert desk.run(3) == [GREYS["dark"]] * 3


def test_a_world_that_does_not_come_keeps_a_layer_no_longer_than_a_second(desk: Desk) -> None:
    desk.post("world", "lost")
    rest(desk, 1.0)
    shown = seen(desk, 60)
    assert shown == sorted(shown)
    assert sum(shown) == pytest.approx(10, abs=1)


def test_a_fade_to_the_source_goes_on_where_it_was_when_the_picture_is_released(desk: Desk) -> None:
    dreaming(desk, 0)
    desk.paint(SOURCE)
    desk.post("crossfade", 2.0)
    desk.post("world", "none")
    frozen(desk, 5.0)
    assert desk.run()[0] == pytest.approx(GREYS["dark"], abs=0.06 * abs(SOURCE - GREYS["dark"]))
    greys = desk.run(110)
    assert abs(greys[45] - GREYS["dark"]) < abs(greys[45] - SOURCE) + 12
    assert greys[-1] == SOURCE


def test_a_fade_between_two_worlds_goes_on_where_it_was_when_the_picture_is_released(desk: Desk) -> None:
    dreaming(desk, 0)
    desk.paint(SOURCE)
    desk.post("crossfade", 2.0)
    desk.post("world", "pale")
    half = desk.run(51)[-1]
    assert half == pytest.approx((GREYS["dark"] + GREYS["pale"]) / 2, abs=4)
    frozen(desk, 5.0)
    greys = desk.run(55)
    assert greys[0] == pytest.approx(half, abs=16)
    assert greys == sorted(greys)
    assert greys[40] < GREYS["pale"]
    assert greys[-1] == GREYS["pale"]


def test_a_mood_glides_on_from_where_it_was_when_the_picture_is_released(desk: Desk) -> None:
    dreaming(desk, 0)
    desk.paint(SOURCE)
    desk.post("mood/fade", 4.0)
    desk.post("mood", "bright")
    half = desk.run(50)[-1]  # a quarter of its time
    assert GREYS["dark"] + 4 < half < GREYS["dark"] + 16
    frozen(desk, 5.0)
    greys = desk.run(200)
    assert greys[0] == pytest.approx(half, abs=1)
    assert greys == sorted(greys)
    assert greys[-1] == GREYS["dark"] + 20


def test_a_freeze_does_not_end_the_time_in_which_a_dream_is_waited_for(desk: Desk) -> None:
    desk.slot.__class__ = Coming
    desk.post("world", "dark")
    rest(desk, 1.0)
    desk.paint(SOURCE)
    assert seen(desk, 2) == [False, False]
    frozen(desk, 5.0)
    assert seen(desk, 4) == [False] * 3 + [True]
    assert desk.run() == [GREYS["dark"]]


def test_a_layer_that_shows_its_source_is_there_at_once(desk: Desk) -> None:
    dreaming(desk, 3)
    desk.post("world", "none")
    desk.run(5)
    rest(desk, 3.0)
    assert all(seen(desk, 3))


class Screen:
    """What is seen of a desk's layer on its stage, while its source shows a disc that ends halfway to its edge."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.stack = LayerStack(desk.size, {"a": Place.declare(desk.params, "a", ["normal"], lambda: ["none"])}, None)  # type: ignore[arg-type]
        width, height = desk.wide
        y, x = np.mgrid[:height, :width]
        disc = np.hypot(x + 0.5 - width / 2, y + 0.5 - height / 2) < min(desk.wide) / 6
        pixels = np.full((height, width, 4), 255, np.uint8)
        pixels[..., :3] = 255 * disc[..., None]
        upload(desk.source.texture, pixels)

    def see(self) -> np.ndarray:
        """The next frame: (H, W), 0..1."""
        picture = self.desk.step()
        return read_float(self.stack.blend({"a": picture}, {}, 0.0).texture)[..., 0]


def spread(seen: np.ndarray) -> tuple[float, float]:
    """The standard deviations (x, y) of the light around its middle, in pixels."""
    y, x = np.mgrid[: seen.shape[0], : seen.shape[1]]
    total = seen.sum()
    return tuple(float(np.sqrt((seen * (at - (seen * at).sum() / total) ** 2).sum() / total)) for at in (x, y))  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("stage", "source", "dreamt"),
    [
        ((160, 88), (640, 480), (160, 88)),
        ((88, 160), (320, 180), (88, 160)),
        ((160, 88), (160, 88), (96, 96)),
        ((160, 88), (60, 80), (160, 80)),
    ],
)
def test_a_dream_and_its_source_keep_their_shape_and_place_while_one_dissolves_into_the_other(
    house: House, stage: tuple[int, int], source: tuple[int, int], dreamt: tuple[int, int]
) -> None:
    desk = Desk(house, size=stage, wide=source, shapes=dict.fromkeys(("dark", ""), dreamt))
    screen = Screen(desk)
    desk.post("condition/reduce", 1.0)
    desk.post("crossfade", 0.4)
    before = screen.see()
    for world in ("dark", "none"):
        desk.post("world", world)
        seen = [screen.see() for _ in range(25)]
        steps = [np.abs(b - a).max() for a, b in itertools.pairwise([before, *seen])]
        assert max(steps) < 0.12  # of the half that there is between them, 20 steps
        before = seen[-1]
        for picture in seen:
            across, down = spread(picture)
            assert across / down == pytest.approx(1.0, abs=0.03)
    desk.close()
    screen.stack.close()
