"""Plans, what they cost, and networks cut down to them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from perform.lab import costs, distil, driving, graft, networks, run, search, slim
from perform.lab.discriminators import Jury
from perform.lab.plans import Plan
from perform.lab.worlds import World
from perform.networks import Plain

TINY = Plan((8, 8, 16), (16, 24))
RECIPE = distil.Recipe(projected=0, deep=0, side=32, paired=2, unpaired=2, steps=3, steady_every=2)


def lively(plan: Plan, seed: int = 4) -> Plain:
    """A folded network with batch norms that have seen something."""
    torch.manual_seed(seed)
    network = networks.trainable(plan.widths, len(plan.inner), 7, inner=plan.inner)
    for _ in range(3):
        network(torch.rand(4, 1, 32, 32), torch.randn(4, 7))
    folded = networks.fold(network)
    assert isinstance(folded, Plain)
    return folded.requires_grad_(False)


@pytest.fixture
def home(tmp_path: Path, world: World) -> Path:
    """A folder with a world, a teacher and a student to start from."""
    world.save(tmp_path / "world")
    for name in ("teacher", "student"):
        folder = tmp_path / name
        folder.mkdir()
        folded = lively(TINY, seed=len(name))
        save_file({key: value.contiguous() for key, value in folded.state_dict().items()}, folder / "ema.safetensors")
        (folder / "recipe.json").write_text(json.dumps({"size": str(TINY)}))
    torch.save({"jury": Jury().state_dict()}, tmp_path / "teacher" / "checkpoint.pt")
    return tmp_path


def test_plans_are_written_and_read() -> None:
    plan = Plan((24, 48, 96), (96, 40, 64))
    assert Plan.parse(str(plan)) == plan == Plan.of(plan.network(7))
    assert Plan.of(networks.make(str(plan), 7)) == plan
    with pytest.raises(ValueError, match="is written like"):
        Plan.parse("24-48_96")
    with pytest.raises(ValueError, match="only plain networks"):
        Plan.of(torch.nn.Linear(2, 2))
    cells = sum(9 * layer.inputs * layer.outputs * layer.cells for layer in plan.layers)
    film = 7 * 64 + 64 * 2 * (24 + 48 + 96)
    assert cells * 32 * 32 + film == networks.macs(plan.network(7))


def test_a_table_finds_the_terms_that_made_the_times(tmp_path: Path) -> None:
    truth = np.array([0.7, 3.0, 0.0, 2.0, 0.5, 0.0, 0.1])
    plans = costs.random_plans(40, seed=1)
    times = [float(np.dot(costs.terms(plan), truth)) for plan in plans]
    table = costs.fit(plans, times, {"processor": "none"})
    assert table.error < 0.01
    assert min(table.terms) >= 0
    late = [time * (1.25 if index % 4 == 3 else 1) for index, time in enumerate(times)]
    off = costs.fit(plans, late, {})  # the error is told on those that were not fitted, and does not bend the fit
    assert off.error == pytest.approx(0.2, abs=0.01)
    assert off.terms == pytest.approx(table.terms)
    table.save(tmp_path / "latency.json")
    again = costs.Table.load(tmp_path / "latency.json")
    assert again(TINY) == table(TINY) == pytest.approx(float(np.dot(costs.terms(TINY), truth)), rel=0.05)
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(ValueError, match="not a latency table"):
        costs.Table.load(tmp_path / "other.json")


@pytest.mark.parametrize("verb", [slim.main, lambda words: search.main(["choose", *words])])
def test_without_a_table_the_option_that_names_it_is_said(
    verb: Callable[[list[str]], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # not a checkout
    said = r"there is no latency table 'bench/results/latency\.json' here: name one with --table .* perform\.lab\.costs"
    with pytest.raises(ValueError, match=said):
        verb(["--world", "nowhere"])
    assert list(tmp_path.iterdir()) == []


def test_a_plan_is_measured_as_it_will_be_played() -> None:
    pytest.importorskip("openvino")
    assert costs.measure([TINY], 32, turns=1, seconds=0.01)[0] > 0
    kinds = [node.get_type_name() for node in costs.quantised(TINY, 32).get_ordered_ops()]
    assert kinds.count("FakeQuantize") == 2 * (kinds.count("Convolution") - 2)  # all but the first and the last


def test_unfolding_changes_nothing_until_it_learns() -> None:
    folded = lively(TINY)
    inputs = [(torch.rand(4, 1, 32, 32), torch.randn(4, 7)) for _ in range(3)]
    twin = graft.unfold(folded, iter(inputs))
    luma, mood = inputs[0]
    with torch.no_grad():
        assert torch.allclose(twin.eval()(luma, mood), folded(luma, mood), atol=1e-4)
        assert torch.allclose(networks.fold(twin)(luma, mood), folded(luma, mood), atol=1e-4)
        learning = twin.train()(luma, mood)
    assert (learning - folded(luma, mood)).abs().mean() < 0.1  # the statistics of this batch are near those of all


def test_channels_that_do_nothing_are_found_and_cut_without_a_trace() -> None:
    network = lively(TINY)
    dead = [3, 4, 7, 8, 11, 12, 14, 15]
    with torch.no_grad():
        network.body[1][1].weight[:, dead] = 0  # type: ignore[index, union-attr]
    inputs = [(torch.rand(2, 1, 32, 32), torch.randn(2, 7))]
    worths = slim.worth(network, lively(TINY, seed=9), inputs)
    assert set(worths[1].argsort()[:8].tolist()) == set(dead)
    chosen = slim.choose(TINY, worths, lambda plan: float(sum(plan.inner)), 32.0)
    assert chosen == Plan((8, 8, 16), (16, 16))
    slimmer = slim.cut(network, chosen, worths)
    with torch.no_grad():
        assert torch.allclose(slimmer(*inputs[0]), network(*inputs[0]), atol=1e-5)


def test_what_saves_no_time_stays_and_what_saves_most_for_its_worth_goes() -> None:
    """Blocks alike in worth but not in time: those groups go that are dear to compute, not just any."""
    plan = Plan((8, 8, 16), (32, 32, 32))
    worths = [torch.ones(32), torch.ones(32), 0.1 * torch.ones(32)]

    def cost(one: Plan) -> float:  # the second block takes ten times as long, the third nothing
        return one.inner[0] + 10.0 * one.inner[1]

    assert slim.choose(plan, worths, cost, cost(plan) - 200).inner == (32, 8, 32)


def test_what_inner_widths_cannot_reach_is_said() -> None:
    worths = [torch.rand(width) for width in TINY.inner]
    with pytest.raises(ValueError, match=r"down to 16\.00 ms, not to 5\.00"):
        slim.choose(TINY, worths, lambda plan: float(sum(plan.inner)), 5.0)


def test_slimming_resumes_and_leaves_a_network_to_export(home: Path) -> None:
    school = graft.School(home / "teacher", home / "world", 32, "cpu")
    wanted = (lambda plan: float(sum(plan.inner)), 24.0)
    out = home / "slim"
    plan = slim.slim(RECIPE, home / "student", school, out, wanted, driving.Pace(2))
    again = slim.slim(RECIPE, home / "student", school, out, wanted, driving.Pace(3))
    assert again == plan
    assert sum(plan.inner) <= 24
    assert torch.load(out / "checkpoint.pt", weights_only=True)["done"] == 3
    made = run.network(out / str(plan))
    assert Plan.of(made) == plan
    assert set(load_file(out / str(plan) / "ema.safetensors")) == set(made.state_dict())
    with pytest.raises(ValueError, match=r"is cut for 24\.00 ms, not 32\.00: say --ms 24\.00, or another --out"):
        slim.slim(RECIPE, home / "student", school, out, (wanted[0], 32.0), driving.Pace(4))


def test_a_distillation_goes_on_from_an_earlier_one(home: Path) -> None:
    before, after = home / "before" / distil.key(str(TINY)), home / "after"
    before.parent.mkdir()
    (home / "student").rename(before)
    recipe = replace(RECIPE, sizes=str(TINY), steps=2, rate=1e-6)
    distil.distil(recipe, home / "teacher", home / "world", after, driving.Pace(2), "cpu", start=before.parent)
    condition, mood = torch.rand(4, 1, 32, 32), torch.randn(4, 7)
    dreams = [network(condition, mood) for network in (run.network(before), run.network(after / before.name))]
    other = lively(TINY, seed=9)(condition, mood)
    with torch.no_grad():
        moved, apart = (float((dreams[0] - one).abs().mean()) for one in (dreams[1], other))
    assert moved < 0.2 * apart
    assert json.loads((after / "recipe.json").read_text())["start"] == str(before.parent)


def test_kept_norms_keep_their_statistics_while_the_rest_learns(home: Path) -> None:
    before = home / "before" / distil.key(str(TINY))
    before.parent.mkdir()
    (home / "student").rename(before)
    recipe = replace(RECIPE, sizes=str(TINY), steps=2, norm="kept")
    with pytest.raises(ValueError, match='--norm is "batch", or "kept" for networks that go on'):
        distil.distil(recipe, home / "teacher", home / "world", home / "fresh", device="cpu")
    seen = []
    for steps in (1, 2):
        pace = driving.Pace(steps)
        distil.distil(recipe, home / "teacher", home / "world", home / "after", pace, "cpu", start=before.parent)
        seen.append(torch.load(home / "after" / "checkpoint.pt", weights_only=True)["students"])
    moved = {key for key in seen[0] if not torch.equal(seen[0][key], seen[1][key])}
    assert not {key for key in moved if "running" in key}
    assert any(key.endswith("weight") for key in moved)
