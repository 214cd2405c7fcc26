"""Each mistake is told with its line and what would be right, and all of them at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import tomlkit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perform import plugins
from perform.show import ShowError, load, parse
from tests.show.conftest import LAYER, SOURCE

Mistakes = Callable[[str], list[str]]
GOOD = SOURCE + LAYER


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[shw]\nname = "x"\n' + GOOD, "1: show: there is no key 'shw'; did you mean 'show'?"),
        ("[show]\nnam = 1\n" + GOOD, "2: [show]: there is no key 'nam'; did you mean 'name'?"),
        ("[show]\nname = 1\n" + GOOD, "2: [show]: name is a text in quotes, not 1"),
        ("[show]\nsize = [1280]\n" + GOOD, "2: [show]: size is [width, height] in whole pixels, not [1280]"),
        ("[show]\nsize = [1280, 7]\n" + GOOD, "2: [show]: size = [1280, 7]: each side has 16 to 16384 pixels"),
        ("[show]\nfps = true\n" + GOOD, "2: [show]: fps is a number, not true"),
        ("[show]\nfps = nan\n" + GOOD, "2: [show]: fps is a number, not nan"),
        ("[show]\nfps = 0\n" + GOOD, "2: [show]: fps = 0 is out of range: 1 to 480"),
        ("[show]\ngpu_memory = 7\n" + GOOD, "2: [show]: gpu_memory = 7 is out of range: 0.05 to 0.95"),
        ('[show]\ngpu_memory = "all"\n' + GOOD, "2: [show]: gpu_memory is a number, not 'all'"),
        ('[show]\ninset = "sides"\n' + GOOD, "2: [show]: inset = 'sides': there is no such inset; there are off, inset, side-by-side"),
        (
            "[show]\ninset = 7\n" + GOOD,
            "2: [show]: inset is true, false or one of off, inset, side-by-side, not 7",
        ),
        ('[hours]\ndaily = "10-18"\n' + GOOD, "2: [hours]: daily: opening hours are written like 10:00-18:00, not '10-18'"),
        ('[hours]\nmon = "closed"\n' + GOOD, "2: [hours]: there is no key 'mon'; did you mean 'monday'?"),
        ("[hours]\ndaily = 10\n" + GOOD, "2: [hours]: daily is a text in quotes, not 10"),
        ("[hours]\n" + GOOD, """1: [hours]: it never opens: write daily = "10:00-18:00" below it, besides the days that differ"""),
        ('[hours]\nmonday = "closed"\n' + GOOD,
         """1: [hours]: it never opens: write daily = "10:00-18:00" below it, besides the days that differ"""),
        ('hours = "10:00-18:00"\n' + GOOD, "1: show: hours is a table, not '10:00-18:00'; write [hours] and its keys below it"),
        ('[show]\nhours = "9:00-12:00"\n' + GOOD, "2: [show]: there is no key 'hours'; opening hours have a table of their own: "
         '[hours] and, below it, daily = "10:00-18:00"'),
        ('[show]\npatches = ["nowhere"]\n' + GOOD, "2: [show]: patches: there is no folder 'nowhere'"),
        ('[show]\npatches = "p"\n' + GOOD, """2: [show]: patches is a list of texts like ["a", "b"], not 'p'"""),
        ("show = 3\n" + GOOD, "1: show: show is a table, not 3; write [show] and its keys below it"),
        ("layer = 3\n" + SOURCE, "1: show: layer is written as [[layer]], once for each, not 3"),
        (GOOD + "opacity = 2\n", "6: layer 'dream': opacity = 2 is out of range: 0 to 1"),
        (GOOD + "on = 1\n", "6: layer 'dream': on is true or false, not 1"),
        (GOOD + 'world = "landscap"\n', "6: layer 'dream': world = 'landscap': there is no such world; did you mean 'landscape'?"),
        (GOOD + 'size = "xl"\n', "6: layer 'dream': size = 'xl': there is no such size; did you mean 'l'?"),
        (GOOD + 'blend = "scren"\n', "6: layer 'dream': blend = 'scren': there is no such blend; did you mean 'screen'?"),
        (GOOD + 'filters = ["blurr"]\n', "6: layer 'dream': there is no filter 'blurr'; did you mean 'blur'?"),
        (GOOD + 'mask = "crd"\n', "6: layer 'dream': mask = 'crd': there is no such mask; did you mean 'card'?"),
        (GOOD + "mood = { fade = 5000 }\n", "6: layer 'dream' mood: fade = 5000 is out of range: 0 to 600"),
        (GOOD + "mood = { nam = 1 }\n", "6: layer 'dream' mood: there is no key 'nam'; did you mean 'name'?"),
        (GOOD + "transform = { x = {} , y = [] }\n", "6: layer 'dream' transform: y is a number, true, false, a text or a colour"),
        (GOOD + "transform = 3\n", "6: layer 'dream': transform is a table, not 3; write transform = { scale = 0.75 }"),
        ("control = 3\n" + GOOD, "1: show: control is a table, not 3; write [control.NAME] and its keys below it"),
        (GOOD + "condition = 3\n", "6: layer 'dream': condition is a table, not 3; write condition = { gamma = 1.2 }"),
        (SOURCE + "set = 3\n" + LAYER, "3: [source.card]: set is a table, not 3; write set = { speed = 0.5 }"),
        (GOOD + '[[cue]]\nname = "a"\nset = 3\n', """8: cue 'a': set is a table, not 3; write set = { "/layer/1/opacity" = 0.5 }"""),
        (GOOD + "[window]\ncorners = [0.1]\n", "7: [window]: corners is a table, not [0.1]; write corners = { top_left = [0.03, -0.02] }"),
        (GOOD + "[lfo]\ndrive = 0.3\n", """7: [lfo]: drive is a table, not 0.3; write drive = { "/layer/1/opacity" = 0.3 }"""),
        (GOOD + '[audio]\ndrive = "bass"\n', """7: [audio]: drive is a table, not 'bass'; write drive = { "/layer/1/opacity" = { band = "bass", amount = 0.5 } }"""),
        ('[source.a]\ntype = "shader"\npatch = "drift"\nimages = "card"\n' + GOOD, """4: [source.a]: images is a table, not 'card'; write images = { inputImage = "camera" }"""),
        (GOOD + '[[layer]]\nname = "Dream"\n', "7: layer 'Dream': there is another layer of the name 'Dream'"),
        (SOURCE + '[[layer]]\nname = "1"\n', "4: layer 1: '1' is not a name: letters, digits, - and _, not starting with a digit"),
        (SOURCE + '[[layer]]\nsource = "crd"\n', "4: layer 'layer1': source = 'crd': there is no such source; did you mean 'card'?"),
        ('[source.card]\ntype = "testcrd"\n' + LAYER, "2: [source.card]: type = 'testcrd': there is no such source type installed; did you mean 'testcard'; types are camera, image, shader, testcard, video"),
        ("[source.card]\n" + LAYER, "1: [source.card]: the key 'type' is missing; types are camera, image, shader, testcard, video"),
        ('[source]\ncard = "testcard"\n' + LAYER, "2: [source]: write [source.card] and the keys below it, not card = …"),
        ('[source."a b"]\ntype = "testcard"\n' + GOOD, "1: [source]: 'a b' is not a name: letters, digits, - and _, not starting with a digit"),
        (SOURCE + 'fallback = "card"\n' + LAYER, "3: [source.card]: fallback = 'card': a source cannot fall back on itself"),
        ('[source.a]\ntype = "shader"\npatch = "drift"\nimages = { i = "crd" }\n' + GOOD, "4: [source.a]: images: there is no source 'crd'; did you mean 'card'?"),
        ('[source.a]\ntype = "shader"\npatch = "drft"\n' + GOOD, "3: [source.a]: there is no patch 'drft'; did you mean 'drift'?"),
        ('[source.a]\ntype = "shader"\npatch = "sources/drft.fs"\n' + GOOD, "3: [source.a]: there is no patch 'sources/drft.fs'; did you mean 'drift'?"),
        (GOOD + 'filters = ["filters/blurr.fs"]\n', "6: layer 'dream': there is no filter 'filters/blurr.fs'; did you mean 'blur'?"),
        (GOOD + '[record]\nfile = "x.avi"\n', "7: [record]: file = 'x.avi' is no film that can be written: .mp4, .mov or .mkv"),
        (GOOD + '[record]\npreset = "foo"\n', "7: [record]: preset is one of auto, ultrafast, superfast, veryfast, faster, fast, medium, not 'foo'"),
        (GOOD + "[record]\npreset = 5\n", "7: [record]: preset is one of auto, ultrafast, superfast, veryfast, faster, fast, medium, not 5"),
        ("xyz = 1\n" + GOOD + "[osc]\n", "1: show: there is no key 'xyz'; there are show, source, layer, window, record, hours, master, sink, engine, cue, audio, lfo, osc, control"),
        ('[source.a]\ntype = "image"\n' + GOOD, "1: [source.a]: the key 'file' is missing; type 'image' needs it"),
        (GOOD + '[engine]\ntype = "openvin"\n', f"7: [engine]: type = 'openvin': there is no such engine type installed; did you mean 'openvino'; types are {', '.join(plugins.names('engines'))}"),
        (GOOD + '[[cue]]\nset = {}\n', "6: cue 1: the key 'name' is missing"),
        (GOOD + '[[cue]]\nname = "go"\n', "7: cue 'go': a cue cannot be called 'go': /cue/go fires the next or the last one"),
        (GOOD + '[[cue]]\nname = "a"\n[[cue]]\nname = "A"\n', "9: cue 'A': there is another cue of the name 'A'"),
        (GOOD + '[[cue]]\nname = "a b"\n', "7: cue 'a b': 'a b' is not a name: letters, digits, - and _, not starting with a digit"),
        (GOOD + '[[cue]]\nname = "a"\nfade = "4"\n', "8: cue 'a': fade is a number, not '4'"),
        (GOOD + '[[cue]]\nname = "a"\neasing = "smoth"\n', "8: cue 'a': easing = 'smoth': there is no such easing; did you mean 'smooth'?"),
        (GOOD + '[sink.s]\ntype = "snapshot"\nat = [100, 5, -3]\n', "8: [sink.s]: at = -3 never comes: show times are seconds from 0 on"),
        (GOOD + '[osc]\nlisten = "here"\n', '7: [osc]: listen = "here" is not a place to listen: write "127.0.0.1:9000" or "0.0.0.0:9000"'),
        (GOOD + '[osc]\nlisten = "0.0.0.0:65535"\n', """7: [osc]: listen = "0.0.0.0:65535": there is no port after 65535 for the panel (query): write query = "127.0.0.1:9001", a place of its own, or query = false"""),
        (GOOD + "[osc]\nreply = 70000\n", "7: [osc]: reply = 70000 is not a port: 1 to 65535, or 0 for the listening port + 1"),
        ('[source]\ntype = "testcard"\n' + LAYER, "2: [source]: write [source.NAME], with a name of your own, and the keys below it, not type = …"),
        ('[[layers]]\nname = "a"\n' + SOURCE, "1: show: there is no key 'layers'; did you mean 'layer'?"),
        (GOOD + '[audio]\ndrive = { "/a" = "bass" }\n', """7: [audio]: drive: /a is { band = "bass", amount = 0.5 }, not 'bass'"""),
        (GOOD + '[audio.drive]\n"/a" = 0.5\n"/b" = { band = "bass", amunt = 2 }\n', "8: [audio]: drive: /b takes a band (level, bass, mid, treble, beat) and an amount, and no 'amunt'"),
        (GOOD + '[audio.drive]\n"/a" = 0.5\n"/b" = { band = "bass", amunt = 2 }\n', '7: [audio]: drive: /a is { band = "bass", amount = 0.5 }, not 0.5'),
        (GOOD + '[audio.drive]\n"/a" = { band = "bas" }\n', "7: [audio]: drive: /a takes a band (level, bass, mid, treble, beat) and an amount, not 'bas'"),
        (GOOD + '[record]\npreset = "fastest"\n', "7: [record]: preset is one of auto, ultrafast, superfast, veryfast, faster, fast, medium, not 'fastest'; did you mean 'faster'?"),
        ('[source.f]\ntype = "video"\nfile = "http://example.com/a.mp4"\n' + GOOD, """3: [source.f]: file: a stream is a camera: type = "camera", device = "http://example.com/a.mp4\""""),
        (GOOD + "blend = 2026-11-27\n", "6: layer 'dream': blend is a text in quotes, not 2026-11-27"),
        (GOOD + 'filter = ["bloom"]\n', "6: layer 'dream': filter is a table, not ['bloom']; the list of patches is `filters`"),
        (GOOD + 'mask = "layer:dream"\n', "6: layer 'dream': mask = 'layer:dream': a layer cannot mask itself"),
        (GOOD + 'effects = ["bloom"]\n', "6: layer 'dream': there is no key 'effects'; did you mean 'filters'?"),
        (GOOD + "visible = true\n", "6: layer 'dream': there is no key 'visible'; did you mean 'on'?"),
        ("[show]\nfullscreen = true\n" + GOOD, "2: [show]: there is no key 'fullscreen'; it is a key of [window]"),
        (GOOD + "[preset.calm]\n", "6: show: there is no key 'preset'; presets are files: presets/NAME.toml"),
        ('[source.a]\ntype = "shader"\npatch = "drift"\nwarmth = 0.3\n' + GOOD, "4: [source.a]: there is no key 'warmth'; is it an input of the patch? set = { warmth = … }"),
        ('[source.a]\ntype = "shader"\npatch = "drift"\nspeeed = 0.3\n' + GOOD, "4: [source.a]: there is no key 'speeed'; did you mean 'speed'?"),
        ('[source.a]\ntype = "shader"\npatch = "bloom"\n' + GOOD, """3: [source.a]: there is no patch 'bloom'; 'bloom' is a filter: a layer's `filters` take it, and a source as "filters/bloom\""""),
        (GOOD + 'filters = ["iris"]\n', "6: layer 'dream': there is no filter 'iris'; 'iris' is a transition: a layer's `transition` takes it"),
        (LAYER, "0: show: there is no source; a show needs at least one [source.NAME] table"),
        (SOURCE, "0: show: there is no layer; a show needs at least one [[layer]]"),
    ],
)  # fmt: skip
def test_one_mistake(mistakes: Mistakes, text: str, told: str) -> None:
    assert told in mistakes(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (GOOD + '[control.fps]\ntype = "lfo"\n', "6: [control]: the name 'fps' is taken: give [control.fps] another"),
        (GOOD + '[sink.window]\ntype = "null"\n', "6: [sink]: the name 'window' is taken: give [sink.window] another"),
        (GOOD + '[sink.beam]\ntype = "window"\nscreen = 1\n', "7: [sink.beam]: a show has one window, [window]"),
        (GOOD + '[control.osc]\ntype = "osc"\n', "6: [control]: the name 'osc' is taken: give [control.osc] another"),
        (SOURCE + '[source.Card]\ntype = "testcard"\n' + LAYER, "3: [source]: the name 'Card' is taken"),
        (GOOD + '[sink.q]\ntype = ""\n', "7: [sink.q]: type = '': there is no such sink type installed"),
        ("[show]\nfps = " + "9" * 400 + "\n" + GOOD, "2: [show]: fps is a number, not "),
        (GOOD + "[record]\nfps = " + "9" * 400 + "\n", "7: [record]: fps is a number, not 99999"),
        (GOOD + "condition = { gamma = -" + "9" * 400 + " }\n", "6: layer 'dream' condition: gamma is a number, true"),
        (
            GOOD + "[layer.filter]\nx = { y = [" + "9" * 400 + "] }\n",
            "x/y is a number, true, false, a text or a colour",
        ),
        (
            GOOD + '[audio]\ndrive = { "/a" = { band = "bass", amount = ' + "9" * 400 + " } }\n",
            "7: [audio]: drive: /a takes a number as its amount, not 9999",
        ),
        (GOOD + "[x]\ny = " + "9" * 5000 + "\n", "a number in it has thousands of digits"),
        ("# one\u2028line\n" + GOOD + "opacity = 2\n", "7: layer 'dream': opacity = 2 is out of range"),
    ],
)
def test_what_was_once_taken_in_silence(mistakes: Mistakes, text: str, told: str) -> None:
    assert any(told in line for line in mistakes(text))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[source.a]\ntype = "shader"\npatch = "~nobody-here/a.fs"\n' + GOOD, "3: [source.a]: there is no patch '~nobody-here/a.fs'"),
        ('[source.a]\ntype = "shader"\npatch = "/"\n' + GOOD, "3: [source.a]: there is no patch '/'"),
        (GOOD + 'filters = ["~nobody-here/a.fs"]\n', "6: layer 'dream': there is no filter '~nobody-here/a.fs'"),
        (GOOD + 'filters = [""]\n', "6: layer 'dream': there is no filter ''"),
        ('[show]\npatches = ["~nobody-here/p"]\n' + GOOD, "2: [show]: patches: there is no folder '~nobody-here/p'"),
    ],
    ids=["no such user", "root", "no such user's filter", "nothing", "no such user's folder"],
)  # fmt: skip
def test_names_that_no_file_can_have(mistakes: Mistakes, text: str, told: str) -> None:
    assert any(line.startswith(told) for line in mistakes(text))


