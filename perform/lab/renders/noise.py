"""Periodic noise, made once in the frequency domain and then only looked up.

A fractal sum evaluated octave by octave costs a look-up for each octave; here the octaves are summed before, and a
picture of 480 x 480 points costs 8 ms for each look-up whatever the octaves. It has no axes, which a lattice has.
"""

from __future__ import annotations

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

PERIOD = 8.0  # units after which a fractal repeats; its coarsest forms are about two units wide
TEXELS = 1024


class Table:
    """Values [C,N,N] that repeat in both directions, with a look-up between them."""

    def __init__(self, values: Tensor, period: float) -> None:
        self.period, self.count = period, values.shape[-1]
        self.values = F.pad(values[None], (1, 1, 1, 1), mode="circular")

    def __call__(self, u: Tensor, v: Tensor) -> Tensor:
        """The values [C,*] at points u, v [*] in units, linear between texels."""
        count = self.count
        x = (u / self.period % 1 * count + 1) / (count + 1) * 2 - 1
        y = (v / self.period % 1 * count + 1) / (count + 1) * 2 - 1
        points = torch.stack([x, y], -1).reshape(1, -1, 1, 2)
        found = F.grid_sample(self.values, points, mode="bilinear", align_corners=True)
        return found[0, :, :, 0].reshape(-1, *u.shape)

    def one(self, u: Tensor, v: Tensor) -> Tensor:
        """As a call, of the first channel alone: [*]."""
        return self(u, v)[0]


@lru_cache(maxsize=32)
def fractal(number: int, octaves: int = 7, gain: float = 0.5, ridged: bool = False) -> Table:
    """Fractal noise `number` of zero mean and unit variance; `ridged` has sharp crests (Musgrave's multifractals).
    About 0.15 s the first time, and kept.
    """
    rng = torch.Generator().manual_seed(1_000_003 * (number + 1) + octaves + 77 * ridged)
    cycles = torch.fft.fftfreq(TEXELS, PERIOD / TEXELS)
    radius = torch.sqrt(cycles[:, None] ** 2 + cycles[None, : TEXELS // 2 + 1] ** 2).clamp(min=1e-6)
    total = torch.zeros(TEXELS, TEXELS)
    for octave in range(octaves):
        band = torch.exp(-0.5 * (torch.log2(radius / (0.45 * 2.0**octave)) / 0.55) ** 2)
        white = torch.fft.rfft2(torch.randn(TEXELS, TEXELS, generator=rng))
        wave = torch.fft.irfft2(white * band, s=(TEXELS, TEXELS))
        wave = wave / wave.std()
        total = total + gain**octave * (-wave.abs() if ridged else wave)
    return Table(((total - total.mean()) / total.std())[None], PERIOD)


class Dice:
    """Uniform numbers from a seed, drawn one by one."""

    def __init__(self, seed: int) -> None:
        self.generator = torch.Generator().manual_seed(seed)

    def __call__(self, low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand(1, generator=self.generator))

    def pick(self, count: int) -> int:
        """A whole number from 0 to count - 1."""
        return int(torch.randint(0, count, (1,), generator=self.generator))


def colour(red: float, green: float, blue: float) -> Tensor:
    """Linear light [3,1,1]."""
    return torch.tensor([red, green, blue]).view(3, 1, 1)


def mesh(side: int) -> tuple[Tensor, Tensor]:
    """x rightwards and y downwards from -1 to 1 at pixel centres, [side,side] each."""
    line = (torch.arange(side) + 0.5) / side * 2 - 1
    y, x = torch.meshgrid(line, line, indexing="ij")
    return x, y
