"""Timing a few real steps of both stages here, and the plan that follows from them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import torch

from perform.lab import distil, driving, features, moods, networks, ranks, room, train
from perform.lab.batches import Batches
from perform.lab.device import pick
from perform.lab.discriminators import Jury
from perform.lab.studio import plan as plans
from perform.lab.studio.wish import Wish
from perform.lab.worlds import World


def plan(
    wish: Wish, say: Callable[[str], None], began: float, clock: Callable[[], float] = time.monotonic
) -> plans.Plan:
    """The plan of a desk: the one that was made before, or a new one for the time that is left of a work that `began`
    then. A minute on a CPU, when it has to be made. All ranks call it together.
    """
    known = plans.Plan.load(wish.desk)
    ranks.agree(True)  # everybody has looked before anybody writes
    if known is not None:
        return known
    say("Timing a few steps on this machine …")
    device = pick(wish.how.device)
    minutes = wish.minutes or plans.usual_minutes(device)
    data = World.load(wish.world_folder)
    frozen = features.Features(features.fetch(wish.how.cache))
    batches = Batches(data, train.Recipe().side, strange=64, device=device)
    teacher, students = plans.batches(device, ranks.count())
    network = train.Recipe().size
    rooms = [wish.desk / f"{room.SHARE}-{stage}" for stage in ("teacher", "students")]
    first = plans.measure(_teacher(network, teacher, batches, frozen, data), device, _draw, rooms[0])
    second = plans.measure(_students(students, wish.sizes, batches, frozen, data), device, _draw, rooms[1])
    legs = plans.choose(60 * minutes + began - clock(), len(wish.sizes), first, second)
    # a smaller teacher that has seen more paints better than a large one that has not; every rank has its own clock
    if ranks.agree(legs[0].steps < plans.FEW):
        smaller = plans.measure(_teacher(plans.SMALLER, teacher, batches, frozen, data), device, _draw, rooms[0])
        if smaller.step < 0.75 * first.step:
            network, first = plans.SMALLER, smaller
            legs = plans.choose(60 * minutes + began - clock(), len(wish.sizes), first, second)
    made = plans.Plan(
        minutes,
        wish.sizes,
        _name(device),
        *legs,
        {"size": network, **_shrunk(teacher, first.share)},
        _shrunk(students, second.share),
    )
    if ranks.rank() == 0:
        made.save(wish.desk)
    ranks.agree(True)
    known = plans.Plan.load(wish.desk)
    assert known is not None
    return known


def _teacher(
    network: str, counts: dict[str, int], batches: Batches, frozen: features.Features, data: World
) -> Callable[[float], driving.Stage]:
    def begin(share: float) -> driving.Stage:
        recipe = train.Recipe(**asdict(train.Recipe(size=network)) | _shrunk(counts, share))
        return train.Teacher(recipe, batches, frozen, data.unseen())

    return begin


def _students(
    counts: dict[str, int], sizes: tuple[str, ...], batches: Batches, frozen: features.Features, data: World
) -> Callable[[float], driving.Stage]:
    def begin(share: float) -> driving.Stage:
        recipe = distil.Recipe(**asdict(distil.Recipe(sizes=",".join(sizes))) | _shrunk(counts, share))
        teacher = networks.live(train.Recipe().size, moods.SIZE).eval().requires_grad_(False)
        return distil.Students(recipe, batches, teacher, Jury(), data.unseen(), frozen)

    return begin


def _shrunk(counts: dict[str, int], share: float) -> dict[str, int]:
    paired, unpaired = room.shrunk((counts["paired"], counts["unpaired"]), share)
    return {"paired": paired, "unpaired": unpaired}


def _draw(stage: Any) -> None:
    stage.sheet()
    if hasattr(stage, "score"):
        stage.score()


def _name(device: torch.device) -> str:
    if device.type == "cpu":
        return f"this processor ({torch.get_num_threads()} threads)"
    return f"{torch.cuda.get_device_name(device)}" + (f" × {ranks.count()}" if ranks.count() > 1 else "")
