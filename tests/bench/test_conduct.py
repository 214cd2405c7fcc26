"""Cases in a process that may die: nothing is lost but the case in hand."""

from __future__ import annotations

import json
import sys
import time

import pytest

from bench.gpu import conduct
from bench.gpu.conduct import Conductor, Found
from bench.gpu.plan import Case

CHILD = """
import json, os, sys, time
def tell(event, **more):
    print("@@bench " + json.dumps({"event": event, **more}), flush=True)
task = json.load(sys.stdin)
tell("about", about={"torch": "x"})
print("a library talks")
for case in task["cases"]:
    name = case["name"]
    tell("begin", case=name)
    if name == "dies":
        os._exit(139)
    if name == "hangs":
        time.sleep(60)
    tell("row", row={"case": name, "group": case["group"], "pid": os.getpid()})
    tell("done", case=name)
    if name == "poisons":
        tell("leave")
        os._exit(0)
tell("end")
"""


def cases(*names: str, seconds: float = 0.1) -> list[Case]:
    return [Case(name, "engines", seconds, {"network": "m", "size": (8, 8)}) for name in names]


def conducted(*names: str, room: float = 900.0) -> Found:
    seen: list[int] = []
    conductor = Conductor(
        [sys.executable, "-c", CHILD],
        time.monotonic() + room,
        lambda found: seen.append(len(found.rows)),
        lambda text: None,
    )
    found = conductor.run(cases(*names), {"device": "cpu"})
    assert seen == list(range(1, len(found.rows) + 1))  # saved after every row
    return found


def test_all_cases_in_one_process() -> None:
    found = conducted("one", "two")
    assert [row["case"] for row in found.rows] == ["one", "two"]
    assert len({row["pid"] for row in found.rows}) == 1
    assert found.about == {"torch": "x"}
    assert found.skipped == []


def test_a_case_that_dies_costs_itself() -> None:
    found = conducted("one", "dies", "two")
    assert [row["case"] for row in found.rows] == ["one", "dies", "two"]
    assert found.rows[1]["error"] == "its process ended with code 139"
    assert found.rows[1]["network"] == "m"
    assert found.rows[0]["pid"] != found.rows[2]["pid"]


def test_after_a_poisoned_one_a_new_process_goes_on() -> None:
    found = conducted("poisons", "two")
    assert [row.get("error") for row in found.rows] == [None, None]
    assert found.rows[0]["pid"] != found.rows[1]["pid"]


def test_a_case_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("START", "GRACE", "LAST"):
        monkeypatch.setattr(conduct, name, 0.5)
    monkeypatch.setattr(conduct, "TICK", 0.05)
    monkeypatch.setattr(conduct, "PATIENCE", 0.0)
    found = conducted("hangs", "two")
    assert [row["case"] for row in found.rows] == ["hangs", "two"]
    assert found.rows[0]["error"].startswith("no answer for")


def test_what_there_is_no_time_for_is_named() -> None:
    conductor = Conductor([sys.executable, "-c", CHILD], time.monotonic() + 60.0, say=lambda text: None)
    found = conductor.run([*cases("long", seconds=1000.0), *cases("short")], {})
    assert found.skipped == ["long"]
    assert [row["case"] for row in found.rows] == ["short"]


def test_a_program_that_is_none_does_not_loop() -> None:
    conductor = Conductor([sys.executable, "-c", "raise SystemExit(3)"], time.monotonic() + 60.0, say=lambda text: None)
    found = conductor.run(cases("one", "two"), {})
    assert [row["error"] for row in found.rows] == ["its process ended with code 3"] * 2
    assert json.dumps(found.rows)
