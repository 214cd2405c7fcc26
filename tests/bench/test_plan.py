"""The plan: what comes first, what a wish leaves out, what the command line refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.gpu import command
from bench.gpu.plan import RESOLUTIONS, Wishes, plan

ROOT = Path(__file__).resolve().parents[2]


def test_the_ceilings_and_the_numbers_to_reach_come_first() -> None:
    names = [case.name for case in plan(Wishes())]
    assert names[0] == "ceilings"
    before = set(names[:19])
    assert {"engine m 1080p", "path m 1080p interop", "path m 1080p host", "naive m 1080p"} <= before
    assert {"path m 2160p interop", "world switches at 60 fps", "diffusion 512 recorded"} <= before
    assert len(names) == len(set(names))
    assert names[-1] == "diffusion 512 compiled"  # it may take the rest of the time


def test_gl_alone_is_read_before_each_size_of_the_whole_path() -> None:
    names = [case.name for case in plan(Wishes())]
    for size in ("1080p", "2160p", "512"):
        assert names.index(f"GL alone {size}") == names.index(f"path m {size} interop") - 1
    assert [case.name for case in plan(Wishes(groups=["path"], resolutions=["512"]))] == [
        "ceilings", "GL alone 512", "path m 512 interop", "path m 512 host",
    ]  # fmt: skip


def test_both_bridges_are_read_as_a_show_has_them_too() -> None:
    cases = {case.name: case for case in plan(Wishes())}
    for way in ("interop", "host bridge"):
        here, there = cases[f"path m 1080p {way}"], cases[f"path m 1080p {way}, landed"]
        assert there.what == {**here.what, "landed": True}
    assert len(cases) == 49
    assert not any("landed" in case.name for case in plan(Wishes(sizes=["s"])))


def test_every_network_is_planned_at_every_size_that_makes_sense() -> None:
    there = {(case.what["network"], case.what["size"]) for case in plan(Wishes()) if case.group == "engines"}
    for size in RESOLUTIONS.values():
        assert {("s", size), ("m", size), ("l", size)} <= there
        assert (("resnet9", size) in there) == (size != (3840, 2160))


def test_wishes_leave_out() -> None:
    cases = plan(Wishes(groups=["naive"], resolutions=["512"]))
    assert {case.group for case in cases} == {"roofline", "naive"}
    assert {case.what["size"] for case in cases if case.what} == {(512, 512)}


def test_dry_prints_the_plan_anywhere_without_a_card() -> None:
    run = [sys.executable, str(ROOT / "bench" / "gpu.py"), "--dry", "--budget", "100"]
    out = subprocess.run(run, capture_output=True, text=True, check=True).stdout
    assert "engine m 1080p" in out
    assert "size 1920×1080" in out
    assert "the budget is 100 s, so that from “" in out


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["--only", "engine"], "'engine' is none of roofline, engines"),
        (["--resolutions", "4k"], "'4k' is none of 256, 512"),
        (["--sizes", "xl"], "'xl' is none of s, m, l"),
        (["--resolutions", ","], "',' names none of 256, 512"),
        (["--device", "cuda:1"], "invalid choice: 'cuda:1'"),
        (["--report", str(ROOT / "bench" / "results" / "latency.json")], "is not what bench/gpu.py --out writes"),
        (["--report", str(ROOT / "show.toml")], "show.toml cannot be read: Expecting value"),
        (["--report", "nothing.json"], "nothing.json cannot be read: No such file"),
    ],
)
def test_what_is_unknown_is_refused_with_what_there_is(
    wrong: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        command.parse(wrong, "")
    assert said in capsys.readouterr().err


def test_the_costs_are_counted_for_what_is_measured(tmp_path: Path) -> None:
    cases = plan(Wishes(groups=["engines"], sizes=["s"], resolutions=["256"], published=["unet256"]))
    found = command.costs(cases, tmp_path)
    assert {(cost["network"], tuple(cost["size"])) for cost in found} == {("s", (256, 256)), ("unet256", (256, 256))}
    assert json.loads(json.dumps(found)) == found
