"""What a show becomes once it has been read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from perform.show import Show, load
from perform.sinks.snapshot import Still, preset
from tests.show.conftest import LAYER, SOURCE

Read = Callable[[str], Show]


def test_smallest_show_has_all_defaults(read: Read, tmp_path: Path) -> None:
    show = read(SOURCE + LAYER)
    assert (show.size, show.fps, show.inset, show.blend_space) == ((1280, 720), 60.0, "off", "display")
    assert show.folder == tmp_path
    assert show.sources["card"].type == "testcard"
    assert show.layers[0].values == {"source": "card", "world": "none", "size": "m"}
    assert show.window.type == "window"
    assert show.record is None
    assert show.cues == ()


def test_the_show_inside_an_installed_program_writes_nothing_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = tmp_path / "site" / "perform" / "share"
    (share / "patches").mkdir(parents=True)
    (share / "show.toml").write_text(SOURCE + LAYER)
    monkeypatch.setattr("perform.paths._PACKAGE", share.parent)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    show = load(share / "show.toml")
    assert show.folder == tmp_path / "here"
    assert show.patches[0] == share / "patches"


def test_head(read: Read) -> None:
    show = read(
        f'[show]\nname = "Tide"\nsize = [640, 360]\nfps = 30\ninset = true\nblend_space = "linear"\n{SOURCE}{LAYER}'
    )
    assert (show.name, show.size, show.fps, show.inset, show.blend_space) == (
        "Tide",
        (640, 360),
        30.0,
        "inset",
        "linear",
    )


def test_a_layer_with_everything(read: Read) -> None:
    show = read(
        SOURCE
        + """
