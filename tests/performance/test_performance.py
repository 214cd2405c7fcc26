"""A show from its file to its pixels: feeds, fallbacks, circles, guards, cues, live edits."""

from __future__ import annotations

import errno
import itertools
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from perform.clock import FixedClock, ManualClock
from perform.engines.bank import Bank
from perform.engines.slot import Slot
from perform.frame import Frame
from perform.health import Guard, Status
from perform.layers import Layer
from perform.performance import Performance, Wishes, opening
from perform.performance.edits import AGAIN, PATIENCE
from perform.performance.feeds import Feed
from perform.performance.performance import Output
from perform.plugins import Stage
from perform.show import load, misfits
from perform.sinks.null import Null
from perform.sinks.window import Window
from tests.engines.worlds import CARD, make_world, write_card

from .conftest import HEAD, PLAIN, Theatre

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)
CAMERA = '[source.red]\ntype = "camera"\ndevice = "no such camera"\nfallback = "blue"'
ONE = """
[source.red]
type = "shader"
patch = "plain"
[source.blue]
type = "shader"
patch = "plain"
set = { shade = [0.0, 0.0, 1.0, 1.0] }
[[layer]]
name = "a"
source = "red"
"""


GROW = """/*{"DESCRIPTION": "lighter", "CREDIT": "perform", "INPUTS": [{"NAME": "inputImage", "TYPE": "image"}]}*/
void main() { gl_FragColor = vec4(IMG_THIS_PIXEL(inputImage).rgb + 0.2, 1.0); }
"""
THROUGH = """/*{"DESCRIPTION": "its input", "CREDIT": "perform", "INPUTS": [{"NAME": "inputImage", "TYPE": "image"}]}*/
void main() { gl_FragColor = IMG_THIS_PIXEL(inputImage); }
"""


def lost(text: str) -> str:
    """The show with a camera that is not there in the place of red."""
    return text.replace('[source.red]\ntype = "shader"\npatch = "plain"', CAMERA)


def near(colour: tuple[int, int, int]) -> object:
    return pytest.approx(colour, abs=1)


def test_a_source_flows_through_a_layer_to_the_picture(theatre: Theatre) -> None:
    theatre.open(ONE)
    assert theatre.run() == near(RED)
    theatre.post("/layer/1/source", "blue")
    assert theatre.run() == near(BLUE)
    theatre.post("/LAYER/a/opacity", 0.5)
    assert theatre.run(1.0) == near((0, 0, 128))


def test_what_the_show_sets_is_there_in_the_first_frame(theatre: Theatre) -> None:
    theatre.open(ONE + "opacity = 0.25\n[master]\nopacity = 0.5\n")
    assert theatre.run() == near((32, 0, 0))


def test_a_layer_takes_all_that_its_table_lets_through(theatre: Theatre) -> None:
    ends = "opacity = 1\nmix = 1\nmemory = 1\ncrossfade = 60\nmood = { x = 1, y = 1, fade = 600 }\n"
    play = theatre.open(f'[source.card]\ntype = "testcard"\n[[layer]]\nname = "dream"\n{ends}')
    assert misfits(play.show, play.params) == []
    assert play.params["/layer/dream/mood/fade"].base == 600
    highest = {tail: play.params[f"/layer/dream/{tail}"].spec.hi for tail in ("opacity", "mix", "memory", "crossfade")}
    assert highest == {"opacity": 1, "mix": 1, "memory": 1, "crossfade": 60}


def test_resumed_values_win_over_the_shows(theatre: Theatre) -> None:
    theatre.open(ONE + "opacity = 0.25\n", resume={"/layer/a/opacity": 1.0, "/gone/address": 3})
    assert theatre.run() == near(RED)


def test_a_show_that_died_while_it_was_frozen_goes_on_moving(theatre: Theatre) -> None:
    play = theatre.open(ONE, resume={"/master/freeze": True, "/layer/a/opacity": 0.5})
    assert (play.params["/master/freeze"].value, play.params["/layer/a/opacity"].value) == (False, 0.5)


@pytest.mark.parametrize("word", ["freeze", "Freeze"])
def test_a_show_that_says_freeze_opens_moving_and_an_edit_freezes_it(theatre: Theatre, word: str) -> None:
    theatre.open(ONE + f"[master]\n{word} = true\n")
    assert theatre.run() == near(RED)
    assert theatre.value("/master/freeze") is False
    theatre.post("/layer/a/source", "blue")
    assert theatre.run(0.1) == near(BLUE)
    save(theatre, ONE + "[master]\nfreeze = false\n")
    theatre.run()
    save(theatre, ONE + "[master]\nfreeze = true\n")
    theatre.run()
    assert theatre.value("/master/freeze") is True


LFO = '[control.breath]\ntype = "lfo"\nperiod = 8.0\ndrive = { "/layer/a/opacity" = -0.5 }\n'


def test_what_a_performer_did_to_a_control_is_resumed_too(theatre: Theatre) -> None:
    resume = {"/breath/period": 4.0, "/breath/depth": 0.0, "/layer/a/opacity": 0.5, "/gone/address": 3}
    play = theatre.open(ONE + LFO, resume=resume, controls=True)
    theatre.run(1.0)
    assert [theatre.value(f"/{address}") for address in ("breath/period", "breath/depth")] == [4.0, 0.0]
    assert theatre.value("/layer/a/opacity") == 0.5  # no depth from the first frame on
    theatre.post("/panic")
    theatre.run(0.1)
    assert [play.params[f"/{address}"].base for address in ("breath/period", "breath/depth")] == [8.0, 1.0]


def test_sources_that_nobody_looks_at_are_not_rendered(theatre: Theatre) -> None:
    play = theatre.open(ONE)
    asked: list[str] = []

    class Spy:
        lost = False

        def __init__(self, name: str, source: object) -> None:
            self.name, self.source = name, source

        def frame(self, now: float) -> Frame:
            asked.append(self.name)
            return self.source.frame(now)  # type: ignore[attr-defined, no-any-return]

    for name, feed in play.sources.items():
        feed.source = Spy(name, feed.source)  # type: ignore[assignment]
    theatre.run()
    assert asked == ["red"]
    theatre.post("/layer/a/opacity", 0.0)
    theatre.run(1.0)
    asked.clear()
    theatre.run()
    assert asked == []


def test_layers_look_at_layers_in_any_order(theatre: Theatre) -> None:
    theatre.open(
        ONE.replace('source = "red"\n', 'source = "layer:b"\n')
        + '[[layer]]\nname = "b"\nsource = "blue"\nopacity = 0.0\n'
    )
    assert theatre.run() == near(BLUE)


def test_a_circle_made_live_is_feedback_not_a_crash(theatre: Theatre) -> None:
    theatre.open(ONE + '[[layer]]\nname = "b"\nsource = "layer:a"\n')
    assert theatre.run() == near(RED)
    theatre.post("/layer/a/source", "layer:b")
    for _ in range(20):
        assert theatre.run() == near(RED)
    theatre.post("/layer/a/source", "blue")
    assert theatre.run(0.1) == near(BLUE)


def test_a_layer_masks_another(theatre: Theatre) -> None:
    theatre.open(ONE + 'mask = "layer:b"\n[[layer]]\nname = "b"\nsource = "blue"\nopacity = 0.0\n')
    assert theatre.run()[0] == pytest.approx(0.114 * 255, abs=2)  # the luma of blue


