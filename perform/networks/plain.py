"""Our own live networks: `Plain`, and `Decoder`, which does without an encoder. 3x3 convolutions and ReLU only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

HIDDEN = 64  # width of the little network that turns a mood into scales and shifts

ConvFactory = Callable[[int, int, int], nn.Module]  # (channels in, channels out, stride) -> a linear 3x3 convolution
Scale = tuple[Tensor, Tensor]


def conv3(inputs: int, outputs: int, stride: int = 1) -> nn.Module:
    """A 3x3 convolution with bias: what a trained convolution and its batch norm fold into."""
    return nn.Conv2d(inputs, outputs, 3, stride, 1)


class Plain(nn.Module):
    """`plain`: U-shaped, nothing but 3x3 convolutions and ReLU, worked at 1/2, 1/4 and 1/8 of the picture's size.

    Space-to-depth(2), two strided convolutions, `blocks` residual blocks at 1/8, nearest-neighbour growth with
    additive skips, depth-to-space(2). One extra input channel holds the row (-1 top, 1 bottom): a landscape's sky is
    above its ground, and a convolution alone cannot know which way is up. The mood enters as a scale and a shift per
    channel (FiLM, Perez et al. 2018) at each of the three resolutions. `inner` gives the width inside each residual
    block where it is not that of the body: what channel pruning and width search leave over.

    Costs about 0.46, 0.99, 2.04 GMAC at 256x256 for widths 16/32/64 x3, 24/48/96 x3, 32/64/128 x4
    (`perform.lab.networks.macs`).
    """

    def __init__(
        self,
        widths: Sequence[int],
        blocks: int,
        mood: int,
        conv: ConvFactory = conv3,
        inner: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        a, b, c = widths
        self.widths, self.mood, self.inner = (a, b, c), mood, _inner(inner, blocks, c)
        self.down = nn.ModuleList([conv(5, a, 1), conv(a, b, 2), conv(b, c, 2)])
        self.body = _body(c, self.inner, conv)
        self.up = nn.ModuleList([conv(c, b, 1), conv(b, a, 1)])
        self.head = nn.Conv2d(a, 12, 3, 1, 1)
        self.film = _film(mood, self.widths)

    def forward(self, luma: Tensor, mood: Tensor) -> Tensor:
        """luma [B,1,H,W] in 0..1 and mood [B,M] to RGB [B,3,H,W] in -1..1. H and W are multiples of 8."""
        scales = _scales(self.film(mood), self.widths)
        x = F.pixel_unshuffle(luma * 2 - 1, 2)
        x = torch.cat([x, _rows(x)], 1)
        half = F.relu(self.down[0](x))
        quarter = F.relu(self.down[1](half))
        y = _residual(self.body, _tint(F.relu(self.down[2](quarter)), scales[2]))
        y = _tint(F.relu(self.up[0](_grow(y))) + quarter, scales[1])
        y = _tint(F.relu(self.up[1](_grow(y))) + half, scales[0])
        return torch.tanh(F.pixel_shuffle(self.head(y), 2))

    def arguments(self) -> dict[str, Any]:
        """What a card must say to rebuild it."""
        return _arguments(self.widths, self.inner)


class Decoder(nn.Module):
    """`decoder`: for conditions that are a few cells across. Reads one number per 8x8 pixels, so it has no encoder.

    An area mean to 1/8 of the side, one convolution, `blocks` residual blocks, then the growing half of `Plain`
    without skips: nothing finer than 8 pixels could come through them that the condition still has. All detail is
    the network's own. 0.48 GMAC at 256x256 for widths 16/32/64 x4.
    """

    def __init__(
        self,
        widths: Sequence[int],
        blocks: int,
        mood: int,
        conv: ConvFactory = conv3,
        inner: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        a, b, c = widths
        self.widths, self.mood, self.inner = (a, b, c), mood, _inner(inner, blocks, c)
        self.enter = conv(2, c, 1)
        self.body = _body(c, self.inner, conv)
        self.up = nn.ModuleList([conv(c, b, 1), conv(b, a, 1)])
        self.head = nn.Conv2d(a, 12, 3, 1, 1)
        self.film = _film(mood, self.widths)

    def forward(self, luma: Tensor, mood: Tensor) -> Tensor:
        """luma [B,1,H,W] in 0..1 and mood [B,M] to RGB [B,3,H,W] in -1..1. H and W are multiples of 8."""
        scales = _scales(self.film(mood), self.widths)
        x = F.avg_pool2d(luma * 2 - 1, 8)
        y = _tint(F.relu(self.enter(torch.cat([x, _rows(x)], 1))), scales[2])
        y = _residual(self.body, y)
        y = _tint(F.relu(self.up[0](_grow(y))), scales[1])
        y = _tint(F.relu(self.up[1](_grow(y))), scales[0])
        return torch.tanh(F.pixel_shuffle(self.head(y), 2))

    def arguments(self) -> dict[str, Any]:
        """What a card must say to rebuild it."""
        return _arguments(self.widths, self.inner)


def _inner(inner: Sequence[int] | None, blocks: int, width: int) -> tuple[int, ...]:
    if inner is None:
        return (width,) * blocks
    if len(inner) != blocks or any(count < 1 for count in inner):
        raise ValueError(f"inner is one width of at least 1 for each of the {blocks} blocks, not {list(inner)}")
    return tuple(inner)


def _arguments(widths: Sequence[int], inner: Sequence[int]) -> dict[str, Any]:
    told: dict[str, Any] = {"widths": list(widths), "blocks": len(inner)}
    return told if all(count == widths[2] for count in inner) else told | {"inner": list(inner)}


def _body(width: int, inner: Sequence[int], conv: ConvFactory) -> nn.ModuleList:
    return nn.ModuleList([nn.ModuleList([conv(width, count, 1), conv(count, width, 1)]) for count in inner])


def _residual(body: nn.ModuleList, y: Tensor) -> Tensor:
    for block in body:
        assert isinstance(block, nn.ModuleList)
        y = F.relu(y + block[1](F.relu(block[0](y))))
    return y


def _film(mood: int, widths: Sequence[int]) -> nn.Sequential:
    return nn.Sequential(nn.Linear(mood, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2 * sum(widths)))


def _scales(flat: Tensor, widths: Sequence[int]) -> list[Scale]:
    """(scale, shift) for the three resolutions, finest first, each [B,C,1,1]."""
    pairs = [pair.chunk(2, 1) for pair in torch.split(flat[:, :, None, None], [2 * width for width in widths], 1)]
    return [(scale, shift) for scale, shift in pairs]


def _rows(x: Tensor) -> Tensor:
    """The vertical position of each cell of x [B,C,H,W] as [B,1,H,W], from -1 (top) to 1 (bottom)."""
    height = x.shape[2]
    rows = (torch.arange(height, device=x.device, dtype=torch.float32) + 0.5) * (2.0 / height) - 1.0
    return rows.to(x.dtype)[None, None, :, None].expand(x.shape[0], 1, height, x.shape[3])


def _grow(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


def _tint(x: Tensor, scale: Scale) -> Tensor:
    return x * (1 + scale[0]) + scale[1]
