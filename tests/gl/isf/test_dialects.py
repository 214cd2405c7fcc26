"""Shaders of other times and places: GLSL 1.10 to 3.30, ES, ISF 1, Shadertoy, plain fragment shaders."""

from __future__ import annotations

from pathlib import Path

import pytest

from perform.gl.isf import PatchError
from perform.gl.transfer import read
from tests.gl.isf.conftest import Bench, Write

IMAGE = [{"NAME": "inputImage", "TYPE": "image"}]
GREEN = [0, 255, 0, 255]

OLD = {
    "texture2D": "void main() { gl_FragColor = texture2D(inputImage, vv_FragNormCoord); }",
    "texture2D with bias": "void main() { gl_FragColor = texture2D(inputImage, isf_FragNormCoord, 0.0); }",
    "rectangle": "void main() { gl_FragColor = texture2DRect(inputImage, vec2(0.5)); }",
    "lod": "void main() { gl_FragColor = texture2DLod(inputImage, vec2(0.5), 0.0); }",
    "projection": "void main() { gl_FragColor = texture2DProj(inputImage, vec3(0.5, 0.5, 1.0)); }",
    "fragment data": "void main() { gl_FragData[0] = texture2D(inputImage, gl_TexCoord[0].xy); }",
    "new style": "#version 330\nout vec4 mine;\nvoid main() { mine = texture(inputImage, isf_FragNormCoord); }",
    "layout": "layout(location = 0) out vec4 mine;\nvoid main() { mine = IMG_THIS_NORM_PIXEL(inputImage); }",
    "the other order": "void main() { gl_FragColor = IMG_NORM_THIS_PIXEL(inputImage); }",
    "spaces of a web page": "void\u00a0main()\u3000{\n\u00a0\u00a0gl_FragColor =\u200b IMG_THIS_PIXEL(inputImage); }",
    "a default": "void main() { float default = 0.0; int n = int(TIME);\n"
    "switch (n) { case 9: break; default: default += 1.0; }\ngl_FragColor = IMG_THIS_PIXEL(inputImage) * default; }",
    "version": "#version 120\n#extension GL_ARB_texture_rectangle : enable\n"
    "#extension GL_ARB_gpu_shader5 : enable\nvoid main() { gl_FragColor = IMG_THIS_PIXEL(inputImage); }",
    "es": "#ifdef GL_ES\nprecision mediump float;\n#endif\nprecision highp float;\n"
    "void main() { lowp vec4 c = IMG_THIS_PIXEL(inputImage); gl_FragColor = c; }",
    "version test": "#if __VERSION__ <= 120\n#error old\n#endif\n"
    "void main() { gl_FragColor = IMG_THIS_PIXEL(inputImage); }",
    "texture as a name": "void main() { vec4 texture = texture2D(inputImage, vec2(0.5)); gl_FragColor = texture; }",
    "reserved names": "struct S { vec4 sample; };\n"
    "vec4 filter(vec4 input) { S s; s.sample = input; return s.sample; }\n"
    "void main() { vec4 output = filter(IMG_THIS_PIXEL(inputImage)); float half = 1.0, active = half; "
    "gl_FragColor = output * active; }",
    "keywords as names": "void main() { float smooth = 1.0; float flat = smooth; "
    "gl_FragColor = IMG_THIS_PIXEL(inputImage) * smooth * flat; }",
    "integers": "void main() { float one = 1; vec4 c = IMG_THIS_PIXEL(inputImage) * one; gl_FragColor = max(c, 0); }",
    "integers as results": "float one() { return 1; }\n"
    "void main() { uint n = 1; gl_FragColor = IMG_THIS_PIXEL(inputImage) * one() * n; }",
    "const arrays": "const float k[3] = float[3](0.5, 0.25, 0.25);\nvoid main() { float s = 0.0; "
    "for (int i = 0; i < 3; i++) s += k[i]; gl_FragColor = IMG_THIS_PIXEL(inputImage) * s; }",
    "globals from uniforms": "float aspect = RENDERSIZE.x / RENDERSIZE.y;\n"
    "void main() { gl_FragColor = IMG_THIS_PIXEL(inputImage) * (aspect / aspect); }",
    "const from a uniform": "void main() { const float k = 1.0 + TIME * 0.0; "
    "gl_FragColor = IMG_THIS_PIXEL(inputImage) * k; }",
    "declared again": "uniform float TIME; uniform vec2 RENDERSIZE; uniform sampler2D inputImage;\n"
    "varying vec2 isf_FragNormCoord;\nvoid main() { gl_FragColor = IMG_THIS_PIXEL(inputImage); }",
    "macros twice": "#define A 0.0\n#define A 1.0\nvoid main() { gl_FragColor = IMG_THIS_PIXEL(inputImage) * A; }",
    "a comment that ends in a backslash": "// look: \\\n"
    "void main() { gl_FragColor = IMG_THIS_PIXEL(inputImage); } // \\",
    "main returns early": "void main(void) { gl_FragColor = IMG_THIS_PIXEL(inputImage); if (TIME >= 0.0) return; "
    "gl_FragColor = vec4(1.0); }",
    "mainImage in ISF": "void mainImage(out vec4 c, in vec2 p) { c = IMG_NORM_PIXEL(inputImage, p / RENDERSIZE); }",
    "reads its output": "void main() { gl_FragColor.g = 0.5; gl_FragColor.ga += vec2(0.5, 1.0); }",
    "an overloaded built-in": "vec2 mod(vec2 a, bool b) { return b ? a : -a; }\nfloat length(vec2 v) { return 1.0; }\n"
    "void main() { vec2 p = mod(vec2(1.0), true); float k = mod(3.0, 2.0) * length(vec3(0.0, 1.0, 0.0)) * length(p);\n"
    "gl_FragColor = IMG_THIS_PIXEL(inputImage) * k * mod(p, 2.0).x; }",
    "a replaced built-in": "float distance(vec2 a, vec2 b) { return 1.0; }\n"
    "void main() { gl_FragColor = IMG_THIS_PIXEL(inputImage) * distance(vec2(0.0), vec2(9.0)); }",
    "a macro of a built-in": "#define D min(a, b)\n#define E abs(b);\n#define E max(1, 0);\n"
    "void main() { int a = 3, b = 1; b = min(D, abs(-1)); b *= E gl_FragColor = IMG_THIS_PIXEL(inputImage) * b; }",
    "an overloaded built-in that is declared first": "vec2 mod(vec2 a, bool b);\n"
    "void main() { gl_FragColor = IMG_THIS_PIXEL(inputImage) * mod(vec2(1.0), true).x * mod(3.0, 2.0); }\n"
    "#ifdef NEVER\n#else\nvec2 mod(vec2 a, bool b) { return b ? a : -a; }\n#endif\n",
    "writes to gl_FragCoord": "void main() { gl_FragCoord.xy -= 0.5; gl_FragCoord = gl_FragCoord * 0.0 + 0.5;\n"
    "gl_FragColor = IMG_NORM_PIXEL(inputImage, gl_FragCoord.xy); }",
    "derivatives": "#extension GL_OES_standard_derivatives : enable\n"
    "void main() { gl_FragColor = IMG_THIS_PIXEL(inputImage) + dFdx(TIME); }",
}


