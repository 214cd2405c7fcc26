"""The supernet is all its sub-networks, resumes exactly, and the best that fits is found."""

from __future__ import annotations

import copy
import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from perform.lab import costs, distil, driving, graft, networks, run, search, train
from perform.lab.plans import Plan
from perform.lab.spaces import Space, evolve
from perform.lab.supernet import calibrate, extract, mask, supernet, wear
from tests.lab.test_slimming import home  # noqa: F401

SPACE = Space(Plan((8, 8, 8), (8,)), Plan((16, 16, 24), (24, 16)))
TABLE = Path(__file__).parents[2] / "bench" / "results" / "latency.json"
RECIPE = distil.Recipe(projected=0, deep=0, side=32, paired=2, unpaired=2, steps=4, steady_every=2)


@pytest.mark.parametrize("plan", [SPACE.smallest, SPACE.largest, Plan((8, 16, 24), (16, 8)), Plan((16, 8, 16), (8,))])
def test_a_mask_is_a_narrower_network(plan: Plan) -> None:
    torch.manual_seed(1)
    network = supernet(SPACE, 7)
    torch.nn.init.normal_(network.film[-1].weight, 0, 0.2)  # type: ignore[arg-type]
    torch.nn.init.normal_(network.film[-1].bias, 0, 0.2)  # type: ignore[arg-type]
    wear(network, mask(SPACE, plan))
    luma, mood = torch.rand(2, 1, 32, 32), torch.randn(2, 7)
    with torch.no_grad():
        masked, cut = network(luma, mood), extract(network, plan)(luma, mood)
    assert torch.allclose(masked, cut, atol=1e-5)


def test_calibration_gives_a_cut_network_its_own_statistics() -> None:
    torch.manual_seed(1)
    inputs = [(torch.rand(4, 1, 32, 32), torch.randn(4, 7))]
    network = extract(supernet(SPACE, 7), Plan((8, 16, 16), (8, 8)))
    with torch.no_grad():
        learning = network.train()(*inputs[0])
        still = calibrate(network, inputs)(*inputs[0])
    assert not network.training
    assert (learning - still).abs().mean() < 0.02


def test_every_plan_is_within_its_space() -> None:
    rng = random.Random(0)
    for _ in range(200):
        one, other = SPACE.anyone(rng), SPACE.anyone(rng)
        for plan in (one, SPACE.near(one, rng), SPACE.cross(one, other, rng)):
            assert all(lo <= w <= hi for lo, w, hi in zip((8, 8, 8), plan.widths, (16, 16, 24), strict=True))
            assert len(plan.inner) in (1, 2)
            assert all(width in range(8, most + 1, 8) for width, most in zip(plan.inner, (24, 16), strict=False))


def test_evolution_finds_what_is_best_and_fits() -> None:
    space = Space(Plan((8, 8, 8), (8,)), Plan((64, 64, 64), (64, 64)))
    found = evolve(
        space, lambda plan: sum(plan.inner) <= 48, lambda plan: -sum(plan.widths) - sum(plan.inner), random.Random(1)
    )
    assert all(sum(plan.inner) <= 48 for _, plan in found)
    assert found[0][0] <= -200  # of at most 240; random plans have 140 on average
    with pytest.raises(ValueError, match="hardly any plan"):
        evolve(space, lambda plan: False, lambda plan: 0.0, random.Random(1))


def test_what_was_not_done_before_is_named(tmp_path: Path) -> None:
    """And at once: there is no teacher and no world to read here."""
    words = ["--out", str(tmp_path), "--table", str(TABLE), "--world", "nowhere", "--teacher", "nowhere"]
    for deed in ("choose", "finish"):
        with pytest.raises(ValueError, match=r"no .*ema\.safetensors: `perform search train --out .*` comes first"):
            search.main([deed, *words])
    state = supernet(Space(), 7).state_dict()
    save_file({key: value.contiguous() for key, value in state.items()}, tmp_path / "ema.safetensors")
    with pytest.raises(ValueError, match=r"no .*plan\.json: `perform search choose --out .*` comes first"):
        search.main(["finish", *words])
    for word in ("--plans", "--generations"):
        with pytest.raises(ValueError, match="--plans and --generations are 1 or more"):
            search.main(["choose", *words, word, "0"])
    (tmp_path / "plan.json").write_text("{}")
    with pytest.raises(ValueError, match=r"plan\.json holds no plan"):
        search.main(["finish", *words])
    (tmp_path / "ema.safetensors").write_bytes(b"half")
    with pytest.raises(ValueError, match=r"ema\.safetensors is damaged"):
        search.main(["choose", *words])
    state = supernet(SPACE, 7).state_dict()
    save_file({key: value.contiguous() for key, value in state.items()}, tmp_path / "ema.safetensors")
    with pytest.raises(ValueError, match="does not hold the supernet from 16-32-48_32-32 to"):
        search.main(["choose", *words])


