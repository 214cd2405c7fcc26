"""From rows to tables, to the numbers that were to be reached, and to the file that keeps them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.gpu.nets import label
from bench.gpu.roofline import Ceilings

Row = Mapping[str, Any]
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Cell:
    """Multiply-adds and bytes of one network at one size, as `count` finds them; what a floor is made of."""

    macs: int
    layered: int
    ideal: int

    @property
    def flops(self) -> int:
        return 2 * self.macs


@dataclass(frozen=True, slots=True)
class Goal:
    """A number to reach, what was read, and whether it was reached (None: it could not be read)."""

    what: str
    goal: str
    read: str
    reached: bool | None

    @property
    def mark(self) -> str:
        return {True: "yes", False: "no", None: "not read"}[self.reached]


def grid(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A plain table: the first two columns to the left, numbers to the right."""
    lines = [[_text(value) for value in row] for row in rows]
    widths = [max(len(line[i]) for line in [list(heads), *lines]) for i in range(len(heads))]
    out = []
    for line in [list(heads), *lines]:
        left = (0, 1, len(heads) - 1)
        cells = [line[i].ljust(w) if i in left else line[i].rjust(w) for i, w in enumerate(widths)]
        out.append("  ".join(cells).rstrip())
    return "\n".join(out)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}" if abs(value) < 1000 else f"{value:,.0f}"
    return str(value)


def ceilings(rows: Sequence[Row]) -> Ceilings | None:
    """The two ceilings, if they were read."""
    found = next((row for row in rows if row["group"] == "roofline" and "flops" in row), None)
    return Ceilings(found["flops"], found["bandwidth"]) if found is not None else None


def of(rows: Sequence[Row], group: str, **what: Any) -> list[Row]:
    """The rows of a group that have these values and figures (no errors)."""
    return [
        row for row in rows
        if row["group"] == group and "error" not in row and all(_same(row.get(k), v) for k, v in what.items())
    ]  # fmt: skip


def _same(there: Any, wanted: Any) -> bool:
    return list(there) == list(wanted) if isinstance(wanted, (tuple, list)) and there is not None else there == wanted


def best(rows: Sequence[Row], key: str = "fps") -> Row | None:
    """The fastest of them."""
    return max((row for row in rows if key in row), key=lambda row: row[key], default=None)


def real(rows: Sequence[Row]) -> list[Row]:
    """Without those in which something stood in for GL."""
    return [row for row in rows if "stand in" not in str(row.get("gl", ""))]


def engines(rows: Sequence[Row], costs: Mapping[tuple[str, tuple[int, int]], Cell]) -> str:
    """Each engine of each network at each size, with the floors that the card's ceilings set."""
    top = ceilings(rows)
    lines = []
    for row in [row for row in rows if row["group"] == "engines"]:
        size = tuple(row["size"])
        line = [label(row["network"]), _size(size), row.get("engine", "")]
        line += [row.get(key) for key in ("p50_ms", "p95_ms", "p99_ms", "fps")]
        cost = costs.get((row["network"], size))
        if top is not None and cost is not None and "p50_ms" in row:
            floor, ideal = top.floor(cost), top.floor(cost, ideal=True)  # type: ignore[arg-type]
            line += [floor, f"{floor / row['p50_ms']:.0%}", f"{ideal / row['p50_ms']:.0%}"]
        else:
            line += [None, None, None]
        lines.append([*line, row.get("compile_s"), row.get("error") or row.get("note") or ""])
    heads = ["network", "size", "engine", "p50 ms", "p95", "p99", "fps"]
    return grid([*heads, "floor ms", "of it", "of ideal", "compile s", ""], lines)


def paths(rows: Sequence[Row]) -> str:
    """The whole path and the naive loop."""
    lines = []
    for row in [row for row in rows if row["group"] in ("path", "naive")]:
        line = [label(row["network"]), _size(row["size"]), row.get("engine") or row.get("way", "naive"), row.get("fps")]
        line += [row.get("frame_p50_ms") or row.get("p50_ms"), row.get("frame_p99_ms") or row.get("p99_ms")]
        line += [row.get("latency_p50_ms"), row.get("latency_p99_ms"), row.get("alone_fps")]
        said = [row.get("error"), row.get("bridge"), row.get("note"), row.get("gl")]
        lines.append([*line, "; ".join(str(text) for text in said if text)])
    heads = ["network", "size", "way", "fps", "frame ms", "p99", "latency ms", "p99", "alone fps", ""]
    return grid(heads, lines)


def others(rows: Sequence[Row]) -> str:
    """Diffusion, switches, memory: a line each, as it was read."""
    out = []
    for row in [row for row in rows if row["group"] in ("diffusion", "switch", "memory")]:
        hidden = ("case", "group", "network", "size", "gl")
        told = ", ".join(f"{key} {_text(value)}" for key, value in row.items() if key not in hidden)
        out.append(f"{row['case']}: {told}")
    return "\n".join(out)


def _size(size: Sequence[int]) -> str:
    return f"{size[0]}×{size[1]}"


