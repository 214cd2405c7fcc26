from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perform.clock import FixedClock, ManualClock
from perform.control import presets
from perform.control.cue import HINTS, Cue, posts, problems
from perform.control.cues import Cues
from perform.control.osc.pattern import Patterns
from perform.control.preset_list import AT_ONCE
from perform.params import Params, Spec
from perform.plugins import Stage

from .desk import open_desk, tree

DAWN = Cue("dawn", {"/layer/dream/opacity": 0.25, "/layer/dream/world": "none"})
OCEAN = Cue("ocean", {"/layer/1/world": "ocean", "/layer/*/opacity": 0.5}, fade=2.0, easing="linear")
DUSK = Cue("dusk", {"/master/tint": "#000000"})


def opened(
    tmp_path: Path, *cues: Cue, params: Params | None = None, resume: dict[str, Any] | None = None
) -> tuple[Params, Cues]:
    params = params or Params()
    params.declare("/layer/dream/opacity", Spec("float", 1.0, 0.0, 1.0), "/layer/1/opacity")
    params.declare("/layer/ghost/opacity", Spec("float", 1.0, 0.0, 1.0))
    params.declare("/layer/dream/world", Spec("choice", 0, choices=("none", "ocean")), "/layer/1/world")
    params.declare("/master/tint", Spec("color", (1.0, 1.0, 1.0)))
    params.declare("/master/opacity", Spec("float", 1.0, 0.0, 1.0))
    params.declare("/master/blackout", Spec("bool", False))
    params.declare("/status/fps", Spec("float", 0.0, readonly=True))
    cue_list = Cues(cues, resume=resume or {}).open(Stage(params, ManualClock(), "/cue", (64, 64), folder=tmp_path))
    params.settle(0.0)
    return params, cue_list


def status(params: Params) -> Any:
    params.settle(params._now)
    return params["/status/cue"].base


def test_a_cue_lands_in_the_frame_of_its_post_and_fades_what_can_fade(tmp_path: Path) -> None:
    params, _ = opened(tmp_path, DAWN, OCEAN)
    params.post("/cue/ocean/go")
    params.settle(1.0)
    assert params["/layer/dream/world"].value == "ocean"
    assert params["/layer/ghost/opacity"].value == 1.0
    params.settle(2.0)
    assert params["/layer/ghost/opacity"].value == pytest.approx(0.75)
    params.settle(3.0)
    assert params["/layer/dream/opacity"].value == 0.5
    assert status(params) == "ocean"


