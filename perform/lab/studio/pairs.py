"""Pictures in pairs (pix2pix): two folders `A` (what is given) and `B` (what is to be dreamt) with files of the same
names, or one folder of pictures that show both side by side, the given one on the left.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from perform.lab import photos
from perform.lab.photos import folder
from perform.lab.photos.picture import Refused, made, of_image, read, upright
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
    return photos.Found(world, [name for name, _, _ in pairs], said, refused, folder.written(path.name))


def _two(path: Path, refused: list[str]) -> Iterator[Pair]:
    targets = dict(folder.files(path / "B"))
    for name, given in folder.files(path / "A"):
        try:
            a, b = (_read(one) for one in (given, targets.get(name, "it is in A and not in B")))
        except Refused as why:
            refused.append(f"{name}: {why}")
            continue
        yield name, _as(a, b), b


def _one(path: Path, refused: list[str]) -> Iterator[Pair]:
    for name, source in folder.files(path):
        if isinstance(source, str):
            refused.append(f"{name}: {source}")
            continue
        try:
            given, target = made(source, _halves)
        except Refused as why:
            refused.append(f"{name}: {why}")
            continue
        yield name, given, target


def _read(source: folder.Openable | str) -> Tensor:
    if isinstance(source, str):
        raise Refused(source)
    return read(source).pixels


def _halves(image: Image.Image) -> list[Tensor]:
    """The two of a double picture. It is halved before it is sized: whole, it would be cut as a panorama."""
    both, _ = upright(image)
    if both.width < 1.5 * both.height:
        raise Refused(f"not two pictures side by side ({both.width} x {both.height} pixels)")
    half = both.width // 2
    return [of_image(both.crop((left, 0, left + half, both.height))).pixels for left in (0, both.width - half)]


def _as(picture: Tensor, other: Tensor) -> Tensor:
    """A picture in another's size."""
    return picture if picture.shape == other.shape else _sized(picture, other.shape[1], other.shape[2])


def _sized(picture: Tensor, height: int, width: int) -> Tensor:
    wide = F.interpolate(picture[None].float(), (height, width), mode="bicubic", antialias=True)[0]
    return wide.round().clamp(0, 255).to(torch.uint8)
