"""Inputs as parameters and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from perform.gl.isf import declare
from perform.gl.isf.controls import gone, values
from perform.gl.isf.header import Header, parse
from perform.params import Params, Spec

HEADER = """/*{"INPUTS": [
    {"NAME": "f", "TYPE": "float", "DEFAULT": 2, "MIN": 1, "MAX": 3, "LABEL": "How much"},
    {"NAME": "b", "TYPE": "bool", "DEFAULT": 1},
    {"NAME": "e", "TYPE": "event"},
    {"NAME": "n", "TYPE": "long", "VALUES": [2, 4, 4], "LABELS": ["two", "four", "four"], "DEFAULT": 4},
    {"NAME": "i", "TYPE": "long", "MIN": 1, "MAX": 9, "DEFAULT": 3},
    {"NAME": "c", "TYPE": "color", "DEFAULT": [1, 0.5, 0, 1]},
    {"NAME": "p", "TYPE": "point2D"},
    {"NAME": "px", "TYPE": "point2D", "DEFAULT": [10, 20]},
    {"NAME": "r", "TYPE": "point2D", "DEFAULT": [1, 2], "MIN": [0, 5], "MAX": [4, 1]},
    {"NAME": "F", "TYPE": "float"},
    {"NAME": "picture", "TYPE": "image"}
]}*/ void main() {}"""


@pytest.fixture
def header() -> Header:
    return parse(HEADER, Path("a.fs"))


def test_defaults_go_round(header: Header) -> None:
    params = Params()
    found = values(header, declare(params, "/x", header))
    assert found == {
        "f": 2.0, "b": True, "e": False, "n": 4, "i": 3, "c": (1.0, 0.5, 0.0, 1.0), "p": (0.5, 0.5),
        "px": (10.0, 20.0), "r": (1.0, 2.0), "F": 0.0,
    }  # fmt: skip


def test_addresses_ranges_and_docs(header: Header) -> None:
    params = Params()
    declare(params, "/x", header)
    addresses = [p.address for p in params]
    assert addresses == [
        "/x/f", "/x/b", "/x/e", "/x/n", "/x/i", "/x/c", "/x/p/x", "/x/p/y", "/x/px/x", "/x/px/y", "/x/r/x", "/x/r/y",
        "/x/F_",
    ]  # fmt: skip
    assert (params["/x/f"].spec.lo, params["/x/f"].spec.hi, params["/x/f"].spec.doc) == (1, 3, "How much")
    assert params["/x/px/x"].spec.unit == "px"
    assert (params["/x/r/y"].spec.lo, params["/x/r/y"].spec.hi) == (1, 5)
    assert params["/x/n"].spec.choices == ("two", "four", "four (4, 2)")


def test_what_is_posted_arrives(header: Header) -> None:
    params = Params()
    controls = declare(params, "/x", header)
    for address, value in (("/x/e", 1), ("/x/n", "two"), ("/x/p/y", 0.75), ("/x/c", "#00ff00"), ("/x/i", 7.2)):
        params.post(address, value)
    params.settle(0.0)
    found = values(header, controls)
    assert (found["e"], found["n"], found["p"], found["c"], found["i"]) == (True, 2, (0.5, 0.75), (0, 1, 0, 1), 7)
    params.settle(0.1)
    assert values(header, controls)["e"] is False


def test_a_save_leaves_inputs_that_differ_only_by_case_as_they_are() -> None:
    header = parse(
        """/*{"INPUTS": [{"NAME": "Speed", "TYPE": "float"}, {"NAME": "speed", "TYPE": "float"},
        {"NAME": "P", "TYPE": "point2D"}, {"NAME": "p", "TYPE": "point2D"}]}*/ void main() {}""",
        Path("a.fs"),
    )
    params = Params()
    before = declare(params, "/x", header)
    addresses = ["/x/Speed", "/x/speed_", "/x/P/x", "/x/P/y", "/x/p_/x", "/x/p_/y"]
    assert [p.address for p in params] == addresses
    for address in addresses:
        params.post(address, 0.75)
    params.settle(0.0)
    gone(params, before, header, "/x")
    assert [p.value for p in declare(params, "/x", header).values()] == [0.75] * 6


def test_an_input_called_like_an_address_of_its_host_has_another() -> None:
    def header(name: str) -> Header:
        return parse(f'/*{{"INPUTS": [{{"NAME": "{name}", "TYPE": "float"}}]}}*/ void main() {{}}', Path("a.fs"))

    params = Params()
    on = params.declare("/x/on", Spec("bool", True))
    speed = params.declare("/x/time/speed", Spec("float", 1.0, 0.0, 8.0))
    before = declare(params, "/x", header("time"))
    assert before["time"].address == "/x/time_"
    gone(params, before, header("On"), "/x")
    assert declare(params, "/x", header("On"))["On"].address == "/x/On_"
    assert list(params) == [on, speed, params["/x/on_"]]
    assert on.value is True
