from __future__ import annotations

import logging
import math
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perform import params as params_module
from perform.params import EASINGS, Param, Params, Post, Refused, Spec

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=5) | st.lists(inner, max_size=5).map(tuple),
    max_leaves=6,
)
SPECS = st.one_of(
    st.tuples(st.floats(-1e6, 1e6), st.floats(0.0, 1e6)).map(lambda r: Spec("float", r[0], r[0], r[0] + r[1])),
    st.just(Spec("float")),
    st.tuples(st.integers(-100, 100), st.integers(0, 100)).map(lambda r: Spec("int", r[0], r[0], r[0] + r[1])),
    st.just(Spec("int", 0)),
    st.just(Spec("bool", False)),
    st.just(Spec("choice", "a", choices=("a", "B", "1", "nan"))),
    st.just(Spec("color", (0.0, 0.0, 0.0))),
    st.just(Spec("text", "")),
    st.just(Spec("trigger")),
)
TYPES = {"float": float, "int": int, "bool": bool, "choice": str, "color": tuple, "text": str, "trigger": bool}


def one(spec: Spec, address: str = "/x") -> tuple[Params, Param]:
    params = Params()
    return params, params.declare(address, spec)


@given(SPECS, ANYTHING)
def test_whatever_is_posted_the_value_fits_or_is_refused(spec: Spec, value: object) -> None:
    try:
        taken = spec.coerce(value)
    except Refused:
        return
    assert type(taken) is TYPES[spec.kind]
    if spec.kind in ("float", "int"):
        assert math.isfinite(taken)
        assert spec.lo is None or taken >= spec.lo
        assert spec.hi is None or taken <= spec.hi
    if spec.kind == "choice":
        assert taken in spec.choices
    if spec.kind == "color":
        assert len(taken) == 4
        assert all(0.0 <= part <= 1.0 for part in taken)


@given(SPECS, ANYTHING)
def test_what_was_taken_is_taken_again_unchanged(spec: Spec, value: object) -> None:
    try:
        taken = spec.coerce(value)
    except Refused:
        return
    assert spec.coerce(taken) == taken


@given(SPECS, st.lists(st.tuples(ANYTHING, ANYTHING, st.sampled_from([*EASINGS, "bogus"])), max_size=6))
def test_settle_never_raises_and_counts_what_it_refuses(spec: Spec, posts: list[tuple[object, object, str]]) -> None:
    params, param = one(spec)
    reasons: list[str] = []
    params.on_refuse.append(lambda post, reason: reasons.append(reason))
    for frame, (value, seconds, easing) in enumerate(posts):
        params.post_all([Post("/x", value, seconds, easing)])  # type: ignore[arg-type]
        params.settle(frame / 60.0)
        if spec.kind == "float":
            assert math.isfinite(param.value)
    assert params.refused == len(reasons)


