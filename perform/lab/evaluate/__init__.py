"""Measure what was lost: every size of a world, its teacher, its ablations and its baselines, on pictures that no
network was trained on and on live-like input.

    perform evaluate --world runs/landscape --models models/landscape --teacher runs/teacher \\
                     --runs runs/ablation/* --out runs/evaluation/landscape.json
    perform evaluate --world runs/landscape --models models/landscape --latency
    perform evaluate --world runs/landscape --models models/landscape --teacher runs/teacher --sheets docs/compression

The first measures quality, one entrant after the other, and goes on where it was interrupted; whoever has not changed
is not measured again. The second adds the times, and wants a machine with nothing else to do. The
third draws contact sheets. Without `--teacher` (its
checkpoint is too large to ship) the teacher's numbers, and the distances to it, are those stored in docs/compression,
with the command and the seed that made them.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from perform.lab import card, distil
from perform.lab import live_inputs as live
from perform.lab.ablate import VARIANTS
from perform.lab.conditions import luma
from perform.lab.evaluate import entrants, latency, measuring, record, scene, sheets
from perform.lab.evaluate.entrants import Entrant
from perform.lab.strangers import strangers
from perform.lab.worlds import FILE, World
from perform.parsing import Parser

WHY = {name: variant.why for name, variant in VARIANTS.items()} | {
    "as-long": "its teacher's copy, without judges, for as many steps as `undistilled`",
    "at-once": "with judges from its first step, before it copied",
    "annealed": "`followed`, gone on with at three quarters of the rate",
    "copied": "as its teacher's copy, before it went on",
    "copying": "a copy that went on copying",
    "followed": "`judged`, gone on with, its light asked for",
    "averaged": "the mean of `m` and of its last states on the way",
    "judged": "a copy that went on with the judge of photographs, its light not asked for",
    "mean-annealed": "the mean of `judged`, `followed` and `annealed`",
    "mean-copying": "the mean of `copied`, `judged` and `copying`",
    "slim": "cut from `l` to `m`'s time",
    "search": "widths chosen for `m`'s time",
}
PROTOCOL = "4"  # what is measured and how; a change of it makes every entrant be measured again


def everybody(args: argparse.Namespace, scale: Any) -> list[Entrant]:
    """All that the command line names, the teacher first: the others are compared with it."""
    out = []
    if args.teacher is not None:
        out.append(entrants.of_run(args.teacher, "teacher", "what the sizes were distilled from"))
    out += entrants.baselines(scale)
    out += [] if args.models is None else entrants.of_card(args.models)
    for name, folder in args.runs:
        out.append(entrants.of_run(folder, "run", WHY.get(name, ""), name))
    names = [one.name for one in out]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two entrants are called {name!r}: rename one of the run folders")
    return out


def live_inputs(cache: Path) -> list[torch.Tensor]:
    """What a camera shows, light [1,h,h] in 0..1 each: the drawn hand that moves, then the photographs and
    drawings of `live_inputs.live_like`, then more drawings, of a seed that no training draws; 48 in all.
    """
    seen = live.live_like(cache)
    light = [luma(picture[None].float())[0] / 255 for _, picture in seen]
    hand = [name for name, _ in seen].index("drawn-0")
    first = [light[hand], *light[:hand], *light[hand + 1 :]]
    return [*first, *strangers(48 - len(first), seed=78)]


def evaluate(args: argparse.Namespace) -> dict[str, Any]:
    """All entrants' quality, saved after each one. Returns the record."""
    world = World.load(args.world)
    scale, _ = scene.scale_of(world, args.side)
    all_of_them = everybody(args, scale)
    wanted = entrants.chosen(all_of_them, args.only)
    stage = scene.prepare(world, live_inputs(args.cache), _reduce(args, world), args.side, args.seed)
    kept = record.of(args.world.name, args.out) if args.out.exists() else record.empty(args.world.name)
    stored = record.of(args.world.name, args.stored) if args.stored is not None and args.stored.exists() else {}
    if not (args.only and kept["about"]):  # of a few alone, what is said of all stays
        times = {key: value for key, value in kept["about"].items() if key == "latency"}
        kept["about"] = record.about(args.command, args.seed, args.side, stage.reduce) | times
        kept["n"] = counts(stage)
    judges = measuring.Judges.fetched(args.cache)
    real_side = f"{PROTOCOL}/{args.seed}/{args.side}/{card.sha256(args.world / FILE)[:8]}"
    if kept["floor"].get("protocol") != real_side:
        kept["floor"] = {**measuring.floor(stage, judges), "protocol": real_side}
    if args.models is not None:
        kept["bytes"] = entrants.shipped_bytes(args.models)
    teacher = next((one for one in all_of_them if one.kind == "teacher"), None)
    theirs = None if teacher is None else measuring.dreams(teacher.open(), stage, judges)
    protocol = f"{real_side}/{stage.reduce:g}/{teacher.fingerprint[:8] if teacher else '-'}"
    for one in wanted:
        if record.known(kept, one, protocol):
            kept["entrants"][one.name]["why"] = one.why
            continue
        numbers, left = measuring.measure(one.open(), stage, judges, None if one is teacher else theirs)
        if not all(math.isfinite(value) for value in numbers.values()):
            raise ValueError(f"{one.name} paints what is no number: leave it out, or train it again")
        record.enter(kept, one, numbers, protocol, stored, left)
        record.save(args.out, kept)
        print(f"{one.name:24} {_line(numbers)}", flush=True)
    if behind := record.carry(kept, stored, protocol):
        why = "were measured on other pictures, or in another way, and are not carried over"
        print(f"{', '.join(behind)} of {args.stored} {why}", flush=True)
    record.save(args.out, kept)
    return kept