def test_a_mood_comes_with_its_world_in_whatever_order(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    moods = {"none": ("pad",), "ocean": ("moon", "pad")}
    params = Params()

    def names() -> tuple[str, ...]:
        world = params.find("/layer/dream/world")
        return moods["none" if world is None else str(world.base)]

    params.declare("/layer/dream/mood", Spec("choice", "pad", live_choices=names), "/layer/1/mood")
    both = Cue("both", {"/layer/*/mood": "moon", "/layer/dream/world": "ocean"})
    with caplog.at_level(logging.WARNING):
        _, cues = opened(tmp_path, both, Cue("later", {"/layer/1/mood": "moon"}), params=params)
    assert cues.problems == []
    assert caplog.text == ""
    params.post("/cue/later/go")
    params.settle(1.0)
    assert params["/layer/dream/mood"].base == "pad"  # no world, no moon
    for n, name in enumerate(("both", "later"), 2):
        params.post(f"/cue/{name}/go")
        params.settle(float(n))
        assert params["/layer/dream/mood"].base == "moon"
        params.post("/layer/dream/mood", "pad")


def test_go_and_back_walk_the_list(tmp_path: Path) -> None:
    params, _ = opened(tmp_path, DAWN, OCEAN, DUSK)
    seen = []
    for n, address in enumerate(["/cue/back", "/cue/go", "/cue/go", "/cue/go", "/cue/back", "/cue/dusk/go", "/cue/go"]):
        params.post(address)
        params.settle(float(n))
        seen.append(status(params))
    assert seen == ["dawn", "ocean", "dusk", "dawn", "dawn", "dusk", "dawn"]


def test_go_twice_in_a_frame_is_two_cues(tmp_path: Path) -> None:
    params, _ = opened(tmp_path, DAWN, OCEAN, DUSK)
    params.post("/cue/go")
    params.post("/cue/go")
    params.settle(1.0)
    assert status(params) == "ocean"


@pytest.mark.parametrize("back", ["/cue/x/go", "/cue/back", "/cue/*/go", "/preset/again/go"])
def test_cues_that_fire_each_other_do_not_go_round(tmp_path: Path, back: str) -> None:
    folder = tmp_path / "presets"
    folder.mkdir()
    (folder / "again.toml").write_text('[set]\n"/cue/x/go" = true\n')
    params, _ = opened(tmp_path, Cue("x", {"/cue/y/go": 1}), Cue("y", {back: 1, "/layer/dream/opacity": 0.5}))
    seen = []
    for start in (1.0, 11.0):
        params.post("/cue/x/go")
        for n in range(6):
            params.settle(start + n / 60.0)
            seen.append((params["/cue/x/go"].fired, params["/cue/y/go"].fired))
    assert seen == ([(True, True)] + [(False, False)] * 5) * 2
    assert params["/layer/dream/opacity"].base == 0.5
    assert "'y': fires itself" in status(params)


def test_a_cue_that_fires_itself_or_whose_turn_never_ends_is_fired_once(tmp_path: Path) -> None:
    params, _ = opened(tmp_path, Cue("a", {"/cue/go": 1}), Cue("b", {"/cue/go": 1}), Cue("c", {"/cue/c/go": True}))
    params.post("/cue/a/go")
    fired = []
    for n in range(8):
        params.settle(1.0 + n)
        fired.append([name for name in "abc" if params[f"/cue/{name}/go"].fired])
    assert fired[4:] == [[]] * 4
    assert status(params) == "cue 'c': fires itself"


def test_go_without_cues_says_so(tmp_path: Path) -> None:
    params, _ = opened(tmp_path)
    params.post("/cue/go")
    params.settle(1.0)
    assert status(params) == "there are no cues"


def test_show_time_fires_cues_on_their_frame(tmp_path: Path) -> None:
    params, _ = opened(
        tmp_path, Cue("a", {"/layer/dream/opacity": 0.1}, at=0.5), Cue("b", {"/master/opacity": 0.2}, at=4.0)
    )
    clock, fired = FixedClock(60.0), {}
    while clock.now() < 5.0:
        params.settle(clock.now())
        for address, value in (("/layer/dream/opacity", 0.1), ("/master/opacity", 0.2)):
            if params[address].value == value:
                fired.setdefault(address, clock.frame)
        clock.pace(60.0)
    assert fired == {"/layer/dream/opacity": 30, "/master/opacity": 240}


def test_what_is_due_together_fires_in_the_order_of_its_times(tmp_path: Path) -> None:
    late, early = Cue("late", {"/master/opacity": 0.9}, at=2.0), Cue("early", {"/master/opacity": 0.1}, at=0.0)
    params, _ = opened(tmp_path, late, early)
    assert params["/master/opacity"].value == 0.1  # at 0: in the first frame
    params.settle(60.0)
    assert params["/master/opacity"].value == 0.9


def test_followers_go_round(tmp_path: Path) -> None:
    a = Cue("a", {"/master/opacity": 0.1}, follow=3.0)
    b = Cue("b", {"/master/opacity": 0.2}, follow=2.0)
    params, _ = opened(tmp_path, a, b)
    params.settle(5.0)
    assert params["/master/opacity"].value == 1.0  # nothing follows before something went
    params.post("/cue/go")
    changes: list[tuple[float, float]] = []
    params.on_settle.append(lambda p, origin: changes.append((params._now, p.base)) if p.spec.kind == "float" else None)
    for tenth in range(100, 180):
        params.settle(tenth / 10)
    assert changes == [(10.0, 0.1), (12.0, 0.2), (15.0, 0.1), (17.0, 0.2)]


def test_panic_goes_back_to_the_opening_with_the_master_up(tmp_path: Path) -> None:
    params, _ = opened(tmp_path, OCEAN, Cue("next", {}, follow=1.0))
    params.post("/layer/ghost/opacity", 0.0, seconds=10.0)
    params.post("/master/opacity", 0.0)
    params.post("/master/blackout", True)
    params.post("/cue/go")
    params.settle(1.0)
    params.settle(1.5)
    params.post("/panic")
    params.settle(1.6)
    assert params["/layer/dream/world"].value == "none"
    assert params["/layer/ghost/opacity"].value == 1.0
    assert (params["/master/opacity"].value, params["/master/blackout"].value) == (1.0, False)
    params.settle(9.0)
    assert params["/layer/ghost/opacity"].value == 1.0
    assert status(params).startswith("panic")


def test_a_panic_undoes_what_was_asked_for_in_the_same_moment_and_what_comes_after_it_counts(tmp_path: Path) -> None:
    params, _ = opened(tmp_path, OCEAN, Cue("dark", {"/layer/ghost/opacity": 0.0}))
    params.post("/cue/dark/go")
    params.post("/panic")
    params.settle(1.0)
    assert params["/layer/ghost/opacity"].value == 1.0
    assert status(params).startswith("panic")
    params.post("/panic")
    params.post("/cue/dark/go")
    params.settle(2.0)
    assert params["/layer/ghost/opacity"].value == 0.0


def test_a_panic_undoes_a_preset_of_the_same_moment(tmp_path: Path) -> None:
    presets.write(tmp_path / "presets" / "dim.toml", {"/layer/ghost/opacity": 0.0, "/layer/dream/world": "ocean"})
    params, _ = opened(tmp_path)
    opening = params.snapshot()
    params.post("/preset/dim/go")
    params.post("/panic")
    params.settle(1.0)
    assert params.snapshot() == opening


def test_a_name_that_was_saved_in_the_moment_of_a_panic_can_be_saved_again(tmp_path: Path, until: Any) -> None:
    params, _ = opened(tmp_path)
    calm = tmp_path / "presets" / "calm.toml"
    params.post("/preset/save", "calm")
    params.post("/panic")
    params.settle(1.0)
    assert params["/preset/save"].base == ""
    until(calm.exists)
    params.post("/layer/dream/opacity", 0.5)
    params.post("/preset/save", "calm")
    params.settle(2.0)
    until(lambda: presets.read(calm)["/layer/dream/opacity"] == 0.5)


def test_after_a_panic_nothing_fires_by_itself_until_the_list_is_told_to_go(tmp_path: Path) -> None:
    dated = [Cue(f"at{at:g}", {"/master/opacity": at / 10}, at=at) for at in (1.0, 4.0, 6.0)]
    params, cues = opened(tmp_path, *dated)
    params.settle(2.0)
    params.post("/panic")
    params.settle(3.0)
    stood = cues.stood()
    params.settle(5.0)
    assert params["/master/opacity"].value == 1.0
    params.post("/cue/go")
    params.settle(5.5)
    params.settle(6.5)
    assert params["/master/opacity"].value == 0.6
    cues.close()
    again, _ = opened(tmp_path, *dated, resume=stood)
    again.settle(2.0)  # the fifth second of the show, two of them in this process
    assert again["/master/opacity"].value == 1.0


def test_panic_brings_back_a_mood_that_only_the_opening_world_has(tmp_path: Path) -> None:
    moods = {"none": ("fire", "gold"), "ocean": ("moon",)}
    params = Params()
    opened(tmp_path / "worlds", params=params)[1].close()
    names = Spec("choice", "fire", live_choices=lambda: moods[str(params["/layer/dream/world"].base)])
    params.declare("/layer/dream/mood", names)
    params.post("/layer/dream/mood", "gold")
    params.settle(0.5)
    cues = Cues((OCEAN,), opening={"/layer/dream/world": "none", "/layer/dream/mood": "gold"})
    cues.open(Stage(params, ManualClock(), "/cue", (64, 64), folder=tmp_path))
    params.post("/cue/go")
    params.settle(1.0)
    params.post("/layer/dream/mood", "moon")
    params.settle(2.0)
    params.post("/panic")
    params.settle(3.0)
    assert (params["/layer/dream/world"].base, params["/layer/dream/mood"].base) == ("none", "gold")


def test_what_a_cue_cannot_do_when_it_is_fired_is_counted(tmp_path: Path) -> None:
    params, _ = opened(tmp_path, Cue("half", {"/layer/dream/world": "atlantis", "/master/opacity": 0.5}))
    heard: list[tuple[str, str]] = []
    params.on_refuse.append(lambda post, reason: heard.append((post.address, reason)))
    before = params.refused
    params.post("/cue/go")
    params.settle(1.0)
    assert (params["/master/opacity"].value, params.refused) == (0.5, before + 1)
    assert heard == [("/cue/half/go", "cue 'half': /layer/dream/world has no 'atlantis'; there are none, ocean")]


def test_a_long_list_is_looked_through_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, cues = opened(tmp_path)
    asked: list[str] = []
    reach = Patterns.reach
    monkeypatch.setattr(Patterns, "reach", lambda self, pattern: asked.append(pattern) or reach(self, pattern))
    cues.change([Cue(f"c{n}", {"/layer/*/opacity": 0.5, "/layer/1/world": "ocean"}) for n in range(100)])
    assert len(asked) < 1000  # it froze the picture for seconds: each cue asked for the worlds of all


def test_panic_of_a_resumed_show_goes_back_to_what_the_show_says(tmp_path: Path) -> None:
    params = tree()
    params.declare("/empty", Spec("choice", "a", live_choices=lambda: ["a"]))
    cues = Cues(opening={"/layer/1/opacity": 0.75, "/gone": 1.0})
    cues.open(Stage(params, ManualClock(), "/cue", (64, 64), folder=tmp_path))
    params.post("/layer/dream/opacity", 0.1)
    params.post("/master/steps", 9)
    params.settle(0.0)
    object.__setattr__(params["/empty"].spec, "live_choices", list)
    params.post("/panic")
    params.settle(1.0)
    assert params["/layer/dream/opacity"].value == 0.75
    assert params["/master/steps"].value == 1


def test_panic_is_not_lost_where_one_part_cannot_say_its_choices(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    params = Params()
    params.declare("/first", Spec("choice", "a", live_choices=lambda: ["a", "b"]))
    opened(tmp_path, params=params)

    def gone() -> list[str]:
        raise RuntimeError("the part has gone")

    params.post("/layer/dream/opacity", 0.1)
    params.settle(1.0)
    object.__setattr__(params["/first"].spec, "live_choices", gone)
    with caplog.at_level(logging.DEBUG):
        params.post("/panic")
        params.settle(2.0)
    assert params["/layer/dream/opacity"].value == 1.0
    assert params["/first"].value == "a"
    assert [record.levelname for record in caplog.records if "/first" in record.message] == ["DEBUG"]
    assert "the part has gone" in caplog.text


def test_a_preset_that_is_saved_again_does_not_cost_the_cues_at_the_next_edit(tmp_path: Path) -> None:
    params, cues = opened(tmp_path)
    for now in (1.0, 2.0):
        params.post("/preset/save", "calm")
        params.settle(now)
        params.settle(now + 0.1)
    cues.change(cues.cues)
    assert all(params.find(address) is not None for address in ("/cue/go", "/panic", "/preset/save"))
    cues.close()
    assert params.find("/panic") is None


def test_an_edit_of_the_show_reads_the_presets_that_changed_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, reads = tmp_path / "presets", []
    for name, opacity in (("calm", 0.25), ("dusk", 0.5), ("gone", 0.75)):
        presets.write(folder / f"{name}.toml", {"/layer/dream/opacity": opacity})
    params, cues = opened(tmp_path)
    read = presets.read
    monkeypatch.setattr(presets, "read", lambda path: (reads.append(path.stem), read(path))[1])
    cues.change([DUSK])
    assert reads == []
    presets.write(folder / "new.toml", {"/layer/dream/opacity": 0.125})
    presets.write(folder / "calm.toml", {"/layer/dream/opacity": 0.0625})
    (folder / "gone.toml").unlink()
    (folder / "bad.toml").write_text("[")
    cues.change([DAWN])
    assert reads == ["bad", "calm", "new"]
    assert [sentence for sentence in cues.problems if "bad.toml" in sentence]
    assert params.find("/preset/gone/go") is None
    for name, opacity in (("calm", 0.0625), ("dusk", 0.5), ("new", 0.125)):
        params.post(f"/preset/{name}/go")
        params.settle(1.0)
        assert params["/layer/dream/opacity"].value == opacity


def test_cues_and_presets_of_one_frame_go_in_the_order_of_their_posts(tmp_path: Path) -> None:
    presets.write(tmp_path / "presets" / "calm.toml", {"/layer/dream/opacity": 0.25})
    params, _ = opened(tmp_path, Cue("loud", {"/layer/dream/opacity": 0.75}))
    for now, order, last in (
        (1.0, ("/cue/loud/go", "/preset/calm/go"), 0.25),
        (2.0, ("/preset/calm/go", "/cue/loud/go"), 0.75),
    ):
        for address in order:
            params.post(address)
        params.settle(now)
        assert params["/layer/dream/opacity"].value == last


def test_where_the_list_stood_goes_on_in_the_next_process(tmp_path: Path) -> None:
    cues = (
        Cue("early", {"/layer/dream/opacity": 0.1}, at=3.0),
        Cue("chain", {"/layer/dream/opacity": 0.5}),
        Cue("next", {"/layer/dream/opacity": 0.7}, follow=4.0),
        Cue("late", {"/layer/dream/opacity": 0.9}, at=30.0),
    )
    params, first = opened(tmp_path, *cues)
    for now in (3.0, 10.0):
        params.settle(now)
    params.post("/cue/chain/go")
    params.settle(11.0)
    params.settle(13.0)
    stood = json.loads(json.dumps(first.stood()))
    assert stood == {"time": 13.0, "cue": "chain", "since": 11.0, "held": False}
    params = Params()
    params.declare("/layer/dream/opacity", Spec("float", 1.0, 0.0, 1.0))
    with Cues(cues, resume=stood).open(Stage(params, ManualClock(), "/cue", (64, 64), folder=tmp_path)):
        seen = []
        for now in (0.0, 1.0, 2.0, 3.0, 16.0, 17.0):
            params.settle(now)
            seen.append(params["/layer/dream/opacity"].value)
    assert seen == [1.0, 1.0, 0.7, 0.7, 0.7, 0.9]


@pytest.mark.parametrize("stood", [{"time": "late"}, {"time": float("nan")}, {"time": 5.0, "cue": 7, "since": "x"}, {}])
def test_a_place_that_makes_no_sense_is_none(tmp_path: Path, stood: dict[str, Any]) -> None:
    with Cues((DAWN,), resume=stood).open(Stage(Params(), ManualClock(), "/cue", (64, 64), folder=tmp_path)) as cues:
        assert (cues.stood()["cue"], cues.stood()["since"]) == ("", None)


def test_a_flood_of_presets_is_no_flood_of_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    params, cues = opened(tmp_path)
    may = threading.Event()
    monkeypatch.setattr(presets, "write", lambda path, values: may.wait(60.0))
    refused: list[str] = []
    params.on_refuse.append(lambda post, reason: refused.append(reason))
    for n in range(AT_ONCE + 2):
        params.post("/preset/save", f"p{n}")
        params.settle(1.0 + n)
        params.settle(1.5 + n)
    assert refused == ["writes 8 presets at a time; say it again"] * 2
    may.set()
    cues.close()


def test_of_what_a_pattern_reaches_each_takes_what_it_can(tmp_path: Path) -> None:
    params = tree()
    before = {post.address for post in posts(Cue("all", {"/layer/*/opacity": 0.25}), Patterns(params))[0]}
    params.declare("/layer/a/opacity", Spec("float", 0.0, readonly=True))  # the one that cannot
    out, wrong = posts(Cue("all", {"/layer/*/opacity": 0.25}), Patterns(params))
    assert {post.address for post in out} == before
    assert [line.text for line in wrong] == ["cue 'all': /layer/a/opacity is read only"]


def test_what_the_tree_cannot_take_is_said_and_the_rest_plays(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    wrong = Cue(
        "wrong",
        {
            "/layer/dream/opacty": 1.0,
            "/layer/dream/world": "atlantis",
            "/status/fps": 1.0,
            "/layer/[1": 1.0,
            "/master/opacity": 0.5,
        },
    )
    with caplog.at_level(logging.WARNING):
        params, cues = opened(tmp_path, wrong)
    assert cues.problems == [
        "cue 'wrong': /layer/dream/opacty is no address here; did you mean /layer/dream/opacity?",
        "cue 'wrong': /layer/dream/world has no 'atlantis'; there are none, ocean",
        "cue 'wrong': /status/fps is read only",
        "cue 'wrong': /layer/[1 has a [ that is not closed",
    ]
    assert problems([wrong], params) == cues.problems
    assert caplog.text == ""  # said with file and line when the show is held against the tree
    cues.change([wrong])
    assert "did you mean" in caplog.text
    params.post("/cue/go")
    params.settle(1.0)
    assert params["/master/opacity"].value == 0.5


def test_an_edited_list_goes_on_where_the_old_one_stood(tmp_path: Path) -> None:
    params, cues = opened(tmp_path, Cue("a", {"/master/opacity": 0.1}, at=1.0), OCEAN)
    params.settle(1.0)
    cues.change([DUSK, Cue("a", {"/master/opacity": 0.1}, at=1.0), Cue("c", {"/master/opacity": 0.9})])
    params.post("/master/opacity", 0.5)
    params.settle(2.0)
    assert params["/master/opacity"].value == 0.5  # what is dated before now is past
    assert "/cue/ocean/go" not in params
    params.post("/cue/go")
    params.settle(3.0)
    assert status(params) == "c"
    params.post("/panic")
    params.settle(4.0)
    assert params["/master/opacity"].value == 1.0
    Cues().change([DUSK])  # not open: nothing to do


@pytest.mark.parametrize(
    ("edited", "follows"),
    [
        (("a", "b2", "c"), "c"),  # the present one was renamed
        (("a", "c"), "c"),  # … deleted
        (("c", "b", "a"), "a"),  # … moved
        (("x", "y"), "x"),  # all are others
    ],
)
def test_an_edit_of_the_present_cue_does_not_begin_the_list_again(
    tmp_path: Path, edited: tuple[str, ...], follows: str
) -> None:
    params, cues = opened(tmp_path, *(Cue(name) for name in "abc"))
    params.post("/cue/b/go")
    params.settle(1.0)
    cues.change([Cue(name) for name in edited])
    params.post("/cue/go")
    params.settle(2.0)
    assert status(params) == follows


def test_closed_it_leaves_nothing_behind(tmp_path: Path) -> None:
    params, cues = opened(tmp_path, DAWN)
    cues.close()
    cues.close()
    assert params.feeds == []
    assert [p.address for p in params if p.address.startswith(("/cue", "/preset", "/panic"))] == []


# ---------------------------------------------------------------- presets
@pytest.fixture
def until() -> Callable[[Callable[[], Any]], None]:
    """Waits for a worker, with a deadline."""

    def wait(condition: Callable[[], Any]) -> None:
        end = time.monotonic() + 120.0
        while not condition():
            assert time.monotonic() < end
            time.sleep(0.001)

    return wait


def test_a_preset_of_another_show_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "presets").mkdir()
    path = tmp_path / "presets" / "calm.toml"
    path.write_text('[set]\n"/layer/red/opacity" = 1.0\n"/layer/red/mix" = 1.0\n"/layer/dream/opacity" = 0.5\n')
    params, cues = opened(tmp_path)
    assert len(cues.problems) == 1
    assert cues.problems[0].startswith("preset 'calm': /layer/red/opacity is no address here")
    assert cues.problems[0].endswith(f" (and 1 more of {path}: is it another show's?)")
    params.post("/preset/calm/go")
    params.settle(1.0)
    assert params["/layer/dream/opacity"].value == 0.5


def test_many_wrong_lines_are_not_each_looked_for_among_all_addresses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched: list[str] = []
    monkeypatch.setattr("perform.control.cue.near", lambda word, names: searched.append(word) or "")
    stale = {f"/layer/gone/{n}": 1.0 for n in range(100)}
    for n in range(10):
        presets.write(tmp_path / "presets" / f"p{n}.toml", stale)
    params, cues = opened(tmp_path, Cue("stale", stale))
    assert len(searched) == 2 * HINTS  # the first ones of the list, and of the files
    assert len(cues.problems) == 10 + 100
    searched.clear()
    for n, address in enumerate(("/preset/p0/go", "/cue/stale/go"), 1):
        params.post(address)
        params.settle(float(n))
        assert params.refused == 100 * n
    assert searched == []


def test_a_cue_may_call_a_preset(tmp_path: Path) -> None:
    presets.write(tmp_path / "presets" / "calm.toml", {"/layer/dream/opacity": 0.25})
    params, cues = opened(tmp_path, Cue("one", {"/preset/calm/go": True}))
    assert cues.problems == []
    params.post("/cue/one/go")
    params.settle(1.0)
    params.settle(2.0)
    assert params["/layer/dream/opacity"].value == 0.25
    presets.write(tmp_path / "presets" / "new.toml", {"/layer/dream/opacity": 0.5})
    cues.change([Cue("one", {"/preset/new/go": True})])
    assert cues.problems == []


def test_a_preset_that_a_cue_calls_lies_beneath_the_cues_own_lines_in_the_same_frame(tmp_path: Path) -> None:
    calm = {"/layer/dream/opacity": 0.8, "/layer/ghost/opacity": 0.25, "/layer/dream/world": "ocean"}
    presets.write(tmp_path / "presets" / "calm.toml", calm)
    lines = {"/layer/1/opacity": 0.2, "/layer/dream/world": "none", "/preset/C*/go": True}
    params, _ = opened(tmp_path, Cue("one", lines, fade=4.0, easing="linear"), Cue("not", {"/preset/calm/go": False}))
    params.post("/cue/one/go")
    params.settle(1.0)
    assert params["/layer/ghost/opacity"].value == 0.25
    assert params["/layer/dream/world"].value == "none"
    assert params["/layer/dream/opacity"].value == 1.0  # fades from where it is
    for now, value in ((2.0, 0.8), (3.0, 0.6), (5.0, 0.2), (6.0, 0.2)):
        params.settle(now)
        assert params["/layer/dream/opacity"].value == pytest.approx(value)
    params.post("/layer/ghost/opacity", 1.0)
    params.post("/cue/not/go")
    for now in (7.0, 8.0):
        params.settle(now)
        assert params["/layer/ghost/opacity"].value == 1.0
    assert params.refused == 0


def test_a_cue_may_bring_a_mood_of_the_world_that_its_preset_brings(tmp_path: Path) -> None:
    presets.write(tmp_path / "presets" / "sea.toml", {"/layer/dream/world": "ocean", "/layer/dream/mood": "calm"})
    params = Params()
    world = params.declare("/layer/dream/world", Spec("choice", 0, choices=("none", "ocean")), "/layer/1/world")

    def moods() -> tuple[str, ...]:
        return ("pad", "calm", "storm") if world.base == "ocean" else ("pad",)

    params.declare("/layer/dream/mood", Spec("choice", "pad", live_choices=moods))
    presets.write(tmp_path / "presets" / "gale.toml", {"/preset/sea/go": True, "/layer/dream/mood": "storm"})
    storm = Cue("one", {"/preset/gale/go": True, "/layer/dream/mood": "storm"})
    _, cues = opened(tmp_path, storm, params=params)
    assert cues.problems == []
    params.post("/cue/one/go")
    params.settle(1.0)
    assert (world.value, params["/layer/dream/mood"].value) == ("ocean", "storm")
    assert params.refused == 0
    cues.change([Cue("one", {"/layer/dream/mood": "fog"})])  # calls none
    assert [" has no 'fog'" in sentence for sentence in cues.problems] == [True]


def test_presets_that_call_each_other_come_once_and_in_one_frame(tmp_path: Path) -> None:
    (tmp_path / "presets").mkdir()
    for name, calls, opacity in (("a", "b", 0.25), ("b", "?", 0.5), ("c", "c", 0.75)):
        text = (
            f'[set]\n"/preset/{calls}/go" = true\n"/layer/{"ghost" if name == "c" else "dream"}/opacity" = {opacity}\n'
        )
        (tmp_path / "presets" / f"{name}.toml").write_text(text)
    params, cues = opened(tmp_path)
    assert cues.problems == []
    params.post("/preset/a/go")
    params.settle(1.0)
    assert params["/layer/dream/opacity"].value == 0.25  # over b's
    assert params["/layer/ghost/opacity"].value == 0.75
    params.post("/layer/dream/opacity", 1.0)
    params.post("/layer/ghost/opacity", 1.0)
    for now in (2.0, 3.0):  # and do not go on calling each other
        params.settle(now)
        assert params["/layer/dream/opacity"].value == params["/layer/ghost/opacity"].value == 1.0


def test_a_preset_may_call_one_that_comes_after_it(tmp_path: Path) -> None:
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "calm.toml").write_text('[set]\n"/preset/night/go" = true\n')
    (tmp_path / "presets" / "night.toml").write_text('[set]\n"/layer/dream/opacity" = 0.25\n')
    _, cues = opened(tmp_path)
    assert cues.problems == []


def test_a_preset_is_saved_and_called_up(tmp_path: Path, until: Any) -> None:
    params, cues = opened(tmp_path)
    params.post("/layer/dream/opacity", 0.125)
    params.post("/layer/dream/world", "ocean")
    params.post("/preset/save", "calm")
    params.settle(1.0)
    until((tmp_path / "presets" / "calm.toml").exists)
    until(lambda: (params.settle(2.0), params["/status/cue"].base)[1] == "saved preset calm")
    for address, value in (("/layer/dream/opacity", 1.0), ("/layer/dream/world", "none")):
        params.post(address, value)
    params.settle(3.0)
    params.post("/preset/calm/go")
    params.settle(4.0)
    assert (params["/layer/dream/opacity"].value, params["/layer/dream/world"].value) == (0.125, "ocean")
    assert status(params) == "preset calm"
    cues.close()
    again, _ = opened(tmp_path)
    again.post("/preset/calm/go")
    again.settle(1.0)
    assert again["/layer/dream/opacity"].value == 0.125
    again.post("/layer/dream/opacity", 0.5)
    again.post("/preset/save", "calm")  # the same name again
    again.settle(2.0)
    until(lambda: presets.read(tmp_path / "presets" / "calm.toml")["/layer/dream/opacity"] == 0.5)


def test_a_preset_cannot_be_saved_anywhere(tmp_path: Path) -> None:
    params, _ = opened(tmp_path)
    for name in ("../evil", "a/b", "", "save", ".hidden", "x" * 65):
        params.post("/preset/save", name)
        params.settle(1.0)
    assert params.refused == 5
    assert list(tmp_path.iterdir()) == []
    params.post("/preset/save", "a/b")
    params.settle(2.0)
    rule = "takes a name of at most 64 letters, digits, - and _, not beginning with -"
    assert status(params) == f"the preset 'a/b' is not saved: /preset/save {rule}"


def test_a_name_that_is_refused_is_told_to_whoever_sent_it_over_osc(tmp_path: Path) -> None:
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "calm.toml").write_text("[set]\n")
    with open_desk() as desk, Cues().open(Stage(desk.params, desk.clock, "/cue", (64, 64), folder=tmp_path)):
        for name, why in (
            ("a/b", "takes a name of at most 64 letters, digits, - and _, not beginning with -"),
            ("Save", "takes any name but 'Save', which is its own"),
            ("CALM", "cannot take this name: /preset/CALM/go and /preset/calm/go differ only by case"),
        ):
            desk.send("/preset/save", name)
            assert desk.answer("/error").args == ("/preset/save", why)


