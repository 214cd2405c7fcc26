"""What docs/ names of the lab is there."""

from __future__ import annotations

import pkgutil
import re
from pathlib import Path

import pytest

from perform.lab import card

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("page", sorted(path.name for path in DOCS.glob("*.md")))
def test_what_a_page_names_of_the_lab_can_be_imported(page: str) -> None:
    for name in set(re.findall(r"perform\.lab(?:\.\w+)+", (DOCS / page).read_text(encoding="utf-8"))):
        assert pkgutil.resolve_name(name), name


def test_every_key_of_a_cards_condition_is_in_its_row() -> None:
    text = (DOCS / "models.md").read_text(encoding="utf-8")
    row = next(line for line in text.splitlines() if line.startswith("| `[condition]`"))
    for key in (*card.CONDITION, "smooth", "grey"):  # the last two of imported worlds
        assert f"`{key}`" in row, key
