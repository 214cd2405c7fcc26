"""Once for all: train every width at once, then choose the best plan for a measured latency, then distil it on.

    perform search train  --teacher runs/teacher --world runs/landscape --out runs/search --steps 4000
    perform search choose --teacher runs/teacher --world runs/landscape --out runs/search --like m
    perform search finish --teacher runs/teacher --world runs/landscape --out runs/search --steps 2000

`train` shares the weights of all plans of a space (`spaces.Space`) and lets four of them learn from the teacher in
every step: the largest, the smallest and two at random (the sandwich rule, Yu and Huang 2019). `choose` breeds plans
that the latency table allows, each with its batch statistics counted afresh, by their distance from the teacher, and
writes `plan.json`. `finish` distils the chosen network on, alone, in `finish-PLAN` inside `--out`, so that one may
choose again, and finish that. `train` and `finish` go on where they were interrupted; `choose` takes minutes, and
begins anew.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from perform.lab import begun, distil, driving, graft, losses, moods, networks, room, run
from perform.lab.costs import Table
from perform.lab.critics import apart, felt
from perform.lab.device import last
from perform.lab.plans import Plan
from perform.lab.spaces import Space, evolve
from perform.lab.supernet import calibrate, extract, mask, supernet, wear
from perform.lab.viewing import sheet
from perform.networks import Plain
from perform.parsing import Parser


class Worn(nn.Module):
    """The supernet in one of its masks; several share it."""

    worn: Tensor

    def __init__(self, network: Plain, worn: Tensor) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("worn", worn, persistent=False)

    def forward(self, luma: Tensor, mood: Tensor) -> Tensor:
        wear(self.network, self.worn)
        dream: Tensor = self.network(luma, mood)
        return dream


class Sandwich:
    """The training of a supernet: a distillation whose four students share their weights. A `driving.Stage`.

    Raises ValueError for norms other than "batch": a fresh network has no statistics to keep.
    """

    def __init__(self, recipe: distil.Recipe, school: graft.School, space: Space) -> None:
        if recipe.norm != "batch":
            raise ValueError(f'a supernet begins from nothing: its --norm is "batch", not {recipe.norm!r}')
        torch.manual_seed(recipe.seed)
        self.space, self.school = space, school
        shared = supernet(space, moods.SIZE)
        plans = {"largest": space.largest, "smallest": space.smallest, "one": space.largest, "other": space.largest}
        made = {name: Worn(shared, mask(space, plan)) for name, plan in plans.items()}
        self.students = school.students(made, replace(recipe, sizes="supernet"))
        self.done = 0

    def step(self) -> Mapping[str, float | Tensor]:
        """One step of four students, the two in the middle drawn anew. A function of the step's number."""
        rng = random.Random(f"{self.students.recipe.seed} {self.done}")
        for name in ("one", "other"):
            student = self.students.students[name]
            assert isinstance(student, Worn)
            student.worn.copy_(mask(self.space, self.space.anyone(rng)))
        numbers = self.students.step()
        self.done = self.students.done
        return numbers

    def state(self) -> dict[str, Any]:
        """Everything."""
        return self.students.state()

    def restore(self, state: Mapping[str, Any]) -> None:
        self.students.restore(state)
        self.done = self.students.done

    def average(self) -> Plain:
        """The averaged supernet."""
        first = self.students.averages["largest"]
        assert isinstance(first, Worn)
        return first.network

    def weights(self) -> dict[str, Tensor]:
        """The averaged supernet, not folded: `extract` cuts from it."""
        return self.average().state_dict()

    def sheet(self) -> Tensor:
        """The largest and the smallest network beside the teacher."""
        shown = [
            calibrate(extract(self.average(), plan), self.school.conditions(32, seed=13))
            for plan in (self.space.largest, self.space.smallest)
        ]
        batches, unseen = self.school.batches, self.school.unseen
        return torch.cat([sheet(one, batches, unseen, 4) for one in [*shown, self.school.teacher]], 1)


class Exam:
    """How far a plan of a trained supernet is from the teacher: the weighted losses of copying (pixels, features,
    structure, high frequencies; no verdict), on inputs that are the same for all. About a second a plan on one core,
    0.05 s on a GPU.
    """

    def __init__(self, network: Plain, school: graft.School, recipe: distil.Recipe, pictures: int = 16) -> None:
        self.network, self.school, self.recipe = network.to(school.device), school, recipe
        self.calibration = list(school.conditions(2 * pictures, seed=14))
        self.judges = school.jury().patches.eval()
        self.questions = []
        with torch.no_grad():
            for condition, mood in school.conditions(pictures, seed=15):
                target = distil.borderless(school.teacher, condition, mood).float()
                self.questions.append((condition, mood, target, felt(self.judges, target)))

    @torch.no_grad()
    def __call__(self, plan: Plan) -> float:
        """The distance; lower is better."""
        network = calibrate(extract(self.network, plan), self.calibration)
        recipe, total = self.recipe, 0.0
        for condition, mood, target, wanted in self.questions:
            dream = network(last(condition), mood)
            copied = torch.stack(list(losses.copying(recipe, dream, target).values())).sum()
            total += float(copied + recipe.matching * apart(felt(self.judges, dream), wanted))
        return total / len(self.questions)


