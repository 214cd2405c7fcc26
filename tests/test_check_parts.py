"""perform check: patches, films and what sound drives, before the doors open; and what a show plays without."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, Self

import pytest
from PIL import Image

from perform import cli, plugins
from perform.clock import FixedClock
from perform.params import Spec
from perform.performance import Wishes, open_performance
from perform.plugins import Closing, Stage
from perform.show import load
from tests.sources.films import film

SHOW = '[show]\nsize = [64, 64]\n[source.card]\ntype = "testcard"\n[[layer]]\nname = "dream"\nsource = "card"\n'
PATCH = '/*{"ISFVSN": "2", "INPUTS": [{"NAME": "inputImage", "TYPE": "image"}, {"NAME": "much", "TYPE": "float"}]}*/\n'
Say = Callable[..., tuple[int, list[str]]]


@dataclass
class Silent(Closing):
    """A control that says nothing beforehand. Its device is not there."""

    def open(self, stage: Stage) -> Self:
        stage.params.declare(f"{stage.prefix}/level", Spec("float", 0.0, 0.0, 1.0, doc="Its fader."))
        return self

    def close(self) -> None: ...


@dataclass
class Desk(Silent):
    """One that says its addresses. Its device is not there."""

    def declare(self, stage: Stage) -> None:
        super().open(stage)

    def open(self, stage: Stage) -> Self:
        raise OSError("the desk is not plugged in")


@pytest.fixture
def desks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are installed: as "desk" and as "silent"."""
    usual = plugins.entry_points
    mine = [
        EntryPoint(kind.__name__.lower(), f"{__name__}:{kind.__name__}", "perform.controls") for kind in (Silent, Desk)
    ]

    def known(**asked: str) -> list[Any]:
        ours = [e for e in mine if e.group == asked["group"] and e.name == asked.get("name", e.name)]
        return [*usual(**asked), *ours]

    monkeypatch.setattr(plugins, "entry_points", known)


