"""From run folders to a world that runs live: safetensors, ONNX, int8 ONNX, and the proof that they agree.

    perform export runs/students --world runs/landscape --out models/landscape
    perform export s=runs/students/s m=runs/slim/24-48-96_72-48-40 --world runs/landscape --out models/landscape

Weights are rounded to fp16 once; the three files of a size then hold the same numbers. The new files are made aside and
take their places at the very end, the card last: a running show never sees half a world.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from perform import networks as live_networks
from perform.lab import card, graph, losses, moods, quantise, run, words, worlds
from perform.lab.batches import Batches, apart, middle
from perform.lab.graph import play, to_onnx
from perform.lab.words import own
from perform.lab.worlds import World
from perform.networks import Dream
from perform.parsing import Parser

__all__ = ["export", "play", "ship", "to_onnx"]
SIDE = 256


class Unfit(ValueError):
    """A network that eight bits do not suit; float does."""


def live(folder: Path) -> Dream:
    """The live network of a run folder, with its pixel maths. Raises ValueError, one sentence, for what is none."""
    return Dream(run.network(folder)).eval()


def export(network: Dream, size: str, bench: quantise.Bench, out: Path) -> dict[str, Any]:
    """Write the three files of one size into the folder `out`, check them, and return its table for the card.

    About 30 s. Raises ValueError, and leaves the files, if ONNX is not the torch network within rounding (45 dB; a
    wrong graph is off by far more), or fp16 or int8 are worse than they ever should be (50 and 24 dB; `Unfit`).
    """
    files = {"weights": out / f"{size}.safetensors", "onnx": out / f"{size}.onnx", "int8": out / f"{size}.int8.onnx"}
    half = graph.rounded(network)
    state = {key: value.detach().half().contiguous() for key, value in half.state_dict().items()}
    run.tensors(files["weights"], state)
    model = graph.model_of(half, multiple(half))
    graph.save(model, files["onnx"])
    quantise.to_int8(half, files["int8"], bench.calibration, model=model)
    measured = fidelity(half, bench) | {
        "half_psnr": graph.alike(network, half, bench.trial),
        "onnx_psnr": graph.agreement(half, files["onnx"], bench.trial),
        **bench.judge(half, files["int8"]),
    }
    for kind, least in (("half", 50), ("onnx", 45), ("int8", 24)):
        if measured[f"{kind}_psnr"] < least:
            got = f"{measured[f'{kind}_psnr']:.1f} dB, {least} at least"
            error = Unfit if kind == "int8" else ValueError
            raise error(f"{size}: the exported network disagrees with what was trained ({kind}: {got})")
    return card.size_entry(half, SIDE, files, measured)


def multiple(network: Dream) -> int:
    """What the sides of a picture must be multiples of."""
    core = network.core.core if isinstance(network.core, live_networks.Planes) else network.core
    return int(2**core.depth) if isinstance(core, live_networks.Unet) else 8


@torch.no_grad()
def fidelity(network: Dream, bench: quantise.Bench) -> dict[str, float]:
    """Against held-out photographs in their own mood: L1 at 32x32 cells and of pixels (0..1), and how well light
    follows (1: as the input; see `losses.follow`).
    """
    condition = torch.cat([torch.from_numpy(one["picture"])[..., 0] for one in bench.held_out])[:, None] / 255
    mood = torch.cat([torch.from_numpy(one["mood"]) for one in bench.held_out])
    dream = torch.cat([network.core(c[None], m[None]) for c, m in zip(condition, mood, strict=True)])
    real = bench.real.permute(0, 3, 1, 2) / 127.5 - 1
    return {
        "coarse_l1": float(losses.coarse(dream, real)) / 2,
        "l1": float((dream - real).abs().mean()) / 2,
        "follow": 1 - float(losses.follow(dream, condition)),
    }


@torch.no_grad()
def preview(network: Dream, world: World, reduce: float, mood: Sequence[float], side: int = 512) -> Tensor:
    """A picture for the card: of the dreams of held-out inputs in a mood the one with most detail. RGB uint8 [S,S,3].
    A second.
    """
    vector = torch.tensor([list(mood)])
    shown: list[Tensor] = []
    for one in world.unseen()[:12]:
        _, grey = apart(middle(one, side))
        shown.append(network(quantise.rgba(card.condition(grey, reduce, side)[0])[None], vector)[0, ..., :3])
    still = [dream.permute(2, 0, 1)[None] / 127.5 - 1 for dream in shown]
    detail = [float(losses.haar(dream, torch.zeros_like(dream))) for dream in still]
    return shown[detail.index(max(detail))]


def ship(
    sizes: Mapping[str, Path], world_folder: Path, out: Path, said: words.Words | None = None, beside: bool = False
) -> dict[str, Any]:
    """Export several sizes ({"m": run folder, ...}) of the world collected in `world_folder` into `out`: files, card,
    preview, attribution. `said`: the card's words, where they are not one of the lab's own worlds'. `beside`: other
    sizes that are in `out` stay, else they are removed. Returns the card. Half a minute a size. Raises ValueError, one
    sentence; then `out` is as it was.
    """
    card.before(out)  # what cannot be replaced is told before minutes of work
    found = {size: live(folder) for size, folder in sizes.items()}
    world = World.load(world_folder)
    batches = Batches(world, SIDE, strange=240)
    condition = card.CONDITION | ({"reduce": 1.0} if batches.pairs else {})
    bench = quantise.Bench.of(world, batches, condition["reduce"])
    about = describe(world_folder, batches, said) | {"multiple": max(multiple(network) for network in found.values())}
    stay, least = staying(out, about["mood"], found) if beside else ({}, 1)
    about["multiple"] = max(about["multiple"], least)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".export-{out.name}-", dir=out.parent) as partial:
        staged = Path(partial)
        entries = {size: export(network, size, bench, staged) for size, network in found.items()} | stay
        entries = dict(sorted(entries.items(), key=lambda item: int(item[1]["macs"])))
        *_, largest = entries
        if largest in found:
            named = about["mood"]["named"][about["mood"]["default"]]
            run.picture(staged / "preview.jpg", preview(found[largest], world, condition["reduce"], named))
        if (world_folder / "ATTRIBUTION.csv").exists():
            (staged / "ATTRIBUTION.csv").write_bytes((world_folder / "ATTRIBUTION.csv").read_bytes())
        told = about | {"condition": {"name": "reduce", **condition}, "network": {"name": "plain"}, "size": entries}
        card.publish(told, staged, out)
    return told


def staying(out: Path, mood: Mapping[str, Any], found: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    """The tables of the sizes in `out` that are not exported anew, and what pictures' sides must be multiples of for
    them. Raises ValueError if they learned other pictures: one card's moods would not be theirs.
    """
    before = card.read(out) if card.before(out) else {}
    stay = {size: entry for size, entry in before.get("size", {}).items() if size not in found}
    if stay and not learned(before, mood):
        raise ValueError(
            f"{out} has {', '.join(stay)}, too, which learned other pictures: name their run folders as well "
            f"({next(iter(stay))}=FOLDER), or another --out"
        )
    return stay, int(before.get("multiple", 1)) if stay else 1


def learned(told: Mapping[str, Any], mood: Mapping[str, Any]) -> bool:
    """Whether a card's networks learned the pictures whose moods (`describe`) are `mood`."""
    return json.dumps(told.get("mood")) == json.dumps(mood)