def test_all_mistakes_at_once_in_the_files_order(mistakes: Mistakes) -> None:
    told = mistakes('[show]\nfps = 0\nsize = 3\n[source.card]\ntype = "x"\n[[layer]]\nopacity = "a"\n[[cue]]\n')
    assert [line.split(":")[0] for line in told] == ["2", "3", "5", "7", "8"]


def test_a_message_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    with pytest.raises(ShowError, match=rf"{path}:1: "):
        parse("fps = 3\n" + GOOD, path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (SOURCE + '[[layer]]\nname = "a"\nsource = "layer:a"\n', "5: layer 'a': the layer looks at itself: a → a"),
        (
            SOURCE + "".join(f'[[layer]]\nname = "{a}"\nsource = "layer:{b}"\n' for a, b in ("ab", "bc", "ca")),
            "5: the layers look at each other in a circle: a → b → c → a",
        ),
        (
            '[source.a]\ntype = "testcard"\nfallback = "b"\n[source.b]\ntype = "testcard"\nfallback = "a"\n[[layer]]\n',
            "3: [source.a]: the fallbacks go in a circle: a → b → a",
        ),
    ],
)
def test_circles_are_refused_with_their_path(mistakes: Mistakes, text: str, told: str) -> None:
    assert mistakes(text) == [told]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "this show is empty; it needs a [source.NAME] and a [[layer]]"),
        (b"# only words\n", "this show is empty; it needs a [source.NAME] and a [[layer]]"),
        (b"\x00\x01\x02PNG", "this is not a text file; a show is TOML text in UTF-8"),
        (b'[show]\nname = "caf\xe9"\n', "this line is not UTF-8; save the show as UTF-8 text"),
        (b"# " + b"x" * 10_000_000, "this file has 10.0 MB; a show is a text of at most 1 MB"),
        (b"[show\n", "this is not TOML: "),
        (b"a = " + b"[" * 100_000, "this is not a show: its tables are nested too deeply"),
    ],
    ids=["empty", "comment", "binary", "latin-1", "10 MB", "broken", "deep"],
)
def test_files_that_are_no_show(tmp_path: Path, data: bytes, told: str) -> None:
    path = tmp_path / "show.toml"
    path.write_bytes(data)
    started = time.perf_counter()
    with pytest.raises(ShowError) as raised:
        load(path)
    assert len(raised.value.problems) == 1
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)
    assert time.perf_counter() - started < 60.0  # it ends; how fast is the bench's business


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ShowError, match=r"nothing\.toml: there is no such file"):
        load(tmp_path / "nothing.toml")


