"""Every example plays, as its README says, and something can be seen."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from perform.show import load

ROOT = Path(__file__).parents[2]
SHOWS = sorted((ROOT / "examples").glob("*/show.toml"))
FIRST = [ROOT / "show.toml", *SHOWS]


def play(show: Path, still: Path, seconds: float) -> subprocess.CompletedProcess[str]:
    """Play offline, small, and keep the last picture."""
    env = {**os.environ, "PYTHONPATH": str(show.parent)}  # an example may bring a part of its own
    words = ["run", show, "--headless", "--fixed", "--seconds", seconds, "--size", "320x180", "--still", still]
    command = [sys.executable, "-m", "perform", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, env=env, cwd=ROOT, check=False, timeout=300)


def test_there_are_examples() -> None:
    assert len(SHOWS) >= 3


@pytest.mark.parametrize("show", FIRST, ids=lambda p: p.parent.name)
def test_a_show_plays_and_can_be_seen(show: Path, tmp_path: Path) -> None:
    still = tmp_path / "still.png"
    done = play(show, still, 1.0)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    with Image.open(still) as picture:
        pixels = np.asarray(picture.convert("RGB"), dtype=np.float32)
    assert pixels.mean() > 8.0, "it is black"
    assert pixels.std() > 4.0, "it is flat"


@pytest.mark.parametrize("show", SHOWS, ids=lambda p: p.parent.name)
def test_an_example_says_how_it_is_played(show: Path) -> None:
    text = (show.parent / "README.md").read_text("utf-8")
    assert f"perform run examples/{show.parent.name}/show.toml" in text
    assert load(show).name in text


def test_the_same_frames_twice(tmp_path: Path) -> None:
    show = ROOT / "examples" / "04-live-coding" / "show.toml"
    one, two = tmp_path / "one.png", tmp_path / "two.png"
    assert play(show, one, 0.5).returncode == 0
    assert play(show, two, 0.5).returncode == 0
    assert one.read_bytes() == two.read_bytes()
