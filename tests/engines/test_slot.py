"""The slot: switching, fading, falling back and coming back, with real networks on a real GL context."""

from __future__ import annotations

import hashlib
import os
import threading

import numpy as np
import pytest

from perform.engines.bank import Role
from perform.engines.generator import Shape, Venue
from perform.engines.host import HostEngine, HostGenerator
from perform.engines.openvino import OpenVino
from perform.engines.passthrough import Passthrough
from perform.engines.slot import Slot
from perform.engines.trial import Run, Vector
from perform.gl.target import Texture
from perform.gl.transfer import Pixels, read
from perform.library import Card
from perform.plugins import EngineError, Stage
from tests.engines.conftest import House, until
from tests.engines.worlds import onnx_bytes, write_card


def test_without_a_world_the_input_shows(house: House) -> None:
    scene = house.theatre()
    picture = scene.picture(50)
    frame = scene.dream(picture)
    assert frame.texture is picture.texture
    assert scene.dream(picture).serial == frame.serial
    assert scene.dream().serial > frame.serial
    assert scene.said == "no world: its input shows"


def test_with_a_fixed_clock_frame_zero_dreams_and_is_upright(house: House) -> None:
    house.world("dark")
    scene = house.theatre()
    scene.slot.want("dark", "m")
    picture = scene.picture(40)
    frame = scene.dream(picture)
    pixels = scene.pixels(frame)
    assert frame.time == picture.time
    assert pixels[-1, 0].tolist() == [215, 215, 215, 255]  # the upper half was 40
    assert pixels[0, 0].tolist() == [195, 195, 195, 255]  # the lower 60
    assert scene.said.startswith("dark m (OpenVINO")


def test_the_mood_reaches_the_network_and_nothing_is_dreamt_twice(house: House) -> None:
    house.world("dark")
    scene = house.theatre()
    scene.slot.want("dark", "m")
    picture = scene.picture(100)
    first = scene.dream(picture, (0.0, 0.0))
    assert scene.dream(picture, (0.0, 0.0)) is first
    second = scene.dream(picture, (2.0, 0.0))
    assert second.serial == first.serial + 1
    assert scene.grey(second) == 155 + 20
    third = scene.dream(picture, (1.0,))  # too short a mood is filled up
    assert scene.grey(third) == 155 + 10


def test_a_crossfade_is_smooth_and_both_dream_in_it(house: House) -> None:
    house.world("dark", -1.0)
    house.world("same", +1.0)
    scene = house.theatre()
    scene.slot.want("same", "m")
    assert scene.grey(scene.dream(scene.picture(40))) == 40
    scene.slot.want("dark", "m", crossfade=1.0)
    greys = []
    for i in range(60):
        frame = scene.dream(scene.picture(40 + i % 2))
        greys.append(scene.grey(frame))
        if i == 25:
            assert scene.slot.fading
            assert abs(greys[-1] - (41 + 214) / 2) < 3  # half-way, and of this very picture
    steps = np.abs(np.diff(greys))
    assert greys[0] == 40
    assert max(steps) < 10  # 175 in 50 frames, eased: 5.3 at the steepest
    assert greys[55] == 215 - 1
    assert not scene.slot.fading


def test_two_runs_are_the_same_bit_for_bit(house: House) -> None:
    house.world("dark")
    house.world("same", 1.0)

    def run() -> str:
        scene = house.theatre()
        scene.slot.want("same", "m")
        seen = hashlib.sha256()
        for i in range(30):
            if i == 5:
                scene.slot.want("dark", "s", crossfade=0.3)
            seen.update(scene.pixels(scene.dream(scene.picture(i * 3), (i / 30.0, 0.0))).tobytes())
        return seen.hexdigest()

    assert run() == run()


