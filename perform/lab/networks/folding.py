"""From a trained network to its inference twin."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import fuse_conv_bn_eval

from perform.lab.networks.convs import Foldable
from perform.networks import Decoder, Plain, Planes, Resnet, Separable, Unet


def fold(network: nn.Module) -> nn.Module:
    """The inference twin of a trained network, on the CPU: evaluation mode, batch norms folded away, branches merged,
    same results to float rounding.

    `Plain` and `Decoder` come back as the live class with plain convolutions; `Resnet` and `Unet` with batch norm as
    the same with `norm="folded"`; those with instance norm, which depends on the picture, as a copy. Raises TypeError
    for anything else.
    """
    with torch.random.fork_rng([]):  # a checkpoint on the way changes nothing in the training that follows
        if isinstance(network, Plain | Decoder):
            return _own(network)
        if isinstance(network, Planes):
            core = fold(network.core)
            assert isinstance(core, Resnet | Unet)
            return Planes(core).eval()
        if isinstance(network, Resnet | Unet):
            return _published(network)
    raise TypeError(f"there is no way to fold a {type(network).__name__}")


def _own(network: Plain | Decoder) -> nn.Module:
    twin = type(network)(network.widths, len(network.inner), network.mood, inner=network.inner)
    state: dict[str, Tensor] = {}
    for name, module in network.named_modules():
        if isinstance(module, Foldable):
            state |= {f"{name}.{key}": value for key, value in module.folded().state_dict().items()}
    state |= {
        key: value for key, value in network.state_dict().items() if key in twin.state_dict() and key not in state
    }
    twin.load_state_dict(state)
    return twin.eval()


def _published(network: Resnet | Unet) -> nn.Module:
    twin = copy.deepcopy(network).cpu().eval()
    if network.norm != "batch":
        return twin
    for sequence in twin.modules():
        if isinstance(sequence, nn.Sequential):
            _merge(sequence)
    arguments: dict[str, Any] = network.arguments() | {"norm": "folded"}
    folded = type(network)(**arguments)
    nothing = {key: torch.zeros_like(value) for key, value in folded.state_dict().items() if key.endswith("bias")}
    folded.load_state_dict(nothing | twin.state_dict())  # a U-Net's first and innermost have neither norm nor bias
    return folded.eval()


def _merge(sequence: nn.Sequential) -> None:
    """Fold every batch norm of a sequence into the convolution before it, in place."""
    for index in range(1, len(sequence)):
        before, norm = sequence[index - 1], sequence[index]
        if not isinstance(norm, nn.BatchNorm2d):
            continue
        place, at = (before.conv, 2) if isinstance(before, Separable) else (sequence, index - 1)
        conv = place[at]
        assert isinstance(conv, nn.Conv2d | nn.ConvTranspose2d)
        place[at] = fuse_conv_bn_eval(conv, norm, transpose=isinstance(conv, nn.ConvTranspose2d))
        sequence[index] = nn.Identity()
