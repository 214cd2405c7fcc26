"""One network that holds many: a `plain` of the largest widths whose channels and blocks can be masked out.

A mask of zeros on a convolution's outputs is exactly a narrower convolution, and a block whose last outputs are zero is
exactly no block, so masking trains what slicing cuts out (slimmable networks, Yu and Huang 2019; once for all, Cai et
al. 2020). With masks as tensors every sub-network is the same program, which a GPU can record once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from perform.lab import networks
from perform.lab.device import last
from perform.lab.networks import NormedConv
from perform.lab.plans import Plan
from perform.lab.spaces import Space
from perform.networks import Plain


class Masked(NormedConv):
    """A convolution to train whose last outputs can be switched off."""

    mask: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        return y if self.mask is None else y * self.mask[:, None, None].to(y.dtype)


class Tints(nn.Linear):
    """The mood's last matrix; a channel that is off is neither scaled nor shifted."""

    mask: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        return y if self.mask is None else y * self.mask.to(y.dtype)


def supernet(space: Space, mood: int) -> Plain:
    """The largest network of a space, to train; `wear` makes it any other."""
    plan = space.largest
    network = networks.trainable(plan.widths, len(plan.inner), mood, Masked, plan.inner)
    old = network.film[-1]
    assert isinstance(old, nn.Linear)
    tints = Tints(old.in_features, old.out_features)
    tints.load_state_dict(old.state_dict())
    network.film[-1] = tints
    return network


def mask(space: Space, plan: Plan) -> Tensor:
    """The flat mask of a plan, as `wear` takes it."""
    largest = space.largest
    a, b, c = (_ones(here, all_) for here, all_ in zip(plan.widths, largest.widths, strict=True))
    missing = [0] * (len(largest.inner) - len(plan.inner))
    body = [
        torch.cat([_ones(width, most), c * float(width > 0)])
        for width, most in zip([*plan.inner, *missing], largest.inner, strict=True)
    ]
    return torch.cat([a, b, c, *body, b, a, a, a, b, b, c, c])


def _ones(count: int, most: int) -> Tensor:
    return (torch.arange(most) < count).float()


def wear(network: Plain, flat: Tensor) -> None:
    """Mask the supernet from now on. `flat` is read when the network runs: it may be overwritten in between."""
    layers = [*_convolutions(network), network.film[-1]]
    parts = torch.split_with_sizes(flat, [_width(layer) for layer in layers])
    for layer, part in zip(layers, parts, strict=True):
        layer.mask = part


def _convolutions(network: Plain) -> list[Masked]:
    blocks = [conv for block in network.body for conv in block]  # type: ignore[attr-defined]
    return [*network.down, *blocks, *network.up]


def _width(layer: nn.Module) -> int:
    return layer.out_features if isinstance(layer, nn.Linear) else layer.conv.out_channels  # type: ignore[union-attr, return-value]


@torch.no_grad()
def extract(network: Plain, plan: Plan) -> Plain:
    """The sub-network of a plan cut out, still to be calibrated: its batch statistics were many networks'."""
    a, b, c = plan.widths
    own = plan.network(network.mood, NormedConv).to(network.head.weight.device)
    state, fresh = network.state_dict(), own.state_dict()
    tints = torch.cat([offset + torch.arange(count) for offset, count in _tints(network.widths, (a, b, c))])
    for key, value in fresh.items():
        if key.startswith("film.2"):
            value.copy_(state[key][tints.to(value.device)])
        elif value.ndim:
            value.copy_(state[key][tuple(slice(0, count) for count in value.shape)])
    return own.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def _tints(whole: Sequence[int], part: Sequence[int]) -> list[tuple[int, int]]:
    """(offset, count) of the scales and shifts of each resolution that remain."""
    out, offset = [], 0
    for width, count in zip(whole, part, strict=True):
        out += [(offset, count), (offset + width, count)]
        offset += 2 * width
    return out


@torch.no_grad()
def calibrate(network: Plain, inputs: Iterable[tuple[Tensor, Tensor]]) -> Plain:
    """Batch statistics afresh, as the plain mean over `inputs`; then evaluation mode. Changes and returns it."""
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    usual = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    network.train()
    for condition, mood in inputs:
        network(last(condition), mood)
    for norm, momentum in zip(norms, usual, strict=True):
        norm.momentum = momentum
    return network.eval()
