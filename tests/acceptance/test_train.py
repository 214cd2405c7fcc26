"""perform train as a person has it: a process of its own, killed in every stage, and played by a show meanwhile."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from perform.library import Library
from tests.acceptance.running import ROOT, Running, running

PLAN = {
    "minutes": 1.0,
    "sizes": ["s"],
    "device": "a test",
    "teacher": {"steps": 10, "step": 0.1, "log_every": 1, "sheet_every": 4},
    "students": {"steps": 10, "step": 0.1, "log_every": 1, "sheet_every": 4},
    "train": {"size": "s", "side": 64, "paired": 2, "unpaired": 2, "rate": 4e-3},
    "distil": {"side": 64, "paired": 1, "unpaired": 2},
}
# The judge's weights are a download: here it is one with any weights, the same at every start.
START = """
import sys, torch
from perform.lab import features
def judge(weights, made=features.Features):
    torch.manual_seed(5)
    return made(None, side=64)
features.fetch, features.Features = lambda cache: None, judge
from perform import cli
sys.exit(cli.main(sys.argv[1:]))
"""
SHOW = """
[show]
size = [128, 128]
models = ["models"]
[source.given]
type = "image"
file = "photos/00.jpg"
[[layer]]
name = "dream"
source = "given"
world = "soft"
size = "s"
resolution = [64, 64]
crossfade = 0.5
[osc]
listen = "127.0.0.1:PORT"
[sink.stills]
type = "snapshot"
folder = "stills"
"""


@pytest.fixture
def studio(tmp_path: Path) -> Path:
    """A folder with `photos/`, and a plan for seconds."""
    photos, desk = tmp_path / "photos", tmp_path / "runs" / "soft"
    photos.mkdir()
    desk.mkdir(parents=True)
    for index in range(22):
        rng = np.random.default_rng(index)
        small = Image.fromarray(rng.integers(0, 255, (5, 6, 3), dtype=np.uint8))
        grain = rng.normal(0, 12, (260, 280, 3))
        soft = np.asarray(small.resize((280, 260), Image.Resampling.BICUBIC)) + grain
        Image.fromarray(soft.clip(0, 255).astype(np.uint8)).save(photos / f"{index:02d}.jpg")
    (desk / "wish.json").write_text(json.dumps({"photos": str(photos)}))
    (desk / "plan.json").write_text(json.dumps(PLAN))
    return tmp_path


def train(folder: Path, *more: str) -> subprocess.Popen[str]:
    words = ["train", "photos", "--name", "soft", "--device", "cpu", "--threads", "1", *more]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", START, *words]
    return subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def until(process: subprocess.Popen[str], words: str) -> str:
    """Read on until a line has these words; everything read."""
    assert process.stdout is not None
    read = ""
    for line in process.stdout:
        read += line
        if words in line:
            return read
    raise AssertionError(f"it never said {words!r}:\n{read}")


def moved(show: Running, before: np.ndarray) -> float:
    """How far a still of now is from one before, in bytes."""
    return float(np.abs(show.picture().astype(int) - before).mean())


def test_killed_in_every_stage_it_finishes_and_plays(studio: Path) -> None:
    for stage in (
        "Reading the pictures",
        "The teacher learns 1/",
        "The small ones learn from it 1/",
        "Writing the world",
    ):
        process = train(studio)
        until(process, stage)
        process.send_signal(signal.SIGKILL)
        process.wait()
    process = train(studio)
    told = until(process, "See it now")
    assert process.wait() == 0
    assert "Going on with the plan" in told
    card = Library([studio / "models"]).card("soft")
    assert set(card.size("s").files) == {"weights", "onnx", "int8"}
    command = [sys.executable, "-m", "perform", "run", "runs/soft/show.toml", "--headless", "--fixed", "--seconds", "1"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([*command, "--size", "128x72", "--still", "still.png"], cwd=studio, env=env, check=True)
    with Image.open(studio / "still.png") as still:
        assert np.asarray(still.convert("RGB")).std() > 1


def test_a_running_show_plays_it_while_it_learns(studio: Path) -> None:
    process = train(studio, "--watch")
    try:
        until(process, "The teacher learns 1/")
        while not (studio / "models" / "soft" / "card.toml").exists():
            assert process.poll() is None
        process.send_signal(signal.SIGSTOP)
        with running(studio, SHOW) as show:
            show.until(lambda: "soft s (" in str(show.ask("/status/engine/dream")[0]))
            show.until(lambda: moved(show, show.picture()) < 0.5)  # the dissolve is over
            before = show.picture()
            process.send_signal(signal.SIGCONT)
            until(process, "The small ones learn from it 1/")
            show.until(lambda: show.log.count("soft s is ready") > 1)
            show.until(lambda: moved(show, before) > 3)
    finally:
        process.kill()
        process.wait()
