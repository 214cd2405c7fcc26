"""The verbs, as somebody at a shell meets them."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from perform import __version__, cli, paths
from perform.cli.memory import Memory, memory_of
from perform.cli.run import find_show
from perform.gl.context import GLUnavailable
from perform.hours import Hours
from perform.params import Params, Spec

SHOW = '[show]\nsize = [64, 64]\nfps = 30\n[source.card]\ntype = "testcard"\n[[layer]]\nname = "dream"\n'
Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def say(capfd: pytest.CaptureFixture[str]) -> Say:
    """Run a verb in this process: (exit code, standard output, standard error)."""

    def said(*words: object) -> tuple[int, str, str]:
        try:
            code = cli.main([str(word) for word in words])
        except SystemExit as left:
            code = int(left.code or 0)
        out, err = capfd.readouterr()
        return code, out, err

    return said


@pytest.fixture
def show(tmp_path: Path) -> Path:
    path = tmp_path / "show.toml"
    path.write_text(SHOW)
    return path


def perform(*words: object, **options: object) -> subprocess.Popen[str]:
    """The program as a process of its own."""
    command = [sys.executable, "-m", "perform", *map(str, words)]
    return subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)  # type: ignore[call-overload,no-any-return]


def until(true: Callable[[], bool], seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)


# ---------------------------------------------------------------- words
@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["patches", "render", "--help"]])
def test_help(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        cli.main(words)
    assert done.value.code == 0
    assert "usage: perform" in capsys.readouterr().out


def test_help_imports_nothing_heavy() -> None:
    script = "import sys; from perform import cli\ntry: cli.main(['run', '--help'])\nexcept SystemExit: pass\n"
    script += (
        "heavy = {'torch', 'openvino', 'numpy', 'av', 'pyglet', 'sounddevice', 'PIL', 'asyncio'} & set(sys.modules)\n"
    )
    script += "sys.exit(f'imported: {heavy}' if heavy else 0)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"perform {__version__}\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["chek"], "there is no verb 'chek'; did you mean 'check'?"),
        (["xyzzy"], "there is no verb 'xyzzy'; there are run, check, params, models, patches, build, bench"),
        ([], "the following arguments are required: VERB (perform --help)"),
        (["run", "--fsp"], "'perform run' takes no '--fsp'; what it takes: perform run --help"),
        (["check", "a.toml", "b.toml"], "'perform check' takes no 'b.toml'; what it takes: perform check --help"),
        (["run", "--size", "3"], "argument --size: a size is written like 1280x720, not '3' (perform run --help)"),
        (["run", "--size", "99999x9"],
         "argument --size: each side has 16 to 16384 pixels, not 99999x9 (perform run --help)"),
        (["run", "--seconds", "x"], "argument --seconds: seconds are a number above 0, not 'x' (perform run --help)"),
        (["run", "--record", "x.avi"],
         "argument --record: a film ends in .mp4, .mov or .mkv, not 'x.avi' (perform run --help)"),
        (["train", "x", "--hours", "soon"], "--hours is a number, not 'soon' (perform train --help)"),
        (["distil", "--steps", "many"], "--steps is a whole number, not 'many' (perform distil --help)"),
        (["quantise"], "the following arguments are required: models, --world (perform quantise --help)"),
        (["world", "osean"], "there is no world 'osean'; did you mean 'ocean'?"),
        (["run", "--log", "debg"], "there is no --log 'debg'; did you mean 'debug'?"),
        (["patches", "rendr"], "there is no DEED 'rendr'; did you mean 'render'?"),
        (["patches", "render", "/nowhere.fs", "--to", "x"], "there is no file, folder or patch '/nowhere.fs'"),
        (["models", "--models", "/nowhere"], "there is no folder '/nowhere'"),
        (["run", "/nowhere.toml", "--no-supervise"], "/nowhere.toml: there is no such file"),
        (["run", "--hours", "early"], "opening hours are written like 10:00-18:00, not 'early'"),
        (["run", "--hours", "1:00-2:00", "--no-supervise"],
         "opening hours need the supervisor: leave out --no-supervise"),
        (["check", "/nowhere.toml"], "/nowhere.toml: there is no such file"),
        (["params", "/nowhere.toml"], "/nowhere.toml: there is no such file"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_one_sentence_and_exit_code_2(say: Say, words: list[str], told: str) -> None:
    assert say(*words) == (2, "", f"perform: {told}\n")


def test_several_mistakes_are_counted(say: Say, show: Path) -> None:
    show.write_text(SHOW + "opacity = 2\nblend = 'x'\n")
    code, _, err = say("check", show)
    assert code == 2
    assert err.startswith("perform: this show has 2 mistakes:\n")
    assert len(err.splitlines()) == 4
    assert err.endswith("\naddresses and worlds are checked once this is mended\n")


def test_an_interrupted_verb_is_quiet(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(args: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("perform.cli.models.models", interrupted)
    assert say("models") == (130, "", "")


def test_a_closed_pipe_is_quiet() -> None:
    shell = f"{sys.executable} -m perform patches | head -1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", shell], capture_output=True, text=True, check=False)
    assert done.stdout.count("\n") == 1
    assert (done.returncode, done.stderr) == (0, "")


# ---------------------------------------------------------------- what there is
def test_models(say: Say, tmp_path: Path) -> None:
    card = tmp_path / "mine" / "tide" / "card.toml"
    card.parent.mkdir(parents=True)
    card.write_text(
        'world = "tide"\ndescription = "Water."\n[mood.named]\nebb = [0]\n[size.s]\nmacs = 5e8\nparameters = 1200\n'
    )
    broken = tmp_path / "mine" / "wrong" / "card.toml"
    broken.parent.mkdir()
    broken.write_text("world =")
    code, out, _ = say("models", "--models", tmp_path / "mine")
    assert code == 0
    assert "tide  Water.  [no licence given]\n  s  0.50 GMAC at 256²  1,200 parameters" in out
    assert "  moods: ebb" in out
    assert "wrong: its card cannot be read: " in out
    assert "landscape  " in out


def test_patches_are_listed_with_what_they_say_of_themselves(say: Say) -> None:
    code, out, _ = say("patches")
    assert code == 0
    lines = out.splitlines()
    assert any(line.startswith("sources/drift.fs ") for line in lines)
    assert all(len(line.split(maxsplit=1)) == 2 for line in lines), "a patch without a description"


@pytest.mark.skipif(sys.platform != "linux", reason="the folder is called otherwise")
def test_ones_own_worlds_and_patches_for_all_shows_are_listed(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    world, patch = tmp_path / "perform/models/tide", tmp_path / "perform/patches/filters/mine.fs"
    for folder in (world, patch.parent):
        folder.mkdir(parents=True)
    (world / "card.toml").write_text('world = "tide"\n[size.s]\n')
    patch.write_text('/*{"DESCRIPTION": "Of my own."}*/\n')
    assert "tide    [no licence given]\n" in say("models")[1]
    assert any(line.split() == ["filters/mine.fs", "Of", "my", "own."] for line in say("patches")[1].splitlines())


def test_patches_are_rendered_and_failures_named(say: Say, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.fs", tmp_path / "bad.fs"
    good.write_text('/*{"ISFVSN": "2"}*/\nvoid main() { gl_FragColor = vec4(1.0); }\n')
    bad.write_text('/*{"ISFVSN": "2"}*/\nvoid main() { gl_FragColor = nonsense; }\n')
    code, out, err = say("patches", "render", tmp_path, "--to", tmp_path / "stills", "--size", "32x32")
    assert code == 1
    assert out == f"1 of 2 patches rendered to {tmp_path / 'stills'}\n"
    assert err.startswith(f"{bad}: line 2: ")
    assert (tmp_path / "stills" / "good.png").is_file()


def test_a_patch_of_the_program_is_rendered_by_its_name(say: Say, tmp_path: Path) -> None:
    assert (
        say("patches", "render", "drift", "filters/mirror", "--to", tmp_path, "--size", "32x32", "--time", "0.1")[0]
        == 0
    )
    assert sorted(p.name for p in tmp_path.iterdir()) == ["drift.png", "mirror.png"]


def test_a_folder_without_patches(say: Say, tmp_path: Path) -> None:
    code, _, err = say("patches", "render", tmp_path, "--to", tmp_path)
    assert code == 2
    assert err.startswith("perform: there are no patches (")


def test_the_lab_answers_to_its_verbs(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        cli.main(["export", "--help"])
    assert done.value.code == 0
    assert "usage: perform export" in capsys.readouterr().out


def test_bench_is_the_bench_of_the_checkout(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        cli.main(["bench", "--help"])
    assert done.value.code == 0
    out = capsys.readouterr().out
    assert out.startswith("usage: perform bench ")
    assert "--minutes" in out


def test_a_lab_without_its_libraries_says_what_to_install(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError("No module named 'onnx'", name="onnx")

    monkeypatch.setattr("perform.cli.importlib.import_module", missing)
    assert say("export") == (2, "", "perform: 'perform export' needs onnx: pip install 'perform[lab]'\n")


# ---------------------------------------------------------------- memory
def test_memory(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "deep" / "m.json")
    assert memory.values() == {}
    memory.write({"/a": 1.5, "/b": "x"})
    assert memory.values() == {"/a": 1.5, "/b": "x"}
    assert [p.name for p in memory.path.parent.iterdir()] == ["m.json"]
    memory.path.write_text("{ broken")
    assert memory.values() == {}
    memory.path.write_text("[1]")
    assert memory.values() == {}
    memory.forget()
    memory.forget()
    assert memory.values() == {}


def test_a_memory_that_cannot_be_removed_keeps_no_show_from_playing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "frozen").write_text("")
    Memory(tmp_path / "frozen" / "x.json").forget()
    assert "the values of the last time cannot be removed" in caplog.text
    Memory(tmp_path / "nowhere" / "x.json").forget()
    assert caplog.text.count("cannot be removed") == 1


def test_the_parent_keeps_the_hours_of_the_file_unless_it_is_told_others(
    show: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[Callable[[], Hours | None]] = []

    class Parent:
        def __init__(self, spawn: object, hours: Callable[[], Hours | None]) -> None:
            kept.append(hours)

        def stop(self) -> None: ...

        def run(self) -> int:
            return 0

    monkeypatch.setattr("perform.supervisor.Supervisor", Parent)
    monkeypatch.setattr("perform.cli.run._on_signals", lambda stop: None)  # this process keeps its own
    show.write_text('[hours]\ndaily = "10:00-18:00"\n')
    assert cli.main(["run", str(show), "--headless"]) == 0
    assert cli.main(["run", str(show.parent), "--headless"]) == 0
    assert cli.main(["run", str(show), "--headless", "--hours", "11:00-12:00"]) == 0
    assert [hours() for hours in kept] == [*[Hours.parse("10:00-18:00")] * 2, Hours.parse("11:00-12:00")]


def test_what_begins_anew_leaves_nothing_to_resume(show: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    memory, found = memory_of(show), []

    class Parent:
        cards = True

        def __init__(self, spawn: Callable[[bool], object], hours: object) -> None:
            self.spawn = spawn

        def stop(self) -> None: ...

        def run(self) -> int:
            for resume in (False, True, False):  # it opens, fails, and opens the next day
                self.spawn(resume)
                found.append(memory.values())
                memory.write({"/level": 1.0})
            return 0

    monkeypatch.setattr("perform.supervisor.Supervisor", Parent)
    monkeypatch.setattr("perform.supervisor.Process", lambda command: command)
    monkeypatch.setattr("perform.cli.run._on_signals", lambda stop: None)  # this process keeps its own
    memory.write({"/level": 0.5})
    assert cli.main(["run", str(show), "--headless"]) == 0
    assert found == [{}, {"/level": 1.0}, {}]


def test_memory_is_kept_while_a_show_plays(tmp_path: Path) -> None:
    params = Params()
    params.declare("/level", Spec("float", 0.25))
    memory = Memory(tmp_path / "m.json")
    worker = memory.keep(params, every=0.01)
    until(lambda: memory.values() == {"/level": 0.25})
    assert worker.close(120.0)


def test_memory_holds_where_a_fade_is_going(tmp_path: Path) -> None:
    params = Params()
    params.declare("/level", Spec("float", 1.0))
    params.post("/level", 0.0, seconds=600.0)
    params.settle(0.0)
    params.settle(300.0)
    memory = Memory(tmp_path / "m.json")
    worker = memory.keep(params, every=0.01)
    until(lambda: memory.values() != {})
    assert worker.close(120.0)
    assert memory.values() == {"/level": 0.0}


def test_memory_holds_what_is_expected_of_a_patch_that_is_not_good_yet(tmp_path: Path) -> None:
    params = Params()
    params.declare("/level", Spec("float", 0.25))
    params.expect({"/level": 0.5, "/filter/shade/light": 0.8})
    memory = Memory(tmp_path / "m.json")
    worker = memory.keep(params, every=0.01)
    until(lambda: memory.values() == {"/level": 0.25, "/filter/shade/light": 0.8})
    assert worker.close(120.0)


def test_a_full_disk_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    worker = Memory(tmp_path / "file" / "m.json").keep(Params(), every=0.001)
    until(lambda: "cannot be written down" in caplog.text)
    assert worker.close(120.0)
    assert caplog.text.count("cannot be written down") == 1


def test_each_show_has_a_memory_of_its_own() -> None:
    assert memory_of(Path("a.toml")) != memory_of(Path("b.toml"))
    assert memory_of(Path("a.toml")) == memory_of(Path("a.toml").absolute())


# ---------------------------------------------------------------- a show that plays
def test_check(say: Say, show: Path) -> None:
    code, out, _ = say("check", show)
    assert code == 0
    assert "'untitled' is all right: 1 layer, 0 cues, " in out


def test_the_show_of_this_folder_is_meant(say: Say, show: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(show.parent)
    assert say("check")[1].startswith("show.toml: 'untitled' is all right")


def test_elsewhere_the_first_show_is_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_show(argparse.Namespace(show=None)) == paths.share() / "show.toml"


def test_without_opengl_it_says_what_to_install(say: Say, show: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(*args: object) -> None:
        raise GLUnavailable("OpenGL is not installed")

    monkeypatch.setattr("perform.performance.open_performance", unavailable)
    told = (2, "", "perform: OpenGL is not installed\n")
    assert say("check", show) == told
    assert say("run", show, "--headless", "--fixed", "--seconds", "1") == told


def test_a_command_that_was_to_make_a_film_fails_without_it(say: Say, show: Path) -> None:
    words = ("run", show, "--headless", "--fixed", "--seconds", "0.2", "--record")
    assert say(*words, show.parent / "whole.mp4")[0] == 0
    assert say(*words, show / "nowhere.mp4")[0] == 1


def test_check_holds_addresses_against_the_tree(say: Say, show: Path) -> None:
    show.write_text(SHOW + 'condition = { gama = 2 }\n[[cue]]\nname = "a"\nset = { "/layer/1/opacty" = 0 }\n')
    code, _, err = say("check", show)
    assert code == 2
    assert f"{show}:8: there is no address" in err
    assert f"{show}:11: cue 'a': there is no address '/layer/1/opacty'; did you mean '/layer/1/opacity'?" in err


def test_check_lists_each_mistake_of_a_cue_once(say: Say, show: Path) -> None:
    show.write_text(SHOW + '[[cue]]\nname = "a"\nset = { "/master/[opa" = 1, "/layer/1/opacty" = 0 }\n')
    code, out, err = say("check", show)
    assert code == 2
    assert "cue 'a': /master/[opa has a [ that is not closed" in err
    assert (out + err).count("opacty") == 1


def test_check_hears_of_a_required_key_of_the_wrong_type_with_all_else(say: Say, show: Path) -> None:
    sources = '[source.v]\ntype = "video"\nfile = 3\n[source.w]\ntype = "imge"\n'
    show.write_text(SHOW.replace("[[layer]]", sources + "[[layer]]"))
    code, _, err = say("check", show)
    assert code == 2
    assert "file is a text in quotes, not 3" in err
    assert "'image'" in err


def test_check_holds_a_worlds_files_against_its_card(say: Say, show: Path) -> None:
    world = show.parent / "models" / "landscape"
    shutil.copytree(paths.models() / "landscape", world)
    show.write_text(SHOW + 'world = "landscape"\n')
    assert say("check", show)[0] == 0
    (world / "m.onnx").write_bytes((world / "m.onnx").read_bytes()[:20000])
    code, _, err = say("check", show)
    assert code == 2
    assert "the world 'landscape' will not play: " in err
    assert "m.onnx" in err


def test_check_names_a_cues_world_that_is_not_there_once_with_its_line(say: Say, show: Path) -> None:
    for address in ("/layer/1/world", "/layer/*/world"):
        show.write_text(SHOW + f'[[cue]]\nname = "a"\nset = {{ "{address}" = "landscap" }}\n')
        code, _, err = say("check", show)
        assert code == 2
        assert err.startswith(f"perform: {show}:10: ")
        assert len(err.splitlines()) == 1


def test_check_knows_the_sizes_of_a_world(say: Say, show: Path) -> None:
    little = show.parent / "models" / "little"
    shutil.copytree(paths.models() / "landscape", little)
    card = (little / "card.toml").read_text(encoding="utf-8")
    without = re.sub(r"(?ms)^\[size\.l[].].*?(?=^\[size\.[^l]|\Z)", "", card)
    (little / "card.toml").write_text(without.replace('"landscape"', '"little"'), encoding="utf-8")
    show.write_text(SHOW + 'world = "little"\nsize = "l"\n')
    code, _, err = say("check", show)
    assert code == 2
    assert f"{show}:9: " in err
    assert "has no 'l'; there are s, m" in err


def test_check_knows_that_screens_are_counted_from_nought(say: Say, show: Path) -> None:
    show.write_text(SHOW + "[window]\nscreen = -4\n")
    code, _, err = say("check", show)
    assert code == 2
    assert f"{show}:9: [window]: screen is a number from 0 or a part of a screen's name, not -4" in err


def test_params(say: Say, show: Path) -> None:
    _, table, _ = say("params", show)
    assert "/layer/dream/opacity" in table
    _, text, _ = say("params", show, "--json")
    tree = json.loads(text)
    assert tree["/layer/dream/opacity"]["high"] == 1.0
    source = tree["/layer/dream/source"]
    assert (source["type"], source["value"], source["choices"]) == ("choice", "card", ["card"])
    assert tree["/status/fps"]["readonly"] is True
    _, markdown, _ = say("params", show, "--markdown")
    assert "| `/layer/dream/opacity` | float | 0…1 (1) |" in markdown
    assert "\n## /layer/dream\n" in markdown


def test_every_address_is_documented(say: Say, show: Path) -> None:
    _, text, _ = say("params", show, "--json")
    assert [address for address, about in json.loads(text).items() if not about["doc"]] == []


def test_a_fixed_run_leaves_a_still(say: Say, show: Path, tmp_path: Path) -> None:
    still = tmp_path / "out" / "still.png"
    code, _, err = say("run", show, "--headless", "--fixed", "--seconds", "0.2", "--still", still, "--size", "48x32")
    assert code == 0, err
    from PIL import Image

    with Image.open(still) as picture:
        assert picture.size == (48, 32)
        assert len(set(picture.convert("L").tobytes())) > 4


def test_a_still_that_cannot_be_written(say: Say, show: Path) -> None:
    code, _, err = say("run", show, "--headless", "--fixed", "--seconds", "0.1", "--still", show / "x.png")
    assert code == 2
    assert err.splitlines()[-1].startswith(f"perform: the still '{show}/x.png' cannot be written: ")


def test_without_a_screen_it_says_so(show: Path) -> None:
    env = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    process = perform("run", show, "--no-supervise", env=env)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 3
    assert err.splitlines()[-1].startswith("perform: there is no screen to play on (")
    assert "Traceback" not in err


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_a_supervised_show_ends_cleanly(show: Path, tmp_path: Path, name: signal.Signals) -> None:
    env = {**os.environ, "XDG_STATE_HOME": str(tmp_path)}
    process = perform("run", show, "--headless", env=env)
    until(lambda: any(tmp_path.rglob("*.json")))  # it plays, and remembers
    process.send_signal(name)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0
    assert "Traceback" not in err


def test_a_supervised_show_that_dies_comes_back_as_it_was(show: Path, tmp_path: Path) -> None:
    env = {**os.environ, "XDG_STATE_HOME": str(tmp_path)}
    process = perform("run", show, "--headless", env=env)

    def child(words: str = "") -> int:
        for live in psutil.Process(process.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):  # it may end while it is looked at
                if live.status() != psutil.STATUS_ZOMBIE and words in " ".join(live.cmdline()):
                    return live.pid
        return 0

    until(lambda: any(tmp_path.rglob("*.json")))
    first = child()
    os.kill(first, signal.SIGKILL)
    until(lambda: child("--resume") not in (0, first))
    process.terminate()
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0
    assert "the show was ended by signal 9; starting it again where it was" in err


def test_a_bad_show_is_not_tried_again(show: Path) -> None:
    show.write_text(SHOW + "opacity = 2\n")
    process = perform("run", show, "--headless")
    _, err = process.communicate(timeout=300)
    assert process.returncode == 2
    assert err == f"perform: {show}:8: layer 'dream': opacity = 2 is out of range: 0 to 1\n"
