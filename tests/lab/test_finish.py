"""The quantisation-aware finish: rounds as int8 does, gradients pass, and the network comes nearer to itself."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from perform.lab import finish, quantise
from perform.lab.batches import Batches
from perform.networks import Dream
from tests.lab.test_export import lively


def test_rounding_is_to_whole_steps_and_gradients_pass() -> None:
    x = torch.tensor([0.26, -0.9, 1.24], requires_grad=True)
    y = finish.rounded(x, torch.tensor(0.5))
    assert torch.allclose(y, torch.tensor([0.5, -1.0, 1.0]))
    (y * torch.tensor([1.0, 2.0, 3.0])).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [1.0, 2.0, 3.0]


def test_a_rounded_convolution_has_255_levels_of_weights_and_knows_its_range() -> None:
    torch.manual_seed(0)
    conv = torch.nn.Conv2d(4, 3, 3, padding=1)
    layer = finish.Rounded(conv).train()
    x = torch.rand(2, 4, 8, 8)
    with torch.no_grad():
        y = layer(x)
        assert (y - conv(x)).abs().max() < 0.05
        assert not torch.equal(y, conv(x))
        assert float(layer.most) == float(x.max())
        layer.eval()(10 * x)
        assert float(layer.most) == float(x.max())  # only learning looks


def test_only_the_convolutions_between_first_and_last_are_rounded() -> None:
    rounding = finish.with_rounding(lively("8-8-16_16").core)
    kinds = [name for name, module in rounding.named_modules() if isinstance(module, finish.Rounded)]
    assert kinds == ["down.1", "down.2", "body.0.0", "body.0.1", "up.0", "up.1"]


def test_finishing_brings_the_rounded_network_nearer_to_what_it_was(batches: Batches) -> None:
    network = lively("8-8-16_16")
    with torch.no_grad():
        network.core.head.weight.mul_(40)  # type: ignore[union-attr, operator]
        for name, value in network.core.named_parameters():
            if name.startswith(("body", "up")) and value.ndim == 4:
                value[:, 0, 0, 0] = 1.0  # so that a step of an eighth bit is coarse for all the others
    before = {key: value.clone() for key, value in network.state_dict().items()}
    finished = finish.finish(network, batches, steps=60)
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    batch = batches.draw(2, 2, torch.Generator().manual_seed(5))

    def off(one: Dream) -> float:
        learner = finish.with_rounding(one.core)
        with torch.no_grad():
            for _ in range(20):
                learner(batch.condition, batch.mood)
            rounded = learner.eval()(batch.condition, batch.mood)
            return float((rounded - network.core(batch.condition, batch.mood)).square().mean())

    assert off(finished) < 0.8 * off(network)


@pytest.mark.parametrize("better", [True, False])
def test_of_two_the_better_one_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, better: bool) -> None:
    network, finished = lively("8-8-8_8"), lively("8-8-8_8", seed=3)

    def write(of: Dream, path: Path, *_: object) -> None:
        path.write_text("finished" if of is finished else "plain")

    def judge(_bench: object, _network: Dream, path: Path) -> dict[str, float]:
        return {"int8_psnr": 46.0 if (path.read_text() == "finished") == better else 44.0, "int8_loss": 0.1}

    monkeypatch.setattr(quantise, "to_int8", write)
    monkeypatch.setattr(quantise.Bench, "judge", judge)
    bench = quantise.Bench([], [], [], torch.zeros(0))
    got = quantise.better(network, tmp_path / "m.int8.onnx", bench, None, finished)
    assert [path.name for path in tmp_path.iterdir()] == ["m.int8.onnx"]
    assert (tmp_path / "m.int8.onnx").read_text() == ("finished" if better else "plain")
    assert got == {"int8_psnr": 46.0, "int8_loss": 0.1, "finish_gain": 2.0 if better else -2.0}
