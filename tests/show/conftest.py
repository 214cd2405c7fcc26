"""A show to begin with, and how a test reads one from text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from perform.show import Show, ShowError, parse

SOURCE = '[source.card]\ntype = "testcard"\n'
LAYER = '[[layer]]\nname = "dream"\nsource = "card"\n'


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str], Show]:
    """Read a show from text, as a show.toml in an empty folder."""
    return lambda text: parse(text, tmp_path / "show.toml")


@pytest.fixture
def mistakes(read: Callable[[str], Show]) -> Callable[[str], list[str]]:
    """What is wrong with a show, as "line: text"."""

    def told(text: str) -> list[str]:
        with pytest.raises(ShowError) as raised:
            read(text)
        return [f"{p.line}: {p.text}" for p in raised.value.problems]

    return told
