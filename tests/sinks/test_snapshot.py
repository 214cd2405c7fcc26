"""Stills and the parameters beside them."""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from perform import testing
from perform.clock import FixedClock, ManualClock
from perform.params import Spec
from perform.plugins import Stage
from perform.sinks.snapshot import Snapshot, Still, write
from tests.sources.conftest import until

WHEN = datetime.datetime(2026, 11, 23, 21, 5, 9)


@pytest.fixture
def here(gl: object, tmp_path: Path) -> Stage:
    stage = testing.stage("/snapshots", (16, 8), ManualClock(), tmp_path)
    stage.params.declare("/layer/1/opacity", Spec("float", 0.25, 0.0, 1.0, doc="x"))
    stage.params.declare("/layer/1/world", Spec("text", 'a "näme" \\ 写\x7f\n', doc="x"))
    stage.params.declare("/layer/1/on", Spec("bool", True, doc="x"))
    stage.params.declare("/layer/1/tint", Spec("color", (1.0, 0.5, 0.0, 1.0), doc="x"))
    return stage


def trigger(here: Stage, snapshot: Snapshot, show: Callable[[], None]) -> None:
    here.params.post("/snapshot")
    here.params.settle(here.clock.now())
    show()
    here.params.settle(here.clock.now())


def test_a_still_and_a_cue_that_brings_it_back(here: Stage, tmp_path: Path) -> None:
    pixels = np.full((8, 16, 4), 255, np.uint8)
    pixels[-1, 0] = (255, 0, 0, 255)  # the top left
    with testing.Paint(size=(16, 8)).open(here) as paint, Snapshot("shots").open(here) as snapshot:
        paint.paint(pixels)
        snapshot.show(paint.frame(0.0))  # nothing asked for: nothing done
        here.clock.advance(61.5)  # type: ignore[attr-defined]
        trigger(here, snapshot, lambda: snapshot.show(paint.frame(1.0)))
        until(lambda: len(list((tmp_path / "shots").glob("*"))) == 2)
    png = next((tmp_path / "shots").glob("*.png"))
    assert png.name.endswith("at 01m01.500s.png")
    assert Image.open(png).convert("RGB").getpixel((0, 0)) == (255, 0, 0)
    cue = tomllib.loads(png.with_suffix(".toml").read_text("utf-8"))["cue"][0]
    assert cue["set"] == {
        "/layer/1/opacity": 0.25,
        "/layer/1/world": 'a "näme" \\ 写\x7f\n',
        "/layer/1/on": True,
        "/layer/1/tint": [1.0, 0.5, 0.0, 1.0],
    }
    here.params.settle(0.0)
    assert "wrote" in str(here.params["/status/snapshots"].value)


def test_nothing_is_ever_overwritten(tmp_path: Path) -> None:
    still = Still(np.zeros((4, 4, 4), np.uint8), 3.0, {})
    names = [write(tmp_path, still, WHEN).name for _ in range(3)]
    stem = "2026-11-23 21.05.09 at 00m03.000s"
    assert names == [f"{stem}.png", f"{stem} 2.png", f"{stem} 3.png"]
    assert len(list(tmp_path.glob("*.toml"))) == 3


def test_by_itself_at_given_times_offline_each_one(gl: object, tmp_path: Path) -> None:
    here = testing.stage("/snapshots", (16, 8), FixedClock(10.0), tmp_path)
    with testing.Paint(size=(16, 8)).open(here) as paint, Snapshot("s", at=(0.5, 0.0, 0.6, 9.0)).open(here) as snapshot:
        for _ in range(10):
            snapshot.show(paint.frame(here.clock.now()))
            here.clock.pace(10.0)
    names = sorted(p.name.split(" at ")[1] for p in (tmp_path / "s").glob("*.png"))
    assert names == ["00m00.000s.png", "00m00.500s.png", "00m00.600s.png"]
    assert snapshot.dropped == 0


def test_a_folder_that_cannot_be_written_is_said(here: Stage, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with testing.Paint(size=(16, 8)).open(here) as paint, Snapshot("file").open(here) as snapshot:
        trigger(here, snapshot, lambda: snapshot.show(paint.frame(0.0)))
        until(
            lambda: (here.params.settle(0.0), "could not be written" in str(here.params["/status/snapshots"].value))[1]
        )


def test_a_disk_that_fills_up_leaves_no_half_of_a_still(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, text: str, encoding: str) -> int:
        path.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space left"):
        write(tmp_path, Still(np.zeros((4, 4, 4), np.uint8), 3.0, {}), WHEN)
    assert not list(tmp_path.iterdir())


def test_one_that_comes_too_soon_is_counted(here: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    gate = threading.Event()
    monkeypatch.setattr("perform.sinks.snapshot.write", lambda *a: (gate.wait(120.0), write(*a))[1])
    with testing.Paint(size=(16, 8)).open(here) as paint, Snapshot("s").open(here) as snapshot:
        for _ in range(3):
            trigger(here, snapshot, lambda: snapshot.show(paint.frame(0.0)))
        assert snapshot.dropped == 2
        gate.set()
    assert len(list((tmp_path / "s").glob("*.png"))) == 1


def test_through_pbos_the_picture_comes_a_frame_later(here: Stage, tmp_path: Path) -> None:
    from dataclasses import replace

    hard = replace(here, software=False)
    with testing.Paint(size=(16, 8)).open(hard) as paint, Snapshot("s").open(hard) as snapshot:
        paint.paint((10, 200, 30))
        trigger(hard, snapshot, lambda: snapshot.show(paint.frame(0.0)))
        snapshot.close()
    png = next((tmp_path / "s").glob("*.png"))
    assert Image.open(png).getpixel((3, 3)) == (10, 200, 30)
