"""What a training step sees: photographs, strangers, pictures that move, and pairs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from perform.lab.batches import Batches, apart, nudge
from perform.lab.discriminators import shifted
from perform.lab.worlds import World


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_batch_is_its_generators_alone(batches: Batches) -> None:
    first, again = (batches.draw(2, 3, rng(4), 2) for _ in range(2))
    for name in ("real", "condition", "mood", "moved", "shift"):
        assert torch.equal(getattr(first, name), getattr(again, name))
    assert first.real.shape == (2, 3, 32, 32)
    assert first.condition.shape == (5, 1, 32, 32)
    assert first.mood.shape == (5, 7)
    assert first.moved.shape == (2, 1, 32, 32)
    assert batches.draw(2, 0, rng()).condition.shape == (2, 1, 32, 32)


def test_what_does_not_move_keeps_its_condition_but_for_grain(batches: Batches) -> None:
    for seed in range(40):
        batch = batches.draw(1, 4, rng(seed), 4)
        still = [k for k in range(4) if not batch.shift[k].any()]
        for k in still:
            assert float((batch.moved[k] - batch.condition[1 + k]).abs().mean()) < 0.05
        if still:
            return
    raise AssertionError("in 40 batches nothing stood still")


@pytest.mark.parametrize("side", [32, 40, 64, 96, 128, 160])
def test_what_moves_moves_by_whole_pixels(side: int, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def shown(grey: Tensor, *_: object) -> Tensor:
        return F.interpolate(grey, side, mode="nearest")

    monkeypatch.setattr("perform.lab.batches.apply", shown)
    batch = Batches(world, side, strange=6).draw(1, 8, rng(3), 8)
    assert torch.equal(batch.shift, batch.shift.round())
    assert 1 <= float(batch.shift.abs().max()) < side // 4
    if side % 64 == 0:
        assert float(batch.shift.abs().max()) == 2 * side // 64
    inner = slice(side // 4, -(side // 4))
    assert torch.equal(batch.moved[:, :, inner, inner], shifted(batch.condition[1:], batch.shift)[:, :, inner, inner])


def test_nudging_moves_down_and_right_and_edges_go_on() -> None:
    x = torch.rand(2, 1, 6, 8, generator=rng())
    out = nudge(x, torch.tensor([[2, -1], [0, 0]]))
    assert torch.equal(out[1], x[1])
    assert torch.equal(out[0, :, 2:, :-1], x[0, :, :-2, 1:])
    assert torch.equal(out[0, :, 0, :-1], x[0, :, 0, 1:])


def test_pairs_are_dreamt_from_their_inputs_with_all_their_lines(tmp_path: Path) -> None:
    targets = [torch.full((3, 40, 48), 40 + 10 * k, dtype=torch.uint8) for k in range(8)]
    lines = torch.zeros(3, 40, 48, dtype=torch.uint8)
    lines[:, :, ::8] = 255
    world = World(targets, torch.arange(8) == 6, [lines] * 8)
    world.save(tmp_path)
    again = World.load(tmp_path)
    assert len(again.inputs) == len(again.pictures) == 8
    assert again.unseen()[0].shape == (6, 40, 48)
    batch = Batches(again, 32, strange=6).draw(3, 2, rng(), 2)
    assert float(batch.real.std((2, 3)).max()) < 0.01
    assert float(batch.condition.std((2, 3)).min()) > 0.1
    real, grey = apart(torch.cat([batch.real, torch.ones_like(batch.real)], 1))
    assert torch.equal(real, batch.real)
    assert bool((grey > 0.999).all())