def test_a_full_disk_is_said(tmp_path: Path, until: Any) -> None:
    (tmp_path / "presets").write_text("a file where the folder should be")
    params, _ = opened(tmp_path)
    params.post("/preset/save", "calm")
    params.settle(1.0)
    until(lambda: (params.settle(2.0), "cannot be written" in params["/status/cue"].base)[1])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[set", "is not TOML"),
        ("x = 1", "holds one table"),
        ("set = 1", "holds one table"),
        ("\xff", "is not TOML"),
        ("#" * (2 << 20), "is larger than a preset can be"),
        ('[set]\n"/nowhere" = 1', "preset 'bad': /nowhere is no address here"),
    ],
)
def test_a_bad_preset_is_said_and_the_others_play(tmp_path: Path, text: str, words: str) -> None:
    folder = tmp_path / "presets"
    folder.mkdir()
    (folder / "bad.toml").write_text(text, encoding="latin-1")
    (folder / "good.toml").write_text('[set]\n"/master/opacity" = 0.5')
    (folder / "no preset.toml").write_text("")
    params, cues = opened(tmp_path)
    assert [words in sentence for sentence in cues.problems] == [True]
    params.post("/preset/good/go")
    params.settle(1.0)
    assert params["/master/opacity"].value == 0.5


def test_presets_that_differ_only_by_case(tmp_path: Path) -> None:
    folder = tmp_path / "presets"
    folder.mkdir()
    for name in ("Calm", "calm"):
        (folder / f"{name}.toml").write_text('[set]\n"/master/opacity" = 0.5')
    params, cues = opened(tmp_path)
    assert len(cues.problems) == 1
    assert "differ only by case" in cues.problems[0]
    params.post("/preset/save", "CALM")
    params.settle(1.0)
    assert params.refused == 1


def test_a_preset_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(presets.PresetError, match="cannot be read"):
        presets.read(tmp_path / "none.toml")


VALUES = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(2**53), 2**53),
    st.booleans(),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.tuples(*[st.floats(0, 1)] * 4),
)


@given(st.dictionaries(st.from_regex(r"(/[a-zA-Z0-9é_-]{1,8}){1,3}", fullmatch=True), VALUES, max_size=6))
def test_what_is_written_is_read_again(tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any]) -> None:
    path = tmp_path_factory.mktemp("presets") / "p.toml"
    presets.write(path, values)
    read = presets.read(path)
    assert {a: tuple(v) if isinstance(v, list) else v for a, v in read.items()} == values
