"""Distil a teacher into live sizes, all at once: one teacher's dream serves every student.

    python -m perform.lab.distil --teacher runs/teacher --world runs/landscape --out runs/students --steps 4000

Resumes when the folder holds a checkpoint. Students see what a world meets at a concert: conditions of photographs and
of strangers, under any mood, with more sensor noise than the teacher is shown, so that they hold stiller than it. They
copy its pictures (L1, SSIM, Haar) and what its judges make of them (feature matching, the lesson of GAN Compression, Li
et al. 2020, and OMGD, Ren et al. 2021). Copying alone takes long to find texture, so the teacher's judges go on
learning: see `critics`. A weight of 0 leaves its loss out: that is how each one's worth was measured.
"""

from __future__ import annotations

import argparse
import copy
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from perform.lab import begun, card, driving, features, losses, moods, networks, ranks, room, run, steps, viewing
from perform.lab.batches import Batches
from perform.lab.conditions import noise
from perform.lab.critics import Critics
from perform.lab.device import Ahead, Inputs, Recorded, adam, last, mixed, pick, set_rate
from perform.lab.discriminators import Jury, disturbance
from perform.lab.train import follow_average
from perform.lab.worlds import World, named
from perform.parsing import Parser


@dataclass(frozen=True)
class Recipe:
    """What can be asked of a distillation. `sizes`: names of networks, comma separated. `norm`: "batch", or "kept" for
    students who go on: their batch norms keep the statistics that they begin with. Those of five pictures at once move
    a dream by two thirds of what `m` is away from its teacher. `judges_first`: for how many steps the judges learn
    alone where they begin from nothing, as they do where a shipped world is the teacher.
    """

    sizes: str = "s,m,l"
    steps: int = 4000
    side: int = 256
    paired: int = 2
    unpaired: int = 3
    rate: float = 6e-4
    judge_rate: float = 3e-4
    judges_first: int = 300
    adversarial: float = 1.5
    coarse: float = 10.0
    pixel: float = 5.0
    structure: float = 2.0
    sparkle: float = 2.0
    matching: float = 5.0
    projected: float = 3.0
    deep: float = 2.0
    follow: float = 2.0
    steady: float = 2.0
    steady_every: int = 4
    grain: float = 0.015
    average: float = 0.997
    norm: str = "batch"
    seed: int = 0


