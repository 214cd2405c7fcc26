"""A world's model card: `card.toml`, read strictly into frozen records.

A card is a stranger's file and therefore data: it is parsed with tomllib, every key is checked, and file names may
not leave the card's folder. Pure Python, no GL, any thread.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from perform.likeness import near

FORMAT = 1
FILES = ("weights", "onnx", "int8")  # what a size may bring: safetensors, ONNX in float, ONNX in int8
MOOD_MOST = 64  # numbers in a mood vector


class CardError(ValueError):
    """A model card (or a file it names) is not right; the text is one sentence: file, key, what was expected."""


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that a card names: where it is and what its contents must hash to."""

    path: Path
    sha256: str


@dataclass(frozen=True, slots=True)
class Size:
    """One size of a world. `macs` are useful multiply-adds at 256×256; `native` is the side it was trained at."""

    name: str
    macs: float
    parameters: int
    native: int
    files: Mapping[str, Asset]  # some of "weights", "onnx", "int8"
    quality: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class MoodMap:
    """What an XY pad plays: a grid of mood vectors, row 0 at y = 0, column 0 at x = 0."""

    rows: int
    columns: int
    grid: tuple[tuple[float, ...], ...]

    def at(self, x: float, y: float) -> tuple[float, ...]:
        """The bilinear mood at x, y in 0..1 (clipped)."""
        column, row = _cell(x, self.columns), _cell(y, self.rows)
        (c, u), (r, v) = column, row
        right, up = min(c + 1, self.columns - 1), min(r + 1, self.rows - 1)
        corners = [self.grid[j * self.columns + i] for j in (r, up) for i in (c, right)]
        weights = ((1 - u) * (1 - v), u * (1 - v), (1 - u) * v, u * v)
        return tuple(
            sum(w * n for w, n in zip(weights, numbers, strict=True)) for numbers in zip(*corners, strict=True)
        )


def _cell(position: float, count: int) -> tuple[int, float]:
    along = min(1.0, max(0.0, position)) * (count - 1)
    index = min(int(along), max(0, count - 2))
    return index, along - index


@dataclass(frozen=True, slots=True)
class Mood:
    """The moods of a world: vectors of `size` numbers, some with a name, and a map of them (or none)."""

    size: int
    default: str
    named: Mapping[str, tuple[float, ...]]
    map: MoodMap | None


@dataclass(frozen=True, slots=True)
class Card:
    """A world as its card describes it. `sizes` runs from the smallest to the largest (by MACs)."""

    folder: Path
    world: str
    title: str
    description: str
    author: str
    licence: str
    sources: str
    multiple: int  # picture sides are multiples of this, in pixels
    preview: Path | None
    condition: str
    defaults: Mapping[str, float]  # of the condition's controls
    mood: Mood | None
    network: str
    sizes: Mapping[str, Size]
    raw: Mapping[str, Any] = field(repr=False)  # the parsed TOML, as perform.networks takes it

    def size(self, name: str) -> Size:
        """One size. Raises CardError with the nearest name if the world has none of that name."""
        if name not in self.sizes:
            raise CardError(f"the world {self.world!r} has no size {name!r}{nearest(name, self.sizes)}")
        return self.sizes[name]

    def smaller(self, name: str) -> list[str]:
        """The sizes below this one, the largest of them first (all of them if the name is unknown)."""
        names = list(self.sizes)
        return names[: names.index(name)][::-1] if name in names else names[::-1]

    def fit(self, width: int, height: int) -> tuple[int, int]:
        """The nearest (width, height) in pixels that the network takes, at least one multiple a side."""
        step = self.multiple
        return max(step, round(width / step) * step), max(step, round(height / step) * step)


def read_card(data: bytes, path: Path) -> Card:
    """A card.toml's bytes as a Card; `path` is where it lies. Raises CardError with one sentence."""
    try:
        raw = tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as e:  # no UTF-8, no TOML, a number of thousands of digits
        raise CardError(f"{path}: this is not TOML: {e}") from e
    card = checked(raw, path)
    if card.world != path.parent.name:
        raise CardError(f"{path}: world: {card.world!r} must be the name of the folder, {path.parent.name!r}")
    return card


def checked(raw: dict[str, Any], path: Path) -> Card:
    """A parsed card.toml as a Card, whatever its folder is called: a copy of a world may lie anywhere. Raises CardError
    with one sentence.
    """
    top = _Table(path, "", raw)
    version = top.whole("format", 1)
    if version != FORMAT:
        raise CardError(f"{path}: format: this program reads format {FORMAT}, not {version}")
    condition = top.table("condition")
    network = top.table("network")
    card = Card(
        folder=path.parent,
        world=top.text("world"),
        title=top.text("title"),
        description=top.text("description", ""),
        author=top.text("author", ""),
        licence=top.text("licence"),
        sources=top.text("sources", ""),
        multiple=top.whole("multiple", 1),
        preview=top.file("preview") if "preview" in raw else None,
        condition=condition.text("name"),
        defaults=condition.floats(),
        mood=_mood(top.table("mood")) if "mood" in raw else None,
        network=network.text("name"),
        sizes=_sizes(top.table("size")),
        raw=raw,
    )
    top.finish()
    return card


