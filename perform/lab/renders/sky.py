"""The sky over the sea. Directions are [3,*] with x right, y ahead, z up; light is linear."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from perform.lab.renders.noise import Dice, Table, fractal
from perform.lab.renders.weathers import Weather


@dataclass(frozen=True)
class Sky:
    """One sky: a weather, where the sun stands, its clouds."""

    weather: Weather
    sun: tuple[float, float, float]
    clouds: Table
    wisps: Table
    cover: float
    scale: float
    shift: float

    @classmethod
    def of(cls, weather: Weather, dice: Dice) -> Sky:
        """The sun ahead, a little to one side."""
        height, aside = dice(*weather.varies.sun), dice(-0.7, 0.7)
        sun = math.sin(aside) * math.cos(height), math.cos(aside) * math.cos(height), math.sin(height)
        clouds, wisps = fractal(30 + dice.pick(4), 7, 0.52), fractal(40 + dice.pick(2), 6, 0.6, ridged=True)
        return cls(weather, sun, clouds, wisps, dice(*weather.varies.cover), dice(0.5, 1.3), dice(0, 8))

    def light(self, way: Tensor, clouds: bool = True) -> Tensor:
        """What comes from directions `way` [3,S,S]: [3,S,S], 0 and up. 40 ms at 480 x 480."""
        air = self.weather.air
        up = way[2].clamp(min=0)
        base = air.horizon + (air.zenith - air.horizon) * (up * 2.0).clamp(0, 1) ** 0.55
        facing = sum(way[axis] * self.sun[axis] for axis in range(3)).clamp(0, 1)  # type: ignore[union-attr]
        glow = facing**6 * 0.22 + facing**50 * 0.35 + facing**1800 * 8 * air.glint
        base = base + air.light * glow
        if not clouds:
            return base
        return self._clouded(base, way, up, facing)

    def _clouded(self, base: Tensor, way: Tensor, up: Tensor, facing: Tensor) -> Tensor:
        """A flat layer of clouds, dark below, bright at the edges that face the sun."""
        air = self.weather.air
        u, v = way[0] / (up + 0.12) * self.scale + self.shift, way[1] / (up + 0.12) * self.scale
        thick = self.clouds.one(u, v) + 0.25 * self.wisps.one(u * 0.6, v * 0.6) - self.cover
        towards = self.clouds.one(u + 0.10 * self.sun[0], v + 0.10 * self.sun[1]) - self.cover
        mask = (torch.sigmoid(3.2 * thick) * (up * 12).clamp(0, 1)).clamp(0, 1)
        shade = (1.0 - 0.42 * towards.clamp(0, 2) + 0.35 * (thick - towards).clamp(-1, 1)).clamp(0.2, 1.4)
        rim = air.light * facing**5 * (mask * (1 - mask)) * 2.2
        below = 0.62 * air.horizon + 0.28 * air.zenith
        above = 0.30 * air.horizon + 0.62 * air.light * (0.15 if self.weather.name == "moon" else 1.0)
        cloud = below + (above - below) * shade.clamp(0, 1)
        return base * (1 - 0.93 * mask) + cloud * shade.clamp(0.6, 1.15) * 0.93 * mask + rim
