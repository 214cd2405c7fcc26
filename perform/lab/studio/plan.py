"""The plan: what this machine can learn in the time there is. Made once, from steps that were really timed, and kept
in `plan.json`: a schedule that changed at every start would never end as it began.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from perform.lab import distil as distilling
from perform.lab import driving, room, run
from perform.lab import train as training
from perform.lab.studio import display

TEACHER, STUDENTS = 0.60, 0.35  # of the training time; the rest is for export and for what was not foreseen
MOST_TEACHER, MOST_STUDENTS = 16_000, 12_000  # steps; more have not made worlds better
FEW, SMALLER = 700, "l"  # steps: where the teacher's usual network gets no more, a smaller one is tried
LEAST = 40  # steps of either: below there is no picture at all
SHEETS = (6, 24)  # contact sheets of a stage, at least and at most
EXPORT = 40.0  # seconds a size, about
GOOD = 10_000  # pictures that a teacher should see before it is judged
DRAWN = 1.15  # times the steps: what contact sheets, checkpoints and a busier hour add
SURVEY = 60.0  # seconds of reading and timing before the first step, about
OVER = 1.2  # times the minutes asked for: what takes longer than that is told
FILE = "plan.json"


@dataclass(frozen=True)
class Timed:
    """What a stage costs here: seconds a step and seconds a contact sheet; the share of the batch that fits."""

    step: float
    sheet: float
    share: float = 1.0


@dataclass(frozen=True)
class Leg:
    """One stage of the way: steps, seconds each as they were timed, and how often it logs and draws."""

    steps: int
    step: float
    log_every: int
    sheet_every: int

    @property
    def pace(self) -> driving.Pace:
        return driving.Pace(self.steps, log_every=self.log_every, sheet_every=self.sheet_every)


@dataclass(frozen=True)
class Plan:
    """The whole way. `minutes`: in which it should end; the recipes as `train` and `distil` take them."""

    minutes: float
    sizes: tuple[str, ...]
    device: str
    teacher: Leg
    students: Leg
    train: Mapping[str, Any] = field(default_factory=dict)
    distil: Mapping[str, Any] = field(default_factory=dict)

    @property
    def time(self) -> str:
        """The minutes as one says them."""
        return f"{self.minutes:g} minute{'s' * (self.minutes != 1)}"

    @property
    def seconds(self) -> float:
        """How long all of it takes, export and all, by the steps that were timed."""
        return sum(leg.steps * leg.step for leg in (self.teacher, self.students)) + EXPORT * len(self.sizes)

    @property
    def teacher_recipe(self) -> training.Recipe:
        return training.Recipe(**{**self.train, "steps": self.teacher.steps})

    @property
    def students_recipe(self) -> distilling.Recipe:
        return distilling.Recipe(**{**self.distil, "steps": self.students.steps, "sizes": ",".join(self.sizes)})

    def save(self, desk: Path) -> None:
        text = json.dumps(asdict(self), indent=1) + "\n"
        run.write(desk / FILE, lambda path: path.write_text(text, encoding="utf-8"))

    @classmethod
    def load(cls, desk: Path) -> Plan | None:
        """The plan of a desk, if one was made. Raises ValueError where somebody has spoilt it."""
        try:
            told = json.loads((desk / FILE).read_text(encoding="utf-8"))
            teacher, students = (Leg(**told.pop(name)) for name in ("teacher", "students"))
            return cls(**{**told, "sizes": tuple(told["sizes"]), "teacher": teacher, "students": students})
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as e:
            raise ValueError(f"{desk / FILE} is no plan ({e}); remove it and a new one is made") from None


def usual_minutes(device: torch.device) -> float:
    """How long a first world may take: 2 hours on a processor, 10 minutes on a datacentre's GPU, 45 on another."""
    if device.type == "cpu":
        return 120.0
    return 10.0 if torch.cuda.get_device_properties(device).total_memory > 30e9 else 45.0


