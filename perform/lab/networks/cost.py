"""What a picture costs, counted while it passes: useful multiplications, and the figure that papers print."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from perform.networks import Decoder, Dream, Plain, Planes, Resnet, Unet

Count = Callable[[nn.Module, Tensor, Tensor], int]  # (layer, what went in, what came out) -> multiplications


def macs(network: nn.Module, height: int = 256, width: int = 256) -> int:
    """Useful multiply-accumulates of one picture: every convolution at the size it runs at, a transposed one at the
    size of its input (it multiplies nothing else), and the mood's matrices.

    Takes any network of `make`, folded or not (what is folded away costs nothing), a `Dream`, or any module that
    takes RGB [B,3,H,W]. Adds, ReLU, norms and resizing are not MACs. Runs on shapes alone: milliseconds.
    """
    return _count(network, height, width, _useful)


def published_macs(network: nn.Module, height: int = 256, width: int = 256) -> int:
    """The same by the convention of the usual counters and of GAN Compression's tables: transposed convolutions are
    charged at the size of their output, zeros between the pixels included.
    """
    return _count(network, height, width, _usual)


def parameters(network: nn.Module) -> int:
    """Numbers in the folded network."""
    return sum(parameter.numel() for parameter in _twin(network).parameters())


def _useful(layer: nn.Module, given: Tensor, made: Tensor) -> int:
    if isinstance(layer, nn.ConvTranspose2d):
        return given[0].numel() * layer.weight[0].numel()
    if isinstance(layer, nn.Conv2d):
        return made[0].numel() * layer.weight[0].numel()
    return layer.weight.numel() if isinstance(layer, nn.Linear) else 0


def _usual(layer: nn.Module, given: Tensor, made: Tensor) -> int:
    if isinstance(layer, nn.ConvTranspose2d):
        return made[0].numel() * (layer.in_channels // layer.groups) * layer.weight[0, 0].numel()
    return _useful(layer, given, made)


def _count(network: nn.Module, height: int, width: int, count: Count) -> int:
    twin = _twin(network).eval()
    total = 0

    def add(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        total += count(layer, inputs[0], output)

    for layer in twin.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            layer.register_forward_hook(add)
    with torch.no_grad():
        twin(*_picture(twin, height, width))
    return total


def _twin(network: nn.Module) -> nn.Module:
    """The inference twin without its numbers: what `fold` would give, on the device `meta`."""
    core = network.core if isinstance(network, Dream) else network
    if isinstance(core, Planes):
        twin = _twin(core.core)
        assert isinstance(twin, Resnet | Unet)
        return Planes(twin)
    with torch.device("meta"):
        if isinstance(core, Plain | Decoder):
            return type(core)(core.widths, len(core.inner), core.mood, inner=core.inner)
        if isinstance(core, Resnet | Unet):
            arguments: dict[str, Any] = core.arguments()
            return type(core)(**arguments | {"norm": "folded" if core.norm == "batch" else core.norm})
    return copy.deepcopy(core).to("meta")


def _picture(network: nn.Module, height: int, width: int) -> tuple[Tensor, ...]:
    mood = int(getattr(network, "mood", 0))
    if mood:
        return torch.zeros(1, 1, height, width, device="meta"), torch.zeros(1, mood, device="meta")
    return (torch.zeros(1, int(getattr(network, "inputs", 3)), height, width, device="meta"),)
