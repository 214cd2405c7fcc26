"""Live networks: the folded generators that engines run. Pure torch; imported by the torch engine and by the lab only.

A network is named in a model card (``[network] name``) and rebuilt from the card's numbers; weights come from
safetensors, so that a stranger's file stays data. The topology is written once, here: the lab trains the same class
with batch-normalised convolutions (`perform.lab.networks`) and folds them into the plain ones used below.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LUMA = (0.299, 0.587, 0.114)  # Rec. 601 on display values, as in the condition
HIDDEN = 64  # width of the little network that turns a mood into scales and shifts

ConvFactory = Callable[[int, int, int], nn.Module]  # (channels in, channels out, stride) -> a linear 3x3 convolution


def conv3(inputs: int, outputs: int, stride: int = 1) -> nn.Module:
    """A 3x3 convolution with bias: what a trained convolution and its batch norm fold into."""
    return nn.Conv2d(inputs, outputs, 3, stride, 1)


class Plain(nn.Module):
    """`plain`: U-shaped, nothing but 3x3 convolutions and ReLU, worked at 1/2, 1/4 and 1/8 of the picture's size.

    Space-to-depth(2), two strided convolutions, `blocks` residual blocks at 1/8, nearest-neighbour growth with
    additive skips, depth-to-space(2). One extra input channel holds the row (-1 top, 1 bottom): a landscape's sky is
    above its ground, and a convolution alone cannot know which way is up. The mood enters as a scale and a shift per
    channel (FiLM, Perez et al. 2018) at each of the three resolutions.

    Costs about 0.47, 1.02, 2.08 GMAC at 256x256 for widths 16/32/64 x3, 24/48/96 x3, 32/64/128 x4
    (`perform.lab.networks.macs`).
    """

    def __init__(self, widths: Sequence[int], blocks: int, mood: int, conv: ConvFactory = conv3) -> None:
        super().__init__()
        a, b, c = widths
        self.widths = (a, b, c)
        self.down = nn.ModuleList([conv(5, a, 1), conv(a, b, 2), conv(b, c, 2)])
        self.body = nn.ModuleList([nn.ModuleList([conv(c, c, 1), conv(c, c, 1)]) for _ in range(blocks)])
        self.up = nn.ModuleList([conv(c, b, 1), conv(b, a, 1)])
        self.head = nn.Conv2d(a, 12, 3, 1, 1)
        self.film = nn.Sequential(nn.Linear(mood, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2 * (a + b + c)))

    def forward(self, luma: Tensor, mood: Tensor) -> Tensor:
        """luma [B,1,H,W] in 0..1 and mood [B,M] to RGB [B,3,H,W] in -1..1. H and W are multiples of 8."""
        scales = self._scales(mood)
        x = F.pixel_unshuffle(luma * 2 - 1, 2)
        x = torch.cat([x, _rows(x)], 1)
        half = F.relu(self.down[0](x))
        quarter = F.relu(self.down[1](half))
        y = _tint(F.relu(self.down[2](quarter)), scales[2])
        for block in self.body:
            assert isinstance(block, nn.ModuleList)
            y = F.relu(y + block[1](F.relu(block[0](y))))
        y = _tint(F.relu(self.up[0](_grow(y))) + quarter, scales[1])
        y = _tint(F.relu(self.up[1](_grow(y))) + half, scales[0])
        return torch.tanh(F.pixel_shuffle(self.head(y), 2))

    def _scales(self, mood: Tensor) -> list[tuple[Tensor, Tensor]]:
        """(scale, shift) for the three resolutions, finest first, each [B,C,1,1]."""
        flat = self.film(mood)[:, :, None, None]
        pairs = flat.split([2 * width for width in self.widths], 1)
        return [tuple(pair.chunk(2, 1)) for pair in pairs]


def _rows(x: Tensor) -> Tensor:
    """The vertical position of each cell of x [B,C,H,W] as [B,1,H,W], from -1 (top) to 1 (bottom)."""
    height = x.shape[2]
    rows = (torch.arange(height, device=x.device, dtype=torch.float32) + 0.5) * (2.0 / height) - 1.0
    return rows.to(x.dtype)[None, None, :, None].expand(x.shape[0], 1, height, x.shape[3])


def _grow(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


def _tint(x: Tensor, scale: tuple[Tensor, Tensor]) -> Tensor:
    return x * (1 + scale[0]) + scale[1]


class Dream(nn.Module):
    """A generator with its pixel maths, uint8 RGBA in and out, so that an engine moves bytes and nothing else."""

    def __init__(self, core: nn.Module) -> None:
        super().__init__()
        self.core = core

    def forward(self, picture: Tensor, mood: Tensor) -> Tensor:
        """picture uint8 [B,H,W,4] (row 0 on top) and mood [B,M] to uint8 [B,H,W,4] with alpha 255.

        Colour input is read as luma.
        """
        kind = next(self.core.parameters()).dtype
        x = picture.to(torch.float32)
        luma = (x[..., 0] * LUMA[0] + x[..., 1] * LUMA[1] + x[..., 2] * LUMA[2]) / 255.0
        y = self.core(luma.unsqueeze(1).to(kind), mood.to(kind)).to(torch.float32)
        rgb = ((y * 127.5 + 127.5).clamp(0.0, 255.0) + 0.5).to(torch.uint8).permute(0, 2, 3, 1)
        return torch.cat([rgb, torch.full_like(rgb[..., :1], 255)], -1)


def build(name: str, args: Mapping[str, Any]) -> nn.Module:
    """The untrained live network `name`: (picture uint8 [B,H,W,4], mood [B,M]) -> uint8 [B,H,W,4].

    args holds `widths` (3 ints), `blocks` and `mood` (the vector's length). Unknown names raise ValueError.
    """
    if name != "plain":
        raise ValueError(f"unknown network {name!r}; known: plain")
    return Dream(Plain([int(w) for w in args["widths"]], int(args["blocks"]), int(args["mood"]))).eval()


def load(card: Mapping[str, Any], size: str, folder: str | Path) -> nn.Module:
    """The network of one size of a world, weights loaded, ready for inference on the CPU in float32.

    card is the parsed card.toml and folder the place it lies in. Raises KeyError for a size the card lacks,
    FileNotFoundError, and ValueError where the file's sha256, keys or shapes are not the card's. Reads a few
    megabytes: tens of milliseconds.
    """
    from safetensors.torch import load as parse

    entry = card["size"][size]
    path = Path(folder) / Path(str(entry["weights"])).name  # a card names files beside itself, never elsewhere
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != entry["weights_sha256"]:
        raise ValueError(f"{path.name} is not the file the card describes (sha256 differs)")
    args = {"widths": entry["widths"], "blocks": entry["blocks"], "mood": card["mood"]["size"]}
    network = build(card["network"]["name"], args)
    try:
        network.load_state_dict(parse(data))
    except RuntimeError as error:
        raise ValueError(f"{path.name} does not fit the network the card describes: {error}") from None
    return network