def draw(args: argparse.Namespace) -> list[Path]:
    """The contact sheets of the shipped sizes, and of the teacher where it is."""
    world = World.load(args.world)
    shown = [] if args.models is None else [one for one in entrants.of_card(args.models) if one.kind == "size"]
    shown += [entrants.of_run(folder, "run", "", name) for name, folder in args.runs]
    if args.teacher is not None:
        shown.append(entrants.of_run(args.teacher, "teacher"))
    stage = scene.prepare(world, live_inputs(args.cache), _reduce(args, world), args.side, args.seed)
    return sheets.draw(entrants.chosen(shown, args.only), stage, args.sheets, args.world.name, " ".join(args.command))


def counts(stage: scene.Scene) -> dict[str, int]:
    """How many pictures each number rests on."""
    return {
        "held-out photographs": len(stage.real),
        "crops of them": len(stage.held.group),
        "live inputs": len(set(stage.live.group.tolist())),
        "dreams on them": len(stage.live.group),
        "live inputs compared with the teacher": stage.pairs_live,
        "crops of photographs, real side": len(stage.collection),
        "photographs, real side": len(set(stage.collection_group.tolist())),
        "still pictures": len(stage.camera),
        "frames of the drifting hand": stage.frames,
    }


def time_all(args: argparse.Namespace) -> dict[str, Any]:
    """The latency of every entrant in the record that is here: sizes from the card, others from their run folders.
    Times of another processor are dropped first: what a report divides was measured on one machine.
    """
    kept = record.of(args.world.name, args.out)
    seconds, sides, threads = args.seconds, args.sides, args.threads
    if unknown := set(args.only) - set(kept["entrants"]):
        raise ValueError(f"{args.out} has no {min(unknown)!r}; it has {', '.join(kept['entrants'])}")
    if kept["about"].get("latency", {}).get("processor") != record.processor():
        for entry in kept["entrants"].values():
            entry["latency"] = []
        kept["about"]["latency"] = record.about(args.command, args.seed, args.side, 0.0)  # so says the first time kept
    told = card.trained(args.models) if args.models is not None else {"size": {}}
    for size in told["size"]:
        if size in kept["entrants"] and (not args.only or {size, f"{size} int8"} & set(args.only)):
            rows = latency.of_size(told, size, args.models, sides, threads, seconds)
            _time(args.out, kept, size, [row for row in rows if "int8" not in row["engine"]])
            if f"{size} int8" in kept["entrants"]:
                _time(args.out, kept, f"{size} int8", [row for row in rows if "int8" in row["engine"]])
    measured: dict[str, str] = {}
    folders = {} if args.teacher is None else {"teacher": args.teacher}
    for name, folder in {**folders, **dict(args.runs)}.items():
        entry = kept["entrants"].get(name)
        if entry is None or entry["network"].removesuffix("+") in told["size"] or (args.only and name not in args.only):
            continue
        if entry["network"] in measured:  # the same network with other weights takes as long
            entry["latency"] = kept["entrants"][measured[entry["network"]]]["latency"]
            continue
        measured[entry["network"]] = name
        _time(args.out, kept, name, latency.of_run(folder, sides, threads, seconds))
    if not (args.only and "latency" in kept["about"]):
        kept["about"]["latency"] = record.about(args.command, args.seed, args.side, 0.0)
    record.save(args.out, kept)
    return kept


