"""Distil a teacher into live sizes, all at once: one teacher's dream serves every student.

    python -m perform.lab.distil --teacher runs/teacher --world runs/landscape --out runs/students --steps 4000

Resumes when the folder holds a checkpoint. Students see what a world meets at a concert: conditions of photographs and
of strangers, under any mood, with more sensor noise than the teacher is shown, so that they hold stiller than it. They
copy its pictures (L1, SSIM, Haar) and what its judges make of them (feature matching, the lesson of GAN Compression, Li
et al. 2020, and OMGD, Ren et al. 2021). No photograph is needed, and no adversary: the teacher's dream is one definite
answer, so that regression hardly blurs.
"""

from __future__ import annotations

import argparse
import copy
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from perform.lab import export, losses, moods, networks, run
from perform.lab.batches import Batches
from perform.lab.discriminators import Jury, Patches
from perform.lab.train import follow_average, sheet
from perform.lab.worlds import World
from perform.networks import Plain


@dataclass(frozen=True)
class Recipe:
    """What can be asked of a distillation."""

    sizes: str = "s,m"
    teacher_size: str = "teacher"
    steps: int = 4000
    side: int = 256
    paired: int = 3
    unpaired: int = 5
    rate: float = 1e-3
    pixel: float = 10.0
    structure: float = 5.0
    sparkle: float = 5.0
    matching: float = 6.0
    grain: float = 0.015
    average: float = 0.998
    seed: int = 0


class Students:
    """A distillation in progress. A `run.Stage`."""

    def __init__(
        self, recipe: Recipe, batches: Batches, teacher: Plain, judges: Sequence[Patches], unseen: Tensor
    ) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.batches, self.unseen = recipe, batches, unseen
        self.teacher, self.judges = teacher, list(judges)
        sizes = recipe.sizes.split(",")
        self.students = nn.ModuleDict({size: networks.trainable(*networks.SIZES[size], moods.SIZE) for size in sizes})
        self.averages = copy.deepcopy(self.students).eval()
        self.optimiser = torch.optim.Adam(self.students.parameters(), recipe.rate, (0.9, 0.99), fused=True)
        self.rng = torch.Generator().manual_seed(recipe.seed + 100)
        self.done = 0

    def step(self) -> dict[str, float]:
        """One step of all students. With a 5.9 GMAC teacher, `s` and `m` and batch 8 about 0.5 s on two cores with
        AMX.
        """
        left = max(0.02, 1 - self.done / self.recipe.steps)
        for group in self.optimiser.param_groups:
            group["lr"] = self.recipe.rate * min(1.0, 2 * left, (self.done + 1) / 50)
        batch = self.batches.draw(self.recipe.paired, self.recipe.unpaired, self.rng)
        shuffled = self.batches.any_moods(len(batch.mood), self.rng)
        swap = torch.rand(len(shuffled), 1, generator=self.rng) < 0.4
        mood = torch.where(swap, shuffled, batch.mood)
        grain = self.recipe.grain * torch.randn(batch.condition.shape, generator=self.rng)
        condition = (batch.condition + grain).clamp(0, 1).contiguous(memory_format=torch.channels_last)
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            target = borderless(self.teacher, batch.condition, mood).float()
            wanted = felt(self.judges, target)
        self.optimiser.zero_grad()
        numbers: dict[str, float] = {}
        for size, student in self.students.items():
            terms = self._terms(student, condition, mood, target, wanted)
            torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
            numbers |= {f"{size} {name}": float(value.detach()) for name, value in terms.items()}
        nn.utils.clip_grad_norm_(self.students.parameters(), 20.0)
        self.optimiser.step()
        self.done += 1
        keep = min(self.recipe.average, (self.done + 1) / (self.done + 10))
        follow_average(self.averages, self.students, keep)
        return numbers

    def _terms(
        self, student: nn.Module, condition: Tensor, mood: Tensor, target: Tensor, wanted: list[list[Tensor]]
    ) -> dict[str, Tensor]:
        recipe = self.recipe
        with torch.autocast("cpu", torch.bfloat16):
            dream = student(condition, mood).float()
            mine = felt(self.judges, dream)
        alike = torch.stack([losses.matching(m, w) for m, w in zip(mine, wanted, strict=True)]).mean()
        return {
            "pixel": recipe.pixel * (dream - target).abs().mean(),
            "structure": recipe.structure * (1 - losses.ssim(dream, target)),
            "sparkle": recipe.sparkle * losses.haar(dream, target),
            "match": recipe.matching * alike,
        }

    def state(self) -> dict[str, Any]:
        """Everything; about 20 MB for `s` and `m`."""
        parts = {name: getattr(self, name).state_dict() for name in ("students", "averages", "optimiser")}
        return parts | {"rng": self.rng.get_state(), "global_rng": torch.get_rng_state(), "done": self.done}

    def restore(self, state: Mapping[str, Any]) -> None:
        for name in ("students", "averages", "optimiser"):
            getattr(self, name).load_state_dict(state[name])
        self.rng.set_state(state["rng"])
        torch.set_rng_state(state["global_rng"])
        self.done = int(state["done"])

    def weights(self) -> dict[str, Tensor]:
        """All folded averages, keys prefixed with their size (`m.head.weight`)."""
        folded = {size: networks.fold(average) for size, average in self.averages.items()}  # type: ignore[arg-type]
        return {
            f"{size}.{key}": value for size, network in folded.items() for key, value in network.state_dict().items()
        }

    def sheet(self) -> Tensor:
        """Each student's contact sheet, then the teacher's, side by side."""
        networks_shown = [*self.averages.values(), self.teacher]
        return torch.cat([sheet(one, self.batches, self.unseen, self.recipe.side, 4) for one in networks_shown], 1)