@pytest.mark.parametrize("name", OLD)
def test_shaders_of_all_times(bench: Bench, write: Write, name: str) -> None:
    assert bench.pixel(write(OLD[name], INPUTS=IMAGE), inputImage=bench.picture([[GREEN]])) == GREEN


@pytest.mark.parametrize(
    "name", ["sample", "input", "filter", "smooth", "texture", "partition", "case", "default", "double"]
)
def test_inputs_with_names_that_glsl_keeps(bench: Bench, write: Write, name: str) -> None:
    path = write(f"void main() {{ gl_FragColor = vec4({name}); }}", INPUTS=[{"NAME": name, "TYPE": "float"}])
    assert bench.pixel(path, **{name: 1.0}) == [255] * 4


def test_an_input_called_like_a_function_that_is_called_too(bench: Bench, write: Write) -> None:
    path = write("void main() { gl_FragColor = vec4(pow(pow, 1.0)); }", INPUTS=[{"NAME": "pow", "TYPE": "float"}])
    assert bench.pixel(path, pow=1.0) == [255] * 4


def test_an_image_called_texture(bench: Bench, write: Write) -> None:
    path = write(
        "void main() { gl_FragColor = IMG_THIS_PIXEL(texture); }", INPUTS=[{"NAME": "texture", "TYPE": "image"}]
    )
    assert bench.pixel(path, texture=bench.picture([[GREEN]])) == GREEN


