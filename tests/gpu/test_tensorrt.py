"""TensorRT through torch-tensorrt on a real card."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import torch

from perform import networks, paths
from perform.engines import tensorrt_graph
from perform.engines.tensorrt import TensorRt, standard_offer
from perform.engines.trial import probe
from perform.library import Library

OFFER = standard_offer()
pytestmark = pytest.mark.skipif(OFFER.maker is None, reason=OFFER.reason)
CARD = Library([paths.models()]).card("landscape")
SHAPE = (512, 288)


def maker(cache: Path) -> TensorRt:
    assert isinstance(OFFER.maker, TensorRt)
    return TensorRt(OFFER.maker.kit, cache)


def mood() -> torch.Tensor:
    assert CARD.mood is not None
    return torch.tensor([CARD.mood.named[CARD.mood.default]], device="cuda")


def picture() -> torch.Tensor:
    return torch.from_numpy(probe(SHAPE))[None].cuda()


def right(size: str) -> torch.Tensor:
    network = networks.load(CARD.raw, size, CARD.folder)
    with torch.inference_mode():
        return network(picture().cpu(), mood().cpu())


def close(one: torch.Tensor, other: torch.Tensor) -> bool:
    error = float(((one.cpu().float() - other.float()) ** 2).mean())
    return bool(10.0 * np.log10(255.0**2 / max(error, 1e-9)) > 40.0)


@pytest.mark.parametrize("size", list(CARD.sizes))
def test_it_is_built_dreams_right_and_is_found_again(
    tmp_path: Path, size: str, capsys: pytest.CaptureFixture[str]
) -> None:
    took = []
    for _ in range(2):
        began = time.perf_counter()
        compute = maker(tmp_path).make(CARD, size, SHAPE, lambda text: None)
        took.append(time.perf_counter() - began)
        with torch.inference_mode():
            assert close(compute(picture(), mood()), right(size))
        compute.close()
    with capsys.disabled():
        print(f"\nTensorRT {size} {SHAPE}: built in {took[0]:.1f} s, found again in {took[1]:.1f} s")


def test_it_can_be_captured(tmp_path: Path) -> None:
    compute = maker(tmp_path).make(CARD, "s", SHAPE, lambda text: None)
    given, numbers, out = picture(), mood(), torch.zeros(1, SHAPE[1], SHAPE[0], 4, dtype=torch.uint8, device="cuda")
    side, graph = torch.cuda.Stream(), torch.cuda.CUDAGraph()
    with torch.inference_mode(), torch.cuda.stream(side):
        for _ in range(3):
            out.copy_(compute(given, numbers))
        side.synchronize()
        with torch.cuda.graph(graph, stream=side):
            out.copy_(compute(given, numbers))
        out.zero_()
        graph.replay()
        side.synchronize()
    assert close(out, right("s"))


def test_the_whole_world_is_one_engine() -> None:
    assert isinstance(OFFER.maker, TensorRt)
    library = OFFER.maker.kit().library
    whole = tensorrt_graph.prepare(networks.load(CARD.raw, "s", CARD.folder), "cuda")
    inputs = tensorrt_graph.example(SHAPE, mood().shape[1], "cuda")
    module = library.dynamo.compile(
        tensorrt_graph.export(whole, inputs), arg_inputs=inputs, dryrun=True, min_block_size=1
    )
    assert [name for name, _ in module.named_children()] == ["_run_on_acc_0"]


def test_new_weights_are_refitted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import hashlib
    import shutil

    from safetensors.torch import load_file, save_file

    folder = tmp_path / "models" / "landscape"
    shutil.copytree(CARD.folder, folder)
    maker(tmp_path).make(Library([tmp_path / "models"]).card("landscape"), "s", SHAPE, print)
    weights = folder / "s.safetensors"
    old = hashlib.sha256(weights.read_bytes()).hexdigest()
    save_file({key: value * 0.98 for key, value in load_file(weights).items()}, weights)
    card = folder / "card.toml"
    card.write_text(card.read_text().replace(old, hashlib.sha256(weights.read_bytes()).hexdigest()))
    said: list[str] = []
    began = time.perf_counter()
    compute = maker(tmp_path).make(Library([tmp_path / "models"]).card("landscape"), "s", SHAPE, said.append)
    with capsys.disabled():
        print(f"\nTensorRT refitted in {time.perf_counter() - began:.1f} s: {said}")
    assert said == ["refitting the engine of landscape s with new weights"]
    assert not close(compute(picture(), mood()), right("s")), "these are other weights"