def batches(device: torch.device, ranks: int = 1) -> tuple[dict[str, int], dict[str, int]]:
    """(teacher's, students') counts of photographs and strangers in a batch, multiples of the ranks."""
    large = device.type == "cuda" and torch.cuda.get_device_properties(device).total_memory > 30e9
    teacher, students = ((8, 8), (6, 8)) if large else ((6, 6), (4, 6)) if device.type == "cuda" else ((3, 3), (2, 3))
    both = []
    for paired, unpaired in (teacher, students):
        each = [max(ranks, round(count / ranks) * ranks) for count in (paired, unpaired)]
        both.append({"paired": each[0], "unpaired": each[1]})
    return both[0], both[1]


def choose(seconds: float, sizes: int, teacher: Timed, students: Timed) -> tuple[Leg, Leg]:
    """The steps of both stages, so that with `sizes` exports at the end all of it takes `seconds`."""
    left = max(1.0, 0.25 * seconds, seconds - EXPORT * (sizes + 0.5))
    whole = TEACHER + STUDENTS
    first = _leg(left * TEACHER / whole * 0.97, teacher, MOST_TEACHER)
    return first, _leg(left * STUDENTS / whole * 0.97, students, MOST_STUDENTS)


def _leg(seconds: float, timed: Timed, most: int) -> Leg:
    drawn = max(SHEETS[0], min(SHEETS[1], int(0.06 * seconds / max(timed.sheet, 1e-6))))
    steps = int((seconds - min(0.25 * seconds, drawn * timed.sheet)) / max(timed.step, 1e-6))
    steps = max(LEAST, min(most, steps))
    return Leg(steps, timed.step, max(1, min(steps, round(3.0 / timed.step))), max(1, steps // drawn))


def measure(
    begin: Callable[[float], driving.Stage],
    device: torch.device,
    draw: Callable[[driving.Stage], object],
    kept: Path,
    clock: Callable[[], float] = time.perf_counter,
) -> Timed:
    """Take a few real steps and draw once. 5 to 20 s on a CPU. Halves the batch until the GPU's memory suffices
    (`room.with_room`, also for `kept`).

    Every fourth step is longer (it looks at movement): whole fours are timed, after the recordings of a GPU.
    """
    warm, timed = (20, 24) if device.type == "cuda" else (1, 4)

    def measured(stage: driving.Stage, share: float) -> Timed:
        for _ in range(warm):
            stage.step()
        began = _now(device, clock)
        for _ in range(timed):
            stage.step()
        each = (_now(device, clock) - began) / timed
        began = _now(device, clock)
        draw(stage)
        return Timed(each, _now(device, clock) - began, share)

    return room.with_room(kept, begin, measured)


def _now(device: torch.device, clock: Callable[[], float]) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return clock()


def too_short(plan: Plan) -> str:
    """What a person should know before the plan itself, of a time in which no world can be made; else nothing."""
    if plan.seconds <= OVER * 60 * plan.minutes:
        return ""
    return (
        f"No world can be made here in {plan.time}: the least takes about {display.left(plan.seconds)}, a trial that "
        "shows colours and hardly more. That is what is made now."
    )


def warnings(plan: Plan) -> list[str]:
    """What a person should know of a plan: that the teacher will not see enough; that more time brings no more."""
    learning = plan.teacher.steps * plan.teacher.step + plan.students.steps * plan.students.step
    whole = SURVEY + learning * DRAWN + EXPORT * len(plan.sizes)
    full = plan.teacher.steps >= MOST_TEACHER and plan.students.steps >= MOST_STUDENTS
    if full and whole < 0.9 * 60 * plan.minutes:
        return [f"More than about {display.left(whole)} brings nothing here: it ends then, not after {plan.time}."]
    recipe = plan.teacher_recipe
    batch = recipe.paired + recipe.unpaired
    seen = plan.teacher.steps * batch
    if seen >= GOOD:
        return []
    learning = GOOD / batch * plan.teacher.step * (TEACHER + STUDENTS) / TEACHER
    wanted = (SURVEY + learning * DRAWN + EXPORT * (len(plan.sizes) + 0.5)) / 60
    more = f"--hours {wanted / 60:.1f}" if wanted >= 90 else f"--minutes {wanted:.0f}"
    return [
        f"In this time the teacher sees {seen:,} pictures, and it takes about {GOOD:,} for a world worth showing: "
        f"{more} would do (with another --name: a plan, once made, is kept)."
    ]