class Students:
    """A distillation in progress. A `driving.Stage`. `frozen`: the features that `projected` and `deep` are about;
    without them both losses are left out. `made`: networks to go on with, instead of fresh ones of the recipe's sizes.
    Raises ValueError, one sentence, for norms that there are not, or that cannot be kept.
    """

    parts: tuple[str, ...] = ("students", "averages", "judges", "optimiser", "judge_optimiser")

    def __init__(
        self,
        recipe: Recipe,
        batches: Batches,
        teacher: nn.Module,
        jury: Jury,
        unseen: Sequence[Tensor],
        frozen: features.Features | None = None,
        made: Mapping[str, nn.Module] | None = None,
    ) -> None:
        if recipe.norm not in ("batch", "kept") or (recipe.norm == "kept" and made is None):
            raise ValueError(f'--norm is "batch", or "kept" for networks that go on (--start), not {recipe.norm!r}')
        torch.manual_seed(recipe.seed)
        self.recipe, self.batches, self.unseen = recipe, batches, unseen
        self.device = device = batches.device
        form: Any = {"device": device, "memory_format": torch.channels_last}
        self.teacher = teacher.to(**form)
        self.critics = Critics(recipe, jury, frozen, recipe.judge_rate, device)
        self.judges, self.judge_optimiser = self.critics.networks, self.critics.optimiser
        self.alone = recipe.judges_first if jury.untaught and self.critics.learns else 0
        if self.alone and not 0 < self.alone < recipe.steps:
            first, of = self.alone, recipe.steps
            raise ValueError(f"--judges-first, while new judges learn alone, is 0 or more of {of} --steps, not {first}")
        made = made or {size: networks.make(size, moods.SIZE) for size in recipe.sizes.split(",")}
        self.students = nn.ModuleDict({key(size): ranks.share(network) for size, network in made.items()}).to(**form)
        if recipe.norm == "kept":
            for part in self.students.modules():
                if isinstance(part, nn.BatchNorm2d):
                    part.eval()
        self.averages = copy.deepcopy(self.students).eval()
        self.optimiser = adam(list(self.students.parameters()), recipe.rate, device)
        self.rng = torch.Generator().manual_seed(recipe.seed + 100)
        self.ahead = Ahead(device)
        self.recorded = {steady: Recorded(device) for steady in (False, True)}
        self.done = 0

    def step(self) -> dict[str, Tensor]:
        """One step of every student. With s, m and l and a batch of 5 about 2 s on one core."""
        left = max(0.05, min(1.0, 2 * (1 - self.done / self.recipe.steps)))  # the second half falls to a twentieth
        warm, late = (max(0.0, min(1.0, (self.done + 1 - first) / 50)) for first in (0, self.alone))  # a soft start
        set_rate(self.optimiser, self.recipe.rate * left * late)
        set_rate(self.judge_optimiser, self.recipe.judge_rate * left * warm)
        steady = min(self.recipe.steady, self.recipe.unpaired) > 0 and self.done % self.recipe.steady_every == 0
        return steps.advance(self, steady)

    def inputs(self, steady: bool) -> dict[str, Tensor]:
        """The teacher's conditions, the same with noise for the students, moods (two in five foreign)."""
        recipe, rng, device = self.recipe, self.rng, self.device
        batch = self.batches.draw(recipe.paired, recipe.unpaired, rng, recipe.unpaired if steady else 0)
        shuffled = self.batches.any_moods(len(batch.mood), rng)
        swap = (torch.rand(len(shuffled), 1, generator=rng) < 0.4).to(device)
        condition = batch.condition
        noisy = condition + recipe.grain * noise(condition.shape, rng, device)
        mood = torch.where(swap, shuffled, batch.mood)
        whole = {"condition": condition, "noisy": noisy.clamp(0, 1), "mood": mood}
        if self.critics.frozen is not None:  # as many photographs as dreams, and how both are disturbed
            whole["real"] = self.batches.draw(len(mood), 0, rng).real
            whole["how"] = disturbance(len(mood), recipe.side, rng).to(device)
        count = recipe.paired
        given = {name: torch.cat([ranks.mine(one[:count]), ranks.mine(one[count:])]) for name, one in whole.items()}
        given["keep"] = torch.tensor(min(recipe.average, (self.done + 2) / (self.done + 11))).to(device)
        if steady:
            given |= {"shift": ranks.mine(batch.shift), "moved": ranks.mine(batch.moved)}
        return given

    def work(self, given: Inputs) -> dict[str, Tensor]:
        """One dream of the teacher, one of each student, the judges' lesson, the students' lesson, the averages."""
        with torch.no_grad(), mixed(self.device):
            target = borderless(self.teacher, given["condition"], given["mood"]).float()
        with mixed(self.device):
            dreams = {
                size: student(last(given["noisy"]), given["mood"]).float() for size, student in self.students.items()
            }
        judged = self.critics.learn(target, list(dreams.values()), given)
        terms: dict[str, Tensor] = {}
        with self.critics.watching():
            wanted = self.critics.wanted(target, given)
            for size, dream in dreams.items():
                mine = self._likeness(dream, target, given["condition"]) | self.critics.terms(dream, wanted, given)
                if "moved" in given:
                    few = len(given["moved"])
                    with mixed(self.device):
                        again = self.students[size](last(given["moved"]), given["mood"][-few:]).float()
                    mine["steady"] = self.recipe.steady * losses.steady(again, dream[-few:], given["shift"])
                terms |= {f"{size} {name}": value for name, value in mine.items()}
            self.optimiser.zero_grad()
            torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
        ranks.average_gradients(self.students.parameters())
        for student in self.students.values():
            nn.utils.clip_grad_norm_(student.parameters(), 20.0)
        self.optimiser.step()
        follow_average(self.averages, self.students, given["keep"])
        return {name: value.detach() for name, value in (judged | terms).items()}

    def _likeness(self, dream: Tensor, target: Tensor, condition: Tensor) -> dict[str, Tensor]:
        recipe = self.recipe
        return {
            "coarse": recipe.coarse * losses.coarse(dream, target),
            **losses.copying(recipe, dream, target),
            "follow": recipe.follow * losses.follow(dream, condition),
        }

    def state(self) -> dict[str, Any]:
        """Everything; about 40 MB for `s`, `m` and `l`."""
        return steps.state(self)

    def restore(self, state: Mapping[str, Any]) -> None:
        steps.restore(self, state)

    def weights(self) -> dict[str, Tensor]:
        """All folded averages, keys prefixed with their size (`m.head.weight`)."""
        folded = {size: networks.fold(average) for size, average in self.averages.items()}
        return {
            f"{size}.{key}": value for size, network in folded.items() for key, value in network.state_dict().items()
        }

    def sheet(self) -> Tensor:
        """Each student's contact sheet, then the teacher's, side by side."""
        networks_shown = [*self.averages.values(), self.teacher]
        return torch.cat([viewing.sheet(one, self.batches, self.unseen, 4) for one in networks_shown], 1)


def key(size: str) -> str:
    """A size's name as a module's name and a folder's: a dot would not do in the one, nor a slash in the other."""
    return size.replace(".", "_").replace("/", "_")


def borderless(teacher: nn.Module, condition: Tensor, mood: Tensor, margin: int = 8) -> Tensor:
    """The teacher's dream of a condition that goes on beyond its edges: zero padding leaves a thin frame, cut off here.

    The students learn the frameless picture, and so need no margin of their own when played.
    """
    wide = nn.functional.pad(condition, (margin,) * 4, mode="replicate")
    dream: Tensor = teacher(last(wide), mood)[:, :, margin:-margin, margin:-margin]
    return dream


