"""Does a dream hold still, move along with its input, and keep from shimmering?

Everything here starts from what a camera sees, before the condition: light [1,1,H,W] in 0..1, with sensor noise in
bytes. `play` is the whole road from there to the screen: camera pictures [T,1,H,W] to RGB [T,3,S,S] in -1..1. Results
are in bytes of the screen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

Play = Callable[[Tensor], Tensor]
FPS = 60
CUT = 8.0  # Hz: what moves faster, at these speeds, is flicker and no motion


def noisy(pictures: Tensor, rng: torch.Generator, grain: float) -> Tensor:
    """Camera pictures with normal noise of `grain` bytes, in whole bytes again."""
    shaken = pictures * 255 + grain * torch.randn(pictures.shape, generator=rng)
    return shaken.round().clamp(0, 255) / 255


def tremble(play: Play, still: Tensor, rng: torch.Generator, grain: float = 4.0, frames: int = 8) -> float:
    """How much a dream of a still picture [1,1,H,W] trembles under sensor noise: the standard deviation over time of a
    pixel, root mean square over pixels.
    """
    dream = play(noisy(still.expand(frames, -1, -1, -1), rng, grain)) * 127.5
    return float(dream.var(0).mean().sqrt())


def pan(picture: Tensor, steps: Sequence[int], side: int) -> Tensor:
    """Windows [T,1,side,side] of a wider picture [1,1,H,W], moved by so many pixels to the right and half as many down
    from its middle: what it shows moves left.
    """
    height, width = picture.shape[2:]
    top, left = (height - side) // 2, (width - side) // 2
    if max(abs(step) for step in steps) > left or max(abs(step) // 2 for step in steps) > top:
        raise ValueError(f"a picture of {width} x {height} pixels is too small to pan {max(steps)} pixels")
    windows = [
        picture[:, :, top + step // 2 : top + step // 2 + side, left + step : left + step + side] for step in steps
    ]
    return torch.cat(windows)


def warp_pan(play: Play, picture: Tensor, side: int, steps: Sequence[int] = (0, 4, 8, 12), margin: int = 32) -> float:
    """Warp error (Lai et al. 2018, with the motion known instead of estimated) of a pan: mean absolute difference
    between a dream of the moved picture and the dream moved, its borders left out.
    """
    dreams = play(pan(picture, steps, side)) * 127.5
    total = []
    for (before, after), (one, two) in zip(pairwise(steps), pairwise(dreams), strict=True):
        right, down = after - before, after // 2 - before // 2
        moved = torch.roll(one, (-down, -right), (1, 2))
        total.append((moved - two)[:, margin:-margin, margin:-margin].abs().mean())
    return float(torch.stack(total).mean())


def zoomed(picture: Tensor, scale: float) -> Tensor:
    """A picture [B,C,H,W] `scale` times as large about its middle, bilinear."""
    theta = torch.tensor([[1 / scale, 0.0, 0.0], [0.0, 1 / scale, 0.0]]).expand(len(picture), -1, -1)
    grid = F.affine_grid(theta, list(picture.shape), align_corners=False)
    return F.grid_sample(picture, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def warp_zoom(play: Play, picture: Tensor, scale: float = 1.04, frames: int = 3, margin: int = 32) -> float:
    """The same of a slow zoom: each frame `scale` times the one before. The dream is resampled once to compare, as its
    input was; a perfect dream would still be off by that resampling.
    """
    dreams = play(torch.cat([zoomed(picture, scale**frame) for frame in range(frames)])) * 127.5
    inner = (slice(None), slice(margin, -margin), slice(margin, -margin))
    total = [(zoomed(one[None], scale)[0] - two)[inner].abs().mean() for one, two in pairwise(dreams)]
    return float(torch.stack(total).mean())


def drift(picture: Tensor, side: int, frames: int, speed: float = 16.0) -> Tensor:
    """Windows [frames,1,side,side] over a wider picture, drifting `speed` pixels a second at 60 frames a second, by
    fractions of a pixel: a slow hand.
    """
    height, width = picture.shape[2:]
    if speed * frames / FPS > min(height, width) - side:
        raise ValueError(f"a picture of {width} x {height} pixels is too small to drift for {frames} frames")
    line = (torch.arange(side) + 0.5) * 2
    out = []
    for frame in range(frames):
        away = 2 * speed * frame / FPS
        y, x = torch.meshgrid((line + away / 2) / height - 1, (line + away) / width - 1, indexing="ij")
        out.append(F.grid_sample(picture, torch.stack([x, y], -1)[None], mode="bilinear", align_corners=False))
    return torch.cat(out)


def shimmer(sequence: Tensor, fps: float = FPS, cut: float = CUT) -> float:
    """The amplitude (root mean square, in bytes) of what changes faster than `cut` Hz in [T,3,H,W] in -1..1.

    A straight line through each pixel is taken away and a Hann window applied first, so that slow motion does not leak.
    """
    count = len(sequence)
    if count < 2 * fps / cut:
        raise ValueError(f"{count} frames at {fps:g} a second are too few to tell {cut:g} Hz from slow motion")
    x = sequence.flatten(1).double() * 127.5
    time = torch.linspace(-1, 1, count, dtype=torch.float64)[:, None]
    x = x - x.mean(0) - time * (x * time).sum(0) / time.square().sum()
    window = torch.hann_window(count, periodic=True, dtype=torch.float64)[:, None]
    power = torch.fft.rfft(x * window, dim=0).abs().square().mean(1)
    frequency = torch.arange(len(power)) * fps / count
    double = torch.where((torch.arange(len(power)) == 0) | (torch.arange(len(power)) * 2 == count), 1.0, 2.0)
    energy = (power * double)[frequency > cut].sum() / (count * window.square().sum())
    return float(energy.sqrt())
