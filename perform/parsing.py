"""A verb's words that cannot be understood: one sentence instead of a page of usage. Light, for `perform --help`."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable
from typing import NoReturn

from perform.likeness import near

KINDS = {"int": "a whole number", "float": "a number"}


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, with the nearest right word. `also`: words of others that may be meant."""

    also: Iterable[str] = ()

    def error(self, message: str) -> NoReturn:
        """Ends with code 2."""
        self.exit(2, f"perform: {self._sentence(message)}\n")

    def _sentence(self, message: str) -> str:
        if number := re.fullmatch(r"argument (.*): invalid (int|float) value: (.*)", message, re.DOTALL):
            return f"{number[1]} is {KINDS[number[2]]}, not {number[3]} ({self.prog} --help)"
        choice = re.search(r"invalid choice: '(.*)' \(choose from (.*)\)", message, re.DOTALL)
        if choice is None:
            return f"{message} ({self.prog} --help)"
        word, words = choice[1], re.findall(r"[\w-]+", choice[2])
        found = near(word, [*words, *self.also])
        hint = f"did you mean {found!r}?" if found else f"there are {', '.join(words)}"
        what = "verb" if "VERB" in message else message.partition(":")[0].removeprefix("argument ")
        return f"there is no {what} {word!r}; {hint}"
