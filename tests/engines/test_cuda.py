"""The CUDA engine on a recording stand-in for the runtime: real GL (llvmpipe), real networks, made-up streams."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from perform import networks
from perform.card import Card
from perform.engines import cuda_package, cuda_torch, cuda_works, inductor
from perform.engines.cabinet import Cabinet
from perform.engines.cuda import Cuda, Full
from perform.engines.cuda_compute import Say, Separate
from perform.engines.cuda_generator import CudaGenerator
from perform.engines.cuda_package import Order
from perform.engines.cuda_rounds import Rounds
from perform.engines.cuda_torch import Compiled
from perform.engines.generator import Shape, Venue
from perform.engines.trial import probe
from perform.frame import Frame
from perform.gl.context import Context
from perform.gl.interop import KINDS, Bridges, CudaError, Poisoned
from perform.gl.target import Texture
from perform.gl.transfer import read, upload
from perform.library import Library
from perform.plugins import EngineError
from perform.testing import check_engine
from perform.testing.board import HostBoard
from perform.testing.cuda import RecordingCuda
from tests.engines.conftest import until
from tests.engines.worlds import plain_bytes, write_card

SHAPE = (64, 32)
LIVE, FIXED = Venue(), Venue(synchronous=True)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """The stand-in dreams inside `submit`, where a card would not: threads that look for a free core would be seen."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@dataclass
class Tint:
    """A compute that is easily told: the negative, or with `add` the picture and some more."""

    note: str = "tint"
    nbytes: int = 1000
    batch: int = 4
    add: int | None = None
    calls: list[int] = field(default_factory=list)
    closed: int = 0

    def __call__(self, picture: torch.Tensor, mood: torch.Tensor) -> torch.Tensor:
        self.calls.append(len(picture))
        dream = 255 - picture if self.add is None else (picture.int() + self.add).clamp(0, 255).to(torch.uint8)
        dream = (dream.float() + 10.0 * mood[:, :1, None, None]).clamp(0, 255).to(torch.uint8)
        dream[..., 3] = 255
        return dream

    def close(self) -> None:
        self.closed += 1


@dataclass
class Tinting:
    """A maker of one given compute."""

    compute: Tint
    name: str = "tinting"
    fails: Exception | None = None
    takes_long: bool = False

    def quick(self, card: Card, size: str, shape: Shape) -> bool:
        return not self.takes_long

    def make(self, card: Card, size: str, shape: Shape, say: Say) -> Tint:
        say("half way")
        if self.fails is not None:
            raise self.fails
        return self.compute


@pytest.fixture
def card(tmp_path: Path) -> Card:
    folder = tmp_path / "pond"
    folder.mkdir()
    for n, size in enumerate(("s", "m")):
        (folder / f"{size}.safetensors").write_bytes(plain_bytes(n))
    write_card(folder, ("s", "m"))
    return Library([tmp_path]).card("pond")


@dataclass
class Rig:
    """Hardware whose computes a test gives, and pictures for its engines."""

    cuda: RecordingCuda
    board: HostBoard
    card: Card
    textures: list[Texture] = field(default_factory=list)
    generators: list[CudaGenerator] = field(default_factory=list)
    serial: int = 0

    def hardware(self, makers: Sequence[Tinting]) -> Cuda:
        """By the array bridge: to this clock all are as quick."""
        made = Cuda.on(self.board, "a card", makers)
        made._bridges = Bridges(self.cuda, clock=lambda: 0.0)
        return made

    def load(self, *computes: Tint | Tinting, shape: Shape = SHAPE) -> CudaGenerator:
        """The last one plays first, those before it are better ones."""
        makers = [c if isinstance(c, Tinting) else Tinting(c, c.note) for c in computes]
        for maker in makers[:-1]:
            maker.takes_long = True
        generator = self.hardware(makers).load(self.card, "m", shape)
        self.generators.append(generator)
        return generator

    def picture(self, grey: int = 40, time: float = 0.0, shape: Shape = SHAPE) -> Frame:
        texture = Texture.make(*shape)
        self.textures.append(texture)
        pixels = np.full((shape[1], shape[0], 4), 255, np.uint8)
        pixels[..., :3] = grey
        pixels[0, :, :3] += 20  # the bottom row
        upload(texture, pixels)
        self.serial += 1
        return Frame(texture, time, self.serial)


@pytest.fixture
def rig(gl: Context, card: Card) -> Iterator[Rig]:
    cuda = RecordingCuda()
    made = Rig(cuda, HostBoard(cuda), card)
    yield made
    for generator in made.generators:
        generator.close()
    for texture in made.textures:
        texture.close()


def grey(frame: Frame | None) -> int:
    """The red of the top row."""
    assert frame is not None
    assert isinstance(frame.texture, Texture)
    return int(read(frame.texture)[-1, 0, 0])


# ---------------------------------------------------------------- the contract
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lag", [0, 3])
def test_it_keeps_the_contract_over_every_bridge(gl: Context, card: Card, kind: str, lag: int) -> None:
    cuda = RecordingCuda(lag=lag)
    generator = Cuda.on(HostBoard(cuda), bridge=kind, compile=False, tensorrt=False).load(card, "m", SHAPE)
    check_engine(lambda: generator.open(LIVE), SHAPE, (0.3, 0.0))
    generator.close()
    assert (cuda.registered, cuda.mapped, cuda.memory, cuda.events, cuda.streams) == ([], [], {}, {}, set())