@pytest.mark.parametrize(
    ("spec", "given", "taken"),
    [
        (Spec("float", 0, 0, 1), 1, 1.0),
        (Spec("float", 0, 0, 1), "0.5", 0.5),
        (Spec("float", 0, 0, 1), True, 1.0),
        (Spec("float", 0, 0, 1), 7, 1.0),
        (Spec("float", 0, 0, 1), (0.25,), 0.25),
        (Spec("float", 0, 0, 1), np.float32(0.5), 0.5),
        (Spec("float"), 1e300, 3.4028234663852886e38),
        (Spec("int", 0), 2.5, 3),
        (Spec("int", 0), -2.5, -2),
        (Spec("int", 0, 0, 4), "9", 4),
        (Spec("int", 0), 1e300, 2**53),
        (Spec("bool", False), "on", True),
        (Spec("bool", True), 0.4, False),
        (Spec("bool", False), "T", True),
        (Spec("choice", 0, choices=("normal", "add")), "ADD ", "add"),
        (Spec("choice", 0, choices=("normal", "add")), 1.0, "add"),
        (Spec("choice", 0, choices=("normal", "add")), "1", "add"),
        (Spec("choice", 0, choices=("1", "0")), "0", "0"),
        (Spec("choice", 0, choices=("normal", "add")), True, "add"),
        (Spec("color", (0, 0, 0)), "#ff8000", (1.0, 128 / 255, 0.0, 1.0)),
        (Spec("color", (0, 0, 0)), 0.5, (0.5, 0.5, 0.5, 1.0)),
        (Spec("color", (0, 0, 0)), ["1", 2, -3, 0.5], (1.0, 1.0, 0.0, 0.5)),
        (Spec("color", (0, 0, 0)), ((1.0, 0.0, 0.0),), (1.0, 0.0, 0.0, 1.0)),
        (Spec("text", ""), 5, "5"),
        (Spec("text", ""), "x" * 5000, "x" * 1024),
        (Spec("trigger"), None, True),
        (Spec("trigger"), (), True),
        (Spec("trigger"), "bang", True),
        (Spec("trigger"), math.inf, True),
        (Spec("trigger"), 0, False),
        (Spec("trigger"), -1.0, False),
        (Spec("trigger"), False, False),
    ],
)
def test_values_are_taken_the_way_performers_send_them(spec: Spec, given: object, taken: object) -> None:
    assert spec.coerce(given) == taken


@pytest.mark.parametrize(
    ("spec", "value", "words"),
    [
        (Spec("float"), "banana", "takes a number, not the text 'banana'"),
        (Spec("float"), "", "takes a number"),
        (Spec("float"), math.nan, "finite"),
        (Spec("float"), "inf", "finite"),
        (Spec("float"), None, "not nothing"),
        (Spec("float"), b"\0\0", "not a blob"),
        (Spec("float"), (1.0, 2.0), "not 2 values"),
        (Spec("float"), 10**400, "64 bits"),
        (Spec("choice", 0, choices=("a", "b")), "c", "has no 'c'; there are a, b"),
        (Spec("choice", 0, choices=("a",)), 7, "has no choice number 7; there is a"),
        (Spec("choice", 0, choices=("a", "b")), 1e300, "has no choice number"),
        (Spec("choice", "a", live_choices=lambda: ()), 0, "nothing to choose from"),
        (Spec("color", (0, 0, 0)), "#ff80", "a colour like #ff8800"),
        (Spec("color", (0, 0, 0)), (1, 2), "3 or 4 numbers"),
        (Spec("color", (0, 0, 0)), ("a", "b", "c"), "takes a number"),
        (Spec("text", ""), b"blob", "takes a text, not a blob"),
        (Spec("trigger"), "later", "takes a number"),
    ],
)
def test_what_has_no_sense_is_refused_in_words(spec: Spec, value: object, words: str) -> None:
    with pytest.raises(Refused, match=None) as caught:
        spec.coerce(value)
    assert words in str(caught.value)


def test_a_spec_that_cannot_be_is_an_error() -> None:
    with pytest.raises(ValueError, match="unknown parameter kind"):
        Spec("flaot")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="empty range"):
        Spec("float", 0.0, 1.0, 0.0)


def test_a_text_without_a_default_is_empty() -> None:
    assert one(Spec("text"))[1].value == ""


@pytest.mark.parametrize("address", ["x", "/a b", "/a*", "/a\n", "", "/a#", "/ü{", " /a"])
def test_what_is_no_address_cannot_be_declared(address: str) -> None:
    with pytest.raises(ValueError, match="is not an OSC address"):
        Params().declare(address, Spec("float"))


def test_nothing_changes_between_two_settles() -> None:
    params, param = one(Spec("float", 0.0, 0.0, 1.0))
    params.post("/x", 0.5)
    assert (param.base, param.value) == (0.0, 0.0)
    params.settle(0.0)
    assert (param.base, param.value) == (0.5, 0.5)


