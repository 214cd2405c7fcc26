"""The pixel maths around a generator: bytes in, bytes out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

LUMA = (0.299, 0.587, 0.114)  # Rec. 601 on display values, as in the condition


class Dream(nn.Module):
    """A generator with its pixel maths, uint8 RGBA in and out, so that an engine moves bytes and nothing else.

    A core that has a mood takes (luma [B,1,H,W] in 0..1, mood [B,M]); one without (`core.mood` is 0: networks of
    others) takes the colours themselves, RGB [B,3,H,W] in -1..1, or their luma if it has one input channel.
    """

    def __init__(self, core: nn.Module) -> None:
        super().__init__()
        self.core = core
        self.colour = int(getattr(core, "mood", 1)) == 0
        self.grey = self.colour and int(getattr(core, "inputs", 3)) == 1

    def forward(self, picture: Tensor, mood: Tensor | None = None) -> Tensor:
        """picture uint8 [B,H,W,4] (row 0 on top) and mood [B,M] to uint8 [B,H,W,4] with alpha 255.

        With a mood, colour input is read as luma. A network without one does not look at `mood`.
        """
        y = self.colours(picture, mood)
        rgb = ((y * 127.5 + 127.5).clamp(0.0, 255.0) + 0.5).to(torch.uint8).permute(0, 2, 3, 1)
        return torch.cat([rgb, torch.full_like(rgb[..., :1], 255)], -1)

    def colours(self, picture: Tensor, mood: Tensor | None = None) -> Tensor:
        """The same as RGB [B,3,H,W] in -1..1, float32, for those who make bytes of it in another way."""
        kind = next(self.core.parameters()).dtype
        x = picture.to(torch.float32)
        if self.colour and not self.grey:
            y = self.core((x[..., :3].permute(0, 3, 1, 2) / 127.5 - 1.0).to(kind))
        else:
            luma = (x[..., 0] * LUMA[0] + x[..., 1] * LUMA[1] + x[..., 2] * LUMA[2]) / 255.0
            if self.grey:
                y = self.core((luma.unsqueeze(1) * 2.0 - 1.0).to(kind))
            else:
                assert mood is not None
                y = self.core(luma.unsqueeze(1).to(kind), mood.to(kind))
        wide: Tensor = y.to(torch.float32)
        return wide
