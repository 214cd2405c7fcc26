"""A results file as text: all its tables, or the short ones of a README."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bench.gpu.goals import goals
from bench.gpu.nets import label
from bench.gpu.table import Cell, best, ceilings, engines, grid, of, others, paths, real, sides, text, who

Found = Mapping[str, Any]


def report(found: Found) -> str:
    """All tables of a results file."""
    rows = found["rows"]
    costs = _costs(found)
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


def _heading(found: Found) -> str:
    machine, about = found["machine"], found["libraries"]
    gpu = machine["gpu"]
    # PyTorch says which card was measured; nvidia-smi's first line may be another.
    card = about.get("device") or gpu.get("name") or gpu.get("none", "no GPU")
    driver = f", driver {gpu['driver_version']}" if "driver_version" in gpu else ""
    head = f"{card}{driver}; {machine['cpu']}, {machine['cores']} cores; Python {machine['python']}"
    head += "".join(f", {name} {about[name]}" for name in ("torch", "cuda", "cudnn") if about.get(name))
    top = ceilings(found["rows"])
    if top is not None:
        head += f"\nceilings: {top.flops / 1e12:.0f} TFLOP/s in half precision, "
        head += f"{top.bandwidth / 1e12:.2f} TB/s read plus written"
    return head


def _costs(found: Found) -> dict[tuple[str, tuple[int, int]], Cell]:
    return {(c["network"], tuple(c["size"])): Cell(c["macs"], c["layered"], c["ideal"]) for c in found["costs"]}


def markdown(found: Found) -> str:
    """For a README: the machine, the fastest engine of each network and size, the path, the numbers to reach."""
    parts = [_heading(found).splitlines()[0] + ".", _fastest(found), _ways(found)]
    if found["libraries"].get("device"):
        lines = [(g.what, g.goal, g.read, g.mark) for g in goals(found["rows"], _costs(found))]
        parts.append(_bars(["", "goal", "read", "reached"], lines))
    return "\n\n".join(part for part in parts if part)


def _fastest(found: Found) -> str:
    rows = [row for row in found["rows"] if row["group"] == "engines"]
    networks = list(dict.fromkeys(row["network"] for row in rows))
    sizes = sorted({tuple(row["size"]) for row in rows})
    lines = []
    for network in networks:
        top = [best(of(rows, "engines", network=network, size=size)) for size in sizes]
        cells = [f"{row['p50_ms']:.2f} ms, {row['fps']:,.0f} fps ({row['engine']})" if row else "" for row in top]
        lines.append([label(network), *cells])
    return _bars(["engine alone", *map(sides, sizes)], lines) if lines else ""


def _ways(found: Found) -> str:
    rows = [row for row in real(found["rows"]) if row["group"] in ("path", "naive") and "error" not in row]
    lines = [
        (row["engine"], who(row), sides(row["size"]), text(row["fps"]), text(row.get("latency_p50_ms"))) for row in rows
    ]
    return _bars(["whole path", "network", "size", "fps", "latency, ms"], lines) if lines else ""


def _bars(heads: list[str], rows: Any) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
