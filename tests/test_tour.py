"""What the documents say is so: symbols, links, keys, verbs, addresses."""

from __future__ import annotations

import dataclasses
import importlib
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from perform import cli, plugins
from perform.cli.build import needs
from perform.library import Library
from perform.show import load, parse
from perform.show.keys import fields
from perform.show.parts import OWN
from perform.show.table import Table
from perform.sinks.window import KEYS

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "examples").glob("*/README.md")])
TOUR = (ROOT / "docs" / "tour.md").read_text("utf-8")


def resolve(symbol: str) -> Any:
    """The module, class, function or dataclass field behind a dotted name."""
    parts = symbol.split(".")
    for n in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:n]))
        except ModuleNotFoundError as e:
            if not symbol.startswith(e.name or "?"):
                raise
            continue
        for name in parts[n:]:
            if dataclasses.is_dataclass(found) and name in {f.name for f in dataclasses.fields(found)}:
                return name
            found = getattr(found, name)
        return found
    raise AttributeError(symbol)


def test_a_symbol_that_is_not_there_is_noticed() -> None:
    with pytest.raises(AttributeError):
        resolve("perform.params.Params.settel")
    with pytest.raises(AttributeError):
        resolve("perform.parms")


@pytest.mark.parametrize("symbol", sorted(set(re.findall(r"`(perform\.[\w.]+)`", TOUR))))
def test_symbols_of_the_tour_exist(symbol: str) -> None:
    assert resolve(symbol) is not None