@pytest.fixture
def say(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Say:
    """Say a verb to a show with `more` at its end: (exit code, lines of standard error)."""

    def said(more: str, *words: str) -> tuple[int, list[str]]:
        (tmp_path / "show.toml").write_text(SHOW + more)
        code = cli.main([words[0], str(tmp_path / "show.toml"), *words[1:]])
        return code, capfd.readouterr().err.splitlines()

    return said


def test_a_patch_that_is_wrong_is_told_by_itself_and_the_show_plays_without_it(say: Say, tmp_path: Path) -> None:
    patch = tmp_path / "patches" / "filters" / "mine.fs"
    patch.parent.mkdir(parents=True)
    filtered = 'filters = ["mine"]\n[layer.filter.mine]\nmuch = 0.5\n'
    patch.write_text(PATCH + "void main() { gl_FragColor = IMG_THIS_PIXEL(inputImage) * much; }\n")
    assert say(filtered, "check") == (0, [])
    patch.write_text(PATCH + "void main() {\n    gl_FragColor = oops;\n}\n")
    code, err = say(filtered, "check")
    assert code == 2
    assert len(err) == 1
    assert err[0].startswith(f"perform: {patch}:3: ")
    assert say(filtered, "run", "--headless", "--fixed", "--seconds", "0.1", "--log", "error") == (0, [])
    other = filtered.replace("mine]", "mien]")  # no filter of the layer's: a mistake of the show's own
    assert say(other, "run", "--headless", "--fixed", "--seconds", "0.1")[0] == 2


def test_films_and_pictures_that_are_not_there_are_told_with_their_line(say: Say, tmp_path: Path) -> None:
    for name in ("sea.mp4", "sea.toml", ".see.mp4", "tide.MOV"):
        (tmp_path / name).write_bytes(b"")
    more = '[source.film]\ntype = "video"\nfile = "see.mp4"\n[source.album]\ntype = "image"\nfile = "../photos"\n'
    code, err = say(more, "check")
    assert code == 2
    show = tmp_path / "show.toml"
    assert err[1] == f"{show}:8: [source.film]: there is no file '{tmp_path / 'see.mp4'}'; did you mean 'sea.mp4'?"
    assert err[2].startswith(f"{show}:11: [source.album]: there is no file '{tmp_path}/../photos'")


def test_only_what_could_be_meant_is_named(say: Say, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    for name in ("b.txt", ".bashrc", "zoo.webp", "out.toml", "film.mp4"):
        (tmp_path / name).write_bytes(b"")
    _, err = say('[source.a]\ntype = "image"\nfile = "q.png"\n[source.b]\ntype = "video"\nfile = "q"\n', "check")
    assert err[1].endswith("/q.png'; there are photos, zoo.webp")
    assert err[2].endswith("/q'; there is film.mp4")


@pytest.mark.parametrize(
    ("kind", "file", "told"),
    [
        ("video", "show.toml", "file: show.toml"),
        ("video", ".", "file: "),
        ("image", "empty", "file: there are no pictures in "),
        ("image", "broken", "file: a.png is not a picture"),
        ("image", "show.toml", "file: show.toml is not a picture"),
        ("image", "good", ""),
        ("video", "good.mkv", ""),
    ],
)
def test_films_and_pictures_in_which_nothing_can_be_seen_are_told(
    say: Say, tmp_path: Path, kind: str, file: str, told: str
) -> None:
    for folder in ("empty", "broken", "good"):
        (tmp_path / folder).mkdir()
    for path in ("broken/a.png", "good/a.png"):
        (tmp_path / path).write_bytes(b"no picture")
    Image.new("RGB", (4, 4)).save(tmp_path / "good" / "b.png")
    film(tmp_path / "good.mkv", frames=3)
    code, err = say(f'[source.film]\ntype = "{kind}"\nfile = "{file}"\n', "check")
    assert code == (2 if told else 0)
    assert told in "".join(err)


def test_a_cue_that_does_nothing_is_pointed_out_and_a_rest_is_not(say: Say, tmp_path: Path) -> None:
    code, (line,) = say('[[cue]]\nname = "a"\nfade = 2.0\n', "check")
    assert code == 0
    assert line == (f"{tmp_path / 'show.toml'}:8: cue 'a': does nothing; write set = {{ \"/layer/1/opacity\" = 0.5 }}")
    dusk = '[[cue]]\nname = "b"\nset = { "/master/opacity" = 0 }\n'
    for rest in ("at = 2.0\n" + dusk, "follow = 2.0\n" + dusk, dusk + "follow = 2.0\n"):
        assert say('[[cue]]\nname = "a"\n' + rest, "check") == (0, [])


def test_a_picture_for_an_input_that_a_patch_has_not_got_is_told(say: Say, tmp_path: Path) -> None:
    (tmp_path / "mine.fs").write_text(PATCH + "void main() { gl_FragColor = IMG_THIS_PIXEL(inputImage); }")
    more = '[source.a]\ntype = "shader"\npatch = "mine"\nimages = {{ {} = "card" }}\n'
    assert say(more.format("inputImage"), "check") == (0, [])
    code, (line,) = say(more.format("inputImag"), "check")
    assert code == 2
    assert line.endswith(":8: [source.a]: images: there is no picture input 'inputImag'; did you mean 'inputImage'?")


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        ("127.0.0.1:9400", "127.0.0.1:9400", True),
        ("127.0.0.1:9400", "0.0.0.0:9400", True),
        ("127.0.0.1:9400", "192.168.1.5:9400", False),
        ("127.0.0.1:9400", "127.0.0.1:9402", False),
        ("127.0.0.1:0", "127.0.0.1:0", False),
    ],
)
def test_controls_that_listen_at_one_port_are_told(say: Say, one: str, other: str, told: bool) -> None:
    code, err = say(f'[osc]\nlisten = "{one}"\n[control.o2]\ntype = "osc"\nlisten = "{other}"\n', "check")
    assert code == (2 if told else 0)
    assert ("[control.o2]: listen is UDP port 9400, and so is listen of [osc]: each needs" in "".join(err)) == told


