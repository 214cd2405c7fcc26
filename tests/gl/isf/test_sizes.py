"""Size expressions: right, safe and limited."""

from __future__ import annotations

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perform.gl.isf.sizes import Expression

VALUES = {"WIDTH": 640.0, "HEIGHT": 360.0, "scale": 0.5, "n": 3.0}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$WIDTH", 640),
        ("$WIDTH/2.0", 320),
        ("floor($HEIGHT*min((0.3),1.0))", 108),
        ("max(floor($HEIGHT*0.002),1.0)", 1),
        ("$WIDTH * $scale + $n", 323),
        ("WIDTH - HEIGHT - 80", 200),
        ("2 + 3 * 4 - 6 / 3", 12),
        ("-(2 + 3) * 2", -10),
        ("2 ^ 3 ^ 2", 512),
        ("2 ** 3", 8),
        ("-2 ^ 2", -4),
        ("10 - 4 - 3", 3),
        ("17 % 5 + mod(17, 5)", 4),
        ("ceil(1.2) + round(2.5) + trunc(-1.7) + abs(-4) + sign(-3)", 7),
        ("sqrt(16) + pow(2, 3) + log2(8) + log(100) + ln(e)", 18),
        ("clamp($WIDTH, 1, 256) + max(1, 2, 3)", 259),
        ("$WIDTH > 100", 1),
        ("($n == 3) + ($n != 3) + ($n <= 3) + (4 >= 5) + ($n < 2)", 2),
        ("1e2 + .5 + 1.", 101.5),
        ("cos(0) + sin(0) + tan(0) + exp(0) + pi * 0", 2),
    ],
)
def test_values(text: str, value: float) -> None:
    assert Expression(text)(VALUES) == pytest.approx(value)


@pytest.mark.parametrize("text", ["1/0", "sqrt(-1)", "$WIDTH % 0", "0 ^ -1", "9^9^9", "(-8) ^ 0.5", "log(0)"])
def test_what_has_no_value_is_not_a_number(text: str) -> None:
    assert math.isnan(Expression(text)(VALUES))


def test_names_are_known_before_it_runs() -> None:
    assert Expression("$a * $b + WIDTH").names == {"a", "b", "WIDTH"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "too early"),
        ("1 +", "too early"),
        ("1 2", "goes wrong at '2'"),
        ("(1", "too early"),
        ("(1]", "goes wrong"),
        ("__import__('os')", "goes wrong"),
        ("system(1)", "no function 'system'"),
        ("floor(1, 2)", "takes 1 argument, not 2"),
        ("pow(2)", "takes 2 arguments"),
        ("max(1; 2)", "goes wrong"),
        (", 1", "goes wrong at ','"),
        ("(" * 100 + "1" + ")" * 100, "nested more than"),
        ("1+" * 400 + "1", "longer than"),
        ("f.__class__", "goes wrong"),
    ],
)
def test_what_is_wrong_is_said(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Expression(text)


@given(st.text(alphabet="$WIDTH0123456789.+-*/%^()<>=!, abcfloormxe", max_size=80))
def test_nothing_but_a_number_or_a_sentence_comes_out(text: str) -> None:
    expression = None
    with contextlib.suppress(ValueError):
        expression = Expression(text)
    assert expression is None or isinstance(expression(dict.fromkeys(expression.names, 2.0)), float)
