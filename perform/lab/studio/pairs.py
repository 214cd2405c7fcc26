"""Pictures in pairs (pix2pix): two folders `A` (what is given) and `B` (what is to be dreamt) with files of the same
names, or one folder of pictures that show both side by side, the given one on the left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from perform.lab import photos
from perform.lab.photos import folder
from perform.lab.photos.picture import Refused, made, of_image, read, upright

Pair = tuple[Tensor, Tensor]  # given, target


def take(path: Path, least: int = photos.LEAST, most: int = photos.MOST) -> photos.Found:
    """A world of the first `most` pairs by name. Raises ValueError, one sentence, if they are none or too few."""
    if not path.is_dir():
        raise ValueError(f"pairs come in a folder, and {path} is none")
    basket, inputs = photos.Basket(), list[Tensor]()
    for name, pair in _two(path) if (path / "A").is_dir() and (path / "B").is_dir() else _one(path):
        if len(inputs) == most:
            basket.leave_out(name, most)
            continue
        try:
            given, target = pair()
        except Refused as why:
            basket.refused.append(f"{name}: {why}")
            continue
        basket.names.append(name)
        basket.pictures.append(target)
        inputs.append(given)
    found = photos.judged(basket, path, "pairs", least)
    return replace(found, world=replace(found.world, inputs=inputs))


def _two(path: Path) -> Iterator[tuple[str, Callable[[], Pair]]]:
    targets = dict(folder.files(path / "B"))
    for name, given in folder.files(path / "A"):
        yield name, partial(_both, given, targets.get(name, "it is in A and not in B"))


def _one(path: Path) -> Iterator[tuple[str, Callable[[], Pair]]]:
    for name, source in folder.files(path):
        yield name, partial(_double, source)


def _both(given: folder.Openable | str, target: folder.Openable | str) -> Pair:
    """The two of two files. Raises Refused."""
    a, b = _read(given), _read(target)
    return _as(a, b), b


def _double(source: folder.Openable | str) -> Pair:
    """The two of a file that shows both. Raises Refused."""
    if isinstance(source, str):
        raise Refused(source)
    given, target = made(source, _halves)
    return given, target


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
