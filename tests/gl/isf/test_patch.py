"""The specification's semantics, by pixels: inputs, macros, passes, persistence, vertex shaders, time."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from perform.clock import WRAP
from perform.gl.isf import Patch, PatchError
from perform.gl.isf.cost import seconds_a_frame
from perform.gl.isf.patch import today
from perform.gl.transfer import read, read_float
from tests.gl.isf.conftest import Bench, Write

IMAGE = [{"NAME": "inputImage", "TYPE": "image"}]
RED, GREEN = [255, 0, 0, 255], [0, 255, 0, 255]


def main(text: str) -> str:
    return f"void main() {{ {text} }}"


# ------------------------------------------------------------------ inputs
def test_every_number_input_arrives(bench: Bench, write: Write) -> None:
    inputs = [
        {"NAME": "f", "TYPE": "float", "DEFAULT": 0.2},
        {"NAME": "b", "TYPE": "bool", "DEFAULT": True},
        {"NAME": "e", "TYPE": "event"},
        {"NAME": "n", "TYPE": "long", "VALUES": [0, 3, 5], "DEFAULT": 3},
        {"NAME": "p", "TYPE": "point2D", "DEFAULT": [0.4, 0.6], "MIN": [0, 0], "MAX": [1, 1]},
        {"NAME": "c", "TYPE": "color", "DEFAULT": [0.8, 0.4, 0.2, 0.6]},
    ]
    where = "PASSINDEX < 0 ? vec4(0.0) : "
    path = write(main(f"gl_FragColor = {where}vec4(f, b ? 1.0 : 0.0, e ? 1.0 : 0.0, float(n) / 5.0);"), INPUTS=inputs)
    assert bench.pixel(path) == [51, 255, 0, 153]
    assert bench.pixel(path, f=1.0, b=False, e=True, n=5) == [255, 0, 255, 255]
    path = write(main("gl_FragColor = vec4(p, c.rb);"), INPUTS=inputs)
    assert bench.pixel(path) == [102, 153, 204, 51]
    assert bench.pixel(path, p=(0.0, 1.0), c=(0.0, 0.0, 1.0, 1.0)) == [0, 255, 0, 255]


def test_points_in_pixels_follow_the_size(bench: Bench, write: Write) -> None:
    path = write(main("gl_FragColor = vec4(p / 100.0, 0.0, 1.0);"), INPUTS=[{"NAME": "p", "TYPE": "point2D"}])
    assert bench.pixels(path, (40, 20))[0, 0].tolist() == [51, 26, 0, 255]
    assert bench.pixels(path, (80, 20), p=(1.0, 0.0))[0, 0].tolist() == [204, 0, 0, 255]
    inputs = [{"NAME": "p", "TYPE": "point2D", "DEFAULT": [20, 40]}]
    path = write(main("gl_FragColor = vec4(p / 100.0, 0.0, 1.0);"), INPUTS=inputs)
    assert bench.pixels(path, (80, 20))[0, 0].tolist() == [51, 102, 0, 255]


def test_an_image_is_the_right_way_up(bench: Bench, write: Write) -> None:
    picture = bench.picture([[RED, RED], [GREEN, GREEN]])  # red below, green above
    path = write(main("gl_FragColor = IMG_THIS_PIXEL(inputImage);"), INPUTS=IMAGE)
    pixels = bench.pixels(path, (2, 2), inputImage=picture)
    assert pixels[0, 0].tolist() == RED
    assert pixels[1, 1].tolist() == GREEN


def test_a_missing_image_is_transparent_black_and_silence_is_silence(bench: Bench, write: Write) -> None:
    kinds = [{"NAME": "i", "TYPE": "image"}, {"NAME": "w", "TYPE": "audio"}, {"NAME": "f", "TYPE": "audioFFT"}]
    names = "IMG_NORM_PIXEL(i, vec2(0.5)).a, IMG_NORM_PIXEL(w, vec2(0.5)).r, IMG_NORM_PIXEL(f, vec2(0.5)).r, 1.0"
    path = write(main(f"gl_FragColor = vec4({names});"), INPUTS=kinds)
    assert bench.pixel(path) == [0, 128, 0, 255]
    loud = bench.picture([[[255, 255, 255, 255]]])
    assert bench.pixel(path, w=loud, f=loud) == [0, 255, 255, 255]


def test_a_chain_feeds_a_patch_that_calls_its_picture_otherwise(bench: Bench, write: Write) -> None:
    path = write(main("gl_FragColor = IMG_THIS_PIXEL(tex);"), INPUTS=[{"NAME": "tex", "TYPE": "image"}])
    assert bench.pixel(path, inputImage=bench.picture([[GREEN]])) == GREEN
    assert bench.pixel(path, tex=bench.picture([[RED]]), inputImage=bench.picture([[GREEN]])) == RED


def test_a_chain_feeds_the_first_picture_and_not_the_sound_before_it(bench: Bench, write: Write) -> None:
    inputs = [{"NAME": "loud", "TYPE": "audioFFT"}, {"NAME": "tex", "TYPE": "image"}]
    path = write(main("gl_FragColor = IMG_THIS_PIXEL(tex) + IMG_THIS_PIXEL(loud).rrra * 0.0;"), INPUTS=inputs)
    assert bench.pixel(path, inputImage=bench.picture([[GREEN]])) == GREEN
    path = write(main("gl_FragColor = IMG_THIS_PIXEL(loud);"), INPUTS=inputs[:1])
    assert bench.pixel(path, inputImage=bench.picture([[GREEN]])) == [0, 0, 0, 255]


def test_imported_images_and_cubes(bench: Bench, write: Write, tmp_path: Path) -> None:
    top_red = np.array([[RED, RED], [GREEN, GREEN]], np.uint8)
    Image.fromarray(top_red).save(tmp_path / "a.png")
    for n in range(6):
        Image.new("RGB", (4, 4 + n), (n * 40, 0, 255)).save(tmp_path / f"{n}.png")
    path = write(main("gl_FragColor = IMG_NORM_PIXEL(a, vec2(0.5, 0.75));"), IMPORTED={"a": {"PATH": "a.png"}})
    assert bench.pixel(path) == RED
    sides = [{"NAME": "c", "PATH": [f"{n}.png" for n in range(6)], "TYPE": "cube"}]
    path = write(main("gl_FragColor = textureCube(c, vec3(0.0, 0.0, -1.0));"), IMPORTED=sides)
    assert bench.pixel(path) == [200, 0, 255, 255]


def test_an_imported_image_that_is_missing_or_broken_is_named(bench: Bench, write: Write, tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"not a picture")
    Image.new("RGB", (8, 8)).save(tmp_path / "program.png", "EPS")  # Ghostscript would run it
    for name in ("none.png", "bad.png", "program.png"):
        says = rf"{name} is not there" if name == "none.png" else rf"{name} cannot be read"
        with pytest.raises(PatchError, match=says):
            bench.open(write(main("gl_FragColor = vec4(1.0);"), IMPORTED={"a": {"PATH": name}}))


# ------------------------------------------------------------------ looking at pictures
def test_macros_take_any_expression_and_nest(bench: Bench, write: Write) -> None:
    shift = bench.picture([[[255, 0, 0, 255]]])
    picture = bench.picture([[RED, GREEN]])
    inputs = [*IMAGE, {"NAME": "shift", "TYPE": "image"}]
    nested = "IMG_NORM_PIXEL(inputImage, vec2(IMG_NORM_PIXEL(shift, vec2(0.5, 0.5)).r * 0.75, (0.25 + 0.25)))"
    path = write(main(f"gl_FragColor = {nested};"), INPUTS=inputs)
    assert bench.pixel(path, inputImage=picture, shift=shift) == GREEN
    multi = "IMG_PIXEL(\n  inputImage, // left\n  vec2(0.5,\n 0.5) )"
    assert bench.pixel(write(main(f"gl_FragColor = {multi};"), INPUTS=inputs), inputImage=picture) == RED
    body = "#define AT(i, p) IMG_NORM_PIXEL(i, p)\n" + main("gl_FragColor = AT(inputImage, vec2(0.9, 0.5));")
    assert bench.pixel(write(body, INPUTS=inputs), inputImage=picture) == GREEN


def test_sizes_of_images(bench: Bench, write: Write) -> None:
    picture = bench.picture(np.zeros((10, 20, 4)))
    for call in ("IMG_SIZE(inputImage)", "_inputImage_imgSize"):
        path = write(main(f"gl_FragColor = vec4({call} / 100.0, 0.0, 1.0);"), INPUTS=IMAGE)
        assert bench.pixel(path, inputImage=picture) == [51, 26, 0, 255]


def test_images_are_passed_to_functions(bench: Bench, write: Write) -> None:
    body = "vec4 at(sampler2D s, vec2 p) { return IMG_NORM_PIXEL(s, p); }\n"
    path = write(body + main("gl_FragColor = at(inputImage, vec2(0.5));"), INPUTS=IMAGE)
    assert bench.pixel(path, inputImage=bench.picture([[GREEN]])) == GREEN


def test_coordinates(bench: Bench, write: Write) -> None:
    path = write(main("gl_FragColor = vec4(isf_FragNormCoord, gl_FragCoord.xy / RENDERSIZE);"))
    assert bench.pixels(path, (8, 4))[0, 0].tolist() == [16, 32, 16, 32]
    assert bench.pixels(path, (8, 4))[3, 7].tolist() == [239, 223, 239, 223]


# ------------------------------------------------------------------ time
def test_time_is_wrapped_and_deltas_are_not(bench: Bench, write: Write) -> None:
    body = main("gl_FragColor = vec4(TIME / 100.0, TIMEDELTA, float(FRAMEINDEX) / 10.0, float(PASSINDEX));")
    patch = bench.open(write(body, PASSES=[{"TARGET": "a", "FLOAT": True, "PERSISTENT": True}]), format="rgba32f")
    first = read_float(patch.render((2, 2), WRAP * 300 + 50.0))[0, 0].tolist()
    assert first == pytest.approx([0.5, 0.0, 0.0, 0.0], abs=1e-6)
    second = read_float(patch.render((2, 2), WRAP * 300 + 50.25))[0, 0].tolist()
    assert second == pytest.approx([0.5025, 0.25, 0.1, 0.0], abs=1e-6)
    third = read_float(patch.render((2, 2), WRAP * 301 + 1.0))[0, 0].tolist()
    assert third[0] == pytest.approx(0.01)
    assert third[1] > 0.0


def test_date_is_what_is_given_or_today(bench: Bench, write: Write) -> None:
    patch = bench.open(write(main("gl_FragColor = DATE / vec4(2550.0, 25.5, 51.0, 86400.0);")))
    pixel = read(patch.render((1, 1), 0.0, date=(2040.0, 12.0, 31.0, 43200.0)))[0, 0].tolist()
    assert pixel == [204, 120, 155, 128]
    year, month, day, seconds = today()
    assert year >= 2025
    assert 1 <= month <= 12
    assert 1 <= day <= 31
    assert 0 <= seconds < 86401
    assert read(patch.render((1, 1), 0.0))[0, 0, 0] > 190


# ------------------------------------------------------------------ passes
def test_passes_have_their_sizes(bench: Bench, write: Write) -> None:
    passes = [
        {"TARGET": "a", "WIDTH": "$WIDTH / 4.0", "HEIGHT": "floor($HEIGHT * $q)"},
        {"TARGET": "b", "WIDTH": "7", "HEIGHT": 3},
        {},
    ]
    body = """void main() {
        if (PASSINDEX < 2) gl_FragColor = vec4(RENDERSIZE / 100.0, 0.0, 1.0);
        else if (isf_FragNormCoord.x < 0.5) gl_FragColor = IMG_NORM_PIXEL(a, vec2(0.5));
        else gl_FragColor = vec4(IMG_SIZE(b) / 100.0, RENDERSIZE / 100.0);
    }"""
    path = write(body, PASSES=passes, INPUTS=[{"NAME": "q", "TYPE": "float", "DEFAULT": 0.5}])
    pixels = bench.pixels(path, (40, 20))
    assert pixels[0, 0].tolist() == [26, 26, 0, 255]
    assert pixels[0, -1].tolist() == [18, 8, 102, 51]
    assert bench.pixels(path, (40, 20), q=1.0)[0, 0].tolist() == [26, 51, 0, 255]


@pytest.mark.parametrize("size", ["0", "-5", "1 / 0", "1e9", "$WIDTH * 1e30", "0.3"])
def test_impossible_sizes_do_not_stop_the_show(bench: Bench, write: Write, size: str) -> None:
    passes = [{"TARGET": "a", "WIDTH": size, "HEIGHT": "1"}, {}]
    body = main("gl_FragColor = PASSINDEX == 0 ? vec4(1.0) : IMG_NORM_PIXEL(a, vec2(0.5));")
    assert bench.pixel(write(body, PASSES=passes)) == [255] * 4


def test_a_persistent_buffer_remembers(bench: Bench, write: Write) -> None:
    passes = [{"TARGET": "sum", "PERSISTENT": True, "FLOAT": True}, {}]
    body = """void main() {
        if (PASSINDEX == 0) gl_FragColor = IMG_THIS_PIXEL(sum) + vec4(0.001);
        else gl_FragColor = IMG_THIS_PIXEL(sum) * 10.0;
    }"""
    patch = bench.open(write(body, PASSES=passes), format="rgba32f")
    for frame in range(1, 6):
        value = read_float(patch.render((4, 4), frame / 60))[0, 0, 0]
        assert value == pytest.approx(frame * 0.01, rel=1e-4)  # steps that 8 bits would lose
    patch.reset()
    assert read_float(patch.render((4, 4), 1.0))[0, 0, 0] == pytest.approx(0.01, rel=1e-4)


def test_two_rows_of_pictures_have_a_memory_each(bench: Bench, write: Write) -> None:
    passes = [{"TARGET": "sum", "PERSISTENT": True, "FLOAT": True}, {}]
    body = """void main() {
        if (PASSINDEX == 0) gl_FragColor = IMG_THIS_PIXEL(sum) + vec4(0.001);
        else gl_FragColor = vec4(IMG_THIS_PIXEL(sum).r * 10.0, float(FRAMEINDEX), TIMEDELTA, 1.0);
    }"""
    patch = bench.open(write(body, PASSES=passes), format="rgba32f")

    def pixel(size: tuple[int, int], now: float, lane: str) -> list[float]:
        return [float(v) for v in read_float(patch.render(size, now, lane=lane))[0, 0, :3]]

    for frame in range(1, 6):
        small, large = pixel((4, 4), frame / 8, "given"), pixel((8, 6), frame / 8, "bare")
        assert small == large == pytest.approx([frame * 0.01, frame - 1, 0.125 if frame > 1 else 0.0], rel=1e-4)
    assert pixel((4, 4), 1.75, "given")[0] == pytest.approx(0.06, rel=1e-4)  # and nobody has drawn the other
    assert pixel((8, 6), 1.875, "bare") == pytest.approx([0.01, 0.0, 0.0], rel=1e-4)  # it begins anew


def test_a_temporary_buffer_forgets(bench: Bench, write: Write) -> None:
    passes = [{"TARGET": "sum"}, {}]
    body = main("gl_FragColor = IMG_THIS_PIXEL(sum) + (PASSINDEX == 0 ? vec4(0.2) : vec4(0.0));")
    patch = bench.open(write(body, PASSES=passes))
    for frame in range(3):
        assert read(patch.render((4, 4), frame / 60))[0, 0].tolist() == [51] * 4


def test_a_buffer_written_twice_reads_what_it_was(bench: Bench, write: Write) -> None:
    passes = [{"TARGET": "a"}, {"TARGET": "a"}, {}]
    body = """void main() {
        if (PASSINDEX == 0) gl_FragColor = vec4(0.2);
        else if (PASSINDEX == 1) gl_FragColor = IMG_THIS_PIXEL(a) * 2.0;
        else gl_FragColor = IMG_THIS_PIXEL(a);
    }"""
    assert bench.pixel(write(body, PASSES=passes)) == [102] * 4


def test_the_last_pass_is_the_picture_even_with_a_target(bench: Bench, write: Write) -> None:
    passes = [{"TARGET": "a", "WIDTH": "2", "HEIGHT": "2", "PERSISTENT": True}]
    pixels = bench.pixels(write(main("gl_FragColor = vec4(0.4);"), PASSES=passes), (8, 4))
    assert pixels.shape == (4, 8, 4)
    assert (pixels == 102).all()


def test_a_persistent_picture_survives_a_new_size(bench: Bench, write: Write) -> None:
    body = main("gl_FragColor = FRAMEINDEX == 0 ? vec4(step(0.5, isf_FragNormCoord.x)) : IMG_THIS_PIXEL(a);")
    patch = bench.open(write(body, PASSES=[{"TARGET": "a", "PERSISTENT": True}]))
    patch.render((8, 4), 0.0)
    pixels = read(patch.render((16, 8), 0.1))
    assert pixels.shape == (8, 16, 4)
    assert pixels[4, 1, 0] == 0
    assert pixels[4, 14, 0] == 255


def test_floats_hold_what_bytes_cannot(bench: Bench, write: Write) -> None:
    for deep, expected in ((True, 123.456), (False, 1.0)):
        path = write(
            main("gl_FragColor = PASSINDEX == 0 ? vec4(123.456) : IMG_THIS_PIXEL(a);"),
            PASSES=[{"TARGET": "a", "FLOAT": deep}, {}],
        )
        patch = bench.open(path, format="rgba32f")
        assert read_float(patch.render((2, 2), 0.0))[0, 0, 0] == pytest.approx(expected)


def test_nan_and_infinity_are_scrubbed(bench: Bench, write: Write) -> None:
    body = """void main() {
        float zero = TIME - TIME;
        if (FRAMEINDEX == 0) gl_FragColor = vec4(0.0 / zero, 1.0 / zero, -1.0 / zero, sqrt(zero - 1.0));
        else gl_FragColor = IMG_THIS_PIXEL(a) + 0.25;
    }"""
    patch = bench.open(write(body, PASSES=[{"TARGET": "a", "PERSISTENT": True, "FLOAT": True}]), format="rgba32f")
    assert np.isfinite(read_float(patch.render((2, 2), 1.0))).all()
    assert read_float(patch.render((2, 2), 1.1))[0, 0].tolist() == [0.25, 1.25, 0.25, 0.25]


def test_a_light_that_is_divided_by_nothing_is_full(bench: Bench, write: Write) -> None:
    body = main("gl_FragColor = vec4(vec3(0.05 / length(max(abs(isf_FragNormCoord - 0.5) - 0.4, 0.0))), 1.0);")
    assert bench.pixels(write(body), (20, 20))[10, 10].tolist() == [255] * 4


def test_what_is_discarded_is_transparent(bench: Bench, write: Write) -> None:
    patch = bench.open(write(main("if (TIME > 0.5) discard; gl_FragColor = vec4(1.0);")))
    assert read(patch.render((2, 2), 0.0)).min() == 255
    assert read(patch.render((2, 2), 1.0)).max() == 0


def test_what_is_not_written_is_transparent_black(bench: Bench, write: Write) -> None:
    assert bench.pixel(write(main("if (TIME > 100.0) gl_FragColor = vec4(1.0);"))) == [0, 0, 0, 0]


# ------------------------------------------------------------------ vertex shaders
@pytest.mark.parametrize("init", ["isf_vertShaderInit", "vv_vertShaderInit"])
def test_an_own_vertex_shader(bench: Bench, write: Write, tmp_path: Path, init: str) -> None:
    path = write(
        "varying vec2 twice;\nvarying float level;\n" + main("gl_FragColor = vec4(twice, level, 1.0);"),
        INPUTS=[{"NAME": "k", "TYPE": "float", "DEFAULT": 0.2}],
    )
    vertex = f"void main() {{ {init}(); twice = isf_FragNormCoord * 2.0; level = k; }}"
    (tmp_path / "patch.vs").write_text("varying vec2 twice;\nvarying float level;\n" + vertex, encoding="utf-8")
    pixels = bench.pixels(path, (8, 4))
    assert pixels[0, 0].tolist() == [32, 64, 51, 255]
    assert pixels[3, 7].tolist() == [255, 255, 51, 255]


def test_a_vertex_shader_moves_the_corners(bench: Bench, write: Write, tmp_path: Path) -> None:
    path = write(main("gl_FragColor = vec4(1.0);"))
    text = "void main() { isf_vertShaderInit(); gl_Position.xy *= 0.5; }"
    (tmp_path / "patch.vs").write_text(text, encoding="utf-8")
    pixels = bench.pixels(path, (8, 8))[..., 3]
    assert pixels[4, 4] == 255
    assert pixels[0, 0] == 0


def test_an_error_in_the_vertex_shader_names_its_file(bench: Bench, write: Write, tmp_path: Path) -> None:
    path = write(main("gl_FragColor = vec4(1.0);"))
    (tmp_path / "patch.vs").write_text("void main() {\n  isf_vertShaderInit();\n  nothing();\n}", encoding="utf-8")
    with pytest.raises(PatchError) as caught:
        bench.open(path)
    assert (Path(caught.value.file).name, caught.value.line) == ("patch.vs", 3)


def test_varyings_that_nobody_sets_run_over_the_picture(bench: Bench, write: Write) -> None:
    path = write("varying vec2 vUv;\nvarying vec4 rest;\n" + main("gl_FragColor = vec4(vUv, rest.zw);"))
    assert bench.pixels(path, (8, 4))[0, 0].tolist() == [16, 32, 0, 255]


# ------------------------------------------------------------------ errors and cost
def test_an_error_has_the_line_of_the_file(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "x.fs"
    lines = ("/*{", '"INPUTS": [],', "}*/", "", "/* a", " comment */", "void main() {", "  gl_FragColor = oops;", "}")
    path.write_bytes("\r\n".join(lines).encode())
    with pytest.raises(PatchError) as caught:
        bench.open(path)
    assert (caught.value.file, caught.value.line) == (str(path), 8)
    assert "oops" in caught.value.message


def test_a_size_of_nothing_is_one_pixel(bench: Bench, write: Write) -> None:
    texture = bench.open(write(main("gl_FragColor = vec4(1.0);"))).render((0, -3), 0.0)
    assert (texture.width, texture.height) == (1, 1)


def test_a_heavy_patch_is_known_before_it_holds_the_show(bench: Bench, write: Write) -> None:
    loop = """void main() {{
        float x = isf_FragNormCoord.x;
        for (int i = 0; i < {}; i++) x = fract(sin(x + TIME) * 43758.5453) + 0.01;
        gl_FragColor = vec4(x);
    }}"""
    light, heavy = (bench.open(write(loop.format(n), f"{n}.fs")) for n in (1, 60000))
    quick = seconds_a_frame(light, (640, 360), 0.5)
    assert seconds_a_frame(heavy, (640, 360), 0.5) > 20 * quick
    assert math.isfinite(quick)


def test_measuring_leaves_a_patch_as_new(bench: Bench, write: Write) -> None:
    body = main("gl_FragColor = IMG_THIS_PIXEL(a) + vec4(float(FRAMEINDEX), 0.2, 0.0, 1.0);")
    patch = bench.open(write(body, PASSES=[{"TARGET": "a", "PERSISTENT": True}]))
    seconds_a_frame(patch, (32, 32), 1.0)
    assert read(patch.render((2, 2), 0.0))[0, 0].tolist() == [0, 51, 0, 255]


def test_closing_twice_is_fine(bench: Bench, write: Write) -> None:
    patch = Patch.open(write(main("gl_FragColor = vec4(1.0);")))
    patch.render((2, 2), 0.0)
    patch.close()
    patch.close()
