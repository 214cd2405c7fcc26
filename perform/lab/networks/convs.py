"""Convolutions to train with, each of which folds exactly into one 3x3 convolution with bias."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

EDGES = (  # Sobel across, Sobel down, Laplacian (ECBSR, Zhang et al. 2021, section 3.2)
    ((1.0, 0.0, -1.0), (2.0, 0.0, -2.0), (1.0, 0.0, -1.0)),
    ((1.0, 2.0, 1.0), (0.0, 0.0, 0.0), (-1.0, -2.0, -1.0)),
    ((0.0, 1.0, 0.0), (1.0, -4.0, 1.0), (0.0, 1.0, 0.0)),
)


@runtime_checkable
class Foldable(Protocol):
    """A convolution in training clothes."""

    def folded(self) -> nn.Conv2d:
        """The one 3x3 convolution, with bias, that does the same in evaluation mode. On the module's own device."""
        ...


class NormedConv(nn.Module):
    """A 3x3 convolution without bias, then batch norm."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm = nn.BatchNorm2d(outputs, momentum=0.05)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.norm(self.conv(x))
        return y

    def folded(self) -> nn.Conv2d:
        """See `Foldable`."""
        gain, shift = _gain_and_shift(self.norm)
        kernel = self.conv.weight * gain[:, None, None, None]
        return _convolution(kernel, shift, self.conv.stride[0])


class Branched(nn.Module):
    """A 3x3 convolution that learns as five or six in parallel, each batch-normed, summed, and is folded into one.

    Branches: the 3x3; a 1x1; three 1x1 followed by a fixed edge kernel (Sobel across, Sobel down, Laplacian); and,
    where channels and size stay, the input itself (RepVGG, Ding et al. 2021; ECBSR, Zhang et al. 2021). The edges'
    scale per channel is the gain of their batch norm, and one batch norm serves all branches side by side. It costs
    nothing once folded. To train, a GPU runs all branches as one convolution with five or six times the outputs (a 1x1
    and a fixed kernel make one 3x3), for launches are what it waits for; a CPU runs them one by one, for 1.5 times the
    multiplications and twice the time of a plain one.
    """

    edges: Tensor
    same: Tensor

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.stride = stride
        identity = inputs == outputs and stride == 1
        self.count = 5 + identity
        self.full = nn.Parameter(nn.Conv2d(inputs, outputs, 3, bias=False).weight.detach())
        points = [nn.Conv2d(inputs, outputs, 1, bias=False).weight.detach() for _ in range(4)]
        self.points = nn.Parameter(torch.cat(points))  # [4 outputs,inputs,1,1]: alone, then under each edge kernel
        self.norm = nn.BatchNorm2d(self.count * outputs, momentum=0.05)
        nn.init.constant_(self.norm.weight, self.count**-0.5)  # the sum starts as loud as one branch would
        self.register_buffer("edges", torch.tensor(EDGES), persistent=False)
        same = nn.init.dirac_(torch.empty(outputs, inputs, 3, 3)) if identity else torch.empty(0, inputs, 3, 3)
        self.register_buffer("same", same, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """x [B,inputs,H,W] to [B,outputs,H/stride,W/stride]."""
        y = self.norm(self._together(x) if x.is_cuda else self._apart(x))
        rows: Tensor = y.permute(0, 2, 3, 1)  # channels last: summing them as they lie in memory is three times as fast
        summed = rows.reshape(*rows.shape[:3], self.count, -1).sum(3, dtype=y.dtype)  # autocast would widen it
        return summed.permute(0, 3, 1, 2)

    def _together(self, x: Tensor) -> Tensor:
        """All branches side by side, [B,count * outputs,H/stride,W/stride]."""
        return F.conv2d(x, self._kernels(), None, self.stride, 1)

    def _apart(self, x: Tensor) -> Tensor:
        """The same, each branch as it is described."""
        width = len(self.full)
        full = F.conv2d(x, self.full, None, self.stride, 1)
        alone = F.conv2d(x, self.points[:width], None, self.stride)
        thin = F.conv2d(x, self.points[width:])
        edges = self.edges.repeat_interleave(width, 0)[:, None].to(thin.dtype)
        edged = F.conv2d(thin, edges, None, self.stride, 1, groups=len(edges))
        return torch.cat([full, alone, edged] + ([x.to(full.dtype)] if len(self.same) else []), 1)

    def folded(self) -> nn.Conv2d:
        """See `Foldable`."""
        gain, shift = _gain_and_shift(self.norm)
        kernels = self._kernels() * gain[:, None, None, None]
        kernel = torch.stack(kernels.chunk(self.count)).sum(0)
        return _convolution(kernel, torch.stack(shift.chunk(self.count)).sum(0), self.stride)

    def _kernels(self) -> Tensor:
        """All branches as 3x3 kernels, [count * outputs, inputs, 3, 3]."""
        alone, *below = self.points.chunk(4)
        edged = [point * edge for point, edge in zip(below, self.edges, strict=True)]
        return torch.cat([self.full, F.pad(alone, (1, 1, 1, 1)), *edged, self.same])


def _gain_and_shift(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """What a batch norm multiplies with and adds, per channel, in evaluation mode."""
    assert norm.running_var is not None
    assert norm.running_mean is not None
    gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return gain, norm.bias - norm.running_mean * gain


def _convolution(kernel: Tensor, bias: Tensor, stride: int) -> nn.Conv2d:
    outputs, inputs = kernel.shape[:2]
    plain = nn.Conv2d(inputs, outputs, 3, stride, 1, device=kernel.device)
    assert plain.bias is not None
    with torch.no_grad():
        plain.weight.copy_(kernel)
        plain.bias.copy_(bias)
    return plain
