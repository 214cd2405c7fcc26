"""JSON as people write it into shaders: trailing or missing commas, comments, raw line breaks in strings, `.5`.

A shader's header is typed by hand, and other hosts forgive much. This reads whatever has one obvious meaning and
reports the rest with its line. Nothing is evaluated.
"""

from __future__ import annotations

import re
from typing import Any

QUOTES = ('"', "'")
DEPTH = 32  # nested lists and dicts; real headers use 4
_SKIP = re.compile(r"(?:\s+|//[^\n]*|/\*.*?\*/)+", re.S)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?f?")
_WORD = re.compile(r"[A-Za-z_$][\w$]*")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_WORDS = {"true": True, "yes": True, "false": False, "no": False, "null": None, "nan": 0.0}


class LooseError(ValueError):
    """Not JSON even with goodwill: `line` (from 1) and what was expected."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


class Reader:
    """Reads one value from `text` at `position`; afterwards `position` is behind it."""

    def __init__(self, text: str, position: int = 0) -> None:
        self.text, self.position, self._depth = text, position, 0

    def value(self) -> Any:
        """The next value: dict, list, str, int, float, bool or None. Raises LooseError."""
        self._skip()
        char = self._char()
        if char == "{":
            return self._nested(self._dict)
        if char == "[":
            return self._nested(self._list)
        if char in QUOTES:
            return self._string(char)
        number = _NUMBER.match(self.text, self.position)
        if number:
            self.position = number.end()
            digits = number[0].rstrip("f")
            return float(digits) if any(c in digits for c in ".eE") or len(digits) > 18 else int(digits)
        word = _WORD.match(self.text, self.position)
        if word and word[0].lower() in _WORDS:
            self.position = word.end()
            return _WORDS[word[0].lower()]
        raise self._error(f"expected a value, found {self._found()}")

    def _nested(self, read: Any) -> Any:
        self._depth += 1
        if self._depth > DEPTH:
            raise self._error(f"lists and dicts are nested more than {DEPTH} deep")
        self.position += 1
        value = read()
        self._depth -= 1
        return value

    def _dict(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while True:
            self._skip(",")
            char = self._char()
            if char == "}":
                self.position += 1
                return found
            word = _WORD.match(self.text, self.position)
            if char in QUOTES:
                key = self._string(char)
            elif word:
                key, self.position = word[0], word.end()
            else:
                raise self._error(f"expected a key or }}, found {self._found()}")
            self._skip()
            if self._char() not in (":", "="):
                raise self._error(f"expected : after {key!r}, found {self._found()}")
            self.position += 1
            found[key] = self.value()

    def _list(self) -> list[Any]:
        found: list[Any] = []
        while True:
            self._skip(",")
            if self._char() == "]":
                self.position += 1
                return found
            found.append(self.value())

    def _string(self, quote: str) -> str:
        start = self.position
        parts: list[str] = []
        self.position += 1
        while True:
            char = self._char()
            if not char:
                self.position = start
                raise self._error("a text is never closed")
            self.position += 1
            if char == quote:
                text = "".join(parts)  # two escapes may be the halves of one character
                return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            if char == "\\":
                char = self._char()
                self.position += 1
                if char == "u":
                    digits = re.match(r"[0-9a-fA-F]{4}", self.text[self.position : self.position + 4])
                    self.position += 4 if digits else 0
                    char = chr(int(digits[0], 16)) if digits else "u"
                else:
                    char = _ESCAPES.get(char, char)
            parts.append(char)

    def _skip(self, also: str = "") -> None:
        while True:
            space = _SKIP.match(self.text, self.position)
            if space:
                self.position = space.end()
            elif also and self._char() == also:
                self.position += 1
            else:
                return

    def _char(self) -> str:
        return self.text[self.position : self.position + 1]

    def _found(self) -> str:
        rest = self.text[self.position : self.position + 20].split("\n")[0]
        return repr(rest) if self._char() else "the end of the file"

    def _error(self, message: str) -> LooseError:
        return LooseError(self.text.count("\n", 0, self.position) + 1, message)
