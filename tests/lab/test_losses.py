"""Losses and moods: each is zero, or least, where it should be."""

from __future__ import annotations

import pytest
import torch

from perform.lab import losses, moods
from perform.lab.conditions import luma
from perform.lab.discriminators import disturb, disturbance, shifted
from perform.lab.strangers import strangers, twist
from perform.lab.words import words


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_a_picture_equals_itself() -> None:
    x = noise(2, 3, 32, 32)
    assert losses.coarse(x, x) == 0
    assert losses.haar(x, x) == 0
    assert float(losses.ssim(x, x)) == pytest.approx(1.0, abs=1e-5)
    assert losses.matching([x], [x]) == 0
    assert losses.psnr(x, x) > 100
    assert losses.psnr(torch.zeros(4), torch.full((4,), 25.5), 255.0) == pytest.approx(20.0)


def test_coarse_is_blind_to_texture_and_haar_sees_it() -> None:
    flat = torch.zeros(1, 3, 64, 64)
    checks = (((torch.arange(64)[:, None] + torch.arange(64)) % 2) * 2.0 - 1).expand(1, 3, 64, 64)
    assert losses.coarse(flat, checks) < 1e-6 < losses.haar(flat, checks)


def test_following_means_light_where_the_input_is_light() -> None:
    condition = strangers(6, seed=1)
    same = (condition * 0.5 + 0.1).expand(-1, 3, -1, -1) * 2 - 1  # another exposure
    assert losses.follow(same, condition) < 0.05 < 0.5 < losses.follow(-same, condition)


def test_hinge() -> None:
    sure, unsure = torch.full((1, 1, 4, 4), 2.0), torch.zeros(1, 1, 4, 4)
    assert losses.hinge_judge([sure], [-sure]) == 0
    assert losses.hinge_judge([unsure], [unsure]) == 2
    assert losses.hinge_dream([sure]) == -2


def test_shifting_moves_whole_pixels_and_brings_in_nothing() -> None:
    x = noise(2, 3, 24, 32)
    out = shifted(x, torch.tensor([[2.0, -3.0], [0.0, 5.0]]))
    assert torch.equal(out[0, :, 2:, :-3], x[0, :, :-2, 3:])
    assert torch.equal(out[1, :, :, 5:], x[1, :, :, :-5])
    assert not out[0, :, :2].any()
    assert not out[1, :, :, :5].any()


def test_steady_forgives_what_moves_with_the_input() -> None:
    x = noise(1, 3, 64, 64)
    shift = torch.tensor([[3.0, -2.0]])
    assert losses.steady(torch.roll(x, (3, -2), (2, 3)), x, shift) == 0
    assert losses.steady(x, x, shift) > 0.1


def test_a_mood_tells_light_from_dark() -> None:
    condition = strangers(1, seed=3)
    colour = torch.cat([condition, condition * 0.5, 1 - condition], 1) * 2 - 1
    lights, darks = moods.measure(colour, condition)[0, :3], moods.measure(colour, condition)[0, 3:6]
    assert lights[0] > darks[0]
    assert lights[2] < darks[2]
    crisp = moods.measure((colour + 0.1 * noise(1, 3, 64, 64)).clamp(-1, 1), condition)
    assert crisp[0, 6] > moods.measure(colour, condition)[0, 6]


def test_moods_have_unit_variance_over_their_world() -> None:
    raw = noise(40, 7) * torch.arange(1.0, 8.0) + 3
    scaled = moods.Scale.of(raw)(raw)
    assert torch.allclose(scaled.mean(0), torch.zeros(7), atol=1e-5)
    assert torch.allclose(scaled.std(0), torch.ones(7), atol=1e-5)


def test_clusters_find_two_heaps() -> None:
    heap = torch.cat([noise(10, 7) * 0.1 - 3, noise(10, 7, seed=2) * 0.1 + 3])
    _, nearest = moods.cluster(heap, 2)
    assert set(nearest[:10].tolist()) != set(nearest[10:].tolist())
    assert len(set(nearest[:10].tolist())) == len(set(nearest[10:].tolist())) == 1


def test_the_pad_is_row_major_and_the_moods_are_all_on_it() -> None:
    said = words("landscape").moods
    named = {name: [float(index)] * 7 for index, name in enumerate(said.named)}
    grid = moods.grid(named, said.pad)
    assert len(grid) == 9
    assert grid[1] == named[said.pad[0][1]]
    assert {name for row in said.pad for name in row} == set(said.named)
    assert said.default in said.named
    with pytest.raises(KeyError):
        moods.grid(named, (("elsewhere",),))


def test_a_mood_can_be_written_in_colours() -> None:
    scale = moods.Scale(torch.zeros(7), torch.full((7,), 0.5))
    assert moods.Colours((255, 255, 255), (0, 0, 0), -1.5).vector(scale) == [2.0, 2.0, 2.0, -2.0, -2.0, -2.0, -1.5]


def test_strangers_are_repeatable_and_in_range() -> None:
    first = strangers(12, seed=4)
    assert torch.equal(first, strangers(12, seed=4))
    assert first.shape == (12, 1, 64, 64)
    assert float(first.min()) >= 0
    assert float(first.max()) <= 1
    assert bool(torch.isfinite(first).all())
    turned = twist(first, torch.Generator().manual_seed(0))
    assert turned.shape == first.shape
    assert float(turned.max()) <= 1


def test_disturbance_is_differentiable_and_repeatable() -> None:
    x = noise(3, 3, 32, 32).requires_grad_()
    how = disturbance(len(x), x.shape[2], torch.Generator().manual_seed(1))
    out = disturb(x, how)
    out.sum().backward()  # type: ignore[no-untyped-call]
    assert x.grad is not None
    assert bool((x.grad != 0).any())
    assert torch.equal(how, disturbance(len(x), x.shape[2], torch.Generator().manual_seed(1)))


def test_luma_is_rec_601() -> None:
    assert float(luma(torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1))) == pytest.approx(0.299)