def test_a_patch_is_no_show(tmp_path: Path) -> None:
    (tmp_path / "mine.fs").write_text("void main() {}")
    with pytest.raises(ShowError, match=r'this is a patch; .* type = "shader", patch = "mine\.fs"'):
        load(tmp_path / "mine.fs")


def test_a_device_is_no_show() -> None:
    with pytest.raises(ShowError, match="not a file that can be read as a show"):
        load("/dev/zero")


def test_a_key_like_no_other_is_told_with_all_that_there_are(mistakes: Mistakes) -> None:
    (said,) = mistakes(GOOD + "qqq = 1\n")
    for key in ("name", "filters", "crossfade", "resolution"):
        assert key in said


def test_a_source_with_a_bad_name_is_one_mistake(mistakes: Mistakes) -> None:
    rule = "'my cam' is not a name: letters, digits, - and _, not starting with a digit"
    for layer in ("[[layer]]\n", '[[layer]]\nsource = "my cam"\n'):
        assert mistakes('[source."my cam"]\ntype = "testcard"\n' + layer) == [f"1: [source]: {rule}"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("name = first light", "what follows the = is no value: a text is in straight quotes"),
        ("name = “first light”", "what follows the = is no value: a text is in straight quotes"),
        ('name = "first light', "a text is begun with a quote and not ended with one"),
        ("inset = True", "what follows the = is no value"),
        ("fps = 29,97", "the line goes on after the value: a number has a point (0.5), no comma"),
        ("fps = 1\nfps = 2", "this key is there twice; of cues and layers each is headed [[cue]] or [[layer]]"),
        ("[cue]\n[cue]", "[cue] is written as [[cue]], once for each"),
        ("[source.card]", "[source.card] is there twice"),
        ("[show]", "[show] is there twice"),
        ('name = "C:\\Users\\me"', r"a \ begins a sign of its own: write a path as C:/Users/…"),
        ('name = "C:\\pictures"', r"a \ begins a sign of its own: write a path as C:/Users/…"),
        ("/layer/1/opacity = 0.3", "this line begins with no key: an address stands in quotes"),
        (
            '[[layer]]\nfilters = ["bloom"]\n[layer.filters.bloom]',
            "filters is a list already; what 'bloom' is given goes below",
        ),
    ],
)
def test_what_is_no_toml_is_told_as_one_would_to_a_friend(mistakes: Mistakes, line: str, told: str) -> None:
    (said,) = mistakes(f"{SOURCE}[show]\n{line}\n")
    assert said.startswith(f"{4 + line.count(chr(10))}: this is not TOML: {told}")


