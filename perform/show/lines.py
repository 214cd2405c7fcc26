"""Where each key of a TOML text stands, so that a mistake can be shown by its line."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

KeyPath = tuple[str | int, ...]

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SPACE = re.compile(r"[ \t]*")


def _key(text: str, at: int) -> tuple[list[str], int]:
    """A dotted key starting at `at`: (its parts, where it ends). Parts are empty if there is no key."""
    parts: list[str] = []
    while True:
        at = _SPACE.match(text, at).end()  # type: ignore[union-attr]
        if at < len(text) and text[at] in "\"'":
            end = text.find(text[at], at + 1)
            if end < 0:
                return [], at
            parts.append(text[at + 1 : end])
            at = end + 1
        elif bare := _BARE.match(text, at):
            parts.append(bare.group())
            at = bare.end()
        else:
            return [], at
        at = _SPACE.match(text, at).end()  # type: ignore[union-attr]
        if at >= len(text) or text[at] != ".":
            return parts, at
        at += 1


@dataclass(slots=True)
class _Value:
    """Follows a value over lines: open brackets and open multi-line strings."""

    depth: int = 0
    quote: str = ""  # the three quotes of an open multi-line string

    def feed(self, text: str) -> bool:
        """Read on; True while the value goes on in the next line."""
        at = 0
        while at < len(text):
            if self.quote:
                end = text.find(self.quote, at)
                if end < 0:
                    return True
                at, self.quote = end + 3, ""
                continue
            mark = text[at]
            if text.startswith(('"""', "'''"), at):
                self.quote = text[at : at + 3]
                at += 3
            elif mark in "\"'":
                at = _closing(text, at) + 1
            elif mark == "#":
                break
            else:
                self.depth += (mark in "[{") - (mark in "]}")
                at += 1
        return bool(self.quote) or self.depth > 0


def _closing(text: str, at: int) -> int:
    """Where the one-line string that opens at `at` closes (the end of the line if it doesn't)."""
    quote, at = text[at], at + 1
    while at < len(text) and text[at] != quote:
        at += 2 if text[at] == "\\" and quote == '"' else 1
    return at


@dataclass(slots=True)
class Lines:
    """`lines[path]` is the line (from 1) of a key, or of the nearest table around it; 0 if there is none.

    Elements of arrays of tables have their index in the path: ("layer", 0, "opacity").
    """

    _at: dict[KeyPath, int] = field(default_factory=dict)
    _count: dict[KeyPath, int] = field(default_factory=dict)

    @classmethod
    def of(cls, text: str) -> Lines:
        """Read a TOML text; never fails (what is not TOML is skipped). Linear in its length."""
        lines, table, value = cls(), (), None  # type: tuple[Lines, KeyPath, _Value | None]
        for number, line in enumerate(text.split("\n"), 1):
            if value is not None:
                value = value if value.feed(line) else None
                continue
            body = line.strip()
            if body.startswith("["):
                table = lines._header(body, number, table)
                continue
            parts, end = _key(line, 0)
            if not parts or not line[end:].startswith("="):
                continue
            for n in range(1, len(parts) + 1):
                lines._at.setdefault((*table, *parts[:n]), number)
            value = _Value()
            if not value.feed(line[end + 1 :]):
                value = None
        return lines

    def _header(self, body: str, number: int, table: KeyPath) -> KeyPath:
        many = body.startswith("[[")
        parts, _ = _key(body, 2 if many else 1)
        if not parts:
            return table
        path: KeyPath = ()
        for part in parts[:-1]:
            path = self._inside((*path, part))
            self._at.setdefault(path, number)  # [preset.calm] is where there is a `preset`
        path = (*path, parts[-1])
        if many:
            self._at.setdefault(path, number)  # of the first of them
            index = self._count[path] = self._count.get(path, -1) + 1
            path = (*path, index)
        self._at.setdefault(path, number)
        return path

    def _inside(self, path: KeyPath) -> KeyPath:
        """[layer.transform] below [[layer]] belongs to the newest layer."""
        return (*path, self._count[path]) if path in self._count else path

    def __getitem__(self, path: KeyPath) -> int:
        while path:
            if path in self._at:
                return self._at[path]
            path = path[:-1]
        return 0
