"""The line of a key, in every way in which TOML lets it be written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perform.show.lines import Lines

TEXT = '''\
title = "a # b"           # 1
[show]                    # 2
size = [                  # 3
  1280,                   # 4
  720,                    # 5
]
name = """
[not.a.table]
key = 1
"""                       # 10
fps = 60                  # 11
[[layer]]                 # 12
name = "one"              # 13
[layer.transform]         # 14
scale = 2                 # 15
[[layer]]                 # 16
name = "two"              # 17
"quoted key" = 1          # 18
mood.x = 0.5              # 19
set = { a = 1, b = [1, 2] }   # 20
[layer.filter.bloom]      # 21
intensity = 1             # 22
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("title",), 1),
        (("show",), 2),
        (("show", "size"), 3),
        (("show", "name"), 7),
        (("show", "fps"), 11),
        (("layer", 0, "name"), 13),
        (("layer", 0, "transform", "scale"), 15),
        (("layer", 1), 16),
        (("layer", 1, "name"), 17),
        (("layer", 1, "quoted key"), 18),
        (("layer", 1, "mood", "x"), 19),
        (("layer", 1, "set", "b"), 20),
        (("layer", 1, "filter", "bloom", "intensity"), 22),
        (("layer", 1, "nowhere"), 16),
        (("nowhere",), 0),
    ],
)
def test_line_of_a_key(path: tuple[str | int, ...], line: int) -> None:
    assert Lines.of(TEXT)[path] == line


def test_escaped_quotes_and_brackets_in_strings_open_nothing() -> None:
    lines = Lines.of('a = "\\"["\nb = \'[\'\nc = 1 # [\nd = 2\n')
    assert [lines[(key,)] for key in "abcd"] == [1, 2, 3, 4]


@given(st.text(alphabet="[]{}\"'=.#ab\n \\", max_size=60))
def test_any_text_is_survived(text: str) -> None:
    assert Lines.of(text)[("no such key",)] == 0
