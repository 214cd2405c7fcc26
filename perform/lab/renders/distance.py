"""Distances in pictures: to the wall of a shape, and to the cells of a scattering of points."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def inside(shape: Tensor, step: float, shrink: int = 2) -> Tensor:
    """Signed distance to where `shape` [S,S] is zero, in units of which a pixel is `step`; positive where it is
    positive, a little rounded at the ridges. By jump flooding (Rong and Tan 2006), at 1/`shrink` of the size, of which
    S must be a multiple. Walls outside the picture are not known; where there is none inside, the slope of `shape`
    stands in, and bends the layers.
    """
    small = F.avg_pool2d(shape[None, None], shrink)[0, 0]
    slope = torch.stack(torch.gradient(small)).square().sum(0).sqrt().clamp(min=1e-4)
    side = small.shape[0]
    sign = small > 0
    wall = torch.zeros_like(sign)
    wall[:, 1:] |= sign[:, 1:] != sign[:, :-1]
    wall[1:] |= sign[1:] != sign[:-1]
    row, column = torch.meshgrid(torch.arange(float(side)), torch.arange(float(side)), indexing="ij")
    far = 4.0 * side
    # the wall lies between pixels: where exactly, the slope says
    offset = (small / slope).clamp(-1, 1)
    seed = torch.where(wall, torch.stack([row, column]), torch.full((2, side, side), far))
    jump = 1 << max(1, math.ceil(math.log2(side)) - 1)
    while jump >= 1:
        seed = _nearer(seed, row, column, jump)
        jump //= 2
    away = torch.sqrt((row - seed[0]) ** 2 + (column - seed[1]) ** 2)
    away = torch.where(seed[0] >= far, (small.abs() / slope).clamp(max=2.0 * side), away)
    signed = torch.where(sign, away, -away)
    near = torch.exp(-((away / 1.5) ** 2))  # at the wall itself the slope knows better than whole pixels
    signed = signed * (1 - near) + near * offset * 0.8
    signed = _smooth(signed, 1.6)
    large = F.interpolate(signed[None, None], scale_factor=float(shrink), mode="bicubic", align_corners=False)
    return large[0, 0] * (step * shrink)


def crystals(x: Tensor, y: Tensor, rng: torch.Generator, size: float) -> tuple[Tensor, Tensor, Tensor]:
    """(facet's brightness 0..1, nearness to an edge 0..1, tone -.5..0.5) of crystals seen from above, [S,S] each.

    A jittered lattice of points, one crystal each (Worley 1996); a crystal is a six-sided tip of its own height, turn
    and tilt, and each side of it faces the light differently.
    """
    count = math.ceil(2 / size) + 4
    jitter = torch.rand(6, count, count, generator=rng)
    column, row = (x + 1) / size + 1.5, (y + 1) / size + 1.5
    near = torch.full_like(x, 9.0)
    next_ = torch.full_like(x, 9.0)
    chosen = torch.zeros(6, *x.shape)
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            i = (row.long() + down).clamp(0, count - 1)
            j = (column.long() + right).clamp(0, count - 1)
            cell = jitter[:, i, j]
            dy, dx = i + cell[0] - row, j + cell[1] - column
            away = torch.sqrt(dx**2 + dy**2) * (0.75 + 0.5 * cell[2])
            closer = away < near
            next_ = torch.where(closer, near, torch.minimum(next_, away))
            near = torch.where(closer, away, near)
            chosen = torch.where(closer, torch.cat([dx[None], dy[None], cell[2:]]), chosen)
    turn = torch.atan2(chosen[1], chosen[0]) + chosen[3] * math.pi
    side = torch.floor(turn / (math.pi / 3))  # which of the six faces
    facing = side * (math.pi / 3) - chosen[3] * math.pi + 0.7 * (chosen[4] - 0.5)
    facet = (0.5 + 0.5 * torch.cos(facing - 2.2)) * (0.35 + 0.65 * chosen[5])
    edge = torch.exp(-(((next_ - near) / 0.08) ** 2))
    return facet.clamp(0, 1), edge, chosen[4] - 0.5


def _nearer(seed: Tensor, row: Tensor, column: Tensor, jump: int) -> Tensor:
    side = row.shape[0]
    wide = F.pad(seed, (jump,) * 4, value=4.0 * side)
    best, nearest = (row - seed[0]) ** 2 + (column - seed[1]) ** 2, seed
    for down in (0, jump, 2 * jump):
        for right in (0, jump, 2 * jump):
            other = wide[:, down : down + side, right : right + side]
            away = (row - other[0]) ** 2 + (column - other[1]) ** 2
            closer = away < best
            best = torch.where(closer, away, best)
            nearest = torch.where(closer, other, nearest)
    return nearest


def _smooth(field: Tensor, sigma: float) -> Tensor:
    reach = math.ceil(3 * sigma)
    bell = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / sigma) ** 2)
    bell = bell / bell.sum()
    wide = F.pad(field[None, None], (reach,) * 4, mode="replicate")
    return F.conv2d(F.conv2d(wide, bell.view(1, 1, 1, -1)), bell.view(1, 1, -1, 1))[0, 0]
