"""A show on another stage than its file's: what is of the stage's shape takes the new one."""

from __future__ import annotations

from pathlib import Path

import pytest

from perform.show import parse, resized

SHOW = """
[show]
size = [1280, 720]
[source.drift]
type = "shader"
patch = "sources/drift.fs"
size = [640, 360]
[source.square]
type = "shader"
patch = "sources/drift.fs"
size = [256, 256]
[source.whole]
type = "shader"
patch = "sources/drift.fs"
[[layer]]
name = "dream"
resolution = [640, 360]
[[layer]]
name = "usual"
[[layer]]
name = "square"
resolution = [512, 512]
"""


@pytest.mark.parametrize(
    ("size", "dream", "usual", "drift"),
    [
        ((720, 1280), (352, 640), (288, 512), (352, 640)),
        ((960, 960), (480, 480), (512, 512), (480, 480)),
        ((1920, 1080), (640, 360), (512, 288), (640, 360)),
    ],
)
def test_pictures_in_the_stages_shape_take_the_new_one(
    size: tuple[int, int], dream: tuple[int, int], usual: tuple[int, int], drift: tuple[int, int]
) -> None:
    show = resized(parse(SHOW, Path("show.toml")), size)
    assert show.size == size
    assert [layer.resolution for layer in show.layers] == [dream, usual, (512, 512)]
    assert show.sources["drift"].keys["size"] == drift
    assert show.sources["square"].keys["size"] == (256, 256)
    assert not show.sources["whole"].keys.get("size")
