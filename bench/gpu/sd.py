"""The shape of SD-Turbo's U-Net: the work of Stable Diffusion 2.1, layer for layer, with random weights.

Rombach et al. 2022 (latent diffusion); widths and depths as Stability AI published them for version 2.1, from which
SD-Turbo (Sauer et al. 2023) was distilled: 320/640/1280/1280 channels, two residual blocks a level, heads of 64
numbers, text of 77 vectors of 1024 numbers, 866 million parameters. Attention is PyTorch's fused one.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDTHS = (320, 640, 1280, 1280)
TEXT = 1024  # numbers in a text vector
WORDS = 77
HEAD = 64  # numbers in an attention head
TIME = 1280


class Residual(nn.Module):
    """Two convolutions with group norm, the time added between them."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(32, inputs, eps=1e-5), nn.Conv2d(inputs, outputs, 3, padding=1)
        self.time = nn.Linear(TIME, outputs)
        self.norm2, self.conv2 = nn.GroupNorm(32, outputs, eps=1e-5), nn.Conv2d(outputs, outputs, 3, padding=1)
        self.skip = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor, moment: Tensor) -> Tensor:
        y = self.conv1(F.silu(self.norm1(x))) + self.time(F.silu(moment))[:, :, None, None]
        y = self.conv2(F.silu(self.norm2(y)))
        out: Tensor = self.skip(x) + y
        return out


class Attention(nn.Module):
    """Attention of x to a context (itself if there is none)."""

    def __init__(self, width: int, context: int) -> None:
        super().__init__()
        self.q, self.k = nn.Linear(width, width, bias=False), nn.Linear(context, width, bias=False)
        self.v, self.out = nn.Linear(context, width, bias=False), nn.Linear(width, width)

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        context = x if context is None else context
        parts = self.q(x), self.k(context), self.v(context)
        q, k, v = (part.unflatten(2, (-1, HEAD)).transpose(1, 2) for part in parts)
        y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        out: Tensor = self.out(y)
        return out


class Transformer(nn.Module):
    """One block: attention to itself, to the text, and a gated linear unit (GEGLU, Shazeer 2020)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(32, width, eps=1e-6)
        self.enter, self.leave = nn.Linear(width, width), nn.Linear(width, width)
        self.norm1, self.norm2, self.norm3 = nn.LayerNorm(width), nn.LayerNorm(width), nn.LayerNorm(width)
        self.itself, self.text = Attention(width, width), Attention(width, TEXT)
        self.wide, self.narrow = nn.Linear(width, 8 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor, text: Tensor) -> Tensor:
        height, width = x.shape[2:]
        y = self.enter(self.norm(x).permute(0, 2, 3, 1).flatten(1, 2))
        y = y + self.itself(self.norm1(y))
        y = y + self.text(self.norm2(y), text)
        value, gate = self.wide(self.norm3(y)).chunk(2, -1)
        y = y + self.narrow(value * F.gelu(gate))
        back = self.leave(y).unflatten(1, (height, width)).permute(0, 3, 1, 2)
        out: Tensor = x + back
        return out


class Stage(nn.Module):
    """A residual block, and a transformer where the level has one."""

    def __init__(self, inputs: int, outputs: int, attends: bool) -> None:
        super().__init__()
        self.residual = Residual(inputs, outputs)
        self.transformer = Transformer(outputs) if attends else None

    def forward(self, x: Tensor, moment: Tensor, text: Tensor) -> Tensor:
        x = self.residual(x, moment)
        return self.transformer(x, text) if self.transformer is not None else x


class UNet(nn.Module):
    """(latent [B,4,h,w], moment [B], text [B,77,1024]) -> [B,4,h,w]; h and w are multiples of 8."""

    def __init__(self, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__()
        last = len(widths) - 1
        self.first = widths[0]
        self.moment = nn.Sequential(nn.Linear(widths[0], TIME), nn.SiLU(), nn.Linear(TIME, TIME))
        self.enter = nn.Conv2d(4, widths[0], 3, padding=1)
        self.down, self.shrink = nn.ModuleList(), nn.ModuleList()
        skips, before = [widths[0]], widths[0]
        for level, width in enumerate(widths):
            stages = [Stage(before if i == 0 else width, width, level < last) for i in range(2)]
            self.down.append(nn.ModuleList(stages))
            skips += [width, width]
            if level < last:
                self.shrink.append(nn.Conv2d(width, width, 3, 2, 1))
                skips.append(width)
            before = width
        self.middle = nn.ModuleList([Stage(before, before, True), Stage(before, before, False)])
        self.up, self.grow = nn.ModuleList(), nn.ModuleList()
        for level in range(last, -1, -1):
            width = widths[level]
            stages = []
            for _ in range(3):
                stages.append(Stage(before + skips.pop(), width, level < last))
                before = width
            self.up.append(nn.ModuleList(stages))
            if level > 0:
                self.grow.append(nn.Conv2d(width, width, 3, padding=1))
        self.norm, self.leave = nn.GroupNorm(32, widths[0], eps=1e-5), nn.Conv2d(widths[0], 4, 3, padding=1)

    def forward(self, latent: Tensor, moment: Tensor, text: Tensor) -> Tensor:
        half = self.first // 2
        speeds = torch.exp(-math.log(10000.0) / half * torch.arange(half, device=latent.device, dtype=torch.float32))
        angles = moment.float()[:, None] * speeds
        time = self.moment(torch.cat([angles.cos(), angles.sin()], 1).to(latent.dtype))
        x = self.enter(latent)
        kept = [x]
        for level, stages in enumerate(self.down):
            for stage in stages:  # type: ignore[attr-defined]
                x = stage(x, time, text)
                kept.append(x)
            if level < len(self.shrink):
                x = self.shrink[level](x)
                kept.append(x)
        for stage in self.middle:
            x = stage(x, time, text)
        for level, stages in enumerate(self.up):
            for stage in stages:  # type: ignore[attr-defined]
                x = stage(torch.cat([x, kept.pop()], 1), time, text)
            if level < len(self.grow):
                x = self.grow[level](F.interpolate(x, scale_factor=2.0, mode="nearest"))
        out: Tensor = self.leave(F.silu(self.norm(x)))
        return out


class _Block(nn.Module):
    """Three convolutions with ReLU between, added to what came in."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        convs = [nn.Conv2d(inputs if i == 0 else outputs, outputs, 3, padding=1) for i in range(3)]
        self.convs = nn.Sequential(convs[0], nn.ReLU(), convs[1], nn.ReLU(), convs[2])

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.convs(x) + x)


