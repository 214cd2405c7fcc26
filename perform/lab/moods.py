"""The mood: seven numbers that say which of the many right answers a dream should be.

The condition fixes light and dark, not colour nor clarity: a sunset and a noon, a foggy and a crisp morning share one
input, and a generator without further word averages them. A mood is measured on a photograph as the mean colour of
its light half (3), the mean colour of its dark half (3) and how much fine detail it has (1), each brought to zero
mean and unit variance over a world's photographs. Light and dark, not top and bottom: a hand has no top, but it has a
light side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from perform.lab.conditions import luma

SIZE = 7


def measure(rgb: Tensor, guide: Tensor) -> Tensor:
    """The raw mood of pictures [B,3,H,W] in -1..1 as [B,7]; `guide` [B,1,H,W] says where is light and where is dark.
    Differentiable.
    """
    small = F.interpolate(rgb, 32, mode="area")
    light = F.interpolate(guide, 32, mode="area")
    mean, spread = light.mean((2, 3), keepdim=True), light.std((2, 3), keepdim=True)
    mask = torch.sigmoid((light - mean) / (0.3 * spread + 0.02))
    lights = (small * mask).sum((2, 3)) / mask.sum((2, 3))
    darks = (small * (1 - mask)).sum((2, 3)) / (1 - mask).sum((2, 3))
    grey = luma(rgb)
    fine = (grey - F.avg_pool2d(grey, 3, 1, 1, count_include_pad=False)).abs().mean((1, 2, 3))
    return torch.cat([lights, darks, torch.log(fine + 0.003)[:, None]], 1)


class Scale:
    """Raw moods to unit variance and back, from the statistics of one world."""

    def __init__(self, mean: Tensor, std: Tensor) -> None:
        self.mean, self.std = mean, std

    @classmethod
    def of(cls, raw: Tensor) -> Scale:
        """From the raw moods [N,7] of a world's photographs."""
        return cls(raw.mean(0), raw.std(0).clamp(min=1e-3))

    def __call__(self, raw: Tensor) -> Tensor:
        return (raw - self.mean) / self.std


@dataclass(frozen=True)
class Colours:
    """A mood in words of the eye: mean colour of the light and of the dark (bytes), clarity in standard deviations."""

    lights: tuple[int, int, int]
    darks: tuple[int, int, int]
    clarity: float = 0.0

    def vector(self, scale: Scale) -> list[float]:
        """The mood vector, 7 numbers."""
        colours = torch.tensor([*self.lights, *self.darks], dtype=torch.float32) / 127.5 - 1
        flat = (colours - scale.mean[:6]) / scale.std[:6]
        return [*(round(number, 3) for number in flat.tolist()), self.clarity]


def cluster(moods: Tensor, count: int, seed: int = 0, rounds: int = 50) -> tuple[Tensor, Tensor]:
    """k-means: `count` centres [count,7] and each mood's nearest centre [N]. For looking at, before naming."""
    rng = torch.Generator().manual_seed(seed)
    centres = moods[torch.randperm(len(moods), generator=rng)[:count]].clone()
    nearest = torch.zeros(len(moods), dtype=torch.long)
    for _ in range(rounds):
        nearest = torch.cdist(moods, centres).argmin(1)
        for index in range(count):
            if bool((nearest == index).any()):
                centres[index] = moods[nearest == index].mean(0)
    return centres, nearest


def grid(named: Mapping[str, Sequence[float]], layout: Sequence[Sequence[str]]) -> list[list[float]]:
    """The XY pad: the named moods laid out in rows (y from 0) and columns (x from 0), row-major. Unknown names raise
    KeyError.
    """
    return [[float(number) for number in named[name]] for row in layout for name in row]
