"""Slices of agate, carnelian, malachite: bands that follow the walls of a cavity inwards, crystals in the middle.

The walls are level lines of coarse noise. Silica settles in layers of even thickness on them, so what counts is the
distance to the wall (`distance.inside`), not the noise itself: contour lines would crowd where the noise is steep.
Each layer's colour comes from a strip of bands (`strip`), some sharp, some fading inwards.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from perform.lab.renders import distance, stones
from perform.lab.renders.noise import Dice, Table, colour, fractal, mesh

SHARPER = 2  # rendered so much larger, for bands finer than a pixel


def render(seed: int, side: int) -> Tensor:
    """Agate number `seed`: [3,side,side] in 0..1. About 0.5 s of one core at 320."""
    dice = Dice(31_000 + seed)
    stone = stones.STONES[seed % len(stones.STONES)]
    walls = _walls(dice, stone)
    hollow = dice(*stone.growth.hollow)
    x, y = _view(walls, hollow, side * SHARPER, dice)
    depth = _depth(walls, x, y, dice, stone)
    if dice(0, 1) < 0.6:  # the islands are hollows, not crust: what is far from them is the rock
        depth = hollow - depth
    banded = _bands(depth, x, y, dice, stone)
    banded = _mosses(banded, x, y, dice, stone)
    rocky = _mantle(depth, x, y, dice, stone)
    rim = torch.sigmoid((depth - 0.004) / 0.004)
    picture = rocky * (1 - rim) + banded * rim
    picture = picture * (1 - 0.45 * torch.exp(-((depth / 0.012) ** 2)))  # a dark line where stone meets rock
    if dice(0, 1) < 0.35:  # the others are filled to the heart
        picture = _druzy(picture, depth - hollow, dice, stone)
    picture = _cracks(picture, depth, x, y, dice)
    picture = _polish(picture, x, y, dice)
    small = F.avg_pool2d(picture[None], SHARPER)[0]
    return _developed(small, dice)


@dataclass(frozen=True)
class Walls:
    """The noise whose zero lines are the walls of the cavities, and its shift."""

    noise: Table
    shift: float

    def __call__(self, x: Tensor, y: Tensor) -> Tensor:
        """Signed distance [S,S] into the cavity, in units, at points of an even grid of the view."""
        pixel = float((x[0, 1] - x[0, 0]) ** 2 + (y[0, 1] - y[0, 0]) ** 2) ** 0.5
        return distance.inside(self.noise.one(x * 0.62, y * 0.62) + self.shift, pixel)


def _walls(dice: Dice, stone: stones.Stone) -> Walls:
    return Walls(fractal(dice.pick(6), 3, 0.42), dice(*stone.growth.filling))


def _view(walls: Walls, hollow: float, side: int, dice: Dice) -> tuple[Tensor, Tensor]:
    """Where on the slice the lens stands, turned and scaled [side,side]: of some places, the first that is mostly
    bands, not crust, not crystals.
    """
    best, most = (0.0, 1.0, 0.0, 0.0), -1.0
    for _ in range(12):
        place = dice(0, 2 * math.pi), dice(0.5, 1.15), dice(0, 12), dice(0, 12)
        depth = walls(*_placed(*mesh(64), place))
        share = float(((depth > 0) & (depth < hollow)).float().mean())
        if share > most:
            best, most = place, share
        if share > 0.72:
            break
    return _placed(*mesh(side), best)


def _placed(x: Tensor, y: Tensor, place: tuple[float, float, float, float]) -> tuple[Tensor, Tensor]:
    angle, scale, right, down = place
    cos, sin = math.cos(angle), math.sin(angle)
    return scale * (x * cos - y * sin) + right, scale * (x * sin + y * cos) + down


def _depth(walls: Walls, x: Tensor, y: Tensor, dice: Dice, stone: stones.Stone) -> Tensor:
    """How far inside its cavity each point lies, in units (negative: outside, in the rock), not quite evenly."""
    depth = walls(x, y)
    fine = fractal(6 + dice.pick(4), 6, 0.55)
    wobble = fine.one(x * 1.6, y * 1.6)
    swell = walls.noise.one(x * 1.3 + 3, y * 1.3 + 1)
    grown = depth.clamp(min=0)
    return depth + (0.012 * wobble * stone.growth.wobble + 0.03 * swell) * (grown / (grown + 0.05))


def _bands(depth: Tensor, x: Tensor, y: Tensor, dice: Dice, stone: stones.Stone) -> Tensor:
    strip = stones.strip(stone, dice)
    place = (depth * stone.growth.density * dice(0.75, 1.35)).clamp(0, 0.999 * strip.shape[1] / 512)
    lookup = torch.stack([place * 512 / strip.shape[1] * 2 - 1, torch.zeros_like(place)], -1)
    shade = F.grid_sample(strip[None, :, None], lookup[None], align_corners=False, padding_mode="border")[0]
    cloud = fractal(dice.pick(6), 7, 0.6).one(x * 0.9 + 5, y * 0.9)
    grain = fractal(11, 7, 0.85).one(x * 3.1, y * 3.1)
    # translucent layers let a little of what lies below shine through
    glow = (0.5 + 0.5 * torch.tanh(cloud)) * stone.growth.clear
    shade = shade * (1 - 0.35 * glow) + stone.matter.body * 0.35 * glow
    return shade * (1 + 0.07 * cloud + 0.025 * grain)


def _mosses(picture: Tensor, x: Tensor, y: Tensor, dice: Dice, stone: stones.Stone) -> Tensor:
    """Green and brown threads that float in clear stone."""
    if stone.matter.moss is None:
        return picture
    first, second = fractal(20 + dice.pick(3), 7, 0.62, ridged=True), fractal(dice.pick(6), 5, 0.5)
    bend = second.one(x * 0.8, y * 0.8)
    thread = first.one(x * 0.9 + 0.35 * bend, y * 0.9 - 0.3 * bend) + 0.8 * second.one(x * 0.5 + 2, y * 0.5) - 0.55
    near = torch.sigmoid(5 * thread)
    deep = torch.sigmoid(3 * (first.one(x * 1.4 + 3, y * 1.4) + second.one(x * 0.6, y * 0.6 + 4) - 0.9))
    fine = 0.75 + 0.35 * fractal(11, 7, 0.85).one(x * 2, y * 2)
    picture = picture * (1 - 0.5 * deep) + 0.5 * deep * (0.5 * stone.matter.moss + 0.5 * picture)
    return picture * (1 - near) + near * stone.matter.moss * fine.clamp(0.2, 1.6)


def _mantle(depth: Tensor, x: Tensor, y: Tensor, dice: Dice, stone: stones.Stone) -> Tensor:
    """What the cavity lies in: older layers that follow its walls outwards, dark. Not the rough rock of a real nodule:
    a network has no dice to draw roughness with, and wove a net wherever its input was dark.
    """
    layers = _bands(-depth, x, y, dice, stone)
    shadow = 0.5 + 0.5 * torch.tanh(fractal(dice.pick(6), 4, 0.5).one(x, y + 2))
    return (0.8 * layers + 0.2 * stone.matter.rock) * (dice(0.12, 0.2) + 0.15 * shadow)


def _druzy(picture: Tensor, open_: Tensor, dice: Dice, stone: stones.Stone) -> Tensor:
    """Quartz crystals where the cavity was never filled: facets, each with its own light, and a few sparkles. `open_`
    is the depth beyond the last layer.
    """
    size = dice(0.06, 0.13)
    if float((open_ > 0).float().mean()) < 0.002:
        return picture
    x, y = mesh(open_.shape[0])
    bumpy = fractal(9, 4, 0.5).one(x * 2, y * 2)
    facet, edge, tone = distance.crystals(x + 0.02 * bumpy, y, dice.generator, size)
    deep = torch.exp(-open_.clamp(min=0) * dice(2.5, 6))
    light = (0.13 + 1.35 * facet**1.5) * (0.35 + 0.65 * deep) * (0.85 + 0.3 * tone)
    body = (
        stone.matter.crystal * light
        + colour(1, 0.98, 0.95) * (2.2 * facet**16)
        + 0.05 * edge * stone.matter.crystal * deep
    )
    cover = torch.sigmoid((open_ - 0.03 * facet + 0.01 * bumpy) / 0.006)
    lip = torch.exp(-((open_ / 0.03) ** 2)) * 0.6  # clear quartz, white where it begins
    picture = picture * (1 - lip) + lip * (0.25 * picture + 0.75 * (0.35 * stone.matter.crystal + 0.6))
    return picture * (1 - cover) + body * cover


def _cracks(picture: Tensor, depth: Tensor, x: Tensor, y: Tensor, dice: Dice) -> Tensor:
    """Healed fractures across the bands, one light line in some stones."""
    line = fractal(dice.pick(6), 5, 0.42).one(x * 0.45 + dice(0, 8), y * 0.45 + 3)
    strength = max(0.0, dice(-0.35, 0.3))
    near = torch.exp(-((line / 0.008) ** 2)) - 0.6 * torch.exp(-(((line - 0.012) / 0.008) ** 2))
    return picture + strength * near * (0.2 + 0.5 * picture.mean(0)) * torch.sigmoid(depth / 0.01)


def _polish(picture: Tensor, x: Tensor, y: Tensor, dice: Dice) -> Tensor:
    """The soft reflection of a window in a polished face, never the same twice."""
    sheen = fractal(dice.pick(6), 2, 0.4).one(x * 0.35 + 1, y * 0.35 + 2)
    light = 1 + dice(0.05, 0.28) * sheen
    return picture * light.clamp(0.35, 1.7) + 0.05 * torch.relu(sheen - 0.9)


def _developed(picture: Tensor, dice: Dice) -> Tensor:
    """Linear light to a photograph: exposure, a soft shoulder, gamma."""
    exposed = picture.clamp(min=0) * dice(1.05, 1.6)
    toned = exposed * (1 + exposed / 4) / (1 + exposed)
    return (toned.clamp(0, 1) ** (1 / 2.0)).clamp(0, 1)
