"""Sizes that a show may ask for."""

from __future__ import annotations

from typing import Any

import pytest

from perform.sources.camera import Camera
from perform.sources.image import Image
from perform.sources.shader import Shader


@pytest.mark.parametrize("size", [(-640, 360), (640, 0), (64000, 36000)])
@pytest.mark.parametrize(("source", "needs"), [(Camera, {}), (Image, {"file": "a.png"}), (Shader, {"patch": "drift"})])
def test_a_size_that_no_picture_has_is_refused(source: Any, needs: dict[str, str], size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="each side has 1 to 16384 pixels"):
        source(size=size, **needs)
    assert source(size=(640, 360), **needs).size == (640, 360)