[[layer]]
name = "ghost"
source = "card"
[[layer]]
name = "dream"
source = "layer:ghost"
world = "landscape"
size = "s"
resolution = [256, 144]
filters = ["blur"]
blend = "screen"
opacity = 0.2
on = false
mask = "layer:ghost"
mask_invert = true
memory = 0
mood = { name = "dawn", x = 0.25, fade = 2 }
transform = { scale = 2, rotate = -10.5 }
condition.gamma = 1.5
[layer.filter.blur]
radius = 4
"""
    )
    layer = show.layers[1]
    assert (layer.number, layer.alias, layer.resolution, layer.filters) == (2, "/layer/2", (256, 144), ("blur",))
    assert dict(layer.values) == {
        "source": "layer:ghost", "world": "landscape", "size": "s", "blend": "screen", "opacity": 0.2, "on": False,
        "mask": "layer:ghost", "mask/invert": True, "memory": 0.0, "mood": "dawn", "mood/fade": 2.0,
        "transform/scale": 2, "transform/rotate": -10.5, "condition/gamma": 1.5, "filter/blur/radius": 4,
    }  # fmt: skip
    assert show.values()["/layer/dream/opacity"] == 0.2
    assert show.lines["/layer/dream/opacity"] == 15
    assert show.lines["/layer/dream/mask/invert"] == 18
    assert show.worlds == ("landscape",)


@pytest.mark.parametrize(
    ("mood", "values"),
    [
        ('"dawn"', {"mood": "dawn"}),
        ("{ fade = 2 }", {"mood/fade": 2.0}),
        ('{ name = "dawn", x = 0.3, y = 0.7 }', {"mood": "dawn"}),
        ("{ x = 0.3, y = 0.7 }", {"mood": "pad", "mood/x": 0.3, "mood/y": 0.7}),
        ("{ y = 0.7, fade = 2 }", {"mood": "pad", "mood/x": 0.5, "mood/y": 0.7, "mood/fade": 2.0}),
        ('{ name = "Pad", x = 0.0 }', {"mood": "pad", "mood/x": 0.0, "mood/y": 0.5}),
        ('"pad"', {"mood": "pad", "mood/x": 0.5, "mood/y": 0.5}),
    ],
)
def test_a_mood_is_a_name_or_a_place_on_the_pad(read: Read, mood: str, values: dict[str, object]) -> None:
    layer = read(SOURCE + f"[[layer]]\nmood = {mood}\n").layers[0]
    assert {tail: value for tail, value in layer.values.items() if tail.startswith("mood")} == values


def test_a_layer_looks_at_the_first_source_unless_told(read: Read) -> None:
    assert read(SOURCE + "[[layer]]\n").layers[0].source == "card"


def test_unnamed_layers_are_called_by_their_number(read: Read) -> None:
    assert [x.name for x in read(SOURCE + "[[layer]]\n[[layer]]\n").layers] == ["layer1", "layer2"]


@pytest.mark.parametrize(
    ("size", "picture"),
    [((1280, 720), (512, 288)), ((512, 512), (512, 512)), ((1080, 1920), (288, 512)), ((4000, 16), (512, 16))],
)
def test_the_generators_picture_has_the_shape_of_the_stage(
    read: Read, size: tuple[int, int], picture: tuple[int, int]
) -> None:
    show = read(f"[show]\nsize = {list(size)}\n{SOURCE}{LAYER}")
    assert show.layers[0].resolution == picture


def test_fallback_and_initial_values_of_a_source(read: Read) -> None:
    show = read(f'{SOURCE}fallback = "other"\nset = {{ speed = 0.5 }}\n[source.other]\ntype = "testcard"\n{LAYER}')
    assert show.sources["card"].fallback == "other"
    assert show.values()["/source/card/speed"] == 0.5


def test_cues(read: Read) -> None:
    show = read(
        SOURCE + LAYER + '[[cue]]\nname = "calm"\nfade = 4\nat = 2.5\nset = { "/layer/dream/opacity" = 0.0 }\n'
        '[[cue]]\nname = "storm"\nfollow = 3\neasing = "in"\n[cue.set]\n"/layer/dream/world" = "landscape"\n'
    )
    calm, storm = show.cues
    assert (calm.name, calm.fade, calm.at, calm.follow, dict(calm.set)) == (
        "calm",
        4.0,
        2.5,
        None,
        {"/layer/dream/opacity": 0.0},
    )
    assert (storm.fade, storm.follow, storm.easing) == (0.0, 3.0, "in")
    assert show.worlds == ("landscape",)
    assert show.lines["cue calm /layer/dream/opacity"] == 10


def test_master_record_and_sinks(read: Read) -> None:
    show = read(SOURCE + LAYER + '[master]\ngamma = 1.2\n[window]\nfullscreen = true\n[sink.nothing]\ntype = "null"\n')
    assert show.values()["/master/gamma"] == 1.2
    assert show.window.keys == {"fullscreen": True}
    assert show.sinks["nothing"].type == "null"


def test_engine(read: Read) -> None:
    assert read(SOURCE + LAYER).engine is None
    engine = read(SOURCE + LAYER + '[engine]\ntype = "openvino"\nprecision = "int8"\n').engine
    assert engine is not None
    assert (engine.type, engine.keys) == ("openvino", {"precision": "int8"})


def test_a_folder_is_its_show_toml(tmp_path: Path) -> None:
    (tmp_path / "show.toml").write_text(SOURCE + LAYER)
    assert load(tmp_path).path == tmp_path / "show.toml"


def test_folders_beside_the_show_come_first(read: Read, tmp_path: Path) -> None:
    (tmp_path / "patches" / "filters").mkdir(parents=True)
    (tmp_path / "patches" / "filters" / "mine.fs").write_text("")
    show = read(SOURCE + LAYER + 'filters = ["mine", "filters/blur.fs"]\n')
    assert show.patches[0] == tmp_path / "patches"
    assert show.layers[0].filters == ("mine", "filters/blur.fs")


def test_a_world_beside_the_show_comes_before_one_of_its_name_elsewhere(read: Read, tmp_path: Path) -> None:
    for folder in ("models", "old", "models/ours", "old/ours"):
        (tmp_path / folder).mkdir()
    for folder in ("models/ours", "old/ours"):
        (tmp_path / folder / "card.toml").write_text("")
    show = read(f'[show]\nmodels = ["old"]\npatches = ["old"]\n{SOURCE}{LAYER}world = "ours"\n')
    assert show.models[:2] == (tmp_path / "models", tmp_path / "old")
    assert show.patches[0] == tmp_path / "old"


def test_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "show.toml").write_bytes(b"\xef\xbb\xbf" + (SOURCE + LAYER).encode())
    assert load(tmp_path).name == "untitled"


def test_what_lies_beside_a_still_can_be_pasted_in(read: Read) -> None:
    values = {"/layer/dream/opacity": 0.5, "/layer/dream/blend": "screen"}
    text = preset("2026-11-23 11.54.05 at 00m01.000s.png", Still(np.zeros((2, 2, 4), np.uint8), 1.0, values))
    (cue,) = read(SOURCE + LAYER + text).cues
    assert dict(cue.set) == values


def test_a_source_sets_what_lies_deeper(read: Read) -> None:
    source = '[source.a]\ntype = "shader"\npatch = "drift"\nset = { "time/speed" = 0.5 }\n'
    assert read(source + "[[layer]]\n").values()["/source/a/time/speed"] == 0.5
