from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perform.control.osc.pattern import PatternError, Patterns, is_pattern, matches
from perform.params import Params, Spec


@pytest.mark.parametrize(
    ("pattern", "address", "yes"),
    [
        ("/a/b", "/a/b", True),
        ("/A/b", "/a/B", True),
        ("/a/?", "/a/b", True),
        ("/a/?", "/a/bc", False),
        ("/a?b", "/a/b", False),
        ("/a/*", "/a/", True),
        ("/a/*", "/a/b/c", False),
        ("/*/c", "/a/c", True),
        ("/a*c", "/abbbc", True),
        ("/a*c*e", "/abcde", True),
        ("/a**", "/abc", True),
        ("/[a-c]", "/b", True),
        ("/[c-a]", "/b", True),
        ("/[!a-c]", "/b", False),
        ("/[!a-c]", "/d", True),
        ("/[^a]", "/b", True),
        ("/a[!x]b", "/a/b", False),
        ("/[a-]", "/-", True),
        ("/[abc", "/a", None),
        ("/a]", "/a", None),
        ("/{one,two}", "/two", True),
        ("/{one,two}", "/three", False),
        ("/{o,on,one}e", "/one", True),
        ("/{one,two", "/one", None),
        ("/{,a}b", "/b", True),
        ("//c", "/a/b/c", True),
        ("//c", "/c", True),
        ("/a//c", "/a/b/c", True),
        ("/a//c", "/a/c", True),
        ("/a//c", "/abc", False),
        ("/a///c", "/a/b/c", True),
        ("//*", "/a/b/c", True),
        ("//b*", "/a/bc", True),
        ("/" + "?" * 40, "/a", None),
        ("/" + "a" * 300, "/a", None),
        ("/{" + ",".join(map(str, range(100))) + "}", "/1", None),
    ],
)
def test_patterns_of_the_specification(pattern: str, address: str, yes: bool | None) -> None:
    if yes is None:
        with pytest.raises(PatternError):
            matches(pattern, address)
    else:
        assert matches(pattern, address) is yes


@given(
    st.lists(st.sampled_from(["a", "b", "ab", "*", "?", "[ab]", "[!a]", "/"]), max_size=10).map(
        lambda p: "/" + "".join(p)
    ),
    st.text("ab/", max_size=12).map(lambda a: "/" + a),
)
def test_agrees_with_regular_expressions(pattern: str, address: str) -> None:
    if "//" in pattern:
        return
    assert matches(pattern, address) is bool(re.fullmatch(_regex(pattern), address))


def _regex(pattern: str) -> str:
    return pattern.replace("[!a]", "[^a/]").replace("*", "[^/]*").replace("?", "[^/]")


def test_the_pattern_that_blows_up_regular_expressions_costs_nothing() -> None:
    pattern, address = "/" + "*a" * 14 + "b", "/" + "a" * 60
    began = time.process_time()
    assert not matches(pattern, address)
    assert time.process_time() - began < 4.0  # a regular expression takes over five seconds, on a quick machine


def test_is_pattern() -> None:
    assert all(map(is_pattern, ["/a*", "/a?", "/[a]", "/{a}", "//a"]))
    assert not is_pattern("/layer/1/opacity")


def test_a_parameter_with_an_alias_is_reached_once_until_the_tree_changes() -> None:
    params = Params()
    a = params.declare("/layer/a/x", Spec("float"), "/layer/1/x")
    patterns = Patterns(params, remembered=4)
    assert patterns.reach("/layer/*/x") == {"/layer/a/x": a}
    assert patterns.reach("/layer/1/*") == {"/layer/1/x": a}
    assert patterns.reach("/LAYER/a/x") == {"/LAYER/a/x": a}
    assert patterns.reach("/layer/z") == {}
    b = params.declare("/layer/b/x", Spec("float"), "/layer/2/x")
    assert patterns.reach("/layer/*/x") == {"/layer/a/x": a, "/layer/b/x": b}
    params.remove("/layer/a")
    assert patterns.reach("/layer/*/x") == {"/layer/b/x": b}
    for n in range(20):
        patterns.reach(f"/{n}*")
    assert len(patterns._reached) <= 4