def test_a_shared_weight_is_averaged_as_one_that_is_not() -> None:
    alone, shared = nn.Linear(1, 1), nn.Linear(1, 1)
    four = nn.ModuleDict({name: nn.ModuleList([shared]) for name in ("largest", "smallest", "one", "other")})
    averages = [copy.deepcopy(network) for network in (alone, four)]
    for step in range(1000):
        for network, average, weight in zip((alone, four), averages, (alone.weight, shared.weight), strict=True):
            torch.nn.init.constant_(weight, float(step))
            train.follow_average(average, network, torch.tensor(min(0.997, (step + 2) / (step + 11))))
    expected, kept = (next(average.parameters()).item() for average in averages)
    assert kept == pytest.approx(expected)
    assert kept < 950  # a tenth of the way back, not a fortieth


def test_a_search_from_training_to_a_chosen_network(home: Path) -> None:  # noqa: F811
    school = graft.School(home / "teacher", home / "world", 32, "cpu")

    def stage() -> search.Sandwich:
        return search.Sandwich(RECIPE, school, SPACE)

    with pytest.raises(ValueError, match="begins from nothing"):
        search.Sandwich(replace(RECIPE, norm="kept"), school, SPACE)
    whole = stage()
    assert whole.students.recipe.average == RECIPE.average
    numbers = [{key: float(value) for key, value in whole.step().items()} for _ in range(3)]
    first = stage()
    first.step()
    out = home / "search"
    out.mkdir()
    driving.save(out, first)
    second = stage()
    driving.resume(out, second)
    assert [{key: float(value) for key, value in second.step().items()} for _ in range(2)] == numbers[1:]
    assert second.sheet().dtype == torch.uint8
    driving.save(out, second)
    network = search.trained(out, SPACE)
    table = costs.Table((1.0, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1), 0.0, {})
    exam = search.Exam(network, school, RECIPE, pictures=4)
    target = table(Plan((8, 16, 16), (16, 8)))
    plan = search.choose(out, exam, SPACE, table, target, (4, 2))
    assert table(plan) <= target
    assert exam(plan) == pytest.approx(exam(plan))
    weights = {name: getattr(RECIPE, name) for name in ("pixel", "structure", "sparkle", "matching")}
    alone = [replace(RECIPE, **dict.fromkeys(weights, 0.0) | {name: weight}) for name, weight in weights.items()]
    parts = [search.Exam(network, school, one, pictures=4)(plan) for one in alone]
    assert sum(parts) == pytest.approx(exam(plan))
    assert min(parts) > 0
    own = calibrate(extract(network, plan), school.conditions(8, seed=14))
    graft.finish(networks.fold(own), school, RECIPE, out / "finish", driving.Pace(1))  # type: ignore[arg-type]
    assert Plan.of(run.network(out / "finish" / str(plan))) == plan
    assert search.place(out, plan) == out / "finish"  # as an older program began it


def test_one_may_choose_again_and_finish_that(
    home: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(search, "Space", lambda: SPACE)
    state = supernet(SPACE, 7).state_dict()
    save_file({key: value.contiguous() for key, value in state.items()}, home / "ema.safetensors")
    words = f"finish --teacher {home / 'teacher'} --world {home / 'world'} --out {home} --device cpu --steps 1"
    recipe = "--side 32 --paired 1 --unpaired 1 --projected 0 --deep 0"
    for plan in (SPACE.largest, SPACE.smallest, SPACE.largest):
        (home / "plan.json").write_text(f'{{"plan": "{plan}"}}')
        search.main([*words.split(), *recipe.split()])
        made = home / f"finish-{plan}" / str(plan)
        assert Plan.of(run.network(made)) == plan
        assert f"perform export SIZE={made} --world {home / 'world'}" in capsys.readouterr().out