@pytest.mark.parametrize("venue", [LIVE, FIXED])
def test_its_dreams_are_the_networks_own_and_upright(rig: Rig, venue: Venue) -> None:
    generator = Cuda.on(rig.board, compile=False, tensorrt=False).load(rig.card, "m", SHAPE)
    rig.generators.append(generator)
    picture, mood = probe(SHAPE), (0.5, -0.25)
    frame = rig.picture()
    upload(rig.textures[-1], np.ascontiguousarray(picture[::-1]))
    engine = generator.open(venue)
    engine.submit(frame, mood)
    dream = engine.newest()
    assert dream is not None
    with torch.inference_mode():
        network = networks.load(rig.card.raw, "m", rig.card.folder)
        want = network(torch.from_numpy(picture)[None], torch.tensor([mood]))[0].numpy()
    assert np.array_equal(read(rig_texture(dream))[::-1], want)
    engine.close()


def rig_texture(frame: Frame) -> Texture:
    assert isinstance(frame.texture, Texture)
    return frame.texture


def test_a_fixed_clock_sees_the_dream_of_the_same_frame(rig: Rig) -> None:
    rig.cuda.lag = 5
    engine = rig.load(Tint()).open(FIXED)
    for n in (10, 90, 200):
        engine.submit(rig.picture(n, float(n)), ())
        dream = engine.newest()
        assert (grey(dream), dream and dream.time) == (255 - n, float(n))
    engine.close()


def test_the_mood_reaches_the_network_and_changes_the_dream_of_the_same_picture(rig: Rig) -> None:
    engine, picture = rig.load(Tint()).open(LIVE), rig.picture(100)
    seen = []
    for mood in ((0.0, 0.0), (2.0, 0.0), (2.0, 0.0)):
        engine.submit(picture, mood)
        dream = engine.newest()
        seen.append((grey(dream), dream and dream.serial))
    assert seen == [(155, 1), (175, 2), (175, 2)], "the same picture in the same mood is not dreamt again"
    engine.close()


def test_a_picture_of_another_size_is_refused_in_one_sentence(rig: Rig) -> None:
    engine = rig.load(Tint()).open(LIVE)
    with pytest.raises(EngineError, match="takes 64×32 pixels, not 16×16"):
        engine.submit(rig.picture(shape=(16, 16)), ())
    engine.close()


# ---------------------------------------------------------------- streams, order, nothing that waits
def test_the_copies_have_a_stream_of_their_own_that_never_waits_for_a_network(rig: Rig) -> None:
    generator = rig.load(Tint())
    made = [e for e in rig.cuda.journal if e[0] == "StreamCreateWithPriority"]
    engine = generator.open(LIVE)
    carry, compute = made[-2], made[-1]
    assert carry[1] == compute[1] == rig.cuda.cudaStreamNonBlocking
    assert carry[2] < compute[2] == 0, "the network gives way to everybody"
    rig.cuda.journal.clear()
    engine.submit(rig.picture(), ())
    engine.newest()
    waits = [e for e in rig.cuda.journal if e[0] == "StreamWaitEvent"]
    assert [stream for _, stream, _ in waits] == [compute[3]], "compute waits for the picture, and nobody for compute"
    maps = {e[2] for e in rig.cuda.journal if e[0] in ("GraphicsMapResources", "GraphicsUnmapResources")}
    assert maps == {carry[3]}
    assert set(rig.board.replayed[-1:]) == {compute[3]}
    engine.close()


def test_nothing_is_allocated_registered_captured_or_waited_for_at_play(rig: Rig) -> None:
    rig.cuda.lag = 1
    engine = rig.load(Tint()).open(LIVE)
    frames = [rig.picture(n) for n in range(8)]
    engine.submit(frames[0], ())
    engine.newest()
    rig.cuda.journal.clear()
    captured = rig.board.captured
    for frame in frames[1:]:
        engine.submit(frame, ())
        engine.newest()
    asked = set(rig.cuda.names())
    forbidden = {n for n in asked if any(w in n for w in ("Malloc", "Free", "Register", "Create", "Synchronize"))}
    assert forbidden == set()
    assert rig.board.captured == captured
    engine.close()


def test_two_dreams_are_under_way_at_most_and_the_newest_picture_waits(rig: Rig) -> None:
    rig.cuda.lag = 10**6
    compute = Tint()
    engine = rig.load(compute).open(LIVE)
    compute.calls.clear()
    for n in range(5):
        engine.submit(rig.picture(10 * n, float(n)), ())
        assert engine.newest() is None
    assert len(compute.calls) == 2
    rig.cuda.events = dict.fromkeys(rig.cuda.events, 0)
    rig.cuda.lag = 0
    dream = engine.newest()
    assert dream is not None
    assert dream.time == 1.0, "of two that have landed the newer one is shown"
    dream = engine.newest()
    assert dream is not None
    assert (dream.time, grey(dream)) == (4.0, 215), "those between were replaced"
    engine.close()


def test_a_waiting_picture_whose_texture_is_gone_is_left_out(rig: Rig) -> None:
    rig.cuda.lag = 10**6
    compute = Tint()
    engine = rig.load(compute).open(LIVE)
    compute.calls.clear()
    for n in range(3):
        engine.submit(rig.picture(n), ())
        engine.newest()
    rig.textures[-1].close()
    rig.cuda.events = dict.fromkeys(rig.cuda.events, 0)
    for _ in range(4):
        engine.newest()
    assert len(compute.calls) == 2
    engine.close()