def goals(rows: Sequence[Row], costs: Mapping[tuple[str, tuple[int, int]], Cell]) -> list[Goal]:
    """The numbers to reach, against what was read."""
    full, four, small = (1920, 1080), (3840, 2160), (512, 512)
    alone = best(of(rows, "engines", network="m", size=full))
    through = best(real(of(rows, "path", network="m", size=full, engine="interop")))
    bridged = best(real(of(rows, "path", network="m", size=full, engine="host bridge")))
    hosted = best(real(of(rows, "path", network="m", size=full, engine="host")))
    large = best(real(of(rows, "path", network="m", size=four, engine="interop")))
    little = best(of(rows, "engines", network="m", size=small))
    other = best(of(rows, "diffusion", size=small))
    counts = next(iter(of(rows, "memory", engine="interop", case="a frame's syncs and allocations")), None)
    switched = next(iter(of(rows, "switch", engine="interop")), None)
    top, cost = ceilings(rows), costs.get(("m", full))
    floor = top.floor(cost) if top is not None and cost is not None else None  # type: ignore[arg-type]
    quickest = min((row["p50_ms"] for row in of(rows, "engines", network="m", size=full)), default=None)
    return [
        _itself("end to end, of what the engine records, m 1920×1080", through),
        _ratio("end to end, of the fastest engine alone, m 1920×1080", through, alone, "fps", 0.95, "{:.0%}"),
        _least("m 1920×1080 end to end, fps", through, 400),
        _least("m 3840×2160 end to end, fps", large, 120),
        _latency(through, quickest),
        _ratio("interop against host copies, same engine, m 1920×1080", through, bridged, "fps", 3.0, "{:.1f}×"),
        _ratio("interop against the engine behind host copies, m 1920×1080", through, hosted, "fps", 3.0, "{:.1f}×"),
        _share(floor, quickest),
        _none("host waits a frame", counts, "host waits a frame"),
        _none("allocations on the card a frame", counts, "card allocations a frame"),
        _none("late frames in the switches at 60 fps", switched, "late"),
        _ratio("m 512×512 against one-step diffusion", little, other, "fps", 20.0, "{:.0f}×"),
    ]


def _ratio(what: str, a: Row | None, b: Row | None, key: str, goal: float, form: str) -> Goal:
    aim = "≥ " + form.format(goal)
    if a is None or b is None or not b[key]:
        return Goal(what, aim, "", None)
    ratio = a[key] / b[key]
    return Goal(what, aim, f"{form.format(ratio)} ({_text(a[key])} / {_text(b[key])})", ratio >= goal)


def _itself(what: str, row: Row | None) -> Goal:
    """The path against its own recorded work."""
    other = {"fps": row["alone_fps"]} if row is not None and "alone_fps" in row else None
    return _ratio(what, row, other, "fps", 0.95, "{:.0%}")


def _least(what: str, row: Row | None, goal: float) -> Goal:
    if row is None:
        return Goal(what, f"≥ {goal:g}", "", None)
    return Goal(what, f"≥ {goal:g}", _text(row["fps"]), row["fps"] >= goal)


def _latency(row: Row | None, engine: float | None, more: float = 0.3) -> Goal:
    what, aim = "latency texture to texture, m 1920×1080, ms", f"≤ engine + {more:g}"
    if row is None or engine is None or "latency_p50_ms" not in row:
        return Goal(what, aim, "", None)
    read = row["latency_p50_ms"]
    return Goal(what, aim, f"{_text(read)} (engine {_text(engine)})", read <= engine + more)


def _share(floor: float | None, read: float | None) -> Goal:
    what = "engine, of the tighter roofline bound, m 1920×1080"
    if floor is None or read is None:
        return Goal(what, "≥ 50%", "", None)
    return Goal(what, "≥ 50%", f"{floor / read:.0%} ({_text(floor)} / {_text(read)} ms)", floor / read >= 0.5)


def _none(what: str, row: Row | None, key: str) -> Goal:
    if row is None or key not in row:
        return Goal(what, "0", "", None)
    return Goal(what, "0", _text(row[key]), row[key] == 0)


def report(found: Mapping[str, Any]) -> str:
    """All tables of a results file."""
    rows = found["rows"]
    costs = {(c["network"], tuple(c["size"])): Cell(c["macs"], c["layered"], c["ideal"]) for c in found["costs"]}
    parts = [_heading(found)]
    tables: list[tuple[str, str, Callable[[], str]]] = [
        ("The engine alone", "engines", lambda: engines(rows, costs)),
        ("The whole path, and the naive loop", "path naive", lambda: paths(rows)),
        ("Diffusion, switches, memory", "diffusion switch memory", lambda: others(rows)),
    ]
    for title, groups, make in tables:
        if any(row["group"] in groups.split() for row in rows):
            parts.append(f"{title}\n{make()}")
    if found["libraries"].get("device"):
        lines = [(goal.what, goal.goal, goal.read, goal.mark) for goal in goals(rows, costs)]
        parts.append("Numbers to reach\n" + grid(["what", "goal", "read", "reached"], lines))
    else:
        parts.append("There was no NVIDIA card: nothing of this says how fast one is.")
    if found["skipped"]:
        parts.append("No time was left for: " + ", ".join(found["skipped"]))
    return "\n\n".join(parts)


def _heading(found: Mapping[str, Any]) -> str:
    machine, about = found["machine"], found["libraries"]
    gpu = machine["gpu"]
    card = gpu.get("name") or gpu.get("none", "no GPU")
    driver = f", driver {gpu['driver_version']}" if "driver_version" in gpu else ""
    head = f"{card}{driver}; {machine['cpu']}, {machine['cores']} cores; Python {machine['python']}"
    head += "".join(f", {name} {about[name]}" for name in ("torch", "cuda", "cudnn") if about.get(name))
    top = ceilings(found["rows"])
    if top is not None:
        head += f"\nceilings: {top.flops / 1e12:.0f} TFLOP/s in half precision, "
        head += f"{top.bandwidth / 1e12:.2f} TB/s read plus written"
    return head


def save(path: Path, found: Mapping[str, Any]) -> None:
    """Write the file whole or not at all: what there is so far is never lost."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".part")
    partial.write_text(json.dumps({"format": FORMAT, **found}, indent=1) + "\n", "utf-8")
    os.replace(partial, path)
