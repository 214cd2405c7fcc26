"""Many ranks do what one does: the same global batch, the same weights, to float rounding. Real gloo, two processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from perform.lab import ranks

# Trains two steps of a teacher and of a student in float32 and writes their losses and a fingerprint of the weights.
SCRIPT = """
import contextlib, json, sys
import torch
from perform.lab import critics, distil, features, networks, ranks, train
from perform.lab.batches import Batches
from perform.lab.discriminators import Jury
from perform.lab.worlds import World

torch.set_num_threads(1)
ranks.join()
train.mixed = distil.mixed = critics.mixed = lambda device: contextlib.nullcontext()
rng = torch.Generator().manual_seed(3)
pictures = [(torch.rand(3, 40, 48, generator=rng) * 255).to(torch.uint8) for _ in range(14)]
world = World(pictures, torch.arange(14) % 13 == 6)
batches = Batches(world, 32, strange=16)
recipe = train.Recipe(size="s", side=32, paired=4, unpaired=4, steps=6, steady_every=2, steady=0.0)
torch.manual_seed(5)
teacher = train.Teacher(recipe, batches, features.Features(None, side=128), world.unseen())
asked = distil.Recipe(sizes="s", side=32, paired=2, unpaired=2, steps=6, steady_every=2)
core = networks.fold(networks.make("s", 7)).requires_grad_(False)
students = distil.Students(asked, batches, core, Jury(8), world.unseen(), features.Features(None, side=64))
found = []
for stage in (teacher, students):
    for _ in range(3):
        numbers = {name: float(value) for name, value in stage.step().items()}
    found.append(numbers)
    found.append({name: float(value.abs().mean()) for name, value in stage.weights().items()})
parts = [None] * ranks.count()
if ranks.count() > 1:
    torch.distributed.all_gather_object(parts, found)
else:
    parts = [found]
if ranks.rank() == 0:
    open(sys.argv[1], "w").write(json.dumps(parts))
ranks.leave()
"""


def _trained(folder: Path, count: int) -> list[Any]:
    script, out = folder / "train.py", folder / f"{count}.json"
    script.write_text(SCRIPT)
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count)]
    command = [sys.executable, *(launcher if count > 1 else []), str(script), str(out)]
    root = str(Path(__file__).parents[2])
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": root}, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stderr[-2000:]
    parts: list[Any] = json.loads(out.read_text())
    return parts


def test_two_ranks_train_as_one(tmp_path: Path) -> None:
    (one,), two = _trained(tmp_path, 1), _trained(tmp_path, 2)
    assert len(two) == 2
    for index in (1, 3):  # weights: the same on both ranks, and as one rank's
        assert two[0][index] == two[1][index]
        assert set(one[index]) == set(two[0][index])
        for name, value in one[index].items():
            assert two[0][index][name] == pytest.approx(value, rel=2e-3, abs=2e-4), name
    for index in (0, 2):  # losses: each rank's are of its own part of the batch
        for name, value in one[index].items():
            mean = (two[0][index][name] + two[1][index][name]) / 2
            assert mean == pytest.approx(value, rel=0.02, abs=0.01), name


def test_alone_nothing_is_shared_out() -> None:
    assert (ranks.count(), ranks.rank()) == (1, 0)
    batch = torch.arange(3)
    assert ranks.mine(batch) is batch
    assert ranks.agree(True)
    assert not ranks.agree(False)
    module = torch.nn.BatchNorm2d(2)
    assert type(ranks.share(module)) is torch.nn.BatchNorm2d
    ranks.average_gradients(module.parameters())
