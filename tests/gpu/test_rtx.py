"""TensorRT-RTX on a real card (Turing to Blackwell, not Hopper): what the stand-in cannot know."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from perform import networks, paths
from perform.engines.cuda_road import free_memory, run_on
from perform.engines.plan import library
from perform.engines.rtx import Rtx, offer
from perform.engines.runner import Loaded
from perform.engines.trial import probe
from perform.library import Library

HARDWARE, REASON = offer()
pytestmark = pytest.mark.skipif(HARDWARE is None, reason=REASON)
CARD = Library([paths.models()]).card("landscape")
SIZES = list(CARD.sizes)


@pytest.fixture
def hardware(tmp_path: Path) -> Rtx:
    return Rtx(cache=tmp_path)


@pytest.fixture
def generator(hardware: Rtx) -> Iterator[Any]:
    made = hardware.load(CARD, SIZES[0], (512, 288))
    yield made
    made.close()


def dream(generator: Any, mood: Any) -> Any:
    lane = generator.works.road.lanes[0]
    return run_on(lane, generator._compute)(probe(generator.shape), np.float32(mood))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("shape", [(64, 64), (512, 288), (1920, 1080)])
def test_it_dreams_what_pytorch_does(hardware: Rtx, size: str, shape: tuple[int, int]) -> None:
    assert CARD.mood is not None
    shape, mood = CARD.fit(*shape), CARD.mood.named[CARD.mood.default]
    made = hardware.load(CARD, size, shape)
    with torch.inference_mode():
        network = networks.load(CARD.raw, size, CARD.folder)
        right = network(torch.from_numpy(probe(shape))[None], torch.tensor([mood]))[0].numpy()
    error = float(((dream(made, mood).astype(float) - right) ** 2).mean())
    assert 10.0 * np.log10(255.0**2 / max(error, 1e-9)) > 40.0
    made.close()


def test_the_engine_says_what_its_record_says(hardware: Rtx) -> None:
    trt = library()
    ready = hardware.ready(trt, CARD, SIZES[0], (512, 288))
    loaded = Loaded(trt, ready.engine, ready.bindings, ready.what)
    assert [b.name for b in loaded.bindings(trt)] == ["picture", "mood", "dream"]
    assert loaded.profile("picture") == ((1, 64, 64, 4), (1, 512, 512, 4), (1, 4096, 4096, 4))


def test_it_is_captured_and_takes_no_more_memory_as_it_goes(generator: Any) -> None:
    assert len(generator.works.road.compute.graphs) == 2
    assert CARD.mood is not None
    mood = CARD.mood.named[CARD.mood.default]
    dream(generator, mood)
    before = free_memory(generator.board.cuda)
    first = dream(generator, mood).copy()
    for _ in range(500):
        last = dream(generator, mood)
    assert np.array_equal(first, last)
    assert free_memory(generator.board.cuda) == before


def test_the_second_start_finds_engine_and_kernels(hardware: Rtx, capsys: pytest.CaptureFixture[str]) -> None:
    took = []
    for _ in range(2):
        began = time.perf_counter()
        hardware.load(CARD, SIZES[0], (1280, 720)).close()
        took.append(time.perf_counter() - began)
    names = sorted(p.name.partition("-landscape")[0] for p in (hardware.cabinet().folder).glob("*.engine"))
    assert names == ["rtx", "rtx-kernels"]
    with capsys.disabled():
        print(f"\nTensorRT-RTX loaded in {took[0]:.2f} s the first time, {took[1]:.2f} s the second")


def test_a_foreign_engine_is_compiled_again(hardware: Rtx) -> None:
    trt = library()
    ready = hardware.ready(trt, CARD, SIZES[0], (512, 288))
    hardware.cabinet().put(ready.label, b"not an engine at all" * 100, {"bindings": list(ready.bindings)})
    made = hardware.load(CARD, SIZES[0], (512, 288))
    assert "compiled again" in made.note
    made.close()
