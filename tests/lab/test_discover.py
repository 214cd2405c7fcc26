"""Moods nobody named: found, named after their colours, laid out."""

from __future__ import annotations

import re

import pytest
import torch
from torch import Tensor

from perform.lab import discover, moods
from perform.lab.moods import Colours, Scale

KINDS = ((0.8, -0.2, -0.7), (-0.6, 0.1, 0.8), (-0.5, 0.5, -0.4), (0.9, 0.85, 0.8), (-0.9, -0.9, -0.85), (0.1, 0.1, 0.1))


def raw(count: int = 120, kinds: int = len(KINDS)) -> Tensor:
    """Raw moods around a few kinds of picture: colours -1..1, then clarity."""
    rng = torch.Generator().manual_seed(5)
    rows = []
    for index in range(count):
        light = torch.tensor(KINDS[index % kinds])
        own = torch.cat([light, light * 0.7 - 0.2, torch.tensor([-2.0 - 0.3 * (index % kinds)])])
        rows.append(own + 0.03 * torch.randn(7, generator=rng))
    return torch.stack(rows)


def test_each_kind_is_found_and_named_plainly() -> None:
    found = discover.discover(raw())
    assert 5 <= len(found.named) <= 9
    assert all(re.fullmatch(r"[a-z]+(-[a-z0-9]+)*", name) for name in found.named)
    assert {name for row in found.pad for name in row} <= set(found.named)
    assert found.default in found.named
    for kind in KINDS:  # some mood is near each kind of picture
        light = torch.tensor(kind)
        near = min((torch.tensor(one.lights) / 127.5 - 1 - light).abs().max() for one in found.named.values())
        assert near < 0.1


def test_the_same_pictures_give_the_same_moods() -> None:
    first, second = discover.discover(raw()), discover.discover(raw())
    assert first == second


def test_vectors_lie_among_the_pictures() -> None:
    measured = raw()
    scale = Scale.of(measured)
    for vector in discover.discover(measured).vectors(scale).values():
        assert len(vector) == moods.SIZE
        assert float(torch.cdist(torch.tensor([vector]), scale(measured)).min()) < 0.6


@pytest.mark.parametrize("count", [2, 3, 7, 20, 39, 41, 300])
def test_any_number_of_pictures(count: int) -> None:
    found = discover.discover(raw(count))
    assert 1 <= len(found.named) <= 9
    assert len(found.pad) == 3
    assert all(len(row) == 3 for row in found.pad)


def test_pictures_all_alike_have_one_mood_at_least() -> None:
    found = discover.discover(torch.zeros(30, 7))
    assert len(found.named) >= 1
    with pytest.raises(ValueError, match="at least two pictures"):
        discover.discover(torch.zeros(1, 7))


@pytest.mark.parametrize(
    ("light", "dark", "name"),
    [
        ((250, 250, 250), (240, 240, 240), "white"),
        ((30, 30, 32), (8, 8, 8), "black"),
        ((200, 40, 30), (150, 20, 20), "red"),
        ((60, 120, 220), (30, 60, 160), "blue"),
        ((40, 140, 80), (10, 90, 40), "green"),
        ((40, 50, 110), (8, 10, 60), "midnight"),
        ((190, 175, 150), (130, 115, 100), "sand"),
    ],
)
def test_words_for_colours(light: tuple[int, int, int], dark: tuple[int, int, int], name: str) -> None:
    assert discover.names(Colours(light, dark))[0] == name


def test_names_stay_apart() -> None:
    found = discover.discover(torch.cat([raw(60, 1), raw(60, 1) + 0.05]))
    assert len(set(found.named)) == len(found.named) >= 5


def test_the_pad_goes_from_dark_to_light_and_from_cool_to_warm() -> None:
    named = {f"m{i}": Colours((20 * i + 40, 100, 255 - 20 * i), (20, 20 * i, 20)) for i in range(9)}
    rows = discover.pad(named)
    shine = [[sum(named[name].lights) + sum(named[name].darks) for name in row] for row in rows]
    assert max(shine[0]) <= min(shine[1])
    assert max(shine[1]) <= min(shine[2])
    for row in rows:
        warmth = [named[name].lights[0] - named[name].lights[2] for name in row]
        assert warmth == sorted(warmth)
