"""What a checkpoint holds is all there is, what each weight of a recipe weighs, and who is told to fool whom."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from perform.lab import distil, driving, features, networks, train
from perform.lab.batches import Batches
from perform.lab.critics import felt
from perform.lab.discriminators import Jury, Projected

RECIPE = distil.Recipe(sizes="8-8-16_8", side=32, paired=2, unpaired=2, steps=6, steady_every=2)
TEACHER = train.Recipe(size="8-8-16_8", side=32, paired=2, unpaired=2, steps=6, steady_every=2)


def students(batches: Batches, recipe: distil.Recipe = RECIPE) -> distil.Students:
    torch.manual_seed(6)
    core = networks.fold(networks.trainable((8, 8, 16), 1, 7))
    return distil.Students(recipe, batches, core, Jury(8), [], features.Features(None, side=64))


def teacher(batches: Batches) -> train.Teacher:
    torch.manual_seed(5)
    return train.Teacher(TEACHER, batches, features.Features(None, side=128), [])


def same(one: Any, other: Any) -> bool:
    """Whether two states hold the same, tensor by tensor."""
    if isinstance(one, Tensor):
        return torch.equal(one, other)
    if isinstance(one, Mapping):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    return bool(one == other)


@pytest.mark.parametrize("make", [students, teacher])
def test_who_was_interrupted_is_who_never_was(
    tmp_path: Path, batches: Batches, make: Callable[[Batches], distil.Students | train.Teacher]
) -> None:
    """Not the losses alone, which say nothing of the average: weights, averages, judges, optimisers and dice."""
    whole, first, second = make(batches), make(batches), make(batches)
    for _ in range(3):
        whole.step()
    first.step()
    driving.save(tmp_path, first)
    torch.manual_seed(99)
    driving.resume(tmp_path, second)
    assert not same(whole.state(), second.state())
    for _ in range(2):
        second.step()
    assert same(whole.state(), second.state())
    assert same(whole.weights(), second.weights())


def test_without_strangers_nobody_is_asked_to_hold_still(batches: Batches) -> None:
    alone = students(batches, replace(RECIPE, unpaired=0)).step()
    assert not any("steady" in name for name in alone)


def test_a_weight_weighs_its_own_loss_and_none_leaves_it_out(batches: Batches) -> None:
    terms = {"adversarial": "dream", "matching": "match", "projected": "real"}  # all others are called what they weigh
    terms |= {name: name for name in ("coarse", "pixel", "structure", "sparkle", "deep", "steady", "follow")}
    size = RECIPE.sizes
    usual = {key: float(value) for key, value in students(batches).step().items()}
    assert set(usual) == {"judge", "judge real", *(f"{size} {term}" for term in terms.values())}
    doubled: dict[str, Any] = {name: 2 * getattr(RECIPE, name) for name in terms}
    twice = {key: float(value) for key, value in students(batches, replace(RECIPE, **doubled)).step().items()}
    for term in terms.values():
        assert twice[f"{size} {term}"] == pytest.approx(2 * usual[f"{size} {term}"], rel=1e-3)
    none: dict[str, Any] = dict.fromkeys(terms, 0.0)
    left = students(batches, replace(RECIPE, **none)).step()
    assert not left.keys() & {"judge", "judge real"}
    assert not any(float(value) for value in left.values())


def test_frozen_features_are_felt_only_for_a_loss_with_a_weight(
    batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    felt_of: list[int] = []
    real = features.Features.forward

    def forward(frozen: features.Features, x: Tensor) -> list[Tensor]:
        felt_of.append(len(x))
        return real(frozen, x)

    def terms(**weights: float) -> set[str]:
        felt_of.clear()
        stage = students(batches, replace(RECIPE, **weights))
        assert set(stage.judges) == {"patches", "projected"}  # as checkpoints hold them, whatever is asked of them
        return {name.split()[-1] for name in stage.step()} & {"real", "deep"}

    monkeypatch.setattr(features.Features, "forward", forward)
    judges = "perform.lab.discriminators.Projected.forward"
    both, one = 2 * (RECIPE.paired + RECIPE.unpaired), RECIPE.paired + RECIPE.unpaired
    assert (terms(), felt_of) == ({"real", "deep"}, [both, one, one])  # photographs and dreams, teacher's, student's
    assert (terms(deep=0), felt_of) == ({"real"}, [both, one])
    monkeypatch.setattr(judges, lambda *_: pytest.fail("nobody asks the projected judge"))
    assert (terms(projected=0), felt_of) == ({"deep"}, [one, one])
    assert (terms(projected=0, deep=0), felt_of) == (set(), [])


def test_judges_learn_to_tell_the_teacher_and_students_to_be_taken_for_it(batches: Batches) -> None:
    stage = students(batches)
    rng = torch.Generator().manual_seed(0)
    target, dream = (0.5 * torch.randn(4, 3, 32, 32, generator=rng) for _ in range(2))
    dream = nn.functional.avg_pool2d(dream, 3, 1, 1)

    def verdict(pictures: Tensor) -> float:
        with torch.no_grad():
            return sum(float(maps[-1].mean()) for maps in felt(stage.critics.networks["patches"], pictures))

    before = verdict(target) - verdict(dream)
    for _ in range(12):
        stage.critics.learn(target, [dream], {"real": target, "how": torch.zeros(4, 7)})
    assert verdict(target) - verdict(dream) > before + 0.1
    painted = dream.clone().requires_grad_()
    given = {"how": torch.zeros(4, 7)}
    with stage.critics.watching():
        stage.critics.terms(painted, stage.critics.wanted(target, given), given)["dream"].backward()  # type: ignore[no-untyped-call]
    assert painted.grad is not None
    assert all(parameter.requires_grad for parameter in stage.critics.learning)
    assert verdict(dream - 3.0 * painted.grad / painted.grad.abs().amax()) > verdict(dream)


def test_judges_that_know_nothing_learn_before_anybody_listens_to_them(batches: Batches) -> None:
    core, jury = networks.fold(networks.trainable((8, 8, 16), 1, 7)), Jury(8)
    jury.untaught = True
    recipe = replace(RECIPE, steps=60, judges_first=2)
    stage = distil.Students(recipe, batches, core, jury, [], features.Features(None, side=64))
    assert students(batches, recipe).alone == 0
    copying = replace(recipe, adversarial=0, projected=0)  # what the patches feel is compared all the same
    copied = distil.Students(copying, batches, core, jury, [], features.Features(None, side=64))
    assert "judge" in copied.step()
    assert "judge" not in students(batches, copying).step()
    unheard = replace(copying, matching=0, steps=1)  # of judges who never learn nobody waits, however few the steps are
    nobody = distil.Students(unheard, batches, core, jury, [], features.Features(None, side=64))
    assert nobody.alone == 0
    assert not any(name.startswith("judge") for name in nobody.step())
    photographs = replace(unheard, projected=1, steps=60)  # of whom nobody makes anything without frozen features
    assert distil.Students(photographs, batches, core, jury, []).alone == 0
    assert distil.Students(photographs, batches, core, jury, [], features.Features(None, side=64)).alone == 2

    def learned() -> list[Tensor]:
        return [copy.deepcopy(parameter.data) for parameter in stage.students.parameters()]

    first, judges = learned(), copy.deepcopy(stage.judges.state_dict())
    for _ in range(2):
        stage.step()
    assert same(learned(), first)
    assert not same(stage.judges.state_dict(), judges)
    stage.step()
    assert not same(learned(), first)


class Contrast(features.Features):
    """Four maps of what a picture is made of: chance's own frozen network feels next to nothing."""

    def forward(self, x: Tensor) -> list[Tensor]:
        power = nn.functional.avg_pool2d(x.square(), 4)
        return [power.mean(1, keepdim=True).expand(-1, channels, -1, -1) for channels in features.CHANNELS]


