"""A camera is killed and comes back twenty times: the show is never black, and the camera always returns."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from perform.clock import LiveClock
from perform.gl.context import Context
from perform.gl.transfer import read
from perform.performance import Performance, Wishes, opening
from perform.show import load
from tests.sources.conftest import until
from tests.sources.mjpeg import Server, jpeg, part

TIMES = 20
RED = part(jpeg((220, 30, 20), (160, 96)))
SHOW = """
[show]
size = [160, 96]
fps = 60

[source.camera]
type   = "camera"
device = "{url}"
retry  = [0.05, 0.1]
{fallback}

[source.card]
type = "testcard"

[[layer]]
name   = "eye"
source = "camera"
"""


@dataclass
class Hasty:
    """A live clock on which eight seconds pass in one: grace and dissolves keep their lengths in show time."""

    live: LiveClock = field(default_factory=LiveClock)

    def now(self) -> float:
        return self.live.now() * 8.0

    def pace(self, fps: float) -> None:
        time.sleep(0.002)


class Shared:
    """The session's context, which a performance must not close."""

    def __init__(self, context: Context) -> None:
        self.software, self.renderer, self.version, self.window = True, context.renderer, context.version, None

    def close(self) -> None: ...


@pytest.fixture
def play(gl: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], Performance]]:
    monkeypatch.setattr(opening, "open_headless", lambda: Shared(gl))
    opened: list[Performance] = []

    def start(url: str, fallback: str) -> Performance:
        (tmp_path / "show.toml").write_text(SHOW.format(url=url, fallback=fallback))
        show = load(tmp_path / "show.toml")
        opened.append(opening.open_performance(show, Hasty(), Wishes(headless=True, controls=False)))
        return opened[0]

    yield start
    for performance in opened:
        performance.close()


@pytest.mark.parametrize("fallback", ['fallback = "card"', ""], ids=["fallback", "last picture"])
def test_never_black_always_back(play: Callable[[str, str], Performance], fallback: str) -> None:
    with Server(lambda: itertools.repeat(RED), rate=60.0) as server:
        show = play(server.url, fallback)
        camera = show.sources["camera"].source
        camera = getattr(camera, "primary", camera)
        darkest: list[float] = []

        def tick() -> np.ndarray:
            show.tick()
            show.clock.pace(60.0)
            assert show.picture is not None
            pixels = read(show.picture.texture)[..., :3]  # type: ignore[arg-type]
            darkest.append(float(pixels.max(axis=2).mean()))
            return pixels

        def red() -> bool:
            """Whether the camera's picture, and it alone, is seen."""
            pixels = tick()
            return bool((pixels[..., 0] > 180).mean() > 0.99 and (pixels[..., 1] < 80).mean() > 0.99)

        until(red)
        darkest.clear()
        for _ in range(TIMES):
            server.kill()
            until(lambda: (tick(), camera.lost)[1])
            if fallback:
                until(lambda: not red())
            server.start()
            until(lambda: red() and not camera.lost)
        assert server.connections > TIMES
        assert min(darkest) > 25.0  # the card is the darkest thing that there is to see
        until(lambda: (tick(), str(show.params["/status/source/camera"].value).startswith("playing 160×96"))[1])