def test_a_shader_works_on_another_sources_picture(theatre: Theatre) -> None:
    theatre.patch(
        "swap",
        '/*{"INPUTS": [{"NAME": "inputImage", "TYPE": "image"}]}*/\n'
        "void main() { gl_FragColor = IMG_THIS_PIXEL(inputImage).bgra; }",
    )
    theatre.open(
        ONE.replace('source = "red"', 'source = "swap"')
        + '[source.swap]\ntype = "shader"\npatch = "swap"\nimages = { inputImage = "red" }\n'
    )
    assert theatre.run() == near(BLUE)


def test_sources_that_look_at_each_other_see_the_frame_before_from_the_first_on(theatre: Theatre) -> None:
    theatre.patch("through", THROUGH)
    both = "".join(
        f'[source.{one}]\ntype = "shader"\npatch = "through"\nimages = {{ inputImage = "{other}" }}\n'
        for one, other in (("x", "y"), ("y", "x"))
    )
    play = theatre.open(both + '[[layer]]\nname = "a"\nsource = "x"\n')
    theatre.run(0.1)
    assert [feed.guard.failures for feed in play.sources.values()] == [0, 0]
    assert theatre.value("/status/source/x") == "playing through.fs"


def test_a_source_that_raises_shows_its_last_picture_and_heals(theatre: Theatre) -> None:
    play = theatre.open(ONE)
    theatre.run()
    feed = play.sources["red"]
    good = feed.source

    class Broken:
        lost = False

        def frame(self, now: float) -> Frame:
            raise OSError("the cable is out")

    feed.source = Broken()  # type: ignore[assignment]
    assert theatre.run(0.2) == near(RED)
    assert theatre.value("/status/source/red") == "the cable is out (trying again)"
    feed.source = good
    theatre.run(2.0)
    assert theatre.value("/status/source/red") in ("back", "playing plain.fs")


def test_a_source_that_cannot_be_opened_leaves_its_fallback(theatre: Theatre) -> None:
    theatre.open(
        ONE.replace(
            '[source.red]\ntype = "shader"\npatch = "plain"',
            '[source.red]\ntype = "camera"\ndevice = "no such camera"\nfallback = "blue"',
        )
    )
    assert theatre.run() == near(BLUE)


def test_a_sink_that_raises_costs_the_others_nothing(theatre: Theatre) -> None:
    play = theatre.open(ONE + '[sink.count]\ntype = "null"\n[sink.other]\ntype = "null"\n')
    broken, other = play.outputs["count"].sink, play.outputs["other"].sink
    assert isinstance(other, Null)

    def show(picture: Frame) -> None:
        raise RuntimeError("no room")

    broken.show = show  # type: ignore[method-assign]
    theatre.run(0.2)
    assert other.frames == 10
    assert theatre.value("/status/sink/count") == "no room (trying again)"