def borderless(teacher: nn.Module, condition: Tensor, mood: Tensor, margin: int = 8) -> Tensor:
    """The teacher's dream of a condition that goes on beyond its edges: zero padding leaves a thin frame, cut off here.

    The students learn the frameless picture, and so need no margin of their own when played.
    """
    wide = nn.functional.pad(condition, (margin,) * 4, mode="replicate")
    dream: Tensor = teacher(wide, mood)[:, :, margin:-margin, margin:-margin]
    return dream


def felt(judges: Sequence[Patches], pictures: Tensor) -> list[list[Tensor]]:
    """What the patch discriminators make of pictures: for each of them its features and its verdict."""
    out = []
    for judge, x in zip(judges, (pictures, nn.functional.avg_pool2d(pictures, 2)), strict=True):
        verdict, maps = judge(x)
        out.append([*maps, verdict])
    return out


def split(folder: Path) -> dict[str, Path]:
    """Give every distilled size a run folder of its own (`m/ema.safetensors`), as `export` wants them. Returns {size:
    folder}.
    """
    together = load_file(folder / "ema.safetensors")
    out = {}
    for size in sorted({key.split(".", 1)[0] for key in together}):
        mine = {
            key.split(".", 1)[1]: value.contiguous() for key, value in together.items() if key.startswith(size + ".")
        }
        (folder / size).mkdir(exist_ok=True)
        save_file(mine, folder / size / "ema.safetensors")
        out[size] = folder / size
    return out


def distil(recipe: Recipe, teacher: Path, world: Path, out: Path, pace: run.Pace | None = None) -> None:
    """Distil the teacher in run folder `teacher`, writing to and resuming from the run folder `out`."""
    data = World.load(world)
    core = export.live(teacher / "ema.safetensors", recipe.teacher_size).core
    assert isinstance(core, Plain)
    core.requires_grad_(False)
    jury = Jury()
    jury.load_state_dict(torch.load(teacher / "checkpoint.pt", map_location="cpu", weights_only=True)["jury"])
    judges = [judge.requires_grad_(False).eval() for judge in jury.patches]
    stage = Students(recipe, Batches(data, recipe.side), core, judges, data.unseen())  # type: ignore[arg-type]
    run.remember(out, asdict(recipe) | {"teacher": str(teacher), "world": str(world)})
    run.resume(out, stage)
    run.drive(out, stage, pace or run.Pace(recipe.steps))
    split(out)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--teacher", type=Path, default=Path("runs/teacher"))
    parser.add_argument("--world", type=Path, default=Path("runs/landscape"))
    parser.add_argument("--out", type=Path, default=Path("runs/students"))
    parser.add_argument("--minutes", type=float, default=1e9, help="stop (resumably) after this long")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0 leaves torch's choice")
    for name, value in asdict(Recipe()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    args = vars(parser.parse_args(argv))
    if args["threads"]:
        torch.set_num_threads(args["threads"])
    recipe = Recipe(**{name: args[name] for name in asdict(Recipe())})
    distil(recipe, args["teacher"], args["world"], args["out"], run.Pace(recipe.steps, args["minutes"]))


if __name__ == "__main__":
    main()
