"""Judges: a projected discriminator on frozen features (Sauer et al. 2021) and small patch discriminators on pixels
(Isola et al. 2017).

None of them sees the condition: pictures that came from hands, cloth or shaders are judged by the same eye as
photographs' own. That the dream follows its input is the business of `losses.follow`.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from perform.lab.features import CHANNELS


class Projected(nn.Module):
    """Heads on frozen features, mixed across channels and scales by fixed random convolutions so that no channel can
    be ignored.
    """

    def __init__(self, channels: Sequence[int] = CHANNELS, width: int = 64) -> None:
        super().__init__()
        self.mix = nn.ModuleList([nn.Conv2d(count, width, 1) for count in channels])
        self.smooth = nn.ModuleList([nn.Conv2d(width, width, 3, 1, 1) for _ in channels])
        for fixed in (self.mix, self.smooth):
            for conv in fixed:
                assert isinstance(conv, nn.Conv2d)
                assert conv.bias is not None
                nn.init.kaiming_normal_(conv.weight)
                nn.init.zeros_(conv.bias)
            fixed.requires_grad_(False)
        self.heads = nn.ModuleList([_head(width) for _ in channels])

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Feature maps, finest first, to one map of logits per scale: positive means photograph."""
        logits: list[Tensor] = []
        above: Tensor | None = None
        for index in reversed(range(len(features))):
            x = self.mix[index](features[index])
            if above is not None:
                x = (x + F.interpolate(above, size=x.shape[2:], mode="nearest")) * 0.7071
            above = self.smooth[index](x)
            logits.insert(0, self.heads[index](above))
        return logits


def _head(width: int) -> nn.Module:
    return nn.Sequential(
        spectral_norm(nn.Conv2d(width, width, 4, 2, 1)),
        nn.LeakyReLU(0.2),
        spectral_norm(nn.Conv2d(width, 1, 3, 1, 1)),
    )


class Patches(nn.Module):
    """A 4-layer patch discriminator: RGB [B,3,H,W] to (logits [B,1,H/8,W/8], its four feature maps)."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        plan = [(3, width, 2), (width, 2 * width, 2), (2 * width, 4 * width, 2), (4 * width, 4 * width, 1)]
        self.layers = nn.ModuleList(
            [spectral_norm(nn.Conv2d(i, o, 4 if stride == 2 else 3, stride, 1)) for i, o, stride in plan]
        )
        self.last = spectral_norm(nn.Conv2d(4 * width, 1, 3, 1, 1))

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        maps = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2)
            maps.append(x)
        return self.last(x), maps


class Jury(nn.Module):
    """Two patch discriminators, at full and half size, and the projected one: all their logits at once."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.projected = Projected()
        self.patches = nn.ModuleList([Patches(width), Patches(width)])

    def forward(self, rgb: Tensor, features: Sequence[Tensor]) -> tuple[list[Tensor], list[list[Tensor]]]:
        """RGB and its frozen features to (all logit maps, the patch discriminators' feature maps)."""
        logits = self.projected(features)
        maps = []
        for patch, picture in zip(self.patches, (rgb, F.avg_pool2d(rgb, 2)), strict=True):
            logit, layers = patch(picture)
            logits.append(logit)
            maps.append(layers)
        return logits, maps


def disturb(pictures: Tensor, rng: torch.Generator) -> Tensor:
    """DiffAugment (Zhao et al. 2020): colour, translation up to 1/8, one cut-out of a third. [B,3,H,W] in -1..1,
    differentiable.

    With a few hundred photographs a discriminator would otherwise learn them by heart.
    """
    count, _, height, width = pictures.shape

    def draw(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, 1, 1, 1, generator=rng)

    x = pictures + draw(-0.3, 0.3)
    grey = x.mean(1, keepdim=True)
    x = (x - grey) * draw(0.5, 1.5) + grey
    middle = x.mean((1, 2, 3), keepdim=True)
    x = (x - middle) * draw(0.7, 1.3) + middle
    edge_y, edge_x = height // 8, width // 8
    shifts = torch.randint(0, 2 * edge_y + 1, (count, 2), generator=rng).tolist()
    corners = torch.randint(0, height, (count, 2), generator=rng).tolist()
    padded = F.pad(x, (edge_x, edge_x, edge_y, edge_y))
    x = torch.stack([one[:, dy : dy + height, dx : dx + width] for one, (dy, dx) in zip(padded, shifts, strict=True)])
    hole = torch.ones(count, 1, height, width)
    for index, (cy, cx) in enumerate(corners):
        hole[index, :, max(0, cy - height // 6) : cy + height // 6, max(0, cx - width // 6) : cx + width // 6] = 0
    return x * hole