def test_turning_back_in_a_fade_runs_it_backwards(house: House) -> None:
    house.world("dark")
    house.world("same", 1.0)
    scene = house.theatre()
    scene.slot.want("same", "m")
    scene.dream(scene.picture(40))
    scene.slot.want("dark", "m", 1.0)
    for _ in range(21):
        frame = scene.dream(scene.picture(40))
    before = scene.grey(frame)
    scene.slot.want("same", "m", 1.0)
    after = scene.grey(scene.dream(scene.picture(40)))
    assert abs(after - before) < 8
    for _ in range(25):
        frame = scene.dream(scene.picture(40))
    assert scene.grey(frame) == 40
    assert scene.slot.playing == Role("same", "m", (64, 32))
    assert not scene.slot.fading


@pytest.mark.parametrize(("seconds", "frames"), [(0.0, 1), (1.0, 27)])
def test_the_way_back_takes_as_long_as_was_asked_for(house: House, seconds: float, frames: int) -> None:
    house.world("dark")
    house.world("same", 1.0)
    scene = house.theatre()
    scene.slot.want("same", "m")
    scene.dream(scene.picture(40))
    scene.slot.want("dark", "m", 30.0)
    for _ in range(751):
        frame = scene.dream(scene.picture(40))
    assert scene.grey(frame) == pytest.approx((40 + 215) / 2, abs=2)  # half-way
    scene.slot.want("same", "m", seconds)
    greys = [scene.grey(frame), *(scene.grey(scene.dream(scene.picture(40))) for _ in range(frames))]
    assert greys == sorted(greys, reverse=True)
    assert greys[-1] == 40
    assert not scene.slot.fading
    assert seconds == 0.0 or max(np.abs(np.diff(greys))) < 10


@pytest.mark.parametrize("turned", [True, False])
def test_a_wish_for_what_is_there_says_nothing_of_how_its_next_version_comes(house: House, turned: bool) -> None:
    house.world("dark")
    house.world("same", 1.0)
    flaky = Flaky()
    scene = house.theatre(bank=house.bank(True, 10**9, OpenVino("fp32", cache=house.cache), flaky))
    scene.slot.want("same", "m")
    scene.dream(scene.picture(40))
    scene.slot.want("dark" if turned else "nowhere", "m", 1.0)
    for _ in range(10):
        scene.dream(scene.picture(40))
    scene.slot.want("same", "m", 30.0 if not turned else 0.0)
    for _ in range(60):
        frame = scene.dream(scene.picture(40))
    assert scene.grey(frame) == 40
    for _ in range(2):  # the bank loads it again, for the next engine
        scene.bank.failed(Role("same", "m", scene.size), "it broke")
    greys = [scene.grey(scene.dream(scene.picture(40))) for _ in range(52)]
    assert 100 < greys[25] < 160  # a second, as what nobody switched to
    assert greys[-1] == 215


def test_whoever_draws_the_change_sees_it_run_backwards_the_way_it_came(house: House) -> None:
    """A wipe that came from the left must go back to the left."""
    house.world("dark")
    house.world("same", 1.0)
    scene = house.theatre()
    steps: list[tuple[int, int, float]] = []
    closed: list[bool] = []

    class Fader:
        def draw(self, before: Texture, after: Texture, progress: float, now: float) -> Texture:
            steps.append((int(read(before)[-1, 0, 0]), int(read(after)[-1, 0, 0]), progress))
            return after

        def close(self) -> None:
            closed.append(True)

    stage = Stage(scene.params, scene.clock, "/layer/dream", scene.size)
    scene.slot.close()
    scene.slot = Slot(scene.bank, stage, fader=Fader())
    scene.slot.want("same", "m")
    scene.dream(scene.picture(40))
    for world in ("dark", "same"):
        scene.slot.want(world, "m", 1.0)
        for _ in range(21):
            scene.dream(scene.picture(40))
    assert {(before, after) for before, after, _ in steps} == {(40, 215)}
    progress = [step[2] for step in steps]
    turn = progress.index(max(progress))
    assert progress[: turn + 1] == sorted(progress[: turn + 1])
    assert progress[turn:] == sorted(progress[turn:], reverse=True)
    assert 0.35 < max(progress) < 0.45
    assert min(progress[turn:]) < 0.05
    scene.slot.close()
    assert closed