def split(folder: Path) -> dict[str, Path]:
    """Give every distilled size a run folder of its own (`m/ema.safetensors`), as `export` wants them, and one to each
    state that was kept on the way (`m/state-000500`), as `average` does. Returns {size: folder}.
    """
    out = {}
    for together in (*sorted(folder.glob("state-*.safetensors")), folder / "ema.safetensors"):
        weights = load_file(together)
        for size in sorted({key.split(".", 1)[0] for key in weights}):
            mine = {key.split(".", 1)[1]: value for key, value in weights.items() if key.startswith(size + ".")}
            out[size] = folder / size
            place = out[size] / (together.stem if together.stem != "ema" else "")
            place.mkdir(parents=True, exist_ok=True)
            run.tensors(place / "ema.safetensors", {key: value.contiguous() for key, value in mine.items()})
            run.remember(place, {"size": size, "distilled": str(folder)})
    return out


def judge_with(recipe: Recipe, cache: Path) -> features.Features | None:
    """The frozen features that the recipe's losses need, if any: 18 MB, downloaded once into `cache`. Raises what
    `features.fetch` raises.
    """
    return features.Features(features.fetch(cache)) if recipe.projected > 0 or recipe.deep > 0 else None


def judges_of(teacher: Path) -> Jury:
    """The judges of run folder `teacher` as it left them, on the CPU. Raises ValueError, one sentence, where it has
    none.
    """
    if run.shipped(teacher):
        raise ValueError(f"{teacher} has no judges, it is a size of a world: of these only `perform distil` learns")
    jury = Jury()
    try:
        jury.load_state_dict(run.kept(teacher)["jury"])
    except (LookupError, RuntimeError, TypeError, AttributeError) as e:
        holds = f"{teacher / 'checkpoint.pt'} holds no teacher's judges ({run.first(e)})"
        raise ValueError(f"{holds}; that of a folder of `perform train --world` does") from None
    return jury


def new_judges(seed: int) -> Jury:
    """Judges for a teacher that has none: they know nothing, and learn before anybody listens to them."""
    torch.manual_seed(seed)
    jury = Jury()
    jury.untaught = True
    return jury


def at_home(teacher: Path, world: Path) -> None:
    """Raises ValueError, one sentence, where the teacher is a size of a world (`run.shipped`) and the pictures in
    `world` are another one's: its students would learn moods, and be judged by pictures, that are not its own; and
    `perform evaluate` would hold the teacher itself against pictures that it never learned.
    """
    if (meant := run.shipped(teacher)) is None:
        return
    own, given = card.trained(meant[0]).get("world"), named(world)
    if given and own != given:
        raise ValueError(f"{teacher} is a size of the world {own!r}, {world} holds {given!r}: name another --world")


def distil(
    recipe: Recipe,
    teacher: Path,
    world: Path,
    out: Path,
    pace: driving.Pace | None = None,
    device: str = "auto",
    watcher: driving.Watcher | None = None,
    start: Path | None = None,
    cache: Path = Path("runs/cache"),
) -> None:
    """Distil the teacher in run folder `teacher`, writing to and resuming from the run folder `out`.

    `start` is an earlier distillation whose students go on from where they ended, instead of from nothing, or a shipped
    world whose sizes do. `teacher` may be a size of a world, too (`run.shipped`).
    Out of GPU memory, the batch is halved and it goes on. Raises ValueError, one sentence, for what cannot be done.
    """
    from perform.lab.graft import going_on  # which is made of this module

    ranks.join(device)
    data = World.load(world)
    batches = Batches(data, recipe.side, device=pick(device))
    core = run.network(teacher)
    at_home(teacher, world)
    frozen = judge_with(recipe, cache)
    jury = new_judges(recipe.seed) if run.shipped(teacher) else judges_of(teacher)

    def begin(share: float) -> Students:
        paired, unpaired = room.shrunk((recipe.paired, recipe.unpaired), share)
        smaller = Recipe(**asdict(recipe) | {"paired": paired, "unpaired": unpaired})
        made = going_on(start, smaller.sizes.split(","), batches) if start is not None else None
        return Students(smaller, batches, core, copy.deepcopy(jury), data.unseen(), frozen, made)

    told = begun.told(recipe, teacher=teacher, world=world, start=start)
    driving.fit(out, begin, pace or driving.Pace(recipe.steps), watcher, told)
    if ranks.rank() == 0:
        split(out)


def main(argv: Sequence[str] | None = None) -> None:
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    whose = "a run folder of `perform train --world`, or a size of a shipped world, such as models/cosmos/m"
    parser.add_argument("--teacher", type=Path, default=Path("runs/teacher"), help=whose)
    parser.add_argument("--world", type=Path, default=Path("runs/landscape"))
    parser.add_argument("--out", type=Path, default=Path("runs/students"))
    parser.add_argument("--start", type=Path, help="an earlier distillation, or a world, whose sizes go on")
    driving.add_arguments(parser, Recipe())
    args = vars(parser.parse_args(argv))
    recipe = Recipe(**{name: args[name] for name in asdict(Recipe())})
    paths = (args["teacher"], args["world"], args["out"])
    distil(recipe, *paths, driving.pace(args), args["device"], start=args["start"], cache=args["cache"])


if __name__ == "__main__":
    main()