def test_what_cannot_be_opened_is_left_out_and_says_for_how_long(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def broken(self: object, stage: Stage) -> object:
        asked.append(stage.prefix)
        raise OSError("no such folder")

    for part in ("sinks.null.Null", "sources.testcard.TestCard"):
        monkeypatch.setattr(f"perform.{part}.open", broken)
    theatre.open(
        ONE.replace('type = "shader"\npatch = "plain"\n', 'type = "testcard"\n', 1) + '[sink.count]\ntype = "null"\n'
    )
    theatre.run(20.0 / 50.0)
    assert theatre.value("/status/sink/count") == "no such folder: left out until the next start"
    said = "no such folder: left out until its table is edited, or the next start"
    assert theatre.value("/status/source/red") == said
    assert asked == ["/source/red", "/sink/count"]


def test_only_a_picture_that_gets_out_is_a_beat(theatre: Theatre) -> None:
    beats: list[float] = []
    play = theatre.open(ONE + '[sink.one]\ntype = "null"\n', on_beat=beats.append)
    theatre.run(0.2)
    assert len(beats) == 10

    def show(picture: Frame) -> None:
        raise RuntimeError("the screen is gone")

    goods = {name: output.sink.show for name, output in play.outputs.items()}
    for output in play.outputs.values():
        output.sink.show = show  # type: ignore[method-assign]
    theatre.run(0.2)
    assert len(beats) == 10
    play.outputs["one"].sink.show = goods["one"]  # type: ignore[method-assign]
    theatre.run(1.0)
    assert len(beats) > 10


def test_a_cue_fires_at_its_time_and_changes_the_picture(theatre: Theatre) -> None:
    theatre.open(ONE + '[[cue]]\nname = "blue"\nat = 0.5\nset = { "/layer/a/source" = "blue" }\n')
    assert theatre.run(0.48) == near(RED)
    assert theatre.run(0.06) == near(BLUE)


def test_the_same_show_twice_is_the_same_bit_for_bit(theatre: Theatre) -> None:
    text = ONE.replace("plain", "drift") + '[sink.count]\ntype = "null"\nhash = true\n'
    digests = []
    for _ in range(2):
        play = theatre.open(text, FixedClock(50))
        theatre.run(0.2)
        digests.append(play.outputs["count"].sink.digests)  # type: ignore[attr-defined]
        theatre.close()
        (theatre.folder / "show.toml").unlink()
    assert len(digests[0]) == 10
    assert len(set(digests[0])) > 5
    assert digests[0] == digests[1]


def test_freeze_holds_the_composite_and_lets_go(theatre: Theatre) -> None:
    theatre.open(ONE)
    theatre.run()
    theatre.post("/master/freeze")
    theatre.post("/layer/a/source", "blue")
    assert theatre.run(0.2) == near(RED)
    theatre.post("/master/freeze", False)
    assert theatre.run() == near(BLUE)


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of layers that are late, for as long as they stand in it."""
    names: list[str] = []
    render = Layer.render

    def behind(self: Layer, frames: Mapping[str, Frame], now: float) -> Frame | None:
        picture = render(self, frames, now)
        self.late = self.name in names
        return picture

    monkeypatch.setattr(Layer, "render", behind)
    return names


def test_a_cut_to_a_layer_that_is_late_comes_when_that_is_there_and_never_through_black(
    theatre: Theatre, late: list[str]
) -> None:
    theatre.open(ONE + '[[layer]]\nname = "b"\nsource = "blue"\n')
    theatre.post("/layer/b/on", False)
    theatre.run()
    late.append("b")
    theatre.post("/layer/b/solo")
    assert theatre.run(0.1) == near(RED)
    late.clear()
    assert theatre.run() == near(BLUE)
    theatre.post("/layer/b/solo", False)
    theatre.post("/layer/b/on")
    late.append("b")
    assert theatre.run() == near(RED)  # beside another it is left out
    theatre.post("/layer/a/source", "blue")
    assert theatre.run() == near(BLUE)
    theatre.post("/layer/a/on", False)
    theatre.post("/layer/b/on", False)
    assert theatre.run() == near((0, 0, 0))


def test_a_cut_beside_a_third_layer_does_not_go_through_black_either(theatre: Theatre, late: list[str]) -> None:
    late.append("b")
    theatre.open(ONE + '[[layer]]\nname = "b"\nsource = "blue"\non = false\n[[layer]]\nname = "c"\nopacity = 0.1\n')
    assert theatre.run() == near(RED)
    theatre.post("/layer/a/on", False)
    theatre.post("/layer/b/on")
    assert theatre.run(0.2) == near(RED)
    late.clear()
    assert theatre.run()[2] > 200


def test_layers_that_nobody_looks_at_rest_but_not_while_the_picture_is_frozen(theatre: Theatre) -> None:
    play = theatre.open(ONE + '[[layer]]\nname = "b"\nsource = "blue"\n[[layer]]\nname = "c"\nsource = "layer:b"\n')
    theatre.post("/layer/b/on", False)
    theatre.run()
    assert [layer._rested for layer in play.layers.values()] == [False] * 3  # c looks at b
    theatre.post("/master/freeze")
    theatre.run()
    assert [layer._rested for layer in play.layers.values()] == [False] * 3
    theatre.post("/master/freeze", False)
    theatre.post("/layer/c/on", False)
    theatre.run()
    assert [layer._rested for layer in play.layers.values()] == [False, True, True]


def test_quitting_ends_the_run(theatre: Theatre) -> None:
    play = theatre.open(ONE, ManualClock())
    play.before.append(lambda now: setattr(play, "quit", now > 0.5))
    play.run(100.0)
    assert play.clock.now() == pytest.approx(0.54, abs=0.03)


def test_the_window_closes_after_everything_that_draws_in_it(theatre: Theatre) -> None:
    play = theatre.open(ONE)
    stage = Stage(play.params, play.clock, "", play.show.size)
    pane = Null()
    opening._open_outputs(play, Wishes(), stage, pane)
    assert play.closing[1] == pane.close  # only the context comes after it
    assert play.closing.count(pane.close) == 1


def test_closing_goes_on_past_what_does_not_close(theatre: Theatre) -> None:
    play = theatre.open(ONE)
    closed: list[str] = []
    play.closing.append(lambda: closed.append("first"))

    def broken() -> None:
        raise RuntimeError("stuck")

    play.closing.append(broken)
    play.close()
    assert closed == ["first"]


# ---------------------------------------------------------------------- show.toml while it plays


def editor_of(theatre: Theatre) -> Any:
    assert theatre.play is not None
    steps = theatre.play.before
    return next(step.__self__ for step in steps if hasattr(step, "__self__") and hasattr(step.__self__, "look"))


def save(theatre: Theatre, text: str) -> None:
    """Save a new version and let the show find it."""
    editor = editor_of(theatre)
    editor._worker.close()  # the test looks for itself
    (theatre.folder / "show.toml").write_text(HEAD + text)
    editor._stamp = None
    assert editor.look()


def test_an_edited_value_is_taken_up_and_the_performers_own_stay(theatre: Theatre) -> None:
    theatre.open(ONE)
    theatre.post("/layer/a/transform/scale", 2.0)
    theatre.run()
    save(theatre, ONE.replace('source = "red"', 'source = "blue"'))
    assert theatre.run(0.1) == near(BLUE)
    assert theatre.value("/layer/a/transform/scale") == pytest.approx(2.0, abs=0.2)
    assert theatre.value("/status/show") == "taken up"


def test_each_save_has_its_answer_also_where_it_is_the_same(theatre: Theatre, caplog: pytest.LogCaptureFixture) -> None:
    theatre.open(ONE)
    theatre.run()
    caplog.set_level("INFO")
    for text in (ONE + "opacity = 0.5\n", ONE + "opacity = 0.6\n", ONE + "opacity = 9.0\n", ONE + "opacity = 9.0 \n"):
        save(theatre, text)
        theatre.run(0.1)
    said = [record.getMessage() for record in caplog.records if record.getMessage().startswith("show: ")]
    assert [line.partition("show.toml")[0] for line in said[:2]] == ["show: taken up"] * 2
    assert len(said) == 4
    assert said[2] == said[3]


def test_an_edit_that_is_saved_while_the_show_opens_is_taken_up(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("perform.performance.edits.PERIOD", 1e6)  # the test looks for itself
    read = opening.open_sources

    def slowly(*parts: Any) -> None:
        read(*parts)
        theatre.write(ONE.replace('source = "red"', 'source = "blue"'))

    monkeypatch.setattr(opening, "open_sources", slowly)
    theatre.open(ONE)
    assert theatre.run() == near(RED)
    editor = editor_of(theatre)
    assert editor.look()
    assert theatre.run(0.1) == near(BLUE)
    assert theatre.value("/status/show") == "taken up"
    assert not editor.look()


def test_an_edit_that_fails_half_way_is_said_and_the_show_goes_on(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch
) -> None:
    play = theatre.open(ONE)
    theatre.run()
    before = play.show

    def broken(self: object, edits: object, new: object) -> None:
        raise RuntimeError("no memory")

    monkeypatch.setattr("perform.performance.edits.Editor._change_values", broken)
    save(theatre, ONE.replace('source = "red"', 'source = "blue"'))
    assert theatre.run(0.1) == near(RED)
    assert play.show is before
    assert theatre.value("/status/show") == "only a part could be taken up: no memory"


def test_another_size_waits_and_says_so(theatre: Theatre) -> None:
    theatre.open(ONE)
    theatre.run()
    save(theatre, ONE)
    path = theatre.folder / "show.toml"
    path.write_text(path.read_text().replace("size = [64, 36]", "size = [96, 54]"))
    assert theatre.play is not None
    editor = next(s.__self__ for s in theatre.play.before if hasattr(getattr(s, "__self__", None), "look"))
    assert editor.look()
    theatre.run(0.1)
    assert theatre.value("/status/show") == "taken up; size at the next start"


def test_a_layer_that_raises_keeps_its_last_picture(theatre: Theatre, monkeypatch: pytest.MonkeyPatch) -> None:
    play = theatre.open(ONE)
    theatre.run()

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no such texture")

    monkeypatch.setattr(play.layers["a"].conditioning, "draw", broken)
    assert theatre.run(0.1) == near(RED)
    assert theatre.value("/status/layer/a") == "no such texture (trying again)"
    monkeypatch.undo()
    theatre.post("/layer/a/source", "blue")
    assert theatre.run(2.0) == near(BLUE)


def test_a_composite_that_raises_keeps_the_last_one(theatre: Theatre, monkeypatch: pytest.MonkeyPatch) -> None:
    play = theatre.open(ONE)
    theatre.run()
    monkeypatch.setattr(type(play.stack), "blend", lambda *_: 1 / 0)
    assert theatre.run(0.1) == near(RED)
    assert "division by zero" in str(theatre.value("/status/composite"))


def test_the_generator_gets_a_size_that_it_takes(theatre: Theatre) -> None:
    play = theatre.open(ONE + 'world = "landscape"\nresolution = [61, 35]\n')
    theatre.run(0.06)
    given = play.layers["a"].given
    assert given is not None
    assert given.size == (64, 32)
    assert str(theatre.value("/status/engine/a")).startswith("landscape m")


def test_a_wrong_edit_changes_nothing_and_says_why(theatre: Theatre) -> None:
    play = theatre.open(ONE)
    theatre.run()
    before = play.show
    save(theatre, ONE.replace('source = "red"', 'source = "rde"'))
    assert theatre.run(0.1) == near(RED)
    assert play.show is before
    said = str(theatre.value("/status/show"))
    assert "show.toml:" in said
    assert "did you mean 'red'" in said
    assert said.endswith("the show goes on as it was")


@pytest.mark.parametrize(
    ("lose", "said"),
    [
        (lambda path: path.write_bytes(b""), "the file is empty now"),
        (lambda path: path.unlink(), "there is no such file any more"),
    ],
)
def test_a_show_file_that_stays_away_is_said_once_and_read_when_it_is_back(
    theatre: Theatre, lose: Callable[[Path], object], said: str
) -> None:
    theatre.open(ONE)
    editor = editor_of(theatre)
    editor._worker.close()  # the test looks for itself
    path = theatre.folder / "show.toml"
    text = path.read_text()
    lose(path)
    assert [editor.look() for _ in range(PATIENCE + 3)].count(True) == 1
    theatre.run()
    assert theatre.value("/status/show") == f"{path}: {said}: the show goes on as it was"
    path.write_text(text)
    assert editor.look()
    theatre.run()
    assert theatre.value("/status/show") == "taken up"


def test_an_edit_is_not_lost_with_a_folder_that_cannot_be_looked_at_for_a_moment(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch
) -> None:
    theatre.open(ONE)
    editor = editor_of(theatre)
    editor._worker.close()  # the test looks for itself
    with monkeypatch.context() as pulled:

        def load(path: Path) -> None:
            raise OSError(errno.EIO, os.strerror(errno.EIO), "/media/stick/models")

        pulled.setattr("perform.performance.edits.load", load)
        path = theatre.write(ONE.replace('source = "red"', 'source = "blue"'))
        assert editor.look()
        assert not any(editor.look() for _ in range(2 * AGAIN)), "it is said once"
        assert theatre.run(0.1) == near(RED)
        said = f"{path}: /media/stick/models cannot be looked at: {os.strerror(errno.EIO)}: the show goes on as it was"
        assert theatre.value("/status/show") == said
    assert [editor.look() for _ in range(2 * AGAIN)].count(True) == 1
    assert theatre.run(0.1) == near(BLUE)
    assert theatre.value("/status/show") == "taken up"


def stick(folder: Path) -> None:
    (folder / "stick").mkdir()


def mine(folder: Path) -> None:
    (folder / "patches" / "filters").mkdir()
    (folder / "patches" / "filters" / "mine.fs").write_text(THROUGH)


@pytest.mark.parametrize(
    ("first", "last", "lacks", "bring"),
    [('models = ["stick"]\n', "", "'stick'", stick), ("", 'filters = ["mine"]\n', "'mine'", mine)],
)
def test_an_edit_is_taken_up_when_what_it_names_is_there(
    theatre: Theatre, first: str, last: str, lacks: str, bring: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    theatre.open(ONE)
    editor = editor_of(theatre)
    editor._worker.close()  # the test looks for itself
    theatre.write(first + ONE.replace('source = "red"', 'source = "blue"') + last)
    reads = []
    monkeypatch.setattr("perform.performance.edits.load", lambda path: reads.append(path) or load(path))
    assert editor.look()
    assert not any(editor.look() for _ in range(3 * AGAIN)), "it is said once"
    assert len(reads) == 4
    assert theatre.run(0.1) == near(RED)
    assert lacks in str(theatre.value("/status/show"))
    bring(theatre.folder)
    assert [editor.look() for _ in range(3 * AGAIN)].count(True) == 1
    assert theatre.run(0.1) == near(BLUE)
    assert str(theatre.value("/status/show")).startswith("taken up")
    assert len(reads) == 5  # what is right is read once


def test_what_the_show_says_of_a_source_counts_with_another_patch_too(theatre: Theatre) -> None:
    green = PLAIN.replace("[1.0, 0.0, 0.0, 1.0]", "[0.0, 1.0, 0.0, 1.0]")
    theatre.patch("green", green)
    red = ONE.replace('"plain"', '"plain"\nset = { shade = [1.0, 0.0, 0.0, 1.0] }', 1)  # which is its default, too
    theatre.open(red)
    assert theatre.run() == near(RED)
    save(theatre, red.replace('"plain"', '"green"', 1))
    assert theatre.run(0.1) == near(RED)
    save(theatre, red.replace('"plain"', '"green"\nsize = [32, 18]', 1))  # opened again
    assert theatre.run(0.1) == near(RED)
    save(theatre, red.replace('"plain"', '"plain"\nspeed = 2.0', 1).replace("source.blue", "source.azure"))
    assert theatre.run(0.1) == near(RED)
    blue = red.replace("shade = [1.0, 0.0, 0.0, 1.0]", "shade = [0.0, 0.0, 1.0, 1.0]")
    save(theatre, blue)
    assert theatre.run(0.1) == near(BLUE)
    save(theatre, blue.replace('"plain"', '"green"\nsize = [32, 18]', 1))
    assert theatre.run(0.1) == near(BLUE)


def test_a_control_that_an_edit_takes_out_takes_its_addresses_along(theatre: Theatre) -> None:
    cue = '[[cue]]\nname = "one"\nset = { "/breath/depth" = 0.5 }\n'
    play = theatre.open(ONE + LFO + LFO.replace("breath", "other") + cue, controls=True)
    theatre.run(0.5)
    save(theatre, ONE + LFO.replace("breath", "other") + cue)
    theatre.run(0.1)
    assert [p.address for p in play.params if "breath" in p.address] == []
    assert "/other/depth" in play.params
    (wrong,) = misfits(play.show, play.params)  # with which it would not start again
    assert "there is no address '/breath/depth'" in wrong.text
    save(theatre, ONE + LFO.replace("breath", "other").replace("8.0", "4.0") + LFO + cue)
    theatre.run(0.1)
    assert misfits(play.show, play.params) == []
    assert theatre.value("/other/turns") > 0.05  # type: ignore[operator]
    assert theatre.value("/status/breath") == "moving"


def test_what_no_open_part_takes_is_said_and_the_rest_of_the_edit_is_taken_up(theatre: Theatre) -> None:
    theatre.open(ONE)
    theatre.run()
    save(theatre, ONE.replace('source = "red"', 'source = "blue"') + "transform = { scael = 2.0, scale = 99.0 }\n")
    assert theatre.run(0.1) == near(BLUE)
    assert theatre.value("/status/show") == "taken up"
    editor_of(theatre).review()
    theatre.run()
    said = str(theatre.value("/status/show"))
    assert said.startswith("taken up but for ")
    assert "show.toml:16: " in said
    assert "'/layer/a/transform/scael'; did you mean '/layer/a/transform/scale'?" in said
    assert said.endswith(" (and 1 more); as the file is now, the show would not start again")
    save(theatre, ONE + "transform = { scale = 99.0 }\n")
    theatre.run()
    editor_of(theatre).review()
    theatre.run()
    said = str(theatre.value("/status/show"))
    assert said.startswith("taken up but for ")
    assert "start again" not in said, "what is only clipped keeps no show from starting"


def test_what_is_gone_leaves_no_status(theatre: Theatre) -> None:
    more = ONE.replace("[[layer]]", '[source.gone]\ntype = "testcard"\n[[layer]]')
    play = theatre.open(more + '[[layer]]\nname = "ghost"\nsource = "gone"\n')
    theatre.run()
    assert play.params.find("/status/source/gone") is not None
    save(theatre, ONE)
    theatre.run(0.1)
    assert [p.address for p in play.params if "gone" in p.address or "ghost" in p.address] == []
    assert play.params.refused == 0


def test_a_reopened_source_has_its_own_numbers_and_keeps_the_performers(theatre: Theatre) -> None:
    theatre.open(ONE.replace('"plain"', '"drift"', 1))
    theatre.post("/source/red/warmth", 0.9)
    theatre.run()
    save(theatre, ONE.replace('"plain"', '"drift"\nspeed = 0.25', 1))
    theatre.run()
    assert theatre.play.params["/source/red/time/speed"].base == 0.25
    assert theatre.value("/source/red/warmth") == pytest.approx(0.9, abs=0.1)
    save(theatre, ONE.replace('"plain"', '"ocean"', 1))
    theatre.run()
    ocean = theatre.play.params["/source/red/horizon"]
    assert ocean.base == ocean.spec.default  # not drift's
    assert theatre.play.params.find("/source/red/mist") is None


def test_a_chosen_source_that_is_edited_out_gives_way_to_the_files_own(theatre: Theatre) -> None:
    theatre.open(ONE)
    theatre.post("/layer/a/source", "blue")
    assert theatre.run() == near(BLUE)
    start, end = ONE.index("[source.blue]"), ONE.index("[[layer]]")
    save(theatre, ONE[:start] + ONE[end:])
    assert theatre.run(0.1) == near(RED)
    assert theatre.value("/layer/a/source") == "red"


def test_a_filter_that_comes_back_has_the_files_values_again(theatre: Theatre) -> None:
    plain, filtered = ONE, ONE + 'filters = ["bloom"]\n[layer.filter]\nbloom = { intensity = 1.7 }\n'
    play = theatre.open(filtered)
    theatre.run()
    assert play.params["/layer/a/filter/bloom/intensity"].base == pytest.approx(1.7)
    for text in (plain, filtered):
        save(theatre, text)
        theatre.run(0.1)
    assert play.params["/layer/a/filter/bloom/intensity"].base == pytest.approx(1.7)
    assert play.params.refused == 0


def test_what_fades_and_is_modulated_goes_on_while_the_filters_are_edited(theatre: Theatre) -> None:
    play = theatre.open(ONE + 'filters = ["bloom"]\n')
    theatre.run()
    play.params.post("/layer/a/opacity", 0.25, seconds=600.0)
    play.params.post("/layer/a/condition/zoom", 4.0, seconds=600.0)
    play.params.attach("/layer/a/filter/bloom/intensity", lambda now: 0.25)
    theatre.run(0.1)
    moving = [play.params[f"/layer/a/{tail}"] for tail in ("opacity", "condition/zoom", "filter/bloom/intensity")]
    save(theatre, ONE + 'filters = ["grain", "bloom"]\n')
    theatre.run(0.1)
    assert "/layer/1/filter/grain/amount" in play.params
    assert all(play.params.find(param.address) is param for param in moving)
    assert moving[0].fade is not None
    assert moving[1].fade is not None
    assert moving[2].value == pytest.approx(moving[2].base + 0.25)
    save(theatre, ONE + 'filters = ["grain"]\n')
    theatre.run(0.1)
    assert [p.address for p in play.params if "bloom" in p.address] == []


@pytest.mark.parametrize("edit", ['filters = ["through"]', "resolution = [128, 64]", 'filters = ["through", "broken"]'])
def test_a_layer_dreams_on_while_its_filters_or_its_resolution_are_edited(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch, edit: str
) -> None:
    (theatre.folder / "patches" / "filters").mkdir()
    for name, text in (("through", THROUGH), ("broken", "/*{ broken")):
        (theatre.folder / "patches" / "filters" / f"{name}.fs").write_text(text)
    make_world(theatre.folder / "models", "ocean", ("m",))
    dreams = ONE + 'world = "ocean"\nsize = "m"\n'
    play = theatre.open(dreams + "resolution = [64, 32]\n")
    dream = theatre.run(2.0)
    assert np.abs(dream - RED).max() > 60
    there = play.layers["a"]
    with monkeypatch.context() as slow:
        slow.setattr(Bank, "find", lambda bank, role: None)  # as on a live clock: whatever is asked for now takes long
        save(theatre, dreams + edit + "\n" + "resolution = [64, 32]\n" * ("resolution" not in edit))
        assert all(theatre.run() == pytest.approx(dream, abs=2) for _ in range(20))
        assert theatre.value("/status/show") == "taken up"
    assert all(theatre.run() == pytest.approx(dream, abs=2) for _ in range(100))
    assert play.layers["a"] is there
    assert there.given is not None
    assert there.given.size == ((128, 64) if "resolution" in edit else (64, 32))
    assert ("/layer/a/filter/through/on" in play.params) == ("through" in edit)


def test_an_edit_of_the_filters_of_a_frozen_picture_costs_neither_the_show_nor_the_inset(theatre: Theatre) -> None:
    (theatre.folder / "patches" / "filters").mkdir()
    (theatre.folder / "patches" / "filters" / "grow.fs").write_text(GROW)
    make_world(theatre.folder / "models", "ocean", ("m",))
    dreams = ONE + 'world = "ocean"\nsize = "m"\nresolution = [64, 32]\n'
    theatre.open(dreams + 'filters = ["condition", "grow"]\n')
    theatre.post("/master/inset", "inset")
    theatre.run(1.0)
    theatre.post("/master/freeze")
    before = theatre.run()
    save(theatre, dreams + 'filters = ["condition"]\n')
    assert theatre.run(1.0) == pytest.approx(before, abs=2)
    assert theatre.value("/status/show") == "taken up"


def test_filters_play_on_until_those_that_an_edit_puts_in_their_place_are_good(theatre: Theatre) -> None:
    (theatre.folder / "patches" / "filters").mkdir()
    files = {name: theatre.folder / "patches" / "filters" / f"{name}.fs" for name in ("grow", "through")}
    for name, text in (("grow", GROW), ("through", THROUGH.replace("IMG_THIS_PIXEL", "IMG_THAT_PIXEL"))):
        files[name].write_text(text)
    play = theatre.open(ONE + 'filters = ["grow"]\n')
    lighter = theatre.run()
    assert lighter == near((255, 51, 51))
    save(theatre, ONE + 'filters = ["through"]\n')
    assert theatre.run(0.1) == near((255, 51, 51))
    assert "through.fs" in str(theatre.value("/status/layer/a/filter/through"))
    files["through"].write_text(THROUGH)
    waiting = next(step for step in play.layers["a"].conditioning._steps if step.name == "through")  # type: ignore[attr-defined]
    assert waiting._play.patch.look()
    assert theatre.run(0.1) == near(RED)
    assert [p.address for p in play.params if "grow" in p.address] == []


SHADE = """/*{"CREDIT": "perform", "INPUTS": [{"NAME": "inputImage", "TYPE": "image"},
  {"NAME": "light", "TYPE": "float", "DEFAULT": 1.0}]}*/
void main() { gl_FragColor = vec4(IMG_THIS_PIXEL(inputImage).rgb * light, 1.0); }
"""
SHADED = ONE + 'filters = ["shade"]\n[layer.filter.shade]\nlight = 0.2\n'


def mend(theatre: Theatre, text: str = SHADE) -> None:
    """The filter that did not compile is saved without its mistake."""
    (theatre.folder / "patches" / "filters" / "shade.fs").write_text(text)
    assert theatre.play is not None
    (step,) = (step for step in theatre.play.layers["a"].conditioning._steps if step is not None)  # type: ignore[attr-defined]
    assert step._play.patch.look()


@pytest.fixture
def mistaken(theatre: Theatre) -> Theatre:
    """Where `shade` does not compile."""
    (theatre.folder / "patches" / "filters").mkdir()
    (theatre.folder / "patches" / "filters" / "shade.fs").write_text(SHADE.replace("gl_FragColor", "gl_FragColour"))
    return theatre


@pytest.mark.parametrize("written", ["shade]\nlight", "Shade]\nLight"])
def test_a_filter_that_is_mended_later_begins_as_the_show_says(mistaken: Theatre, written: str) -> None:
    mistaken.open(SHADED.replace("shade]\nlight", written))
    assert mistaken.run() == near(RED)
    mend(mistaken)
    assert mistaken.run() == near((51, 0, 0))  # from its first frame on
    mistaken.post("/layer/a/filter/shade/light", 0.6)
    assert mistaken.run() == near((153, 0, 0))
    mistaken.post("/panic")
    assert mistaken.run() == near((51, 0, 0))


def test_a_source_that_is_mended_later_begins_as_the_show_says(theatre: Theatre) -> None:
    path = theatre.patch("plain", PLAIN.replace("gl_FragColor", "gl_FragColour"))
    play = theatre.open(ONE.replace('source = "red"', 'source = "blue"'))
    assert theatre.run() == near((0, 0, 0))
    path.write_text(PLAIN)
    assert play.sources["blue"].source._live.patch.look()  # type: ignore[attr-defined]
    assert theatre.run() == near(BLUE)


DIM = PLAIN.replace("shade;", "vec4(shade.rgb * dim, 1.0);").replace(
    '"INPUTS": [', '"INPUTS": [{"NAME": "dim", "TYPE": "float", "DEFAULT": 1.0},'
)


@pytest.mark.parametrize("more", ["", "fallback = 'blue'\n"])
def test_another_patch_of_a_source_plays_once_it_is_good_and_keeps_what_was_set(theatre: Theatre, more: str) -> None:
    path = theatre.patch("dim", DIM.replace("gl_FragColor", "gl_FragColour"))
    show = ONE.replace('"plain"\n', f'"plain"\n{more}', 1)
    play = theatre.open(show)
    source, shade = play.sources["red"].closing[-1], play.params["/source/red/shade"]
    theatre.post("/source/red/shade", [0.0, 1.0, 0.0])
    assert theatre.run() == near(GREEN)
    save(theatre, show.replace('"plain"', '"dim"\nset = { dim = 0.5 }', 1))
    assert theatre.run(0.1) == near(GREEN)
    assert theatre.value("/status/show") == "taken up"
    said = str(theatre.value("/status/source/red"))
    assert "dim.fs:" in said
    assert said.endswith("; the last good version stays")
    path.write_text(DIM)
    assert source._live.coming.look()  # type: ignore[attr-defined]
    assert theatre.run(0.1) == near((0, 128, 0))
    assert theatre.value("/status/source/red") == "playing dim.fs"
    assert play.sources["red"].closing[-1] is source
    assert play.params["/source/red/shade"] is shade
    save(theatre, show)
    assert theatre.run(0.1) == near(GREEN)
    assert "/source/red/dim" not in play.params


def test_another_patch_that_is_good_has_its_own_numbers_where_nobody_has_moved_them(theatre: Theatre) -> None:
    theatre.patch("dim", DIM.replace("[1.0, 0.0, 0.0, 1.0]", "[0.0, 0.0, 1.0, 1.0]"))
    play = theatre.open(ONE)
    theatre.run()
    save(theatre, ONE.replace('"plain"', '"dim"\nset = { dim = 0.5 }', 1))
    assert theatre.run() == near((0, 0, 128))  # from its first frame on
    assert play.params.refused == 0
    save(theatre, ONE.replace('"plain"', '"dim"\nsize = [8, 8]', 1))  # more than the patch: it begins anew
    assert theatre.run() == near(BLUE)


LIGHT = "/layer/a/filter/shade/light"


@pytest.mark.parametrize(
    ("edits", "light"),
    [
        ([], 0.8),  # what the performer had, before the crash
        ([SHADED.replace("filters", "opacity = 0.5\nfilters")], 0.8),
        ([SHADED.replace("light = 0.2", "light = 0.4")], 0.4),
        ([SHADED.replace("light = 0.2", "")], 1.0),
        ([ONE, SHADED], 0.2),  # gone, and back: anew
    ],
    ids=["as it was", "another edit", "edited", "no longer said", "gone and back"],
)
def test_what_a_filter_begins_with_that_is_mended_after_a_restart(
    mistaken: Theatre, edits: list[str], light: float
) -> None:
    play = mistaken.open(SHADED, resume={LIGHT: 0.8})
    mistaken.run()
    for text in edits:
        save(mistaken, text)
        mistaken.run()
    assert LIGHT not in play.params
    mend(mistaken)
    mistaken.run()
    assert play.params[LIGHT].base == pytest.approx(light)


@pytest.mark.parametrize(("edit", "light"), [(None, 0.6), ("light = 0.4", 0.4), (ONE, 0.2)])
def test_an_input_that_a_saved_filter_drops_comes_back_as_it_was(
    mistaken: Theatre, edit: str | None, light: float
) -> None:
    play = mistaken.open(SHADED)
    mend(mistaken)
    mistaken.run()
    mistaken.post(LIGHT, 0.6)
    mistaken.run()
    mend(mistaken, SHADE.replace('"light"', '"dark"').replace("light", "dark"))
    mistaken.run()
    assert LIGHT not in play.params
    if edit == ONE:
        save(mistaken, ONE)  # the filter is gone, and comes back
        mistaken.run()
    if edit is not None:
        save(mistaken, SHADED if edit == ONE else SHADED.replace("light = 0.2", edit))
        mistaken.run()
    mend(mistaken)
    mistaken.run()
    assert play.params[LIGHT].base == pytest.approx(light)


def test_a_filter_that_is_mended_after_a_panic_is_as_the_show_opened(mistaken: Theatre) -> None:
    play = mistaken.open(SHADED, resume={LIGHT: 0.8})
    mistaken.run()
    mistaken.post("/panic")
    mistaken.run()
    mend(mistaken)
    mistaken.run()
    assert play.params[LIGHT].base == pytest.approx(0.2)


def test_another_file_under_a_filters_name_leaves_the_one_that_plays_and_what_was_set_until_it_is_good(
    theatre: Theatre,
) -> None:
    for folder in ("filters", "own"):
        (theatre.folder / "patches" / folder).mkdir()
    (theatre.folder / "patches" / "filters" / "grow.fs").write_text(GROW)
    own = theatre.folder / "patches" / "own" / "grow.fs"
    own.write_text(THROUGH.replace("IMG_THIS_PIXEL", "IMG_THAT_PIXEL"))
    play = theatre.open(ONE + 'filters = ["grow"]\n')
    assert theatre.run() == near((255, 51, 51))
    switch = play.params["/layer/a/filter/grow/on"]
    save(theatre, ONE + 'filters = ["patches/own/grow.fs"]\n')
    assert theatre.run(0.1) == near((255, 51, 51))
    assert theatre.value("/status/show") == "taken up"
    assert str(theatre.value("/status/layer/a/filter/grow")).endswith("; the last good version stays")
    own.write_text(THROUGH)
    coming = play.layers["a"].conditioning._steps[0]._play.coming  # type: ignore[attr-defined]
    assert coming.look()
    assert theatre.run(0.1) == near(RED)
    assert theatre.value("/status/layer/a/filter/grow") == "on"
    assert play.params["/layer/a/filter/grow/on"] is switch


def test_a_source_that_looks_at_itself_does_not_draw_into_what_it_reads(theatre: Theatre) -> None:
    theatre.patch("grow", GROW)
    source = '[source.x]\ntype = "shader"\npatch = "grow"\nimages = { inputImage = "x" }\n'
    play = theatre.open(source + '[[layer]]\nname = "a"\nsource = "x"\n')
    drawn = []
    for _ in range(3):
        theatre.run()
        drawn.append(play.sources["x"].last.texture.id)
    assert drawn[0] != drawn[1] != drawn[2] == drawn[0]
    assert play.picture is not None


@pytest.mark.parametrize("looks", ["x", "layer:a"])
def test_feedback_goes_on_through_a_save_and_through_another_patch(theatre: Theatre, looks: str) -> None:
    grow = theatre.patch("grow", GROW)
    theatre.patch("redden", GROW.replace("+ 0.2", "+ vec3(0.2, 0.0, 0.0)"))
    source = '[source.x]\ntype = "shader"\npatch = "grow"\nimages = { inputImage = "' + looks + '" }\n'
    show = source + '[[layer]]\nname = "a"\nsource = "x"\n'
    play = theatre.open(show)
    assert theatre.run() == near((51, 51, 51))
    grow.write_text(GROW.replace("+ 0.2", "+ vec3(0.0, 0.2, 0.0)"))
    assert play.sources["x"].source._live.patch.look()  # type: ignore[attr-defined]
    assert theatre.run() == near((51, 102, 51))
    save(theatre, show.replace('"grow"', '"redden"'))
    assert theatre.run() == near((102, 102, 51))
    assert theatre.run() == near((153, 102, 51))


def test_panic_goes_back_to_what_the_file_says_now(theatre: Theatre) -> None:
    theatre.open(ONE)
    save(theatre, ONE + "opacity = 0.5\n")
    theatre.run(0.1)
    theatre.post("/layer/a/opacity", 0.9)
    theatre.run(0.1)
    theatre.post("/panic")
    theatre.run(0.1)
    assert theatre.play.params["/layer/a/opacity"].base == 0.5


@pytest.mark.parametrize("edited", ['"calm"', "{ x = 0.5, y = 1.0 }", '{ name = "bright", fade = 0.0 }'])
def test_panic_goes_back_to_the_mood_that_the_file_says_now(theatre: Theatre, edited: str) -> None:
    make_world(theatre.folder / "models", "tide", ("m",))
    dreams = ONE + 'world = "tide"\nsize = "m"\nresolution = [64, 32]\nmood = '
    play = theatre.open(f'{dreams}"bright"\n')
    theatre.run(0.1)
    save(theatre, f"{dreams}{edited}\n")
    theatre.run(0.1)
    there = play.params.snapshot()
    theatre.post("/panic")
    theatre.run(0.1)
    assert play.params.snapshot() == there, "panic moves what nobody has touched"
    theatre.post("/layer/a/mood/x", 0.25)
    theatre.run(0.1)
    theatre.post("/panic")
    theatre.run(0.1)
    assert play.params.snapshot() == there


def test_another_size_leaves_the_layers_alone(theatre: Theatre) -> None:
    play = theatre.open(ONE)
    layer = play.layers["a"]
    path = theatre.folder / "show.toml"
    editor = editor_of(theatre)
    editor._worker.close()
    path.write_text(path.read_text().replace("[64, 36]", "[64, 64]"))
    assert editor.look()
    theatre.run()
    assert play.layers["a"] is layer
    assert "size at the next start" in str(theatre.value("/status/show"))


def test_a_preset_saved_twice_survives_an_edit(theatre: Theatre) -> None:
    theatre.open(ONE)
    for _ in range(2):
        theatre.post("/preset/save", "calm")
        theatre.run(0.1)
    save(theatre, ONE + '[[cue]]\nname = "one"\nset = { "/layer/a/opacity" = 0.5 }\n')
    theatre.run(0.1)
    assert theatre.value("/status/show") == "taken up"
    theatre.post("/cue/one/go")
    theatre.run(0.1)
    assert theatre.value("/layer/a/opacity") == pytest.approx(0.5, abs=0.05)


def test_layers_come_go_and_are_numbered_anew(theatre: Theatre) -> None:
    play = theatre.open(ONE)
    theatre.run()
    save(
        theatre,
        ONE.replace('[[layer]]\nname = "a"', '[[layer]]\nname = "under"\nsource = "blue"\n[[layer]]\nname = "a"'),
    )
    theatre.run(0.1)
    assert list(play.layers) == ["under", "a"]
    theatre.post("/layer/2/opacity", 0.0)
    assert theatre.run(0.5) == near(BLUE)
    save(theatre, ONE)
    theatre.run(0.1)
    assert list(play.layers) == ["a"]
    assert "/layer/under/opacity" not in play.params
    assert "/layer/2/opacity" not in play.params
    assert theatre.run() == near((0, 0, 0))  # a kept what the performer set


@pytest.mark.parametrize("where", ["opacity = 0.0", "transform = { x = 2.0 }", "transform = { scale = 0.2 }"])
def test_a_layer_that_an_edit_adds_is_where_the_file_says_from_its_first_frame_on(theatre: Theatre, where: str) -> None:
    play = theatre.open(ONE)
    theatre.run(0.1)
    save(theatre, ONE + f'[[layer]]\nname = "ghost"\nsource = "blue"\n{where}\n')
    play.tick()
    assert "ghost" in play.layers
    assert theatre.picture()[18, 50, :3].astype(int) == near(RED)


def test_a_changed_source_is_opened_again_with_those_that_fall_back_to_it(theatre: Theatre) -> None:
    theatre.patch("green", PLAIN.replace("1.0, 0.0, 0.0", "0.0, 1.0, 0.0"))
    text = ONE.replace(
        '[source.red]\ntype = "shader"\npatch = "plain"',
        '[source.red]\ntype = "camera"\ndevice = "none"\nfallback = "blue"',
    )
    play = theatre.open(text)
    assert theatre.run() == near(BLUE)
    assert list(play.sources) == ["red", "blue"]  # the file's order: their numbers over OSC
    save(theatre, text.replace('patch = "plain"\nset = { shade = [0.0, 0.0, 1.0, 1.0] }', 'patch = "green"'))
    assert theatre.run(0.1) == near(GREEN)
    assert list(play.sources) == ["red", "blue"]


@pytest.mark.parametrize(("window", "title"), [("", "Vernissage"), ('[window]\ntitle = "mine"\n', "mine")])
def test_a_new_name_is_the_windows_unless_it_has_a_title(theatre: Theatre, window: str, title: str) -> None:
    play, pane, captions = theatre.open(ONE + window), Window(title="mine"), list[str]()
    pane._window = SimpleNamespace(set_caption=captions.append, close=lambda: None)
    play.outputs["window"] = Output(pane, Guard(Status(play.params, "/status/sink/window")))
    theatre.run()
    editor_of(theatre)._worker.close()
    path = theatre.folder / "show.toml"
    path.write_text(path.read_text().replace("[show]", '[show]\nname = "Vernissage"'))
    assert editor_of(theatre).look()
    theatre.run(0.1)
    assert (pane.title, captions) == (title, [title] if title != "mine" else [])
    assert theatre.value("/status/show") == "taken up"


def test_what_a_running_show_keeps_waits_until_it_is_started_again(theatre: Theatre) -> None:
    play = theatre.open(ONE)
    theatre.run()
    for more in ("", '[[cue]]\nname = "a"\n'):
        save(theatre, ONE + more + '[engine]\ntype = "passthrough"\n')
        theatre.run(0.1)
        assert theatre.value("/status/show") == "taken up; [engine] at the next start"  # and at the next edit, too
        assert play.show.engine is None


def test_what_cannot_change_live_waits_for_the_next_start(theatre: Theatre) -> None:
    play = theatre.open(ONE)
    theatre.run()
    (theatre.folder / "show.toml").unlink()
    save(theatre, ONE + "[window]\nfullscreen = true\n")
    theatre.run(0.1)
    assert theatre.value("/status/show") == "taken up; [window] at the next start"
    assert play.show.window.keys == {}


def test_edited_cues_are_the_new_ones(theatre: Theatre) -> None:
    theatre.open(ONE)
    theatre.run()
    save(theatre, ONE + '[[cue]]\nname = "sea"\nset = { "/layer/a/source" = "blue" }\n')
    theatre.run(0.1)
    theatre.post("/cue/sea/go")
    assert theatre.run(0.1) == near(BLUE)


def test_the_worlds_of_an_edited_show_are_kept_warm(theatre: Theatre, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[tuple[str, str]] = []
    monkeypatch.setattr(Bank, "keep", lambda bank, roles: kept.extend((role.world, role.size) for role in roles))
    theatre.open(ONE)
    save(theatre, ONE + 'world = "landscape"\nsize = "m"\n')
    theatre.run(0.02)
    assert kept == [("landscape", "m")]


def test_a_world_dreams_on_a_fixed_clock_from_the_first_frame(theatre: Theatre) -> None:
    play = theatre.open(ONE + 'world = "landscape"\nsize = "m"\nresolution = [64, 32]\nmemory = 0.0\n')
    theatre.run(0.06)
    layer = play.layers["a"]
    assert layer.given is not None
    assert layer.given.size == (64, 32)
    picture = theatre.picture()[..., :3].astype(int)
    assert np.abs(picture - np.array(RED)).min(-1).mean() > 5  # it is not the source any more
    assert str(theatre.value("/status/engine/a")).startswith("landscape m")


@pytest.mark.parametrize(
    ("asked", "said"), [("shimmer = 1.0", "the condition has no 'shimmer'"), ("mirror = 9", "mirror has no choice")]
)
def test_a_card_of_a_newer_version_keeps_no_show_from_opening(theatre: Theatre, asked: str, said: str) -> None:
    folder = make_world(theatre.folder / "models", "new", ("m",))
    write_card(folder, ("m",), CARD.replace("reduce = 16.0", f"reduce = 32.0\n{asked}"))
    make_world(theatre.folder / "models", "old", ("m",))
    theatre.open(ONE + 'world = "new"\nsize = "m"\nresolution = [64, 32]\ncrossfade = 0.0\n')
    theatre.run(0.1)
    assert str(theatre.value("/status/engine/a")).startswith("new m")
    assert str(theatre.value("/status/layer/a")).startswith("new plays with the condition's own defaults: ")
    assert said in str(theatre.value("/status/layer/a"))
    assert theatre.value("/layer/a/condition/reduce") == 16.0
    theatre.post("/layer/a/world", "old")
    theatre.run(0.1)
    assert theatre.value("/status/layer/a") == "the condition is that of old"
    theatre.post("/layer/a/world", "new")  # comes while it plays
    theatre.run(0.1)
    assert said in str(theatre.value("/status/layer/a"))


def test_a_world_that_is_replaced_while_it_plays_brings_its_new_moods_and_steps(theatre: Theatre) -> None:
    folder = make_world(theatre.folder / "models", "tide", ("m",))
    play = theatre.open(ONE + 'world = "tide"\nsize = "m"\nmood = "bright"\nresolution = [64, 32]\ncrossfade = 0.0\n')
    layer, mood = play.layers["a"], play.params["/layer/a/mood"]
    assert isinstance(layer.slot, Slot)
    theatre.run(2.0)
    assert (list(mood.spec.names), mood.value) == (["calm", "bright", "pad"], "bright")
    assert layer.moods.vector(play.clock.now()) == pytest.approx((2.0, 0.0))
    new = CARD.replace("bright = [2.0, 0.0]", "bright = [1.0, 1.0]\nfoam = [0.0, 3.0]")
    write_card(folder, ("m",), new.replace("multiple = 8", "multiple = 64"))
    for _ in range(2):  # once to see it, once to see that it is complete
        layer.slot._bank._look()
    theatre.run(2.0)
    assert (list(mood.spec.names), mood.value) == (["calm", "bright", "foam", "pad"], "bright")
    assert layer.moods.vector(play.clock.now()) == pytest.approx((1.0, 1.0), abs=0.01)
    assert layer.resolution() == (64, 64)
    theatre.post("/layer/a/mood", "foam")
    theatre.run(2.0)
    assert layer.moods.vector(play.clock.now()) == pytest.approx((0.0, 3.0), abs=0.01)


def test_feeds_are_a_mapping(theatre: Theatre) -> None:
    play: Performance = theatre.open(ONE)
    theatre.run()
    feeds = play._feeds
    assert feeds is not None
    assert list(feeds) == ["red", "blue", "layer:a"]
    assert len(feeds) == 3
    assert feeds.get("nobody") is None
    with pytest.raises(KeyError):
        feeds["layer:nobody"]
    assert isinstance(play.sources["red"], Feed)


def test_a_world_dissolves_out_of_its_source_and_back_into_it(theatre: Theatre) -> None:
    play = theatre.open(ONE + "resolution = [64, 32]\nmemory = 0.0\ncrossfade = 1.0\n")
    assert theatre.run() == near(RED)
    theatre.post("/layer/a/world", "landscape")
    reds = [int(theatre.run(0.02)[0]) for _ in range(55)]
    dream = int(theatre.middle()[0])
    assert dream < 200
    assert any(dream + 10 < red < 245 for red in reds)  # on the way
    assert max(abs(a - b) for a, b in itertools.pairwise(reds)) < 30  # nothing pops
    theatre.post("/layer/a/world", "none")
    theatre.run(0.5)
    assert dream + 10 < int(theatre.middle()[0]) < 250
    assert theatre.run(0.7) == near(RED)
    assert play.layers["a"].given is None
    theatre.post("/layer/a/crossfade", 0.0)
    theatre.post("/layer/a/world", "landscape")
    theatre.run(0.04)
    assert int(theatre.middle()[0]) == pytest.approx(dream, abs=12)


def test_a_world_comes_by_the_transition_that_the_show_names(theatre: Theatre) -> None:
    theatre.open(ONE + 'resolution = [64, 32]\ntransition = "wipe"\ncrossfade = 1.0\n')
    assert theatre.run() == near(RED)
    assert theatre.value("/layer/a/transition") == "wipe"
    theatre.post("/layer/a/world", "landscape")
    theatre.run(0.5)
    across = theatre.picture()[18, :, 0].astype(int)
    assert across.max() == 255  # still the source somewhere
    assert across.min() < 200  # already the dream somewhere else
    theatre.run(1.0)
    assert theatre.picture()[18, :, 0].max() < 250
    assert theatre.value("/status/layer/a/transition") == "wipe"


def test_two_worlds_in_two_transitions_within_one_crossfade(theatre: Theatre) -> None:
    cues = "".join(
        f'[[cue]]\nname = "{world}"\nset = {{ "/layer/a/transition" = "{how}", "/layer/a/world" = "{world}" }}\n'
        for world, how in (("ocean", "wipe"), ("agate", "iris"))
    )
    theatre.open(ONE + 'world = "landscape"\nresolution = [64, 32]\ncrossfade = 1.0\n' + cues)
    theatre.run(0.1)
    for _ in range(2):  # again, when every world is warm
        for _ in range(2):
            theatre.post("/cue/go")
            theatre.run(0.3)
    theatre.run(1.5)
    assert str(theatre.value("/status/engine/a")).startswith("agate m")


def test_the_shows_own_engine_comes_first(theatre: Theatre) -> None:
    world = 'world = "landscape"\nresolution = [64, 32]\nmemory = 0.0\n[engine]\ntype = "passthrough"\n'
    theatre.open(ONE + world)
    theatre.run(0.06)
    grey = theatre.middle()
    assert max(grey) - min(grey) <= 1  # what the generator would have been given
    assert "passthrough" in str(theatre.value("/status/engine/a")).casefold()


def test_a_process_that_cannot_go_on_ends_its_show(theatre: Theatre) -> None:
    play = theatre.open(ONE)
    frames = play.health.frames
    play.params.publish("/status/restart", "the graphics card has failed")
    play.run(60.0)
    assert play.health.restart == "the graphics card has failed"
    assert play.health.frames - frames <= 1