def test_dreams_a_second_are_capped(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("perform.engines.cuda_engine.time.perf_counter", lambda: now[0])
    engine = rig.load(Tint()).open(replace(LIVE, fps=10.0))
    serials = []
    for n in range(60):
        now[0] = n / 60 + 0.001
        engine.submit(rig.picture(n), ())
        dream = engine.newest()
        serials.append(dream.serial if dream is not None else 0)
    assert 9 <= serials[-1] <= 11
    engine.close()


def test_in_a_show_a_dream_is_given_and_the_next_picture_taken_in_one_go(rig: Rig) -> None:
    engine = rig.load(Tint()).open(LIVE)
    seen = []
    for n in range(6):
        rig.cuda.lag = 1  # not ready when it is asked for at once, but by the next frame
        rig.cuda.journal.clear()
        engine.submit(rig.picture(10 * n, float(n)), ())
        dream = engine.newest()
        seen.append((dream.time, grey(dream)) if dream is not None else None)
        assert rig.cuda.count("GraphicsMapResources") == 1
        copies = [
            e[0] for e in rig.cuda.journal if "Memcpy2D" in e[0] or e[0] in ("EventRecord", "GraphicsUnmapResources")
        ]
        assert copies[:2] == ["Memcpy2DFromArrayAsync", "EventRecord"], (
            "the network may begin before GL has its textures"
        )
    assert seen == [None] + [(float(n), 255 - 10 * n) for n in range(5)]
    engine.close()


def test_a_switch_of_worlds_registers_nothing(rig: Rig) -> None:
    hardware = rig.hardware([Tinting(Tint())])
    old, new = (hardware.load(rig.card, size, SHAPE) for size in ("s", "m"))
    rig.generators += [old, new]
    engine = old.open(LIVE)
    for generator in (new, old, new, old):
        coming = generator.open(LIVE)  # two of them play in a crossfade
        engine.submit(rig.picture(), ())
        coming.submit(rig.picture(), ())
        engine.close()
        engine = coming
    assert rig.cuda.count("GraphicsGLRegisterImage") == 3 + 3 + 2 * 3, "a small one is tried out first, and one timed"
    engine.close()
    assert rig.cuda.registered == [], "the last one closes them all"


def test_pinned_memory_outlives_the_streams_that_copy_into_it(rig: Rig) -> None:
    hardware = rig.hardware([Tinting(Tint())])
    hardware._bridges = Bridges(rig.cuda, kinds=("host",))
    generator = hardware.load(rig.card, "m", SHAPE)
    engine = generator.open(LIVE)
    rig.cuda.lag = 10**6  # nothing lands by itself
    engine.submit(rig.picture(), ())
    rig.cuda.journal.clear()
    engine.close()
    generator.close()
    asked = [name for name in rig.cuda.names() if name in ("EventRecord", "StreamSynchronize", "FreeHost")]
    frees = 2 + 1 + 1  # of the lanes; a picture, a dream
    assert asked == ["EventRecord"] * 2 + ["StreamSynchronize"] * 2 + ["FreeHost"] * frees
    assert (rig.cuda.memory, rig.cuda.events, rig.cuda.streams) == ({}, {}, set())


# ---------------------------------------------------------------- layers of one world
def play(engines: list[Any], rig: Rig, frames: int, greys: Callable[[int, int], int]) -> None:
    """Frames as a show makes them, at 60 a second: each layer submits and asks, then the next one."""
    rounds = engines[0]._house._rounds
    now = rounds._last
    for n in range(frames):
        now += 1 / 60
        for i, engine in enumerate(engines):
            rounds.clock = lambda i=i, now=now: now + 0.001 * i
            engine.submit(rig.picture(greys(n, i)), ())
            engine.newest()


def test_layers_that_play_the_same_world_go_as_one_batch(rig: Rig) -> None:
    compute = Tint()
    generator = rig.load(compute)
    engines = [generator.open(LIVE) for _ in range(3)]
    until(lambda: (generator.works._next or generator.works.road).rows == 3)
    compute.calls.clear()
    play(engines, rig, 6, lambda n, i: 20 * n + 50 * i)
    assert compute.calls[-4:] == [3, 3, 3, 3]
    for i, engine in enumerate(engines):
        for _ in range(2):
            dream = engine.newest()
        assert grey(dream) == 255 - (100 + 50 * i), "everybody gets their own"
    for engine in engines:
        engine.close()


def test_through_the_host_each_layer_gets_its_own_dreams_however_late_they_are(rig: Rig) -> None:
    rig.cuda.lag = 11  # two rounds are under way
    hardware = rig.hardware([Tinting(Tint())])
    hardware._bridges = Bridges(rig.cuda, kinds=("host",))
    generator = hardware.load(rig.card, "m", SHAPE)
    rig.generators.append(generator)
    engines = [generator.open(LIVE) for _ in range(3)]
    until(lambda: (generator.works._next or generator.works.road).rows == 3)
    play(engines, rig, 12, lambda n, i: 10 * n + 40 * i)
    assert len(generator._flights) == 2
    rig.cuda.lag, rig.cuda.events = 0, dict.fromkeys(rig.cuda.events, 0)
    for i, engine in enumerate(engines):
        for _ in range(6):
            dream = engine.newest()
        assert grey(dream) == 255 - (110 + 40 * i)
        engine.close()


def test_a_layer_that_is_not_drawn_any_more_holds_nobody_up(rig: Rig) -> None:
    generator = rig.load(Tint())
    engines = [generator.open(LIVE) for _ in range(2)]
    play(engines, rig, 4, lambda n, i: 10 * n)
    seen = []
    for n in range(4):
        engines[0].submit(rig.picture(100 + n, float(n)), ())
        seen.append(engines[0].newest())
    assert seen[-1] is not None
    assert seen[-1].time >= 2.0
    for engine in engines:
        engine.close()


def test_a_layer_that_never_fetches_its_dream_keeps_no_lane_and_no_better_engine_waiting(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    faster(monkeypatch, {"slow": 0.004, "quick": 0.001})
    generator = rig.load(Tint("quick", add=7, batch=1), Tint("slow", batch=1))
    engines = [generator.open(LIVE) for _ in range(3)]
    for engine in engines:
        engine.submit(rig.picture(10), ())
    for engine in engines:
        engine.submit(rig.picture(20), ())  # nobody fetches: every lane carries somebody's dream
    generator.prepare()
    until(lambda: generator.works.waits)
    for n in range(4):
        engines[2].submit(rig.picture(30 + n), ())
        dream = engines[2].newest()
    assert grey(dream) in (33 + 7, 32 + 7), "by the better one; a frame behind if the first came late"
    assert generator.works.road.compute.note == "quick"
    assert grey(engines[0].newest()) in (245, 235), "and who comes back finds its own"
    for engine in engines:
        engine.close()


def test_a_closed_layer_leaves_the_others_their_dreams(rig: Rig) -> None:
    rig.cuda.lag = 4
    generator = rig.load(Tint())
    engines = [generator.open(LIVE) for _ in range(2)]
    play(engines, rig, 3, lambda n, i: 30 * n)
    engines[0].close()
    generator.close()
    for n in range(12):
        engines[1].submit(rig.picture(120, 50.0 + n), ())
        dream = engines[1].newest()
    assert grey(dream) == 135
    assert rig.cuda.streams, "an engine that is open goes on"
    engines[1].close()
    until(lambda: not rig.cuda.streams)
    assert (rig.cuda.registered, rig.cuda.events) == ([], {})


def test_a_world_that_is_put_away_while_a_layer_opens_it_plays_until_that_closes(rig: Rig) -> None:
    generator = rig.load(Tint())
    real = generator.bridges
    generator.bridges = lambda shape: [real(shape), generator.close()][0]  # by the bank's worker
    engine = generator.open(LIVE)
    engine.submit(rig.picture(90), ())
    assert grey(engine.newest()) == 165
    with pytest.raises(EngineError, match="this world has been put away"):
        generator.open(LIVE)
    engine.close()
    until(lambda: not rig.cuda.streams)
    assert (rig.cuda.registered, rig.cuda.events) == ([], {})


def test_a_world_that_is_put_away_while_a_layer_fails_to_open_it_is_gone(rig: Rig) -> None:
    generator = rig.load(Tint())

    def closes(shape: Shape) -> Any:
        generator.close()
        raise CudaError("there is no bridge")

    generator.bridges = closes
    with pytest.raises(CudaError, match="there is no bridge"):
        generator.open(LIVE)
    until(lambda: not rig.cuda.streams)


def test_rounds_find_the_beginning_of_a_frame_by_the_pause_before_it() -> None:
    now = [0.0]
    rounds: Rounds[str, int] = Rounds(lambda: now[0])
    went = []
    order = ["b", "a"] + ["a", "b"] * 6  # it all begins in the middle of a frame, with b
    for n, who in enumerate(order):
        now[0] += 0.015 if who == "a" else 0.002
        rounds.hear(who, n)
        if rounds.due:
            went.append(sorted(who for who, _ in rounds.take(2)))
    assert went[-3:] == [["a", "b"]] * 3


def test_who_asks_twice_without_submitting_waits_for_nobody() -> None:
    rounds: Rounds[str, int] = Rounds(lambda: 0.0)
    rounds.hear("a", 1)
    rounds.hear("b", 1)
    rounds.take(2)
    rounds.hear("a", 2)
    rounds.ask("a")
    assert not rounds.due
    rounds.ask("a")
    assert (rounds.due, rounds.take(2)) == (True, [("a", 2)])
    rounds.leave("a")
    rounds.hear("b", 3)
    assert rounds.due


# ---------------------------------------------------------------- what it takes of the card
class Metered(HostBoard):
    """A board whose memory is missed on the card."""

    def zeros(self, kind: str, *shape: int) -> Any:
        made = super().zeros(kind, *shape)
        self.cuda.free -= made.nbytes
        return made


def test_a_compute_that_was_on_the_card_before_its_road_is_counted_with_it() -> None:
    cuda = RecordingCuda()
    board, before = Metered(cuda), cuda.free
    compute = Tint(nbytes=300_000_000)
    cuda.free -= compute.nbytes  # when it was made
    road = cuda_works.build_road(board, compute, SHAPE, 2)
    assert before - cuda.free > 300_000_000 + 4 * 64 * 32 * 4
    assert road.nbytes == before - cuda.free
    road.close()


def test_where_the_card_was_given_memory_back_meanwhile_pictures_count_all_the_same() -> None:
    cuda = RecordingCuda()

    class Relieved(HostBoard):
        def release(self) -> None:
            cuda.free += 1_000_000

    road = cuda_works.build_road(Relieved(cuda), Tint(nbytes=1_000), SHAPE, 2)
    assert road.nbytes == 1_000 + 4 * 64 * 32 * 4
    road.close()


# ---------------------------------------------------------------- something faster
def faster(monkeypatch: pytest.MonkeyPatch, seconds: dict[str, float]) -> None:
    """Roads take the time that their compute's note says."""
    real = cuda_works.build_road

    def build(board: Any, compute: Any, *facts: Any) -> Any:
        road = real(board, compute, *facts)
        road.seconds = seconds[compute.note]
        return road

    monkeypatch.setattr(cuda_works, "build_road", build)


def test_a_faster_compute_takes_over_between_two_dreams_and_the_old_one_is_put_away(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    faster(monkeypatch, {"slow": 0.004, "quick": 0.001})
    slow, quick = Tint("slow"), Tint("quick", add=7)
    generator = rig.load(quick, slow)
    assert generator.note == "slow on a card, 4.0 ms"
    engine = generator.open(LIVE)
    engine.submit(rig.picture(40), ())
    assert grey(engine.newest()) == 215
    assert not generator.works.busy
    generator.prepare()
    assert generator.works.busy
    until(lambda: generator.works.waits)
    assert generator.works.busy
    engine.submit(rig.picture(50), ())
    assert grey(engine.newest()) == 57
    until(lambda: not generator.works.busy)
    assert generator.note == "quick on a card, 1.0 ms"
    until(lambda: slow.closed == 1)
    engine.close()
    generator.close()
    assert quick.closed == 1


def test_one_that_is_not_faster_or_fails_changes_nothing_and_is_said(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    faster(monkeypatch, {"slow": 0.004, "same": 0.0039})
    same = Tint("same")
    broken = Tinting(Tint("never"), "TensorRT", RuntimeError("an operator is not known\nand so on"))
    generator = rig.load(Tinting(same, "torch.compile"), broken, Tint("slow"))
    generator.prepare()
    until(lambda: generator.note.endswith("no TensorRT: an operator is not known"))
    until(lambda: same.closed == 1)
    until(lambda: not generator.works.busy)
    assert not generator.works.waits


@dataclass
class Spread(Tint):
    """A compute whose recordings may be replayed at the same time."""

    separate: bool = True


def pace(rig: Rig, monkeypatch: pytest.MonkeyPatch, seconds: dict[str, float]) -> dict[str, float]:
    """On the card's clock a dream takes the time that its compute's note says, times what "show" says: 1 at first."""
    real, last, all_of = Tint.__call__, [""], seconds | {"show": 1.0}

    def dream(self: Tint, picture: torch.Tensor, mood: torch.Tensor) -> torch.Tensor:
        last[0] = self.note
        return real(self, picture, mood)

    monkeypatch.setattr(Tint, "__call__", dream)
    monkeypatch.setattr(rig.cuda, "cudaEventElapsedTime", lambda *two: (0, 1e3 * all_of[last[0]] * all_of["show"]))
    return all_of


@pytest.mark.parametrize(("before", "show"), [(1.0, 1.3), (1.3, 1.0)])
@pytest.mark.parametrize(("takes", "said"), [(0.8, False), (1.05, True)])
def test_what_plays_is_timed_again_beside_what_is_to_take_over(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, before: float, show: float, takes: float, said: bool
) -> None:
    """Whichever of the two was read in quiet: at load nothing is drawn, and then a show is; or the other way round."""
    clock = pace(rig, monkeypatch, {"old": 0.002, "new": 0.002 * takes})
    clock["show"] = before
    old, new = Spread("old"), Tint("new")
    generator = rig.load(Tinting(new, "TensorRT"), old)
    clock["show"] = show
    lanes, there = generator.works.road.lanes, (dict(rig.cuda.memory), set(rig.cuda.events), set(rig.cuda.streams))
    for lane in lanes:
        lane.picture.fill_(7)
        lane.dream.fill_(8)
    generator.prepare()
    until(lambda: generator.works.waits or "TensorRT takes" in generator.note)
    until(lambda: not generator.works.making)
    assert generator.works.waits == (not said)
    if said:
        assert generator.note.endswith(f"TensorRT takes {2 * takes * show:.1f} ms where this takes {2 * show:.1f}")
        assert (dict(rig.cuda.memory), set(rig.cuda.events), set(rig.cuda.streams)) == there, "nothing is left of it"
    assert (old.closed, new.closed) == (0, int(said))
    assert {int(n) for lane in lanes for n in (*lane.picture.unique(), *lane.dream.unique())} == {7, 8}, (
        "its lanes are the render thread's"
    )


@pytest.mark.parametrize("old", [Spread("old"), Tint("old")])
def test_where_what_plays_cannot_be_timed_again_what_was_read_at_load_counts(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, old: Tint
) -> None:
    """The card is full with the new road; or its recordings share memory, and one is at play."""
    pace(rig, monkeypatch, {"old": 0.002, "new": 0.001})
    generator = rig.load(Tinting(Tint("new"), "TensorRT"), old)
    real, made = rig.board.zeros, list[str]()

    def zeros(kind: str, *shape: int) -> Any:
        made.append(kind)
        if len(made) > 2 * 3:
            raise CudaError("the card's memory is full", 2)
        return real(kind, *shape)

    monkeypatch.setattr(rig.board, "zeros", zeros)
    old.calls.clear()
    generator.prepare()
    until(lambda: generator.works.waits)
    assert (old.calls, old.closed) == ([], 0)
    assert len(made) == 2 * 3 + isinstance(old, Spread)
    assert len(rig.cuda.streams) == 2


def test_a_card_that_fails_while_what_plays_is_timed_again_is_not_taken_for_a_full_one(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = Tint("new")

    def dies(*given: Any) -> Any:
        raise Poisoned("the graphics card has failed", 700)

    monkeypatch.setattr(cuda_works, "beside", dies)
    generator = rig.load(Tinting(new, "TensorRT"), Spread("old"))
    generator.prepare()
    until(lambda: generator.note.endswith("no TensorRT: the graphics card has failed"))
    until(lambda: new.closed == 1)
    assert not generator.works.waits


def test_only_computes_of_pytorch_are_known_to_share_nothing() -> None:
    assert isinstance(cuda_torch.TorchCompute(None, "", 0), Separate)
    assert not isinstance(Tint(), Separate)


@dataclass
class Gated(Tinting):
    """Makes nothing before it is let; who is at it, and how many were at most."""

    gate: threading.Event = field(default_factory=threading.Event)
    shapes: list[Shape] = field(default_factory=list)
    inside: int = 0
    most: int = 0

    def make(self, card: Card, size: str, shape: Shape, say: Say) -> Tint:
        self.inside += 1
        self.most = max(self.most, self.inside)
        self.shapes.append(shape)
        self.gate.wait(60.0)
        self.inside -= 1
        return replace(self.compute)


@pytest.fixture
def gated(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gated]:
    faster(monkeypatch, {"slow": 0.004, "quick": 0.001})
    made = Gated(Tint("quick", add=7), "TensorRT")
    yield made
    made.gate.set()


def test_of_several_warm_worlds_one_at_a_time_makes_something_faster(rig: Rig, gated: Gated) -> None:
    worlds = [rig.load(gated, Tint("slow"), shape=(64, 32 + 8 * n)) for n in range(3)]
    for world in worlds:
        world.prepare()
    until(lambda: sum("TensorRT is to come" in world.note for world in worlds) == 2 or gated.most > 1)
    gated.gate.set()
    until(lambda: all(world.works.waits for world in worlds))
    assert gated.most == 1


def test_who_waits_to_make_something_faster_goes_on_with_all_else(rig: Rig, gated: Gated) -> None:
    first, second = (rig.load(gated, Tint("slow"), shape=shape) for shape in ((64, 32), (64, 40)))
    first.prepare()
    until(lambda: gated.inside == 1)
    second.prepare()
    engines = [second.open(LIVE), second.open(LIVE)]
    until(lambda: second.works.waits)
    assert second.works._next is not None
    assert second.works._next.rows == 2
    for engine in engines:
        engine.close()


def test_a_world_that_is_put_away_while_it_waits_is_gone_at_once_and_makes_nothing(rig: Rig, gated: Gated) -> None:
    first, second = (rig.load(gated, Tint("slow"), shape=shape) for shape in ((64, 32), (64, 40)))
    first.prepare()
    until(lambda: gated.inside == 1)
    second.prepare()
    second.close()
    assert second.works._worker is not None
    assert not second.works._worker.alive
    gated.gate.set()
    until(lambda: first.works.waits)
    assert gated.shapes == [(64, 32)]


def test_a_world_that_is_played_goes_before_those_that_only_wait(rig: Rig, gated: Gated) -> None:
    worlds = [rig.load(gated, Tint("slow"), shape=(64, 32 + 8 * n)) for n in range(3)]
    for world in worlds:
        world.prepare()
        until(lambda: world.note.endswith(("making TensorRT", "TensorRT is to come")))  # noqa: B023 - called now
    engine = worlds[2].open(LIVE)
    gated.gate.set()
    until(lambda: all(world.works.waits for world in worlds))
    assert gated.shapes == [(64, 32), (64, 48), (64, 40)]
    engine.close()


def test_a_world_for_which_something_is_being_made_says_when_it_is_gone(
    rig: Rig, gated: Gated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cuda_works.Works.part, "__defaults__", (0.0,))  # nobody waits for it
    world = rig.load(gated, Tint("slow"))
    assert not world.making
    world.prepare()
    until(lambda: gated.inside == 1)
    assert world.making
    world.close()
    assert not world.part(0.0)
    gated.gate.set()
    assert world.part(60.0)
    assert not world.making


def test_nothing_better_is_looked_for_when_the_clock_is_fixed(rig: Rig) -> None:
    generator = rig.load(Tint("quick"), Tint("slow"))
    engine = generator.open(FIXED)
    engine.submit(rig.picture(), ())
    assert generator.works._worker is None
    engine.close()


# ---------------------------------------------------------------- trouble
def test_a_full_card_is_said_and_leaves_nothing_behind(rig: Rig) -> None:
    compute = Tint()
    rig.cuda.fails["cudaMallocHost"] = 2
    with pytest.raises(Full, match="pond m does not fit on the card beside what is there"):
        rig.load(compute)
    assert compute.closed == 1
    assert (rig.cuda.streams, rig.cuda.events) == (set(), {})


def test_without_a_second_stream_the_first_is_given_back(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    works, real, made = rig.load(Tint()).works, rig.cuda.cudaStreamCreateWithPriority, list[int]()

    def second_fails(flags: int, priority: int) -> tuple[int, int]:
        made.append(priority)
        return (2, 0) if len(made) == 2 else real(flags, priority)

    monkeypatch.setattr(rig.cuda, "cudaStreamCreateWithPriority", second_fails)
    before = set(rig.cuda.streams)
    with pytest.raises(CudaError, match="out of memory"):
        CudaGenerator(rig.board, works, lambda shape: None)  # type: ignore[arg-type,return-value]
    assert rig.cuda.streams == before


def test_what_fails_after_its_lanes_were_made_leaves_nothing_behind(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*given: object) -> None:
        raise CudaError("no memory", 2)

    compute, there = Tint(), dict(rig.cuda.memory)
    monkeypatch.setattr("perform.engines.cuda.CudaGenerator", full)
    with pytest.raises(Full):
        rig.load(compute)
    assert compute.closed == 1
    assert (rig.cuda.streams, rig.cuda.memory) == (set(), there)


def test_a_compute_that_gives_no_picture_is_not_played(rig: Rig) -> None:
    with pytest.raises(EngineError, match="one flat colour"):
        rig.load(Tint(add=255))


def test_a_card_that_fails_under_a_dream_is_told_from_other_trouble(rig: Rig) -> None:
    engine = rig.load(Tint()).open(LIVE)
    rig.cuda.fails["cudaEventQuery"] = 999
    engine.submit(rig.picture(), ())
    with pytest.raises(CudaError, match="unknown error") as other:
        engine.newest()
    assert not isinstance(other.value, Poisoned)
    rig.cuda.fails["cudaEventQuery"] = 700
    with pytest.raises(Poisoned, match=r"an illegal memory access.*a new process is needed"):
        engine.newest()
    engine.close()


def test_on_a_card_that_has_failed_a_worlds_worker_ends(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    generator = rig.load(Tint())
    rig.cuda.fails = {"cudaSetDevice": 700, "cudaStreamSynchronize": 700}
    generator.close()
    worker = generator.works._worker
    assert worker is not None
    assert (worker.alive, worker.restarts, worker.error) == (False, 0, "")
    assert "nothing more is made or put away: the graphics card has failed" in caplog.text


def test_what_fails_while_a_world_is_put_away_is_not_tried_again(rig: Rig) -> None:
    generator = rig.load(Tint())
    rig.cuda.fails = {"cudaSetDevice": 999}
    generator.works._gone = True
    generator.close()
    worker = generator.works._worker
    assert worker is not None
    assert (worker.alive, worker.restarts, worker.error) == (False, 0, "")


def test_on_a_card_that_has_failed_no_other_maker_is_tried(rig: Rig) -> None:
    died, never = Poisoned("the graphics card has failed", 700), Tint("never")
    generator = rig.load(Tinting(Tint("first"), "TensorRT", died), never, Tint())
    generator.prepare()
    until(lambda: generator.note.endswith("no TensorRT: the graphics card has failed"))
    generator.close()
    assert never.calls == []


def test_what_cannot_be_taken_is_this_layers_trouble_and_the_lane_stays_free(rig: Rig) -> None:
    engine = rig.load(Tint()).open(LIVE)
    rig.cuda.fails["cudaGraphicsMapResources"] = 219
    with pytest.raises(CudaError):
        engine.submit(rig.picture(), ())
    assert rig.cuda.mapped == []
    rig.cuda.fails.clear()
    engine.submit(rig.picture(90), ())
    assert grey(engine.newest()) == 165
    engine.close()


def test_bad_keys_are_one_sentence() -> None:
    with pytest.raises(ValueError, match="bridge is auto, array, buffer, host, not 'rope'"):
        Cuda(bridge="rope")
    with pytest.raises(ValueError, match="device is the number of a CUDA card"):
        Cuda(device=-1)


# ---------------------------------------------------------------- compiled
@pytest.fixture
def compiled(rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Compiled:
    """A maker whose compiler and loader are stand-ins: a package is the words it was ordered with."""

    def compile_apart(order: Order, out: Path, say: Say, kept: Path) -> None:
        assert kept == tmp_path / "inductor"
        say("compiling for this card, 3 s")
        out.write_text(f"{order.size} {order.shape} {order.device}")

    monkeypatch.setattr(cuda_torch, "compile_apart", compile_apart)
    monkeypatch.setattr("torch._inductor.aoti_load_package", lambda path, **keys: Path(path).read_text())
    return Compiled(rig.board, Cabinet(tmp_path / "engines"), device="cpu")


def test_a_compiled_world_is_kept_and_is_quick_from_then_on(rig: Rig, compiled: Compiled) -> None:
    said: list[str] = []
    assert not compiled.quick(rig.card, "m", SHAPE)
    made = compiled.make(rig.card, "m", SHAPE, said.append)
    assert (made.network, made.note) == ("m (64, 32) cpu", "torch compiled fp16")
    assert said == ["compiling for this card, 3 s"]
    assert compiled.quick(rig.card, "m", SHAPE)
    assert not compiled.quick(rig.card, "m", (128, 32)), "for another size it is another one"
    assert not compiled.quick(rig.card, "s", SHAPE)
    compiled.make(rig.card, "m", SHAPE, said.append)
    assert len(said) == 1, "it was not compiled again"


def test_a_package_that_will_not_load_is_compiled_again(
    rig: Rig, compiled: Compiled, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled.make(rig.card, "m", SHAPE, lambda text: None)
    loads = []

    def load(path: str, **keys: object) -> str:
        loads.append(path)
        if len(loads) == 1:
            raise RuntimeError("an unknown symbol")
        return "good"

    monkeypatch.setattr("torch._inductor.aoti_load_package", load)
    assert compiled.make(rig.card, "m", SHAPE, lambda text: None).network == "good"
    assert len(loads) == 2


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("no room"), RuntimeError("CUDA error: out of memory")])
def test_a_full_card_is_not_the_kept_packages_fault(
    rig: Rig, compiled: Compiled, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def load(path: str, **keys: object) -> str:
        raise error

    said: list[str] = []
    compiled.make(rig.card, "m", SHAPE, said.append)
    monkeypatch.setattr("torch._inductor.aoti_load_package", load)
    with pytest.raises(CudaError, match="the card's memory is full") as told:
        compiled.make(rig.card, "m", SHAPE, said.append)
    assert told.value.code == 2
    assert compiled.quick(rig.card, "m", SHAPE), "it is kept"
    assert len(said) == 1, "it was not compiled again"


def test_a_world_that_is_replaced_before_the_compiler_reads_it_is_not_kept_as_the_old_one(
    rig: Rig, tmp_path: Path
) -> None:
    old, maker = rig.card, Compiled(rig.board, Cabinet(tmp_path / "engines"), device="cpu")
    (old.folder / "m.safetensors").write_bytes(plain_bytes(7))
    write_card(old.folder, ("s", "m"))
    with pytest.raises(EngineError, match=r"the compiler failed: .*pond m was replaced while it was compiled"):
        maker.make(old, "m", SHAPE, lambda text: None)
    assert not maker.quick(old, "m", SHAPE)


def test_a_compiler_takes_the_weights_of_its_order_and_no_others(card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []

    def package(graph: object, package_path: str, inductor_configs: dict[str, Any]) -> None:
        assert inductor_configs == dict.fromkeys(inductor.HEADERS, False)
        written.append(package_path)

    monkeypatch.setattr("torch.export.export", lambda network, given, strict: network)
    monkeypatch.setattr("torch._inductor.aoti_compile_and_package", package)
    sha = card.size("m").files["weights"].sha256
    for weights in (sha, ""):
        cuda_package.main([str(card.folder), "m", "64", "32", "out.pt2", "cpu", weights])
    assert written == ["out.pt2", "out.pt2"]
    with pytest.raises(EngineError, match="pond s was replaced"):
        cuda_package.main([str(card.folder), "s", "64", "32", "out.pt2", "cpu", sha])
    assert len(written) == 2


def test_the_compilers_last_words_are_told(tmp_path: Path) -> None:
    said: list[str] = []
    with pytest.raises(EngineError, match=r"the compiler failed: FileNotFoundError.*card\.toml"):
        cuda_package.compile_apart(
            Order(tmp_path, "m", SHAPE, "cpu"), tmp_path / "out.pt2", said.append, tmp_path / "kept"
        )
    assert said[0] == "compiling for this card, 0 s"


PARENT = """
import sys
from pathlib import Path
from perform.engines import cuda_package
sys.path.insert(0, sys.argv[1])
cuda_package.__name__ = "slow_compiler"
folder = Path(sys.argv[1])
order = cuda_package.Order(Path("."), "m", (64, 32))
cuda_package.compile_apart(order, folder / "out", lambda text: None, folder / "kept")
"""
CHILD = """
import sys, threading
from pathlib import Path
from perform.engines import cuda_package

def compile_here(order, out):
    with out.open("w") as pipe:
        pipe.write("at it")
        pipe.flush()
        threading.Event().wait(60.0)

cuda_package.compile_here = compile_here
sys.exit(cuda_package.main(sys.argv[1:]))
"""


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_a_compiler_does_not_outlive_a_show_that_is_killed(tmp_path: Path) -> None:
    (tmp_path / "slow_compiler.py").write_text(CHILD)
    os.mkfifo(tmp_path / "out")
    pipe = os.open(tmp_path / "out", os.O_RDONLY | os.O_NONBLOCK)  # readable: written to, or nobody holds it any more
    with subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)]) as parent:
        try:
            assert select.select([pipe], [], [], 60.0)[0]
            assert os.read(pipe, 100) == b"at it"
        finally:
            parent.kill()
    assert select.select([pipe], [], [], 20.0)[0], "it goes on"
    assert os.read(pipe, 100) == b""
    os.close(pipe)


def test_nobody_waits_for_a_compiler_that_is_not_wanted_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A world that is put away while it is compiled, or a show that ends."""
    monkeypatch.delenv("TORCHINDUCTOR_CACHE_DIR", raising=False)

    def say(text: str) -> None:
        raise EngineError("it was put away")

    started: list[subprocess.Popen[str]] = []

    def start(*given: Any, **keys: Any) -> subprocess.Popen[str]:
        assert keys["env"]["TORCHINDUCTOR_CACHE_DIR"] == str(tmp_path / "kept")
        started.append(subprocess.Popen(*given, **keys))
        return started[-1]

    monkeypatch.setattr(cuda_package, "subprocess", SimpleNamespace(**vars(subprocess) | {"Popen": start}))
    with pytest.raises(EngineError, match="it was put away"):
        cuda_package.compile_apart(Order(tmp_path, "m", SHAPE, "cpu"), tmp_path / "out.pt2", say, tmp_path / "kept")
    assert [child.returncode for child in started] == [-signal.SIGKILL]
