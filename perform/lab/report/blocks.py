"""What a report is made of, before it becomes a page or a Markdown file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Heading:
    """A heading; 1 is the title."""

    level: int
    text: str


@dataclass(frozen=True)
class Text:
    """A paragraph. `code` and **strong** are the only marks."""

    text: str


@dataclass(frozen=True)
class Table:
    """Cells as they are to be read; the first column is a name. Rows in `strong` matter most."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str
    made: str  # which of the commands at the head of its world made it
    strong: Sequence[int] = ()


@dataclass(frozen=True)
class Chart:
    """A drawing, as the text of an SVG file `name`.svg; narrow ones stand two abreast where there is room."""

    name: str
    svg: str
    caption: str
    made: str


@dataclass(frozen=True)
class Picture:
    """A picture file that lies beside the report."""

    path: Path
    caption: str
    commands: Sequence[str]


@dataclass(frozen=True)
class Typed:
    """What was typed, a line each."""

    commands: Sequence[str]


def numeric(cells: Sequence[str]) -> bool:
    """Whether a column holds numbers, and stands to the right."""
    return all(set(cell) <= set("0123456789.,+-–±/ %e") for cell in cells)


Block = Heading | Text | Table | Chart | Picture | Typed
