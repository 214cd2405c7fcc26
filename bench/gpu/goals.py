"""The numbers that were to be reached, against what was read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bench.gpu.table import Cell, Row, best, ceilings, gl_alone, of, real, text


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


def goals(rows: Sequence[Row], costs: Mapping[tuple[str, tuple[int, int]], Cell]) -> list[Goal]:
    """The numbers to reach, against what was read."""
    full, small = (1920, 1080), (512, 512)
    little = best(of(rows, "engines", network="m", size=small))
    other = best(of(rows, "diffusion", size=small))
    counts = next(iter(of(rows, "memory", engine="interop", case="a frame's syncs and allocations")), None)
    switched = next(iter(of(rows, "switch", engine="interop")), None)
    top, cost = ceilings(rows), costs.get(("m", full))
    floor = top.floor(cost) if top is not None and cost is not None else None  # type: ignore[arg-type]
    quickest = min((row["p50_ms"] for row in of(rows, "engines", network="m", size=full)), default=None)
    return [
        *_through(rows, quickest),
        _share(floor, quickest),
        _none("host waits a frame", counts, "host waits a frame"),
        _none("allocations on the card a frame", counts, "card allocations a frame"),
        _none("late frames in the switches at 60 fps", switched, "late"),
        _ratio("m 512×512 against one-step diffusion", little, other, "fps", 20.0, "{:.0f}×"),
    ]


def _through(rows: Sequence[Row], quickest: float | None) -> list[Goal]:
    """Those of the whole path."""
    full, four = (1920, 1080), (3840, 2160)
    alone = best(of(rows, "engines", network="m", size=full))
    through = best(real(of(rows, "path", network="m", size=full, engine="interop")))
    bridged = best(real(of(rows, "path", network="m", size=full, engine="host bridge")))
    hosted = best(real(of(rows, "path", network="m", size=full, engine="host")))
    large = best(real(of(rows, "path", network="m", size=four, engine="interop")))
    of_bridge = "interop against host copies, same engine, m 1920×1080"
    of_host = "interop against the engine behind host copies, m 1920×1080"
    of_fastest = "end to end, of the fastest engine alone, m 1920×1080"
    return [
        _bounded(_itself("end to end, of what the engine records, m 1920×1080", through), rows, through),
        _bounded(_ratio(of_fastest, through, alone, "fps", 0.95, "{:.0%}"), rows, through),
        _bounded(_least("m 1920×1080 end to end, fps", through, 400), rows, through),
        _bounded(_least("m 3840×2160 end to end, fps", large, 120), rows, large),
        _latency(through, quickest),
        _bounded(_ratio(of_bridge, through, bridged, "fps", 3.0, "{:.1f}×"), rows, through),
        _bounded(_ratio(of_host, through, hosted, "fps", 3.0, "{:.1f}×"), rows, through),
    ]


def _bounded(goal: Goal, rows: Sequence[Row], row: Row | None) -> Goal:
    """The same, with GL's own frame rate where that, and not the engine's, is the tighter bound."""
    drawn = gl_alone(rows, row["size"]) if row is not None else None
    if goal.reached is None or row is None or drawn is None or drawn["fps"] >= row.get("alone_fps", float("inf")):
        return goal
    return replace(goal, read=f"{goal.read}; bounded by GL alone at {text(drawn['fps'])} fps")


def _ratio(what: str, a: Row | None, b: Row | None, key: str, goal: float, form: str) -> Goal:
    aim = "≥ " + form.format(goal)
    if a is None or b is None or not b[key]:
        return Goal(what, aim, "", None)
    ratio = a[key] / b[key]
    return Goal(what, aim, f"{form.format(ratio)} ({text(a[key])} / {text(b[key])})", ratio >= goal)


def _itself(what: str, row: Row | None) -> Goal:
    """The path against its own recorded work."""
    other = {"fps": row["alone_fps"]} if row is not None and "alone_fps" in row else None
    return _ratio(what, row, other, "fps", 0.95, "{:.0%}")


def _least(what: str, row: Row | None, goal: float) -> Goal:
    if row is None:
        return Goal(what, f"≥ {goal:g}", "", None)
    return Goal(what, f"≥ {goal:g}", text(row["fps"]), row["fps"] >= goal)


def _latency(row: Row | None, engine: float | None, more: float = 0.3) -> Goal:
    what, aim = "latency texture to texture, m 1920×1080, ms", f"≤ engine + {more:g}"
    if row is None or engine is None or "latency_p50_ms" not in row:
        return Goal(what, aim, "", None)
    read = row["latency_p50_ms"]
    return Goal(what, aim, f"{text(read)} (engine {text(engine)})", read <= engine + more)


def _share(floor: float | None, read: float | None) -> Goal:
    what = "engine, of the tighter roofline bound, m 1920×1080"
    if floor is None or read is None:
        return Goal(what, "≥ 50%", "", None)
    return Goal(what, "≥ 50%", f"{floor / read:.0%} ({text(floor)} / {text(read)} ms)", floor / read >= 0.5)


def _none(what: str, row: Row | None, key: str) -> Goal:
    if row is None or key not in row:
        return Goal(what, "0", "", None)
    return Goal(what, "0", text(row[key]), row[key] == 0)