EACH = "each needs one of its own"
QUERY = "query is the port after `listen` unless told: query = false helps, or another place"


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        ("", 'listen = "127.0.0.1:9401"', f"[control.o2]: tcp is TCP port 9401, and so is query of [osc]: {QUERY}"),
        ("query = false", 'listen = "localhost:9401"', ""),
        ("", 'listen = "127.0.0.1:9401"\ntcp = false', ""),
        ("", 'listen = "127.0.0.1:9399"', f"[control.o2]: query is TCP port 9400, and so is tcp of [osc]: {QUERY}"),
        (
            'tcp = "0.0.0.0:9401"',
            'listen = "127.0.0.1:0"',
            f"[osc]: query is TCP port 9401, and so is its tcp: {QUERY}",
        ),
        ('query = "127.0.0.1:9400"', "", f"[osc]: query is TCP port 9400, and so is its tcp: {QUERY}"),
        (
            'query = ":9500"',
            'listen = ":9402"\nquery = "127.0.0.1:9500"',
            "[control.o2]: query is TCP port 9500, and so is",
        ),
        (
            'tcp = "localhost:9600"',
            'tcp = "127.0.0.1:9600"\nlisten = ":9700"',
            f"[control.o2]: tcp is TCP port 9600, and so is tcp of [osc]: {EACH}",
        ),
        ('tcp = "192.168.1.5:9401"', "", ""),
    ],
)
def test_every_port_of_every_osc_control_is_told_where_two_clash(say: Say, one: str, other: str, told: str) -> None:
    two = f'[control.o2]\ntype = "osc"\n{other}\n' if other else ""
    code, err = say(f'[osc]\nlisten = "127.0.0.1:9400"\n{one}\n{two}', "check")
    assert code == (2 if told else 0)
    assert len(err) == (1 if told else 0)
    assert told in "".join(err)


@pytest.mark.parametrize("file", ["~nobody-of-this-name/sea.mp4", "s" * 300 + ".mp4"])
@pytest.mark.parametrize("kind", ["video", "image"])
def test_a_path_that_cannot_be_is_not_there(say: Say, tmp_path: Path, kind: str, file: str) -> None:
    code, err = say(f'[source.film]\ntype = "{kind}"\nfile = "{file}"\n', "check")
    assert code == 2
    assert f"[source.film]: there is no file '{tmp_path / file}'" in err[-1]


def test_what_a_source_cannot_be_given_is_told_with_its_line(say: Say, tmp_path: Path) -> None:
    code, err = say('[source.album]\ntype = "image"\nfile = "."\nhold = 1e6\n', "check")
    assert code == 2
    assert err[0] == f"perform: {tmp_path / 'show.toml'}:11: [source.album]: hold = 1e+06 is out of range: 0 to 604800"


def test_what_sound_cannot_drive_is_told(say: Say) -> None:
    fine = '[audio]\ndrive = { "/layer/1/opacity" = { band = "bass" } }\n'
    assert say(fine, "check") == (0, [])
    code, err = say(fine.replace("opacity", "opcity"), "check")
    assert code == 2
    assert err[0].endswith(
        ":9: [audio]: drive: there is no address '/layer/1/opcity'; did you mean '/layer/1/opacity'?"
    )
    for address, told in (
        ("/layer/1/on", "is a bool; only floats can be moved"),
        ("/status/fps", "is read only; only floats that can be set can be moved"),
    ):
        code, err = say(fine.replace("/layer/1/opacity", address), "check")
        assert code == 2
        assert err[0].endswith(f"{address} {told}")


@pytest.mark.parametrize(
    ("sets", "told"),
    [
        (['"/cue/b/go" = 1', '"/cue/a/go" = 1'], ["cue 'a': fires itself by way of 'b'"]),
        (['"/cue/go" = 1', '"/cue/go" = 1', '"/cue/go" = true'], ["cue 'a': fires itself by way of 'b' and 'c'"]),
        (['"/cue/b/go" = 1', '"/cue/[b-c]/go" = 1'], ["cue 'b': fires itself"]),
        (['"/preset/calm/go" = 1', '"/layer/1/on" = 1'], ["cue 'a': fires itself"]),
        (['"/cue/b/go" = 1', '"/cue/a/go" = 0'], []),
        (['"/cue/b/go" = 1', '"/layer/1/on" = 1'], []),
    ],
)
def test_cues_that_fire_themselves_are_told_and_played_once(
    say: Say, tmp_path: Path, sets: list[str], told: list[str]
) -> None:
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "calm.toml").write_text('[set]\n"/cue/a/go" = true\n')
    cues = "".join(f'[[cue]]\nname = "{name}"\nset = {{ {line} }}\n' for name, line in zip("abc", sets, strict=False))
    code, lines = say(cues, "check")
    assert code == (2 if told else 0)
    assert [line.partition(".toml:")[2].partition(": ")[2] for line in lines] == told
    assert say(cues, "run", "--headless", "--fixed", "--seconds", "0.1")[0] == 0


