"""Pixels in and out: the direct way and the PBO way agree; dither is even, unbiased and the same twice."""

from __future__ import annotations

import numpy as np
import pytest

from perform.gl.context import Context
from perform.gl.lib import gl as library
from perform.gl.shader import Program
from perform.gl.target import Target, Texture
from perform.gl.transfer import Readback, Resolve, Upload, copy, read, read_float, upload, upload_side


def picture(seed: int, width: int = 17, height: int = 9) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 4), np.uint8)


def test_rows_start_at_the_bottom(gl: Context) -> None:
    texture = Texture.make(17, 9)
    upload(texture, picture(1))
    assert (read(texture) == picture(1)).all()
    target = Target(17, 9)
    copy(texture, target)
    assert (read(target.texture)[0] == picture(1)[0]).all()


@pytest.mark.parametrize("software", [True, False])
def test_direct_and_pbo_uploads_are_equal(gl: Context, software: bool) -> None:
    texture, stream = Texture.make(17, 9), Upload(17, 9, software)
    for seed in range(5):
        pixels = picture(seed)
        stream.write(texture, pixels)
        pixels[:] = 0  # the array is free at once
        assert (read(texture) == picture(seed)).all()
    stream.close()
    stream.close()
    assert library.glGetError() == 0


def test_direct_readback_gives_this_picture_and_pbos_the_one_before(gl: Context) -> None:
    textures = [Texture.make(17, 9) for _ in range(4)]
    direct, delayed = Readback(17, 9, software=True), Readback(17, 9, software=False)
    for seed, texture in enumerate(textures):
        upload(texture, picture(seed))
    for seed, texture in enumerate(textures):
        now, before = direct.read(texture), delayed.read(texture)
        assert now is not None
        assert (now == picture(seed)).all()
        if seed == 0:
            assert before is None
        else:
            assert before is not None
            assert (before == picture(seed - 1)).all()
    last = delayed.flush()
    assert last is not None
    assert (last == picture(3)).all()
    assert delayed.flush() is None
    assert direct.flush() is None
    delayed.close()
    assert library.glGetError() == 0


def test_a_target_is_read_too(gl: Context) -> None:
    target, reader = Target(17, 9), Readback(17, 9, software=True)
    upload(target.texture, picture(3))
    pixels = reader.read(target)
    assert pixels is not None
    assert (pixels == picture(3)).all()


def test_textures_that_come_and_go_are_each_read_as_they_are(gl: Context) -> None:
    reader = Readback(17, 9, software=True)
    for seed in range(12):
        texture = Texture.make(17, 9)
        upload(texture, picture(seed))
        got = reader.read(texture)
        assert got is not None
        assert (got == picture(seed)).all()
        texture.close()
    reader.close()


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((9, 17, 3), np.uint8),
        np.zeros((9, 17, 4), np.float32),
        np.zeros((9, 34, 4), np.uint8)[:, ::2],
        np.zeros((17, 9, 4), np.uint8),
    ],
)
def test_arrays_of_the_wrong_shape_are_refused(gl: Context, wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match="takes a contiguous uint8 array"):
        upload(Texture.make(17, 9), wrong)


def test_streams_keep_to_their_size(gl: Context) -> None:
    with pytest.raises(ValueError, match="this uploads 4×4"):
        Upload(4, 4, software=False).write(Texture.make(17, 9), picture(0))
    with pytest.raises(ValueError, match="this reads 4×4"):
        Readback(4, 4, software=True).read(Texture.make(17, 9))


def test_dither_is_the_same_for_the_same_serial_and_moves_with_it(gl: Context) -> None:
    deep, screen, resolve = Target(64, 64, "rgba16f"), Target(64, 64), Resolve()
    deep.clear(0.5017, 0.2, 0.9, 1.0)
    shots = []
    for serial in (7, 7, 8):
        resolve.draw(deep.texture, screen, serial=serial)
        shots.append(read(screen.texture))
    assert (shots[0] == shots[1]).all()
    assert (shots[0] != shots[2]).any()
    kept = float(read_float(deep.texture)[0, 0, 0]) * 255.0
    assert shots[0][..., 0].mean() == pytest.approx(kept, abs=0.05)  # dither adds no brightness
    assert set(np.unique(shots[0][..., 0]).tolist()) == {int(kept), int(kept) + 1}
    assert (shots[0][..., 3] == 255).all()
    resolve.draw(deep.texture, screen, dither=False)
    assert len(np.unique(read(screen.texture)[..., 0])) == 1


def test_black_and_white_stay_clean_and_nan_becomes_black(gl: Context) -> None:
    deep, screen, resolve = Target(16, 16, "rgba32f"), Target(16, 16), Resolve()
    for level, expected in ((0.0, 0), (1.0, 255)):
        deep.clear(level, level, level, 1.0)
        resolve.draw(deep.texture, screen)
        assert (read(screen.texture)[..., :3] == expected).all()
    deep.clear(float("nan"), float("inf"), 0.0, 1.0)
    resolve.draw(deep.texture, screen, dither=False)
    assert read(screen.texture)[0, 0].tolist() == [0, 0, 0, 255]
    resolve.close()


def test_a_cube_has_six_sides(gl: Context) -> None:
    cube = Texture.cube(2)
    for side in range(6):
        upload_side(cube, side, np.full((2, 2, 4), side * 40, np.uint8))
    body = "out vec4 color; uniform samplerCube c; uniform vec3 at; void main() { color = texture(c, at); }"
    program, out = Program(body), Target(1, 1)
    for side, at in enumerate(((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1))):
        program.draw(out, {"c": cube}, {"at": at})
        assert read(out.texture)[0, 0, 0] == side * 40
    assert library.glGetError() == 0


def test_copy_scales(gl: Context) -> None:
    small, large = Texture.make(17, 9), Target(34, 18)
    upload(small, np.full((9, 17, 4), 77, np.uint8))
    copy(small, large)
    assert (read(large.texture) == 77).all()