@pytest.mark.parametrize("table", ["{\n x = 1\n}", "{ x = 1,\n y = 2 }", "{ x = 1\n}"])
def test_a_table_in_braces_over_several_lines_is_told_to_stay_on_one(mistakes: Mistakes, table: str) -> None:
    (said,) = mistakes(f"{GOOD}transform = {table}\n")
    assert "a { … } stays on one line" in said
    assert said.startswith("6: ")


def test_broken_toml_names_its_line(mistakes: Mistakes) -> None:
    assert mistakes('[show]\nname = "a\n')[0].startswith("2: this is not TOML: ")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["show", "source", "layer", "cue", "window", "master", "osc", "record", "sink", "x"]),
        st.recursive(
            st.one_of(st.integers(), st.text("ab/[ ", max_size=4), st.booleans(), st.floats()),
            lambda inner: st.one_of(
                st.lists(inner, max_size=3),
                st.dictionaries(
                    st.sampled_from(["name", "type", "size", "set", "a", "fade", "source", "mood", "filters"]),
                    inner,
                    max_size=4,
                ),
            ),
            max_leaves=8,
        ),
    )
)
def test_any_tables_are_a_show_or_a_list_of_mistakes(data: dict[str, object]) -> None:
    try:
        parse(tomlkit.dumps(data), Path("show.toml"))
    except ShowError as refused:
        told = [problem.text for problem in refused.problems]
    else:
        return
    assert told
    assert all(told)


def test_there_is_an_end_to_layers(mistakes: Mistakes) -> None:
    layers = "".join(f'[[layer]]\nname = "a{n}"\nsource = "card"\n' for n in range(3000))
    told = mistakes('[source.card]\ntype = "testcard"\n' + layers)
    assert any("this is layer 65; a show has at most 64" in text for text in told)
    assert len(told) == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (GOOD + "".join(f'[[cue]]\nname = "c{n}"\n' for n in range(1001)), "2006: cue 1001: this is cue 1001; a show has at most 1000"),
        (
            "".join(f'[source.s{n}]\ntype = "testcard"\n' for n in range(257)) + '[[layer]]\nsource = "s256"\n',
            "513: [source.s256]: this is source 257; a show has at most 256",
        ),
    ],
    ids=["cues", "sources"],
)  # fmt: skip
def test_there_is_an_end_to_cues_and_sources(mistakes: Mistakes, text: str, told: str) -> None:
    assert mistakes(text) == [told]
