"""A world's network as torch-tensorrt takes it: fp16, channels last, pixels and mood inside, whole numbers at its ends.

TensorRT takes uint8 only as input and output of an engine, and torch-tensorrt's runtime knows no such type
(`core/util/trt_util.cpp`, 2.9 to 2.14): it builds an engine with bytes at its ends, and throws when that is first run.
So pictures and dreams are fp16, in which whole numbers up to 2,048 are exact, and PyTorch casts at either end (`play`).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from perform.engines.generator import Shape
from perform.networks import Dream


class Whole(nn.Module):
    """A network with all of its pixel maths, from and to whole numbers in fp16.

    The same numbers as the bytes that the network itself gives in fp16: rounding down what has been clamped and moved
    by a half is what its cast to uint8 does.
    """

    def __init__(self, network: Dream) -> None:
        super().__init__()
        self.network = network

    def forward(self, picture: Tensor, mood: Tensor) -> Tensor:
        """picture float16 [1,H,W,4] in 0..255 and mood float32 [1,M] to float16 [1,H,W,4] in 0..255, alpha 255."""
        y = self.network.colours(picture, mood)
        whole = torch.floor((y * 127.5 + 127.5).clamp(0.0, 255.0) + 0.5)
        rgb = whole.to(torch.float16).permute(0, 2, 3, 1)
        return torch.cat([rgb, torch.full_like(rgb[..., :1], 255.0)], -1)


def play(module: Any, picture: Tensor, mood: Tensor) -> Tensor:
    """What `Whole`, or an engine made of it, dreams: picture uint8 [1,H,W,4] and mood float32 [1,M] to uint8 [1,H,W,4].
    Two casts more than the engine, some microseconds; all of it can be recorded.
    """
    dream: Tensor = module(picture.to(torch.float16), mood)
    return dream.to(torch.uint8)


def prepare(network: Dream, device: str) -> Whole:
    """The network in fp16 with channels last on a device, ready to be exported. Changes the network itself."""
    network.core.to(torch.float16)
    whole = Whole(network).eval().requires_grad_(False)
    moved: Whole = whole.to(device=torch.device(device), memory_format=torch.channels_last)  # type: ignore[call-overload]
    return moved


def example(shape: Shape, mood: int, device: str) -> tuple[Tensor, Tensor]:
    """Inputs of the right shapes on a device: a black picture and the mean mood."""
    width, height = shape
    return (
        torch.zeros(1, height, width, 4, dtype=torch.float16, device=device),
        torch.zeros(1, mood, dtype=torch.float32, device=device),
    )


def export(whole: nn.Module, inputs: tuple[Tensor, Tensor]) -> torch.export.ExportedProgram:
    """The graph for exactly these shapes. Seconds; raises whatever torch.export makes of a network it cannot trace."""
    with torch.inference_mode(False), torch.no_grad():
        return torch.export.export(whole, inputs)


def operators(program: torch.export.ExportedProgram) -> set[str]:
    """The operators that torch-tensorrt will be asked to convert: the graph in core ATen."""
    with torch.no_grad():
        core = program.run_decompositions()
    return {str(node.target) for node in core.graph.nodes if node.op == "call_function"}
