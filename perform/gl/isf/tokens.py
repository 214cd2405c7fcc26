"""A shader's text as words, so that it can be rewritten without touching comments, strings of digits or lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

_TOKEN = re.compile(
    r"(?P<comment>//[^\n]*|/\*.*?\*/)"
    r"|(?P<space>(?:[\s\u200b\u2060\ufeff]|\\\n)+)"
    r"|(?P<directive>\#[ \t]*\w*)"
    r"|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\w*)"
    r"|(?P<mark>.)",
    re.S,
)
STORAGE = frozenset(("uniform", "varying", "attribute", "in", "out"))
QUALIFIERS = STORAGE | {"inout", "const", "highp", "mediump", "lowp", "flat", "smooth", "centroid", "noperspective"}


_ENDS = ("(", "=", ";", ",", "[", "{")  # what follows a name that is being defined


@dataclass(slots=True)
class Token:
    """One word. `kind` is space (comments too), directive, name, number or mark; `depth` counts open braces."""

    kind: str
    text: str
    depth: int = 0

    def blank(self) -> None:
        """Take the word out; the lines behind it keep their numbers."""
        self.kind, self.text = "space", "\n" * self.text.count("\n") or " "


def split(text: str) -> list[Token]:
    """All words of a shader. Comments become white space with the same number of lines; the no-break
    spaces and such of web pages, which no driver knows, become plain ones.
    """
    tokens: list[Token] = []
    depth = 0
    for match in _TOKEN.finditer(text):
        kind, word = match.lastgroup or "mark", match[0]
        if kind == "comment":
            kind, word = "space", "\n" * word.count("\n") or " "
        elif kind == "space" and not word.isascii():
            word = re.sub(r"[^\x00-\x7f]", " ", word)
        if word == "}":
            depth = max(0, depth - 1)
        tokens.append(Token(kind, word, depth))
        if word == "{":
            depth += 1
    return tokens


def join(tokens: list[Token]) -> str:
    """The text of the words."""
    return "".join(t.text for t in tokens)


def code(tokens: list[Token]) -> list[Token]:
    """The words without white space (the same objects)."""
    return [t for t in tokens if t.kind != "space"]


def drop_directives(tokens: list[Token], names: frozenset[str]) -> list[str]:
    """Take out whole lines like `#version 120`; returns what stood behind the names."""
    taken = []
    for n, token in enumerate(tokens):
        if token.kind == "directive" and token.text[1:].strip() in names:
            line = []
            for other in tokens[n:]:
                if "\n" in other.text:
                    break
                line.append(other.text)
                other.blank()
            taken.append("".join(line[1:]).strip())
    return taken


def redefine(tokens: list[Token]) -> None:
    """Let a macro be defined a second time, as most drivers do: an #undef before each #define but the first."""
    seen: set[str] = set()
    line = 1
    for n, token in enumerate(tokens):
        if token.kind == "directive" and token.text[1:].strip() == "define":
            name = next((t.text for t in tokens[n + 1 : n + 3] if t.kind == "name"), "")
            if name in seen:
                token.text = f"#undef {name}\n#line {line}\n#define"
            seen.add(name)
        else:
            line += token.text.count("\n")


@dataclass(slots=True)
class Declaration:
    """A global `uniform vec2 a, b;`: its words from the qualifier to the semicolon, type and names."""

    words: list[Token]
    qualifier: str
    type: str
    names: list[str]

    def blank(self) -> None:
        """Take the whole declaration out."""
        for word in self.words:
            word.blank()

    def keep(self, names: list[str]) -> None:
        """Leave only these names in it."""
        self.blank()
        if names:
            self.words[0].kind, self.words[0].text = "name", f"{self.qualifier} {self.type} {', '.join(names)};"


def declarations(tokens: list[Token]) -> Iterator[Declaration]:
    """Global declarations with one of the storage qualifiers, simple lists of names only (arrays keep their size)."""
    words = code(tokens)
    n = 0
    while n < len(words):
        word = words[n]
        if word.kind != "name" or word.depth or word.text not in STORAGE:
            n += 1
            continue
        if n and words[n - 1].text in ("(", ","):  # a function's parameter
            n += 1
            continue
        end = next((i for i in range(n, len(words)) if words[i].text in (";", "{", "=", ")")), len(words))
        if end < len(words) and words[end].text == ";":
            found = _declaration(words[n : end + 1])
            if found is not None:
                yield found
        n = end


def defined(tokens: list[Token]) -> set[str]:
    """Words that a shader gives a meaning of its own for all of it: functions, globals and structs; no uniforms, and no
    macros, which may have any name.
    """
    found: set[str] = set()
    brackets, first = 0, ""
    before = end = Token("mark", ";")
    for word, after in pairwise([*_undirected(tokens), end]):
        brackets += (word.text in "([") - (word.text in ")]")
        if word.depth == 0 and brackets == 0:
            first = word.text if before.text in (";", "}") else first
            named = before.kind == "name" or before.text in (",", "]")
            if word.kind == "name" and named and after.text in _ENDS and first != "uniform":
                found.add(word.text)
        before = word
    return found


def _undirected(tokens: list[Token]) -> Iterator[Token]:
    """The words without white space and the lines of directives, which a backslash prolongs."""
    inside = False
    for token in tokens:
        if token.kind == "directive":
            inside = True
        elif token.kind == "space":
            inside = inside and re.search(r"(?<!\\)\n", token.text) is None
        elif not inside:
            yield token


def _declaration(words: list[Token]) -> Declaration | None:
    rest = [w.text for w in words[1:-1] if w.text not in QUALIFIERS]
    if len(rest) < 2 or any(w.kind == "directive" for w in words):
        return None
    names = [part.strip() for part in "".join(rest[1:]).split(",")]
    if not all(re.fullmatch(r"[A-Za-z_]\w*(\[\w+\])?", name) for name in names):
        return None
    return Declaration(words, words[0].text, rest[0], names)