def test_a_bundle_lands_whole_and_a_bad_part_does_not_cost_the_rest() -> None:
    params = Params()
    a, b = params.declare("/a", Spec("float")), params.declare("/b", Spec("float"))
    params.post_all([Post("/a", 1.0), Post("/nowhere", 1.0), Post("/a", "bad"), Post("/b", 2.0)])
    params.settle(0.0)
    assert (a.value, b.value, params.refused) == (1.0, 2.0, 2)


def test_aliases_and_case_answer_for_the_same_parameter() -> None:
    params = Params()
    param = params.declare("/layer/Dream/opacity", Spec("float"), "/layer/1/opacity")
    for address in ("/layer/1/opacity", "/LAYER/dream/Opacity", "/layer/Dream/opacity"):
        assert params.find(address) is param
        assert address in params
    assert [p.address for p in params] == ["/layer/Dream/opacity"]
    assert set(params.addresses()) == {"/layer/dream/opacity", "/layer/1/opacity"}
    with pytest.raises(KeyError):
        params["/layer/2/opacity"]


def test_an_alias_never_takes_another_parameters_own_address() -> None:
    params = Params()
    two = params.declare("/layer/2/x", Spec("float"))
    params.declare("/layer/b/x", Spec("float"), "/layer/2/x")
    assert params["/layer/2/x"] is two


def test_an_own_address_takes_back_what_was_an_alias() -> None:
    params = Params()
    params.declare("/layer/b/x", Spec("float"), "/layer/2/x")
    assert params.declare("/layer/2/x", Spec("float")) is params["/layer/2/x"]
    assert params["/layer/b/x"].address == "/layer/b/x"


def test_addresses_that_differ_only_by_case_are_an_error() -> None:
    params, _ = one(Spec("float"), "/a")
    with pytest.raises(ValueError, match="differ only by case"):
        params.declare("/A", Spec("float"))


def test_declared_again_it_keeps_what_the_performer_set() -> None:
    params, param = one(Spec("float", 0.0, 0.0, 10.0))
    params.post("/x", 7.0)
    params.settle(0.0)
    heard: list[object] = []
    params.on_settle.append(lambda p, origin: heard.append(p.base))
    assert params.declare("/x", Spec("float", 0.0, 0.0, 10.0)) is param
    assert (param.base, heard) == (7.0, [])
    params.declare("/x", Spec("float", 0.0, 0.0, 5.0))
    assert (param.base, param.value, heard) == (5.0, 5.0, [5.0])
    params.attach("/x", lambda now: 1.0)
    params.declare("/x", Spec("choice", "a", choices=("a", "b")))
    assert (param.base, param.modulators) == ("a", [])
    params.settle(1.0)
    assert param.value == "a"


def test_removed_addresses_are_gone_with_their_aliases_and_their_fades() -> None:
    params = Params()
    params.declare("/layer/a/x", Spec("float"), "/layer/1/x")
    params.declare("/layer/ab/x", Spec("float"))
    params.post("/layer/a/x", 1.0, seconds=1.0)
    params.settle(0.0)
    version = params.version
    params.remove("/layer/a")
    assert set(params.addresses()) == {"/layer/ab/x"}
    assert params.version > version
    params.post("/layer/1/x", 1.0)
    params.settle(0.5)
    assert params.refused == 1


@given(st.floats(-100, 100), st.floats(-100, 100), st.sampled_from(sorted(EASINGS)), st.floats(0.1, 10))
def test_a_fade_goes_from_here_to_there_and_stays_between(a: float, b: float, easing: str, seconds: float) -> None:
    params, param = one(Spec("float", a))
    params.post("/x", b, seconds, easing)
    before = a
    for step in range(11):
        params.settle(seconds * step / 10)
        assert min(a, b) <= param.value <= max(a, b)
        assert (param.value - before) * (b - a) >= 0.0
        before = param.value
    params.settle(seconds * 1.001)
    assert param.value == param.base == b
    assert param.fade is None


