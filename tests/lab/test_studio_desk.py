"""Whose a desk is, and what is refused before an hour has gone into it."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from perform import cli
from perform.lab import run
from perform.lab.studio import ingest, wish
from tests.lab.test_studio import asked, paint


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return paint(tmp_path_factory.mktemp("pictures") / "photos")


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The one sentence with which a command is refused."""
    assert cli.main(["train", *words]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    return err


def test_refused_pictures_leave_the_name_free_and_no_folder(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    few = paint(tmp_path / "few", count=3)
    (tmp_path / "empty").mkdir()
    before = sorted(tmp_path.rglob("*"))
    for folder, said in ((tmp_path / "empty", "no pictures"), (few, "too few"), (few, "too few")):
        assert said in refused(capsys, str(folder), "--name", "sea")
        assert sorted(tmp_path.rglob("*")) == before
    (tmp_path / "file").write_text("")
    assert "file is no folder" in refused(capsys, str(photos), "--name", "sea", "--out", "file")
    assert not (tmp_path / "runs").exists()
    wanted = asked(photos, tmp_path, name="sea")
    wish.settle(wanted)
    ingest.take_in(wanted, print)
    assert "already learns from" in refused(capsys, str(few), "--name", "sea")


def test_the_folder_of_the_pictures_becomes_no_world(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    paint(tmp_path / "photos", count=1)
    (tmp_path / "photos" / "film.mp4.part").write_text("")
    before = sorted(tmp_path.rglob("*"))
    for option in ("--out", "--runs"):
        said = f"photos is the folder of your pictures; give another --name or {option}"
        assert said in refused(capsys, "photos", option, ".")
    assert sorted(tmp_path.rglob("*")) == before


def test_what_a_start_before_has_left_is_cleared_and_a_folder_of_somebodys_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "mine" / "sea" / "world.part").mkdir(parents=True)
    (tmp_path / "mine" / "sea" / "lock").write_text("")
    assert "no pictures" in refused(capsys, "empty", "--name", "sea", "--runs", "mine")
    assert not list((tmp_path / "mine").iterdir())


def test_a_device_that_is_not_there_is_said_before_any_picture_is_read(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert "finds no CUDA device here" in refused(capsys, str(photos), "--device", "cuda", "--threads", "1")
    assert not list(tmp_path.iterdir())


def test_pictures_half_read_leave_the_name_free_and_read_ones_take_it(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def kill(*_: object) -> None:
        raise Killed

    first, other = asked(photos, tmp_path), asked(paint(tmp_path / "other"), tmp_path)
    for where, name in ((ingest, "sign"), (Path, "rename")):  # before the note, after it
        wish.settle(first)
        lock = run.alone(first.desk)
        wish.settle(other)
        with monkeypatch.context() as patch:
            patch.setattr(where, name, kill)
            with pytest.raises(Killed):
                ingest.take_in(first, print)
        del lock
        assert (first.desk / "world.part").is_dir()
    with pytest.raises(ValueError, match="already learns from"):
        wish.settle(other)
    wish.settle(first)
    assert (ingest.take_in(first, print) / "world.json").is_file()
    assert not (first.desk / "world.part").exists()


@pytest.mark.skipif(os.name == "nt", reason="names are always Unicode here")
def test_a_power_cut_leaves_pictures_read_whole_or_a_sentence_on_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    written, real = set(), run.write

    def write(path: Path, save: Callable[[Path], object]) -> None:
        written.add(path.name)
        real(path, save)

    monkeypatch.setattr(run, "write", write)
    pictures = paint(tmp_path / "photos", count=20)
    (pictures / "a.heic").write_bytes(b"of some kind")
    wanted = asked(pictures, tmp_path, name="sea")
    wish.settle(wanted)
    ingest.take_in(wanted, print)
    names = {"ATTRIBUTION.csv", "refused.txt", "words.toml", "world.json", "world.safetensors"}
    assert {path.name for path in wanted.world_folder.iterdir()} == names
    assert names <= written  # each of them is on the disk before the folder has its name
    (wanted.world_folder / "world.json").write_bytes(b"")
    words = (str(pictures), "--name", "sea", "--runs", str(wanted.runs), "--out", str(wanted.models))
    said = refused(capsys, *words)
    assert f"world.json is damaged; remove {wanted.world_folder} and the same command reads the pictures again" in said


def test_pictures_whose_folder_is_called_in_latin_1(tmp_path: Path) -> None:
    wanted = asked(paint(Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))), tmp_path)
    wish.settle(wanted)
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    ingest.take_in(wanted, lambda sentence: print(sentence, file=terminal))
    wish.settle(wanted)  # and the desk knows them again
    with pytest.raises(ValueError, match="already learns from"):
        wish.settle(asked(paint(tmp_path / "other", count=1), tmp_path))


def test_an_author_who_is_named_later_is_said_to_change_nothing(photos: Path, tmp_path: Path) -> None:
    first = asked(photos, tmp_path, credit=wish.Credit("Zoé"))
    ingest.take_in(first, print)
    said: list[str] = []
    ingest.take_in(first, said.append)
    ingest.take_in(asked(photos, tmp_path), said.append)
    assert said == []
    ingest.take_in(asked(photos, tmp_path, credit=wish.Credit("Noé", "CC0-1.0")), said.append)
    author, licence = said
    assert "The author stays what it was when the pictures were read: Zoé." in author
    assert "when the pictures were read: all rights with the author." in licence


def test_a_desk_with_something_else_on_it_is_left_alone(photos: Path, tmp_path: Path) -> None:
    wanted = asked(photos, tmp_path)
    wanted.desk.mkdir(parents=True)
    (wanted.desk / "thesis.txt").write_text("years")
    with pytest.raises(ValueError, match="holds something else"):
        wish.settle(wanted)


@pytest.mark.parametrize("pairs", [True, False])
def test_pairs_are_asked_for_from_the_beginning_or_not_at_all(
    pairs: bool, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    wanted = asked(photos, tmp_path, how=wish.How(pairs=pairs))
    wish.sign(wanted)
    wish.settle(wanted)
    said = refused(capsys, str(photos), "--name", "nice", *([] if pairs else ["--pairs"]))
    way = "with" if pairs else "without"
    assert f"was begun {way} --pairs; go on {way} it, or give this world another --name" in said


def test_where_no_world_can_be_written_is_said_before_any_picture_is_read(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ingest, "take_in", lambda *_: pytest.fail("it read the pictures"))
    (tmp_path / "file").write_text("")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "sea").write_text("")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    for out, said in (
        ("file", "file is no folder, and file/sea is to be one"),
        ("file/deeper", "file is no folder"),
        ("models", "models/sea is no folder"),
        ("gone", "gone is no folder"),
        ("/proc/models", "/proc cannot be written ("),
    ):
        assert said in refused(capsys, str(photos), "--name", "sea", "--out", out)
    before = sorted(tmp_path.iterdir())
    wish.reach(asked(photos, tmp_path, models=tmp_path / "new" / "models"))
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("name", ["CON", "nul", "Com1", "lpt9", "com²", "a" * 51, "-x", "a/b", "a.b", "a b"])
def test_names_that_no_folder_can_have_everywhere_are_refused(
    name: str, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    said = refused(capsys, str(photos), f"--name={name}")
    assert "a world is named with letters, digits, - and _, at most 50 of them, and not like a device" in said
    assert not list(tmp_path.iterdir())


def test_names_like_a_device_and_long_ones_are_names(photos: Path, tmp_path: Path) -> None:
    for name in ("console", "com10", "nul-1", "a" * 50):
        wish.settle(asked(photos, tmp_path, name=name))