@pytest.mark.parametrize(("title", "hops"), [("six hops", 6), ("five hops", 5)])
def test_hops_are_as_many_as_promised(title: str, hops: int) -> None:
    section = TOUR.partition(title)[2].partition("\n## ")[0]
    numbered = re.findall(r"^(\d)\. ", section, re.MULTILINE)
    assert numbered == [str(n) for n in range(1, hops + 1)]
    for step in re.split(r"^\d\. ", section, flags=re.MULTILINE)[1:]:
        assert "`" in step, f"no symbol in: {step}"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)|src=\"([^\"]+)\"", text)
    missing = [a or b for a, b in links if "://" not in (a or b) and not (page.parent / (a or b)).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_verbs_in_commands_exist(page: Path) -> None:
    known = {"run", "check", "params", "models", "patches", "bench", "build", "--help", "--version", "VERB"}
    known |= {verb for verb in cli.LAB if cli.lab_module(verb)}
    said = set(re.findall(r"(?:^ {4}|`|bin/|^\$ )perform ([\w-]+)", page.read_text("utf-8"), re.MULTILINE))
    assert said - known == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_commands_can_be_typed_as_they_stand(page: Path) -> None:
    """No pip but that of the environment, and nothing that a shell takes for the names of files (zsh refuses it)."""
    commands = re.findall(r"^ {4}((?:pip|oscsend) .*)$", page.read_text("utf-8"), re.MULTILINE)
    bare = [re.sub(r"'[^']*'|\"[^\"]*\"|\s#.*", "", command) for command in commands]
    assert [command for command in bare if command.startswith("pip ") or re.search(r"[*?\[{]", command)] == []


def test_the_readme_lists_every_example() -> None:
    (line,) = re.findall(r"^- \[examples\]\(examples\): (.*)$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    names = [path.parent.name[3:].replace("-", " ") for path in sorted((ROOT / "examples").glob("*/README.md"))]
    assert [name for name in names if name not in line.lower()] == []


def test_what_a_skipped_test_says_to_make_is_a_target() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    tests = (ROOT / "tests" / "acceptance").glob("*.py")
    assert {target for path in tests for target in re.findall(r"\(make ([\w-]+)", path.read_text("utf-8"))} <= targets


@pytest.mark.parametrize("group", ["sources", "sinks", "controls", "engines"])
def test_every_key_of_every_part_is_documented(group: plugins.Group) -> None:
    page = (ROOT / "docs" / "show.md").read_text("utf-8")
    for name in plugins.names(group):
        plugin = plugins.find(group, name)
        if not plugin.__module__.startswith("perform."):
            continue
        assert f'"{name}"' in page or f"[{name}]" in page, f"{group}: {name} is not in docs/show.md"
        section = page.partition(f'### type = "{name}"')[2].partition("\n##")[0] if group == "sources" else page
        missing = [key for key in fields(plugin) if f"`{key}`" not in section]
        assert missing == [], f"{name}: keys that docs/show.md does not name"


def test_keys_of_engines_stand_there_with_the_engines_that_take_them() -> None:
    section = (ROOT / "docs" / "show.md").read_text("utf-8").partition("\n## [engine]\n")[2].partition("\n## ")[0]
    found = {name: plugins.find("engines", name) for name in plugins.names("engines")}
    engines = {name: set(fields(made)) for name, made in found.items() if made.__module__.startswith("perform.")}
    for key, told in re.findall(r"^\| `(\w+)` \| (.*) \|$", section, re.MULTILINE):
        heads = re.findall(r"(?:^|; )((?:\w+(?:, | and )?)+): ", told)
        named = {name for head in heads for name in re.split(", | and ", head)}
        assert named == {name for name, keys in engines.items() if key in keys} or key == "type", key


def test_every_key_of_the_show_its_layers_and_cues_is_documented(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, list[str]] = {}
    monkeypatch.setattr(Table, "done", lambda table, *_: asked.setdefault(table.title, table.known))
    parse('[source.s]\ntype = "testcard"\n[[layer]]\nname = "a"\n[[cue]]\nname = "b"\n', Path("show.toml"))
    page = (ROOT / "docs" / "show.md").read_text("utf-8")
    for title, head in (("[show]", "## [show]"), ("layer 'a'", "## [[layer]]"), ("cue 'b'", "## [[cue]]")):
        section = page.partition(f"{head}\n")[2].partition("\n## ")[0]
        assert [key for key in asked[title] if f"`{key}`" not in section] == [], f"not in docs/show.md, {head}"


def test_every_key_of_the_window_is_documented() -> None:
    section = (ROOT / "docs" / "show.md").read_text("utf-8").partition("\n## [window]\n")[2].partition("\n## ")[0]
    told = re.findall(r"^\| `(\S+)`.* \|.*\|.*\|$", section.partition("Its keys")[2], re.MULTILINE)
    assert sorted(told) == sorted(name for name, _ in KEYS.values())
    addresses = (ROOT / "docs" / "addresses.md").read_text("utf-8")
    posted = re.findall(r"`(/[a-z/]+)` \|$", section, re.MULTILINE)
    assert [address for address in posted if f"| `{address}` |" not in addresses] == []


def test_what_a_build_is_shown_to_say_is_what_the_first_show_plays() -> None:
    page = (ROOT / "docs" / "engines.md").read_text("utf-8")
    worlds = {need.world for need in needs(load(ROOT / "show.toml"), Library.standard())[0]}
    assert f"\nshow.toml: {len(worlds)} worlds, {2 * len(worlds)} engines: ready\n" in page


def test_no_control_can_be_called_as_a_branch_of_the_tree_is() -> None:
    lines = (ROOT / "docs" / "addresses.md").read_text()
    branches = {a.split("/")[1] for a in re.findall(r"`(/[^ `]+)", lines)}
    status = {a.split("/")[2] for a in re.findall(r"`(/status/[^ `]+)", lines)}
    assert "master" in branches
    assert "fps" in status
    assert branches | status <= {*OWN, *plugins.names("controls")}


def test_addresses_are_those_of_the_first_show(tmp_path: Path) -> None:
    env = {**os.environ, "XDG_DATA_HOME": str(tmp_path)}  # nobody's own worlds
    made = subprocess.run(
        [sys.executable, "-m", "perform", "params", "show.toml", "--markdown"],
        cwd=ROOT, env=env, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert made == (ROOT / "docs" / "addresses.md").read_text("utf-8"), "make addresses writes it anew"


def test_the_changelog_knows_this_version() -> None:
    from perform import __version__

    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text("utf-8")
