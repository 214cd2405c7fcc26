"""Networks by name: `make("m+", 7)`. One signature for all of them, so that one training serves them all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import torch
from torch import nn

from perform.lab import published
from perform.lab.networks.convs import Branched, NormedConv
from perform.lab.networks.folding import fold
from perform.lab.plans import WRITTEN, Plan
from perform.networks import ConvFactory, Decoder, Plain

SIZES: dict[str, tuple[tuple[int, int, int], int]] = {
    "s": ((16, 32, 64), 3),
    "m": ((24, 48, 96), 3),
    "l": ((32, 64, 128), 4),
    "teacher": ((48, 96, 192), 6),
    "xl": ((64, 128, 256), 8),
}
Own = TypeVar("Own", Plain, Decoder)
DECODER: tuple[tuple[int, int, int], int] = ((16, 32, 64), 4)


def names() -> list[str]:
    """All that `make` knows."""
    own = [*SIZES, "decoder"]
    return [*own, *(f"{name}+" for name in own), *published.NETWORKS]


def make(name: str, mood: int) -> nn.Module:
    """A network to train: (luma [B,1,H,W] in 0..1, mood [B,mood]) -> RGB [B,3,H,W] in -1..1. Random weights.

    `name`: one of `names()`, or a plan of widths (`24-48-96_96-40-64`, see `perform.lab.plans`). A `+` makes every 3x3
    convolution of ours a `Branched` one. Raises ValueError, with what there is, for other names.
    """
    base, conv = name.removesuffix("+"), Branched if name.endswith("+") else NormedConv
    if base in SIZES:
        return trainable(*SIZES[base], mood, conv)
    if WRITTEN.fullmatch(base):
        plan = Plan.parse(base)
        return trainable(plan.widths, len(plan.inner), mood, conv, plan.inner)
    if base == "decoder":
        return _started(Decoder(*DECODER, mood, conv))
    if name in published.NETWORKS:
        return published.on_moods(name, mood).to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]
    raise ValueError(f"there is no network {name!r}; there are {', '.join(names())}")


def live(name: str, mood: int) -> nn.Module:
    """The inference twin of `make(name, mood)`, to load a run's folded weights into."""
    return fold(make(name, mood))


def trainable(
    widths: Sequence[int],
    blocks: int,
    mood: int,
    conv: ConvFactory = NormedConv,
    inner: Sequence[int] | None = None,
) -> Plain:
    """A `plain` network to train, of any widths. `conv` makes its 3x3 convolutions and should be `Foldable`."""
    return _started(Plain(widths, blocks, mood, conv, inner))


def _started(network: Own) -> Own:
    """Quiet FiLM, and a head that starts without a checkerboard (ICNR, Aitken et al. 2017)."""
    last = network.film[-1]
    assert isinstance(last, nn.Linear)
    nn.init.normal_(last.weight, 0.0, 0.02)
    nn.init.zeros_(last.bias)
    with torch.no_grad():
        network.head.weight.copy_(network.head.weight[::4].repeat_interleave(4, 0))
        assert network.head.bias is not None
        network.head.bias.zero_()
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]