def trained(folder: Path, space: Space) -> Plain:
    """The supernet of a run folder. Raises ValueError, one sentence, for what is none, or one of another space."""
    network, file = supernet(space, moods.SIZE), folder / "ema.safetensors"
    try:
        network.load_state_dict(load_file(file))
    except FileNotFoundError:
        raise ValueError(f"there is no {file}: `perform search train --out {folder}` comes first") from None
    except SafetensorError as e:
        raise ValueError(f"{file} is damaged or was cut off: {e}") from None
    except RuntimeError as e:
        raise ValueError(
            f"{file} does not hold the supernet from {space.smallest} to {space.largest} ({run.first(e)}): "
            f"`perform search train` with another --out makes one"
        ) from None
    return network


def chosen(folder: Path) -> Plan:
    """The plan that `choose` wrote. Raises ValueError, one sentence, where there is none."""
    file = folder / "plan.json"
    try:
        return Plan.parse(json.loads(file.read_text(encoding="utf-8"))["plan"])
    except FileNotFoundError:
        raise ValueError(f"there is no {file}: `perform search choose --out {folder}` comes first") from None
    except (KeyError, TypeError, ValueError) as e:
        raise ValueError(f"{file} holds no plan ({run.first(e)}); `perform search choose` writes it anew") from None


def place(folder: Path, plan: Plan) -> Path:
    """The run folder in which `finish` distils a plan on: each has its own. What an older program began in `finish`
    goes on there.
    """
    before = folder / "finish"
    try:
        kept = json.loads((before / "recipe.json").read_text(encoding="utf-8"))["sizes"]
    except (FileNotFoundError, KeyError, TypeError, ValueError):
        kept = None
    return before if kept == str(plan) else folder / f"finish-{plan}"


def choose(folder: Path, exam: Exam, space: Space, table: Table, target: float, rounds: tuple[int, int]) -> Plan:
    """Breed plans of at most `target` milliseconds, in `rounds` = (plans a generation, generations); write the best,
    with the runners-up, to the folder's `plan.json`, and return it.
    """
    size, generations = rounds
    found = evolve(space, lambda plan: table(plan) <= target, exam, random.Random(0), size, generations)
    rows = [{"plan": str(plan), "distance": round(value, 5), "ms": round(table(plan), 3)} for value, plan in found]
    told = {"plan": rows[0]["plan"], "target ms": target, "looked at": len(rows), "best": rows[:10]}
    run.write(folder / "plan.json", lambda path: path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8"))
    return found[0][1]


def main(argv: Sequence[str] | None = None) -> None:
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("deed", choices=["train", "choose", "finish"])
    parser.add_argument("--teacher", type=Path, default=Path("runs/teacher"))
    parser.add_argument("--world", type=Path, default=Path("runs/landscape"))
    parser.add_argument("--out", type=Path, default=Path("runs/search"))
    parser.add_argument("--table", type=Path, default=Path("bench/results/latency.json"), help="from perform.lab.costs")
    parser.add_argument("--like", default="m", choices=list(networks.SIZES), help="choose: as fast as this size")
    parser.add_argument("--plans", type=int, default=24, help="choose: plans a generation")
    parser.add_argument("--generations", type=int, default=8, help="choose: how many")
    driving.add_arguments(parser, distil.Recipe())
    args = vars(parser.parse_args(argv))
    recipe = distil.Recipe(**{name: args[name] for name in asdict(distil.Recipe())})
    if min(args["plans"], args["generations"]) < 1:
        raise ValueError("--plans and --generations are 1 or more")
    pace, out, space = driving.pace(args), args["out"], Space()
    table = Table.load(args["table"]) if args["deed"] == "choose" else None  # before anything that takes long
    network = None if args["deed"] == "train" else trained(out, space)
    plan = chosen(out) if args["deed"] == "finish" else None
    school = graft.School(args["teacher"], args["world"], recipe.side, args["device"], args["cache"])
    if network is None:
        told = begun.told(recipe, **school.folders) | {
            "size": "supernet",
            "from": str(space.smallest),
            "to": str(space.largest),
        }
        driving.fit(out, lambda share: Sandwich(_smaller(recipe, share), school, space), pace, recipe=told)
        return
    if table is not None:
        target = table(Plan.uniform(*networks.SIZES[args["like"]]))
        plan = choose(out, Exam(network, school, recipe), space, table, target, (args["plans"], args["generations"]))
        print(f"{plan}: {table(plan):.2f} ms by the table (target {target:.2f})")
        return
    assert plan is not None
    own = calibrate(extract(network.to(school.device), plan), school.conditions(64, seed=14))
    there = place(out, plan)
    graft.finish(networks.fold(own), school, recipe, there, pace)  # type: ignore[arg-type]
    print(f"{plan} is in {there / str(plan)}: perform export SIZE={there / str(plan)} --world {args['world']}")


def _smaller(recipe: distil.Recipe, share: float) -> distil.Recipe:
    paired, unpaired = room.shrunk((recipe.paired, recipe.unpaired), share)
    return distil.Recipe(**asdict(recipe) | {"paired": paired, "unpaired": unpaired})


if __name__ == "__main__":
    main()
