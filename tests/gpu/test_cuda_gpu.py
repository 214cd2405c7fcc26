"""The engine on a real card: the networks' own dreams, nothing that waits, nothing that grows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch

from perform import networks
from perform.card import Card
from perform.engines.cuda import Cuda
from perform.engines.cuda_board import TorchBoard
from perform.engines.cuda_compute import Say
from perform.engines.cuda_torch import Compiled, Eager
from perform.engines.generator import Venue
from perform.engines.trial import probe
from perform.frame import Frame
from perform.gl.lib import gl
from perform.gl.target import Texture
from perform.gl.transfer import Pixels, read
from perform.testing import check_engine
from tests.gpu.conftest import Easel

LIVE = Venue(software=False)
SHAPE = (512, 288)


def dreamt(engine: Any, frame: Frame, mood: Any) -> Pixels:
    """Its dream, row 0 on top."""
    until = time.monotonic() + 20.0
    before = engine._newest.serial if engine._newest is not None else 0
    engine.submit(frame, mood)
    while (dream := engine.newest()) is None or dream.serial == before:
        assert time.monotonic() < until
    assert isinstance(dream.texture, Texture)
    return read(dream.texture)[::-1]


def on_a_cpu(card: Card, size: str, picture: Pixels, mood: Any) -> Pixels:
    with torch.inference_mode():
        network = networks.load(card.raw, size, card.folder)
        dream: Pixels = network(torch.from_numpy(picture)[None], torch.tensor([mood]))[0].numpy()
    return dream


def faithful(got: Pixels, want: Pixels) -> None:
    """Half precision is 0.1 of 255 off on average, and 5 in the worst pixel of a picture: 999 in 1000 are within 2."""
    off = np.abs(got.astype(int) - want)
    assert off.mean() < 0.3
    assert np.quantile(off, 0.999) <= 2
    assert off.max() <= 8


@contextmanager
def nothing_waits() -> Iterator[None]:
    """PyTorch raises where the host would wait for the card, and no memory is asked for."""
    before = torch.cuda.memory_stats()["allocation.all.allocated"]
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert torch.cuda.memory_stats()["allocation.all.allocated"] == before


@pytest.mark.parametrize("bridge", ["array", "buffer", "host"])
def test_it_keeps_the_contract(shared: Any, card: Card, bridge: str) -> None:
    generator = Cuda(compile=False, tensorrt=False, bridge=bridge).load(card, "s", (128, 64))
    check_engine(lambda: generator.open(LIVE), (128, 64), card.mood.named[card.mood.default] if card.mood else ())
    generator.close()


@pytest.mark.parametrize("size", ["s", "m"])
@pytest.mark.parametrize("synchronous", [False, True])
def test_its_dreams_are_those_of_the_cpu(
    shared: Any, plain: Cuda, card: Card, easel: Easel, size: str, synchronous: bool
) -> None:
    assert card.mood is not None
    generator, picture = plain.load(card, size, SHAPE), probe(SHAPE)
    engine = generator.open(Venue(False, synchronous))
    for mood in card.mood.named.values():
        got = dreamt(engine, easel.show(picture), mood)
        faithful(got, on_a_cpu(card, size, picture, mood))
    engine.close()
    generator.close()


def test_in_steady_state_the_host_never_waits_and_nothing_is_allocated(shared: Any, card: Card, easel: Easel) -> None:
    generator = Cuda(compile=False, tensorrt=False, bridge="array").load(card, "m", SHAPE)
    engine, canvas, mood = generator.open(LIVE), easel.canvas(*SHAPE), [0.1] * 8
    dreamt(engine, easel.paint(canvas), mood)
    free = torch.cuda.mem_get_info()[0]
    seen = set()
    with nothing_waits():
        for n in range(1000):
            engine.submit(easel.paint(canvas, n), [n / 1000] * 8)
            dream = engine.newest()
            assert dream is not None
            seen.add(dream.serial)
            if n % 2:
                gl.glFinish()  # as a screen would: GL must not be flooded with frames
    assert len(seen) > 100
    assert free - torch.cuda.mem_get_info()[0] < 8_000_000
    engine.close()
    generator.close()


def test_two_layers_go_as_one_batch_and_each_gets_its_own(shared: Any, plain: Cuda, card: Card, easel: Easel) -> None:
    assert card.mood is not None
    generator = plain.load(card, "s", SHAPE)
    engines = [generator.open(LIVE) for _ in range(2)]
    moods = list(card.mood.named.values())[:2]
    pictures = [probe(SHAPE), np.ascontiguousarray(probe(SHAPE)[:, ::-1])]
    until = time.monotonic() + 20.0
    while generator.works.road.rows < 2:
        assert time.monotonic() < until
        for engine, picture, mood in zip(engines, pictures, moods, strict=True):
            engine.submit(easel.show(picture), mood)
            engine.newest()
    for _ in range(5):
        for engine, picture, mood in zip(engines, pictures, moods, strict=True):
            engine.submit(easel.show(picture), mood)
            engine.newest()
    torch.cuda.synchronize()
    for engine, picture, mood in zip(engines, pictures, moods, strict=True):
        for _ in range(6):
            dream = engine.newest()
            torch.cuda.synchronize()
        faithful(read(dream.texture)[::-1], on_a_cpu(card, "s", picture, mood))
    for engine in engines:
        engine.close()
    generator.close()


def test_worlds_come_and_go_and_leave_the_card_as_it_was(shared: Any, plain: Cuda, card: Card, easel: Easel) -> None:
    picture, mood = easel.show(probe(SHAPE)), [0.0] * 8

    def play() -> None:
        generator = plain.load(card, "m", SHAPE)
        engine = generator.open(LIVE)
        dreamt(engine, picture, mood)
        engine.close()
        generator.close()

    for _ in range(3):
        play()
    free = torch.cuda.mem_get_info()[0]
    for _ in range(10):
        play()
    assert free - torch.cuda.mem_get_info()[0] < 50_000_000


def test_a_world_that_goes_takes_nothing_from_one_that_stays(
    shared: Any, plain: Cuda, card: Card, easel: Easel
) -> None:
    assert card.mood is not None
    staying, going = (plain.load(card, size, SHAPE) for size in ("m", "s"))
    engine, picture, mood = staying.open(LIVE), probe(SHAPE), card.mood.named[card.mood.default]
    going.close()
    torch.cuda.empty_cache()  # what the graphs still work in must not be among it
    faithful(dreamt(engine, easel.show(picture), mood), on_a_cpu(card, "m", picture, mood))
    engine.close()
    staying.close()


def test_two_worlds_dream_at_once(shared: Any, plain: Cuda, card: Card, easel: Easel) -> None:
    generators = [plain.load(card, size, SHAPE) for size in ("s", "m")]
    engines, canvas = [g.open(LIVE) for g in generators], easel.canvas(*SHAPE)
    for n in range(200):
        frame = easel.paint(canvas, n)
        for engine in engines:
            engine.submit(frame, ())
            engine.newest()
        gl.glFinish()
    torch.cuda.synchronize()
    times = []
    for engine in engines:
        for _ in range(4):
            dream = engine.newest()
            torch.cuda.synchronize()
        times.append(dream.time)
    assert min(times) >= 198
    for engine, generator in zip(engines, generators, strict=True):
        engine.close()
        generator.close()


def test_compiled_gives_what_eager_gives(board: TorchBoard, card: Card) -> None:
    say: Say = lambda text: None  # noqa: E731
    picture = torch.from_numpy(probe((256, 256)))[None].cuda()
    mood = torch.zeros(1, card.mood.size if card.mood else 0, device="cuda")
    with torch.inference_mode():
        both = [maker(board).make(card, "s", (256, 256), say)(picture, mood).int() for maker in (Eager, Compiled)]
    off = (both[0] - both[1]).abs().float()
    assert off.mean() < 0.3
    assert off.max() <= 8