def test_a_preset_that_a_cue_calls_is_told_with_what_is_wrong_and_the_show_plays_without_it(
    say: Say, tmp_path: Path
) -> None:
    """Another show's, or half a file: the power may have gone while it was saved."""
    folder = tmp_path / "presets"
    folder.mkdir()
    (folder / "half.toml").write_text("[set")
    (folder / "old.toml").write_text(
        '# an older show\n[set]\n"/layer/dream/opacity" = 0.5\n"/layer/dram/opacity" = 1\n'
    )
    (folder / "other.toml").write_text('[set]\n"/nowhere" = 1\n')  # nobody calls it
    names = ["dusk", "half", "old"]
    cue = '[[cue]]\nname = "a"\n[cue.set]\n' + "".join(f'"/preset/{name}/go" = true\n' for name in names)
    code, lines = say(cue, "check")
    show = f"{tmp_path / 'show.toml'}"
    assert code == 2
    assert [line for line in lines[1:] if ":12:" not in line] == [
        f"{show}:11: cue 'a': there is no preset 'dusk': presets/dusk.toml is not there; there are half, old, other",
        f"{folder / 'old.toml'}:4: there is no address '/layer/dram/opacity'; did you mean '/layer/dream/opacity'?",
    ]
    (half,) = [line for line in lines if ":12:" in line]
    assert "there is no preset 'half': " in half
    assert "is not TOML" in half
    assert say(cue, "run", "--headless", "--fixed", "--seconds", "0.1")[0] == 0


def test_mistakes_are_told_in_the_order_of_the_file_whoever_finds_them(say: Say) -> None:
    cue = '[[cue]]\nname = "a"\nset = { "/layer/1/opcity" = 0.5 }\n'
    film = '[source.film]\ntype = "video"\nfile = "nowhere.mp4"\n'
    drive = '[audio]\ndrive = { "/layer/1/on" = { band = "bass" } }\n'
    code, lines = say(drive + film + cue, "check")
    assert code == 2
    assert [line.partition(".toml:")[2].partition(":")[0] for line in lines[1:]] == ["9", "10", "15"]


@pytest.mark.usefixtures("desks")
def test_what_is_only_pointed_out_is_no_mistake_beside_one(say: Say) -> None:
    cue = '[[cue]]\nname = "a"\nset = { "/silent/level" = 0.5, "/layer/1/opcity" = 0.5 }\n'
    code, (hint, mistake) = say("[silent]\n" + cue, "check")
    assert code == 2
    assert hint.endswith("once [silent] plays")
    assert mistake.startswith("perform: ")  # and not "this show has 2 mistakes"


