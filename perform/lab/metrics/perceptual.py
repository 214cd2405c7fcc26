"""LPIPS-HED: how far apart two pictures are to a network that has learned to see.

LPIPS (Zhang et al. 2018) compares the features of five stages of VGG16 with learned weights. Here the convolutions are
those of the edge detector HED (Xie and Tu 2015), which began as VGG16 and was trained on, and the linear heads are
LPIPS's own. So it is LPIPS's kin, not LPIPS: it orders pictures sanely, and its numbers compare with nothing published.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from perform.lab.metrics.weights import HEADS, VGG16, fetch

STAGES = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
MEAN = (103.939, 116.779, 123.68)  # of blue, green and red bytes, as VGG16 was trained


class LpipsHed(nn.Module):
    """Two batches of pictures [B,3,H,W] in -1..1 to distances [B]: 0 for equal ones. Frozen. 0.3 s for a pair of
    256x256 on a core. Without files: random weights, for tests.
    """

    mean: Tensor

    def __init__(self, vgg: Path | None = None, heads: Path | None = None) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.stages = nn.ModuleList()
        channels = 3
        for widths in STAGES:
            layers: list[nn.Module] = []
            for width in widths:
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
                channels = width
            self.stages.append(nn.Sequential(*layers))
        self.heads = nn.ParameterList([torch.full((1, widths[-1], 1, 1), 1 / widths[-1]) for widths in STAGES])
        if vgg is not None:
            self._read_convolutions(vgg)
        if heads is not None:
            self._read_heads(heads)
        self.requires_grad_(False).eval()

    @classmethod
    def fetched(cls, cache: Path) -> LpipsHed:
        """With its weights, downloaded once into `cache`. Raises ValueError."""
        return cls(fetch(VGG16, cache), fetch(HEADS, cache))

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return self.between(self.features(a), self.features(b))

    def between(self, a: Iterable[Tensor], b: Iterable[Tensor]) -> Tensor:
        """The distance of two batches of pictures whose `features` are known: [B]."""
        stages = zip(self.heads, a, b, strict=True)
        terms = [F.conv2d((_unit(x) - _unit(y)).square(), head).mean((1, 2, 3)) for head, x, y in stages]
        return torch.stack(terms).sum(0)

    def features(self, x: Tensor) -> Iterator[Tensor]:
        """The five stages' features, after their last ReLU."""
        x = (x.flip(1) + 1) * 127.5 - self.mean
        for index, stage in enumerate(self.stages):
            if index:
                x = F.max_pool2d(x, 2, 2, ceil_mode=True)
            x = stage(x)
            yield x

    def _read_convolutions(self, path: Path) -> None:
        import h5py

        with h5py.File(path) as file, torch.no_grad():
            for index, stage in enumerate(self.stages):
                assert isinstance(stage, nn.Sequential)
                convolutions = [layer for layer in stage if isinstance(layer, nn.Conv2d)]
                for order, conv in enumerate(convolutions):
                    name = f"block{index + 1}/layers/conv2d" + (f"_{order}" if order else "")
                    conv.weight.copy_(torch.from_numpy(file[f"{name}/vars/0"][()]).permute(3, 2, 0, 1))
                    assert conv.bias is not None
                    conv.bias.copy_(torch.from_numpy(file[f"{name}/vars/1"][()]))

    def _read_heads(self, path: Path) -> None:
        state = torch.load(path, map_location="cpu", weights_only=True)
        with torch.no_grad():
            for index, head in enumerate(self.heads):
                head.copy_(state[f"lin{index}.model.1.weight"])


def _unit(x: Tensor) -> Tensor:
    return x / (x.square().sum(1, keepdim=True).sqrt() + 1e-10)
