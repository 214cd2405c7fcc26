"""What sorts of agate there are: their colours, how dense their bands, how hollow; and the strip of bands itself."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from perform.lab.renders.noise import Dice, colour


@dataclass(frozen=True)
class Matter:
    """Colours of the crust, of what shines through the layers, of crystals; of threads of moss, if there are any."""

    rock: Tensor
    body: Tensor
    crystal: Tensor
    moss: Tensor | None = None


@dataclass(frozen=True)
class Growth:
    """`density`: how many bands lie on a unit of depth; `filling`: how much of the view is cavity; `hollow`: the depth
    at which crystals begin; `clear`: how translucent, `wobble`: how uneven the layers are.
    """

    density: float = 1.0
    filling: tuple[float, float] = (0.6, 1.7)
    hollow: tuple[float, float] = (0.5, 1.6)
    clear: float = 0.6
    wobble: float = 1.0


@dataclass(frozen=True)
class Stone:
    """One sort, in linear light. `bands` are the colours that layers choose from."""

    name: str
    bands: tuple[tuple[float, float, float], ...]
    matter: Matter
    growth: Growth = Growth()


WHITE = colour(0.88, 0.88, 0.92)
STONES = (
    Stone(
        "blue lace",
        ((0.83, 0.88, 0.95), (0.42, 0.54, 0.78), (0.60, 0.70, 0.86), (0.25, 0.36, 0.62), (0.93, 0.94, 0.96)),
        Matter(colour(0.30, 0.22, 0.15), colour(0.45, 0.56, 0.80), colour(0.75, 0.82, 0.98)),
    ),
    Stone(
        "fire",
        ((0.75, 0.16, 0.02), (0.95, 0.42, 0.05), (0.30, 0.03, 0.01), (0.98, 0.70, 0.22), (0.10, 0.015, 0.01)),
        Matter(colour(0.12, 0.06, 0.035), colour(0.80, 0.20, 0.03), colour(0.98, 0.50, 0.16)),
        Growth(clear=0.8),
    ),
    Stone(
        "moss",
        ((0.78, 0.80, 0.76), (0.55, 0.60, 0.56), (0.88, 0.88, 0.84), (0.40, 0.46, 0.42)),
        Matter(colour(0.16, 0.13, 0.09), colour(0.60, 0.66, 0.62), WHITE, colour(0.025, 0.10, 0.035)),
        Growth(density=0.5, filling=(1.2, 2.2), clear=1.0),
    ),
    Stone(
        "carnelian",
        ((0.70, 0.14, 0.03), (0.90, 0.45, 0.18), (0.96, 0.80, 0.62), (0.42, 0.05, 0.02), (0.85, 0.30, 0.08)),
        Matter(colour(0.22, 0.15, 0.10), colour(0.82, 0.24, 0.06), colour(0.98, 0.70, 0.48)),
    ),
    Stone(
        "malachite",
        ((0.01, 0.15, 0.08), (0.03, 0.33, 0.17), (0.20, 0.58, 0.36), (0.004, 0.06, 0.035), (0.42, 0.75, 0.54)),
        Matter(colour(0.03, 0.05, 0.03), colour(0.03, 0.30, 0.16), colour(0.30, 0.75, 0.52)),
        Growth(density=1.5, filling=(0.2, 1.2), hollow=(1.5, 3.0), clear=0.15, wobble=0.6),
    ),
    Stone(
        "botswana",
        ((0.60, 0.56, 0.56), (0.90, 0.88, 0.87), (0.33, 0.26, 0.26), (0.70, 0.58, 0.55), (0.16, 0.12, 0.13)),
        Matter(colour(0.24, 0.17, 0.13), colour(0.50, 0.44, 0.45), WHITE),
        Growth(density=1.3),
    ),
    Stone(
        "amethyst",
        ((0.86, 0.84, 0.88), (0.50, 0.36, 0.68), (0.70, 0.62, 0.80), (0.22, 0.10, 0.38), (0.40, 0.44, 0.50)),
        Matter(colour(0.18, 0.14, 0.11), colour(0.55, 0.42, 0.72), colour(0.42, 0.16, 0.78)),
        Growth(hollow=(0.3, 0.8)),
    ),
    Stone(
        "onyx",
        ((0.012, 0.012, 0.014), (0.85, 0.83, 0.79), (0.05, 0.04, 0.04), (0.30, 0.12, 0.06), (0.02, 0.02, 0.022)),
        Matter(colour(0.05, 0.045, 0.04), colour(0.05, 0.04, 0.04), WHITE),
        Growth(clear=0.2),
    ),
    Stone(
        "lagoon",
        ((0.02, 0.26, 0.33), (0.08, 0.50, 0.55), (0.55, 0.82, 0.80), (0.90, 0.95, 0.92), (0.01, 0.09, 0.15)),
        Matter(colour(0.16, 0.13, 0.10), colour(0.06, 0.42, 0.48), colour(0.70, 0.95, 0.95)),
    ),
    Stone(
        "desert rose",
        ((0.80, 0.55, 0.44), (0.92, 0.78, 0.66), (0.55, 0.26, 0.18), (0.96, 0.90, 0.84), (0.70, 0.42, 0.26)),
        Matter(colour(0.28, 0.17, 0.10), colour(0.84, 0.60, 0.48), colour(0.98, 0.84, 0.76)),
    ),
)


def strip(stone: Stone, dice: Dice, units: float = 4.0) -> Tensor:
    """Bands from the wall inwards, [3,N], 512 to a unit: groups of fine lines in one or two colours, then a broad clear
    layer, then fine ones again.
    """
    length = int(512 * units)
    rng = dice.generator
    colours = torch.tensor(stone.bands)
    out = torch.zeros(3, length)
    place, last = 0, 0
    while place < length:
        fine = float(torch.rand(1, generator=rng)) < 0.62
        first, second = _two(len(colours), last, rng)
        last = second
        lines = int(torch.randint(3, 14, (1,), generator=rng)) if fine else 1
        for line in range(lines):
            width = (
                (3 + 13 * float(torch.rand(1, generator=rng)) ** 2)
                if fine
                else 14 + 60 * float(torch.rand(1, generator=rng))
            )
            end = min(length, place + max(2, int(width)))
            tint = colours[first if line % 2 == 0 else second]
            tint = tint * (0.82 + 0.36 * float(torch.rand(1, generator=rng)))
            out[:, place:end] = tint[:, None]
            place = end
    drift = F.interpolate(torch.randn(1, 1, 24, generator=rng), length, mode="linear")[0]
    hair = torch.randn(1, 1, length + 2, generator=rng)
    hair = F.avg_pool1d(hair, 3, 1)[0]
    out = out * (1 + 0.14 * drift) * (1 + 0.05 * hair)
    return _faded(out).clamp(0, 1)


def _two(count: int, last: int, rng: torch.Generator) -> tuple[int, int]:
    order = [index for index in torch.randperm(count, generator=rng).tolist() if index != last]
    return order[0], order[1]


def _faded(bands: Tensor) -> Tensor:
    """Sharp towards the wall, fading inwards: silica settles fast, then slowly."""
    taps = torch.exp(-torch.arange(9) / 2.2)
    taps = (taps / taps.sum()).flip(0).view(1, 1, -1)
    wide = F.pad(bands[:, None], (8, 0), mode="replicate")
    return F.conv1d(wide, taps)[:, 0]
