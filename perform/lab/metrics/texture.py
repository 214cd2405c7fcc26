"""Do dreams have the texture of the collection? Two answers that no network gives.

The radial spectrum says how much detail there is at each fineness: transposed convolutions and plain L1 both show in it
(Durall et al. 2020). The sliced Wasserstein distance compares small patches of a Laplacian pyramid, level by level
(Rabin et al. 2011; Karras et al. 2018).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from perform.lab.conditions import luma

PATCH = 7
PATCHES = 64  # a picture and a level
DIRECTIONS = 128


def radial(pictures: Tensor) -> Tensor:
    """The mean power of light at each whole number of waves a side, 1 to side/2 - 1, in dB: [K]. Square pictures; a
    Hann window keeps the borders out.
    """
    side = pictures.shape[-1]
    if pictures.shape[-2] != side:
        raise ValueError(f"a radial spectrum is of square pictures, not {pictures.shape[-2]} x {side}")
    grey = luma(pictures).double()
    window = torch.hann_window(side, periodic=False, dtype=torch.float64)
    window = window[:, None] * window[None]
    flat = grey - (grey * window).sum((2, 3), keepdim=True) / window.sum()
    power = torch.fft.fft2(flat * window).abs().square().mean((0, 1)) / window.square().sum()
    line = torch.fft.fftfreq(side) * side
    ring = torch.hypot(line[:, None], line[None]).round().long()
    total = torch.zeros(int(ring.max()) + 1, dtype=torch.float64).scatter_add_(0, ring.flatten(), power.flatten())
    count = torch.zeros_like(total).scatter_add_(0, ring.flatten(), torch.ones_like(power).flatten())
    mean = (total / count)[1 : side // 2]
    return 10 * torch.log10(mean.clamp(min=1e-12))


def spectrum_distance(spectrum: Tensor, other: Tensor) -> float:
    """Root mean square difference of two radial spectra in dB, each octave counting alike."""
    waves = torch.arange(1, len(spectrum) + 1, dtype=torch.float64)
    weight = 1 / waves
    return float(((spectrum - other).square() * weight).sum().div(weight.sum()).sqrt())


def patches(pictures: Tensor, rng: torch.Generator, count: int = 4) -> list[Tensor]:
    """Patches of a Laplacian pyramid, finest level first: [B * 64, 3 * 7 * 7] each, by colour, drawn by `rng`."""
    out = []
    for band in pyramid(pictures, count):
        many, _, height, width = band.shape
        y = torch.randint(0, height - PATCH + 1, (many, PATCHES), generator=rng)
        x = torch.randint(0, width - PATCH + 1, (many, PATCHES), generator=rng)
        steps = torch.arange(PATCH)
        rows = (y[..., None, None] + steps[:, None]).expand(-1, -1, -1, PATCH)
        columns = (x[..., None, None] + steps[None]).expand(-1, -1, PATCH, -1)
        index = torch.arange(many).view(-1, 1, 1, 1)
        out.append(band[index, :, rows, columns].movedim(-1, 2).flatten(2).flatten(0, 1))
    return out


def pyramid(pictures: Tensor, count: int) -> list[Tensor]:
    """Laplacian pyramid (Burt and Adelson 1983): what each halving loses, finest first, and last what is left.

    Raises ValueError where the last level would be smaller than a patch.
    """
    if min(pictures.shape[-2:]) >> (count - 1) < PATCH:
        raise ValueError(f"pictures of {pictures.shape[-1]} pixels are too small for {count} levels of {PATCH} pixels")
    out = []
    for _ in range(count - 1):
        small = F.interpolate(pictures, scale_factor=0.5, mode="bilinear", antialias=True, align_corners=False)
        wide = F.interpolate(small, pictures.shape[-2:], mode="bilinear", align_corners=False)
        out.append(pictures - wide)
        pictures = small
    return [*out, pictures]


@dataclass(frozen=True)
class Level:
    """One level of the real side's patches, taken apart once: how colours are scaled, the directions, the quantiles."""

    mean: Tensor
    spread: Tensor
    aim: Tensor
    quantiles: Tensor


def levels(patches: Sequence[Tensor], seed: int = 0, directions: int = DIRECTIONS) -> list[Level]:
    """The real side of `swd`. Each colour is scaled by its spread over the level, so that every level counts."""
    rng, out = torch.Generator().manual_seed(seed), []
    for cloud in patches:
        shaped = cloud.view(len(cloud), 3, -1)
        mean = shaped.mean((0, 2), keepdim=True)
        spread = shaped.std((0, 2), keepdim=True).clamp(min=1e-4)
        aim = torch.randn(cloud.shape[1], directions, generator=rng, dtype=cloud.dtype)
        aim = aim / aim.norm(dim=0)
        out.append(Level(mean, spread, aim, _quantiles(_scaled(cloud, mean, spread) @ aim)))
    return out


def _scaled(cloud: Tensor, mean: Tensor, spread: Tensor) -> Tensor:
    return ((cloud.view(len(cloud), 3, -1) - mean) / spread).flatten(1)


def swd(real: Sequence[Level], patches: Sequence[Tensor]) -> float:
    """Sliced Wasserstein-1 distance of `patches` from those of a real collection, mean over levels, times 1000."""
    total = []
    for level, cloud in zip(real, patches, strict=True):
        mine = _quantiles(_scaled(cloud, level.mean, level.spread) @ level.aim)
        total.append(float((mine - level.quantiles).abs().mean()))
    return 1e3 * math.fsum(total) / len(total)


def _quantiles(projected: Tensor) -> Tensor:
    """512 of each column, by linear interpolation between the sorted values."""
    ordered = projected.sort(0).values
    at = (torch.arange(512, dtype=projected.dtype) + 0.5) / 512
    place = (at * len(ordered) - 0.5).clamp(0, len(ordered) - 1)
    low = place.floor().long()
    return torch.lerp(ordered[low], ordered[(low + 1).clamp(max=len(ordered) - 1)], (place - low)[:, None])
