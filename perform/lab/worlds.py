"""A world to learn: its pictures, and which of them are never trained on.

    perform world ocean --out runs/ocean

writes `world.safetensors` (the pictures), `world.json` (package, version, sha256, seeds, who is held out) and
`ATTRIBUTION.csv`. Where each world's pictures come from stands in `perform.lab.gather`.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors import SafetensorError, safe_open
from torch import Tensor

from perform.lab import run
from perform.parsing import Parser

HELD_OUT = 13  # every 13th picture is never trained on
FILE = "world.safetensors"
ABOUT = "world.json"
INPUT = "input-"


@dataclass(frozen=True)
class World:
    """A world's pictures in memory: uint8 [3,H,W] each, of any sizes (shorter side 256 or more, longer side 720 or
    less where the lab collected them), and which are held out from training, bool [N].

    Of pairs (pix2pix), `pictures` are what is to be dreamt and `inputs`, of the same sizes, what it is dreamt from.
    """

    pictures: Sequence[Tensor]
    held_out: Tensor
    inputs: Sequence[Tensor] = ()

    @classmethod
    def of(cls, pictures: Sequence[Tensor]) -> World:
        """Every 13th picture held out, from the seventh; of fewer than seven, the last."""
        order = torch.arange(len(pictures))
        return cls(pictures, order % HELD_OUT == min(6, len(pictures) - 1))

    @classmethod
    def load(cls, folder: Path) -> World:
        """Read what `save` wrote. About 2 ms a picture; ValueError if there is no world in `folder`."""
        try:
            with safe_open(folder / FILE, "pt") as file:
                held_out = file.get_tensor("held_out")
                names = sorted(set(file.keys()) - {"held_out"})
                decoded = {name: _decoded(file.get_tensor(name)) for name in names}
                inputs = [one for name, one in decoded.items() if name.startswith(INPUT)]
                return cls([one for name, one in decoded.items() if not name.startswith(INPUT)], held_out, inputs)
        except (OSError, SafetensorError) as error:
            hint = f"perform world NAME --out {folder} makes one"
            raise ValueError(f"{folder} holds no world ({error}): {hint}") from error

    def save(self, folder: Path) -> None:
        """Write `world.safetensors` into `folder`: a tensor for each picture ("000000" …), holding a JPEG (quality 95,
        colours at full size), a tenth of the bytes. About 4 ms a picture.
        """
        folder.mkdir(parents=True, exist_ok=True)
        files = {f"{index:06d}": _encoded(one) for index, one in enumerate(self.pictures)}
        files |= {f"{INPUT}{index:06d}": _encoded(one) for index, one in enumerate(self.inputs)}
        run.tensors(folder / FILE, files | {"held_out": self.held_out})

    def training(self) -> list[Tensor]:
        """The pictures to train on, uint8 [3,H,W] each; of pairs [6,H,W], the input last."""
        return [one for one, held in zip(self.whole(), self.held_out.tolist(), strict=True) if not held]

    def unseen(self) -> list[Tensor]:
        """The held-out pictures, uint8 [3,H,W] each; of pairs [6,H,W], the input last."""
        return [one for one, held in zip(self.whole(), self.held_out.tolist(), strict=True) if held]

    def whole(self) -> Sequence[Tensor]:
        """All pictures, uint8 [3,H,W] each; of pairs [6,H,W], the input last."""
        if not self.inputs:
            return self.pictures
        return [torch.cat(pair) for pair in zip(self.pictures, self.inputs, strict=True)]


def named(folder: Path) -> str:
    """The name under which the pictures in `folder` were collected (`world.json`); "" where nobody has said. Raises
    ValueError, one sentence, for a file that is damaged.
    """
    try:
        return str(json.loads((folder / ABOUT).read_text(encoding="utf-8"))["world"])
    except FileNotFoundError:
        return ""
    except (KeyError, TypeError, ValueError):
        raise ValueError(f"{folder / ABOUT} is damaged: it names no world") from None


def pixels(image: Image.Image) -> Tensor:
    """uint8 [3,H,W] of a Pillow image."""
    return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1).contiguous()


def image(picture: Tensor) -> Image.Image:
    """A Pillow image of uint8 [3,H,W]."""
    return Image.fromarray(picture.permute(1, 2, 0).contiguous().numpy())


def sheet(pictures: Sequence[Tensor], columns: int = 8, side: int = 192) -> Image.Image:
    """The middle squares of pictures, uint8 [3,H,W] each, in rows: for looking at."""
    rows = (len(pictures) + columns - 1) // columns
    whole = Image.new("RGB", (columns * side, rows * side))
    for index, one in enumerate(pictures):
        height, width = one.shape[1:]
        square = min(height, width)
        left, top = (width - square) // 2, (height - square) // 2
        tile = image(one).resize((side, side), Image.Resampling.LANCZOS, (left, top, left + square, top + square))
        whole.paste(tile, (index % columns * side, index // columns * side))
    return whole


def _encoded(picture: Tensor) -> Tensor:
    file = io.BytesIO()
    image(picture).save(file, "JPEG", quality=95, subsampling=0)
    return torch.frombuffer(bytearray(file.getvalue()), dtype=torch.uint8)


def _decoded(file: Tensor) -> Tensor:
    with Image.open(io.BytesIO(file.numpy().tobytes())) as picture:
        return pixels(picture)


def main(argv: Sequence[str] | None = None) -> None:
    from perform.lab import gather

    parser = Parser(description="Collect or render a world's pictures, with their licences.")
    parser.add_argument("world", choices=sorted(gather.WORLDS))
    parser.add_argument("--out", type=Path, help="folder to write (runs/NAME)")
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"), help="downloads; reused when present")
    parser.add_argument("--workers", type=int, default=0, help="processes that render (0: one for each core)")
    parser.add_argument("--sheet", type=Path, help="also write a contact sheet of 48 pictures here")
    args = parser.parse_args(argv)
    out = args.out or Path("runs") / args.world
    try:
        world = gather.collect(args.world, out, args.cache, args.workers)
    except ValueError as error:
        raise SystemExit(f"perform world: {error}") from None
    if args.sheet is not None:
        any_order = torch.randperm(len(world.pictures), generator=torch.Generator().manual_seed(0))
        sheet([world.pictures[index] for index in sorted(any_order[:48].tolist())]).save(args.sheet, quality=90)
    print(f"{len(world.pictures)} pictures, {int(world.held_out.sum())} of them held out, in {out}")


if __name__ == "__main__":
    main()
