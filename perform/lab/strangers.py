"""Inputs that are not landscape: what a live performance really shows a world.

A world that has only seen conditions of its own photographs meets a hand and answers with mud. So a share of each
batch is a stranger: silhouettes with arms and fingers, faces, cloth, clouds, gradients, and photographs turned, mixed
or inverted. They are drawn small (64x64 luma): the condition would blur anything finer away.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

SIDE = 64


def strangers(count: int, seed: int = 0) -> Tensor:
    """`count` procedural inputs, float [count,1,64,64] in 0..1, the same for the same seed. About 2 ms each."""
    rng = torch.Generator().manual_seed(seed)
    kinds = (_figure, _figure, _face, _clouds, _cloth, _gradient)
    return torch.stack([kinds[index % len(kinds)](rng) for index in range(count)])


def twist(grey: Tensor, rng: torch.Generator) -> Tensor:
    """Photographs as strangers: [B,1,S,S] in 0..1, each upside down, on its side, inverted, or lit through another
    one's shape.
    """
    out = []
    for index, one in enumerate(grey):
        other = grey[(index + 1) % len(grey)]
        kind = int(torch.randint(0, 5, (1,), generator=rng))
        turned = (
            one.flip(1),
            one.transpose(1, 2),
            1 - one,
            (one + other.flip(1)) / 2,
            torch.maximum(one, other.flip(2)) * 0.9,
        )
        out.append(turned[kind])
    return torch.stack(out)


def _draw(rng: torch.Generator, low: float, high: float) -> float:
    return low + (high - low) * float(torch.rand(1, generator=rng))


def _plane() -> tuple[Tensor, Tensor]:
    """(y, x) of the 64x64 grid in -1..1."""
    line = torch.linspace(-1, 1, SIDE)
    y, x = torch.meshgrid(line, line, indexing="ij")
    return y, x


def _noise(rng: torch.Generator, cells: int, octaves: int = 4) -> Tensor:
    """Octaves of smooth noise [64,64], zero mean, unit variance."""
    total = torch.zeros(SIDE, SIDE)
    for octave in range(octaves):
        side = min(SIDE, cells * 2**octave)
        grid = torch.randn(1, 1, side, side, generator=rng)
        total += F.interpolate(grid, SIDE, mode="bicubic", align_corners=False)[0, 0] * 0.55**octave
    return (total - total.mean()) / total.std().clamp(min=1e-3)


def _gradient(rng: torch.Generator) -> Tensor:
    """A ramp in any direction, sometimes radial, sometimes stepped to a hard edge, with a breath of noise."""
    y, x = _plane()
    angle = _draw(rng, 0, 2 * math.pi)
    ramp = x * math.cos(angle) + y * math.sin(angle)
    if _draw(rng, 0, 1) < 0.35:
        ramp = 1.2 - 2 * torch.hypot(x - _draw(rng, -0.6, 0.6), y - _draw(rng, -0.6, 0.6))
    ramp = torch.sigmoid(ramp * _draw(rng, 0.5, 9) + _draw(rng, -1, 1))
    low, high = _draw(rng, 0, 0.6), _draw(rng, 0.4, 1)
    return (low + (high - low) * ramp + _draw(rng, 0, 0.08) * _noise(rng, 4)).clamp(0, 1)[None]


def _clouds(rng: torch.Generator) -> Tensor:
    """Smoke, clouds, shader noise."""
    field = _noise(rng, int(_draw(rng, 2, 7)))
    return torch.sigmoid(field * _draw(rng, 0.5, 2.5) + _draw(rng, -1.2, 1.2))[None]


def _cloth(rng: torch.Generator) -> Tensor:
    """Folds: warped stripes under a slow light."""
    y, x = _plane()
    angle, pitch = _draw(rng, 0, math.pi), _draw(rng, 3, 11)
    warp = _noise(rng, 2, 3) * _draw(rng, 0.05, 0.35)
    folds = torch.sin((x * math.cos(angle) + y * math.sin(angle) + warp) * pitch)
    return torch.sigmoid(folds * _draw(rng, 0.5, 1.6) + _noise(rng, 2, 2) * 0.6 + _draw(rng, -0.8, 0.8))[None]


def _limb(start: tuple[float, float], end: tuple[float, float], width: float) -> Tensor:
    """Signed closeness to a capsule: positive inside, [64,64]."""
    y, x = _plane()
    dy, dx = end[0] - start[0], end[1] - start[1]
    along = ((y - start[0]) * dy + (x - start[1]) * dx) / (dy * dy + dx * dx + 1e-6)
    along = along.clamp(0, 1)
    return width - torch.hypot(y - start[0] - along * dy, x - start[1] - along * dx)


def _lit(inside: Tensor, rng: torch.Generator) -> Tensor:
    """A figure, light on dark or dark on light, with a soft shade across it, before a background of its own."""
    y, x = _plane()
    angle = _draw(rng, 0, 2 * math.pi)
    shade = (x * math.cos(angle) + y * math.sin(angle)) * _draw(rng, 0, 0.25) + _noise(rng, 5, 3) * 0.06
    figure, ground = _draw(rng, 0.45, 0.95), _draw(rng, 0.02, 0.4)
    if _draw(rng, 0, 1) < 0.4:
        figure, ground = ground, figure
    mask = torch.sigmoid(inside * _draw(rng, 15, 50))
    behind = ground + _noise(rng, 2, 3) * _draw(rng, 0.0, 0.12)
    return (behind * (1 - mask) + (figure + shade) * mask).clamp(0, 1)[None]


def _figure(rng: torch.Generator) -> Tensor:
    """A hand: a palm, two to five fingers, an arm from the edge."""
    cy, cx, size = _draw(rng, -0.4, 0.5), _draw(rng, -0.6, 0.6), _draw(rng, 0.2, 0.5)
    heading = _draw(rng, 0, 2 * math.pi)
    inside = _limb((cy, cx), (cy + 0.3 * size, cx), size * _draw(rng, 0.6, 0.9))
    for finger in range(int(_draw(rng, 2, 6))):
        angle = heading + (finger - 2) * _draw(rng, 0.28, 0.5)
        reach = size * _draw(rng, 1.2, 2.3)
        tip = (cy + reach * math.sin(angle), cx + reach * math.cos(angle))
        inside = torch.maximum(inside, _limb((cy, cx), tip, size * _draw(rng, 0.14, 0.26)))
    elbow = (cy - 3 * math.sin(heading), cx - 3 * math.cos(heading))
    return _lit(torch.maximum(inside, _limb((cy, cx), elbow, size * _draw(rng, 0.4, 0.7))), rng)


def _face(rng: torch.Generator) -> Tensor:
    """A head on shoulders with eyes and a mouth: the portrait that every camera sees first."""
    cy, cx, size = _draw(rng, -0.4, 0.1), _draw(rng, -0.5, 0.5), _draw(rng, 0.25, 0.6)
    head = _limb((cy - 0.2 * size, cx), (cy + 0.3 * size, cx), size * 0.75)
    body = _limb((cy + 2.2 * size, cx - size), (cy + 2.2 * size, cx + size), size * 0.8)
    picture = _lit(torch.maximum(head, body), rng)
    for dy, dx, width in ((-0.15, -0.3, 0.14), (-0.15, 0.3, 0.14), (0.45, 0.0, 0.2)):
        spot = torch.sigmoid(
            _limb((cy + dy * size, cx + dx * size - 0.05), (cy + dy * size, cx + dx * size + 0.05), width * size) * 30
        )
        picture = picture * (1 - 0.5 * spot)
    return picture
