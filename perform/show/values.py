"""Values that a show sets, by the tails of their addresses; and what may be a name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from perform.params import Value
from perform.show.lines import KeyPath
from perform.show.table import LARGEST, Table

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
NAME_RULE = "is not a name: letters, digits, - and _, not starting with a digit"


def scalars(table: Table, prefix: str) -> dict[str, Value]:
    """A table of values by the tail of their address; tables inside it are tails with a slash."""
    out: dict[str, Value] = {}

    def walk(data: Mapping[str, Any], tail: str, at: KeyPath) -> None:
        for key, value in data.items():
            name = f"{tail}{key}".removeprefix("/").removesuffix("/")  # one: "//opacity" is a pattern
            if isinstance(value, Mapping):
                walk(value, f"{name}/", (*at, key))
            elif (fitted := plain(value)) is None:
                table.page.wrong((*at, key), f"{table.title}: {name} is a number, true, false, a text or a colour")
            else:
                out[name] = fitted
                table.page.where[f"{prefix}/{name}"] = table.page.lines[(*at, key)]

    walk(table.data, "", table.at)
    return out


def plain(value: Any) -> Value | None:
    """A value that a parameter may take, or None: number, bool, text, or up to four numbers."""
    if isinstance(value, list) and 1 <= len(value) <= 4 and all(_is_number(v) for v in value):
        return tuple(float(v) for v in value)
    return value if isinstance(value, str) or _is_number(value) else None


def _is_number(value: Any) -> bool:
    """Whether a float can hold it: TOML's whole numbers may have any number of digits."""
    return isinstance(value, float) or (isinstance(value, int) and abs(value) <= LARGEST)
