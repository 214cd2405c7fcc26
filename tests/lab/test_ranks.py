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

from perform.lab import graft, ranks

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


def _launched(folder: Path, script: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Two ranks of a script, as torchrun starts and ends them. Where they wait for each other for ever, this fails."""
    (folder / "script.py").write_text(script)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "script.py"]
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [*command, *words], cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            said = process.communicate(timeout=120)[0]
        except subprocess.TimeoutExpired:
            process.terminate()  # which torchrun passes on
            raise
    return subprocess.CompletedProcess(process.args, process.returncode, said)


def test_ranks_meet_where_they_are_to_compute_and_each_has_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    met: list[object] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", met.append)
    monkeypatch.setattr(torch.distributed, "init_process_group", lambda backend, **_: met.append(backend))
    for name, value in (("WORLD_SIZE", "4"), ("LOCAL_WORLD_SIZE", "4"), ("LOCAL_RANK", "1")):
        monkeypatch.setenv(name, value)
    ranks.join("cpu")
    assert met == ["gloo"]
    with pytest.raises(ValueError, match="4 processes, 2 GPUs: torchrun --nproc-per-node 2"):
        ranks.join()
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")  # on each of two machines
    ranks.join("auto")
    assert met == ["gloo", 1, "nccl"]


# Numbers close together and far from nought, as float32 hardly tells them apart.
NORM = """
import torch
from torch import nn
from perform.lab import ranks

ranks.join()
x = 60 + 0.01 * torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
wanted, w = nn.BatchNorm2d(3).double(), torch.randn(x.shape, generator=torch.Generator().manual_seed(1))
whole = x.double().requires_grad_()
all_of_it = wanted(whole)
(all_of_it * w).sum().backward()
norm = ranks.share(nn.BatchNorm2d(3))
mine = ranks.mine(x).clone().requires_grad_()
y = norm(mine)
(y * ranks.mine(w)).sum().backward()
torch.testing.assert_close(y, ranks.mine(all_of_it), rtol=2e-3, atol=2e-3, check_dtype=False)
torch.testing.assert_close(mine.grad, ranks.mine(whole.grad), rtol=2e-3, atol=0.2, check_dtype=False)
torch.testing.assert_close(norm.running_var, wanted.running_var, rtol=1e-4, atol=0, check_dtype=False)
ranks.leave()
"""


def test_the_shared_norm_is_exact_far_from_nought(tmp_path: Path) -> None:
    done = _launched(tmp_path, NORM)
    assert done.returncode == 0, done.stdout[-2000:]


# A variant whose distillation rank 0 alone has written, as all of them are.
VARIANT = """
from pathlib import Path
import torch
from perform.lab import ablate, distil, ranks, run

def distilled(recipe, teacher, world, there, *_, **__):
    ranks.join()
    if ranks.rank() == 0:
        there.mkdir(parents=True)
        run.tensors(there / "ema.safetensors", {"m.body.0.weight": torch.ones(1)})
        (there / "checkpoint.pt").touch()

distil.distil, distil.judges_of = distilled, lambda teacher: None
paths = {name: Path(name) for name in ("world", "teacher", "cache", "out")}
there = ablate.one("no-pixel", paths, 2, (1, 1), "cpu")
assert list(run.load_file(there / "ema.safetensors")) == ["body.0.weight"]
assert sorted(path.name for path in there.iterdir()) == ["done", "ema.safetensors", "recipe.json"]
assert ablate.one("no-pixel", paths, 2, (1, 1), "cpu") == there
ranks.leave()
"""


def test_a_variant_of_many_ranks_is_tidied_up_once(tmp_path: Path) -> None:
    done = _launched(tmp_path, VARIANT)
    assert done.returncode == 0, done.stdout[-2000:]


def test_what_is_one_process_says_so_where_it_is_several(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ValueError, match="`perform slim` and `perform search` are one process: start them without"):
        graft.School(tmp_path, tmp_path, 32)


# Rank 1 runs out of memory in the middle of a step, in which rank 0 waits for its gradients.
FULL = """
import sys
from pathlib import Path
import torch
from perform.lab import driving, ranks
from perform.lab.studio import plan

class Stage:
    def __init__(self, share):
        self.done, self.share, self.network = 0, share, torch.nn.Linear(2, 2)
    def step(self):
        if ranks.rank() == 1 and self.share == 1 and self.done == 2:
            raise torch.cuda.OutOfMemoryError
        self.network(torch.ones(1, 2)).sum().backward()
        ranks.average_gradients(self.network.parameters())
        self.done += 1
        return {}
    def state(self): return {"done": self.done}
    def restore(self, state): self.done = state["done"]
    def weights(self): return {"w": torch.zeros(1)}

ranks.join()
cpu = torch.device("cpu")
try:
    if sys.argv[1] == "fit":
        share = driving.fit(Path("."), Stage, driving.Pace(5)).share
    else:
        share = plan.measure(Stage, cpu, lambda stage: None, Path("share-teacher")).share
except ValueError as e:
    sys.exit(f"rank {ranks.rank()}: {e}")
print(f"rank {ranks.rank()} ended with {share}")
ranks.leave()
"""


@pytest.mark.parametrize("work", ["fit", "measure"])
def test_one_rank_without_memory_ends_all_and_the_same_command_goes_on_with_half(tmp_path: Path, work: str) -> None:
    full = _launched(tmp_path, FULL, work)
    assert full.returncode != 0
    assert "rank 1: the memory of rank 1's GPU is full: the same command goes on with 1/2 of the batch" in full.stdout
    again = _launched(tmp_path, FULL, work)
    assert again.returncode == 0, again.stdout[-2000:]
    assert all(f"rank {rank} ended with 0.5" in again.stdout for rank in (0, 1))


# A plan of ranks whose clocks differ, weights that one of them fetches, and a world that is finished already.
STUDIO = """
import hashlib, sys
from pathlib import Path
import torch
from perform.lab import downloads, ranks
from perform.lab.studio import atelier, plan, survey, wish
from perform.lab.worlds import World

ranks.join()
rank = ranks.rank()

def bring(folder):
    (Path("fetched") / str(rank)).touch()
    return b"weights"

Path("fetched").mkdir(exist_ok=True)
downloads.published(Path("cache") / "file", hashlib.sha256(b"weights").hexdigest(), bring)
assert Path("cache/file").read_bytes() == b"weights"

measured = []
def measure(*_):
    measured.append(ranks.agree(True))  # as a step waits for the others
    return plan.Timed(0.1, 0.1)

survey.plans.measure, survey.features.fetch, survey.features.Features = measure, lambda cache: None, lambda file: None
survey.Batches = lambda *_, **__: None
wanted = wish.Wish(
    Path("photos"), "nice", Path("models"), Path("runs"), 10.0, ("s",), wish.How(device="cpu"), wish.Credit()
)
World([torch.zeros(3, 32, 32, dtype=torch.uint8)] * 8, torch.arange(8) == 6).save(wanted.world_folder)
made = survey.plan(wanted, lambda said: None, 0.0, clock=lambda: 500.0 * rank)
assert (len(measured), made.train["size"]) == (2, "teacher"), (measured, made)

if rank == 0:
    wish.sign(wanted)
    wanted.world.mkdir(parents=True)
    (wanted.world / "card.toml").touch()
    (wanted.desk / "summary.txt").write_text("nice is ready")
sys.exit(atelier.open_for(wanted))
"""


def test_ranks_of_the_studio_do_as_the_first_one_says(tmp_path: Path) -> None:
    done = _launched(tmp_path, STUDIO)
    assert done.returncode == 0, done.stdout[-2000:]
    assert done.stdout.count("nice is finished") == 1
    assert [path.name for path in (tmp_path / "fetched").iterdir()] == ["0"]
