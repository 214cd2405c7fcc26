"""Compiled engines on disk: found by exactly what they were compiled from, and never trusted when in doubt."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import fields, replace
from pathlib import Path

import pytest

from perform.engines.cabinet import Cabinet, Label

LABEL = Label("rtx", "landscape", "m", "ab" * 32, "64-4096", "fp16", "TensorRT-RTX 1.7.1.116", "sm80+")


@pytest.fixture
def cabinet(tmp_path: Path) -> Cabinet:
    return Cabinet(tmp_path / "engines")


def test_an_engine_comes_back_as_it_was_put(cabinet: Cabinet) -> None:
    assert cabinet.find(LABEL) is None
    assert cabinet.doubt == ""
    assert cabinet.put(LABEL, b"machine code", {"bindings": ["picture"]})
    found = cabinet.find(LABEL)
    assert found is not None
    assert found.path.read_bytes() == b"machine code"
    assert found.label == LABEL
    assert found.about == {"bindings": ["picture"]}
    assert found.path.name.startswith("rtx-landscape-m-64-4096-")
    assert sorted(p.suffix for p in cabinet.folder.iterdir()) == [".engine", ".json"]  # nothing half written


@pytest.mark.parametrize("name", [f.name for f in fields(Label)])
def test_whatever_differs_it_is_another_engine(cabinet: Cabinet, name: str) -> None:
    cabinet.put(LABEL, b"x")
    other = replace(LABEL, **{name: "other"})
    assert other.key != LABEL.key
    assert cabinet.find(other) is None
    assert cabinet.doubt == ""


def test_a_name_cannot_lead_out_of_the_folder() -> None:
    key = replace(LABEL, world="../../etc/passwd", shape="512x288").key
    assert "/" not in key
    assert ".." not in key


@pytest.mark.parametrize("harm", ["cut", "flip", "empty"])
def test_a_damaged_engine_is_thrown_away(cabinet: Cabinet, harm: str) -> None:
    cabinet.put(LABEL, b"machine code" * 100)
    path = cabinet.folder / f"{LABEL.key}.engine"
    data = path.read_bytes()
    path.write_bytes({"cut": data[:-5], "flip": b"M" + data[1:], "empty": b""}[harm])
    assert cabinet.find(LABEL) is None
    assert cabinet.doubt == f"{path} is damaged"
    assert list(cabinet.folder.iterdir()) == []
    assert cabinet.find(LABEL) is None
    assert cabinet.doubt == ""  # said once


@pytest.mark.parametrize(
    ("record", "doubt"),
    [
        (None, "has no record of what it was compiled from"),
        ("{ broken", "cannot be read"),
        ("[1]", "is of another version"),
        ('{"format": 2}', "is of another version"),
        ('{"format": 1}', "is damaged"),
        ('{"format": 1, "label": {"maker": 3}}', "is damaged"),
    ],
)
def test_an_engine_without_a_right_record_is_not_trusted(cabinet: Cabinet, record: str | None, doubt: str) -> None:
    cabinet.put(LABEL, b"x")
    path = cabinet.folder / f"{LABEL.key}.json"
    if record is None:
        path.unlink()
    else:
        path.write_text(record)
    assert cabinet.find(LABEL) is None
    assert doubt in cabinet.doubt
    assert list(cabinet.folder.iterdir()) == []


def test_an_engine_under_a_foreign_name_is_not_trusted(cabinet: Cabinet) -> None:
    other = replace(LABEL, device="sm75")
    cabinet.put(other, b"x")
    for path in list(cabinet.folder.iterdir()):
        path.rename(path.with_name(LABEL.key + path.suffix))
    assert cabinet.find(LABEL) is None
    assert "was compiled for something else" in cabinet.doubt


def test_an_engine_that_has_gone_leaves_no_trace(cabinet: Cabinet) -> None:
    cabinet.put(LABEL, b"x")
    (cabinet.folder / f"{LABEL.key}.engine").unlink()
    assert cabinet.find(LABEL) is None
    assert "cannot be read" in cabinet.doubt
    assert list(cabinet.folder.iterdir()) == []


def test_a_full_disk_is_told_and_leaves_nothing(cabinet: Cabinet, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    cabinet.folder.mkdir()
    monkeypatch.setattr(os, "replace", full)
    assert not cabinet.put(LABEL, b"x")
    assert cabinet.trouble == f"the engine cannot be kept in {cabinet.folder}: No space left on device"
    assert list(cabinet.folder.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cabinet = Cabinet(tmp_path / "file" / "engines")
    assert not cabinet.put(LABEL, b"x")
    assert cabinet.trouble.startswith("the engine cannot be kept in ")
    assert cabinet.find(LABEL) is None


def test_what_was_unused_longest_goes_first(cabinet: Cabinet) -> None:
    cabinet.room = 25
    labels = [replace(LABEL, size=size) for size in "abc"]
    for rank, label in enumerate(labels[:2]):
        cabinet.put(label, b"0123456789")
        os.utime(cabinet.folder / f"{label.key}.json", (rank, rank))
    assert cabinet.find(labels[0]) is not None  # used just now
    cabinet.put(labels[2], b"0123456789")
    assert cabinet.find(labels[1]) is None
    assert cabinet.find(labels[0]) is not None
    assert cabinet.find(labels[2]) is not None


def test_so_many_are_kept_and_no_more(cabinet: Cabinet) -> None:
    cabinet.most = 3
    for rank, shape in enumerate(("1x1", "2x2", "3x3", "4x4", "5x5")):
        label = replace(LABEL, shape=shape)
        cabinet.put(label, b"x")
        os.utime(cabinet.folder / f"{label.key}.json", (rank, rank))
    kept = [shape for shape in ("1x1", "2x2", "3x3", "4x4", "5x5") if cabinet.find(replace(LABEL, shape=shape))]
    assert kept == ["3x3", "4x4", "5x5"]


def test_the_newest_stays_however_large(cabinet: Cabinet) -> None:
    cabinet.room = 1
    cabinet.put(LABEL, b"0123456789")
    assert cabinet.find(LABEL) is not None


def test_an_engine_of_other_weights_can_be_refitted(cabinet: Cabinet) -> None:
    older, newer = replace(LABEL, weights="1"), replace(LABEL, weights="2")
    for rank, label in enumerate((older, newer, replace(LABEL, weights="3", shape="512x288"))):
        cabinet.put(label, label.weights.encode())
        os.utime(cabinet.folder / f"{label.key}.json", (rank, rank))
    found = cabinet.kin(LABEL)
    assert found is not None
    assert found.label == newer
    (cabinet.folder / f"{newer.key}.engine").write_bytes(b"damaged")
    (cabinet.folder / "stray.json").write_text(json.dumps({"format": 1}))
    found = cabinet.kin(LABEL)
    assert found is not None
    assert found.label == older
    assert not LABEL.kin(LABEL)
    cabinet.discard(older)
    assert cabinet.kin(LABEL) is None
