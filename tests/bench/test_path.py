"""The loops that measure, on software GL and a stand-in for CUDA: they turn, count and end. No speed is asserted."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bench.gpu import alone, counting, drawn, naive, path, players, scene, standin, steady
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


@pytest.mark.parametrize(("way", "bridge"), [("interop", "array"), ("host bridge", "host")])
def test_a_dream_that_is_there_before_the_next_picture_goes_with_it(
    stage: Context, monkeypatch: pytest.MonkeyPatch, way: str, bridge: str
) -> None:
    slow = partial(players._rehearsed, lag=3)  # not there by the next picture, and soon after
    monkeypatch.setattr(players, "_rehearsed", slow)
    found = [path.run(case("path", way=way, landed=landed), 0.02, "cpu", WORLD) for landed in (False, True)]
    (at_once, _), (landed,) = map(list, found)
    assert (at_once["engine"], at_once["carried"]) == (way, {"take": 1.0, "give": 1.0, "exchange": 0.0})
    assert (landed["engine"], landed["carried"]) == (f"{way}, landed", {"take": 0.0, "give": 0.0, "exchange": 1.0})
    assert landed["fps"] > 0
    assert landed["bridge"] == bridge


def test_an_engine_without_a_bridge_carries_nothing(stage: Context) -> None:
    rows = list(path.run(case("path", way="host"), 0.02, "cpu", WORLD))
    assert "carried" not in rows[0]


def test_gl_alone_turns_without_an_engine(stage: Context) -> None:
    (row,) = drawn.run(Case("GL alone", "path", 1, {"size": SIZE, "way": "GL alone"}), 0.02)
    assert row["engine"] == "GL alone"
    assert row["fps"] > 0
    assert 0 < row["latency_p50_ms"] <= row["latency_p99_ms"]
    assert row["by"] == "timer queries"  # llvmpipe has them
    assert all(ms > 0 for ms in row["passes_ms"].values())


@pytest.mark.parametrize("queries", [True, False])
def test_each_pass_is_timed_by_queries_or_by_finishes(stage: Context, queries: bool) -> None:
    theatre = scene.Theatre(stage, (256, 256))
    found = drawn.passes(theatre, 5, queries)
    assert list(found["passes_ms"]) == ["camera", "composite", "resolve"]
    assert all(ms > 0 for ms in found["passes_ms"].values())
    assert found["by"] == ("timer queries" if queries else "finishes")
    theatre.close()


def test_in_the_place_of_its_dream_stands_the_picture(stage: Context) -> None:
    from perform.gl.transfer import read

    theatre = scene.Theatre(stage, SIZE)
    loop = path.Loop(theatre, drawn.Echo(), "none", lambda: 1.0)
    loop.frame()
    camera, screen = read(theatre.camera(1.0).texture)[..., :3] / 255.0, read(theatre.screen.texture)[..., :3] / 255.0
    mixed = camera + 0.2 * camera - 0.2 * camera * camera
    assert abs(screen - mixed).max() <= 2.5 / 255.0  # half a step of dither, and rounding twice
    theatre.close()


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


def test_what_is_asked_of_the_cuda_runtime_is_an_allocation(stage: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = SimpleNamespace(cudaMalloc=lambda size: (0, 1), cudaFree=lambda address: (0,))
    monkeypatch.setattr(counting, "_runtime", lambda: [runtime])
    loop = SimpleNamespace(prime=lambda: None, turn=lambda: (runtime.cudaMalloc(8), runtime.cudaFree(1)))
    row = steady.counts(loop, 5)  # type: ignore[arg-type]
    assert (row["card allocations a frame"], row["host waits a frame"]) == (2, 0)


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
