"""Patches by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from perform.gl.isf import find_patch
from perform.show.stock import Stock


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    for name in ("mine/own.frag", "mine/sources/drift.fs", "stock/sources/drift.fs", "stock/filters/bloom.fs"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("void main() {}", "utf-8")
    return [tmp_path / "mine", tmp_path / "stock"]


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("drift", "mine/sources/drift.fs"),
        ("sources/drift", "mine/sources/drift.fs"),
        ("sources/drift.fs", "mine/sources/drift.fs"),
        ("bloom", "stock/filters/bloom.fs"),
        ("own", "mine/own.frag"),
        ("own.frag", "mine/own.frag"),
    ],
)
def test_every_way_to_name_one(folders: list[Path], name: str, file: str) -> None:
    assert find_patch(name, folders) == folders[0].parent / file


def test_an_absolute_path(folders: list[Path]) -> None:
    path = folders[1] / "filters/bloom.fs"
    assert find_patch(str(path), []) == path
    assert find_patch(str(path.with_suffix("")), folders) == path


def test_a_show_and_the_host_find_the_same(folders: list[Path]) -> None:
    """The show's own first, each folder with what lies loose in it before its kinds."""
    names = ("drift.fs", "filters/bloom.fs", "mine/filters/drift.fs", "stock/sources/bloom.fs")
    for name in names:
        (folders[0].parent / name).parent.mkdir(exist_ok=True)
        (folders[0].parent / name).write_text("void main() {}", "utf-8")
    show = folders[0].parent
    stock = Stock(show, folders, [])
    for name in ("drift", "drift.fs", "bloom", "bloom.fs", "own", "filters/bloom", "sources/drift.fs", "nothing"):
        for kind in ("sources", "filters"):
            found = stock.patch(name, kind)
            if found is None:
                with pytest.raises(LookupError):
                    find_patch(name, (show, *folders), (kind,))
            else:
                assert find_patch(name, (show, *folders), (kind,)) == found
    assert stock.patch("drift", "sources") == show / "drift.fs"
    assert stock.patch("bloom", "filters") == show / "filters/bloom.fs"


@pytest.mark.parametrize("name", ["", "/", ".", "..", "~nobody-of-this-name/drift", "n" * 300, "a\0b"])
def test_what_is_no_name_is_not_found(folders: list[Path], name: str) -> None:
    with pytest.raises(LookupError, match="there is no patch"):
        find_patch(name, folders)
    assert Stock(folders[0], folders, []).patch(name, "sources") is None


@pytest.mark.parametrize(
    ("name", "near"),
    [("blom", "mean 'bloom'"), ("filters/blom.fs", "mean 'filters/bloom.fs'"), ("qqq", "no patch 'qqq'$")],
)
def test_a_wrong_name_meets_the_nearest(folders: list[Path], name: str, near: str) -> None:
    with pytest.raises(LookupError, match=near):
        find_patch(name, folders)
