"""A patch of wind-driven sea that repeats in both directions, from its spectrum (Tessendorf 2001)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from perform.lab.renders.noise import Table

GRAVITY = 9.81


@dataclass(frozen=True)
class Wind:
    """m/s, the way it blows (radians), how steep the crests are, and the wavelength (m) below which nothing is seen."""

    speed: float
    way: float
    height: float
    choppy: float
    shortest: float


def patch(rng: torch.Generator, metres: float, wind: Wind, count: int = 256) -> Table:
    """Height (m), slope to the right, slope ahead, and how much the surface is squeezed (1: not, below 0: it breaks),
    [4,N,N] over `metres`. `wind.height` is the standard deviation of the height. 30 ms.
    """
    wave = 2 * math.pi * torch.fft.fftfreq(count, metres / count)
    kx, ky = torch.meshgrid(wave, wave, indexing="xy")
    k = torch.sqrt(kx**2 + ky**2).clamp(min=1e-6)
    along = (kx * math.cos(wind.way) + ky * math.sin(wind.way)) / k
    longest = wind.speed**2 / GRAVITY
    power = torch.exp(-((k * longest) ** -2)) / k**4 * (0.85 * along**2 + 0.15)
    power = power * torch.exp(-((k * wind.shortest) ** 2)) * torch.where(along < 0, 0.2, 1.0)
    power[0, 0] = 0
    phases = torch.complex(torch.randn(count, count, generator=rng), torch.randn(count, count, generator=rng))
    sea = phases * torch.sqrt(power)

    def field(factor: Tensor) -> Tensor:
        wave: Tensor = torch.fft.ifft2(factor * sea).real
        return wave

    height = field(torch.ones_like(sea))
    scale = wind.height / height.std()
    chop = scale * wind.choppy
    squeeze_x, squeeze_y = field(kx * kx / k) * chop, field(ky * ky / k) * chop
    shear = field(kx * ky / k) * chop
    squeezed = (1 - squeeze_x) * (1 - squeeze_y) - shear**2
    return Table(torch.stack([height * scale, field(1j * kx) * scale, field(1j * ky) * scale, squeezed]), metres)