def _conv(inputs: int, outputs: int, stride: int = 1, bias: bool = True) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, stride, 1, bias=bias)


class Tiny(nn.Module):
    """The shape of TAESD (Ollin Boer Bohan 2023): the tiny autoencoder that stands in for Stable Diffusion's."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        down: list[nn.Module] = [_conv(3, width), _Block(width, width)]
        up: list[nn.Module] = [_conv(4, width), nn.ReLU()]
        for _ in range(3):
            down += [_conv(width, width, 2, False), *(_Block(width, width) for _ in range(3))]
            up += [*(_Block(width, width) for _ in range(3)), nn.Upsample(scale_factor=2)]
            up.append(_conv(width, width, 1, False))
        self.encoder = nn.Sequential(*down, _conv(width, 4))
        self.decoder = nn.Sequential(*up, _Block(width, width), _conv(width, 3))

    def encode(self, picture: Tensor) -> Tensor:
        """RGB [B,3,H,W] in 0..1 to a latent [B,4,H/8,W/8]."""
        latent: Tensor = self.encoder(picture)
        return latent

    def decode(self, latent: Tensor) -> Tensor:
        """A latent to RGB [B,3,H,W], about 0..1."""
        picture: Tensor = self.decoder(torch.tanh(latent / 3) * 3)
        return picture


class OneStep(nn.Module):
    """A frame of one-step picture-to-picture diffusion: encode, add noise, U-Net, take it away, decode.

    `signal` is the root of the share of the picture that is left under the noise; 1/2 of the way is usual for video.
    """

    def __init__(self, unet: UNet, tiny: Tiny, signal: float = 0.5) -> None:
        super().__init__()
        self.unet, self.tiny, self.signal, self.noise = unet, tiny, signal, math.sqrt(1.0 - signal * signal)

    def forward(self, picture: Tensor, text: Tensor, noise: Tensor, moment: Tensor) -> Tensor:
        """picture uint8 [1,H,W,4], text [1,77,1024], noise [1,4,H/8,W/8], moment [1] -> uint8 [1,H,W,4]."""
        kind = text.dtype
        rgb = (picture[..., :3].permute(0, 3, 1, 2).to(kind) / 255.0).contiguous(memory_format=torch.channels_last)
        latent = self.tiny.encode(rgb) * self.signal + noise * self.noise
        clean = (latent - self.noise * self.unet(latent, moment, text)) / self.signal
        out = (self.tiny.decode(clean) * 255.0 + 0.5).clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)
        return torch.cat([out, torch.full_like(out[..., :1], 255)], -1)


def build(device: str, kind: torch.dtype, widths: tuple[int, ...] = WIDTHS) -> OneStep:
    """The whole of it on its device with small random weights; nothing of it ever lies in the machine's memory."""
    with torch.device("meta"):
        whole = OneStep(UNet(widths), Tiny()).to(kind).eval().requires_grad_(False)
    whole = whole.to_empty(device=device)
    for module in whole.modules():
        if isinstance(module, nn.GroupNorm | nn.LayerNorm):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.normal_(module.weight, 0.0, 0.5 / math.sqrt(module.weight[0].numel()))
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return whole.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]