def test_a_third_world_in_the_middle_of_a_fade_goes_on_from_what_is_seen(house: House) -> None:
    house.world("dark")
    house.world("same", 1.0)
    house.world("other", 1.0)
    scene = house.theatre()
    scene.slot.want("same", "m")
    scene.dream(scene.picture(40))
    scene.slot.want("dark", "m", 1.0)
    for _ in range(26):
        frame = scene.dream(scene.picture(40))
    before = scene.grey(frame)
    scene.slot.want("other", "m", 1.0)
    greys = [scene.grey(scene.dream(scene.picture(40))) for _ in range(60)]
    assert abs(greys[0] - before) < 8
    assert max(np.abs(np.diff(greys))) < 8
    assert greys[-1] == 40
    assert not scene.slot.fading


def test_back_to_the_input_fades_too(house: House) -> None:
    house.world("dark")
    scene = house.theatre()
    scene.slot.want("dark", "m")
    scene.dream()
    scene.slot.want(None, crossfade=0.5)
    greys = [scene.grey(scene.dream(scene.picture(40))) for _ in range(30)]
    assert greys[0] == 215
    assert 60 < greys[12] < 200
    picture = scene.picture(40)
    assert scene.dream(picture).texture is picture.texture
    assert scene.slot.playing is None


def test_without_a_fade_the_switch_takes_one_frame(house: House) -> None:
    house.world("dark")
    house.world("same", 1.0)
    scene = house.theatre()
    scene.slot.want("same", "m")
    scene.dream()
    scene.slot.want("dark", "m", 0.0)
    assert scene.grey(scene.dream(scene.picture(40))) == 215


def test_a_world_loads_in_the_background_while_the_input_shows_then_dissolves_in(house: House) -> None:
    house.world("dark")
    gate = threading.Event()

    class Held(OpenVino):
        def load(self, card: Card, size: str, shape: Shape) -> HostGenerator:
            assert gate.wait(120)
            return super().load(card, size, shape)

    scene = house.theatre(live=True, bank=house.bank(False, 10**9, Held(cache=house.cache)))
    scene.slot.want("dark", "m")
    picture = scene.picture(40)
    assert scene.grey(scene.dream(picture)) == 40
    assert scene.said == "dark m is loading; its input shows"
    gate.set()
    until(lambda: scene.dream(scene.picture(40), fps=100.0) and scene.slot.fading)
    greys = [scene.grey(scene.dream(picture, fps=50.0)) for _ in range(60)]
    assert greys[0] < 60
    until(lambda: scene.grey(scene.dream(picture)) == 215)
    assert scene.said.startswith("dark m (OpenVINO")


def test_dreams_and_latency_are_counted(house: House) -> None:
    house.world("dark")
    scene = house.theatre()
    scene.slot.want("dark", "m")
    for _ in range(120):
        picture = scene.picture()
        scene.clock.pace(50.0)  # the picture is a frame old when it is dreamt
        scene.params.settle(scene.clock.now())
        scene.slot.dream(picture, (0.0, 0.0), scene.clock.now())
    assert scene.params["/status/engine/dream/dreams"].value == pytest.approx(50.0, abs=2.0)
    assert scene.params["/status/engine/dream/latency"].value == pytest.approx(20.0, abs=0.1)


def test_an_unknown_world_leaves_the_present_one_playing_and_names_the_nearest(house: House) -> None:
    house.world("dark")
    scene = house.theatre()
    scene.slot.want("dark", "m")
    scene.dream()
    scene.slot.want("drak", "m", 1.0)
    assert scene.grey(scene.dream(scene.picture(40))) == 215
    assert scene.said == "there is no world 'drak'; did you mean 'dark'?; dark m plays on"


