"""Which name may have been meant: one place for how like a word has to be before it is named."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence, Set

LIKE = 0.65  # of difflib's ratio: "xl" is like "l", and "camera" is not like "card"


def near(word: str, names: Iterable[str], like: float = LIKE) -> str:
    """The name that is most like a word, case and all; empty where none is. 2 to 6 ms among a thousand addresses.

    Of addresses and paths each part has to be: what is left when the long beginning that all share is taken away.
    So parts come first, each once however many names have it; whole names, which are slow, where all parts are alike.
    """
    split = {name: name.split("/") for name in names}
    there = dict.fromkeys(part for parts in split.values() for part in parts)
    alike = [frozenset(difflib.get_close_matches(part, there, len(there) or 1, like)) for part in word.split("/")]
    left = [name for name, parts in split.items() if _fits(parts, alike)]
    return next(iter(difflib.get_close_matches(word, left, 1, like)), "")


def _fits(parts: Sequence[str], alike: Sequence[Set[str]]) -> bool:
    """Whether each part of the shorter is like one of the longer, in their order: a part may have been left out.
    `alike` has, for each part of the other, what is like it.
    """
    if len(parts) < len(alike):
        those = iter(alike)
        return all(any(part in like for like in those) for part in parts)
    if alike[-1].isdisjoint(parts):  # so it is with most names, and quickly seen
        return False
    rest = iter(parts)
    return all(any(part in like for part in rest) for like in alike)


def no_address(address: str, addresses: Iterable[str]) -> str:
    """The sentence on an address that there is not. `addresses` are all that there are, case-folded. Slow as `near`."""
    found = near(address.casefold(), addresses)
    hint = f"did you mean {found!r}?" if found else "`perform params` lists all that there are"
    return f"there is no address {address!r}; {hint}"
