"""Eight weathers at sea: the colours of air and water, in linear light, and what varies from picture to picture."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from perform.lab.renders.noise import colour

Range = tuple[float, float]


@dataclass(frozen=True)
class Air:
    """Colours of the sky overhead, of the horizon, of the sun; how much of the horizon's light lies before what is
    far, and how much of the sun comes through.
    """

    zenith: Tensor
    horizon: Tensor
    light: Tensor
    haze: float = 0.8
    glint: float = 1.0


@dataclass(frozen=True)
class Water:
    """Its colour where it is deep, and where light shines through it."""

    deep: Tensor
    lit: Tensor


@dataclass(frozen=True)
class Varies:
    """Height of the sun (radians), how far clouds stay away (standard deviations of their noise), wind (m/s)."""

    sun: Range
    cover: Range
    wind: Range


@dataclass(frozen=True)
class Weather:
    """One kind of day; `exposure` is the camera's."""

    name: str
    air: Air
    water: Water
    varies: Varies
    exposure: float


WEATHERS = (
    Weather(
        "noon",
        Air(colour(0.08, 0.24, 0.62), colour(0.55, 0.70, 0.86), colour(1.0, 0.95, 0.86)),
        Water(colour(0.004, 0.045, 0.13), colour(0.0, 0.36, 0.42)),
        Varies(sun=(0.5, 1.1), cover=(-0.2, 0.9), wind=(6, 13)),
        1.1,
    ),
    Weather(
        "lagoon",
        Air(colour(0.10, 0.30, 0.62), colour(0.62, 0.78, 0.88), colour(1.0, 0.96, 0.88)),
        Water(colour(0.01, 0.16, 0.24), colour(0.04, 0.62, 0.58)),
        Varies(sun=(0.7, 1.2), cover=(0.3, 1.3), wind=(4, 8)),
        1.1,
    ),
    Weather(
        "gold",
        Air(colour(0.13, 0.20, 0.38), colour(1.0, 0.56, 0.24), colour(1.0, 0.58, 0.22)),
        Water(colour(0.012, 0.03, 0.06), colour(0.12, 0.22, 0.16)),
        Varies(sun=(0.05, 0.2), cover=(-0.3, 0.7), wind=(5, 12)),
        1.1,
    ),
    Weather(
        "red",
        Air(colour(0.20, 0.14, 0.34), colour(0.95, 0.34, 0.26), colour(1.0, 0.36, 0.18)),
        Water(colour(0.015, 0.02, 0.06), colour(0.18, 0.12, 0.18)),
        Varies(sun=(0.015, 0.1), cover=(-0.5, 0.5), wind=(4, 11)),
        1.15,
    ),
    Weather(
        "grey",
        Air(colour(0.40, 0.47, 0.53), colour(0.70, 0.74, 0.77), colour(0.85, 0.87, 0.88), glint=0.08),
        Water(colour(0.012, 0.06, 0.07), colour(0.08, 0.32, 0.30)),
        Varies(sun=(0.5, 1.0), cover=(-0.9, 0.0), wind=(8, 17)),
        0.95,
    ),
    Weather(
        "storm",
        Air(colour(0.11, 0.15, 0.19), colour(0.40, 0.46, 0.50), colour(0.62, 0.68, 0.72), glint=0.05),
        Water(colour(0.006, 0.035, 0.045), colour(0.02, 0.24, 0.23)),
        Varies(sun=(0.35, 0.7), cover=(-1.2, -0.4), wind=(14, 20)),
        1.25,
    ),
    Weather(
        "dawn",
        Air(colour(0.30, 0.36, 0.56), colour(0.96, 0.70, 0.62), colour(1.0, 0.72, 0.56), haze=0.95),
        Water(colour(0.03, 0.06, 0.11), colour(0.16, 0.24, 0.28)),
        Varies(sun=(0.03, 0.16), cover=(-0.2, 0.9), wind=(3, 8)),
        1.0,
    ),
    Weather(
        "moon",
        Air(colour(0.012, 0.03, 0.085), colour(0.06, 0.11, 0.21), colour(0.62, 0.74, 1.0)),
        Water(colour(0.002, 0.008, 0.024), colour(0.0, 0.05, 0.09)),
        Varies(sun=(0.2, 0.6), cover=(0.1, 1.2), wind=(4, 11)),
        1.7,
    ),
)
