"""The loops that measure, on software GL and a stand-in for CUDA: they turn, count and end. No speed is asserted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench.gpu import alone, counting, naive, path, players, scene, standin, steady
from bench.gpu.plan import Case
from perform.gl.context import Context
from perform.paths import models

WORLD = models() / "landscape"
SIZE = (64, 48)


@pytest.fixture
def stage(gl: Context, monkeypatch: pytest.MonkeyPatch) -> Context:
    monkeypatch.setattr(scene, "_context", [gl])
    return gl


def case(group: str, **what: Any) -> Case:
    return Case("a case", group, 1, {"network": "s", "size": SIZE, **what})


@pytest.mark.parametrize(("way", "bridge"), [("interop", "array"), ("host bridge", "host"), ("host", "none")])
def test_the_path_turns_whichever_way(stage: Context, way: str, bridge: str) -> None:
    drawn, stood_in = path.run(case("path", way=way), 0.02, "cpu", WORLD)
    assert drawn["bridge"] == bridge
    assert drawn["fps"] > 0
    assert 0 < drawn["latency_p50_ms"] <= drawn["latency_p99_ms"]
    assert stood_in["gl"] == "none: tensors stand in for textures"  # llvmpipe is no card


def test_without_gl_the_path_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> Context:
        raise scene_error("libGL is missing")

    from perform.gl.context import GLUnavailable as scene_error

    monkeypatch.setattr(scene, "context", none)
    drawn, stood_in = path.run(case("path", way="host"), 0.02, "cpu", WORLD)
    assert drawn["error"] == "no GL: GLUnavailable: libGL is missing"
    assert stood_in["fps"] > 0
    (row,) = naive.run(case("naive"), 0.02, "cpu", WORLD)
    assert "without the texture" in row["note"]


def test_the_naive_loop_shows_what_it_dreamt(stage: Context) -> None:
    (row,) = naive.run(case("naive"), 0.02, "cpu", WORLD)
    assert row["fps"] > 0
    assert row["note"].startswith("colours by")
    assert "without" not in row["note"]


def test_waits_are_counted_and_left_as_they_were(stage: Context) -> None:
    from perform.gl.lib import gl

    before = gl.glFinish
    with counting.counted() as counts:
        gl.glFinish()
        gl.glFinish()
    assert counts == {"glFinish": 2}
    assert counting.waits(counts) == 2
    assert gl.glFinish is before
    gl.glFinish()
    assert counts == {"glFinish": 2}


def test_the_cuda_engine_neither_waits_nor_allocates(stage: Context) -> None:
    (row,) = steady.run(Case("counts", "memory", 1, {"size": SIZE, "frames": 5, "way": "counts"}), "cpu", WORLD)
    assert row["frames"] == 5
    assert row["host waits a frame"] == 0
    assert row["seen"] == {}


def test_memory_is_read_before_and_after(stage: Context) -> None:
    (row,) = steady.run(Case("memory", "memory", 1, {"size": SIZE, "frames": 8, "way": "growth"}), "cpu", WORLD)
    assert row["frames"] == 8
    assert row["before"].keys() == row["after"].keys() == {"resident"}


def test_worlds_are_switched_and_late_frames_counted(stage: Context) -> None:
    what = {"size": SIZE, "switches": 4, "every": 2}
    (row,) = steady.run(Case("switch", "switch", 1, what), "cpu", WORLD)
    assert (row["switches"], row["frames"]) == (4, 8)
    assert row["seen"].keys() == {"landscape-a", "landscape-b"}
    assert 0 <= row["late"] <= 8


def test_a_frame_is_late_when_it_does_not_fit_its_slot() -> None:
    pace = steady.Pace(60.0)
    for seconds in (0.01, 0.0166, 0.017, 0.1):
        pace.add(seconds)
    assert pace.late == 2


def test_twins_are_two_worlds_of_the_same_files(tmp_path: Path) -> None:
    names = players.twins(WORLD, tmp_path)
    assert names == ["landscape-a", "landscape-b"]
    for name in names:
        assert players.card(tmp_path / name).world == name


def test_every_engine_of_the_ladder_has_a_row(stage: Context) -> None:
    rows = list(alone.run(case("engines", engines=("eager", "graph", "TensorRT")), 0.01, "cpu", WORLD))
    assert [row["engine"] for row in rows] == ["eager", "graph", "TensorRT"]
    assert rows[0]["p50_ms"] > 0
    assert rows[1]["error"] == "RuntimeError: a CUDA graph needs CUDA"
    assert rows[2]["error"].startswith("RuntimeError: TensorRT")


def test_what_stands_in_for_gl_goes_down_and_up(stage: Context) -> None:
    for way in ("interop", "host"):
        assert standin.read(way, SIZE, 0.01, "cpu", WORLD)["fps"] > 0
