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
    y, x = torch.arange(64)[:, None].expand(64, 64), torch.arange(64).expand(64, 64)
    for stripes in (x, y, x + y):  # each orientation is one of Haar's three bands, and there twice the amplitude
        drawn = ((stripes % 2) * 2.0 - 1).expand(1, 3, 64, 64)
        assert losses.coarse(flat, drawn) < 1e-6
        assert float(losses.haar(flat, drawn)) == pytest.approx(2 / 3)
    assert float(losses.coarse(flat, flat + 0.5)) == pytest.approx(0.5)
    assert losses.haar(flat, flat + 0.5) == 0
    halves = torch.cat([flat[..., :32] - 0.5, flat[..., 32:] + 0.5], 3)
    assert float(losses.coarse(flat, halves)) == pytest.approx(0.5)  # each in its place: on average they are nought


def test_ssim_is_the_papers() -> None:
    """Wang et al. 2004, (13), for values whose range L is 2: K1 = 0.01, K2 = 0.03."""
    a, b = noise(1, 1, 20, 16), 0.3 * noise(1, 1, 20, 16, seed=1) + 0.2
    scores = []
    for top in range(0, 13, 4):
        for left in range(0, 9, 4):
            x, y = (one[0, 0, top : top + 8, left : left + 8].double().flatten() for one in (a, b))
            light = (2 * x.mean() * y.mean() + 0.02**2) / (x.mean() ** 2 + y.mean() ** 2 + 0.02**2)
            together = ((x - x.mean()) * (y - y.mean())).mean()
            spreads = x.var(correction=0) + y.var(correction=0)
            scores.append(light * (2 * together + 0.06**2) / (spreads + 0.06**2))
    assert len(scores) == 12
    assert float(losses.ssim(a, b)) == pytest.approx(float(torch.stack(scores).mean()), abs=1e-5)


def test_matching_is_relative_to_what_the_photograph_excites() -> None:
    loud = torch.ones(1, 2, 4, 4)
    assert float(losses.matching([1.5 * loud], [loud])) == pytest.approx(0.5)
    assert float(losses.matching([15 * loud], [10 * loud])) == pytest.approx(0.5)
    both = torch.cat([loud, 100 * loud])  # each picture by its own, each map alike however large
    assert float(losses.matching([both + 1, loud], [both, loud])) == pytest.approx((1 + 0.01) / 2 / 2)
    wanted = loud.clone().requires_grad_()
    given = (2 * loud).requires_grad_()
    losses.matching([given], [wanted]).backward()  # type: ignore[no-untyped-call]
    assert wanted.grad is None  # the photograph is not moved towards the dream
    assert given.grad is not None


def test_following_means_light_where_the_input_is_light() -> None:
    condition = strangers(6, seed=1)
    same = (condition * 0.5 + 0.1).expand(-1, 3, -1, -1) * 2 - 1  # another exposure
    assert losses.follow(same, condition) < 0.05 < 0.5 < losses.follow(-same, condition)
    faint = 0.5 + 0.01 * (condition - 0.5)  # says almost nothing, and is hardly asked for
    assert losses.follow(-same, faint) < 0.2 * losses.follow(-same, condition)
    assert float(losses.follow(torch.zeros_like(same), condition)) < 1


def test_hinge() -> None:
    sure, unsure = torch.full((1, 1, 4, 4), 2.0), torch.zeros(1, 1, 4, 4)
    assert losses.hinge_judge([sure], [-sure]) == 0
    assert losses.hinge_judge([unsure], [unsure]) == 2
    assert losses.hinge_dream([sure]) == -2
    large = torch.zeros(1, 1, 8, 8)  # a map has one voice, however many places
    assert losses.hinge_dream([sure, large]) == -1
    assert losses.hinge_judge([-sure, large], [sure, large]) == 4


def test_shifting_moves_whole_pixels_and_brings_in_nothing() -> None:
    x = noise(2, 3, 24, 32)
    out = shifted(x, torch.tensor([[2.0, -3.0], [0.0, 5.0]]))
    assert torch.equal(out[0, :, 2:, :-3], x[0, :, :-2, 3:])
    assert torch.equal(out[1, :, :, 5:], x[1, :, :, :-5])
    assert not out[0, :, :2].any()
    assert not out[1, :, :, :5].any()


def test_shifting_moves_whole_pixels_in_bfloat16_too() -> None:
    x = noise(1, 3, 512, 512)
    by = torch.tensor([[32.0, -24.0]])
    with torch.autocast("cpu", torch.bfloat16):
        out = shifted(x, by)
    assert torch.equal(out, shifted(x, by))
    assert torch.equal(out[0, :, 32:, :-24], x[0, :, :-32, 24:])


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


def test_disturbance_is_diffaugments_colour_translation_and_cutout() -> None:
    x = 0.2 * noise(1, 3, 48, 48)
    nowhere = [0.0, 0.0, -99.0, -99.0]  # no shift, and a hole that lies outside

    def disturbed(*how: float) -> torch.Tensor:
        return disturb(x, torch.tensor([how]))

    assert torch.allclose(disturbed(0, 1, 1, *nowhere), x, atol=1e-6)
    assert torch.allclose(disturbed(0.3, 1, 1, *nowhere), x + 0.3, atol=1e-6)
    grey = x.mean(1, keepdim=True)
    assert torch.allclose(disturbed(0, 0.5, 1, *nowhere), grey + 0.5 * (x - grey), atol=1e-6)
    assert torch.allclose(disturbed(0, 1, 1.3, *nowhere), x.mean() + 1.3 * (x - x.mean()), atol=1e-6)
    assert torch.equal(
        disturbed(0, 1, 1, 2, -3, -99, -99), shifted(disturbed(0, 1, 1, *nowhere), torch.tensor([[2, -3.0]]))
    )
    hole = disturbed(0.5, 1, 1, 0, 0, 20, 30) == 0
    assert int(hole[0, 0].any(1).sum()) == int(hole[0, 0].any(0).sum()) == 15  # a third of a side
    assert bool(hole[0, :, 13:28, 23:38].all())

    drawn = disturbance(2000, 48, torch.Generator().manual_seed(0))
    low, high = torch.tensor([-0.3, 0.5, 0.7, -6, -6, 0, 0]), torch.tensor([0.3, 1.5, 1.3, 6, 6, 47, 47])
    assert bool(((drawn >= low) & (drawn <= high)).all())
    assert bool((drawn.amax(0) - drawn.amin(0) > 0.98 * (high - low)).all())


def test_luma_is_rec_601() -> None:
    assert float(luma(torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1))) == pytest.approx(0.299)