def test_what_a_cue_cannot_call_or_reach_is_one_line_in_the_log(
    say: Say, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cue = '[[cue]]\nname = "a"\nset = { "/preset/dusk/go" = true, "/layer/*/nothing" = 1 }\n'
    with caplog.at_level(logging.WARNING, "perform"):
        assert say(cue, *PLAY[:-1], "warning")[0] == 0
    show = tmp_path / "show.toml"
    assert [record.getMessage() for record in caplog.records] == [
        f"{show}:10: cue 'a': there is no preset 'dusk': presets/dusk.toml is not there; there are none",
        f"{show}:10: cue 'a': no address matches /layer/*/nothing",
    ]


@pytest.mark.parametrize(
    ("kept", "rest"),
    [("", "and it has no others"), ('"/layer/dream/opacity" = 0.5\n', "the rest of it is called up")],
)
def test_an_older_preset_is_one_sentence_that_names_the_addresses_which_are_gone(
    say: Say, tmp_path: Path, kept: str, rest: str
) -> None:
    (tmp_path / "presets").mkdir()
    old = tmp_path / "presets" / "old.toml"
    old.write_text(f'[set]\n{kept}"/layer/dream/blur" = 0.5\n"/layer/dream/tone/x" = 1\n')
    cue = '[[cue]]\nname = "a"\nset = { "/preset/old/go" = true }\n'
    code, (line,) = say(cue, "check")
    assert code == 2
    gone = "'/layer/dream/blur', '/layer/dream/tone/x'"
    assert line == f"perform: {old}:{3 if kept else 2}: there are no addresses {gone}: they are left out, {rest}"
    old.write_text("[set]\n" + "".join(f'"/gone/a{n}" = 1\n' for n in range(20)) + kept)
    assert "'/gone/a7' and 12 more: they are left out" in say(cue, "check")[1][0]


def test_an_address_without_a_slash_is_none(say: Say, tmp_path: Path) -> None:
    (tmp_path / "presets").mkdir()
    old = tmp_path / "presets" / "old.toml"
    cue = '[[cue]]\nname = "a"\nset = { "/preset/old/go" = true }\n'
    for line, name in (("opacity = 1", "opacity"), ('"" = 1', "")):
        old.write_text(f"[set]\n{line}\n")
        code, (told,) = say(cue, "check")
        assert code == 2
        assert told.startswith(f"perform: {old}:2: there is no address {name!r}")
        assert say(cue, *PLAY) == (0, [])


def test_each_address_that_sound_cannot_drive_is_told_at_its_own_line(say: Say) -> None:
    code, lines = say(
        '[audio.drive]\n"/layer/1/on" = { band = "bass" }\n"/layer/*/opacity" = { band = "mid" }\n', "check"
    )
    assert code == 2
    assert [line.partition(".toml:")[2] for line in lines[1:]] == [
        "9: [audio]: drive: /layer/1/on is a bool; only floats can be moved",
        "10: [audio]: drive: /layer/*/opacity is a pattern; each address that is moved is written by itself",
    ]


def test_a_cue_may_set_a_mood_of_the_world_that_its_preset_brings(say: Say, tmp_path: Path) -> None:
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "shore.toml").write_text('[set]\n"/layer/dream/world" = "landscape"\n')
    cue = '[[cue]]\nname = "a"\nset = { "/preset/shore/go" = 1, "/layer/dream/mood" = "storm" }\n'
    assert say(cue, "check") == (0, [])
    assert say(cue.replace('"/preset/shore/go" = 1, ', ""), "check")[0] == 2


def test_a_mood_is_held_against_the_worlds_of_the_presets_that_are_called(
    say: Say, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "old.toml").write_text('[set]\n"/layer/dream/opacity" = 0.5\n')
    (tmp_path / "presets" / "shore.toml").write_text('[set]\n"/layer/*/world" = "landscape"\n')
    (tmp_path / "presets" / "by.toml").write_text('[set]\n"/preset/shore/go" = true\n')
    (tmp_path / "presets" / "late.toml").write_text('[set]\n"/layer/dream/mood" = "storm"\n')
    (tmp_path / "presets" / "half.toml").write_text("[set")

    def cue(call: str, mood: str) -> str:
        return f'[[cue]]\nname = "a"\nset = {{ "/preset/{call}/go" = true, "/layer/dream/mood" = "{mood}" }}\n'

    for call in ("shore", "by", "SHORE", "{by,old}"):
        assert say(cue(call, "storm"), "check") == (0, [])
        code, (line,) = say(cue(call, "nosuch"), "check")
        assert code == 2
        assert ":10: cue 'a': /layer/dream/mood has no 'nosuch'; there are " in line
    code, (line,) = say(cue("old", "nosuch"), "check")
    assert code == 2
    told = "/layer/dream/mood is set, but a mood is its world's, and no world of this layer has any"
    assert line.endswith(f":10: cue 'a': {told}")
    with caplog.at_level(logging.WARNING, "perform"):
        assert say(cue("old", "nosuch"), *PLAY[:-1], "warning")[0] == 0  # a preset may bring one tomorrow
    logged = [record.getMessage() for record in caplog.records if record.name == "perform"]
    assert logged == [f"{tmp_path / 'show.toml'}:10: cue 'a': {told}"]
    another = '[[cue]]\nname = "b"\nset = { "/preset/shore/go" = true }\n'
    assert say(cue("old", "storm") + another, "check") == (0, [])
    assert say(cue("late", "storm") + another, "check") == (0, [])
    assert say(cue("shore", "storm").replace("true", "false"), "check")[0] == 2
    (line,) = say(cue("half", "nosuch"), "check")[1]
    assert "there is no preset 'half': " in line  # and nobody knows its world


