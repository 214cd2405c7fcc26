"""Train a generator on a world: the teacher, or a live size directly.

    python -m perform.lab.train --world runs/landscape --out runs/teacher --size teacher --steps 8000
    torchrun --nproc-per-node 4 -m perform.lab.train …                      # as many ranks as there are GPUs

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

from perform.lab import begun, driving, features, losses, moods, networks, ranks, room, steps, viewing
from perform.lab.batches import Batches
from perform.lab.device import Ahead, Inputs, Recorded, adam, last, mixed, pick, set_rate
from perform.lab.discriminators import Jury, disturb, disturbance
from perform.lab.worlds import World
from perform.parsing import Parser


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
    """A training in progress: generator, its average, jury, optimisers, randomness. A `driving.Stage`."""

    parts: tuple[str, ...] = ("dreamer", "average", "jury", "optimiser", "judge_optimiser")

    def __init__(self, recipe: Recipe, batches: Batches, frozen: features.Features, unseen: Sequence[Tensor]) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.batches, self.unseen = recipe, batches, unseen
        self.device = device = batches.device
        self.frozen = frozen.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        dreamer = networks.make(recipe.size, moods.SIZE).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.dreamer = ranks.share(dreamer)
        self.average = copy.deepcopy(self.dreamer).eval()
        self.jury = Jury().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimiser = adam(list(self.dreamer.parameters()), recipe.rate, device)
        self.judging = [parameter for parameter in self.jury.parameters() if parameter.requires_grad]
        self.judge_optimiser = adam(self.judging, recipe.judge_rate, device)
        self.rng = torch.Generator().manual_seed(recipe.seed)
        self.ahead = Ahead(device)
        self.recorded = {steady: Recorded(device) for steady in (False, True)}
        self.done = 0

    def step(self) -> dict[str, Tensor]:
        """One step of both sides. With a teacher of 5.9 GMAC about 0.6 s on two cores with AMX, bfloat16."""
        left = max(0.1, min(1.0, 3 * (1 - self.done / self.recipe.steps)))  # the last third falls to a tenth
        set_rate(self.optimiser, self.recipe.rate * left)
        set_rate(self.judge_optimiser, self.recipe.judge_rate * left)
        steady = min(self.recipe.steady, self.recipe.unpaired) > 0 and self.done % self.recipe.steady_every == 0
        return steps.advance(self, steady)

    def inputs(self, steady: bool) -> dict[str, Tensor]:
        """All that a step needs from chance: this rank's part of the batch, how it is disturbed, how far it moves."""
        recipe, rng = self.recipe, self.rng
        batch = self.batches.draw(recipe.paired, recipe.unpaired, rng, recipe.unpaired if steady else 0)
        how = disturbance(recipe.paired + recipe.unpaired, recipe.side, rng).to(self.device)
        given = {"real": ranks.mine(batch.real)}
        for name, whole in (("condition", batch.condition), ("mood", batch.mood), ("how", how)):
            own, foreign = whole[: recipe.paired], whole[recipe.paired :]
            given[name] = torch.cat([ranks.mine(own), ranks.mine(foreign)]) if len(foreign) else ranks.mine(own)
        keep = min(recipe.average, (self.done + 2) / (self.done + 11))
        given["keep"] = torch.tensor(keep).to(self.device)
        if steady:
            given |= {"shift": ranks.mine(batch.shift), "moved": ranks.mine(batch.moved)}
        return given

    def work(self, given: Inputs) -> dict[str, Tensor]:
        """Judges, then the dreamer, then its average: tensors in, tensors out, nothing random."""
        count = len(given["real"])
        with mixed(self.device):
            fake = self.dreamer(last(given["condition"]), given["mood"]).float()
            together = torch.cat([given["real"], fake])
            # a photograph and its own dream are disturbed alike, so that features compare
            shown = last(disturb(together, torch.cat([given["how"][:count], given["how"]])))
            with torch.no_grad():
                real_seen = self.frozen(shown[:count])
            fake_seen = self.frozen(shown[count:])
            seen = [torch.cat([r, f.detach()]) for r, f in zip(real_seen, fake_seen, strict=True)]
            judged, _ = self.jury(shown.detach(), seen)
            judge_loss = losses.hinge_judge([x[:count] for x in judged], [x[count:] for x in judged])
        self._learn(self.judge_optimiser, self.judging, judge_loss)
        for parameter in self.judging:
            parameter.requires_grad_(False)  # the dreamer's turn: gradients pass through the judges, none are for them
        terms = self._terms(given, fake, shown, real_seen, fake_seen)
        self._learn(self.optimiser, list(self.dreamer.parameters()), torch.stack(list(terms.values())).sum(), 20.0)
        for parameter in self.judging:
            parameter.requires_grad_(True)
        follow_average(self.average, self.dreamer, given["keep"])
        return {name: value.detach() for name, value in ({"judge": judge_loss} | terms).items()}

    def _learn(
        self, optimiser: torch.optim.Optimizer, parameters: list[nn.Parameter], loss: Tensor, clip: float = 0.0
    ) -> None:
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        ranks.average_gradients(parameters)
        if clip:
            nn.utils.clip_grad_norm_(parameters, clip)
        optimiser.step()

    def _terms(
        self, given: Inputs, fake: Tensor, shown: Tensor, real_seen: list[Tensor], fake_seen: list[Tensor]
    ) -> dict[str, Tensor]:
        recipe, real, count = self.recipe, given["real"], len(given["real"])
        with mixed(self.device):
            logits, maps = self.jury(shown[count:], fake_seen)
            with torch.no_grad():
                _, real_maps = self.jury(shown[:count], real_seen)
        alike = [losses.matching([m[:count] for m in f], r) for f, r in zip(maps, real_maps, strict=True)]
        deep = losses.matching([f[:count] for f in fake_seen[:2]], real_seen[:2])
        palette = self.batches.scale(moods.measure(fake, given["condition"])) - given["mood"]
        terms = {
            "dream": recipe.adversarial * losses.hinge_dream(logits),
            "coarse": recipe.coarse * losses.coarse(fake[:count], real),
            "pixel": recipe.pixel * (fake[:count] - real).abs().mean(),
            "match": recipe.matching * torch.stack(alike).mean(),
            "deep": recipe.perceptual * deep,
            "follow": recipe.follow * losses.follow(fake, given["condition"]),
            "mood": recipe.mood * nn.functional.huber_loss(palette, torch.zeros_like(palette)),
        }
        if "moved" in given:
            few = len(given["moved"])
            with mixed(self.device):
                again = self.dreamer(last(given["moved"]), given["mood"][-few:]).float()
            terms["steady"] = recipe.steady * losses.steady(again, fake[-few:], given["shift"])
        return terms

    def state(self) -> dict[str, Any]:
        """Everything; about 60 MB for a teacher."""
        return steps.state(self)

    def restore(self, state: Mapping[str, Any]) -> None:
        steps.restore(self, state)

    def weights(self) -> dict[str, Tensor]:
        """The folded average with the mood's scale: what `distil` and `export` start from."""
        folded = networks.fold(self.average).state_dict()
        return folded | {"mood.mean": self.batches.scale.mean, "mood.std": self.batches.scale.std}

    def sheet(self) -> Tensor:
        """Rows: condition, dream, photograph, two other moods; then strangers and their dreams."""
        return viewing.sheet(self.average, self.batches, self.unseen)

    def score(self) -> dict[str, float]:
        """See `viewing.score`: of the average, on the held-out photographs."""
        return viewing.score(self.average, self.frozen, self.batches, self.unseen)


