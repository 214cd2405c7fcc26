"""OSC address patterns: `?` `*` `[a-z]` `[!a-z]` `{this,that}` within one part of an address, `//` across parts.

No regular expressions: a pattern against an address costs at most (tokens of the pattern) × (length of the address)
steps, whatever the pattern (the set of positions that can be reached is one integer). Case is forgiven.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

from perform.params import Param, Params

SPECIAL = frozenset("?*[]{}")
LONGEST = 256  # characters of a pattern
MOST_WILDCARDS = 16  # in one pattern
MOST_ALTERNATIVES = 64  # names in one {}

Token = tuple[str, frozenset[str] | tuple[str, ...], bool]  # kind, its characters or names, whether they are negated


class PatternError(ValueError):
    """A pattern that cannot be read; the text is the end of a sentence."""


def is_pattern(address: str) -> bool:
    """Whether an address has wildcards in it."""
    return "//" in address or not SPECIAL.isdisjoint(address)


def matches(pattern: str, address: str) -> bool:
    """Whether an OSC pattern matches an address. Raises PatternError."""
    return _matches(_tokens(pattern.casefold()), address.casefold())


@lru_cache(256)
def _tokens(pattern: str) -> tuple[Token, ...]:
    if len(pattern) > LONGEST:
        raise PatternError(f"is a pattern of more than {LONGEST} characters")
    tokens: list[Token] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        if char in "[{":
            end = pattern.find("]" if char == "[" else "}", at + 1)
            if end < 0:
                raise PatternError(f"has a {char} that is not closed")
            tokens.append(_set(pattern[at + 1 : end]) if char == "[" else _names(pattern[at + 1 : end]))
            at = end + 1
        elif char in "]}":
            raise PatternError(f"has a {char} that was not opened")
        elif pattern.startswith("//", at):
            tokens.append(("across", (), False))
            at += 2
            while pattern.startswith("/", at):
                at += 1
        elif char in "?*":
            if not (char == "*" and tokens and tokens[-1][0] == "some"):
                tokens.append(("some" if char == "*" else "any", (), False))
            at += 1
        else:
            end = _end_of_text(pattern, at)
            tokens.append(("text", (pattern[at:end],), False))
            at = end
    if sum(kind != "text" for kind, _, _ in tokens) > MOST_WILDCARDS:
        raise PatternError(f"is a pattern with more than {MOST_WILDCARDS} wildcards")
    return tuple(tokens)


def _end_of_text(pattern: str, at: int) -> int:
    while at < len(pattern) and pattern[at] not in SPECIAL and not pattern.startswith("//", at):
        at += 1
    return at


def _set(inside: str) -> Token:
    negated = inside.startswith(("!", "^"))
    inside = inside[negated:]
    chars: set[str] = set()
    at = 0
    while at < len(inside):
        if at + 2 < len(inside) and inside[at + 1] == "-":
            lo, hi = sorted((ord(inside[at]), ord(inside[at + 2])))
            chars.update(map(chr, range(lo, min(hi, lo + 255) + 1)))
            at += 3
        else:
            chars.add(inside[at])
            at += 1
    return "set", frozenset(chars - {"/"}), negated


def _names(inside: str) -> Token:
    names = tuple(dict.fromkeys(inside.split(",")))
    if len(names) > MOST_ALTERNATIVES:
        raise PatternError(f"offers more than {MOST_ALTERNATIVES} names in one pair of braces")
    return "names", names, False


def _matches(tokens: tuple[Token, ...], address: str) -> bool:
    reached = 1  # bit n: the tokens so far can match the first n characters
    for token in tokens:
        reached = _STEPS[token[0]](token, address, reached)
        if not reached:
            return False
    return bool(reached >> len(address) & 1)


def _step_set(token: Token, address: str, reached: int) -> int:
    out = 0
    for n, char in enumerate(address):
        if reached >> n & 1 and char != "/" and (char in token[1]) != token[2]:
            out |= 1 << n + 1
    return out


def _step_any(token: Token, address: str, reached: int) -> int:
    return _step_set(("set", frozenset(), True), address, reached)


def _step_some(token: Token, address: str, reached: int) -> int:
    out, on = 0, False
    for n in range(len(address) + 1):
        on = bool(reached >> n & 1) or (on and address[n - 1] != "/")
        out |= on << n
    return out


def _step_across(token: Token, address: str, reached: int) -> int:
    """`//` is a slash, anything, and ends right after a slash: it skips any number of whole parts."""
    out, on = 0, False
    for n, char in enumerate(address):
        on = on or (bool(reached >> n & 1) and char == "/")
        if on and char == "/":
            out |= 1 << n + 1
    return out


def _step_names(token: Token, address: str, reached: int) -> int:
    out = 0
    for n in range(len(address) + 1):
        if reached >> n & 1:
            for name in token[1]:
                if address.startswith(name, n):
                    out |= 1 << n + len(name)
    return out


_STEPS: dict[str, Callable[[Token, str, int], int]] = {
    "text": _step_names,
    "any": _step_any,
    "set": _step_set,
    "some": _step_some,
    "across": _step_across,
    "names": _step_names,
}


@dataclass(slots=True)
class Patterns:
    """Which parameters a pattern reaches, remembered until an address comes or goes. Any thread.

    A parameter that answers to a name and a number counts once, by its own address if that matches.
    """

    params: Params
    remembered: int = 256  # patterns
    _version: int = -1
    _reached: dict[str, dict[str, Param]] = field(default_factory=dict)

    def reach(self, pattern: str) -> dict[str, Param]:
        """The addresses that an address or a pattern means, in the tree's order. Raises PatternError."""
        if not is_pattern(pattern):
            param = self.params.find(pattern)
            return {} if param is None else {pattern: param}
        if self._version != self.params.version or len(self._reached) >= self.remembered:
            self._version, self._reached = self.params.version, {}
        memory = self._reached  # another thread may put a newer one in its place meanwhile
        known = memory.get(pattern)
        if known is None:
            known = memory[pattern] = self._search(_tokens(pattern.casefold()))
        return known

    def _search(self, tokens: tuple[Token, ...]) -> dict[str, Param]:
        found: dict[int, tuple[str, Param]] = {}
        for address, param in self.params.addresses().items():
            own = address == param.address.casefold()
            if (own or id(param) not in found) and _matches(tokens, address):
                found[id(param)] = (param.address if own else address, param)
        return dict(found.values())
