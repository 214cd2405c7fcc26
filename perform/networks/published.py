"""Networks of others, with the keys of their checkpoints: ResNet and U-Net generators, and the mobile ResNet.

Here to measure against and to play what others have trained. `norm` is `instance` (statistics of the picture, no
gain), `picture` (the same with gain and offset: a batch norm that is used, as pix2pix was tested, with the statistics
of the one picture it is given), `batch`, or `folded` (gone into the convolutions).

Sources: Johnson et al. 2016 and Zhu et al. 2017 (ResNet); Ronneberger et al. 2015 and Isola et al. 2017 (U-Net);
Li et al. 2020, GAN Compression (separable blocks, widths that differ).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

NORMS = ("instance", "picture", "batch", "folded")
BIASED = ("instance", "folded")  # where a convolution before the norm has a bias


def _norm(kind: str, width: int) -> nn.Module:
    if kind not in NORMS:
        raise ValueError(f"norm is {', '.join(NORMS)}, not {kind!r}")
    if kind == "batch":
        return nn.BatchNorm2d(width)
    return nn.Identity() if kind == "folded" else nn.InstanceNorm2d(width, affine=kind == "picture")


class Separable(nn.Module):
    """A 3x3 convolution in two: each channel for itself (no padding), norm, then 1x1 across channels."""

    def __init__(self, inputs: int, outputs: int, norm: str) -> None:
        super().__init__()
        bias = norm in BIASED
        self.conv = nn.Sequential(
            nn.Conv2d(inputs, inputs, 3, groups=inputs, bias=bias),
            _norm(norm, inputs),
            nn.Conv2d(inputs, outputs, 1, bias=bias),
        )

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv(x)
        return y


class _Block(nn.Module):
    """Two convolutions with reflected borders and norm, added to what came in."""

    def __init__(self, width: int, inner: int, norm: str, mobile: bool, dropout: float | None) -> None:
        super().__init__()

        def conv(inputs: int, outputs: int) -> nn.Module:
            return Separable(inputs, outputs, norm) if mobile else nn.Conv2d(inputs, outputs, 3, bias=norm in BIASED)

        between = [] if dropout is None else [nn.Dropout(dropout)]
        first = [nn.ReflectionPad2d(1), conv(width, inner), _norm(norm, inner), nn.ReLU()]
        second = [nn.ReflectionPad2d(1), conv(inner, width), _norm(norm, width)]
        self.conv_block = nn.Sequential(*first, *between, *second)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.conv_block(x)
        return y


class Resnet(nn.Module):
    """`resnet`: 7x7, two strided convolutions, residual blocks at 1/4, two transposed convolutions, 7x7.

    `channels` are GAN Compression's eight numbers (the first convolution; the two strided ones, halved and quartered;
    inside blocks 0-2, 3-5 and from 6 on, quartered; the two transposed ones): 64 eight times is CycleGAN's.
    `mobile` makes the blocks' convolutions separable. `dropout`: None, or the rate of a dropout in each block, which
    is part of the keys even at 0. H and W are multiples of 4, at least 8. `mood` is 0: it takes pictures.
    """

    def __init__(
        self,
        inputs: int,
        channels: Sequence[int],
        blocks: int = 9,
        norm: str = "instance",
        mobile: bool = False,
        dropout: float | None = None,
    ) -> None:
        super().__init__()
        if len(channels) != 8:
            raise ValueError(f"channels are eight numbers, not {list(channels)}")
        self.mood, self.inputs, self.channels = 0, inputs, tuple(channels)
        self.blocks, self.norm, self.mobile, self.dropout = blocks, norm, mobile, dropout
        c, bias = self.channels, norm in BIASED
        layers: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(inputs, c[0], 7, bias=bias)]
        layers += [_norm(norm, c[0]), nn.ReLU()]
        for before, after in ((c[0], 2 * c[1]), (2 * c[1], 4 * c[2])):
            layers += [nn.Conv2d(before, after, 3, 2, 1, bias=bias), _norm(norm, after), nn.ReLU()]
        layers += [_Block(4 * c[2], 4 * c[3 + min(i // 3, 2)], norm, mobile, dropout) for i in range(blocks)]
        for before, after in ((4 * c[2], 2 * c[6]), (2 * c[6], c[7])):
            layers += [nn.ConvTranspose2d(before, after, 3, 2, 1, 1, bias=bias), _norm(norm, after), nn.ReLU()]
        self.model = nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(c[7], 3, 7), nn.Tanh())

    def forward(self, x: Tensor) -> Tensor:
        """x [B,inputs,H,W] in -1..1 to RGB [B,3,H,W] in -1..1."""
        y: Tensor = self.model(x)
        return y

    def arguments(self) -> dict[str, Any]:
        """What a card must say to rebuild it."""
        told = {"inputs": self.inputs, "channels": list(self.channels), "blocks": self.blocks, "norm": self.norm}
        told |= {"mobile": self.mobile}
        return told if self.dropout is None else told | {"dropout": self.dropout}


class _Level(nn.Module):
    """One level of a U-Net with all levels below it: halves, asks them, doubles, and adds itself as channels."""

    def __init__(self, layers: Sequence[nn.Module], outermost: bool = False) -> None:
        super().__init__()
        self.outermost = outermost
        self.model = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.model(x)
        return y if self.outermost else torch.cat([x, y], 1)


class Unet(nn.Module):
    """`unet`: pix2pix's U-Net, 4x4 convolutions down to one pixel and back, each level joined to its mirror.

    `width` is that of the first level, doubled until 8 times as wide; `depth` 8 is U-Net-256, 7 is U-Net-128. Half of
    the channels are dropped while it learns in three middle levels if `dropout`. H and W are multiples of 2 to the
    `depth`. `mood` is 0: it takes pictures.
    """

    def __init__(self, inputs: int, width: int = 64, depth: int = 8, norm: str = "batch", dropout: bool = True) -> None:
        super().__init__()
        if depth < 5:
            raise ValueError(f"a U-Net has at least 5 levels, not {depth}")
        self.mood, self.inputs, self.width, self.depth = 0, inputs, width, depth
        self.norm, self.dropout = norm, dropout
        wide = [width * min(2**level, 8) for level in range(depth)]
        level = self._innermost(wide[-2], wide[-1])
        for index in range(depth - 2, 0, -1):
            level = self._middle(wide[index - 1], wide[index], level, dropout and index >= 4)
        down = nn.Conv2d(inputs, wide[0], 4, 2, 1, bias=norm in BIASED)
        up = nn.ConvTranspose2d(2 * wide[0], 3, 4, 2, 1)
        self.model = _Level([down, level, nn.ReLU(), up, nn.Tanh()], outermost=True)

    def forward(self, x: Tensor) -> Tensor:
        """x [B,inputs,H,W] in -1..1 to RGB [B,3,H,W] in -1..1."""
        y: Tensor = self.model(x)
        return y

    def arguments(self) -> dict[str, Any]:
        """What a card must say to rebuild it."""
        told: dict[str, Any] = {"inputs": self.inputs, "width": self.width, "depth": self.depth}
        return told | {"norm": self.norm, "dropout": self.dropout}

    def _innermost(self, outer: int, inner: int) -> _Level:
        bias = self.norm in BIASED
        down = [nn.LeakyReLU(0.2), nn.Conv2d(outer, inner, 4, 2, 1, bias=bias)]
        up = [nn.ReLU(), nn.ConvTranspose2d(inner, outer, 4, 2, 1, bias=bias), _norm(self.norm, outer)]
        return _Level([*down, *up])

    def _middle(self, outer: int, inner: int, below: _Level, dropout: bool) -> _Level:
        bias = self.norm in BIASED
        down = [nn.LeakyReLU(0.2), nn.Conv2d(outer, inner, 4, 2, 1, bias=bias), _norm(self.norm, inner)]
        up = [nn.ReLU(), nn.ConvTranspose2d(2 * inner, outer, 4, 2, 1, bias=bias), _norm(self.norm, outer)]
        return _Level([*down, below, *up, *([nn.Dropout(0.5)] if dropout else [])])


class Planes(nn.Module):
    """A published network on our task: luma and the mood as constant planes are its 1 + M input channels."""

    def __init__(self, core: Resnet | Unet) -> None:
        super().__init__()
        self.core, self.mood = core, core.inputs - 1

    def forward(self, luma: Tensor, mood: Tensor) -> Tensor:
        """luma [B,1,H,W] in 0..1 and mood [B,M] to RGB [B,3,H,W] in -1..1."""
        planes = mood.to(luma.dtype)[:, :, None, None].expand(-1, -1, luma.shape[2], luma.shape[3])
        y: Tensor = self.core(torch.cat([luma * 2 - 1, planes], 1))
        return y