def test_the_projected_judge_learns_photographs_and_students_to_pass_for_them(batches: Batches) -> None:
    """Its real side are the photographs, not what the teacher dreams of them."""
    core = networks.fold(networks.trainable((8, 8, 16), 1, 7))
    recipe = replace(RECIPE, judge_rate=3e-3)
    critics = distil.Students(recipe, batches, core, Jury(8), [], Contrast(None)).critics
    rng = torch.Generator().manual_seed(0)
    photographs, target, dream = (torch.rand(4, 3, 32, 32, generator=rng) * 2 - 1 for _ in range(3))
    photographs = photographs.sign()
    given = {"real": photographs, "how": torch.tensor([[0.0, 1, 1, 0, 0, -99, -99]]).expand(4, -1)}  # left as it is

    def verdict(pictures: Tensor) -> float:
        with torch.no_grad():
            seen = critics._features(pictures, given["how"])
            return sum(float(one.mean()) for one in critics.networks["projected"](seen))

    before = verdict(photographs) - verdict(dream), verdict(target) - verdict(dream)
    for _ in range(12):
        critics.learn(target, [dream], given)
    assert verdict(photographs) - verdict(dream) > before[0] + 0.1
    assert verdict(target) - verdict(dream) < before[1] + 0.1
    painted = dream.clone().requires_grad_()
    with critics.watching():
        critics.terms(painted, critics.wanted(target, given), given)["real"].backward()  # type: ignore[no-untyped-call]
    assert painted.grad is not None
    assert verdict(dream - 0.3 * painted.grad / painted.grad.abs().amax()) > verdict(dream)


