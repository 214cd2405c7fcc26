"""What judges students: their teacher's jury, which goes on learning.

The patch discriminators learn to tell the teacher's dreams from the students', and say in their features how far apart
they are. The projected one (Sauer et al. 2021) goes on doing what it did for the teacher: it tells photographs from
dreams, in frozen features of a network that has seen everything. A student that only copies ends less real than what
it copies; this one asks for what the teacher itself was asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from perform.lab import losses, ranks
from perform.lab.device import adam, last, mixed
from perform.lab.discriminators import Jury, disturb
from perform.lab.features import Features

if TYPE_CHECKING:
    from perform.lab.distil import Recipe


class Critics:
    """A jury at work in a distillation. Without `frozen` features the projected judge stays away, whatever the recipe
    weighs it with, and `deep` is left out. `learns`: whether any of its judges does.
    """

    def __init__(self, recipe: Recipe, jury: Jury, frozen: Features | None, rate: float, device: torch.device) -> None:
        form: Any = {"device": device, "memory_format": torch.channels_last}
        self.recipe, self.device = recipe, device
        self.frozen = frozen.to(**form) if frozen is not None else None
        parts: dict[str, nn.Module] = {"patches": jury.patches}
        if frozen is not None:
            parts["projected"] = jury.projected
        self.networks = nn.ModuleDict(parts).to(**form)
        self.asked = recipe.adversarial > 0 or (jury.untaught and recipe.matching > 0)  # what the patches make of it
        self.real = frozen is not None and recipe.projected > 0  # whether the projected judge has a say
        self.deep = frozen is not None and recipe.deep > 0
        self.learns = self.asked or self.real
        self.learning = [parameter for parameter in self.networks.parameters() if parameter.requires_grad]
        self.optimiser = adam(self.learning, rate, device)

    def learn(self, target: Tensor, dreams: Sequence[Tensor], given: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """One lesson: the teacher's dreams [B,3,S,S], those of each student, and photographs (`given["real"]`), all
        disturbed as `given["how"]` says before the projected judge sees them. Returns its losses.
        """
        terms, count = {}, len(target)
        dreams = [dream.detach() for dream in dreams]
        with mixed(self.device):
            if self.asked:
                verdicts = [maps[-1] for maps in felt(self.networks["patches"], torch.cat([target, *dreams]))]
                terms["judge"] = losses.hinge_judge([v[:count] for v in verdicts], [v[count:] for v in verdicts])
            if self.real:
                how = given["how"].repeat(1 + len(dreams), 1)
                with torch.no_grad():
                    seen = self._features(torch.cat([given["real"], *dreams]), how)
                verdicts = self.networks["projected"](seen)
                terms["judge real"] = losses.hinge_judge([v[:count] for v in verdicts], [v[count:] for v in verdicts])
        if terms:
            self.optimiser.zero_grad()
            torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
            ranks.average_gradients(self.learning)
            self.optimiser.step()
        return {name: value.detach() for name, value in terms.items()}

    @contextmanager
    def watching(self) -> Iterator[None]:
        """The students' turn: gradients pass through the judges, none are for them."""
        for parameter in self.learning:
            parameter.requires_grad_(False)
        try:
            yield
        finally:
            for parameter in self.learning:
                parameter.requires_grad_(True)

    @torch.no_grad()
    def wanted(self, target: Tensor, given: Mapping[str, Tensor]) -> tuple[list[list[Tensor]], list[Tensor]]:
        """What the judges' features are of the teacher's dreams, for `terms`: the patches', and the frozen ones, if
        `deep` compares them.
        """
        with mixed(self.device):
            deep = self._features(target, given["how"]) if self.deep else []
            return felt(self.networks["patches"], target), deep

    def terms(
        self, dream: Tensor, wanted: tuple[list[list[Tensor]], list[Tensor]], given: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        """The judges' part of a student's losses, weighted; what needs the frozen features only with a weight."""
        recipe = self.recipe
        with mixed(self.device):
            mine = felt(self.networks["patches"], dream)
        out = {
            "dream": recipe.adversarial * losses.hinge_dream([maps[-1] for maps in mine]),
            "match": recipe.matching * apart(mine, wanted[0]),
        }
        if self.real or self.deep:
            with mixed(self.device):
                seen = self._features(dream, given["how"])
                verdicts = self.networks["projected"](seen) if self.real else []
            if self.real:
                out["real"] = recipe.projected * losses.hinge_dream(verdicts)
            if self.deep:
                out["deep"] = recipe.deep * losses.matching(seen, wanted[1])
        return out

    def _features(self, pictures: Tensor, how: Tensor) -> list[Tensor]:
        assert self.frozen is not None
        seen: list[Tensor] = self.frozen(last(disturb(pictures, how)))
        return seen


def felt(judges: nn.Module, pictures: Tensor) -> list[list[Tensor]]:
    """What the patch discriminators make of pictures: for each of them its features and its verdict."""
    assert isinstance(judges, nn.ModuleList)
    out = []
    for judge, x in zip(judges, (pictures, nn.functional.avg_pool2d(pictures, 2)), strict=True):
        verdict, maps = judge(last(x))
        out.append([*maps, verdict])
    return out


def apart(mine: Sequence[Sequence[Tensor]], wanted: Sequence[Sequence[Tensor]]) -> Tensor:
    """How far two pictures are apart in what the patch discriminators feel (`felt`), their verdicts left out: a scalar,
    the mean over the discriminators.
    """
    return torch.stack([losses.matching(m[:-1], w[:-1]) for m, w in zip(mine, wanted, strict=True)]).mean()
