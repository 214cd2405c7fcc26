"""Whole shows without a window, on a clock that the test moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from perform.clock import Clock, FixedClock
from perform.gl.context import Context
from perform.gl.transfer import read
from perform.performance import Performance, Wishes, opening
from perform.show import load

HEAD = """
[show]
size = [64, 36]
fps = 50
"""
PLAIN = """/*{"DESCRIPTION": "one colour", "CREDIT": "perform", "INPUTS": [
  {"NAME": "shade", "TYPE": "color", "DEFAULT": [1.0, 0.0, 0.0, 1.0]}]}*/
void main() { gl_FragColor = shade; }
"""


class Theatre:
    """A folder with a show in it, played one frame at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.play: Performance | None = None
        (folder / "patches" / "sources").mkdir(parents=True)
        self.patch("plain", PLAIN)

    def patch(self, name: str, text: str) -> Path:
        path = self.folder / "patches" / "sources" / f"{name}.fs"
        path.write_text(text)
        return path

    def write(self, text: str) -> Path:
        path = self.folder / "show.toml"
        path.write_text(HEAD + text)
        return path

    def open(self, text: str, clock: Clock | None = None, **wishes: object) -> Performance:
        show = load(self.write(text))
        asked = Wishes(**{"headless": True, "controls": False, **wishes})  # type: ignore[arg-type]
        self.play = opening.open_performance(show, clock or FixedClock(show.fps), asked)
        return self.play

    def run(self, seconds: float = 0.02) -> np.ndarray:
        """Play on for so many seconds of show time; the middle pixel of the last picture."""
        assert self.play is not None
        self.play.run(self.play.clock.now() + seconds)
        return self.middle()

    def picture(self) -> np.ndarray:
        assert self.play is not None
        assert self.play.picture is not None
        return read(self.play.picture.texture)  # type: ignore[arg-type]

    def middle(self) -> np.ndarray:
        return self.picture()[18, 32, :3].astype(int)

    def post(self, address: str, value: object = True) -> None:
        assert self.play is not None
        self.play.params.post(address, value)

    def value(self, address: str) -> object:
        assert self.play is not None
        return self.play.params[address].value

    def close(self) -> None:
        if self.play is not None:
            self.play.close()
            self.play = None


class Shared:
    """The session's context, which a performance must not close."""

    def __init__(self, context: Context) -> None:
        self.software, self.renderer, self.version, self.window = True, context.renderer, context.version, None

    def close(self) -> None: ...


@pytest.fixture
def theatre(gl: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Theatre]:
    monkeypatch.setattr(opening, "open_headless", lambda: Shared(gl))
    theatre = Theatre(tmp_path)
    yield theatre
    theatre.close()


Opened = Callable[[str], Performance]