def test_a_size_that_cannot_load_is_replaced_by_a_smaller_one(house: House) -> None:
    folder = house.world("dark")
    (folder / "m.onnx").write_bytes(b"half a file")
    scene = house.theatre()
    scene.slot.want("dark", "m")
    assert scene.grey(scene.dream(scene.picture(40))) == 215
    assert scene.slot.playing == Role("dark", "s", (64, 32))
    assert "m.onnx is not the file that its card describes" in scene.said
    assert scene.said.endswith("dark s plays on")


def test_if_nothing_loads_the_input_shows_until_the_files_are_right(house: House) -> None:
    folder = house.world("dark", sizes=("m",))
    (folder / "m.onnx").unlink()
    scene = house.theatre(live=True)
    scene.slot.want("dark", "m")
    until(lambda: scene.dream(scene.picture(40)) and "is missing" in scene.said)
    assert scene.said.endswith("its card names it; its input shows")
    (folder / "m.onnx").write_bytes(onnx_bytes())
    until(lambda: scene.grey(scene.dream(scene.picture(40), fps=5.0)) == 215)


def test_a_world_whose_files_are_replaced_while_it_plays_is_taken_over(house: House) -> None:
    folder = house.world("dark", sizes=("m",))
    scene = house.theatre(live=True)
    scene.slot.want("dark", "m")
    until(lambda: scene.grey(scene.dream(scene.picture(40), fps=5.0)) == 215)
    (folder / "m.onnx").write_bytes(b"truncated")  # a copy that is under way: the old one plays on
    os.utime(folder / "card.toml")
    until(lambda: scene.dream(scene.picture(40)) and "is not the file" in scene.said)
    assert scene.grey(scene.dream(scene.picture(40))) == 215
    (folder / "m.onnx").write_bytes(onnx_bytes(+1.0))
    write_card(folder, ["m"])
    until(lambda: scene.grey(scene.dream(scene.picture(40), fps=5.0)) == 40)


def test_a_storm_of_wishes_opens_one_engine_at_a_time_and_ends_where_it_should(house: House) -> None:
    for name in ("a", "b", "c"):
        house.world(name, 1.0)
    house.world("dark")
    scene = house.theatre(live=True)
    roles = [Role(name, "m", scene.size) for name in ("a", "b", "c", "dark")]
    scene.bank.keep(roles)
    until(lambda: len(scene.bank.warm) == 4)
    for i in range(200):
        scene.slot.want("abc"[i % 3], "m", 0.1 * (i % 2))
        scene.dream(scene.picture(40))
    scene.slot.want("dark", "m", 0.1)
    until(lambda: scene.grey(scene.dream(scene.picture(40))) == 215)
    assert not scene.slot.fading or scene.slot.playing == roles[3]


def test_another_resolution_loads_beside_the_present_one(house: House) -> None:
    house.world("dark")
    scene = house.theatre(live=True)
    scene.slot.want("dark", "m")
    until(lambda: scene.grey(scene.dream(scene.picture(40), fps=5.0)) == 215)
    first = scene.dream(scene.picture(40, (40, 24)))
    assert first.size == (64, 32)  # the last dream stays until the new shape is ready
    assert scene.grey(first) == 215
    until(lambda: scene.dream(scene.picture(40, (40, 24)), fps=5.0).size == (40, 24))


def test_sides_that_are_not_multiples_show_the_input_and_say_so(house: House) -> None:
    house.world("dark")
    scene = house.theatre()
    scene.slot.want("dark", "m")
    picture = scene.picture(40, (60, 30))
    assert scene.dream(picture).texture is picture.texture
    assert "60×30 is not a size this world dreams at: sides are multiples of 8" in scene.said