@torch.no_grad()
def follow_average(average: nn.Module, live: nn.Module, keep: Tensor) -> None:
    """Exponential moving average, batch statistics too: average = keep * average + (1 - keep) * live. What several
    parts of a module share is moved once.
    """
    moved: set[int] = set()
    for slow, fast in zip(average.state_dict().values(), live.state_dict().values(), strict=True):
        if slow.data_ptr() in moved:  # or `keep` would hold for a quarter of the steps in a supernet's four students
            continue
        moved.add(slow.data_ptr())
        if slow.is_floating_point():
            slow.lerp_(fast, 1 - keep.to(slow.dtype))
        else:
            slow.copy_(fast)


def train(
    recipe: Recipe,
    world: Path,
    out: Path,
    cache: Path,
    pace: driving.Pace | None = None,
    device: str = "auto",
    watcher: driving.Watcher | None = None,
) -> None:
    """Train on the world in `world`, writing to and resuming from the run folder `out`.

    Out of GPU memory, the batch is halved and it goes on. Raises ValueError, one sentence, for what cannot be done.
    """
    ranks.join(device)
    data = World.load(world)
    there = pick(device)
    batches = Batches(data, recipe.side, device=there)
    frozen = features.Features(features.fetch(cache))

    def begin(share: float) -> Teacher:
        paired, unpaired = room.shrunk((recipe.paired, recipe.unpaired), share)
        smaller = Recipe(**asdict(recipe) | {"paired": paired, "unpaired": unpaired})
        return Teacher(smaller, batches, frozen, data.unseen())

    driving.fit(out, begin, pace or driving.Pace(recipe.steps), watcher, begun.told(recipe, world=world))


def main(argv: Sequence[str] | None = None) -> None:
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--world", type=Path, default=Path("runs/landscape"))
    parser.add_argument("--out", type=Path, default=Path("runs/teacher"))
    driving.add_arguments(parser, Recipe())
    args = vars(parser.parse_args(argv))
    recipe = Recipe(**{name: args[name] for name in asdict(Recipe())})
    train(recipe, args["world"], args["out"], args["cache"], driving.pace(args), args["device"])


if __name__ == "__main__":
    main()
