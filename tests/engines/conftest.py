"""Worlds, banks and pictures for the tests of engines."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from perform.clock import Clock, FixedClock, ManualClock
from perform.engines.bank import Bank
from perform.engines.generator import Hardware
from perform.engines.openvino import OpenVino
from perform.engines.slot import Slot
from perform.frame import Frame
from perform.gl.context import Context
from perform.gl.target import Texture
from perform.gl.transfer import Pixels, read, upload
from perform.health import Status
from perform.library import Library
from perform.params import Params
from perform.plugins import Stage
from tests.engines.worlds import make_world


def until(true: Callable[[], object], seconds: float = 120.0) -> None:
    """Wait for a condition; fails at the deadline, which only a failing test ever sees."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.002)


@dataclass
class Theatre:
    """A slot on a stage, and pictures to give it."""

    bank: Bank
    params: Params
    clock: Clock
    fps: float = 0.0
    size: tuple[int, int] = (64, 32)
    serial: int = 0
    slot: Slot = field(init=False)
    textures: list[Texture] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.slot = Slot(self.bank, Stage(self.params, self.clock, "/layer/dream", self.size), self.fps)

    def picture(self, grey: int = 40, size: tuple[int, int] | None = None) -> Frame:
        """A new picture: this grey with a brighter lower half (+20), alpha 255."""
        width, height = size or self.size
        pixels = np.full((height, width, 4), 255, np.uint8)
        pixels[..., :3] = grey
        pixels[: height // 2, :, :3] += 20
        texture = Texture.make(width, height)
        self.textures.append(texture)
        upload(texture, pixels)
        self.serial += 1
        return Frame(texture, self.clock.now(), self.serial)

    def dream(self, frame: Frame | None = None, mood: tuple[float, ...] = (0.0, 0.0), fps: float = 50.0) -> Frame:
        """One tick of the loop."""
        self.params.settle(self.clock.now())
        given = frame or self.picture()
        dreamt = self.slot.dream(given, mood, self.clock.now())
        self.clock.pace(fps)
        return dreamt

    def grey(self, frame: Frame) -> int:
        """The red of the upper half."""
        return int(self.pixels(frame)[-1, 0, 0])

    def pixels(self, frame: Frame) -> Pixels:
        assert isinstance(frame.texture, Texture)
        return read(frame.texture)

    @property
    def said(self) -> str:
        self.params.settle(self.clock.now())
        return str(self.params["/status/engine/dream"].value)

    def close(self) -> None:
        self.slot.close()
        self.bank.close()
        for texture in self.textures:
            texture.close()


@dataclass
class House:
    """Builds theatres over one folder of worlds."""

    models: Path
    cache: Path
    theatres: list[Theatre] = field(default_factory=list)

    def world(self, name: str, sign: float = -1.0, sizes: tuple[str, ...] = ("s", "m")) -> Path:
        return make_world(self.models, name, sizes, sign)

    def bank(
        self, synchronous: bool = True, budget: int = 10**9, *hardware: Hardware, params: Params | None = None
    ) -> Bank:
        engines = hardware or (OpenVino(cache=self.cache),)
        status = Status(params, "/status/worlds") if params is not None else None
        return Bank(Library([self.models]), lambda: engines, budget, synchronous, status)

    def theatre(self, live: bool = False, bank: Bank | None = None, fps: float = 0.0) -> Theatre:
        params = Params()
        clock: Clock = ManualClock() if live else FixedClock(50.0)
        theatre = Theatre(bank or self.bank(not live, params=params), params, clock, fps)
        self.theatres.append(theatre)
        return theatre


@pytest.fixture
def house(gl: Context, tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path / "models", tmp_path / "cache")
    house.models.mkdir()
    yield house
    for theatre in house.theatres:
        theatre.close()
