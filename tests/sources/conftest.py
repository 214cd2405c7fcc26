"""Stages for sources, and waiting that ends as soon as what is waited for is true."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from perform.clock import Clock, LiveClock
from perform.gl.context import Context
from perform.gl.lib import gl as library
from perform.params import Params
from perform.plugins import Stage

MakeStage = Callable[..., Stage]


@pytest.fixture
def stage(gl: Context, tmp_path: Path) -> Iterator[MakeStage]:
    """Makes a stage; afterwards GL must have nothing to complain about."""

    def make(clock: Clock | None = None, size: tuple[int, int] = (128, 64), folder: Path = tmp_path) -> Stage:
        return Stage(Params(), clock or LiveClock(), "/source/it", size, folder=folder, software=gl.software)

    yield make
    assert library.glGetError() == 0


def until(true: Callable[[], object], seconds: float = 120.0) -> None:
    """Ask again and again until it is true; a failure after `seconds`, which only a failing test ever sees."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it never became true"
        time.sleep(0.002)


def said(stage: Stage) -> str:
    """The status line, as the performer reads it."""
    stage.params.settle(stage.clock.now())
    return str(stage.params["/status/source/it"].value)
