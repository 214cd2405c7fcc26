"""The open sea: rays from a lens into a field of waves, and what they find there: reflected sky, lit water, foam.

Seen at eye level, from low above the swell, from a cliff or a plane, in eight weathers (`weathers.WEATHERS`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from perform.lab.renders import waves
from perform.lab.renders.noise import Dice, Table, fractal, mesh
from perform.lab.renders.sky import Sky
from perform.lab.renders.weathers import WEATHERS

LARGER = 1.5  # rendered so much larger, for glitter finer than a pixel
FARTHEST = 3000.0  # metres


@dataclass(frozen=True)
class Camera:
    """Metres above the mean sea, where it looks (pitch below the horizon and roll, radians), how wide (tangent)."""

    height: float
    pitch: float
    roll: float
    wide: float
    right: float
    ahead: float

    @classmethod
    def of(cls, dice: Dice, swell: float, dim: bool) -> Camera:
        """In dim light never from above: there the water would be black."""
        kind = dice(0, 0.68 if dim else 1)
        if kind < 0.5:  # a person on deck or shore
            height, pitch = dice(2.5, 9), dice(-0.06, 0.24)
        elif kind < 0.68:  # just above the swell
            height, pitch = dice(1.2, 2.2), dice(-0.03, 0.16)
        elif kind < 0.86:  # a cliff, a drone
            height, pitch = dice(14, 60), dice(0.25, 0.75)
        else:  # straight down
            height, pitch = dice(14, 34), dice(0.8, 1.4)
        return cls(height + 2.2 * swell, pitch, dice(-0.04, 0.04), dice(0.32, 0.62), dice(0, 999), dice(0, 999))

    def rays(self, side: int) -> Tensor:
        """Directions [3,side,side] of unit length."""
        x, y = mesh(side)
        x, y = x * math.cos(self.roll) + y * math.sin(self.roll), y * math.cos(self.roll) - x * math.sin(self.roll)
        right, up = x * self.wide, -y * self.wide
        ahead = torch.cos(torch.tensor(self.pitch)) + up * math.sin(self.pitch)
        up = up * math.cos(self.pitch) - math.sin(self.pitch)
        way = torch.stack([right, ahead, up])
        length: Tensor = way.norm(dim=0, keepdim=True)
        return way / length


@dataclass(frozen=True)
class Sea:
    """Swell and ripples; where the swell is squeezed below `breaks` it foams."""

    swell: Table
    ripples: Table
    breaks: float
    amplitude: float

    @classmethod
    def of(cls, speed: float, dice: Dice) -> Sea:
        way, rng = dice(0, 2 * math.pi), dice.generator
        amplitude = dice(0.45, 0.9) * (speed / 14) ** 2 + 0.05
        swell = waves.patch(rng, dice(150, 240), waves.Wind(speed, way, amplitude, 1.15, 0.45))
        ripple = waves.Wind(dice(3.5, 6), way + dice(-0.6, 0.6), dice(0.045, 0.085), 1.0, 0.025)
        foaming = dice(0.0, 0.012) + dice(0.2, 1) * 0.05 * max(0.0, (speed - 7) / 10)  # the share of the sea that does
        breaks = float(swell.values[0, 3].quantile(foaming))
        return cls(swell, waves.patch(rng, dice(15, 27), ripple), breaks, amplitude)


def render(seed: int, side: int) -> Tensor:
    """Sea number `seed`: [3,side,side] in 0..1. About 0.6 s of one core at 320."""
    dice = Dice(52_000 + seed)
    weather = WEATHERS[seed % len(WEATHERS)]
    sky = Sky.of(weather, dice)
    sea = Sea.of(dice(*weather.varies.wind), dice)
    camera = Camera.of(dice, sea.amplitude, sky.sun[2] < 0.3 or weather.name == "moon")
    way = camera.rays(round(side * LARGER))
    far = _march(sea, camera, way)
    water = _water(sea, sky, camera, way, far, dice)
    wet = torch.sigmoid((-way[2] - 0.0012) / 0.0008)
    picture = water * wet + sky.light(way) * (1 - wet)
    small = F.interpolate(picture[None], (side, side), mode="area")[0]
    return _developed(small * weather.exposure * dice(0.85, 1.15), dice)


def _march(sea: Sea, camera: Camera, way: Tensor) -> Tensor:
    """How far along each ray the water is, metres [S,S]: steps from the highest to the lowest wave, then halving."""
    down = (-way[2]).clamp(min=0.0012)
    reach = 3.6 * sea.amplitude
    near = ((camera.height - reach) / down).clamp(0.3, FARTHEST)
    last = ((camera.height + reach) / down).clamp(0.3, FARTHEST)
    low, high = near.clone(), last.clone()
    found = torch.zeros_like(near, dtype=torch.bool)
    steps = 28
    for step in range(1, steps + 1):
        here = near + (last - near) * (step / steps)
        below = camera.height + way[2] * here < _height(sea, camera, way, here)
        first = below & ~found
        high = torch.where(first, here, high)
        low = torch.where(found | first, low, here)
        found |= below
    for _ in range(5):
        here = (low + high) / 2
        below = camera.height + way[2] * here < _height(sea, camera, way, here)
        high, low = torch.where(below, here, high), torch.where(below, low, here)
    return high


def _height(sea: Sea, camera: Camera, way: Tensor, far: Tensor) -> Tensor:
    return sea.swell.one(camera.right + way[0] * far, camera.ahead + way[1] * far)


@dataclass(frozen=True)
class Surface:
    """The water that rays meet: where (metres), swell and ripples there, which way it faces; `near` is 1 in the
    foreground and falls to 0 where ripples are too small to be seen.
    """

    place: tuple[Tensor, Tensor]
    swell: Tensor
    ripples: Tensor
    normal: Tensor
    near: Tensor

    @classmethod
    def at(cls, sea: Sea, camera: Camera, way: Tensor, far: Tensor) -> Surface:
        u, v = camera.right + way[0] * far, camera.ahead + way[1] * far
        swell, ripples = sea.swell(u, v), sea.ripples(u, v)
        near = torch.exp(-far / (70 + 5 * camera.height))
        gusts = 0.75 + 0.35 * fractal(5, 4, 0.5).one(u * 0.02, v * 0.02)
        finest = sea.ripples(u * 4.3 + 7, v * 4.3)  # ripples on ripples, in the foreground
        slopes = swell[1:3] * torch.exp(-far / 1200) + ripples[1:3] * (0.12 + 0.83 * near) * gusts
        slopes = slopes + finest[1:3] * (0.65 * torch.exp(-far / 24)) * gusts
        normal = torch.cat([-slopes, torch.ones_like(slopes[:1])])
        return cls((u, v), swell, ripples, normal / normal.norm(dim=0, keepdim=True), near)


def _water(sea: Sea, sky: Sky, camera: Camera, way: Tensor, far: Tensor, dice: Dice) -> Tensor:
    """Light from the water [3,S,S]: what it mirrors, what shines through, the sun on it, foam, mist before it."""
    weather, surface = sky.weather, Surface.at(sea, camera, way, far)
    normal, sun = surface.normal, torch.tensor(sky.sun).view(3, 1, 1)
    facing = (-(way * normal).sum(0)).clamp(0.02, 1)
    # Schlick's approximation; what is too far to show its ripples is rough, and mirrors less
    mirror = 0.02 + 0.98 * (1 - facing) ** 5 / (1 + 0.75 * (1 - surface.near))
    reflected = way + 2 * facing * normal
    reflected = torch.cat([reflected[:2], reflected[2:].abs() + 0.02])
    bright = sky.light(reflected / reflected.norm(dim=0, keepdim=True)).clamp(max=2.0)
    picture = _body(sea, sky, surface, way, facing) * (1 - mirror) + bright * mirror
    half = sun - way
    glint = ((half * normal).sum(0) / half.norm(dim=0)).clamp(0, 1)
    sparkle = (glint**900 * 7 + glint**140 * 0.5 + glint**30 * 0.05) * (0.25 + mirror) * weather.air.glint
    picture = _foamed(picture + weather.air.light * sparkle, sea, sky, surface, dice)
    mist = 1 - torch.exp(-((far / 1400) ** 1.1))
    flat = torch.cat([way[:2], torch.full_like(way[2:], 0.004)])
    misty: Tensor = picture + (sky.light(flat, clouds=False) - picture) * (weather.air.haze * mist)
    return misty


def _body(sea: Sea, sky: Sky, surface: Surface, way: Tensor, facing: Tensor) -> Tensor:
    """The colour of the water itself: crests against the light shine, slopes that face the sun are lit from within."""
    sun = torch.tensor(sky.sun).view(3, 1, 1)
    crest = ((surface.swell[0] + surface.ripples[0] * 1.5) / (2.2 * sea.amplitude)).clamp(-1, 1.6)
    against = (0.5 + 0.5 * (way[0] * sky.sun[0] + way[1] * sky.sun[1])).clamp(0, 1)
    through = (crest + 0.4).clamp(0, 2) ** 2 * (0.35 + 0.65 * against) * (1 - 0.5 * facing)
    towards = (surface.normal * sun).sum(0) - surface.normal[2] * sky.sun[2]
    water = sky.weather.water
    return (water.deep + water.lit * (0.07 + 0.24 * through)) * (1 + 1.6 * towards).clamp(0.35, 2.2)


def _foamed(picture: Tensor, sea: Sea, sky: Sky, surface: Surface, dice: Dice) -> Tensor:
    """Fresh foam where the swell is squeezed most, and around it what older foam leaves behind: lace."""
    u, v = surface.place
    lace = fractal(50 + dice.pick(2), 7, 0.68, ridged=True)
    streaks = lace.one(u * 0.55, v * 0.55) * 0.6 + lace.one(u * 1.9, v * 1.9) * 0.4
    patches = fractal(30, 4, 0.5).one(u * 0.06, v * 0.06)
    over = sea.breaks + 0.05 * patches - surface.swell[3] + 0.06 * (0.8 - surface.ripples[3]) * surface.near
    fresh = (over * 9).clamp(0, 1)
    old = torch.sigmoid((over + 0.16) * 12)
    foam = torch.maximum(fresh * (0.75 + 0.35 * streaks), 0.8 * torch.sigmoid(5 * (streaks + 2.2 * old - 2.1)) * old)
    foam = 0.93 * foam.clamp(0, 1)
    lit = (surface.normal * torch.tensor(sky.sun).view(3, 1, 1)).sum(0).clamp(0, 1)
    tinted = 0.45 * sky.weather.air.horizon + 0.40 * sky.weather.air.light
    white = (0.5 * tinted + 0.42 * tinted.mean() + 0.04) * (0.6 + 0.5 * lit)
    return picture * (1 - foam) + white * foam


def _developed(light: Tensor, dice: Dice) -> Tensor:
    """Linear light to a photograph: a filmic curve (after Narkowicz 2015), gamma, a little warmth or coolness."""
    tone = light * (2.51 * light + 0.03) / (light * (2.43 * light + 0.59) + 0.14)
    tone = tone.clamp(0, 1) ** (1 / 1.35)
    warm = dice(-0.025, 0.025)
    return (tone * torch.tensor([1 + warm, 1.0, 1 - warm]).view(3, 1, 1)).clamp(0, 1)
