"""Where pictures become textures: what a change of size costs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pil

from perform.clock import FixedClock
from perform.gl.lib import gl as library
from perform.gl.transfer import read
from perform.sources.canvas import Canvas, Picture
from perform.sources.image import Image
from tests.sources.conftest import MakeStage


@pytest.fixture
def blanked(stage: MakeStage, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The sizes (width, height) of textures that zeros were uploaded for, as they come."""
    sizes: list[tuple[int, int]] = []
    real: Callable[..., None] = library.glTexImage2D

    def upload(*args: object) -> None:
        if args[-1] is not None:
            sizes.append((int(str(args[3])), int(str(args[4]))))
        real(*args)

    monkeypatch.setattr(library, "glTexImage2D", upload)
    return sizes


def test_a_picture_of_another_size_is_uploaded_once(stage: MakeStage, blanked: list[tuple[int, int]]) -> None:
    canvas = Canvas(stage())
    blanked.clear()
    for width, height in ((40, 30), (20, 50)):
        pixels = np.full((height, width, 4), width, np.uint8)
        assert (read(canvas.show(Picture(pixels, 0.0)).texture) == pixels).all()
    assert blanked == []
    canvas.close()


def test_a_canvas_gives_its_texture_back(stage: MakeStage) -> None:
    canvas = Canvas(stage())
    name = canvas.frame.texture.id
    assert library.glIsTexture(name)
    canvas.close()
    canvas.close()
    assert not library.glIsTexture(name)


def test_images_give_their_textures_back(stage: MakeStage, tmp_path: Path) -> None:
    Pil.new("RGB", (20, 10)).save(tmp_path / "a.png")
    with Image("a.png").open(stage(FixedClock(1.0))) as image:
        image.frame(0.0)
        names = [texture.id for texture in (image._front.texture, image._back.texture, image._target.texture)]
        assert all(library.glIsTexture(name) for name in names)
    assert not any(library.glIsTexture(name) for name in names)


def test_photographs_of_mixed_sizes_are_uploaded_once(
    stage: MakeStage, blanked: list[tuple[int, int]], tmp_path: Path
) -> None:
    for n, size in enumerate(((40, 30), (20, 50))):
        Pil.new("RGB", size, (250, 0, 0)).save(tmp_path / f"{n}.png")
    here = stage(FixedClock(1.0))
    with Image(".", hold=1.0, crossfade=0.0).open(here) as image:
        blanked.clear()
        for now in (0.0, 1.0, 2.0):
            assert read(image.frame(now).texture)[32, 64].tolist() == [250, 0, 0, 255]
    assert blanked == []
