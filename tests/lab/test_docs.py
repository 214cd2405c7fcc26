"""What docs/ names of the lab is there."""

from __future__ import annotations

import pkgutil
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("page", sorted(path.name for path in DOCS.glob("*.md")))
def test_what_a_page_names_of_the_lab_can_be_imported(page: str) -> None:
    for name in set(re.findall(r"perform\.lab(?:\.\w+)+", (DOCS / page).read_text(encoding="utf-8"))):
        assert pkgutil.resolve_name(name), name
