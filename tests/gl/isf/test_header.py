"""Headers: every key of both versions of the specification, and files as they are found in the wild. No GL."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from perform.gl.isf.header import Header, PatchError, parse, read

BODY = "\nvoid main() { gl_FragColor = vec4(1.0); }\n"


def header(text: str, path: str = "a.fs") -> Header:
    return parse(f"/*{text}*/{BODY}", Path(path))


def only(text: str) -> tuple[object, ...]:
    """(type, default, lo, hi) of a header with one input."""
    entry = header('{"INPUTS": [{"NAME": "x", ' + text + "}]}").inputs[0]
    return entry.type, entry.default, entry.lo, entry.hi


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"TYPE": "float"', ("float", 0.0, 0.0, 1.0)),
        ('"TYPE": "float", "DEFAULT": 3, "MIN": -1, "MAX": 5', ("float", 3.0, -1.0, 5.0)),
        ('"TYPE": "float", "DEFAULT": 3', ("float", 3.0, 0.0, 3.0)),
        ('"TYPE": "float", "DEFAULT": 9, "MIN": 0, "MAX": 5', ("float", 5.0, 0.0, 5.0)),
        ('"TYPE": "float", "MIN": 5, "MAX": 1', ("float", 1.0, 1.0, 5.0)),
        ('"TYPE": "FLOAT", "DEFAULT": "0.25"', ("float", 0.25, 0.0, 1.0)),
        ('"TYPE": "float", "DEFAULT": 1e999', ("float", 0.0, 0.0, 1.0)),
        ('"TYPE": "bool", "DEFAULT": true', ("bool", True, None, None)),
        ('"TYPE": "bool", "DEFAULT": 1.0', ("bool", True, None, None)),
        ('"TYPE": "bool"', ("bool", False, None, None)),
        ('"TYPE": "event"', ("event", False, None, None)),
        ('"TYPE": "color", "DEFAULT": [1, 0.5, 0, 0.25]', ("color", (1.0, 0.5, 0.0, 0.25), None, None)),
        ('"TYPE": "color", "DEFAULT": [1, 0.5, 0]', ("color", (1.0, 0.5, 0.0, 1.0), None, None)),
        ('"TYPE": "color"', ("color", (1.0, 1.0, 1.0, 1.0), None, None)),
        ('"TYPE": "long", "DEFAULT": 4, "MIN": 1, "MAX": 8', ("long", 4, 1, 8)),
        ('"TYPE": "image"', ("image", None, None, None)),
        ('"TYPE": "audio", "MAX": 256', ("audio", None, None, 256.0)),
        ('"TYPE": "audioFFT"', ("audioFFT", None, None, None)),
        ('"TYPE": "point2D", "MIN": [0, 0], "MAX": [1, 1]', ("point2D", (0.5, 0.5), (0.0, 0.0), (1.0, 1.0))),
        ('"TYPE": "point2D", "DEFAULT": [64, 36]', ("point2D", (64.0, 36.0), None, None)),
        ('"TYPE": "point2D", "DEFAULT": [0.2, 0.3]', ("point2D", (0.2, 0.3), (0.0, 0.0), (1.0, 1.0))),
        ('"TYPE": "point2D", "DEFAULT": [-0.5, 0]', ("point2D", (-0.5, 0.0), (-0.5, -0.5), (1.0, 1.0))),
    ],
)
def test_every_input_type(text: str, expected: tuple[object, ...]) -> None:
    assert only(text) == expected


def test_a_point_with_neither_range_nor_default_is_relative_to_the_picture() -> None:
    inputs = [{"NAME": "x", "TYPE": "point2D"}, {"NAME": "y", "TYPE": "point2D", "DEFAULT": [0, 0]}]
    found = header(json.dumps({"INPUTS": inputs}))
    assert [(i.relative, i.default) for i in found.inputs] == [(True, (0.5, 0.5)), (True, (0.0, 0.0))]


def test_a_long_has_values_and_labels() -> None:
    text = '{"INPUTS": [{"NAME": "m", "TYPE": "long", "VALUES": [2, 4, 8], "LABELS": ["a", "b"], "DEFAULT": 4}]}'
    entry = header(text).inputs[0]
    assert (entry.values, entry.labels, entry.default) == ((2, 4, 8), ("a", "b", "8"), 4)
    entry = header('{"INPUTS": [{"NAME": "m", "TYPE": "long", "LABELS": ["a", "b"], "DEFAULT": 7}]}').inputs[0]
    assert (entry.values, entry.labels, entry.default) == ((0, 1), ("a", "b"), 0)


def test_the_kind_follows_the_conventions() -> None:
    def kind(*names: str) -> str:
        inputs = [{"NAME": n, "TYPE": "image"} for n in names] + [{"NAME": "progress", "TYPE": "float"}]
        return header(json.dumps({"INPUTS": inputs})).kind

    assert kind() == "source"
    assert kind("mask") == "source"
    assert kind("inputImage") == "filter"
    assert kind("startImage", "endImage") == "transition"
    assert kind("bottom", "top") == "blend"


def test_passes_of_version_2() -> None:
    found = header(
        '{"INPUTS": [{"NAME": "q", "TYPE": "float"}], "PASSES": ['
        '{"TARGET": "a", "WIDTH": "$WIDTH / 2", "HEIGHT": 16, "PERSISTENT": "true", "FLOAT": 1},'
        '{"TARGET": "b", "WIDTH": "$q * 4"}, {}]}'
    )
    first, second, last = found.passes
    assert (first.target, first.persistent, first.float) == ("a", True, True)
    assert first.width is not None
    assert first.height is not None
    assert (first.width({"WIDTH": 64.0}), first.height({})) == (32.0, 16.0)
    assert (second.persistent, second.float, second.height) == (False, False, None)
    assert (last.target, last.width) == ("", None)
    assert found.targets == ("a", "b")


def test_passes_of_version_1() -> None:
    found = header('{"PERSISTENT_BUFFERS": {"a": {"WIDTH": "16", "FLOAT": true}}, "PASSES": [{"TARGET": "a"}, {}]}')
    assert (found.passes[0].persistent, found.passes[0].float) == (True, True)
    assert found.passes[0].width is not None
    found = header('{"PERSISTENT_BUFFERS": ["a"], "PASSES": [{"TARGET": "a"}, {"TARGET": "b"}]}')
    assert [p.persistent for p in found.passes] == [True, False]


def test_imported_images_as_dict_list_and_cube() -> None:
    found = header('{"IMPORTED": {"a": {"PATH": "x/a.png"}, "b": "b.png"}}', "/p/a.fs").imported
    assert found == {"a": (Path("/p/x/a.png"),), "b": (Path("/p/b.png"),)}
    found = header('{"IMPORTED": [{"NAME": "c", "PATH": ["0", "1", "2", "3", "4", "5"]}]}', "/p/a.fs").imported
    assert len(found["c"]) == 6
    assert header('{"IMPORTED": {"t": {"PASSINDEX": 0}}, "PASSES": [{"TARGET": "t"}]}').imported == {}


def test_description_credit_and_categories() -> None:
    found = header('{"DESCRIPTION": " nice ", "CREDIT": "me", "CATEGORIES": ["A", "B"]}')
    assert (found.description, found.credit, found.categories) == ("nice", "me", ("A", "B"))
    assert header('{"CATEGORIES": "A", "DESCRIPTION": null}').categories == ("A",)


def test_lines_stay_where_they_are() -> None:
    found = parse('// before\n/*{\n"ISFVSN": "2"\n}*/\nvoid main() {}\n', Path("a.fs"))
    assert found.body.split("\n")[4] == "void main() {}"


def test_a_comment_end_inside_a_text_does_not_end_the_header() -> None:
    found = header('{"DESCRIPTION": "a*/b", "CREDIT": "me"}')
    assert (found.description, found.credit) == ("a*/b", "me")
    assert "void main" in found.body


@pytest.mark.parametrize(
    ("data", "ends"),
    [
        (b'\xef\xbb\xbf/*{"CREDIT": "\xc3\xa9"}*/\nvoid main() {}', "é"),
        (b'/*{"CREDIT": "\xe9"}*/\r\nvoid main() {}\r\n', "é"),
        ('/*{"CREDIT": "é"}*/\nvoid main() {}'.encode("utf-16"), "é"),
        (b'/*{"CREDIT": "mac"}*/\rvoid main() {}\r', "mac"),
    ],
)
def test_every_encoding_and_line_end(tmp_path: Path, data: bytes, ends: str) -> None:
    path = tmp_path / "a.fs"
    path.write_bytes(data)
    found = read(path)
    assert found.credit == ends
    assert found.body.split("\n")[1] == "void main() {}"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ('/*{\n"INPUTS": [\n{"NAME": }]}*/', 3, "not JSON: expected a value"),
        ('\n/*{"INPUTS": [{"NAME": "a b", "TYPE": "float"}]}*/', 2, "named 'a b'"),
        ('/*{"INPUTS": [{"NAME": "a", "TYPE": "flot"}]}*/', 1, "type 'flot'; one of event, bool"),
        ('/*{"INPUTS": [{"NAME": "TIME", "TYPE": "float"}]}*/', 1, "named 'TIME', which every patch has already"),
        ('/*{"INPUTS": 3}*/', 1, "INPUTS must be a list"),
        ('/*{"PASSES": [{"TARGET": "a", "WIDTH": "$nope"}]}*/', 1, r"reads \$nope, which is no input"),
        (
            '/*{"INPUTS": [{"NAME": "at", "TYPE": "point2D"}], "PASSES": [{"TARGET": "a", "WIDTH": "$at"}]}*/',
            1,
            r"reads \$at, which is no input that is a number",
        ),
        ('/*{"PASSES": [{"TARGET": "a", "WIDTH": "1 +"}]}*/', 1, "ends too early"),
        ('/*{"PASSES": [{"TARGET": "a-b"}]}*/', 1, "named 'a-b'"),
        ('/*{"IMPORTED": {"a": {}}}*/', 1, "needs a PATH"),
        ("float x;", 0, "neither mainImage"),
        ("", 0, "neither mainImage"),
        ("void main() { gl_Position = vec4(0.0); }", 0, "is a vertex shader"),
    ],
)
def test_what_is_wrong_has_file_and_line(text: str, line: int, says: str) -> None:
    with pytest.raises(PatchError, match=says) as caught:
        parse(text, Path("x.fs"))
    assert (caught.value.file, caught.value.line) == ("x.fs", line)
    assert str(caught.value).startswith("x.fs:")


def test_files_that_are_no_text_or_not_there(tmp_path: Path) -> None:
    (tmp_path / "binary.fs").write_bytes(b"\x7fELF\0\0\0")
    (tmp_path / "huge.fs").write_bytes(b" " * (5 << 20))
    for name, says in (("binary.fs", "not a text file"), ("huge.fs", "larger than"), ("none.fs", "No such file")):
        with pytest.raises(PatchError, match=says):
            read(tmp_path / name)


def test_an_ordinary_comment_is_no_header() -> None:
    found = parse("/* { nice } */ void mainImage(out vec4 c, in vec2 p) { c = vec4(1.0); }", Path("a.frag"))
    assert found.dialect == "shadertoy"


def test_shadertoy_channels_and_mouse_become_inputs() -> None:
    body = "void mainImage(out vec4 c, in vec2 p) { c = texture(iChannel1, iMouse.xy); } // iChannel0"
    found = parse(body, Path("a.frag"))
    assert [(i.name, i.type) for i in found.inputs] == [("iChannel1", "image"), ("iMouse", "point2D")]


def test_plain_uniforms_become_inputs() -> None:
    body = """uniform float time, amount; uniform vec2 resolution, mouse, at; uniform sampler2D backbuffer, picture;
    uniform int mode; uniform vec4 tint; uniform bool on; uniform vec3 other;
    void main() {}"""
    found = parse(body, Path("a.frag"))
    assert found.dialect == "glsl"
    types = {i.name: i.type for i in found.inputs}
    assert types == {
        "amount": "float", "mouse": "point2D", "at": "point2D", "picture": "image", "mode": "long", "tint": "color",
        "on": "bool", "other": "color",
    }  # fmt: skip
    assert (found.passes[0].target, found.passes[0].persistent) == ("backbuffer", True)
