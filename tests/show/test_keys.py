"""What fits a plugin's field, by its annotation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

from perform.show.keys import Unfit, fields, fit, required


@dataclass
class Lamp:
    pin: int
    colour: str = "red"
    dropped: int = 0
    _wire: object = None
    level: float = field(default=0.0, init=False)


def test_keys_of_a_plugin_are_its_public_fields() -> None:
    assert fields(Lamp) == {"pin": int, "colour": str}
    assert required(Lamp) == ["pin"]


@pytest.mark.parametrize(
    ("hint", "value", "fitted"),
    [
        (int, 3, 3),
        (float, 3, 3.0),
        (bool, True, True),
        (str, "a", "a"),
        (Path, "a/b", Path("a/b")),
        (int | str, "usb", "usb"),
        (int | str | None, 2, 2),
        (float | int, 2, 2),
        (tuple[int, int], [1, 2], (1, 2)),
        (tuple[int, int] | None, [1, 2], (1, 2)),
        (tuple[str, ...], ["a"], ("a",)),
        (Sequence[float], [1, 2.5], (1.0, 2.5)),
        (list[str], ["a"], ["a"]),
        (dict[str, float], {"a": 1}, {"a": 1}),
        (Literal["udp", "tcp"], "tcp", "tcp"),
        (Any, {"x": [1]}, {"x": [1]}),
    ],
)
def test_what_fits(hint: Any, value: Any, fitted: Any) -> None:
    result = fit(hint, value)
    assert result == fitted
    assert type(result) is type(fitted)


@pytest.mark.parametrize(
    ("hint", "value", "wanted"),
    [
        (int, True, "a whole number"),
        (int, 1.5, "a whole number"),
        (float, "1", "a number"),
        (float, float("nan"), "a number"),
        (bool, 1, "true or false"),
        (str, 1, "a text in quotes"),
        (Path, 1, "a path"),
        (int | str, 1.5, "a whole number or a text in quotes"),
        (int | None, "a", "a whole number"),
        (tuple[int, int], [1], "a list of 2 values"),
        (tuple[int, int], [1, "a"], "a list of 2 values, each a whole number"),
        (tuple[str, ...], "a", "a list"),
        (dict[str, float], [1], "a table"),
        (dict[str, float], {"a": "b"}, "a table, each value a number"),
        (Literal["udp", "tcp"], "tpc", "one of udp, tcp"),
    ],
)
def test_what_does_not_fit(hint: Any, value: Any, wanted: str) -> None:
    with pytest.raises(Unfit) as raised:
        fit(hint, value)
    assert str(raised.value) == wanted
