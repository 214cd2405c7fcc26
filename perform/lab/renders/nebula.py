"""Nebulae: three glowing gases folded by noise that bends noise, dust before them, stars among them."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from perform.lab.renders.noise import Dice, Table, colour, fractal, mesh

# Three gases each: what glows widest, what glows between, what glows in filaments.
GASES = (
    (colour(0.95, 0.18, 0.16), colour(0.10, 0.55, 0.75), colour(1.00, 0.65, 0.35)),
    (colour(0.85, 0.25, 0.60), colour(0.20, 0.30, 0.90), colour(1.00, 0.75, 0.60)),
    (colour(0.90, 0.50, 0.15), colour(0.10, 0.50, 0.55), colour(0.95, 0.80, 0.50)),
    (colour(0.20, 0.55, 0.95), colour(0.55, 0.20, 0.80), colour(0.80, 0.90, 1.00)),
    (colour(0.80, 0.12, 0.10), colour(0.50, 0.25, 0.45), colour(1.00, 0.50, 0.30)),
    (colour(0.15, 0.70, 0.50), colour(0.75, 0.15, 0.30), colour(0.70, 1.00, 0.80)),
    (colour(0.62, 0.58, 0.55), colour(0.85, 0.40, 0.20), colour(0.95, 0.92, 0.85)),
)


def render(seed: int, side: int) -> Tensor:
    """Nebula number `seed`: [3,side,side] in 0..1. About 0.25 s of one core at 320."""
    dice = Dice(71_000 + seed)
    gases = GASES[seed % len(GASES)]
    glow, dust = _gas(gases, side, dice)
    picture = glow * dust + colour(0.008, 0.010, 0.018)
    if dice(0, 1) < 0.4:
        picture = picture + _cluster(gases[2], dust, side, dice)
    dim = 0.35 + 0.65 * dust.mean(0)
    many = round(dice(500, 2200) * (side / 256) ** 2)
    stars = _stars(many, 0.018, 0.62, side, dice) * dim + _stars(round(dice(8, 40)), 0.25, 0.95, side, dice)
    picture = picture * dice(0.9, 1.7) + stars
    return (1 - torch.exp(-1.9 * picture)).clamp(0, 1) ** (1 / 1.4)


def _gas(gases: tuple[Tensor, Tensor, Tensor], side: int, dice: Dice) -> tuple[Tensor, Tensor]:
    """(light [3,S,S], what the dust lets through [3,S,S])."""
    soft = [fractal(60 + dice.pick(8), 7, 0.5) for _ in range(4)]
    sharp = [fractal(70 + dice.pick(4), 7, 0.56, ridged=True) for _ in range(2)]
    angle, scale, bend = dice(0, 2 * math.pi), dice(0.7, 1.7), dice(0.12, 0.34)
    x, y = mesh(side)
    u = scale * (x * math.cos(angle) - y * math.sin(angle)) + dice(0, 8)
    v = scale * (x * math.sin(angle) + y * math.cos(angle)) + dice(0, 8)
    first = _at(soft[0], u, v), _at(soft[1], u, v)
    second = (
        _at(soft[2], u + bend * first[0], v + bend * first[1]),
        _at(soft[3], u + bend * first[0] + 3, v + bend * first[1] + 7),
    )
    wide = _even(_at(soft[0], u + 0.8 * bend * second[0], v + 0.8 * bend * second[1]))
    between = _even(_at(soft[2], u * 0.7 + 0.5 * bend * second[0], v * 0.7 + 0.5 * bend * first[1]))
    crest = _even(_at(sharp[0], u * 1.3 + bend * second[1], v * 1.3 - bend * second[0]))
    thread = _even(_at(sharp[1], u * 2 + 1.5 * bend * first[0], v * 2 + 1.5 * bend * first[1]))
    where = torch.sigmoid(1.6 * _even(_at(soft[1], u * 0.5 + 4, v * 0.5)) + dice(-0.5, 0.9))
    light = gases[0] * (torch.exp(0.75 * wide) * where * 0.17)
    light = light + gases[1] * (torch.exp(0.8 * between) * where * 0.14)
    light = light + gases[2] * (torch.exp(1.25 * crest.clamp(max=2.6) + 0.6 * thread) * where**1.5 * 0.035)
    thick = torch.relu(_even(second[0]) + 0.25 * thread - 0.1) * torch.sigmoid(1.5 * between + 1)
    dust = torch.exp(-dice(0.5, 1.4) * thick)
    browned = dust**1.6 + (colour(0.9, 0.6, 0.35) - dust**1.6) * dust * 0.25 + dust * 0.15
    return light, browned.clamp(0, 1.2)


def _cluster(tint: Tensor, dust: Tensor, side: int, dice: Dice) -> Tensor:
    """The glow around a young star."""
    x, y = mesh(side)
    away = torch.sqrt((x - dice(-0.6, 0.6)) ** 2 + (y - dice(-0.6, 0.6)) ** 2) / 2
    return tint * (0.05 / (away + 0.03)) * dice(0.15, 0.6) * dust


def _stars(count: int, light: float, size: float, side: int, dice: Dice) -> Tensor:
    """Stars [3,S,S]: few bright, many faint, blue to red, each a small bell with a faint halo."""
    rng, reach = dice.generator, 6
    place = torch.rand(count, 2, generator=rng) * side
    bright = ((torch.rand(count, generator=rng) + 1e-3) ** -0.75 * light).clamp(max=60 * light)
    heat = torch.rand(count, generator=rng)
    tint = torch.stack([0.75 + 0.5 * heat, 0.9 - 0.15 * (heat - 0.5).abs(), 1.25 - 0.6 * heat])
    steps = torch.arange(-reach, reach + 1)
    rows = place[:, 1].long().view(-1, 1, 1) + steps.view(1, -1, 1)
    columns = place[:, 0].long().view(-1, 1, 1) + steps.view(1, 1, -1)
    square = (rows + 0.5 - place[:, 1].view(-1, 1, 1)) ** 2 + (columns + 0.5 - place[:, 0].view(-1, 1, 1)) ** 2
    shape = torch.exp(-square / (2 * size * size)) + 0.02 / (1 + square / size) ** 1.5
    wide = side + 2 * reach + 2
    index = ((rows + reach) * wide + columns + reach).reshape(-1)
    canvas = torch.zeros(3, wide * wide)
    canvas.index_add_(1, index, (tint[:, :, None, None] * (bright.view(1, -1, 1, 1) * shape)).reshape(3, -1))
    return canvas.view(3, wide, wide)[:, reach : reach + side, reach : reach + side]


def _at(table: Table, u: Tensor, v: Tensor) -> Tensor:
    return table.one(u, v)


def _even(field: Tensor) -> Tensor:
    """Zero mean, unit variance over the picture: no seed is empty, none burnt."""
    return (field - field.mean()) / field.std().clamp(min=0.3)