def _time(path: Path, kept: dict[str, Any], name: str, rows: list[dict[str, Any]]) -> None:
    kept["entrants"][name]["latency"] = rows
    record.save(path, kept)
    for row in rows:
        print(
            f"{name:24} {row['engine']:18} {row['side']:4} {row['threads']} threads  "
            f"best {row['best']:8.2f}  p50 {row['p50']:8.2f}  p95 {row['p95']:8.2f} ms",
            flush=True,
        )


def _reduce(args: argparse.Namespace, world: World) -> float:
    """Pixels a cell: what is asked for, what the card says, or what a card would say of this world."""
    usual = 1.0 if world.inputs else card.CONDITION["reduce"]
    told = {} if args.models is None else card.trained(args.models)["condition"]
    return float(args.reduce or told.get("reduce", usual))


def _named(word: str) -> tuple[str, Path]:
    """`NAME=FOLDER` or `FOLDER`, which is called by its own name."""
    name, equals, folder = word.partition("=")
    return (name, Path(folder)) if equals else (Path(word).name, Path(word))


def _line(numbers: Mapping[str, float]) -> str:
    shown = ("truth_l1", "truth_lpips", "teacher_l1", "teacher_lpips", "kid", "kid_live", "tremble", "shimmer")
    return "  ".join(f"{name} {numbers[name]:.3f}" for name in shown if name in numbers)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--world", type=Path, default=Path("runs/landscape"), help="the world's pictures")
    parser.add_argument("--models", type=Path, help="the world as it is shipped, with its card")
    parser.add_argument("--teacher", type=Path, help="its run folder, or a size of the world: models/NAME/m")
    parser.add_argument(
        "--runs", type=_named, nargs="*", default=[], metavar="[NAME=]FOLDER", help="run folders with one network each"
    )
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="this entrant; repeatable")
    parser.add_argument("--out", type=Path, help="the record (runs/evaluation/WORLD.json)")
    parser.add_argument("--stored", type=Path, help="numbers made before (docs/compression/WORLD.json)")
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"), help="downloads; reused when present")
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--reduce", type=float, default=0.0, help="pixels a cell (what the card says)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--latency", action="store_true", help="time the entrants of the record instead")
    parser.add_argument("--sheets", type=Path, metavar="FOLDER", help="draw contact sheets into this folder instead")
    parser.add_argument("--sides", type=int, nargs="+", default=[256, 512], help="with --latency")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="with --latency")
    parser.add_argument("--seconds", type=float, default=1.0, help="with --latency: for each number")
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """`perform evaluate`. Ends with one sentence and code 2 for what cannot be done."""
    import sys

    parser = _parser()
    words = list(sys.argv[1:] if argv is None else argv)
    args = parser.parse_args(words)
    args.command = ["perform", "evaluate", *words]
    args.out = args.out or Path("runs/evaluation") / f"{args.world.name}.json"
    args.stored = args.stored or Path("docs/compression") / f"{args.world.name}.json"
    try:
        if args.teacher is not None:
            distil.at_home(args.teacher, args.world)
        if args.sheets is not None:
            print(*draw(args), sep="\n")
            return
        kept = time_all(args) if args.latency else evaluate(args)
    except (ValueError, ConnectionError) as e:
        parser.exit(2, f"perform evaluate: {e}\n")
    print(f"{args.out}: {len(kept['entrants'])} entrants")
