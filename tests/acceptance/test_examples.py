"""Every example plays, as its README says, and something can be seen."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
SHOWS = sorted((ROOT / "examples").glob("*/show.toml"))
EVERY = [ROOT / "show.toml", *SHOWS]


def installed(example: Path, to: Path) -> str:
    """A search path on which an example that is a package of its own is as an installer leaves it."""
    if not (example / "pyproject.toml").is_file():
        return ""
    project = tomllib.loads((example / "pyproject.toml").read_text("utf-8"))["project"]
    info = to / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    groups = project["entry-points"].items()
    text = "".join(f"[{group}]\n" + "".join(f"{n} = {at}\n" for n, at in names.items()) for group, names in groups)
    (info / "entry_points.txt").write_text(text)
    return f"{to}{os.pathsep}{example}"


def play(show: Path, still: Path, seconds: float) -> subprocess.CompletedProcess[str]:
    """Play offline, small, and keep the last picture."""
    env = {**os.environ, "PYTHONPATH": installed(show.parent, still.parent)}
    words = ["run", show, "--headless", "--fixed", "--seconds", seconds, "--size", "320x180", "--still", still]
    command = [sys.executable, "-m", "perform", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, env=env, cwd=ROOT, check=False, timeout=1200)


def test_there_are_examples() -> None:
    assert len(SHOWS) >= 3


@pytest.mark.parametrize("show", EVERY, ids=lambda p: p.parent.name)
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
    assert f"perform run examples/{show.parent.name}/show.toml" in (show.parent / "README.md").read_text("utf-8")


def test_the_same_frames_twice(tmp_path: Path) -> None:
    show = ROOT / "examples" / "04-live-coding" / "show.toml"
    one, two = tmp_path / "one.png", tmp_path / "two.png"
    assert play(show, one, 0.5).returncode == 0
    assert play(show, two, 0.5).returncode == 0
    assert one.read_bytes() == two.read_bytes()