def describe(world_folder: Path, batches: Batches, said: words.Words | None = None) -> dict[str, Any]:
    """What the card says about a world, apart from its networks. Raises ValueError for words that cannot be read."""
    name = worlds.named(world_folder) or world_folder.name
    said = said or _words(world_folder, name, batches)
    named, rows = said.moods.vectors(batches.scale), said.moods.pad
    pad = {"rows": len(rows), "columns": len(rows[0]), "grid": moods.grid(named, rows)}
    return {
        "format": card.FORMAT,
        "world": name,
        "title": said.title,
        "description": said.description,
        "author": said.author,
        "licence": said.licence,
        "sources": said.sources,
        "preview": "preview.jpg",
        "mood": {"size": moods.SIZE, "default": said.moods.default, "named": named, "map": pad},
    }


def _words(folder: Path, name: str, batches: Batches) -> words.Words:
    ours = (Path(words.__file__).parent / f"{name}.py").is_file() and not (folder / "words.toml").exists()
    return words.words(name) if ours else own.own(folder, name, batches.raw_of(batches.pictures))


def sizes_of(arguments: Sequence[str]) -> dict[str, Path]:
    """The sizes that are meant: `m=FOLDER`, or a folder whose own folders are sizes. Raises ValueError, one sentence,
    for a folder that holds none, and where two are meant for one name (a folder's `m` and `m+` are both `m`).
    """
    found: dict[str, Path] = {}
    for argument in arguments:
        name, equals, folder = argument.partition("=")
        if equals:
            _named(found, name, Path(folder))
            continue
        run.there(Path(argument))
        inside = [path.parent for path in sorted(Path(argument).glob("*/ema.safetensors"))]
        if not inside:
            raise ValueError(
                f"{argument} holds no sizes (run folders such as {argument}/m, each with its ema.safetensors); "
                f"if it is a run folder itself, name its size: m={argument}"
            )
        for path in inside:
            _named(found, path.name.removesuffix("+"), path)
    return found


def _named(found: dict[str, Path], name: str, folder: Path) -> None:
    if name in found:
        raise ValueError(f"{found[name]} and {folder} would both be {name!r}: name each, such as {name}2={folder}")
    found[name] = folder


def main(argv: Sequence[str] | None = None) -> None:
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*", metavar="RUN", help="SIZE=FOLDER, or the folder of a distillation")
    parser.add_argument("--size", action="append", default=[], metavar="SIZE=RUN", help="the same; repeatable")
    parser.add_argument("--world", type=Path, default=Path("runs/landscape"))
    parser.add_argument("--out", type=Path, help="the world's folder (models/NAME)")
    args = parser.parse_args(argv)
    if not (args.runs or args.size):
        parser.error("name the run folders to export, such as m=runs/students/m")
    out = args.out or Path("models") / args.world.name
    sizes = sizes_of([*args.runs, *args.size])
    told = ship(sizes, args.world, out, beside=True)
    for size, entry in told["size"].items():
        if size not in sizes:
            print(f"{size:6} stays as it was")
            continue
        kept = sum((out / entry[kind]).stat().st_size for kind in card.KINDS) / 1e6
        got = entry["quality"]
        print(
            f"{size:6} {kept:5.2f} MB  fp16 {got['half_psnr']:.1f} dB, ONNX {got['onnx_psnr']:.1f}, int8 "
            f"{got['int8_psnr']:.1f} (loses {got['int8_loss']:.3f} dB against the truth)"
        )


if __name__ == "__main__":
    main()