def _mood(table: _Table) -> Mood:
    size = table.whole("size", 1, MOOD_MOST)
    inner = table.table("named")
    named = {name: inner.vector(name, size) for name in inner.raw}
    inner.finish()
    default = table.text("default")
    if default not in named:
        raise table.wrong("default", f"one of the named moods{nearest(default, named)}", default)
    pad = None
    if "map" in table.raw:
        inner = table.table("map")
        rows, columns = inner.whole("rows", 1, 64), inner.whole("columns", 1, 64)
        grid = inner.take("grid", list, f"a list of {rows * columns} vectors")
        if len(grid) != rows * columns:
            raise inner.wrong("grid", f"{rows} × {columns} = {rows * columns} vectors", f"{len(grid)} of them")
        pad = MoodMap(rows, columns, tuple(inner.numbers("grid", vector, size) for vector in grid))
        inner.finish()
    table.finish()
    return Mood(size, default, named, pad)


def _sizes(table: _Table) -> dict[str, Size]:
    sizes = []
    for name in table.raw:
        inner = table.table(name)
        files = {}
        for kind in FILES:
            if kind in inner.raw:
                sha = inner.text(f"{kind}_sha256").lower()
                if not re.fullmatch(r"[0-9a-f]{64}", sha):
                    raise inner.wrong(f"{kind}_sha256", "64 hexadecimal digits", sha)
                files[kind] = Asset(inner.file(kind), sha)
        if not files:
            raise inner.wrong("", f"at least one file: {', '.join(FILES)}", "none")
        inner.free("network", "widths", "blocks", "inner", "arguments")  # its own: perform.networks reads them
        macs, parameters = inner.number("macs"), inner.whole("parameters", 0)
        native = inner.whole("native", 1)
        quality = inner.table("quality").floats() if "quality" in inner.raw else {}
        inner.finish()
        sizes.append(Size(name, macs, parameters, native, files, quality))
    if not sizes:
        raise table.wrong("", "at least one size, such as [size.m]", "none")
    return {size.name: size for size in sorted(sizes, key=lambda s: s.macs)}


class _Table:
    """One table of a card while it is read: each key is taken once, what is left over at the end is a mistake."""

    def __init__(self, path: Path, name: str, raw: dict[str, Any]) -> None:
        self.path, self.name, self.raw = path, name, raw
        self.known: set[str] = set()

    def wrong(self, key: str, expected: str, found: object) -> CardError:
        where = ".".join(filter(None, (self.name, key)))
        try:
            shown = found if isinstance(found, str) else repr(found)
        except ValueError:  # a hexadecimal number of thousands of digits, which Python will not write in decimal ones
            shown = "a number of thousands of digits"
        return CardError(f"{self.path}: {where}: expected {expected}, found {shown[:80] or 'nothing'}")

    def take(self, key: str, kind: type | tuple[type, ...], expected: str) -> Any:
        self.known.add(key)
        if key not in self.raw:
            unknown = near(key, self.raw, 0.7)
            raise self.wrong(key, expected, f"nothing; is {unknown!r} meant?" if unknown else "nothing")
        value = self.raw[key]
        if not isinstance(value, kind) or isinstance(value, bool):
            raise self.wrong(key, expected, value)
        return value

    def text(self, key: str, default: str | None = None) -> str:
        if default is not None and key not in self.raw:
            self.known.add(key)
            return default
        return str(self.take(key, str, "a text"))

    def whole(self, key: str, lo: int, hi: int = 2**62) -> int:
        expected = f"a whole number from {lo}" + (f" to {hi}" if hi < 2**62 else "")
        value: int = self.take(key, int, expected)
        if not lo <= value <= hi:
            raise self.wrong(key, expected, value)
        return value

    def number(self, key: str) -> float:
        return self.numbers(key, [self.take(key, (int, float), "a number")], 1)[0]

    def numbers(self, key: str, values: object, count: int) -> tuple[float, ...]:
        expected = f"{count} finite numbers" if count > 1 else "a finite number"
        if not isinstance(values, list) or len(values) != count:
            raise self.wrong(key, expected, f"{len(values)} of them" if isinstance(values, list) else values)
        for value in values:
            if not isinstance(value, (int, float)) or isinstance(value, bool) or not abs(value) <= sys.float_info.max:
                raise self.wrong(key, expected, value)
        return tuple(float(v) for v in values)

    def vector(self, key: str, count: int) -> tuple[float, ...]:
        return self.numbers(key, self.take(key, list, f"a list of {count} numbers"), count)

    def floats(self) -> dict[str, float]:
        """All keys not yet taken, as numbers."""
        return {key: self.number(key) for key in self.raw if key not in self.known}

    def file(self, key: str) -> Path:
        name = self.text(key)
        if not beside(name):
            raise self.wrong(key, "the name of a file beside the card", name)
        return self.path.parent / name

    def table(self, key: str) -> _Table:
        raw = self.take(key, dict, "a table")
        return _Table(self.path, ".".join(filter(None, (self.name, key))), raw)

    def free(self, *keys: str) -> None:
        self.known.update(keys)

    def finish(self) -> None:
        for key in self.raw:
            if key not in self.known:
                raise CardError(f"{self.path}: {'.'.join(filter(None, (self.name, key)))}: "
                                f"this key is not known{nearest(key, self.known)}")  # fmt: skip


def beside(name: str) -> bool:
    """Whether a card may name a file so: one in its own folder, on any system."""
    return re.fullmatch(r"[\w][\w. +-]*", name) is not None and not name.endswith((".", " "))


def nearest(name: str, names: Iterable[str]) -> str:
    """The end of a sentence about an unknown name: the nearest one, or all there are."""
    names = sorted(names)
    found = near(name, names)
    return f"; did you mean {found!r}?" if found else f"; there are {', '.join(names)}"
