"""Pictures in pairs (pix2pix): two folders `A` (what is given) and `B` (what is to be dreamt) with files of the same
names, or one folder of pictures that show both side by side, the given one on the left.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO

import torch
import torch.nn.functional as F
from torch import Tensor

from perform.lab import photos
from perform.lab.photos import folder
from perform.lab.photos.picture import CROP, Refused, read
from perform.lab.worlds import World

Pair = tuple[str, Tensor, Tensor]  # name, given, target


def take(path: Path, least: int = photos.LEAST) -> photos.Found:
    """A world of pairs. Raises ValueError, one sentence, if they are none or too few."""
    if not path.is_dir():
        raise ValueError(f"pairs come in a folder, and {path} is none")
    refused: list[str] = []
    pairs = list(_two(path, refused) if (path / "A").is_dir() and (path / "B").is_dir() else _one(path, refused))
    if len(pairs) < least:
        first = f"; the first that was refused: {refused[0]}" if refused else ""
        raise ValueError(f"{len(pairs)} pairs in {path} are too few: {least} are the least{first}")
    whole = World.of([target for _, _, target in pairs])
    world = World(whole.pictures, whole.held_out, [given for _, given, _ in pairs])
    said = [f"{len(refused)} files could not be used; the first: {refused[0]}."] if refused else []
    return photos.Found(world, [name for name, _, _ in pairs], said, refused, path.name)


def _two(path: Path, refused: list[str]) -> Iterator[Pair]:
    for given in sorted((path / "A").iterdir()):
        target = path / "B" / given.name
        if folder.hidden(given.name) or not folder.is_picture(given.name):
            continue
        if not target.is_file():
            refused.append(f"{given.name}: it is in A and not in B")
            continue
        try:
            a, b = (read(partial(_opened, one)).pixels for one in (given, target))
        except Refused as why:
            refused.append(f"{given.name}: {why}")
            continue
        yield given.name, _as(a, b), b


def _one(path: Path, refused: list[str]) -> Iterator[Pair]:
    for name, source in folder.files(path):
        if isinstance(source, str):
            refused.append(f"{name}: {source}")
            continue
        try:
            both = read(source).pixels
        except Refused as why:
            refused.append(f"{name}: {why}")
            continue
        if both.shape[2] < 1.5 * both.shape[1]:
            refused.append(f"{name}: not two pictures side by side ({both.shape[2]} x {both.shape[1]} pixels)")
            continue
        half = both.shape[2] // 2
        yield name, _large(both[:, :, :half]), _large(both[:, :, -half:])


def _opened(path: Path) -> BinaryIO:
    return path.open("rb")


def _large(picture: Tensor) -> Tensor:
    """No side shorter than the crop."""
    height, width = picture.shape[1:]
    scale = max(1.0, CROP / min(height, width))
    return picture.contiguous() if scale == 1.0 else _sized(picture, round(height * scale), round(width * scale))


def _as(picture: Tensor, other: Tensor) -> Tensor:
    """A picture in another's size."""
    return picture if picture.shape == other.shape else _sized(picture, other.shape[1], other.shape[2])


def _sized(picture: Tensor, height: int, width: int) -> Tensor:
    wide = F.interpolate(picture[None].float(), (height, width), mode="bicubic", antialias=True)[0]
    return wide.round().clamp(0, 255).to(torch.uint8)