def test_a_colour_fades_and_a_choice_switches_at_the_start() -> None:
    params = Params()
    tint = params.declare("/tint", Spec("color", (0.0, 0.0, 0.0)))
    blend = params.declare("/blend", Spec("choice", "normal", choices=("normal", "add")))
    params.post_all([Post("/tint", "#ffffff", 2.0, "linear"), Post("/blend", "add", 2.0)])
    params.settle(0.0)
    params.settle(1.0)
    assert tint.value == (0.5, 0.5, 0.5, 1.0)
    assert blend.value == "add"
    params.settle(2.5)
    assert tint.value == (1.0, 1.0, 1.0, 1.0)


def test_a_new_value_ends_a_fade() -> None:
    params, param = one(Spec("float", 0.0))
    params.post("/x", 1.0, seconds=1.0)
    params.settle(0.0)
    params.post("/x", 0.25)
    params.settle(0.5)
    params.settle(2.0)
    assert param.value == 0.25


def test_a_fade_remembers_who_asked_for_it() -> None:
    params, _ = one(Spec("float", 0.0))
    origins: list[object] = []
    params.on_settle.append(lambda p, origin: origins.append(origin))
    params.post("/x", 1.0, seconds=1.0, origin="fader")
    for step in range(4):
        params.settle(step / 2)
    assert set(origins) == {"fader"}


def test_a_trigger_is_fired_for_one_frame() -> None:
    params, param = one(Spec("trigger"))
    heard: list[int] = []
    param.on_change = lambda p: heard.append(p.serial)
    params.post("/x")
    params.post("/x", 0)
    params.post("/x", 1)
    params.settle(0.0)
    assert (param.fired, param.value, heard) == (True, True, [1, 2])
    params.settle(0.1)
    assert (param.fired, param.value) == (False, False)


def test_status_is_set_from_inside_only() -> None:
    params, param = one(Spec("float", 0.0, readonly=True))
    params.post("/x", 1.0)
    params.publish("/x", 2.0)
    params.settle(0.0)
    assert (param.value, params.refused) == (2.0, 1)
    assert params.snapshot() == {}


def test_by_an_amount() -> None:
    params = Params()
    x = params.declare("/x", Spec("float", 0.5, 0.0, 1.0))
    n = params.declare("/n", Spec("int", 5, 0, 10))
    c = params.declare("/c", Spec("choice", "a", choices=("a", "b", "c")))
    t = params.declare("/t", Spec("text", ""))
    plus = [Post(a, 0.25 if a == "/x" else 1, operator="+") for a in ("/x", "/x", "/x", "/n", "/c", "/t")]
    params.post_all([*plus, Post("/n", 3, operator="-"), Post("/c", 9, operator="+")])
    params.settle(0.0)
    assert (x.value, n.value, c.value, t.value, params.refused) == (1.0, 3, "c", "", 1)


def test_amounts_in_time_add_up_from_where_the_last_one_leads_and_at_once_from_what_is_there() -> None:
    params, param = one(Spec("float", 0.0, 0.0, 1.0))
    for now in (0.0, 0.25, 0.5):
        params.post_all([Post("/x", 0.1, 1.0, operator="+")])
        params.settle(now)
    assert param.base < 0.3
    params.settle(1.5)
    assert param.base == pytest.approx(0.3)
    params.post_all([Post("/x", 1.0, 1.0)])
    params.settle(2.0)
    params.settle(2.5)
    half = param.base
    params.post_all([Post("/x", 0.1, operator="-")])
    params.settle(2.5)
    assert param.base == pytest.approx(half - 0.1)


def test_smoothing_approaches_and_arrives() -> None:
    params, param = one(Spec("float", 0.0, smooth=0.1))
    params.settle(0.0)
    params.post("/x", 1.0)
    params.settle(0.1)
    assert param.base == 1.0
    assert param.value == pytest.approx(1.0 - math.exp(-1.0))
    for step in range(2, 40):
        params.settle(step / 10)
    assert param.value == 1.0
    assert not params._moving


