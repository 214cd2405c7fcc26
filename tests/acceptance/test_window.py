"""The real window on a virtual screen: pictures, keys, the overlay, quitting."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageGrab

NEEDS = ("Xvfb", "xdotool")
MISSING = [program for program in NEEDS if shutil.which(program) is None]
pytestmark = pytest.mark.skipif(
    bool(MISSING) and "CI" not in os.environ, reason=f"{', '.join(MISSING)} not installed (make test installs them)"
)
SHOW = """
[show]
size = [320, 180]
fps = 30
[source.plain]
type = "shader"
patch = "plain"
[[layer]]
name = "a"
source = "plain"
[[cue]]
name = "blue"
set = { "/source/plain/shade" = [0.1, 0.2, 0.8, 1.0] }
"""
PLAIN = """/*{"INPUTS": [{"NAME": "shade", "TYPE": "color", "DEFAULT": [0.8, 0.3, 0.1, 1.0]}]}*/
void main() { gl_FragColor = shade; }
"""
ORANGE, BLUE, BLACK = (204, 76, 26), (26, 51, 204), (0, 0, 0)


class Screen:
    """A virtual screen with the program on it."""

    def __init__(self, display: str, folder: Path) -> None:
        self.display = display
        self.environment = {**os.environ, "DISPLAY": display}
        arguments = [sys.executable, "-m", "perform", "run", str(folder / "show.toml"), "--no-supervise"]
        self.process = subprocess.Popen(arguments, env=self.environment, stderr=subprocess.PIPE, text=True)

    def picture(self) -> np.ndarray:
        return np.asarray(ImageGrab.grab(xdisplay=self.display).convert("RGB")).astype(int)

    def middle(self) -> tuple[int, ...]:
        picture = self.picture()
        return tuple(picture[picture.shape[0] // 2, picture.shape[1] // 2])

    def shows(self, colour: tuple[int, int, int]) -> Callable[[], bool]:
        return lambda: max(abs(a - b) for a, b in zip(self.middle(), colour, strict=True)) <= 2

    def key(self, name: str) -> None:
        subprocess.run(["xdotool", "key", name], env=self.environment, check=True)


def until(true: Callable[[], object], what: str, seconds: float = 240.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not in {seconds} s: {what}"
        time.sleep(0.05)


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Screen]:
    (tmp_path / "patches" / "sources").mkdir(parents=True)
    (tmp_path / "patches" / "sources" / "plain.fs").write_text(PLAIN)
    (tmp_path / "show.toml").write_text(SHOW)
    ours, theirs = os.pipe()
    command = ["Xvfb", "-displayfd", str(theirs), "-screen", "0", "800x450x24", "-nolisten", "tcp", "-noreset"]
    # without -noreset the screen begins anew, and hangs up, when a picture of it was taken before the show came
    server = subprocess.Popen(command, pass_fds=(theirs,), stderr=subprocess.DEVNULL)
    os.close(theirs)
    with os.fdopen(ours) as line:
        display = f":{line.readline().strip()}"
    screen = Screen(display, tmp_path)
    yield screen
    screen.process.kill()
    screen.process.communicate()
    server.terminate()
    server.wait()


def test_the_window_shows_plays_by_keys_and_quits(screen: Screen, tmp_path: Path) -> None:
    until(screen.shows(ORANGE), "the first picture")
    assert tuple(screen.picture()[2, 2]) == BLACK  # a window, not the whole screen
    screen.key("space")
    until(screen.shows(BLUE), "the cue that the space bar fires")
    screen.key("b")
    until(screen.shows(BLACK), "blackout")
    screen.key("b")
    until(screen.shows(BLUE), "the picture after blackout")

    screen.key("f")
    until(lambda: max(abs(screen.picture()[2, 2] - np.array(BLUE))) <= 2, "full screen")
    (tmp_path / "show.toml").write_text(SHOW + "[window]\ncorners = { top_left = [0.2, -0.2] }\n")
    until(lambda: tuple(screen.picture()[2, 2]) == BLACK, "a corner that an edit has moved")
    (tmp_path / "show.toml").write_text(SHOW)
    until(lambda: max(abs(screen.picture()[2, 2] - np.array(BLUE))) <= 2, "the corner back")
    screen.key("s")

    def text() -> int:
        """Pixels that are as bright as the overlay's face."""
        return int((screen.picture().min(-1) > 180).sum())

    until(lambda: text() > 200, "the status overlay")
    Image.fromarray(screen.picture().astype(np.uint8)).save(tmp_path / "overlay.png")
    status = text()
    screen.key("question")
    until(lambda: text() > 200 and abs(text() - status) > 50, "the list of keys")
    screen.key("Escape")
    until(lambda: text() == 0, "no overlay")

    screen.key("p")
    until(lambda: list((tmp_path / "out").glob("*.png")), "a still in out/")
    until(lambda: list((tmp_path / "out").glob("*.toml")), "its parameters beside it")
    screen.key("q")
    assert screen.process.wait(240) == 0
