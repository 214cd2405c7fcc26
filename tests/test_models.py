"""perform models: what it says of the worlds that are here."""

from __future__ import annotations

from pathlib import Path

import pytest

from perform import cli


def test_sizes_are_listed_from_small_to_large_and_names_of_ones_own_after_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card = tmp_path / "tide" / "card.toml"
    card.parent.mkdir()
    sizes = "".join(f"[size.{name}]\nmacs = 1e9\n" for name in ("xl", "l", "m", "huge", "s"))
    card.write_text('world = "tide"\n' + sizes)
    assert cli.main(["models", "--models", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    first = lines.index("tide    [no licence given]") + 1
    assert [line.split()[0] for line in lines[first : first + 5]] == ["s", "m", "l", "huge", "xl"]
