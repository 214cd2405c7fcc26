"""JSON as people write it."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perform.gl.isf.loose import LooseError, Reader

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.floats(-1e9, 1e9) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(plain, st.sampled_from([None, 2]), st.booleans())
def test_what_is_json_is_read_as_json(value: object, indent: int | None, ascii_only: bool) -> None:
    assert Reader(json.dumps(value, indent=indent, ensure_ascii=ascii_only)).value() == value


@given(st.text(alphabet='{}[]",:/*-+.0123456789aeEtrufalsn \n\\', max_size=60))
def test_anything_else_is_a_value_or_a_sentence(text: str) -> None:
    wrong = None
    try:
        Reader(text).value()
    except LooseError as e:
        wrong = e
    assert wrong is None or (str(wrong) and 1 <= wrong.line <= text.count("\n") + 1)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1,}', {"a": 1}),
        ('{"a": 1 "b": 2}', {"a": 1, "b": 2}),
        ("[1, 2,, 3,]", [1, 2, 3]),
        ('{"a": .5, "b": 1., "c": -2.e1, "d": 0.5f, "e": +3}', {"a": 0.5, "b": 1.0, "c": -20.0, "d": 0.5, "e": 3}),
        ('{"a": "two\nlines\tand a tab"}', {"a": "two\nlines\tand a tab"}),
        ('{// note\n"a": /* here */ true}', {"a": True}),
        ("{a: 'x', 'b' = NO}", {"a": "x", "b": False}),
        ('"\\u00e9 \\/ \\q \\u12"', "é / q u12"),
        ("NaN", 0.0),
    ],
)
def test_goodwill(text: str, value: object) -> None:
    assert Reader(text).value() == value


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ('{"a": 1,\n"b": }', 2, "expected a value"),
        ('{"a"\n 1}', 2, "expected : after 'a'"),
        ('{"a": "never', 1, "never closed"),
        ("[1, 2", 1, "the end of the file"),
        ("[" * 40, 1, "more than 32 deep"),
        ("{1: 2}", 1, "expected a key"),
    ],
)
def test_what_is_wrong_has_its_line(text: str, line: int, says: str) -> None:
    with pytest.raises(LooseError, match=says) as caught:
        Reader(text).value()
    assert caught.value.line == line


def test_a_number_beyond_all_measure_is_only_large() -> None:
    assert math.isinf(Reader("1e999").value())
    assert math.isinf(Reader("9" * 5000).value())