def test_a_first_version_file(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "old.fs"
    path.write_text(
        '/*{"CREDIT": "x", "PERSISTENT_BUFFERS": ["acc"], "PASSES": [{"TARGET": "acc"}, {}]}*/\n'
        "void main() { if (PASSINDEX == 0) gl_FragColor = IMG_NORM_PIXEL(acc, vv_FragNormCoord) + 0.2;\n"
        "else gl_FragColor = IMG_THIS_PIXEL(acc); }",
        encoding="utf-8",
    )
    patch = bench.open(path)
    patch.render((2, 2), 0.0)
    assert read(patch.render((2, 2), 0.1))[0, 0].tolist() == [102] * 4


def test_lines_in_redefined_macros_and_after_directives(bench: Bench, write: Write) -> None:
    body = "#version 120\n#define A 1\n#define A 2\n#line 99\nvoid main() {\n  gl_FragColor = oops;\n}"
    with pytest.raises(PatchError) as caught:
        bench.open(write(body))
    assert caught.value.line == 7


# ------------------------------------------------------------------ Shadertoy and plain
def toy(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "toy.frag"
    path.write_text(text, encoding="utf-8")
    return path


def test_shadertoy_time_size_and_alpha(bench: Bench, tmp_path: Path) -> None:
    text = "void mainImage(out vec4 c, in vec2 p) { c = vec4(p / iResolution.xy, iTime / 10.0, 0.0); }"
    pixels = bench.pixels(toy(tmp_path, text), (8, 4), now=5.0)
    assert pixels[0, 0].tolist() == [16, 32, 128, 255]


def test_shadertoy_frames_dates_and_mouse(bench: Bench, tmp_path: Path) -> None:
    text = """void mainImage(out vec4 c, in vec2 p) {
        c = vec4(float(iFrame) / 5.0, iTimeDelta * 4.0, iDate.y / 51.0, 1.0);
        if (p.x > 1.0) c = vec4(iMouse.xy / iResolution.xy, iFrameRate / 51.0, 1.0);
    }"""
    patch = bench.open(toy(tmp_path, text))
    for now in (0.0, 0.1):
        pixels = read(patch.render((2, 1), now, {"iMouse": (0.2, 0.4)}, (2030.0, 11.0, 1.0, 0.0)))
    assert pixels[0, 0].tolist() == [51, 102, 50, 255]
    assert pixels[0, 1].tolist() == [51, 102, 50, 255]


def test_shadertoy_channels(bench: Bench, tmp_path: Path) -> None:
    text = """void mainImage(out vec4 c, in vec2 p) {
        c = texture(iChannel0, p / iResolution.xy);
        if (p.x > 1.0) c = vec4(iChannelResolution[1].xy / 100.0, iChannelTime[0], 1.0);
        c += texture(iChannel1, p) * 0.0;
    }"""
    path = toy(tmp_path, text)
    picture, other = bench.picture([[GREEN]]), bench.picture([[GREEN] * 20] * 10)
    pixels = bench.pixels(path, (2, 1), now=0.2, iChannel0=picture, iChannel1=other)
    assert pixels[0, 0].tolist() == GREEN
    assert pixels[0, 1].tolist() == [51, 26, 51, 255]
    assert bench.pixels(path, (2, 1), inputImage=picture)[0, 0].tolist() == GREEN  # in a chain of filters


def test_shadertoy_channels_are_noise_while_nobody_supplies_them(bench: Bench, tmp_path: Path) -> None:
    text = "void mainImage(out vec4 c, in vec2 p) { c = texture(iChannel0, p / 256.0); }"
    pixels = bench.pixels(toy(tmp_path, text), (64, 64))
    assert 100 < pixels[..., 0].mean() < 155
    assert pixels[..., 0].std() > 50


def test_a_plain_shader(bench: Bench, tmp_path: Path) -> None:
    text = """#ifdef GL_ES
    precision mediump float;
    #endif
    uniform float time;
    uniform vec2 resolution, mouse;
    uniform float amount;
    varying vec2 surfacePosition;
    void main() { gl_FragColor = vec4(gl_FragCoord.xy / resolution, time / 10.0, mouse.x + amount); }"""
    pixels = bench.pixels(toy(tmp_path, text), (8, 4), now=5.0, mouse=(0.3, 0.0))
    assert pixels[0, 0].tolist() == [16, 32, 128, 204]


def test_a_plain_shader_with_a_back_buffer(bench: Bench, tmp_path: Path) -> None:
    text = """uniform sampler2D backbuffer; uniform vec2 u_mouse;
    void main() { gl_FragColor = texture2D(backbuffer, vec2(0.5)) + 0.2 + u_mouse.x * 0.0; }"""
    patch = bench.open(toy(tmp_path, text))
    for _ in range(3):
        pixels = read(patch.render((2, 2), 0.0))
    assert pixels[0, 0].tolist() == [153] * 4


@pytest.mark.parametrize(
    "text",
    [
        "uniform vec2 iResolution; uniform float iTime;\n"
        "void mainImage(out vec4 c, in vec2 p) { c = vec4(p / iResolution, iTime / 10.0, 0.0); }",
        "uniform vec2 iResolution; uniform vec2 iMouse; uniform float iTime;\n"
        "void main() { vec2 m = iMouse; gl_FragColor = vec4(gl_FragCoord.xy / iResolution + m, iTime / 10.0, 1.0); }",
        "uniform vec3 resolution; uniform float time;\n"
        "void main() { vec3 r = resolution; gl_FragColor = vec4(gl_FragCoord.xy / r.xy, time / 10.0, r.z); }",
        "uniform vec3 resolution, u_mouse; uniform float frame, time;\n"
        "void main() { vec3 m = u_mouse * frame; gl_FragColor = vec4(gl_FragCoord.xy / resolution.xy, time / 10.0, 1.0)"
        " + m.xyzx; }",
    ],
)
def test_a_stranger_keeps_its_own_vectors(bench: Bench, tmp_path: Path, text: str) -> None:
    assert bench.pixels(toy(tmp_path, text), (8, 4), now=5.0)[0, 0].tolist() == [16, 32, 128, 255]


def test_three_numbers_are_a_colour(bench: Bench, tmp_path: Path) -> None:
    text = "uniform vec3 u_color;\nvoid main() { vec3 c = u_color; gl_FragColor = vec4(c, 1.0); }"
    path = toy(tmp_path, text)
    assert bench.pixel(path) == [255] * 4
    assert bench.pixel(path, u_color=(0.2, 0.4, 0.6, 0.0)) == [51, 102, 153, 255]


@pytest.mark.parametrize(
    "text",
    [
        "uniform vec2 resolution; uniform float u_time;\nfloat time = u_time * 0.5;\n"
        "float frame(vec2 p) { return step(0.0, p.x); }\n"
        "void main() { vec2 p = gl_FragCoord.xy / resolution; gl_FragColor = vec4(p, time / 5.0, frame(p)); }",
        "float TIME, DATE = 1.0;\nstruct FRAMEINDEX { float a; };\n"
        "#define LATER \\\n    float iTimeDelta = iTime;\n"
        "void mainImage(out vec4 c, in vec2 p) {\n"
        "TIME = iTime; c = vec4(p / iResolution.xy, TIME / 10.0, iTimeDelta); }",
        "uniform float time; uniform vec2 resolution;\n"
        "void mainImage(out vec4 c, in vec2 p) { c = vec4(p / resolution, time / 10.0, 0.0); }",
        "void main() { gl_FragColor = vec4(gl_FragCoord.xy / iResolution.xy, iTime / 10.0, 1.0); }",
        "uniform vec2 RENDERSIZE; uniform float TIME;\n"
        "void main() { gl_FragColor = vec4(gl_FragCoord.xy / RENDERSIZE, TIME / 10.0, 1.0); }",
        "out vec4 frame;\nvoid main() { frame = vec4(gl_FragCoord.xy / iResolution.xy, iTime / 10.0, 1.0); }",
    ],
)
def test_a_strangers_own_words_are_its_own(bench: Bench, tmp_path: Path, text: str) -> None:
    assert bench.pixels(toy(tmp_path, text), (8, 4), now=5.0)[0, 0].tolist() == [16, 32, 128, 255]


def test_the_surface_and_the_mouse_of_glsl_sandbox(bench: Bench, tmp_path: Path) -> None:
    """The surface is 1 high, as wide as the picture and 0 in its middle; the mouse starts there."""
    text = """uniform vec2 surfaceSize, mouse; varying vec2 surfacePosition; uniform vec2 resolution;
    void main() { gl_FragColor = vec4(surfacePosition / 4.0 + 0.5, surfaceSize.x / 4.0, mouse.x); }"""
    pixels = bench.pixels(toy(tmp_path, text), (8, 4))
    assert pixels[0, 0].tolist() == [72, 104, 128, 128]
    assert pixels[3, 7].tolist() == [183, 151, 128, 128]
    assert bench.pixels(toy(tmp_path, text), (8, 4), mouse=(1.0, 0.0))[0, 0, 3] == 255
