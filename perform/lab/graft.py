"""Distil into networks that are there already: cut from a larger one by `slim`, or chosen by `search`.

The same losses, judges and teacher as `distil`; only the students do not begin from random weights.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from perform.lab import begun, distil, driving, moods, networks, ranks, room, run
from perform.lab.batches import Batches
from perform.lab.device import last, pick
from perform.lab.discriminators import Jury
from perform.lab.networks import NormedConv
from perform.lab.plans import Plan
from perform.lab.worlds import World
from perform.networks import Plain


class School:
    """A teacher with its judges and its world, ready to teach any network. `cache`: of downloads. Raises what reading
    their files raises.
    """

    def __init__(
        self, teacher: Path, world: Path, side: int, device: str = "auto", cache: Path = Path("runs/cache")
    ) -> None:
        ranks.single()
        data = World.load(world)
        self.folders = {"teacher": teacher, "world": world}
        self.unseen = data.unseen()
        self.batches = Batches(data, side, device=pick(device))
        self.teacher = run.network(teacher).to(self.batches.device)
        self.cache = cache
        self._jury = distil.judges_of(teacher)

    @property
    def device(self) -> torch.device:
        """Where the lessons are."""
        return self.batches.device

    def jury(self) -> Jury:
        """The teacher's judges as it left them."""
        return copy.deepcopy(self._jury).to(self.device)

    def students(self, made: Mapping[str, nn.Module], recipe: distil.Recipe) -> distil.Students:
        """A distillation of these networks, which go on from their present weights."""
        frozen = distil.judge_with(recipe, self.cache)
        return distil.Students(recipe, self.batches, self.teacher, self.jury(), self.unseen, frozen, made)

    def conditions(self, count: int, seed: int, each: int = 4) -> Iterator[tuple[Tensor, Tensor]]:
        """About `count` live-like inputs in small batches: (condition [B,1,S,S], mood [B,7]), half of them foreign."""
        rng = torch.Generator().manual_seed(seed)
        for _ in range(max(1, count // each)):
            batch = self.batches.draw(each // 2, each - each // 2, rng)
            yield batch.condition, batch.mood


def going_on(start: Path, sizes: Sequence[str], batches: Batches) -> dict[str, nn.Module]:
    """The students of an earlier distillation, or sizes of a shipped world, trainable again. Raises ValueError, one
    sentence, for networks that cannot go on, or not under that name.
    """

    def inputs() -> Iterator[tuple[Tensor, Tensor]]:
        rng = torch.Generator().manual_seed(11)
        for _ in range(8):
            batch = batches.draw(2, 2, rng)
            yield batch.condition, batch.mood

    made: dict[str, nn.Module] = {}
    for size in sizes:
        folded = run.network(start / distil.key(size)).to(batches.device)
        if not isinstance(folded, Plain):
            raise ValueError(f"{start / distil.key(size)} holds no plain network: only those can go on")
        if (plan := Plan.of(folded)) != Plan.of(networks.live(size, moods.SIZE)):
            raise ValueError(f"{start} has a {size} of its own shape, {plan}: it cannot go on as an ordinary {size}")
        made[size] = unfold(folded, inputs())
    return made


@torch.no_grad()
def unfold(folded: Plain, inputs: Iterator[tuple[Tensor, Tensor]]) -> Plain:
    """The trainable twin of a folded network: every convolution gets a batch norm again that changes nothing in
    evaluation mode, with the statistics that the network has on `inputs`.
    """
    sums: dict[str, list[Tensor]] = {}

    def watch(name: str, conv: nn.Conv2d) -> Callable[..., None]:
        def look(_module: nn.Module, _given: Any, made: Tensor) -> None:
            assert conv.bias is not None
            y = made.float() - conv.bias[:, None, None]
            sums.setdefault(name, []).append(torch.stack([y.mean((0, 2, 3)), y.square().mean((0, 2, 3))]))

        return look

    twin = Plan.of(folded).network(folded.mood, NormedConv).to(folded.head.weight.device)
    normed = {name: module for name, module in twin.named_modules() if isinstance(module, NormedConv)}
    plain = {
        name: module for name, module in folded.named_modules() if name in normed and isinstance(module, nn.Conv2d)
    }
    hooks = [module.register_forward_hook(watch(name, module)) for name, module in plain.items()]
    for condition, mood in inputs:
        folded(last(condition), mood)
    for hook in hooks:
        hook.remove()
    for name, conv in plain.items():
        mean, square = torch.stack(sums[name]).mean(0)
        _dress(normed[name], conv, mean, (square - mean.square()).clamp(min=1e-8))
    twin.head.load_state_dict(folded.head.state_dict())
    twin.film.load_state_dict(folded.film.state_dict())
    return twin.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def _dress(into: NormedConv, conv: nn.Conv2d, mean: Tensor, spread: Tensor) -> None:
    norm = into.norm
    assert conv.bias is not None
    assert norm.running_mean is not None
    assert norm.running_var is not None
    into.conv.weight.copy_(conv.weight)
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(spread)
    norm.weight.copy_((spread + norm.eps).sqrt())
    norm.bias.copy_(conv.bias + mean)


def finish(
    network: Plain,
    school: School,
    recipe: distil.Recipe,
    out: Path,
    pace: driving.Pace,
    start: Path | None = None,
) -> None:
    """Distil the folded `network` on, into the run folder `out`, resumably: what `export` takes. Its recipe names it
    by its plan, and says what it was cut from, if that is a run folder (`start`).
    """
    plan = str(Plan.of(network))

    def begin(share: float) -> distil.Students:
        twin = unfold(network.to(school.device), school.conditions(32, seed=11))
        paired, unpaired = room.shrunk((recipe.paired, recipe.unpaired), share)
        return school.students({plan: twin}, distil.Recipe(**asdict(recipe) | {"paired": paired, "unpaired": unpaired}))

    driving.fit(out, begin, pace, recipe=begun.told(replace(recipe, sizes=plan), **school.folders, start=start))
    distil.split(out)
