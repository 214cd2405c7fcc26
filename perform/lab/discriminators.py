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
    """Two patch discriminators, at full and half size, and the projected one: all their logits at once. `untaught`:
    they have not learned with a teacher, and have to before anybody listens to them.
    """

    untaught = False

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


def disturbance(count: int, side: int, rng: torch.Generator) -> Tensor:
    """How each of `count` pictures is to be disturbed, float [count,7]: brightness, saturation, contrast, shift (y, x
    in pixels), middle of the cut-out (y, x). On the CPU.
    """
    unit = torch.rand(count, 3, generator=rng)
    edge = side // 8
    shift = torch.randint(-edge, edge + 1, (count, 2), generator=rng)
    hole = torch.randint(0, side, (count, 2), generator=rng)
    low, high = torch.tensor([-0.3, 0.5, 0.7]), torch.tensor([0.3, 1.5, 1.3])
    return torch.cat([low + (high - low) * unit, shift.float(), hole.float()], 1)


def disturb(pictures: Tensor, how: Tensor) -> Tensor:
    """DiffAugment (Zhao et al. 2020): colour, translation up to 1/8, one cut-out of a third. [B,3,H,W] in -1..1,
    differentiable; `how` comes from `disturbance`.

    With a few hundred photographs a discriminator would otherwise learn them by heart.
    """
    height, width = pictures.shape[2:]
    brightness, saturation, contrast = (column[:, None, None, None] for column in how[:, :3].unbind(1))
    x = pictures + brightness
    grey = x.mean(1, keepdim=True)
    x = (x - grey) * saturation + grey
    middle = x.mean((1, 2, 3), keepdim=True)
    x = shifted((x - middle) * contrast + middle, how[:, 3:5])
    y = torch.arange(height, device=x.device)[None, None, :, None]
    z = torch.arange(width, device=x.device)[None, None, None, :]
    cy, cx = (column[:, None, None, None] for column in how[:, 5:7].unbind(1))
    hole = ((y - cy).abs() < height // 6) & ((z - cx).abs() < width // 6)
    return x * (~hole)


def shifted(x: Tensor, by: Tensor) -> Tensor:
    """Pictures [B,C,H,W] moved down and right by whole pixels `by` [B,2] (y, x); what comes in from outside is 0."""
    count, _, height, width = x.shape
    theta = torch.zeros(count, 2, 3, device=x.device)
    theta[:, 0, 0] = theta[:, 1, 1] = 1
    theta[:, 0, 2], theta[:, 1, 2] = by[:, 1] * (-2 / width), by[:, 0] * (-2 / height)
    with torch.autocast(x.device.type, enabled=False):  # in bfloat16 places would be those of neighbours
        grid = F.affine_grid(theta, [count, 1, height, width], align_corners=False)
        return F.grid_sample(x, grid.to(x.dtype), mode="nearest", padding_mode="zeros", align_corners=False)