def test_without_frozen_features_the_projected_judge_stays_away(batches: Batches) -> None:
    core = networks.fold(networks.trainable((8, 8, 16), 1, 7))
    alone = distil.Students(RECIPE, batches, core, Jury(8), [])
    assert set(alone.critics.networks) == {"patches"}
    assert not {"real", "how"} & alone.inputs(False).keys()
    assert not any("real" in name or "deep" in name for name in alone.step())


def test_a_borderless_dream_has_seen_the_picture_go_on() -> None:
    condition, mood = torch.rand(2, 1, 16, 24), torch.zeros(2, 7)

    def teacher_of(x: Tensor, _mood: Tensor) -> Tensor:
        return nn.functional.avg_pool2d(x, 3, 1, 1).expand(-1, 3, -1, -1)  # its border is darkened by zeros

    dream = distil.borderless(teacher_of, condition, mood)  # type: ignore[arg-type]
    wide = nn.functional.pad(condition, (1,) * 4, mode="replicate")
    assert torch.allclose(dream, nn.functional.avg_pool2d(wide, 3, 1).expand(-1, 3, -1, -1), atol=1e-6)


def test_the_average_follows_as_slowly_as_it_is_told() -> None:
    slow, fast = nn.BatchNorm2d(1), nn.BatchNorm2d(1)
    fast.running_mean = torch.tensor([10.0])
    nn.init.constant_(fast.weight, 3.0)
    fast.num_batches_tracked = torch.tensor(7)
    train.follow_average(slow, fast, torch.tensor(0.9))
    assert slow.running_mean is not None
    assert slow.running_mean.tolist() == pytest.approx([1.0])  # statistics, too
    assert slow.weight.tolist() == pytest.approx([1.2])
    assert slow.num_batches_tracked is not None
    assert int(slow.num_batches_tracked) == 7


def test_of_a_projected_judge_only_the_heads_learn() -> None:
    """Sauer et al. 2021: channels and scales are mixed by convolutions that stay as chance made them, and every scale
    has a say.
    """
    judge = Projected((4, 6), 8)
    maps = [torch.randn(2, 4, 16, 16), torch.randn(2, 6, 8, 8)]
    logits = judge(maps)
    assert [tuple(one.shape) for one in logits] == [(2, 1, 8, 8), (2, 1, 4, 4)]
    assert {name.split(".")[0] for name, value in judge.named_parameters() if value.requires_grad} == {"heads"}
    coarser = [maps[0], maps[1] + 1]  # finer scales see what coarser ones saw, not the other way round
    finer = [maps[0] + 1, maps[1]]
    assert not torch.equal(judge.eval()(coarser)[0], judge(maps)[0])
    assert torch.equal(judge(finer)[1], judge(maps)[1])
