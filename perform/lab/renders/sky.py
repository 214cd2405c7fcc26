"""The sky over the sea, and its weathers. Directions are [3,*] with x right, y ahead, z up; light is linear."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from perform.lab.renders.noise import Dice, Table, colour, fractal


@dataclass(frozen=True)
class Weather:
    """Light and water of one kind of day. `sun` is the height of the sun (radians), `cover` how much of the sky clouds
    take, `wind` m/s, `haze` the share of the horizon's light in what is far, `glint` how much of the sun comes through.
    """

    name: str
    zenith: Tensor
    horizon: Tensor
    light: Tensor
    deep: Tensor
    lit: Tensor
    sun: tuple[float, float]
    cover: tuple[float, float]
    wind: tuple[float, float]
    exposure: float
    haze: float = 0.8
    glint: float = 1.0


WEATHERS = (
    Weather(
        "noon",
        colour(0.08, 0.24, 0.62),
        colour(0.55, 0.70, 0.86),
        colour(1.0, 0.95, 0.86),
        colour(0.004, 0.045, 0.13),
        colour(0.0, 0.36, 0.42),
        (0.5, 1.1),
        (-0.2, 0.9),
        (6, 13),
        1.1,
    ),
    Weather(
        "lagoon",
        colour(0.10, 0.30, 0.62),
        colour(0.62, 0.78, 0.88),
        colour(1.0, 0.96, 0.88),
        colour(0.01, 0.16, 0.24),
        colour(0.04, 0.62, 0.58),
        (0.7, 1.2),
        (0.3, 1.3),
        (4, 8),
        1.1,
    ),
    Weather(
        "gold",
        colour(0.13, 0.20, 0.38),
        colour(1.0, 0.56, 0.24),
        colour(1.0, 0.58, 0.22),
        colour(0.012, 0.03, 0.06),
        colour(0.12, 0.22, 0.16),
        (0.05, 0.2),
        (-0.3, 0.7),
        (5, 12),
        1.1,
    ),
    Weather(
        "red",
        colour(0.20, 0.14, 0.34),
        colour(0.95, 0.34, 0.26),
        colour(1.0, 0.36, 0.18),
        colour(0.015, 0.02, 0.06),
        colour(0.18, 0.12, 0.18),
        (0.015, 0.1),
        (-0.5, 0.5),
        (4, 11),
        1.15,
    ),
    Weather(
        "grey",
        colour(0.40, 0.47, 0.53),
        colour(0.70, 0.74, 0.77),
        colour(0.85, 0.87, 0.88),
        colour(0.012, 0.06, 0.07),
        colour(0.08, 0.32, 0.30),
        (0.5, 1.0),
        (-0.9, 0.0),
        (8, 17),
        0.95,
        glint=0.08,
    ),
    Weather(
        "storm",
        colour(0.11, 0.15, 0.19),
        colour(0.40, 0.46, 0.50),
        colour(0.62, 0.68, 0.72),
        colour(0.006, 0.035, 0.045),
        colour(0.02, 0.24, 0.23),
        (0.35, 0.7),
        (-1.2, -0.4),
        (14, 20),
        1.25,
        glint=0.05,
    ),
    Weather(
        "dawn",
        colour(0.30, 0.36, 0.56),
        colour(0.96, 0.70, 0.62),
        colour(1.0, 0.72, 0.56),
        colour(0.03, 0.06, 0.11),
        colour(0.16, 0.24, 0.28),
        (0.03, 0.16),
        (-0.2, 0.9),
        (3, 8),
        1.0,
        0.95,
    ),
    Weather(
        "moon",
        colour(0.012, 0.03, 0.085),
        colour(0.06, 0.11, 0.21),
        colour(0.62, 0.74, 1.0),
        colour(0.002, 0.008, 0.024),
        colour(0.0, 0.05, 0.09),
        (0.2, 0.6),
        (0.1, 1.2),
        (4, 11),
        1.7,
    ),
)


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
        height, aside = dice(*weather.sun), dice(-0.7, 0.7)
        sun = math.sin(aside) * math.cos(height), math.cos(aside) * math.cos(height), math.sin(height)
        clouds, wisps = fractal(30 + dice.pick(4), 7, 0.52), fractal(40 + dice.pick(2), 6, 0.6, ridged=True)
        return cls(weather, sun, clouds, wisps, dice(*weather.cover), dice(0.5, 1.3), dice(0, 8))

    def light(self, way: Tensor, clouds: bool = True) -> Tensor:
        """What comes from directions `way` [3,S,S]: [3,S,S], 0 and up. 40 ms at 480 x 480."""
        weather = self.weather
        up = way[2].clamp(min=0)
        base = weather.horizon + (weather.zenith - weather.horizon) * (up * 2.0).clamp(0, 1) ** 0.55
        facing = sum(way[axis] * self.sun[axis] for axis in range(3)).clamp(0, 1)  # type: ignore[union-attr]
        glow = facing**6 * 0.22 + facing**50 * 0.35 + facing**1800 * 8 * weather.glint
        base = base + weather.light * glow
        if not clouds:
            return base
        return self._clouded(base, way, up, facing)

    def _clouded(self, base: Tensor, way: Tensor, up: Tensor, facing: Tensor) -> Tensor:
        """A flat layer of clouds, dark below, bright at the edges that face the sun."""
        weather = self.weather
        u, v = way[0] / (up + 0.12) * self.scale + self.shift, way[1] / (up + 0.12) * self.scale
        thick = self.clouds.one(u, v) + 0.25 * self.wisps.one(u * 0.6, v * 0.6) - self.cover
        towards = self.clouds.one(u + 0.10 * self.sun[0], v + 0.10 * self.sun[1]) - self.cover
        mask = (torch.sigmoid(3.2 * thick) * (up * 12).clamp(0, 1)).clamp(0, 1)
        shade = (1.0 - 0.42 * towards.clamp(0, 2) + 0.35 * (thick - towards).clamp(-1, 1)).clamp(0.2, 1.4)
        rim = weather.light * facing**5 * (mask * (1 - mask)) * 2.2
        below = 0.62 * weather.horizon + 0.28 * weather.zenith
        above = 0.30 * weather.horizon + 0.62 * weather.light * (0.15 if weather.name == "moon" else 1.0)
        cloud = below + (above - below) * shade.clamp(0, 1)
        return base * (1 - 0.93 * mask) + cloud * shade.clamp(0.6, 1.15) * 0.93 * mask + rim
