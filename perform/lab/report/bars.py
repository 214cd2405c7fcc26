"""One row a variant: how far it is from the whole, in several measures side by side; and times on a long scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from perform.lab.report import svg

WIDTH = 500.0
ROW = 26.0
NAME = 140.0


@dataclass(frozen=True)
class Row:
    """A variant, with a value (and a standard error) in each panel; None where it was not measured."""

    name: str
    kind: str
    values: Sequence[tuple[float, float] | None]


def changes(rows: Sequence[Row], panels: Sequence[str], title: str, note: str) -> str:
    """Bars to the left and right of nought, a panel for each measure: left is better. `rows` hold differences.

    The measures have units of their own, so each panel has its own scale. Raises ValueError without a row.
    """
    if not rows:
        raise ValueError(f"there is nothing to draw for {title!r}")
    top, gap = 66.0, 16.0
    height = top + ROW * len(rows) + 30
    wide = (WIDTH - NAME - gap * len(panels)) / len(panels)
    parts = [svg.text(0, 18, title, size=16), svg.text(0, 37, note, kind="quiet", size=13)]
    for index, row in enumerate(rows):
        parts.append(svg.text(NAME - 10, top + ROW * index + 17, row.name, "end"))
    for column, panel in enumerate(panels):
        left = NAME + column * (wide + gap)
        values = [row.values[column] for row in rows]
        parts += _panel(values, [row.kind for row in rows], panel, left, wide, top)
    return svg.document(WIDTH, height, parts, title)


def _panel(
    values: Sequence[tuple[float, float] | None],
    kinds: Sequence[str],
    name: str,
    left: float,
    wide: float,
    top: float,
) -> list[str]:
    known = [pair for pair in values if pair is not None]
    low = min([0.0, *(value - error for value, error in known)])
    high = max([0.0, *(value + error for value, error in known)])
    span = (high - low) or 1.0

    def at(value: float) -> float:
        return left + (value - low) / span * wide

    bottom = top + ROW * len(values)
    parts = [svg.text(left, top - 8, name, kind="quiet", size=13)]
    parts += [svg.line(at(0), top - 2, at(0), bottom, "quiet")]
    for index, (pair, kind) in enumerate(zip(values, kinds, strict=True)):
        y = top + ROW * index + 7
        if pair is None:
            parts.append(svg.text(at(0) + 5, y + 10, "not measured", kind="quiet", size=11))
            continue
        value, error = pair
        x, width = min(at(value), at(0)), max(0.8, abs(at(value) - at(0)))
        tip = f"<title>{svg.short(value)}</title>"
        box = f'x="{svg.number(x)}" y="{svg.number(y)}" width="{svg.number(width)}" height="13"'
        parts.append(f'<rect {box} class="{kind}">{tip}</rect>')
        if error:
            parts.append(svg.line(at(value - error), y + 6.5, at(value + error), y + 6.5, "ink", 1))
    for edge, anchor in ((low, "start"), (high, "end")):
        if edge:
            parts.append(svg.text(at(edge), bottom + 16, f"{edge:+.2g}", anchor, "quiet", 12))
    return parts


@dataclass(frozen=True)
class Time:
    """Milliseconds a dream: the fastest call and the median."""

    name: str
    kind: str
    best: float
    p50: float


def times(rows: Sequence[Time], title: str, note: str) -> str:
    """Times, the slowest first, on a logarithmic scale: the bar is the median, the mark the fastest call; at the end
    how many times as fast as the first row by the median. Raises ValueError without a row.
    """
    if not rows:
        raise ValueError(f"there is nothing to draw for {title!r}")
    top, name, end = 56.0, 204.0, 118.0
    bottom = top + ROW * len(rows) + 4
    low = min(row.best for row in rows) / 2
    high = max(row.p50 for row in rows)
    parts = [svg.text(0, 18, title, size=16), svg.text(0, 37, note, kind="quiet", size=13)]

    def at(value: float) -> float:
        return name + math.log(value / low) / math.log(high / low) * (WIDTH - name - end)

    for tick in svg.ticks(low, high, log=True):
        parts.append(svg.line(at(tick), top - 2, at(tick), bottom))
        parts.append(svg.text(at(tick), bottom + 16, svg.short(tick), "middle", "quiet", 12))
    for index, row in enumerate(rows):
        y = top + ROW * index
        box = f'x="{svg.number(name)}" y="{svg.number(y + 3)}" width="{svg.number(at(row.p50) - name)}" height="15"'
        parts.append(svg.text(name - 10, y + 15, row.name, "end"))
        parts.append(f'<rect {box} class="{row.kind}" rx="1"/>')
        parts.append(svg.line(at(row.best), y + 3, at(row.best), y + 18, "paper", 1.5))
        words = f"{svg.short(row.p50)} ms" + (f"  ×{svg.short(rows[0].p50 / row.p50)}" if index else "")
        parts.append(svg.text(at(row.p50) + 8, y + 15, words))
    return svg.document(WIDTH, bottom + 24, parts, title)
