"""Quality against cost, one mark an entrant, and the front that nobody else reaches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from perform.lab.report import svg

WIDTH, HEIGHT = 500.0, 400.0
LEFT, RIGHT, TOP, BOTTOM = 54.0, 14.0, 46.0, 54.0


@dataclass(frozen=True)
class Point:
    """An entrant at a cost `x` with a quality `y` (lower is better) and its standard error."""

    name: str
    kind: str
    x: float
    y: float
    error: float = 0.0


@dataclass(frozen=True)
class Level:
    """A value of y worth knowing: the floor, or what no network at all would get."""

    name: str
    y: float


def front(points: Sequence[Point]) -> list[Point]:
    """Those that are better than everybody who costs as much or less, cheapest first (Pareto)."""
    best, out = math.inf, []
    for point in sorted(points, key=lambda p: (p.x, p.y)):
        if point.y < best:
            best = point.y
            out.append(point)
    return out


class Frame:
    """Where values lie on the paper: x logarithmic, y from nought or below."""

    def __init__(self, points: Sequence[Point], levels: Sequence[Level]) -> None:
        xs = [point.x for point in points]
        ys = [point.y + point.error for point in points] + [level.y for level in levels]
        lows = [point.y - point.error for point in points] + [level.y for level in levels]
        self.x_low, self.x_high = min(xs) / 1.6, max(xs) * 1.9
        top, low = max(ys), min(0.0, *lows)
        if min(lows) > 0.45 * top:  # far from nought: a chart of nothing but air says less
            low = min(lows) - 0.15 * (top - min(lows))
        self.y_low, self.y_high = low, top + 0.08 * (top - low)

    def x(self, value: float) -> float:
        along = math.log(value / self.x_low) / math.log(self.x_high / self.x_low)
        return LEFT + along * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        up = (value - self.y_low) / (self.y_high - self.y_low)
        return HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)


def draw(points: Sequence[Point], title: str, x_label: str, y_label: str, levels: Sequence[Level] = ()) -> str:
    """The chart as an SVG file. Raises ValueError without a point."""
    if not points:
        raise ValueError(f"there is nothing to draw for {title!r}")
    frame = Frame(points, levels)
    parts = [svg.text(LEFT, 18, title, size=16), *_axes(frame, x_label, y_label)]
    taken: list[tuple[float, float, float, float]] = []
    for level in levels:
        height = frame.y(level.y)
        parts.append(svg.line(LEFT, height, WIDTH - RIGHT, height, "quiet", 1, "2 4"))
        parts.append(svg.text(WIDTH - RIGHT, height - 5, level.name, "end", "quiet halo", 12.5))
        taken.append((WIDTH - RIGHT - 6.8 * len(level.name), height - 16, WIDTH - RIGHT, height))
    parts.append(_steps(frame, front(points)))
    for point in points:
        if point.error:
            ends = frame.y(point.y - point.error), frame.y(point.y + point.error)
            parts.append(svg.line(frame.x(point.x), ends[0], frame.x(point.x), ends[1], point.kind, 1))
        what = f"{point.name}: {svg.short(point.y)} at {svg.short(point.x)}"
        parts.append(svg.mark(frame.x(point.x), frame.y(point.y), point.kind, what))
        taken.append((frame.x(point.x) - 6, frame.y(point.y) - 6, frame.x(point.x) + 6, frame.y(point.y) + 6))
    parts += _names(frame, points, taken)
    return svg.document(WIDTH, HEIGHT, parts, title)


def _axes(frame: Frame, x_label: str, y_label: str) -> list[str]:
    floor, parts = HEIGHT - BOTTOM, []
    for value in svg.ticks(frame.y_low, frame.y_high):
        parts.append(svg.line(LEFT, frame.y(value), WIDTH - RIGHT, frame.y(value)))
        parts.append(svg.text(LEFT - 8, frame.y(value) + 4, svg.short(value), "end", "quiet", 13))
    for value in svg.ticks(frame.x_low, frame.x_high, log=True):
        parts.append(svg.line(frame.x(value), floor, frame.x(value), floor + 5, "quiet"))
        parts.append(svg.text(frame.x(value), floor + 19, svg.short(value), "middle", "quiet", 13))
    parts.append(svg.line(LEFT, floor, WIDTH - RIGHT, floor, "quiet"))
    parts.append(svg.text(WIDTH - RIGHT, HEIGHT - 10, x_label, "end", "quiet", 13))
    parts.append(svg.text(LEFT, 36, y_label, "start", "quiet", 13))
    return parts


def _steps(frame: Frame, points: Sequence[Point]) -> str:
    """The front as a staircase: at each cost the best there is."""
    path = f"M{svg.number(frame.x(points[0].x))} {svg.number(frame.y(points[0].y))}"
    for point in points[1:]:
        path += f"H{svg.number(frame.x(point.x))}V{svg.number(frame.y(point.y))}"
    return f'<path d="{path}" class="quiet-line" stroke-width="1" opacity=".55"/>'


def _names(frame: Frame, points: Sequence[Point], taken: list[tuple[float, float, float, float]]) -> list[str]:
    """Names beside their marks where there is room: the important ones first, the others if it does not crowd."""
    order = {"teacher": 0, "size": 1, "int8": 2}
    parts = []
    for point in sorted(points, key=lambda p: (order.get(p.kind, 3), p.x)):
        size = 14.0 if point.kind in order else 12.0
        wide, x, y = 0.56 * size * len(point.name) + 2, frame.x(point.x), frame.y(point.y)
        places = (
            (x + 10, y + 4, "start"),
            (x - 10, y + 4, "end"),
            (x, y - 11, "middle"),
            (x, y + 20, "middle"),
            (x + 9, y - 9, "start"),
            (x + 9, y + 17, "start"),
            (x - 9, y - 9, "end"),
            (x - 9, y + 17, "end"),
        )
        for left, base, anchor in places:
            start = {"start": left, "middle": left - wide / 2, "end": left - wide}[anchor]
            box = (start, base - size, start + wide, base + 3)
            if box[0] > LEFT and box[2] < WIDTH - 2 and box[1] > TOP - 4 and not any(_meet(box, b) for b in taken):
                taken.append(box)
                kind = "halo" if point.kind in order else "quiet halo"
                parts.append(svg.text(left, base, point.name, anchor, kind, size))
                break
    return parts


def _meet(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
