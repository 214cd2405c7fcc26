"""Patches by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from perform.gl.isf import find_patch


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


@pytest.mark.parametrize(
    ("name", "near"),
    [("blom", "mean 'bloom'"), ("filters/blom.fs", "mean 'filters/bloom.fs'"), ("qqq", "no patch 'qqq'$")],
)
def test_a_wrong_name_meets_the_nearest(folders: list[Path], name: str, near: str) -> None:
    with pytest.raises(LookupError, match=near):
        find_patch(name, folders)
