"""The condition: what a picture is reduced to before a world dreams on it.

After *Learning to See* (Akten, Fiebrink, Grierson 2020).

One definition, two twins: this file (training) and a shader (live). Both do, in this order, on display values in 0..1:

1. luma      v = 0.299 R + 0.587 G + 0.114 B
2. reduce    cells: w = max(1, round(W / reduce)), h = max(1, round(H / reduce)), round half to even (Python's `round`).
             Cell i of w is the plain mean of the pixels floor(i W / w) .. ceil((i + 1) W / w) - 1, both included;
             the same vertically, and the mean is over the rectangle
             (torch: F.interpolate(mode="area") = adaptive average pooling).
3. cubic up  back to W x H: pixel x reads at s = (x + 0.5) w / W - 0.5, from the 4 cells floor(s) - 1 .. floor(s) + 2,
             indices clamped to 0 .. w - 1, with Keys' kernel, a = -0.75
             (torch: F.interpolate(mode="bicubic", align_corners=False)). No clamping of values yet.
             |d| <= 1:     k(d) = (a + 2)|d|^3 - (a + 3)|d|^2 + 1
             1 < |d| < 2:  k(d) = a|d|^3 - 5a|d|^2 + 8a|d| - 4a
4. points    v = (v - black) / max(white - black, 0.001)
5. gamma     v = v clamped to 0..1, ^ (1 / gamma)
6. contrast  v = (v - 0.5) contrast + 0.5
7. brightness v = v + brightness
8. invert    v = v + (1 - 2 v) invert            (0 or 1; between them it fades)
9. grain     v = v + grain g(x, y), g of about unit variance, a hash of the pixel (`speckle`): it stands still. A
             network has no dice: from a smooth input it can only draw what its rows tell it, stripes. It was trained
             with sensor noise, and makes detail of that
10. clamp to 0..1, then 8 bits: floor(255 v + 0.5); written as grey with alpha 255
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from perform.networks import LUMA


def luma(rgb: Tensor) -> Tensor:
    """Rec. 601 luma of display values: [B,3,H,W] to [B,1,H,W], same range."""
    return rgb[:, 0:1] * LUMA[0] + rgb[:, 1:2] * LUMA[1] + rgb[:, 2:3] * LUMA[2]


def cells(width: int, height: int, reduce: float) -> tuple[int, int]:
    """(columns, rows) of the grid that a width x height picture is reduced to at `reduce` pixels a cell; at least 1 x
    1.
    """
    return max(1, round(width / reduce)), max(1, round(height / reduce))


def shrink(grey: Tensor, reduce: float, size: tuple[int, int] | None = None) -> Tensor:
    """Steps 2 and 3: area down, cubic up. grey [B,1,H,W]; `size` (height, width) is the result's, the input's by
    default.
    """
    height, width = size or (grey.shape[2], grey.shape[3])
    columns, rows = cells(width, height, reduce)
    small = F.interpolate(grey, (rows, columns), mode="area")
    return F.interpolate(small, (height, width), mode="bicubic", align_corners=False)


def tone(
    v: Tensor,
    black: float | Tensor = 0.0,
    white: float | Tensor = 1.0,
    gamma: float | Tensor = 1.0,
    contrast: float | Tensor = 1.0,
    brightness: float | Tensor = 0.0,
    invert: float | Tensor = 0.0,
    grain: float | Tensor = 0.0,
) -> Tensor:
    """Steps 4 to 10, still float: values n/255 in 0..1. Each control is a number or a tensor that broadcasts; `grain`
    is already multiplied with its pattern.
    """
    span = torch.clamp(torch.as_tensor(white) - torch.as_tensor(black), min=0.001).to(v.device)
    v = ((v - black) / span).clamp(0.0, 1.0) ** (1.0 / torch.as_tensor(gamma, device=v.device))
    v = (v - 0.5) * contrast + 0.5 + brightness
    v = v + (1.0 - 2.0 * v) * invert
    return quantise(v + grain)


@lru_cache(maxsize=8)
def speckle(height: int, width: int) -> Tensor:
    """The still grain [height,width], mean 0 and variance about 1: four bytes of a hash of column and row, summed. The
    same numbers as in the shader.
    """
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    h = (x * 0x9E3779B1 + y * 0x85EBCA77) & 0xFFFFFFFF
    h = _times(h ^ (h >> 16), 0x7FEB352D)
    h = _times(h ^ (h >> 15), 0x846CA68B)
    h = h ^ (h >> 16)
    total = (h & 255) + ((h >> 8) & 255) + ((h >> 16) & 255) + (h >> 24)
    return (total.float() - 510.0) / 147.8


def _times(h: Tensor, factor: int) -> Tensor:
    """h * factor in 32 bits, where 64 signed ones would overflow."""
    return ((h * (factor & 0xFFFF)) + (((h * (factor >> 16)) & 0xFFFF) << 16)) & 0xFFFFFFFF


def quantise(v: Tensor) -> Tensor:
    """Clamp to 0..1 and round to n/255, as an 8-bit texture does on the way to the network."""
    return torch.floor(v.clamp(0.0, 1.0) * 255.0 + 0.5) / 255.0


def condition(
    picture: Tensor,
    reduce: float = 16.0,
    black: float = 0.0,
    white: float = 1.0,
    gamma: float = 1.0,
    contrast: float = 1.0,
    brightness: float = 0.0,
    invert: float = 0.0,
    grain: float = 0.0,
) -> Tensor:
    """The whole condition of one picture or a batch, deterministic.

    picture: uint8 or float 0..1, [H,W,3|4] or [B,H,W,3|4]. Returns uint8 RGBA of the same size: grey, alpha 255.
    Raises ValueError for other shapes or a `reduce` or `gamma` that is not positive.
    """
    if picture.ndim not in (3, 4) or picture.shape[-1] not in (3, 4):
        raise ValueError(f"a picture is [H,W,3|4] or [B,H,W,3|4], not {tuple(picture.shape)}")
    if not (reduce > 0 and gamma > 0):
        raise ValueError("reduce and gamma must be positive")
    batch = picture if picture.ndim == 4 else picture[None]
    x = batch[..., :3].permute(0, 3, 1, 2).float()
    x = x / 255.0 if picture.dtype == torch.uint8 else x
    pattern = grain * speckle(*x.shape[2:]).to(x.device) if grain else 0.0
    v = tone(shrink(luma(x), reduce), black, white, gamma, contrast, brightness, invert, pattern)
    grey = (v * 255.0 + 0.5).to(torch.uint8).permute(0, 2, 3, 1)
    rgba = torch.cat([grey.expand(-1, -1, -1, 3), torch.full_like(grey, 255)], -1)
    return rgba if picture.ndim == 4 else rgba[0]


@lru_cache(maxsize=8)
def _reductions(side: int, size: int, fewest: int, most: int, device: torch.device) -> Tensor:
    """Steps 2 and 3 along one axis as matrices [most - fewest + 1, size, side], one for each number of cells.

    Area means and cubic weights are both linear and separable, so a reduction is W x W^T, and a whole batch with
    cells of many sizes is two matrix products.
    """
    eye = torch.eye(side)[None, None]
    rows = []
    for count in range(fewest, most + 1):
        small = F.interpolate(eye, (side, count), mode="area")
        rows.append(F.interpolate(small, (side, size), mode="bicubic", align_corners=False)[0, 0].T)
    return torch.stack(rows).to(device)


@dataclass(frozen=True)
class Controls:
    """What a performer might have dialled in, one set for each of B pictures: cells a side [B], tone [B,1,1,1] each."""

    cells: Tensor | None
    gamma: Tensor
    contrast: Tensor
    brightness: Tensor
    grain: Tensor
    span: tuple[int, int]  # the fewest and the most cells a side there can be

    def tail(self, count: int) -> Controls:
        """Those of the last `count` pictures."""
        cells = self.cells[-count:] if self.cells is not None else None
        names = ("gamma", "contrast", "brightness", "grain")
        return replace(self, cells=cells, **{name: getattr(self, name)[-count:] for name in names})


def controls(count: int, rng: torch.Generator, size: int, finest: float = 9.0, coarsest: float = 28.0) -> Controls:
    """Controls at random for pictures of `size` pixels a side, on the CPU. Cell sizes are log-uniform in
    `finest`..`coarsest` pixels; brightness +-.15 (one in four: +-.4), contrast .7..1.4, gamma .7..1.45, grain up to
    .02. With `coarsest` at 1 or below nothing is reduced: pairs keep their lines.
    """

    def draw(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, 1, 1, 1, generator=rng)

    sides = torch.exp(draw(math.log(finest), math.log(coarsest))).flatten()
    span = (cells(size, size, coarsest)[0], cells(size, size, finest)[0])
    chosen = (size / sides).round().long().clamp(*span) if coarsest > 1 else None
    brightness = draw(-1.0, 1.0) * torch.where(draw(0.0, 1.0) < 0.25, 0.4, 0.15)
    return Controls(chosen, torch.exp(draw(-0.36, 0.36)), draw(0.7, 1.4), brightness, draw(0.0, 0.02), span)


def apply(grey: Tensor, dialled: Controls, rng: torch.Generator, size: int) -> Tensor:
    """The condition of pictures [B,1,h,h] in 0..1 (any resolution, any device) under their controls, with grain:
    [B,1,size,size], values n/255.
    """
    device, v = grey.device, grey.float()
    if dialled.cells is not None:
        table = _reductions(grey.shape[2], size, *dialled.span, device)
        weights = table[(dialled.cells - dialled.span[0]).to(device)]
        v = (weights @ v[:, 0] @ weights.transpose(1, 2))[:, None]
    tones = {name: getattr(dialled, name).to(device) for name in ("gamma", "contrast", "brightness")}
    v = tone(v, **tones)
    return quantise(v + noise(v.shape, rng, device) * dialled.grain.to(device))


def augment(grey: Tensor, rng: torch.Generator, size: int, finest: float = 9.0, coarsest: float = 28.0) -> Tensor:
    """A training condition: the same maths with `controls` drawn at random, so that whatever a performer dials in was
    seen before. grey [B,1,h,h] in 0..1 to [B,1,size,size], values n/255.
    """
    return apply(grey, controls(len(grey), rng, size, finest, coarsest), rng, size)


def noise(shape: Sequence[int], rng: torch.Generator, device: torch.device) -> Tensor:
    """Unit normal noise on a device, a function of the CPU generator alone: what resumes there resumes here."""
    if device.type == "cpu":
        return torch.randn(tuple(shape), generator=rng)
    seed = int(torch.randint(0, 2**62, (1,), generator=rng))
    there = torch.Generator(device).manual_seed(seed)
    return torch.randn(tuple(shape), generator=there, device=device)
