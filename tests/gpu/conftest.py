"""What needs an NVIDIA card: skipped with the reason where there is none. The same files run where there is one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from perform.card import Card
from perform.engines.cuda import Cuda
from perform.engines.cuda_board import TorchBoard, open_board
from perform.frame import Frame
from perform.gl.context import Context
from perform.gl.interop import gl_devices
from perform.gl.target import Target, Texture
from perform.gl.transfer import Pixels, upload
from perform.library import Library
from perform.plugins import EngineError

MODELS = Path(__file__).parents[2] / "models"


def why_not() -> str:
    """Why the tests here cannot run; empty where they can."""
    import torch

    from perform.engines.gpu import bindings, look

    try:
        look(bindings())
    except EngineError as e:
        return str(e)
    return "" if torch.cuda.is_available() else "this torch cannot use the card"


@pytest.fixture(scope="session")
def cuda() -> Any:
    """The CUDA runtime."""
    if why := why_not():
        pytest.skip(why)
    from perform.engines.gpu import bindings

    return bindings()


@pytest.fixture
def shared(gl: Context, cuda: Any) -> Any:
    """The CUDA runtime, where GL draws on the same card."""
    if 0 not in gl_devices(cuda):
        pytest.skip(f"GL draws on {gl.renderer}, which is not the CUDA card")
    return cuda


@pytest.fixture
def board(cuda: Any) -> TorchBoard:
    import torch

    return open_board(torch, cuda, 0)


@pytest.fixture
def card() -> Card:
    return Library([MODELS]).card("landscape")


@dataclass
class Easel:
    """Pictures for engines, one new each time."""

    serial: int = 0
    things: list[Any] = field(default_factory=list)

    def show(self, pixels: Pixels, time: float = 0.0) -> Frame:
        """A picture (H, W, 4), row 0 on top."""
        texture = Texture.make(pixels.shape[1], pixels.shape[0])
        self.things.append(texture)
        upload(texture, np.ascontiguousarray(pixels[::-1]))
        self.serial += 1
        return Frame(texture, time, self.serial)

    def canvas(self, width: int, height: int) -> Target:
        target = Target(width, height)
        self.things.append(target)
        return target

    def paint(self, target: Target, time: float = 0.0) -> Frame:
        """The next picture on a canvas: another grey."""
        self.serial += 1
        target.clear(self.serial % 97 / 97, self.serial % 89 / 89, 0.5, 1.0)
        return Frame(target.texture, time, self.serial)


@pytest.fixture
def easel(gl: Context) -> Iterator[Easel]:
    made = Easel()
    yield made
    for thing in made.things:
        thing.close()


@pytest.fixture
def plain(cuda: Any) -> Cuda:
    """PyTorch as it is: nothing that takes over in the middle."""
    return Cuda(compile=False, tensorrt=False)
