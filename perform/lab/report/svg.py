"""Drawing by hand: what every chart needs of SVG. Colours follow the reader's light or dark, also as a plain file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

# ink, quiet, rule, paper, then the kinds of entrants; light and dark
COLOURS: Mapping[str, tuple[str, str]] = {
    "ink": ("#26231f", "#e9e5dd"),
    "quiet": ("#716a60", "#a39b8e"),
    "rule": ("#dcd6cb", "#3b3730"),
    "paper": ("#faf9f6", "#171512"),
    "size": ("#1f5f8b", "#7fb6dc"),
    "int8": ("#b4532a", "#ea9a6f"),
    "teacher": ("#4a7c4e", "#93c796"),
    "run": ("#857c6f", "#9b9284"),
    "baseline": ("#857c6f", "#9b9284"),
}
FACE = 'ui-sans-serif, system-ui, "Helvetica Neue", Arial, sans-serif'


def style() -> str:
    """The rules all charts share; inlined many times over in one page, they are the same rules."""
    light = "".join(f"--{name}:{pair[0]};" for name, pair in COLOURS.items())
    dark = "".join(f"--{name}:{pair[1]};" for name, pair in COLOURS.items())
    kinds = "".join(
        f".chart .{name}{{fill:var(--{name})}}.chart .{name}-line{{stroke:var(--{name});fill:none}}" for name in COLOURS
    )
    return (
        f".chart{{{light}font:14px {FACE}}}@media(prefers-color-scheme:dark){{.chart{{{dark}}}}}"
        f"{kinds}.chart text{{fill:var(--ink)}}.chart text.quiet{{fill:var(--quiet)}}"
        ".chart .halo{paint-order:stroke;stroke:var(--paper);stroke-width:3px;stroke-linejoin:round}"
    )


def document(width: float, height: float, parts: Sequence[str], title: str) -> str:
    """A whole SVG file. `title` is what a screen reader says."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 {number(width)} {number(height)}" '
        f'role="img" aria-label="{escape(title, quote=True)}"><style>{style()}</style>'
        f'<rect width="100%" height="100%" class="paper"/>{"".join(parts)}</svg>\n'
    )


def number(value: float) -> str:
    """A coordinate: a tenth of a pixel is enough, and keeps a diff small."""
    return f"{value:.1f}".removesuffix(".0")


def text(x: float, y: float, words: str, anchor: str = "start", kind: str = "", size: float = 14) -> str:
    """Words at a point; `anchor` start, middle or end."""
    names = f' class="{kind}"' if kind else ""
    at = f'x="{number(x)}" y="{number(y)}" text-anchor="{anchor}" font-size="{number(size)}"'
    return f"<text {at}{names}>{escape(words)}</text>"


def line(x1: float, y1: float, x2: float, y2: float, kind: str = "rule", width: float = 1, dash: str = "") -> str:
    """A straight line."""
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    ends = f'x1="{number(x1)}" y1="{number(y1)}" x2="{number(x2)}" y2="{number(y2)}"'
    return f'<line {ends} class="{kind}-line" stroke-width="{number(width)}"{dashes}/>'


def mark(x: float, y: float, kind: str, what: str = "") -> str:
    """An entrant: a disc for a size, a diamond for int8, a square for the teacher, a ring for the others. Hovering says
    `what`.
    """
    tip = f"<title>{escape(what)}</title>" if what else ""
    a, b = number(x), number(y)
    if kind == "size":
        return f'<circle cx="{a}" cy="{b}" r="5.5" class="size">{tip}</circle>'
    if kind == "int8":
        turned = f'transform="rotate(45 {a} {b})"'
        return (
            f'<rect x="{number(x - 4.5)}" y="{number(y - 4.5)}" width="9" height="9" {turned} class="int8">{tip}</rect>'
        )
    if kind == "teacher":
        return f'<rect x="{number(x - 5)}" y="{number(y - 5)}" width="10" height="10" class="teacher">{tip}</rect>'
    return f'<circle cx="{a}" cy="{b}" r="4" class="run-line" stroke-width="1.5">{tip}</circle>'


def ticks(low: float, high: float, log: bool = False, about: int = 5) -> list[float]:
    """Round numbers from `low` to `high`."""
    if log:
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        many = [digit * 10.0**power for power in powers for digit in (1, 2, 5)]
        few = [10.0**power for power in powers]
        found = [tick for tick in many if low <= tick <= high]
        return found if len(found) <= 7 else [tick for tick in few if low <= tick <= high]
    step = 10 ** math.floor(math.log10((high - low) / about))
    step *= min((k for k in (1, 2, 5, 10) if (high - low) / (step * k) <= about + 1), default=10)
    first = math.ceil(low / step - 1e-9)
    return [index * step for index in range(first, math.floor(high / step + 1e-9) + 1)]


def short(value: float) -> str:
    """A tick's or a label's number, three digits at most."""
    size = abs(value)
    if size == 0:
        return "0"
    if size >= 100:
        return f"{value:,.0f}"
    return f"{value:.2g}" if size < 1 else f"{value:.3g}"
