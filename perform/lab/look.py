"""Contact sheets: a world judged by eye, which is the judge that counts.

    python -m perform.lab.look --models models/landscape --size m --out sheet.jpg PICTURE...

One column a picture; rows: picture, condition, then the dream in each mood asked for. Without pictures it looks at
procedural strangers.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from perform import networks
from perform.files import image_in
from perform.lab import export, run
from perform.lab.card import fits, sized, trained
from perform.lab.conditions import condition
from perform.lab.strangers import strangers


def picture(path: Path, side: int) -> Tensor:
    """The centred square of a picture file: uint8 [side,side,3]."""
    image = image_in(path).convert("RGB")
    square = min(image.size)
    left, top = (image.width - square) // 2, (image.height - square) // 2
    image = image.crop((left, top, left + square, top + square)).resize((side, side), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.array(image))


def procedural(count: int, side: int, seed: int = 77) -> list[Tensor]:
    """Strangers no training saw (another seed), as uint8 [side,side,3]."""
    grey = torch.nn.functional.interpolate(strangers(count, seed), side, mode="bicubic", align_corners=False)
    return [(one.clamp(0, 1) * 255).to(torch.uint8).permute(1, 2, 0).expand(-1, -1, 3) for one in grey]


FONT = Path(__file__).parents[1] / "sinks" / "fonts" / "JetBrainsMono-Regular.ttf"
PAPER, INK, QUIET = (250, 249, 246), (40, 38, 35), (140, 135, 128)


def labelled(columns: Mapping[str, Sequence[Tensor]], title: str = "", gap: int = 6) -> Image.Image:
    """A contact sheet to read: one column for each name, its pictures (uint8 [S,S,3]) below one another, on paper.

    Raises ValueError where columns are not of one length and size.
    """
    shapes = {tuple(one.shape) for pictures in columns.values() for one in pictures}
    lengths = {len(pictures) for pictures in columns.values()}
    if len(shapes) != 1 or len(lengths) != 1:
        raise ValueError(f"a contact sheet needs pictures of one size, as many in each column, not {sorted(shapes)}")
    side, rows = next(iter(shapes))[0], lengths.pop()
    step, head = side + gap, max(28, side // 8) + (side // 6 if title else 0)
    whole = Image.new("RGB", (len(columns) * step + gap, head + rows * step), PAPER)
    pen, size = ImageDraw.Draw(whole), max(11, side // 14)
    font = ImageFont.truetype(str(FONT), size)
    if title:
        pen.text((gap, gap + size // 2), title, QUIET, font)
    for column, (name, pictures) in enumerate(columns.items()):
        pen.text((gap + column * step, head - gap - size // 4), name, INK, font, anchor="ls")
        for row, one in enumerate(pictures):
            whole.paste(Image.fromarray(one.contiguous().numpy()), (gap + column * step, head + row * step))
    return whole


@torch.no_grad()
def dream(
    card: Mapping[str, Any], folder: Path, size: str, precision: str, inputs: Sequence[Tensor], mood: Sequence[float]
) -> list[Tensor]:
    """What one size paints, RGB uint8 [H,W,3] each; precision is torch, onnx or int8. `inputs` are RGBA bytes
    [H,W,4].
    """
    vector = torch.tensor([list(mood)], dtype=torch.float32)
    if precision == "torch":
        network = networks.load(card, size, folder)
        return [network(one[None], vector)[0, ..., :3] for one in inputs]
    path = folder / card["size"][size][precision]
    return [torch.from_numpy(export.play(path, one[None].numpy(), vector.numpy()))[0, ..., :3] for one in inputs]


def plate(
    card: Mapping[str, Any], folder: Path, pictures: Sequence[Tensor], moods: Sequence[str], size: str, precision: str
) -> Tensor:
    """The sheet: pictures uint8 [S,S,3] in columns; returns uint8 [rows*S, columns*S, 3]."""
    known = signature(condition).parameters  # a still picture is not smoothed, and these networks see light alone
    settings = {name: value for name, value in card["condition"].items() if name in known}
    conditions = [condition(one, **settings) for one in pictures]
    rows = [torch.cat(list(pictures), 1), torch.cat([one[..., :3] for one in conditions], 1)]
    for mood in moods:
        rows.append(torch.cat(dream(card, folder, size, precision, conditions, card["mood"]["named"][mood]), 1))
    return torch.cat(rows, 0)


def checked(args: argparse.Namespace, card: Mapping[str, Any]) -> list[str]:
    """The moods that are asked for. Raises ValueError, one sentence, for whatever the sheet would fail on."""
    entry, kind = sized(card, args.models, args.size), {"torch": "weights"}.get(args.precision, args.precision)
    if kind not in entry:
        raise ValueError(f"{args.models} has no {args.precision} file of {args.size}")
    named = card["mood"]["named"]
    moods = args.moods.split(",") if args.moods else list(named)
    if unknown := [mood for mood in moods if mood not in named]:
        raise ValueError(f"{args.models} has no mood {unknown[0]!r}; it has {', '.join(named)}")
    fits(card, args.models, args.side)
    if Image.registered_extensions().get(args.out.suffix.lower()) not in Image.SAVE:
        raise ValueError(f"no picture can be written as {args.out.name!r}: name it .jpg or .png")
    if not args.out.parent.is_dir():
        raise ValueError(f"there is no folder {str(args.out.parent)!r} to write {args.out.name} into")
    return moods


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", nargs="*", type=Path)
    parser.add_argument("--models", type=Path, default=Path("models/landscape"))
    parser.add_argument("--size", default="m")
    parser.add_argument("--precision", choices=["torch", "onnx", "int8"], default="torch")
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--moods", default="", help="comma separated; all of them by default")
    parser.add_argument("--out", type=Path, default=Path("sheet.jpg"))
    args = parser.parse_args(argv)
    try:
        told = trained(args.models)
        moods = checked(args, told)
        pictures = [picture(path, args.side) for path in args.pictures] or procedural(6, args.side)
    except (ValueError, OSError) as e:
        parser.error(str(e))
    run.picture(args.out, plate(told, args.models, pictures, moods, args.size, args.precision))


if __name__ == "__main__":
    main()
