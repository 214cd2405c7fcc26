"""The condition: each step against its definition, and what any input must give."""

from __future__ import annotations

import math

import pytest
import torch

from perform.lab import conditions


def by_hand(grey: list[float], width: int, reduce: float) -> list[float]:
    """Steps 2 and 3 of the definition on one row, in plain Python."""
    w = max(1, round(width / reduce))
    cells = []
    for i in range(w):
        first, last = math.floor(i * width / w), math.ceil((i + 1) * width / w)
        cells.append(sum(grey[first:last]) / (last - first))

    def kernel(d: float, a: float = -0.75) -> float:
        d = abs(d)
        if d <= 1:
            return (a + 2) * d**3 - (a + 3) * d**2 + 1
        return a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a if d < 2 else 0.0

    out = []
    for x in range(width):
        s = (x + 0.5) * w / width - 0.5
        base = math.floor(s)
        out.append(sum(kernel(s - k) * cells[min(max(k, 0), w - 1)] for k in range(base - 1, base + 3)))
    return out


@pytest.mark.parametrize("reduce", [3.0, 7.0, 16.0, 24.0, 100.0])
def test_reduction_is_the_documented_maths(reduce: float) -> None:
    row = torch.rand(37, generator=torch.Generator().manual_seed(1))
    picture = row.view(1, 1, 1, 37).expand(1, 1, 37, 37)
    assert torch.allclose(
        conditions.shrink(picture, reduce)[0, 0, 5], torch.tensor(by_hand(row.tolist(), 37, reduce)), atol=1e-5
    )


def test_tone_is_the_documented_order() -> None:
    v = torch.linspace(-0.1, 1.1, 25)
    got = conditions.tone(v, black=0.1, white=0.8, gamma=1.7, contrast=1.2, brightness=-0.1, invert=1.0)
    for x, y in zip(v.tolist(), got.tolist(), strict=True):
        wanted = min(max((x - 0.1) / 0.7, 0), 1) ** (1 / 1.7)
        wanted = (wanted - 0.5) * 1.2 + 0.5 - 0.1
        wanted = min(max(1 - wanted, 0), 1)
        assert y == pytest.approx(math.floor(wanted * 255 + 0.5) / 255, abs=1e-4)


def test_flat_pictures_stay_flat_and_keep_their_luma() -> None:
    picture = torch.tensor([200, 100, 50], dtype=torch.uint8).expand(40, 56, 3)
    out = conditions.condition(picture)
    assert out.shape == (40, 56, 4)
    assert out.dtype == torch.uint8
    assert set(out[..., :3].flatten().tolist()) == {round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)}
    assert set(out[..., 3].flatten().tolist()) == {255}


def test_bytes_and_floats_agree_and_batches_are_pictures() -> None:
    picture = torch.randint(0, 256, (2, 32, 48, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(2))
    whole = conditions.condition(picture, reduce=8)
    assert torch.equal(whole[1], conditions.condition(picture[1], reduce=8))
    assert int((whole.int() - conditions.condition(picture.float() / 255, reduce=8).int()).abs().max()) <= 1


def test_neutral_controls_and_inversion() -> None:
    picture = torch.randint(0, 256, (32, 32, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(4))
    plain, inverted = conditions.condition(picture), conditions.condition(picture, invert=1.0)
    assert int((plain[..., 0].int() + inverted[..., 0].int() - 255).abs().max()) <= 1


@pytest.mark.parametrize("bad", [{"reduce": 0.0}, {"gamma": -1.0}])
def test_impossible_controls_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="positive"):
        conditions.condition(torch.zeros(8, 8, 3), **bad)


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="a picture is"):
        conditions.condition(torch.zeros(3, 8, 8))


def test_extreme_settings_stay_finite() -> None:
    out = conditions.condition(torch.rand(16, 16, 3), reduce=1e6, black=1.0, white=1.0, gamma=0.01, contrast=50.0)
    assert out.shape == (16, 16, 4)


def test_augmented_conditions_are_bytes_and_repeatable() -> None:
    grey = torch.rand(4, 1, 64, 64, generator=torch.Generator().manual_seed(5))
    first, second = (conditions.augment(grey, torch.Generator().manual_seed(6), 96) for _ in range(2))
    assert torch.equal(first, second)
    assert first.shape == (4, 1, 96, 96)
    assert float(first.min()) >= 0
    assert float(first.max()) <= 1
    assert torch.allclose(first * 255, (first * 255).round(), atol=1e-3)


@pytest.mark.parametrize("side", [48, 64])
def test_a_batch_of_reductions_is_each_reduction(side: int) -> None:
    grey = torch.rand(1, 1, side, side, generator=torch.Generator().manual_seed(4))
    table = conditions._reductions(side, 64, 2, 9, torch.device("cpu"))
    for count in (2, 3, 7, 9):
        weights = table[count - 2]
        wanted = conditions.shrink(grey, 64 / count, (64, 64))
        assert torch.allclose(weights @ grey[0, 0] @ weights.T, wanted[0, 0], atol=1e-5)


def test_augmentation_is_its_generators_alone_and_keeps_what_is_not_to_be_reduced() -> None:
    grey = torch.rand(3, 1, 32, 32, generator=torch.Generator().manual_seed(5))
    first, again = (conditions.augment(grey, torch.Generator().manual_seed(6), 32) for _ in range(2))
    assert torch.equal(first, again)
    assert torch.equal(first, conditions.quantise(first))
    kept = conditions.augment(grey, torch.Generator().manual_seed(6), 32, 1.0, 1.0)
    edges = torch.stack(
        [torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1] for a, b in zip(kept, grey, strict=True)]
    )
    assert float(edges.min()) > 0.9
