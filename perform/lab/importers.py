"""Import a network that others have trained, as a world that plays.

    perform import checkpoints/horse2zebra/latest_net_G_A.pth --out models/zebra --licence "BSD; ask the authors"
    perform import supernet/latest_net_G.pth --channels 16_16_32_16_32_32_16_16 --out models/zebra-small

Takes generators of pytorch-CycleGAN-and-pix2pix (ResNet, U-Net) and of GAN Compression, as .pth or safetensors, and
writes card.toml, safetensors and ONNX. Nothing in the file is run. Such networks see colours and know no moods; U-Nets
want pictures whose sides are multiples of 256.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save

from perform.lab import card, export, losses, networks
from perform.lab.checkpoints import Foreign, read, recognise
from perform.lab.strangers import strangers
from perform.networks import Dream, Resnet, Unet, describe
from perform.parsing import Parser

NATIVE = 256  # the side at which these networks were trained, in pixels


@dataclass(frozen=True)
class Words:
    """What a person must say about an imported network, for its card."""

    title: str = ""
    licence: str = "unknown: ask those who trained it"
    author: str = ""
    size: str = "m"


def bring(source: Path, out: Path, words: Words, channels: Sequence[int] = (), stored: bool = False) -> Path:
    """Make the world `out` (a folder under models/) of the checkpoint `source`; returns its card. Seconds.

    See `checkpoints.recognise` for `channels` and `stored`. Raises Foreign, one sentence, and leaves nothing behind.
    """
    if out.exists():
        raise Foreign(f"{str(out)!r} is there already; choose another --out")
    if not re.fullmatch(r"[\w][\w.-]*", out.name):
        raise Foreign(f"{out.name!r} cannot be a world's name: letters, digits, dots and dashes")
    if not re.fullmatch(r"\w[\w-]*", words.size):
        raise Foreign(f"{words.size!r} cannot be a size's name: letters, digits and dashes, such as m")
    network = recognise(read(source), source.name, channels, stored)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".import-", dir=out.parent) as partial:
        folder = Path(partial) / out.name
        folder.mkdir()
        _write(network, folder, words, source)
        folder.rename(out)
    return out / "card.toml"


def _write(network: Resnet | Unet, folder: Path, words: Words, source: Path) -> None:
    dream = Dream(networks.fold(network)).eval()
    multiple = 8 if isinstance(network, Resnet) else 2**network.depth
    files = {"weights": folder / f"{words.size}.safetensors", "onnx": folder / f"{words.size}.onnx"}
    files["weights"].write_bytes(save({key: value.contiguous() for key, value in dream.state_dict().items()}))
    export.to_onnx(dream, files["onnx"], multiple)
    agreement = _agreement(dream, files["onnx"], max(NATIVE, multiple))
    if agreement < 40:
        raise Foreign(f"{source.name}: its ONNX twin disagrees with torch ({agreement:.1f} dB); nothing was written")
    entry = _entry(dream, max(NATIVE, multiple), files) | {"quality": {"onnx_psnr": round(agreement, 1)}}
    text = card.dumps(_card(network, folder.name, words, source, multiple, entry))
    (folder / "card.toml").write_text(text, encoding="utf-8")


def _entry(dream: Dream, side: int, files: dict[str, Path]) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "macs": networks.macs(dream, side, side) * NATIVE**2 // side**2,
        "parameters": networks.parameters(dream),
        "native": side,
    }
    for kind, path in files.items():
        entry |= {kind: path.name, f"{kind}_sha256": card.sha256(path)}
    return entry | {"arguments": describe(dream)[1]}


def _card(
    network: Resnet | Unet, world: str, words: Words, source: Path, multiple: int, entry: dict[str, Any]
) -> dict[str, Any]:
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    kind = "U-Net" if isinstance(network, Unet) else "mobile ResNet" if network.mobile else "ResNet"
    grey = 1.0 if network.inputs == 1 else 0.0
    return {
        "format": card.FORMAT,
        "world": world,
        "title": words.title or world.replace("-", " ").capitalize(),
        "description": f"An imported {kind}: it sees {'light alone' if grey else 'the colours of its input'}.",
        "author": words.author,
        "licence": words.licence,
        "sources": f"Imported from {source.name}, sha256 {digest}.",
        "multiple": multiple,
        "condition": {"name": "reduce", "reduce": 1.0, "smooth": 0.0, "grey": grey},  # the picture as it is
        "network": {"name": describe(network)[0]},
        "size": {words.size: entry},
    }


@torch.no_grad()
def _agreement(dream: Dream, path: Path, side: int) -> float:
    """PSNR in dB of the ONNX file against torch on one painted picture."""
    import onnxruntime

    light = torch.nn.functional.interpolate(strangers(3, seed=5), side, mode="bicubic").clamp(0, 1)
    picture = torch.cat([light[:, 0].permute(1, 2, 0), torch.ones(side, side, 1)], -1)[None] * 255
    given = picture.to(torch.uint8)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    theirs = torch.from_numpy(session.run(["dream"], {"picture": given.numpy()})[0])
    return min(99.0, losses.psnr(dream(given), theirs, 255.0))


def _channels(text: str) -> tuple[int, ...]:
    parts = text.split("_")
    if len(parts) != 8 or not all(part.isdigit() and int(part) > 0 for part in parts):
        raise argparse.ArgumentTypeError(f"widths are eight numbers, such as 16_16_32_16_32_32_16_16, not {text!r}")
    return tuple(int(part) for part in parts)


def main(argv: Sequence[str] | None = None) -> None:
    parser = Parser(prog="perform import", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, metavar="FILE", help="a generator's .pth or .safetensors")
    parser.add_argument("--out", type=Path, required=True, metavar="models/NAME", help="the world to make")
    parser.add_argument("--title", default="", help="what it is called (default: NAME)")
    parser.add_argument("--author", default="", help="who trained it")
    parser.add_argument("--licence", default=Words.licence, help="under which licence it may be used")
    parser.add_argument("--size", default=Words.size, help="which size it is to be (default: m)")
    parser.add_argument("--channels", type=_channels, default=(), help="eight widths to cut out of a supernet")
    parser.add_argument(
        "--statistics",
        choices=("picture", "stored"),
        default="picture",
        help="of batch norms: of the picture, as the authors test (default), or stored: faster, steadier",
    )
    args = parser.parse_args(argv)
    words = Words(args.title, args.licence, args.author, args.size)
    try:
        written = bring(args.file, args.out, words, args.channels, args.statistics == "stored")
    except Foreign as error:
        parser.exit(2, f"perform: {error}\n")
    except OSError as error:
        parser.exit(2, f"perform: {str(args.out)!r} cannot be written: {error.strerror or error}\n")
    print(f'{written}: play it with world = "{args.out.name}", size = "{args.size}"')


if __name__ == "__main__":
    main()