def test_modulation_moves_the_value_and_never_the_base() -> None:
    params, param = one(Spec("float", 0.5, 0.0, 1.0))
    heard: list[object] = []
    params.on_settle.append(lambda p, origin: heard.append(p))
    detach = params.attach("/x", lambda now: now)
    params.settle(0.25)
    assert (param.base, param.value, heard) == (0.5, 0.75, [])
    params.settle(9.0)
    assert param.value == 1.0
    detach()
    detach()
    params.settle(10.0)
    assert param.value == 0.5
    params.declare("/n", Spec("int", 0))
    with pytest.raises(ValueError, match="only floats"):
        params.attach("/n", lambda now: 1.0)


def test_a_modulator_that_fails_is_taken_off_and_one_without_a_number_counts_as_none() -> None:
    params, param = one(Spec("float", 0.5, 0.0, 1.0))
    params.attach("/x", lambda now: math.nan)
    params.attach("/x", lambda now: 1.0 / 0.0)
    params.settle(0.0)
    assert param.value == 0.5
    assert len(param.modulators) == 1


def test_a_listener_that_fails_costs_neither_the_bundle_nor_the_others() -> None:
    params = Params()
    a, b = params.declare("/a", Spec("float")), params.declare("/b", Spec("float"))
    heard: list[str] = []

    def broken(param: Param) -> None:
        raise RuntimeError("a listener's mistake")

    a.on_change = broken
    params.on_settle.append(lambda p, origin: heard.append(p.address))
    params.post_all([Post("/a", 1.0), Post("/b", 2.0)])
    params.settle(0.0)
    assert (a.value, b.value, heard) == (1.0, 2.0, ["/a", "/b"])


