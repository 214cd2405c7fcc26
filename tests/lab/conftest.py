"""Small worlds for quick tests: a few painted photographs, no download."""

from __future__ import annotations

import pytest
import torch

from perform.lab.batches import Batches
from perform.lab.worlds import World


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def world() -> World:
    """Fourteen 48x40 pictures: a sky, a ground, some noise."""
    rng = torch.Generator().manual_seed(3)
    sky = torch.linspace(220, 90, 40).view(1, 1, 40, 1).expand(14, 3, 40, 48)
    tint = 0.6 + 0.4 * torch.rand(14, 3, 1, 1, generator=rng)
    noise = 12 * torch.randn(14, 3, 40, 48, generator=rng)
    pictures = (sky * tint + noise).clamp(0, 255).to(torch.uint8)
    return World(list(pictures), torch.arange(14) % 13 == 6)


@pytest.fixture(scope="session")
def batches(world: World) -> Batches:
    return Batches(world, 32, strange=16)
