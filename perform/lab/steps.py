"""What teacher and students do alike: a step whose draws are made ahead, a state that is kept and taken up again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import torch
from torch import Tensor

from perform.lab.device import Ahead, Inputs, Recorded, keep_rate_in_place


class Learning(Protocol):
    """A training in progress: two sides that learn, and the dice. `parts` are the attributes a checkpoint holds."""

    parts: tuple[str, ...]
    device: torch.device
    optimiser: torch.optim.Adam
    judge_optimiser: torch.optim.Adam
    rng: torch.Generator
    ahead: Ahead
    recorded: dict[bool, Recorded]
    done: int

    def inputs(self, steady: bool) -> dict[str, Tensor]:
        """All that a step needs from chance; `steady`: with movement to look at."""
        ...

    def work(self, given: Inputs) -> dict[str, Tensor]:
        """The step itself: tensors in, the numbers to log out, nothing random."""
        ...


def advance(learning: Learning, steady: bool) -> dict[str, Tensor]:
    """Take one step, its inputs drawn beside the one before. What it returns is the next step's too: read it first."""
    with learning.ahead:
        given = learning.inputs(steady)
    learning.ahead.hand_over(given)
    results = learning.recorded[steady](learning.work, given)
    learning.done += 1
    return results


def state(learning: Learning) -> dict[str, Any]:
    """All that has to be kept for the same next step."""
    parts = {name: getattr(learning, name).state_dict() for name in learning.parts}
    return parts | {"rng": learning.rng.get_state(), "global_rng": torch.get_rng_state(), "done": learning.done}


def restore(learning: Learning, kept: Mapping[str, Any]) -> None:
    """Go on as `state` was taken, on whatever device this training is."""
    for name in learning.parts:
        getattr(learning, name).load_state_dict(kept[name])
    for optimiser in (learning.optimiser, learning.judge_optimiser):
        keep_rate_in_place(optimiser, learning.device)
    learning.rng.set_state(kept["rng"])
    torch.set_rng_state(kept["global_rng"])
    learning.done = int(kept["done"])
