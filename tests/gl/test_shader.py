"""Programs: pixels, uniforms of every type, errors with lines, blending."""

from __future__ import annotations

import numpy as np
import pytest

from perform.gl.context import Context
from perform.gl.lib import gl as library
from perform.gl.shader import Program, ShaderError, explain
from perform.gl.target import Target, Texture
from perform.gl.transfer import read, read_float, upload

HEAD = "#version 330 core\nin vec2 uv;\nout vec4 color;\n"


@pytest.fixture
def target(gl: Context) -> Target:
    return Target(8, 4)


def draw(target: Target, body: str, **uniforms: object) -> tuple[float, ...]:
    """The bottom left pixel of what a fragment shader body paints."""
    big = Target(target.width, target.height, "rgba32f")
    Program(HEAD + body).draw(big, {}, uniforms)  # type: ignore[arg-type]
    assert library.glGetError() == 0
    return tuple(read_float(big.texture)[0, 0].tolist())


def test_uv_runs_from_the_bottom_left(target: Target) -> None:
    Program(HEAD + "void main() { color = vec4(uv, 0.0, 1.0); }").draw(target)
    pixels = read(target.texture)
    assert pixels.shape == (4, 8, 4)
    assert pixels[0, 0].tolist() == [16, 32, 0, 255]
    assert pixels[-1, -1].tolist() == [239, 223, 0, 255]


def test_every_uniform_type_arrives(target: Target) -> None:
    body = "uniform float a; uniform vec2 b; uniform int c; void main() { color = vec4(a, b, c); }"
    assert draw(target, body, a=0.5, b=(1.5, 2.5), c=-3) == (0.5, 1.5, 2.5, -3)
    body = "uniform bool a; uniform ivec2 b; uniform uint c; void main() { color = vec4(a, b, c); }"
    assert draw(target, body, a=True, b=(4, -5), c=7) == (1, 4, -5, 7)
    body = "uniform vec3 a; uniform vec4 b; void main() { color = vec4(a, b.w); }"
    assert draw(target, body, a=(1, 2, 3), b=(0, 0, 0, 9)) == (1, 2, 3, 9)
    body = "uniform mat2 a; void main() { color = vec4(a[0], a[1]); }"
    assert draw(target, body, a=(1, 2, 3, 4)) == (1, 2, 3, 4)
    body = "uniform int a[4]; void main() { color = vec4(a[0], a[1], a[2], a[3]); }"
    assert draw(target, body, a=(4, 3, 2, 1)) == (4, 3, 2, 1)
    body = "uniform float a[4]; void main() { color = vec4(a[0], a[1], a[2], a[3]); }"
    assert draw(target, body, a=(4, 3, 2, 1)) == (4, 3, 2, 1)


def test_a_uniform_keeps_its_value_and_unknown_names_are_ignored(target: Target) -> None:
    program = Program(HEAD + "uniform float level; uniform float gone; void main() { color = vec4(level); }")
    assert program.uniforms == {"level"}
    program.draw(target, {}, {"level": 1.0, "gone": 3.0, "never": 1.0})
    target.clear()
    program.draw(target)
    assert read(target.texture).min() == 255


def test_textures_are_told_apart(target: Target) -> None:
    red, green = Texture.make(1, 1), Texture.make(1, 1)
    upload(red, np.array([[[255, 0, 0, 255]]], np.uint8))
    upload(green, np.array([[[0, 255, 0, 255]]], np.uint8))
    body = "uniform sampler2D a, b; void main() { color = uv.x < 0.5 ? texture(a, uv) : texture(b, uv); }"
    program = Program(HEAD + body)
    assert program.samplers == {"a", "b"}
    program.draw(target, {"a": red, "b": green, "c": red})
    pixels = read(target.texture)
    assert pixels[0, 0].tolist() == [255, 0, 0, 255]
    assert pixels[0, 7].tolist() == [0, 255, 0, 255]


