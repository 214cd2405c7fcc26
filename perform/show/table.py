"""Reads one table of a show key by key, and collects every mistake instead of stopping at the first."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from pathlib import Path
from typing import Any

from perform.likeness import LIKE, near
from perform.show.lines import KeyPath, Lines
from perform.show.spec import Problem

LARGEST = sys.float_info.max
# What others call what a show has: the key that is meant, where the table has it …
SYNONYMS = {
    "duration": "hold", "effects": "filters", "enabled": "on", "file": "patch", "fps": "rate", "framerate": "rate",
    "path": "file", "repeat": "loop", "title": "name", "url": "device", "visible": "on",
}  # fmt: skip
TABLES = {  # what is said of what is no table
    "condition": "write condition = { gamma = 1.2 }",
    "filter": "the list of patches is `filters`",
    "transform": "write transform = { scale = 0.75 }",
}
NAMED = ("source", "sink", "control")  # tables of tables, each with a name of its own
OPENING = 'opening hours have a table of their own: [hours] and, below it, daily = "10:00-18:00"'
# … or what there is instead.
ELSEWHERE = {
    "engine": "[engine] is a table of its own: what all worlds run on",
    "fullscreen": "it is a key of [window]",
    "gallery": OPENING,
    "hours": OPENING,
    "opening": OPENING,
    "opening_hours": OPENING,
    "preset": "presets are files: presets/NAME.toml",
    "screen": "it is a key of [window]",
}


def meant(word: str, names: Iterable[str], like: float = LIKE) -> str:
    """ "; did you mean 'camera'?", or nothing when nothing is near."""
    folded = {name.casefold(): name for name in names}
    found = near(word.casefold(), folded, like)
    return f"; did you mean {folded[found]!r}?" if found else ""


def nearest(word: str, names: Iterable[str], most: int = 12) -> str:
    """ "; did you mean 'camera'?", or "; there are …" (at `most` so many) when nothing is near."""
    names = list(dict.fromkeys(names))
    if hint := meant(word, names):
        return hint
    if not names:
        return "; there are none"
    some = ", ".join(names[:most])
    return f"; there {'is' if len(names) == 1 else 'are'} {some}{', …' if len(names) > most else ''}"


def shown(value: Any) -> str:
    """A value as a message shows it: short, on one line."""
    if isinstance(value, Mapping):
        if not value or any(isinstance(v, (Mapping, list)) for v in value.values()):
            return "a table"
        text = f"{{ {', '.join(f'{k} = {shown(v)}' for k, v in value.items())} }}"
    elif isinstance(value, list) and any(isinstance(v, (Mapping, list)) for v in value):
        return "a list of tables" if isinstance(value[0], Mapping) else "a list of lists"
    elif isinstance(value, bool):
        text = "true" if value else "false"
    else:
        text = str(value) if isinstance(value, (date, time)) else repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


@dataclass(slots=True)
class Page:
    """The file that is being read, and what is wrong with it so far."""

    path: Path
    lines: Lines
    problems: list[Problem] = field(default_factory=list)
    where: dict[str, int] = field(default_factory=dict)  # address (or "cue NAME address") -> line

    def wrong(self, at: KeyPath, text: str) -> None:
        self.problems.append(Problem(self.path, self.lines[at], text))


@dataclass(slots=True)
class Table:
    """One table. Each `take_…` reads a key; a wrong value is noted and the default is returned. `done` at the end."""

    page: Page
    at: KeyPath
    title: str  # as a message names it: "[show]", "layer 'dream'"
    data: Mapping[str, Any]
    known: list[str] = field(default_factory=list)

    def wrong(self, key: str, text: str) -> None:
        self.page.wrong((*self.at, key) if key else self.at, f"{self.title}: {text}")

    def line(self, key: str = "") -> int:
        return self.page.lines[(*self.at, key) if key else self.at]

    def take(self, key: str) -> Any:
        """The raw value, or None; the key counts as known from now on."""
        self.known.append(key)
        return self.data.get(key)

    def text(self, key: str, default: str = "") -> str:
        value = self.take(key)
        if value is None:
            return default
        if not isinstance(value, str):
            self.wrong(key, f"{key} is a text in quotes, not {shown(value)}")
            return default
        return value

    def one_of(
        self, key: str, choices: Iterable[str], default: str, what: str = "", never: tuple[str, str] = ("", "")
    ) -> str:
        """A text that must be one of `choices`. `never` is one that cannot be, and why."""
        choices = list(choices)
        value = self.text(key, default)
        if value and value == never[0]:
            self.wrong(key, f"{key} = {value!r}: {never[1]}")
            return default
        if isinstance(self.data.get(key), str) and value not in choices:
            self.wrong(key, f"{key} = {value!r}: there is no such {what or key}{nearest(value, choices)}")
            return default
        return value

    def number(self, key: str, default: float, lo: float = -math.inf, hi: float = math.inf) -> float:
        value = self.maybe_number(key, lo, hi)
        return default if value is None else value

    def maybe_number(self, key: str, lo: float = -math.inf, hi: float = math.inf) -> float | None:
        value = self.take(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= LARGEST:
            self.wrong(key, f"{key} is a number, not {shown(value)}")
            return None
        if not lo <= value <= hi:
            self.wrong(key, f"{key} = {value:g} is out of range: {span(lo, hi)}")
            return None
        return float(value)

    def flag(self, key: str, default: bool) -> bool:
        value = self.take(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.wrong(key, f"{key} is true or false, not {shown(value)}")
            return default
        return value

    def pixels(self, key: str, default: tuple[int, int], lo: int, hi: int) -> tuple[int, int]:
        """[width, height] in pixels, each from `lo` to `hi`."""
        value = self.take(key)
        if value is None:
            return default
        if (
            not isinstance(value, list)
            or len(value) != 2
            or any(isinstance(v, bool) or not isinstance(v, int) for v in value)
        ):
            self.wrong(key, f"{key} is [width, height] in whole pixels, not {shown(value)}")
            return default
        if not all(lo <= v <= hi for v in value):
            self.wrong(key, f"{key} = {value}: each side has {lo} to {hi} pixels")
            return default
        return int(value[0]), int(value[1])

    def texts(self, key: str) -> list[str]:
        value = self.take(key)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            self.wrong(key, f'{key} is a list of texts like ["a", "b"], not {shown(value)}')
            return []
        return list(value)

    def table(self, key: str, title: str = "", like: str = "") -> Table:
        """The table under a key; an empty one if it is not there. `like` is what would be right."""
        value = self.take(key)
        if value is not None and not isinstance(value, Mapping):
            head = f"[{key}.NAME]" if key in NAMED else f"[{key}]"
            right = TABLES.get(key, f"write {key} = {like}") if self.at else f"write {head} and its keys below it"
            self.wrong(key, f"{key} is a table, not {shown(value)}; {right}")
            value = None
        return Table(self.page, (*self.at, key), title or f"{self.title} {key}", value or {})

    def tables(self, key: str) -> list[Table]:
        """The array of tables under a key ([[layer]])."""
        value = self.take(key)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(v, Mapping) for v in value):
            self.wrong(key, f"{key} is written as [[{key}]], once for each, not {shown(value)}")
            return []
        return [Table(self.page, (*self.at, key, n), f"{key} {n + 1}", v) for n, v in enumerate(value)]

    def done(self, others: str = "") -> None:
        """Complain about each key that nobody took. `others` says what may be meant by one that is like no key."""
        for key in self.data:
            if key not in self.known:
                self.wrong(key, f"there is no key {key!r}{self._instead(key, others)}")

    def _instead(self, key: str, others: str) -> str:
        word = key.casefold()
        if SYNONYMS.get(word) in self.known:
            return f"; did you mean {SYNONYMS[word]!r}?"
        if word in ELSEWHERE:
            return f"; {ELSEWHERE[word]}"
        if others:
            return meant(key, self.known, 0.7) or f"; {others.format(key)}"
        return nearest(key, self.known, len(self.known))


def span(lo: float, hi: float) -> str:
    """A range in words."""
    if math.isinf(hi):
        return f"at least {lo:g}"
    return f"{lo:g} to {hi:g}" if not math.isinf(lo) else f"at most {hi:g}"