@pytest.mark.parametrize("operator", ["", "+"])
@pytest.mark.parametrize(
    ("mistake", "told"), [(OSError("the disk is gone"), "the disk is gone"), (KeyError(), "KeyError")]
)
def test_choices_that_cannot_be_asked_for_cost_one_post(
    operator: str, mistake: Exception, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    mistakes: list[Exception] = []

    def asked() -> tuple[str, ...]:
        if mistakes:
            raise mistakes[0]
        return ("dawn", "dusk")

    params, mood = one(Spec("choice", "dusk", live_choices=asked), "/mood")
    mistakes.append(mistake)
    level = params.declare("/level", Spec("float"))
    refused: list[str] = []
    params.on_refuse.append(lambda post, reason: refused.append(f"{post.address} {reason}"))
    params.post_all([Post("/mood", 1, operator=operator), Post("/level", 1.0)])
    with caplog.at_level(logging.DEBUG):
        params.settle(0.0)
    assert refused == [f"/mood cannot be taken now: {told}"]
    assert (mood.value, level.value) == ("dusk", 1.0)
    assert [(r.levelno, bool(r.exc_info)) for r in caplog.records] == [(logging.DEBUG, True)]


def test_a_listener_may_remove_what_is_moving() -> None:
    params, param = one(Spec("float", 0.0))
    param.on_change = lambda p: params.remove("/x")
    params.post("/x", 1.0, seconds=1.0)
    params.settle(0.0)
    params.settle(0.5)
    assert "/x" not in params


def test_a_feed_lands_in_the_same_frame_after_the_posts() -> None:
    params, param = one(Spec("float", 0.0))
    params.feeds.append(lambda now: [Post("/x", now)])
    params.post("/x", 5.0)
    params.settle(3.0)
    assert param.value == 3.0


def test_what_a_listener_posts_waits_for_the_next_frame() -> None:
    params, param = one(Spec("float", 0.0))
    param.on_change = lambda p: params.post("/x", p.base + 1.0)
    params.post("/x", 1.0)
    params.settle(0.0)
    assert param.value == 1.0
    params.settle(0.1)
    assert param.value == 2.0


def test_a_stalled_show_keeps_a_bounded_backlog(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(params_module, "BACKLOG", 10)
    params, param = one(Spec("float", 0.0))
    for n in range(100):
        params.post("/x", n)
    assert params.refused > 80
    params.settle(0.0)
    params.post("/x", 99)
    params.settle(0.1)
    assert param.value == 99.0


def test_posts_from_many_threads_all_arrive() -> None:
    params, param = one(Spec("int", 0))
    refused: list[str] = []
    params.on_refuse.append(lambda post, reason: refused.append(reason))

    def play() -> None:
        for _ in range(500):
            params.post_all([Post("/x", 1, operator="+"), Post("/nowhere", 1)])

    threads = [threading.Thread(target=play) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        params.settle(0.0)
    params.settle(0.0)
    assert param.value == 2000
    assert params.refused == len(refused) == 2000


def test_a_snapshot_is_what_can_be_set() -> None:
    params, _ = one(Spec("float", 0.25))
    params.declare("/go", Spec("trigger"))
    params.declare("/status/x", Spec("text", "", readonly=True))
    assert params.snapshot() == {"/x": 0.25}


def test_goals_are_a_snapshot_in_which_what_fades_has_arrived() -> None:
    params, _ = one(Spec("float", 1.0))
    params.declare("/still", Spec("text", "as it is"))
    params.declare("/tint", Spec("color", (0.0, 0.0, 0.0, 1.0)))
    params.declare("/status/x", Spec("float", readonly=True))
    params.post_all([Post("/x", 0.0, seconds=600.0, easing="linear"), Post("/tint", "#ffffff", seconds=600.0)])
    params.settle(0.0)
    params.settle(300.0)
    assert params.snapshot() == {"/x": 0.5, "/still": "as it is", "/tint": (0.5, 0.5, 0.5, 1.0)}
    assert params.goals() == {"/x": 0.0, "/still": "as it is", "/tint": (1.0, 1.0, 1.0, 1.0)}
    params.settle(600.0)
    assert params.goals() == params.snapshot()


def test_a_prefix_answers_for_everything_below_a_name_now_and_later() -> None:
    params = Params()
    opacity = params.declare("/layer/dream/opacity", Spec("float"))
    params.alias("/layer/1", "/layer/dream")
    blur = params.declare("/layer/dream/filter/blur/radius", Spec("float"))
    assert params.find("/layer/1/opacity") is opacity
    assert params.find("/Layer/1/filter/blur/radius") is blur
    params.alias("/layer/1", "/layer/ghost")
    assert params.find("/layer/1/opacity") is None
    params.alias("/layer/1", None)
    params.declare("/layer/ghost/opacity", Spec("float"))
    assert params.find("/layer/1/opacity") is None


def test_what_is_new_begins_where_it_is_sent_and_glides_from_then_on() -> None:
    params, param = one(Spec("float", 0.0, smooth=1.0))
    params.post("/x", 1.0)
    params.settle(0.001)
    assert param.value == 1.0
    params.post("/x", 0.0)
    params.settle(0.002)
    assert param.value > 0.9
    params.remove("/x")
    param = params.declare("/x", Spec("float", 0.0, smooth=1.0))  # new again, whatever was there
    params.post("/x", 1.0)
    params.settle(0.003)
    assert param.value == 1.0


def test_what_comes_late_begins_with_what_is_expected_of_it_once() -> None:
    params, there = one(Spec("float", 0.0))
    told: list[str] = []
    params.on_refuse.append(lambda post, reason: told.append(f"{post.address} {reason}"))
    late = {"/x": 9.0, "/Late": 0.5, "/loud": "very", "/bang": True, "/gone/y": 0.5, "/goner": 0.5}
    params.expect(late)
    params.remove("/GONE")
    assert params.begin("/x", Spec("float", 0.0)) is there
    begun = [params.begin(a, Spec("float", 0.25)) for a in ("/late", "/loud", "/gone/y", "/goner", "/other")]
    assert [param.value for param in begun] == [param.base for param in begun] == [0.5, 0.25, 0.25, 0.5, 0.25]
    assert not params.begin("/bang", Spec("trigger")).fired
    assert there.base == 0.0
    assert told == ["/loud takes a number, not the text 'very'"]
    params.remove("/late")
    assert params.begin("/late", Spec("float", 0.25)).value == 0.25  # anew
