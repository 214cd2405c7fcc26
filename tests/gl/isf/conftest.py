"""Patches written on the spot, and the pixels they make."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from perform.gl.context import Context
from perform.gl.isf import Patch
from perform.gl.lib import gl as library
from perform.gl.target import Texture
from perform.gl.transfer import read, upload

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """`write(body, INPUTS=[...], PASSES=[...])` makes an ISF file and returns its path."""

    def make(body: str, name: str = "patch.fs", **header: Any) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        head = {"ISFVSN": "2", **header}
        path.write_text(f"/*{json.dumps(head)}*/\n{body}", encoding="utf-8")
        return path

    return make


class Bench:
    """Renders patches and reads them back; closes what it opened."""

    def __init__(self) -> None:
        self.patches: list[Patch] = []

    def open(self, path: Path, **more: Any) -> Patch:
        self.patches.append(Patch.open(path, **more))
        return self.patches[-1]

    def pixels(self, path: Path, size: tuple[int, int] = (8, 4), now: float = 0.0, **inputs: Any) -> np.ndarray:
        """uint8 (height, width, 4), row 0 at the bottom, after one frame."""
        return read(self.open(path).render(size, now, inputs))

    def pixel(self, path: Path, **inputs: Any) -> list[int]:
        """The bottom left pixel."""
        found: list[int] = self.pixels(path, **inputs)[0, 0].tolist()
        return found

    @staticmethod
    def picture(pixels: Any) -> Texture:
        """A texture from (height, width, 4) numbers."""
        array = np.ascontiguousarray(np.array(pixels, np.uint8))
        texture = Texture.make(array.shape[1], array.shape[0])
        upload(texture, array)
        return texture


@pytest.fixture
def bench(gl: Context) -> Iterator[Bench]:
    bench = Bench()
    yield bench
    for patch in bench.patches:
        patch.close()
    assert library.glGetError() == 0
