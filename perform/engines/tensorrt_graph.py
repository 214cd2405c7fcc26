"""A world's network as torch-tensorrt takes it: fp16, channels last, pixels and mood inside, bytes at the very end.

TensorRT takes uint8 only as input and output of an engine, and torch-tensorrt has no conversion to uint8 at all (it
leaves the cast to PyTorch). So the bytes are made in fp16, where whole numbers up to 2,048 are exact, and the one cast
comes last; `teach` gives torch-tensorrt its conversion. Read in torch-tensorrt 2.13: with it landscape is one engine
with uint8 at both ends, without it an engine and a cast.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from perform.engines.generator import Shape
from perform.networks import Dream


class Whole(nn.Module):
    """A network with all of its pixel maths, in the order that TensorRT wants: the cast to bytes last.

    The same bytes as the network itself gives in fp16: rounding down what has been clamped and moved by a half is what
    its cast to uint8 does.
    """

    def __init__(self, network: Dream) -> None:
        super().__init__()
        self.network = network

    def forward(self, picture: Tensor, mood: Tensor) -> Tensor:
        """picture uint8 [1,H,W,4] and mood float32 [1,M] to uint8 [1,H,W,4], alpha 255."""
        y = self.network.colours(picture, mood)
        whole = torch.floor((y * 127.5 + 127.5).clamp(0.0, 255.0) + 0.5)
        rgb = whole.to(torch.float16).permute(0, 2, 3, 1)
        return torch.cat([rgb, torch.full_like(rgb[..., :1], 255.0)], -1).to(torch.uint8)


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
        torch.zeros(1, height, width, 4, dtype=torch.uint8, device=device),
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


def teach(library: Any) -> bool:
    """Teach torch-tensorrt the cast to uint8 that ends a world. False if it cannot be taught: then PyTorch casts.

    Once for each process is enough; again does no harm.
    """
    try:
        from_dynamo = library.dynamo.conversion
        register, high = from_dynamo.dynamo_tensorrt_converter, from_dynamo.ConverterPriority.HIGH
    except AttributeError:
        return False

    @register(  # type: ignore[untyped-decorator]
        torch.ops.aten._to_copy.default, capability_validator=to_bytes, priority=high, supports_dynamic_shapes=True
    )
    def bytes_last(context: Any, target: Any, inputs: Any, keys: Any, name: str) -> Any:
        layer = context.net.add_cast(inputs[0], _uint8())
        layer.name = name
        return layer.get_output(0)

    return True


def to_bytes(node: Any, settings: Any = None) -> bool:
    """Whether this is the cast to bytes that ends the graph: TensorRT takes none anywhere else."""
    return node.kwargs.get("dtype") == torch.uint8 and all(user.op == "output" for user in node.users)


def _uint8() -> Any:
    import tensorrt  # torch-tensorrt's own: the standard one, or TensorRT-RTX under its name

    return tensorrt.DataType.UINT8