def test_a_number_out_of_range_is_told_and_played_as_the_nearest(say: Say) -> None:
    more = 'condition = { gamma = 0.0 }\n[[cue]]\nname = "a"\nset = { "/layer/1/opacity" = 50, "/layer/1/on" = 2 }\n'
    code, err = say(more, "check")
    assert code == 2
    assert [line.partition("show.toml:")[2] for line in err[1:]] == [
        "8: /layer/dream/condition/gamma = 0 is out of range: 0.1 to 8",
        "11: cue 'a': /layer/1/opacity = 50 is out of range: 0 to 1",
    ]
    assert say(more, "run", "--headless", "--fixed", "--seconds", "0.1", "--log", "error") == (0, [])


PLAY = ("run", "--headless", "--fixed", "--seconds", "0.1", "--log", "error")


@pytest.mark.usefixtures("desks")
def test_what_a_control_says_beforehand_is_known_without_its_device(say: Say) -> None:
    more = '[desk]\n[[cue]]\nname = "a"\nset = { "/desk/level" = 0.5 }\n'
    assert say(more, "check") == (0, [])
    assert say(more, *PLAY) == (0, [])  # its device is not there
    code, err = say(more.replace("/level", "/levle"), "check")
    assert code == 2
    assert err[0].endswith("11: cue 'a': there is no address '/desk/levle'; did you mean '/desk/level'?")


@pytest.mark.usefixtures("desks")
def test_what_may_be_a_controls_that_says_nothing_is_pointed_out_and_no_mistake(say: Say, tmp_path: Path) -> None:
    cue = '[[cue]]\nname = "a"\nset = { "/silent/level" = 0.5 }\n'
    drive = '[audio]\ndrive = { "/silent/level" = { band = "bass" } }\n'
    theirs = "whether there is '/silent/level' is known once [silent] plays"
    show = tmp_path / "show.toml"
    told = [f"{show}:11: cue 'a': {theirs}", f"{show}:13: [audio]: drive: {theirs}"]
    assert say("[silent]\n" + cue + drive, "check") == (0, told)
    assert say("[silent]\n" + cue, *PLAY) == (0, [])
    assert say(cue, "check")[0] == 2
    for wrong in ("/layer/dream/opacty", "/silent/[a/level"):
        assert say("[silent]\n" + cue.replace("/silent/level", wrong), "check")[0] == 2
    assert say("[silent]\n" + drive.replace("/silent/level", "silent"), "check")[0] == 2
    named = cue.replace("/silent/", "/two/*")
    assert say('[control.two]\ntype = "silent"\n' + named, "check")[1][0].endswith("once [control.two] plays")


def test_every_address_of_the_show_at_play_is_listed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "show.toml"
    more = '[osc]\nlisten = "127.0.0.1:0"\n[audio]\n[record]\n[sink.nothing]\ntype = "null"\n'
    path.write_text(SHOW + more)
    assert cli.main(["params", str(path), "--json"]) == 0
    listed = set(json.loads(capfd.readouterr().out))
    assert not (tmp_path / "out").exists()
    with open_performance(load(path), FixedClock(30.0), Wishes(headless=True)) as play:
        there = {param.address for param in play.params}
    assert listed - there == {"/status/window", "/status/sink/window"}  # it plays without one here
    assert there <= listed
    assert {"/audio/beat", "/status/osc/messages", "/status/audio", "/snapshot", "/status/sink/record"} <= listed
