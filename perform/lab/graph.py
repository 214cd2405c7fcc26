"""A live network as an ONNX file: all that engines would otherwise do to pixels is inside, weights take two bytes each.

Engines fold the casts from fp16 when they load, so that nothing is slower for it; the values are those of the
safetensors file beside it, which is fp16 as well.
"""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from perform.lab import losses, run, timing
from perform.networks import Dream, describe

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Given = Mapping[str, npt.NDArray[Any]]  # "picture" uint8 [1,H,W,4] and, if there is a mood, "mood" float32 [1,M]
Painter = Callable[[Tensor, Tensor], Tensor]  # picture uint8 [1,H,W,4] and mood float32 [1,M] to uint8 [1,H,W,4]
OPSET = 20
WEIGHED = ("Conv", "ConvTranspose", "Gemm", "MatMul")  # whose constants are stored in fp16


def rounded(network: Dream) -> Dream:
    """A copy whose weights are values that fp16 can hold, still float32. Raises ValueError where one cannot be held."""
    copied = copy.deepcopy(network).eval()
    with torch.no_grad():
        for name, value in copied.state_dict().items():
            if value.is_floating_point():
                half = value.half()
                if not bool(torch.isfinite(half).all()):
                    raise ValueError(f"{name} holds numbers beyond fp16's ±65504; train on, or with a smaller rate")
                value.copy_(half.float())
    return copied


def to_onnx(network: Dream, path: Path, multiple: int = 8) -> None:
    """Write the ONNX twin: `picture` uint8 [1,H,W,4], `mood` float32 [1,M] -> `dream` uint8 [1,H,W,4]; H and W any
    multiples of `multiple`. A network without a mood has no such input. Weights that are values of fp16 (`rounded`)
    are stored as such. Seconds.
    """
    save(model_of(network, multiple), path)


class Moulds:
    """Writes ONNX twins of networks that go on changing and keep their shape. The graph of a shape is exported once;
    from then on only its weights are replaced: an export takes seconds, and PyTorch keeps 2 MB of it for good.
    """

    def __init__(self) -> None:
        self._models: dict[str, Any] = {}

    def __call__(self, network: Dream, path: Path, multiple: int = 8) -> None:
        """As `to_onnx`; under a second for a shape that is known."""
        import onnx

        shape = repr((describe(network), multiple))
        if shape not in self._models:
            self._models[shape] = _mould(network, multiple)
        model, state = self._models[shape], network.state_dict()
        if model is None:
            return to_onnx(network, path, multiple)
        for constant in model.graph.initializer:
            if constant.name in state:
                values = state[constant.name].detach().cpu().numpy()
                constant.CopyFrom(onnx.numpy_helper.from_array(values, constant.name))
        return save(model, path)


def _mould(network: Dream, multiple: int) -> Any:
    """The ONNX model of a network's shape, each of its weights an initialiser of that name; None where the exporter
    does not leave it so. It is made with numbers that are all different: equal ones would become one.
    """
    import onnx

    other, dice = copy.deepcopy(network), torch.Generator().manual_seed(0)
    with torch.no_grad():
        for value in other.state_dict().values():
            if value.is_floating_point():
                value.copy_(torch.rand(value.shape, generator=dice))
    model = model_of(other, multiple)
    there = {one.name: onnx.numpy_helper.to_array(one) for one in model.graph.initializer}
    whole = all(name in there and np.array_equal(there[name], value) for name, value in other.state_dict().items())
    return model if whole else None


def save(model: Any, path: Path) -> None:
    """Write an ONNX model, weights in fp16 where that loses nothing, atomically. The model stays as it is."""
    import onnx

    small = halved(copy.deepcopy(model))
    run.write(path, lambda partial: onnx.save(small, str(partial)))


def model_of(network: Dream, multiple: int = 8) -> Any:
    """The ONNX model of a network in float32, in memory; see `to_onnx`."""
    least = max(2, 32 // multiple)
    rows, columns = (torch.export.Dim(name, min=least, max=4096 // multiple) for name in ("rows", "columns"))
    given: dict[str, Tensor] = {
        "picture": torch.zeros(1, (least + 1) * multiple, (least + 2) * multiple, 4, dtype=torch.uint8)
    }
    shapes: dict[str, Any] = {"picture": {1: multiple * rows, 2: multiple * columns}}
    if not network.colour:
        given["mood"], shapes["mood"] = torch.zeros(1, int(network.core.mood)), None  # type: ignore[arg-type]
    quiet = logging.getLogger("torch.onnx")
    level = quiet.level
    quiet.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            network,
            tuple(given.values()),
            dynamo=True,
            opset_version=OPSET,
            input_names=list(given),
            output_names=["dream"],
            dynamic_shapes=shapes,
            verbose=False,
        )
    quiet.setLevel(level)
    assert program is not None
    return _anonymous(program.model_proto)


def _anonymous(model: Any) -> Any:
    """The same graph without the exporter's notes: they quote the stack, paths of this machine included."""
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer):
        del part.metadata_props[:]
        part.doc_string = ""
    return model


def halved(model: Any) -> Any:
    """The same graph with the weights of convolutions and matrices stored in fp16 and cast as they are read, wherever
    that loses nothing. Biases and quantisers' scales stay as they are. Changes and returns the model.
    """
    import onnx

    read = {name for node in model.graph.node if node.op_type in WEIGHED for name in node.input[1:2]}
    casts = []
    for constant in model.graph.initializer:
        if constant.name not in read or constant.data_type != onnx.TensorProto.FLOAT:
            continue
        values = onnx.numpy_helper.to_array(constant)
        with np.errstate(over="ignore"):
            half = values.astype(np.float16)
        if not np.array_equal(half.astype(np.float32), values):
            continue
        stored = constant.name + ".half"
        casts.append(onnx.helper.make_node("Cast", [stored], [constant.name], to=onnx.TensorProto.FLOAT))
        constant.CopyFrom(onnx.numpy_helper.from_array(half, stored))
    rest = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*casts, *rest])
    return model


def play(path: Path, picture: Bytes, mood: Floats) -> Bytes:
    """Run one picture through an ONNX file with ONNX Runtime on the CPU."""
    return timing.onnxruntime(path, threads=2)(picture, mood)


@torch.no_grad()
def alike(one: Painter, other: Painter, inputs: Sequence[Given]) -> float:
    """The mean PSNR of two networks over `inputs`, in dB (bytes; 99 where equal)."""
    scores = []
    for given in inputs:
        picture, mood = torch.from_numpy(given["picture"]), torch.from_numpy(given["mood"])
        scores.append(min(99.0, losses.psnr(one(picture, mood), other(picture, mood), 255.0)))
    return sum(scores) / len(scores)


def agreement(network: Painter, path: Path, inputs: Sequence[Given]) -> float:
    """`alike` of an ONNX file and the torch network that it was made from."""
    run_it = timing.onnxruntime(path, threads=2)
    return alike(network, lambda picture, mood: torch.from_numpy(run_it(picture.numpy(), mood.numpy())), inputs)
