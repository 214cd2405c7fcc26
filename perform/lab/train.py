"""Train a generator on a world: the teacher, or a live size directly.

    python -m perform.lab.train --world runs/landscape --out runs/teacher --size teacher --steps 8000

Resumes when the folder holds a checkpoint. Half of a batch are photographs with their own condition and mood (paired:
coarse L1, feature matching), half are strangers or photographs in another's mood (judged, held to their input's light
and to the mood's palette).
"""

from __future__ import annotations

import argparse
import copy
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from perform.lab import features, losses, moods, networks, run
from perform.lab.batches import Batch, Batches, middle
from perform.lab.conditions import augment, luma
from perform.lab.discriminators import Jury, disturb
from perform.lab.worlds import World


@dataclass(frozen=True)
class Recipe:
    """What can be asked of a training. The adversarial loss is a mean over six maps of logits, hence its weight."""

    size: str = "teacher"
    steps: int = 8000
    side: int = 256
    paired: int = 3
    unpaired: int = 3
    rate: float = 4e-4
    judge_rate: float = 3e-4
    adversarial: float = 4.0
    coarse: float = 10.0
    pixel: float = 1.0
    matching: float = 5.0
    perceptual: float = 2.0
    follow: float = 2.0
    mood: float = 2.0
    steady: float = 2.0
    steady_every: int = 4
    average: float = 0.998
    seed: int = 0


class Teacher:
    """A training in progress: generator, its average, jury, optimisers, randomness. A `run.Stage`."""

    def __init__(self, recipe: Recipe, batches: Batches, frozen: features.Features, unseen: Tensor) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.batches, self.frozen, self.unseen = recipe, batches, frozen, unseen
        widths, blocks = networks.SIZES[recipe.size]
        self.dreamer = networks.trainable(widths, blocks, moods.SIZE)
        self.average = copy.deepcopy(self.dreamer).eval()
        self.jury = Jury().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimiser = torch.optim.Adam(self.dreamer.parameters(), recipe.rate, (0.5, 0.99), fused=True)
        self.judging = [parameter for parameter in self.jury.parameters() if parameter.requires_grad]
        self.judge_optimiser = torch.optim.Adam(self.judging, recipe.judge_rate, (0.5, 0.99), fused=True)
        self.rng = torch.Generator().manual_seed(recipe.seed)
        self.done = 0

    def step(self) -> dict[str, float]:
        """One step of both sides. With a teacher of 5.9 GMAC about 0.6 s on two cores with AMX, bfloat16."""
        self._cool()
        batch = self.batches.draw(self.recipe.paired, self.recipe.unpaired, self.rng)
        count = len(batch.real)
        with torch.autocast("cpu", torch.bfloat16):
            fake = self.dreamer(_last(batch.condition), batch.mood).float()
            shown = self._disturbed(batch.real, fake)
            with torch.no_grad():
                real_seen = self.frozen(shown[:count])
            fake_seen = self.frozen(shown[count:])
            seen = [torch.cat([r, f.detach()]) for r, f in zip(real_seen, fake_seen, strict=True)]
            judged, _ = self.jury(shown.detach(), seen)
            judge_loss = losses.hinge_judge([x[:count] for x in judged], [x[count:] for x in judged])
        self.judge_optimiser.zero_grad()
        judge_loss.backward()  # type: ignore[no-untyped-call]
        self.judge_optimiser.step()
        for parameter in self.judging:
            parameter.requires_grad_(False)  # the dreamer's turn: gradients pass through the judges, none are for them
        terms = self._terms(batch, fake, shown, real_seen, fake_seen)
        loss = torch.stack(list(terms.values())).sum()
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.dreamer.parameters(), 20.0)
        self.optimiser.step()
        for parameter in self.judging:
            parameter.requires_grad_(True)
        self.done += 1
        follow_average(self.average, self.dreamer, min(self.recipe.average, (self.done + 1) / (self.done + 10)))
        return {"judge": float(judge_loss.detach())} | {name: float(value.detach()) for name, value in terms.items()}

    def _disturbed(self, real: Tensor, fake: Tensor) -> Tensor:
        """Photographs and dreams under DiffAugment; a photograph and its own dream are disturbed alike, so that
        features compare.
        """
        count = len(real)
        state = self.rng.get_state()
        shown_real = disturb(real, self.rng)
        self.rng.set_state(state)
        own = disturb(fake[:count], self.rng)
        return _last(
            torch.cat([shown_real, own, disturb(fake[count:], self.rng)])
            if len(fake) > count
            else torch.cat([shown_real, own])
        )

    def _terms(
        self, batch: Batch, fake: Tensor, shown: Tensor, real_seen: list[Tensor], fake_seen: list[Tensor]
    ) -> dict[str, Tensor]:
        recipe, count = self.recipe, len(batch.real)
        with torch.autocast("cpu", torch.bfloat16):
            logits, maps = self.jury(shown[count:], fake_seen)
            with torch.no_grad():
                _, real_maps = self.jury(shown[:count], real_seen)
        alike = [losses.matching([m[:count] for m in f], r) for f, r in zip(maps, real_maps, strict=True)]
        deep = losses.matching([f[:count] for f in fake_seen[:2]], real_seen[:2])
        palette = self.batches.scale(moods.measure(fake, batch.condition)) - batch.mood
        terms = {
            "dream": recipe.adversarial * losses.hinge_dream(logits),
            "coarse": recipe.coarse * losses.coarse(fake[:count], batch.real),
            "pixel": recipe.pixel * (fake[:count] - batch.real).abs().mean(),
            "match": recipe.matching * torch.stack(alike).mean(),
            "deep": recipe.perceptual * deep,
            "follow": recipe.follow * losses.follow(fake, batch.condition),
            "mood": recipe.mood * nn.functional.huber_loss(palette, torch.zeros_like(palette)),
        }
        if recipe.steady > 0 and self.done % recipe.steady_every == 0:
            terms["steady"] = recipe.steady * self._steady(batch, fake)
        return terms

    def _steady(self, batch: Batch, fake: Tensor) -> Tensor:
        """The last two dreams against dreams of their inputs a few pixels further, with sensor noise."""
        dy, dx = (torch.randint(0, 13, (2,), generator=self.rng) - 6).tolist()
        moved = torch.roll(batch.condition[-2:], (dy, dx), (2, 3))
        moved = (moved + 0.015 * torch.randn(moved.shape, generator=self.rng)).clamp(0, 1)
        with torch.autocast("cpu", torch.bfloat16):
            again = self.dreamer(_last(moved), batch.mood[-2:]).float()
        return losses.steady(again, fake[-2:], (dy, dx))

    def _cool(self) -> None:
        """Both rates fall linearly to a tenth over the last third of the steps."""
        left = max(0.1, min(1.0, 3 * (1 - self.done / self.recipe.steps)))
        for optimiser, rate in ((self.optimiser, self.recipe.rate), (self.judge_optimiser, self.recipe.judge_rate)):
            for group in optimiser.param_groups:
                group["lr"] = rate * left

    def state(self) -> dict[str, Any]:
        """Everything; about 60 MB for a teacher."""
        parts = {name: getattr(self, name).state_dict() for name in _PARTS}
        return parts | {"rng": self.rng.get_state(), "global_rng": torch.get_rng_state(), "done": self.done}

    def restore(self, state: Mapping[str, Any]) -> None:
        for name in _PARTS:
            getattr(self, name).load_state_dict(state[name])
        self.rng.set_state(state["rng"])
        torch.set_rng_state(state["global_rng"])
        self.done = int(state["done"])

    def weights(self) -> dict[str, Tensor]:
        """The folded average with the mood's scale: what `distil` and `export` start from."""
        folded = networks.fold(self.average).state_dict()
        return folded | {"mood.mean": self.batches.scale.mean, "mood.std": self.batches.scale.std}

    def sheet(self) -> Tensor:
        """Rows: condition, dream, photograph, two other moods; then strangers and their dreams."""
        return sheet(self.average, self.batches, self.unseen, self.recipe.side)


