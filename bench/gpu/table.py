"""From rows to tables, and to the file that keeps them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.gpu.nets import label
from bench.gpu.plan import GL_ALONE
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


def grid(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A plain table: the first two columns to the left, numbers to the right."""
    lines = [[text(value) for value in row] for row in rows]
    widths = [max(len(line[i]) for line in [list(heads), *lines]) for i in range(len(heads))]
    out = []
    for line in [list(heads), *lines]:
        left = (0, 1, len(heads) - 1)
        cells = [line[i].ljust(w) if i in left else line[i].rjust(w) for i, w in enumerate(widths)]
        out.append("  ".join(cells).rstrip())
    return "\n".join(out)


def text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


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
        line = [label(row["network"]), sides(size), row.get("engine", "")]
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
    """The whole path and the naive loop. `of it GL` is GL alone at this size, of this frame's median."""
    lines = []
    for row in [row for row in rows if row["group"] in ("path", "naive")]:
        line = [who(row), sides(row["size"]), row.get("engine") or row.get("way", "naive"), row.get("fps")]
        line += [row.get("frame_p50_ms") or row.get("p50_ms"), row.get("frame_p99_ms") or row.get("p99_ms")]
        line += [gl_share(row, rows), row.get("latency_p50_ms"), row.get("latency_p99_ms"), row.get("alone_fps")]
        drawn = ", ".join(f"{name} {text(ms)} ms" for name, ms in row.get("passes_ms", {}).items())
        drawn = f"{drawn} by {row['by']}" if drawn else ""
        said = [row.get("error"), drawn, row.get("bridge"), carried(row), row.get("note"), row.get("gl")]
        lines.append([*line, "; ".join(str(part) for part in said if part)])
    heads = ["network", "size", "way", "fps", "frame ms", "p99", "of it GL", "latency ms", "p99", "alone fps", ""]
    return grid(heads, lines)


def carried(row: Row) -> str:
    """How pictures went between GL and CUDA, a frame: "1.00 take, 1.00 give"."""
    counts = row.get("carried", {})
    return ", ".join(f"{count:.2f} {name}" for name, count in counts.items() if count)


def who(row: Row) -> str:
    """Which network: none where GL is alone."""
    return label(row["network"]) if "network" in row else ""


def gl_alone(rows: Sequence[Row], size: Sequence[int]) -> Row | None:
    """The reading of GL alone at this size."""
    return next(iter(of(rows, "path", size=size, engine=GL_ALONE)), None)


def gl_share(row: Row, rows: Sequence[Row]) -> str | None:
    """GL alone's frame of this frame; None for what draws nothing, or something else."""
    drawn = gl_alone(rows, row["size"])
    if drawn is None or "frame_p50_ms" not in row or row is drawn:
        return None
    return f"{drawn['frame_p50_ms'] / row['frame_p50_ms']:.0%}"


def others(rows: Sequence[Row]) -> str:
    """Diffusion, switches, memory: a line each, as it was read."""
    out = []
    for row in [row for row in rows if row["group"] in ("diffusion", "switch", "memory")]:
        hidden = ("case", "group", "network", "size", "gl")
        told = ", ".join(f"{key} {text(value)}" for key, value in row.items() if key not in hidden)
        out.append(f"{row['case']}: {told}")
    return "\n".join(out)


def sides(size: Sequence[int]) -> str:
    return f"{size[0]}×{size[1]}"


def save(path: Path, found: Mapping[str, Any]) -> None:
    """Write the file whole or not at all: what there is so far is never lost."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".part")
    partial.write_text(json.dumps({"format": FORMAT, **found}, indent=1) + "\n", "utf-8")
    os.replace(partial, path)
