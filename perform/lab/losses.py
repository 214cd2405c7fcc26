"""What a dream is told to get right. Pictures are RGB [B,3,H,W] in -1..1, conditions luma [B,1,H,W] in 0..1; every
loss is a scalar.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from perform.lab.conditions import luma
from perform.lab.discriminators import shifted

if TYPE_CHECKING:
    from perform.lab.distil import Recipe


def hinge_judge(real: Sequence[Tensor], fake: Sequence[Tensor]) -> Tensor:
    """The discriminators' hinge loss, mean over their maps."""
    terms = [F.relu(1 - r.float()).mean() + F.relu(1 + f.float()).mean() for r, f in zip(real, fake, strict=True)]
    return torch.stack(terms).mean()


def hinge_dream(fake: Sequence[Tensor]) -> Tensor:
    """The generator's side of the hinge loss."""
    return -torch.stack([f.float().mean() for f in fake]).mean()


def matching(fake: Sequence[Tensor], real: Sequence[Tensor]) -> Tensor:
    """Feature matching: mean absolute difference of feature maps, each relative to the photograph's own mean
    activation (picture by picture, so that a batch may be shared out).
    """
    terms = []
    for f, r in zip(fake, real, strict=True):
        target = r.detach().float()
        away = (f.float() - target).abs().mean((1, 2, 3))
        terms.append((away / target.abs().mean((1, 2, 3)).clamp(min=1e-3)).mean())
    return torch.stack(terms).mean()


def coarse(fake: Tensor, real: Tensor, cells: int = 32) -> Tensor:
    """L1 at `cells` x `cells`: layout and light, blind to texture. That is the judges' business."""
    return (F.interpolate(fake, cells, mode="area") - F.interpolate(real, cells, mode="area")).abs().mean()


def follow(fake: Tensor, condition: Tensor, cells: int = 16) -> Tensor:
    """1 - correlation of coarse light in the dream with its input: bright where the input is bright, at any exposure.

    Inputs with almost no contrast say nothing, and count less (so 1 - this is no correlation: about 0.7 for soft inputs
    and a dream that has nothing to do with them).
    """
    a = F.interpolate(luma(fake), cells, mode="area").flatten(1)
    b = F.interpolate(condition, cells, mode="area").flatten(1)
    a, b = a - a.mean(1, keepdim=True), b - b.mean(1, keepdim=True)
    spread = b.square().mean(1).sqrt()
    alike = (a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1) + 1e-3)
    return torch.mean((1 - alike) * spread / (spread + 0.05))


def steady(moved: Tensor, still: Tensor, shift: Tensor, margin: int = 32) -> Tensor:
    """Stills-only consistency: the dream of an input that has moved against the dream moved, borders left out.

    shift [B,2]: whole pixels down and right, smaller than the margin.
    """
    target = shifted(still, shift)
    margin = min(margin, still.shape[2] // 4, still.shape[3] // 4)
    inner = (slice(None), slice(None), slice(margin, -margin), slice(margin, -margin))
    return (moved[inner] - target[inner]).abs().mean()


def ssim(a: Tensor, b: Tensor) -> Tensor:
    """Structural similarity (Wang et al. 2004) with an 8x8 box window at stride 4, mean over pictures, for values in
    -1..1.
    """
    first, second = 0.01**2 * 4, 0.03**2 * 4

    def box(x: Tensor) -> Tensor:
        return F.avg_pool2d(x, 8, 4)

    ma, mb = box(a), box(b)
    va, vb, vab = box(a * a) - ma * ma, box(b * b) - mb * mb, box(a * b) - ma * mb
    score = (2 * ma * mb + first) * (2 * vab + second) / ((ma * ma + mb * mb + first) * (va + vb + second))
    return score.mean()


def haar(a: Tensor, b: Tensor) -> Tensor:
    """L1 of one level of Haar high frequencies: the sparkle that plain L1 is content to lose."""
    terms = []
    for x in (a, b):
        p, q, r, s = (x[:, :, i::2, j::2] for i in (0, 1) for j in (0, 1))
        terms.append(torch.cat([p + q - r - s, p - q + r - s, p - q - r + s], 1) / 2)
    return (terms[0] - terms[1]).abs().mean()


def copying(recipe: Recipe, dream: Tensor, target: Tensor) -> dict[str, Tensor]:
    """How far a dream is from the one that it is to copy, weighted: pixels, structure, high frequencies."""
    return {
        "pixel": recipe.pixel * (dream - target).abs().mean(),
        "structure": recipe.structure * (1 - ssim(dream, target)),
        "sparkle": recipe.sparkle * haar(dream, target),
    }


def psnr(a: Tensor, b: Tensor, peak: float = 2.0) -> float:
    """Peak signal to noise ratio in dB; peak is the range of the values (2 for -1..1, 255 for bytes)."""
    error = (a.float() - b.float()).square().mean().clamp(min=1e-12)
    return float(10 * torch.log10(peak * peak / error))