_PARTS = ("dreamer", "average", "jury", "optimiser", "judge_optimiser")


@torch.no_grad()
def sheet(network: nn.Module, batches: Batches, unseen: Tensor, side: int, columns: int = 8) -> Tensor:
    """A contact sheet of a generator (luma, mood) -> RGB: held-out photographs, moods swapped, strangers."""
    columns = min(columns, len(unseen))
    rng = torch.Generator().manual_seed(1)
    real = torch.cat([middle(one, side) for one in unseen[:columns]])
    grey = luma(real) / 2 + 0.5
    own = batches.scale(moods.measure(real, grey))
    condition = augment(grey, rng, side, 14.0, 18.0)
    foreign = augment(batches.strangers[5 : 5 + columns].float() / 255, rng, side, 14.0, 18.0)
    any_mood = batches.any_moods(columns, rng)
    rows = [condition * 2 - 1, network(condition, own), real]
    rows += [network(condition, own[k : k + 1].expand(len(own), -1)) for k in (0, len(own) // 2)]
    rows += [foreign * 2 - 1, network(foreign, any_mood), network(foreign, any_mood.roll(3, 0))]
    return run.tile(rows)


@torch.no_grad()
def follow_average(average: nn.Module, live: nn.Module, keep: float) -> None:
    """Exponential moving average, batch statistics too: average = keep * average + (1 - keep) * live."""
    for slow, fast in zip(average.state_dict().values(), live.state_dict().values(), strict=True):
        if slow.is_floating_point():
            slow.lerp_(fast, 1 - keep)
        else:
            slow.copy_(fast)


def _last(x: Tensor) -> Tensor:
    return x.contiguous(memory_format=torch.channels_last)


def train(recipe: Recipe, world: Path, out: Path, cache: Path, pace: run.Pace | None = None) -> None:
    """Train on the world in `world`, writing to and resuming from the run folder `out`."""
    data = World.load(world)
    stage = Teacher(recipe, Batches(data, recipe.side), features.Features(features.fetch(cache)), data.unseen())
    run.remember(out, asdict(recipe) | {"world": str(world)})
    run.resume(out, stage)
    run.drive(out, stage, pace or run.Pace(recipe.steps))


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--world", type=Path, default=Path("runs/landscape"))
    parser.add_argument("--out", type=Path, default=Path("runs/teacher"))
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"))
    parser.add_argument("--minutes", type=float, default=1e9, help="stop (resumably) after this long")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0 leaves torch's choice")
    for name, value in asdict(Recipe()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    args = vars(parser.parse_args(argv))
    if args["threads"]:
        torch.set_num_threads(args["threads"])
    recipe = Recipe(**{name: args[name] for name in asdict(Recipe())})
    train(recipe, args["world"], args["out"], args["cache"], run.Pace(recipe.steps, args["minutes"]))


if __name__ == "__main__":
    main()
