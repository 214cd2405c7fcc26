"""The cosmos world: deep-sky photographs of Debian's stellarium-data whose licence is clear, and rendered nebulae."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from perform.lab.gather import credits, debian
from perform.lab.gather.gathering import Gathering, Piece, rendered
from perform.lab.renders.many import worth
from perform.lab.worlds import pixels

PACKAGE = "stellarium-data"
FOLDER = "usr/share/stellarium/nebulae/default"
CREDITS = f"usr/share/doc/{PACKAGE}/CREDITS.md.gz"
COUNT, SIDE = 600, 320
LEAST, MOST = 256, 512  # sides of what is kept
SMALLEST = 190  # a square smaller than this is not enlarged to LEAST
INNER = 0.84  # pictures of this package fade to black towards their edges, to melt into a chart
# Chosen by eye: plates that show little but dark sky, blown-up small ones, globular clusters but for one or two.
UGLY = re.compile(r"barnard150|ic3568|lbn782|ldn673|m(5|14|28|62|71)|n(891|1978|2158|6388)|sh2-263")


def gather(cache: Path, workers: int) -> Gathering:
    package = debian.fetch(PACKAGE, cache)
    table = credits.read(gzip.decompress((package.root / CREDITS).read_bytes()).decode("utf-8"))
    source = f"Debian package {PACKAGE} {package.version} (https://stellarium.org), nebulae/default"
    pieces, refused = [], []
    for path in sorted((package.root / FOLDER).glob("*.png")):
        grant = credits.grant(path.stem, table)
        if isinstance(grant, str):
            refused.append(f"{path.name}: {grant}")
            continue
        cuts = [] if UGLY.fullmatch(path.stem) else list(squares(path))
        if not cuts:
            refused.append(f"{path.name}: too small, too dark or without colour")
        pieces += [Piece(f"{path.stem}-{index}.png", cut, grant, source) for index, cut in enumerate(cuts)]
    renders, origin = rendered("nebula", COUNT, SIDE, workers)
    return Gathering([*pieces, *renders], {**package.origin, **origin}, refused)


def squares(path: Path) -> Iterator[Tensor]:
    """What is worth learning of a picture: its lit square, or four of them if it is large; uint8 [3,S,S]."""
    with Image.open(path) as file:
        whole = lit(pixels(file))
    whole = inner(whole)
    side = min(whole.shape[1:])
    parts = [whole[:, y : y + side // 2, x : x + side // 2] for y in (0, side // 2) for x in (0, side // 2)]
    for square in parts if side >= 2 * 400 else [whole[:, :side, :side]]:
        if square.shape[1] >= SMALLEST and worth(square, 0.085, 0.06) and coloured(square):
            yield sized(square)


def lit(picture: Tensor, dark: float = 7.0) -> Tensor:
    """Without black borders and outside of round masks: the largest centred square whose corners are lit, found in
    steps of a sixteenth. uint8 [3,H,W].
    """
    grey = picture.float().amax(0)
    coarse = F.avg_pool2d(grey[None, None], 8, 8, ceil_mode=True)[0, 0]
    rows, columns = (coarse > dark).any(1).nonzero().flatten(), (coarse > dark).any(0).nonzero().flatten()
    if not len(rows) or not len(columns):
        return picture[:, :0, :0]
    y0, y1 = int(rows[0]) * 8, min(int(rows[-1]) * 8 + 8, grey.shape[0])
    x0, x1 = int(columns[0]) * 8, min(int(columns[-1]) * 8 + 8, grey.shape[1])
    side = min(y1 - y0, x1 - x0)
    y0, x0 = y0 + (y1 - y0 - side) // 2, x0 + (x1 - x0 - side) // 2
    for sixteenths in range(16, 9, -1):
        small = side * sixteenths // 16
        y, x = y0 + (side - small) // 2, x0 + (side - small) // 2
        edge = grey[y : y + small, x : x + small]
        if all(float((corner > 1).float().mean()) > 0.35 for corner in corners(edge)):
            return picture[:, y : y + small, x : x + small]
    return picture[:, y0 : y0 + side, x0 : x0 + side]


def inner(picture: Tensor) -> Tensor:
    """The middle of a square picture, INNER of its side."""
    edge = round(picture.shape[1] * (1 - INNER) / 2)
    return picture[:, edge : picture.shape[1] - edge, edge : picture.shape[2] - edge]


def corners(grey: Tensor) -> list[Tensor]:
    """The four corners of [S,S], a twelfth of the side each."""
    part = max(1, grey.shape[0] // 12)
    return [grey[:part, :part], grey[:part, -part:], grey[-part:, :part], grey[-part:, -part:]]


def coloured(picture: Tensor, least: float = 6.0) -> bool:
    """Whether there is colour in it: a plate of grey is not what this world should learn."""
    light = picture.float()
    return float((light.amax(0) - light.amin(0)).mean()) > least


def sized(square: Tensor) -> Tensor:
    """Brought to between LEAST and MOST pixels."""
    side = min(max(square.shape[1], LEAST), MOST)
    if side == square.shape[1]:
        return square.contiguous()
    wide = F.interpolate(square[None].float(), (side, side), mode="bicubic", antialias=True, align_corners=False)
    return wide[0].round().clamp(0, 255).to(torch.uint8)
