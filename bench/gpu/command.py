"""The command: what was asked for, run, printed, written."""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.gpu import machine, nets, report, table
from bench.gpu.conduct import Conductor, Found
from bench.gpu.plan import GROUPS, RESOLUTIONS, Case, Wishes, plan

ROOT = Path(__file__).resolve().parents[2]
WORLD = ROOT / "models" / "landscape"


def parse(argv: Sequence[str] | None, doc: str) -> argparse.Namespace:
    """The command line. Raises SystemExit with one sentence for what is not right."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="where to write the JSON (written again after every row)")
    parser.add_argument("--seconds-per-case", type=float, default=1.5, help="of measuring, for each engine")
    parser.add_argument("--budget", type=float, default=240.0, help="seconds for everything; the rest is named")
    parser.add_argument("--only", type=_some(GROUPS), default=list(GROUPS), help=", ".join(GROUPS))
    parser.add_argument("--sizes", type=_some(nets.OURS), default=list(nets.OURS), help="s, m, l")
    parser.add_argument("--published", type=_some(tuple(nets.PUBLISHED)), default=list(nets.PUBLISHED))
    parser.add_argument("--resolutions", type=_some(tuple(RESOLUTIONS)), default=list(RESOLUTIONS))
    parser.add_argument("--switches", type=int, default=200)
    parser.add_argument("--frames", type=int, default=10_000, help="of the memory run")
    parser.add_argument("--cases", help="only cases whose name contains this")
    parser.add_argument("--world", type=Path, default=WORLD, help="whose weights and card to use")
    parser.add_argument(
        "--device", choices=("cuda", "cpu"), default="cuda", help="cpu runs the same code, to see that it is sound"
    )
    parser.add_argument("--dry", action="store_true", help="print the plan and stop: works anywhere")
    parser.add_argument("--markdown", action="store_true", help="with --report: the short tables of a README")
    parser.add_argument("--report", type=_results, help="print the tables of an earlier JSON and stop")
    return parser.parse_args(argv)


def _some(known: Sequence[str]) -> Any:
    def read(text: str) -> list[str]:
        names = [name.strip() for name in text.split(",") if name.strip()]
        if not names:
            raise argparse.ArgumentTypeError(f"{text!r} names none of {', '.join(known)}")
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(known)}")
        return names

    return read


def _results(text: str) -> dict[str, Any]:
    """The results in a file of an earlier run."""
    try:
        found = json.loads(Path(text).read_text("utf-8"))
    except (OSError, ValueError) as e:
        raise argparse.ArgumentTypeError(f"{text} cannot be read: {getattr(e, 'strerror', None) or e}") from None
    if not isinstance(found, dict) or found.get("format") != table.FORMAT:
        raise argparse.ArgumentTypeError(f"{text} is not what bench/gpu.py --out writes")
    return found


def main(argv: Sequence[str] | None = None, doc: str = "") -> int:
    """Run it; 0, or 1 if nothing at all could be measured."""
    args = parse(argv, doc)
    if args.report is not None:
        print(report.markdown(args.report) if args.markdown else report.report(args.report))
        return 0
    wishes = Wishes(
        args.only, args.sizes, args.resolutions, args.seconds_per_case, args.published, args.frames, args.switches
    )
    cases = [case for case in plan(wishes) if not args.cases or args.cases in case.name or case.group == "roofline"]
    for line in missing():
        print(line, flush=True)
    if args.dry:
        print(told(cases, args.budget))
        return 0
    found = conduct(cases, args)
    print(report.report(found))
    return 0 if any("error" not in row for row in found["rows"]) else 1


NEEDED = {
    "torch": "everything",
    "numpy": "everything",
    "safetensors": "the worlds",
    "pyglet": "the path, switches and memory",
    "platformdirs": "the program's own engines",
    "cuda.bindings": "the path on the card",
}


def missing() -> list[str]:
    """What is not installed here, and what will be missing from the tables for it."""
    found = []
    for name, what in NEEDED.items():
        try:
            there = importlib.util.find_spec(name) is not None
        except ModuleNotFoundError:  # not even the package around it
            there = False
        if not there:
            found.append(f"{name} is not installed: {what} cannot be measured")
    return found


def told(cases: Sequence[Case], budget: float) -> str:
    """The plan in words: what would run, how long that is thought to take, and what a budget leaves out."""
    lines, total, first_out = [], 0.0, ""
    for case in cases:
        total += case.seconds
        if total > budget and not first_out:
            first_out = case.name
        lines.append((case.name, case.group, case.seconds, total, _what(case)))
    out = table.grid(["case", "group", "s", "by then", ""], lines)
    out += f"\n\n{len(cases)} cases, {total:.0f} s by estimate; the budget is {budget:.0f} s"
    if first_out:
        out += f", so that from “{first_out}” on only what still fits is run"
    return out


def _what(case: Case) -> str:
    def text(value: Any) -> str:
        if isinstance(value, tuple):
            return ("×" if isinstance(value[0], int) else ", ").join(map(str, value))
        return str(value)

    return "; ".join(f"{key} {text(value)}" for key, value in case.what.items())


def conduct(cases: list[Case], args: argparse.Namespace) -> dict[str, Any]:
    """Run the cases; the results as the file has them."""
    about = machine.describe()
    began = time.monotonic()
    listed = costs(cases, args.world)

    def whole(found: Found) -> dict[str, Any]:
        return {
            "machine": about, "libraries": found.about, "seconds": round(time.monotonic() - began, 1),
            "wishes": {"seconds_per_case": args.seconds_per_case, "budget": args.budget, "device": args.device},
            "costs": listed, "rows": found.rows, "skipped": found.skipped,
        }  # fmt: skip

    def each(found: Found) -> None:
        if args.out is not None:
            table.save(args.out, whole(found))
        row = found.rows[-1]
        figure = row.get("error") or ", ".join(f"{k} {row[k]}" for k in ("p50_ms", "fps", "latency_p50_ms") if k in row)
        print(f"[{time.monotonic() - began:5.0f} s] {row['case']} {row.get('engine', '')}: {figure}", flush=True)

    command = [sys.executable, str(ROOT / "bench" / "gpu.py"), "--child"]
    conductor = Conductor(command, began + args.budget, each)
    settings = {"seconds": args.seconds_per_case, "device": args.device, "world": str(args.world)}
    found = whole(conductor.run(cases, settings))
    if args.out is not None:
        table.save(args.out, found)
    return found


def costs(cases: Sequence[Case], world: Path) -> list[dict[str, Any]]:
    """What each network has to do at each size it is measured at. Counted on shapes: a second or two in all."""
    from bench.gpu import count

    made: dict[str, Any] = {}
    found: dict[tuple[str, tuple[int, int]], dict[str, Any]] = {}
    for case in cases:
        if case.group != "engines":
            continue
        name, asked = case.what["network"], tuple(case.what["size"])
        if name not in made:
            made[name] = nets.outline(name, world)
        size = nets.fitted(name, asked)
        cost = asdict(count.of_dream(made[name], *size))
        del cost["layers"]
        found[name, asked] = {"network": name, "size": list(asked), "played": list(size), **cost}
    return list(found.values())