def test_a_picture_of_another_shape_is_dreamt_in_that_of_what_plays(house: House) -> None:
    house.world("dark")
    scene = house.theatre()
    scene.slot.want("dark", "m")
    scene.dream(scene.picture(40))
    for grey in (90, 140):  # in sides that no world takes: it plays on for as long as they come
        frame = scene.dream(scene.picture(grey, (60, 30)))
        assert frame.size == (64, 32)
        assert scene.grey(frame) == 255 - grey
        assert int(scene.pixels(frame)[0, 0, 0]) == 255 - grey - 20
    assert scene.said.endswith("; dark m plays on")
    assert scene.slot.takes((60, 30)) == (64, 32)
    copied = scene.slot._crossing.present._fitted
    assert copied is not None
    scene.slot.close()
    assert copied.texture.id == 0


class Flaky:
    """An engine's hardware whose network fails on demand."""

    def __init__(self) -> None:
        self.broken = False
        self.opened = 0

    def load(self, card: Card, size: str, shape: Shape) -> HostGenerator:
        def make() -> Run:
            self.opened += 1

            def run(picture: Pixels, mood: Vector) -> Pixels:
                if self.broken:
                    raise MemoryError("the card is out of memory")
                dream = picture.copy()
                dream[..., :3] = 255 - dream[..., :3]
                return dream

            return run

        return HostGenerator(make, shape, 0, 1000, "flaky")


def test_changing_ones_mind_before_the_first_dream_costs_nothing(house: House) -> None:
    house.world("same", 1.0)
    house.world("dark", sizes=("m",))
    gate = threading.Event()

    class Slow(Flaky):
        def load(self, card: Card, size: str, shape: Shape) -> HostGenerator:
            if card.world != "dark":
                raise EngineError("not with this one")

            def run(picture: Pixels, mood: Vector) -> Pixels:
                gate.wait(120)
                return 255 - picture

            return HostGenerator(lambda: run, shape, 0, 1000, "slow")

    scene = house.theatre(live=True, bank=house.bank(False, 10**9, Slow(), OpenVino("fp32", cache=house.cache)))
    scene.bank.keep([Role("dark", "m", scene.size)])
    scene.slot.want("same", "m")
    until(lambda: scene.dream() and scene.slot.playing is not None and len(scene.bank.warm) == 2)
    until(lambda: scene.dream(fps=5.0) and not scene.slot.fading)
    scene.slot.want("dark", "m")
    scene.dream()
    scene.slot.want("same", "m")
    gate.set()
    greys = [scene.grey(scene.dream(scene.picture(40))) for _ in range(20)]
    assert scene.slot.playing == Role("same", "m", scene.size)
    assert max(greys) <= 60  # the other one never showed


def test_a_world_that_cannot_be_opened_is_left_alone_for_a_while(house: House) -> None:
    house.world("dark", sizes=("m",))
    opened: list[int] = []

    class Shut(HostGenerator):
        def open(self, venue: Venue) -> HostEngine:
            opened.append(1)
            raise RuntimeError("out of texture memory")

    class Gate(Flaky):
        def load(self, card: Card, size: str, shape: Shape) -> HostGenerator:
            return Shut(lambda: lambda picture, mood: picture, shape, 0, 1000, "shut")

    scene = house.theatre(bank=house.bank(True, 10**9, Gate()))
    scene.slot.want("dark", "m")
    for _ in range(40):
        assert scene.grey(scene.dream(scene.picture(40))) == 40
    assert len(opened) == 1
    assert scene.said == "dark m failed: out of texture memory; its input shows"
    for _ in range(40):
        scene.dream()
    assert len(opened) == 2


