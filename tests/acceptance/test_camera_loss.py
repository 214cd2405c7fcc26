"""A camera is killed and comes back twenty times: the picture is never black, and always returns."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from perform.clock import LiveClock
from perform.gl.context import Context
from perform.gl.transfer import read
from perform.params import Params
from perform.plugins import Stage
from perform.sources.camera import Camera
from perform.sources.fallback import Fallback
from perform.sources.testcard import TestCard
from tests.sources.conftest import until
from tests.sources.mjpeg import Server, jpeg, part

TIMES = 20


@pytest.mark.parametrize("fallback", [True, False], ids=["fallback", "last picture"])
def test_never_black_always_back(gl: Context, tmp_path: Path, fallback: bool) -> None:
    clock = LiveClock()
    stage = Stage(Params(), clock, "/source/camera", (160, 96), folder=tmp_path, software=gl.software)
    darkest: list[float] = []
    red = part(jpeg((220, 30, 20), (160, 96)))
    with (
        Server(lambda: itertools.repeat(red), rate=30.0) as server,
        Camera(server.url, grace=0.2, retry=(0.05, 0.1)).open(stage) as camera,
        TestCard().open(stage) as card,
        Fallback(camera, card, seconds=0.1).open(stage) as both,
    ):
        source = both if fallback else camera
        until(lambda: source.frame(clock.now()).serial and camera.frame(clock.now()).serial)

        def look() -> bool:
            """One tick; whether the camera's own picture, and it alone, is seen."""
            stage.params.settle(clock.now())
            frame = source.frame(clock.now())
            pixels = read(frame.texture)  # type: ignore[arg-type]
            darkest.append(float(pixels[:, :, :3].max(axis=2).mean()))
            return bool((pixels[:, :, 0] > 180).mean() > 0.99 and (pixels[:, :, 1] < 80).mean() > 0.99)

        until(look)
        for _ in range(TIMES):
            server.kill()
            until(lambda: (look(), camera.lost)[1])
            if fallback:
                until(lambda: not look())
            server.start()
            until(lambda: look() and not camera.lost)
        assert server.connections > TIMES
        assert "playing" in str(stage.params["/status/source/camera"].value)
    assert min(darkest) > 25.0  # the card is the darkest thing there is to see
