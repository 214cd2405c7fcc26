"""Which name may have been meant: one place for how like a word has to be before it is named."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

LIKE = 0.65  # of difflib's ratio: "xl" is like "l", and "camera" is not like "card"
MOST = 16  # names that are like a word, looked at again part by part


def near(word: str, names: Iterable[str], like: float = LIKE) -> str:
    """The name that is most like a word, case and all; empty where none is. Milliseconds among a thousand names.

    Of addresses and paths each part has to be: what is left when the long beginning that all share is taken away.
    """
    found = difflib.get_close_matches(word, list(names), MOST, like)
    return next((name for name in found if _alike(word.split("/"), name.split("/"), like)), "")


def _alike(some: list[str], others: list[str], like: float) -> bool:
    """Whether each part of the shorter is like one of the longer, in their order: a part may have been left out."""
    few, many = sorted((some, others), key=len)
    rest = iter(many)
    return all(any(difflib.SequenceMatcher(None, one, part).ratio() >= like for part in rest) for one in few)


def no_address(address: str, addresses: Iterable[str]) -> str:
    """The sentence on an address that there is not. `addresses` are all that there are, case-folded. Slow as `near`."""
    found = near(address.casefold(), addresses)
    hint = f"did you mean {found!r}?" if found else "`perform params` lists all that there are"
    return f"there is no address {address!r}; {hint}"