def test_blend_lays_premultiplied_over(target: Target) -> None:
    target.clear(0.0, 0.0, 1.0, 1.0)
    Program(HEAD + "void main() { color = vec4(0.5, 0.0, 0.0, 0.5); }").draw(target, blend=True)
    assert read(target.texture)[0, 0].tolist() == pytest.approx([128, 0, 128, 255], abs=1)


def test_an_own_vertex_shader_draws_a_quad(target: Target) -> None:
    vertex = """#version 330 core
    out vec2 uv;
    void main() { uv = vec2(gl_VertexID & 1, gl_VertexID >> 1); gl_Position = vec4(uv - 1.0, 0.0, 1.0); }"""
    Program(HEAD + "void main() { color = vec4(1.0); }", vertex).draw(target)
    pixels = read(target.texture)[..., 0]
    assert pixels[0, 0] == 255
    assert pixels[0, 7] == 0
    assert pixels[3, 0] == 0


def test_an_error_names_file_and_line(gl: Context) -> None:
    with pytest.raises(ShaderError) as caught:
        Program(HEAD + "void main() {\n  color = vec4(nothing);\n}", name="x.fs")
    assert (caught.value.file, caught.value.line) == ("x.fs", 5)
    assert "nothing" in caught.value.message
    assert str(caught.value).startswith("x.fs:5: ")


def test_a_source_without_version_counts_its_own_lines(gl: Context) -> None:
    with pytest.raises(ShaderError) as caught:
        Program("out vec4 color;\nvoid main() { color = 1; }")
    assert caught.value.line == 2


def test_a_mistake_of_the_preprocessor_has_its_line(gl: Context) -> None:
    with pytest.raises(ShaderError) as caught:
        Program(HEAD + "void main() {\n#ifdef SIDE\n  color = vec4(1.0);\n}\n", name="x.fs")
    assert caught.value.line >= 5  # where it begins, or where the file ends: as the driver sees it


def test_an_error_in_the_vertex_shader_names_it(gl: Context) -> None:
    with pytest.raises(ShaderError, match=r"^x\.vs:2: "):
        Program(HEAD + "void main() { color = vec4(1.0); }", "void main() {\n oops; }", "x.fs", "x.vs")


def test_a_program_that_does_not_link_says_why(gl: Context) -> None:
    with pytest.raises(ShaderError) as caught:
        Program("in vec3 uv; out vec4 color; void main() { color = vec4(uv, 1.0); }", name="x.fs")
    assert "uv" in caught.value.message
    with pytest.raises(ShaderError, match="NUL"):
        Program("void main() {\n\0}")


@pytest.mark.parametrize(
    ("log", "line", "text"),
    [
        ("0:12(5): warning: hm\n0:13(5): error: `foo' undeclared", 13, "`foo' undeclared"),
        ("0:6(21): preprocessor error: syntax error, unexpected NEWLINE", 6, "syntax error, unexpected NEWLINE"),
        ("0:2(1): preprocessor warning: hm\n0:9(3): preprocessor error: Unterminated #if", 9, "Unterminated #if"),
        ('0(7) : warning C7050: x\n0(8) : error C1503: undefined variable "foo"', 8, 'undefined variable "foo"'),
        ("ERROR: 0:21: 'foo' : undeclared identifier", 21, "'foo' : undeclared identifier"),
        ("\n  something else\n", 0, "something else"),
        ("", 0, "the driver gave no reason"),
    ],
)
def test_logs_of_every_driver_are_understood(log: str, line: int, text: str) -> None:
    error = explain("x.fs", log)
    assert (error.line, error.message) == (line, text)


def test_unsupported_uniforms_are_refused_by_name(gl: Context) -> None:
    with pytest.raises(ShaderError, match="volume"):
        Program(HEAD + "uniform sampler3D volume; void main() { color = texture(volume, vec3(uv, 1.0)); }")


def test_closing_twice_is_fine(gl: Context) -> None:
    program = Program(HEAD + "void main() { color = vec4(1.0); }")
    program.close()
    program.close()
    assert library.glGetError() == 0
