"""Tables, floors and goals from rows made up for it; the file is written whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.gpu import goals as reach
from bench.gpu import report, table
from bench.gpu.roofline import Ceilings
from bench.gpu.timing import Times, at

FULL, SMALL = [1920, 1080], [512, 512]
COST = {"network": "m", "size": FULL, "macs": 30_000_000_000, "layered": 300_000_000, "ideal": 20_000_000, "weights": 1}


def rows() -> list[dict[str, Any]]:
    path = {"group": "path", "network": "m", "size": FULL}
    return [
        {"case": "ceilings", "group": "roofline", "flops": 600e12, "bandwidth": 3e12},
        {"case": "e", "group": "engines", "network": "m", "size": FULL, "engine": "graph", "p50_ms": 0.16, "fps": 6000},
        {"case": "e", "group": "engines", "network": "m", "size": FULL, "engine": "eager", "p50_ms": 0.5, "fps": 2000},
        {"case": "e", "group": "engines", "network": "m", "size": SMALL, "engine": "graph", "p50_ms": 0.1, "fps": 9000},
        {"case": "p", **path, "engine": "interop", "fps": 5900, "alone_fps": 6000, "latency_p50_ms": 0.4, "gl": "GPU"},
        {"case": "p", **path, "engine": "host bridge", "fps": 1000, "gl": "GPU"},
        {"case": "p", **path, "engine": "host", "fps": 500, "gl": "none: tensors stand in for textures"},
        {"case": "d", "group": "diffusion", "size": SMALL, "engine": "graph", "fps": 90.0},
        {"case": "d", "group": "diffusion", "size": SMALL, "engine": "compiled graph", "error": "no"},
        {"case": "w", "group": "switch", "size": FULL, "engine": "interop", "late": 2},
    ]


def goals(found: list[dict[str, Any]]) -> dict[str, reach.Goal]:
    costs = {("m", (1920, 1080)): table.Cell(COST["macs"], COST["layered"], COST["ideal"])}  # type: ignore[arg-type]
    return {goal.what: goal for goal in reach.goals(found, costs)}


def test_the_floor_is_the_larger_of_arithmetic_and_memory() -> None:
    top, cost = Ceilings(600e12, 3e12), table.Cell(30_000_000_000, 300_000_000, 20_000_000)
    assert top.arithmetic(cost) == pytest.approx(0.1)  # type: ignore[arg-type]
    assert top.memory(cost) == pytest.approx(0.1)  # type: ignore[arg-type]
    assert top.memory(cost, ideal=True) == pytest.approx(0.02 / 3)  # type: ignore[arg-type]
    assert top.floor(table.Cell(60_000_000_000, 300_000_000, 1)) == pytest.approx(0.2)  # type: ignore[arg-type]


def test_goals_say_what_was_read_and_whether_it_is_enough() -> None:
    found = goals(rows())
    assert found["end to end, of what the engine records, m 1920×1080"].reached is True
    assert found["end to end, of the fastest engine alone, m 1920×1080"].read.startswith("98%")
    assert found["m 1920×1080 end to end, fps"].reached is True
    assert found["latency texture to texture, m 1920×1080, ms"].reached is True
    assert found["interop against host copies, same engine, m 1920×1080"].read.startswith("5.9×")
    assert found["engine, of the tighter roofline bound, m 1920×1080"].read.startswith("62%")
    assert found["m 512×512 against one-step diffusion"].read.startswith("100×")
    assert found["late frames in the switches at 60 fps"].reached is False


def drawn(fps: float) -> dict[str, Any]:
    """GL alone at 1920×1080."""
    found = {"case": "GL alone 1080p", "group": "path", "size": FULL, "engine": "GL alone", "gl": "GPU"}
    return {**found, "fps": fps, "frame_p50_ms": 1e3 / fps, "passes_ms": {"camera": 0.75}, "by": "timer queries"}


def test_where_gl_is_slower_than_the_engine_the_goals_say_so() -> None:
    slow, quick = goals([*rows(), drawn(5950)]), goals([*rows(), drawn(6050)])
    said = "; bounded by GL alone at 5,950 fps"
    bounded = {what for what, goal in slow.items() if goal.read.endswith(said)}
    assert bounded == {
        "end to end, of what the engine records, m 1920×1080",
        "end to end, of the fastest engine alone, m 1920×1080",
        "m 1920×1080 end to end, fps",
        "interop against host copies, same engine, m 1920×1080",
    }  # nothing is said of what was not read
    assert not any("GL alone" in goal.read for goal in quick.values())
    assert {what: goal.reached for what, goal in slow.items()} == {what: g.reached for what, g in quick.items()}


def test_each_line_of_the_path_says_how_much_of_it_is_gl() -> None:
    found = [
        {**row, "frame_p50_ms": 2.0} if row["case"] == "p" and row["engine"] == "interop" else row for row in rows()
    ]
    lines = table.paths([*found, drawn(1000)]).splitlines()
    interop, alone = (next(line for line in lines if f" {way} " in line) for way in ("interop", "GL alone"))
    assert "50%" in interop.split()
    assert "%" not in alone
    assert "camera 0.750 ms by timer queries" in alone
    bridge = next(line for line in lines if "host bridge" in line)
    assert "%" not in bridge  # it has no frame time to be a share of
    assert "| GL alone |  | 1920×1080 | 1,000 |" in report.markdown(whole([*rows(), drawn(1000)], "a card"))


def test_each_line_of_the_path_says_how_pictures_were_carried() -> None:
    path = {"case": "p", "group": "path", "network": "m", "size": FULL, "fps": 100, "gl": "GPU"}
    counts = {"take": 1.0, "give": 0.25, "exchange": 0.0}
    found = [{**path, "engine": "interop", "carried": counts}, {**path, "engine": "host", "bridge": "none"}]
    one, other = table.paths(found).splitlines()[1:]
    assert one.endswith("  1.00 take, 0.25 give; GPU")
    assert other.endswith("  none; GPU")


def test_what_was_not_read_is_not_reached_nor_missed() -> None:
    found = goals(rows())
    assert found["m 3840×2160 end to end, fps"].mark == "not read"
    assert found["host waits a frame"].mark == "not read"
    # what stood in for GL is not a reading
    assert found["interop against the engine behind host copies, m 1920×1080"].mark == "not read"
    assert all(goal.reached is None for goal in goals(rows()[:1]).values())


def whole(found: list[dict[str, Any]], device: str | None) -> dict[str, Any]:
    machine = {"cpu": "a processor", "cores": 16, "python": "3.12", "gpu": {"name": "a card", "driver_version": "580"}}
    about = {"torch": "2.11", "device": device}
    return {"machine": machine, "libraries": about, "costs": [COST], "rows": found, "skipped": ["memory"]}


def test_the_report_has_the_machine_the_tables_and_what_was_left_out() -> None:
    text = report.report(whole(rows(), "a card"))
    assert text.startswith("a card, driver 580; a processor, 16 cores; Python 3.12, torch 2.11")
    assert "600 TFLOP/s in half precision, 3.00 TB/s" in text
    line = next(line for line in text.splitlines() if "graph" in line and "1920×1080" in line)
    assert line.split()[:4] == ["size", "m", "1920×1080", "graph"]
    assert "62%" in line
    assert "No time was left for: memory" in text
    assert "Numbers to reach" in text


def test_the_heading_names_the_card_that_pytorch_measured() -> None:
    assert report.report(whole(rows(), "another card")).startswith("another card, driver 580; a processor")


def test_without_a_card_no_number_counts() -> None:
    text = report.report(whole(rows(), None))
    assert "Numbers to reach" not in text
    assert text.count("There was no NVIDIA card") == 1


def test_an_error_is_a_line_of_its_own() -> None:
    failed = {
        "case": "e",
        "group": "engines",
        "network": "l",
        "size": FULL,
        "engine": "graph",
        "error": "out of memory",
    }
    assert "out of memory" in report.report(whole([*rows(), failed], "a card"))


def test_a_readme_gets_the_fastest_engine_of_each_size() -> None:
    text = report.markdown(whole(rows(), "a card"))
    assert "| engine alone | 512×512 | 1920×1080 |" in text
    assert "| size m | 0.10 ms, 9,000 fps (graph) | 0.16 ms, 6,000 fps (graph) |" in text
    assert "| interop | size m | 1920×1080 | 5,900 | 0.400 |" in text
    assert "| host |" not in text  # something stood in for GL
    assert "| m 512×512 against one-step diffusion | ≥ 20× | 100× (9,000 / 90.0) | yes |" in text


def test_columns_stand_below_each_other() -> None:
    out = table.grid(["a", "b", "number", ""], [["x", "y", 1.0, "z"], ["long", "y", 1234.5, ""]]).splitlines()
    assert out == ["a     b  number", "x     y   1.000  z", "long  y   1,234"]


def test_the_file_is_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "found.json"
    table.save(path, whole(rows(), "a card"))
    again = json.loads(path.read_text("utf-8"))
    assert again["format"] == table.FORMAT
    assert report.report(again) == report.report(whole(rows(), "a card"))
    assert [p.name for p in path.parent.iterdir()] == ["found.json"]


RESULTS = Path(__file__).resolve().parents[2] / "bench" / "results"


def test_the_tables_that_are_printed_are_those_of_the_file() -> None:
    found = json.loads((RESULTS / "h200.json").read_text("utf-8"))
    assert report.report(found) in (RESULTS / "README.md").read_text("utf-8")


def test_percentiles() -> None:
    assert at([1.0, 2.0, 3.0], 0.5) == 2.0
    assert at([1.0, 2.0], 0.75) == 1.75
    times = Times.of([3.0, 1.0, 2.0], 0.5)
    assert (times.p50, times.rate, times.runs) == (2.0, 6.0, 3)
