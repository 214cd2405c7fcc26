"""The example plugin: found by its entry point, keeps the contract, plays in its show."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from importlib import import_module, invalidate_caches
from pathlib import Path

import numpy as np
import pytest

from perform import plugins, testing
from perform.gl.transfer import read
from perform.show import load

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "05-plugin"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The package as an installer leaves it: importable, with its metadata beside it."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text("utf-8"))["project"]
    info = tmp_path / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    lines = []
    for group, entries in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {where}" for name, where in entries.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.syspath_prepend(str(EXAMPLE))
    invalidate_caches()
    yield
    sys.modules.pop("perform_harmonograph", None)


@pytest.mark.usefixtures("installed", "gl")
def test_it_is_found_and_keeps_the_contract() -> None:
    assert "harmonograph" in plugins.names("sources")
    made = plugins.find("sources", "harmonograph")
    assert made is import_module("perform_harmonograph").Harmonograph
    testing.check_source(made, repeatable=True)


@pytest.mark.usefixtures("installed", "gl")
def test_it_draws_a_line_that_moves() -> None:
    here = testing.stage("/source/pendulums")
    with plugins.find("sources", "harmonograph")(size=(160, 90)).open(here) as source:
        first = read(source.frame(0.0).texture)
        later = read(source.frame(1.0).texture)
    lit = (first[..., :3].max(axis=2) > 60).mean()
    assert 0.02 < lit < 0.6
    assert np.abs(first.astype(int) - later).mean() > 2


@pytest.mark.usefixtures("installed")
def test_its_show_is_all_right() -> None:
    show = load(EXAMPLE / "show.toml")
    assert show.sources["pendulums"].type == "harmonograph"


def test_without_it_the_show_says_what_is_missing() -> None:
    from perform.show import ShowError

    if "harmonograph" in plugins.names("sources"):
        pytest.skip("the example is installed here")
    with pytest.raises(ShowError, match="harmonograph"):
        load(EXAMPLE / "show.toml")
