"""Distil a teacher into live sizes, all at once: one teacher's dream serves every student.

    python -m perform.lab.distil --teacher runs/teacher --world runs/landscape --out runs/students --steps 4000

Resumes when the folder holds a checkpoint. Students see what a world meets at a concert: conditions of photographs and
of strangers, under any mood, with more sensor noise than the teacher is shown, so that they hold stiller than it. They
copy its pictures (L1, SSIM, Haar) and what its judges make of them (feature matching, the lesson of GAN Compression, Li
et al. 2020, and OMGD, Ren et al. 2021). Copying alone takes long to find texture, so the teacher's patch discriminators
go on learning, now to tell a student from its teacher. No photograph is looked at any more.
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
from perform.lab.discriminators import Jury
from perform.lab.train import follow_average, sheet
from perform.lab.worlds import World
from perform.networks import Plain


@dataclass(frozen=True)
class Recipe:
    """What can be asked of a distillation."""

    turns: str = "m,m,s"
    teacher_size: str = "teacher"
    steps: int = 4000
    side: int = 256
    paired: int = 2
    unpaired: int = 3
    rate: float = 6e-4
    judge_rate: float = 3e-4
    adversarial: float = 1.5
    pixel: float = 5.0
    structure: float = 2.0
    sparkle: float = 2.0
    matching: float = 5.0
    grain: float = 0.015
    average: float = 0.997
    seed: int = 0


class Students:
    """A distillation in progress. A `run.Stage`."""

    def __init__(self, recipe: Recipe, batches: Batches, teacher: Plain, judges: nn.ModuleList, unseen: Tensor) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.batches, self.unseen = recipe, batches, unseen
        self.teacher, self.judges = teacher, judges
        self.turns = recipe.turns.split(",")
        sizes = sorted(set(self.turns))
        self.students = nn.ModuleDict({size: networks.trainable(*networks.SIZES[size], moods.SIZE) for size in sizes})
        self.averages = copy.deepcopy(self.students).eval()
        self.optimiser = torch.optim.Adam(self.students.parameters(), recipe.rate, (0.5, 0.99), fused=True)
        self.judge_optimiser = torch.optim.Adam(self.judges.parameters(), recipe.judge_rate, (0.5, 0.99), fused=True)
        self.rng = torch.Generator().manual_seed(recipe.seed + 100)
        self.done = 0

    def step(self) -> dict[str, float]:
        """One step of the student whose turn it is. With batch 5 about 0.7 s on one core with AMX, bfloat16."""
        self._cool()
        size = self.turns[self.done % len(self.turns)]
        condition, noisy, mood = self._inputs()
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            target = borderless(self.teacher, condition, mood).float()
        with torch.autocast("cpu", torch.bfloat16):
            dream = self.students[size](noisy, mood).float()
        judged = self._judge(target, dream.detach())
        terms = self._terms(dream, target)
        self.optimiser.zero_grad()
        torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.students[size].parameters(), 20.0)
        self.optimiser.step()
        self.judges.requires_grad_(True)
        self.done += 1
        keep = min(self.recipe.average, (self.done + 1) / (self.done + 10))
        follow_average(self.averages[size], self.students[size], keep)
        return {f"{size} judge": judged} | {f"{size} {name}": float(value.detach()) for name, value in terms.items()}

    def _inputs(self) -> tuple[Tensor, Tensor, Tensor]:
        """(condition for the teacher, the same with noise for the student, mood); two in five moods are foreign."""
        batch = self.batches.draw(self.recipe.paired, self.recipe.unpaired, self.rng)
        shuffled = self.batches.any_moods(len(batch.mood), self.rng)
        swap = torch.rand(len(shuffled), 1, generator=self.rng) < 0.4
        grain = self.recipe.grain * torch.randn(batch.condition.shape, generator=self.rng)
        noisy = (batch.condition + grain).clamp(0, 1).contiguous(memory_format=torch.channels_last)
        return batch.condition, noisy, torch.where(swap, shuffled, batch.mood)

    def _judge(self, target: Tensor, dream: Tensor) -> float:
        """The judges learn to tell the teacher's dreams from a student's; then they only watch."""
        with torch.autocast("cpu", torch.bfloat16):
            verdicts = [maps[-1] for maps in felt(self.judges, torch.cat([target, dream]))]
        count = len(target)
        loss = losses.hinge_judge([v[:count] for v in verdicts], [v[count:] for v in verdicts])
        self.judge_optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.judge_optimiser.step()
        self.judges.requires_grad_(False)
        return float(loss.detach())

    def _terms(self, dream: Tensor, target: Tensor) -> dict[str, Tensor]:
        recipe = self.recipe
        with torch.autocast("cpu", torch.bfloat16):
            mine = felt(self.judges, dream)
            with torch.no_grad():
                wanted = felt(self.judges, target)
        alike = [losses.matching(m[:-1], w[:-1]) for m, w in zip(mine, wanted, strict=True)]
        return {
            "dream": recipe.adversarial * losses.hinge_dream([maps[-1] for maps in mine]),
            "pixel": recipe.pixel * (dream - target).abs().mean(),
            "structure": recipe.structure * (1 - losses.ssim(dream, target)),
            "sparkle": recipe.sparkle * losses.haar(dream, target),
            "match": recipe.matching * torch.stack(alike).mean(),
        }

    def _cool(self) -> None:
        """A soft start for fresh students, then both rates fall linearly to a twentieth over the second half."""
        left = max(0.05, min(1.0, 2 * (1 - self.done / self.recipe.steps)))
        warm = min(1.0, (self.done + 1) / 50)
        for optimiser, rate in ((self.optimiser, self.recipe.rate), (self.judge_optimiser, self.recipe.judge_rate)):
            for group in optimiser.param_groups:
                group["lr"] = rate * left * warm

    def state(self) -> dict[str, Any]:
        """Everything; about 20 MB for `s` and `m`."""
        parts = {name: getattr(self, name).state_dict() for name in _PARTS}
        return parts | {"rng": self.rng.get_state(), "global_rng": torch.get_rng_state(), "done": self.done}

    def restore(self, state: Mapping[str, Any]) -> None:
        for name in _PARTS:
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


_PARTS = ("students", "averages", "judges", "optimiser", "judge_optimiser")


def borderless(teacher: nn.Module, condition: Tensor, mood: Tensor, margin: int = 8) -> Tensor:
    """The teacher's dream of a condition that goes on beyond its edges: zero padding leaves a thin frame, cut off here.

    The students learn the frameless picture, and so need no margin of their own when played.
    """
    wide = nn.functional.pad(condition, (margin,) * 4, mode="replicate")
    dream: Tensor = teacher(wide, mood)[:, :, margin:-margin, margin:-margin]
    return dream


def felt(judges: nn.ModuleList, pictures: Tensor) -> list[list[Tensor]]:
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
    stage = Students(recipe, Batches(data, recipe.side), core, jury.patches, data.unseen())
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