def test_an_engine_that_fails_while_it_fades_in_fades_out_again(house: House) -> None:
    house.world("dark")
    house.world("same", 1.0)

    class One(Flaky):
        def load(self, card: Card, size: str, shape: Shape) -> HostGenerator:
            if card.world == "dark" and size == "m":
                return super().load(card, size, shape)
            raise EngineError("not with this one")

    flaky = One()
    scene = house.theatre(bank=house.bank(True, 10**9, flaky, OpenVino("fp32", cache=house.cache)))
    (house.models / "dark" / "s.onnx").unlink()  # there is nothing smaller to fall back to
    scene.slot.want("same", "m")
    scene.dream()
    scene.slot.want("dark", "m", 1.0)
    greys = [scene.grey(scene.dream(scene.picture(40))) for _ in range(26)]
    flaky.broken = True
    greys += [scene.grey(scene.dream(scene.picture(40))) for _ in range(30)]
    assert max(np.abs(np.diff(greys))) < 10
    assert greys[25] > 110
    assert greys[-1] == 40
    assert scene.said == "dark m failed: it failed 3 times in a row: the card is out of memory; same m plays on"


def test_an_engine_that_fails_at_play_keeps_its_last_picture_then_falls_back_then_recovers(house: House) -> None:
    house.world("dark", sizes=("m",))
    flaky = Flaky()
    scene = house.theatre(bank=house.bank(True, 10**9, flaky))
    scene.slot.want("dark", "m")
    assert scene.grey(scene.dream(scene.picture(40))) == 215
    flaky.broken = True
    assert scene.grey(scene.dream(scene.picture(90))) == 215  # the last good one
    why = "it failed 3 times in a row: the card is out of memory"
    assert scene.said == f"dark m failed: {why}; the last picture of dark m stays"
    greys = [scene.grey(scene.dream(scene.picture(90))) for _ in range(49)]
    assert max(np.abs(np.diff(greys))) < 8  # no jump on the way to the input
    flaky.broken = False
    until(lambda: scene.grey(scene.dream(scene.picture(90), fps=10.0)) == 165)
    assert scene.said == "dark m (flaky)"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_dead_worker_is_a_failed_engine(house: House) -> None:
    house.world("dark", sizes=("m",))

    class Deadly(Flaky):
        def load(self, card: Card, size: str, shape: Shape) -> HostGenerator:
            def make() -> Run:
                raise SystemExit

            return HostGenerator(make, shape, 0, 1000, "deadly")

    scene = house.theatre(live=True, bank=house.bank(False, 10**9, Deadly()))
    scene.slot.want("dark", "m")
    until(lambda: scene.dream(scene.picture(40)) and "its worker has died" in scene.said)
    assert scene.said.endswith("its input shows")


def test_empty_dreams_are_not_shown(house: House) -> None:
    house.world("dark", sizes=("m",))

    class Hollow(Flaky):
        def load(self, card: Card, size: str, shape: Shape) -> HostGenerator:
            def make() -> Run:
                return lambda picture, mood: picture * np.uint8([0, 0, 0, 1])

            return HostGenerator(make, shape, 0, 1000, "hollow")

    scene = house.theatre(bank=house.bank(True, 10**9, Hollow()))
    scene.slot.want("dark", "m")
    assert scene.grey(scene.dream(scene.picture(40))) == 40
    assert "the network gave an empty picture" in scene.said


def test_passthrough_plays_any_world_as_its_input(house: House) -> None:
    house.world("dark")
    scene = house.theatre(bank=house.bank(True, 10**9, Passthrough()))
    scene.slot.want("dark", "m")
    picture = scene.picture(40)
    assert scene.dream(picture).texture is picture.texture
    assert scene.said == "dark m (passthrough)"


def test_closing_twice_gives_everything_back_and_the_slot_can_be_used_no_worse_than_empty(house: House) -> None:
    house.world("dark")
    scene = house.theatre()
    scene.slot.want("dark", "m")
    frame = scene.dream()
    scene.slot.close()
    scene.slot.close()
    assert isinstance(frame.texture, Texture)
    assert frame.texture.id == 0


def test_the_card_is_known_before_the_world_is_loaded(house: House) -> None:
    house.world("dark")
    scene = house.theatre(live=True)
    assert scene.slot.card is None
    scene.slot.want("dark", "m")
    scene.dream()
    until(lambda: scene.slot.card is not None)
    assert scene.slot.card is not None
    assert scene.slot.card.world == "dark"
