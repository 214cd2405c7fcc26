"""The last step of a dream in one sweep over the picture: depth to space, squashing, clamping, alpha, bytes.

A network ends at half size with twelve channels; its graph first shuffles them into a picture and then works on that,
number by number. TensorRT-RTX makes three kernels of it, with full-size pictures of float32 in between: 95 MB to and
from memory at 1920×1080, where 21 would do (counted, from its plan). What works number by number does not mind the
order: done before the shuffle it joins the last convolution, and shuffle, turn to rows of pixels, alpha and bytes
become one kernel. Same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

# Number by number: with one input, or with constants of one number beside it.
ALONE = {"Cast", "Clip", "Floor", "LeakyRelu", "Relu", "Sigmoid", "Tanh"}
PAIRED = {"Add", "Div", "Max", "Min", "Mul", "Sub"}
ROWS_OF_PIXELS = [0, 2, 3, 1]
OLDEST = 15  # opset: Shape with a beginning and an end


def one_sweep(onnx: Any, model: Any) -> bool:
    """Reorder the end of a graph where it has this form; False if it has not, and then nothing is changed."""
    if max((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), default=0) < OLDEST:
        return False
    ending = _find(onnx, model.graph)
    if ending is None:
        return False
    graph, shuffle, turn = model.graph, ending.shuffle, ending.turn
    nodes = [node for node in graph.node if node not in (shuffle, turn)]
    first, last = (ending.chain[0], ending.chain[-1]) if ending.chain else (None, None)
    if first is not None and last is not None:
        first.input[list(first.input).index(shuffle.output[0])] = shuffle.input[0]
        at, given = nodes.index(last) + 1, last.output[0]
    else:
        at, given = list(graph.node).index(turn) - 1, shuffle.input[0]
    nodes[at:at] = _pixels(onnx, graph, ending, given)
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(copies)
    _alpha_as_border(onnx, graph, turn.output[0])
    return True


@dataclass(frozen=True, slots=True)
class _Ending:
    shuffle: Any  # DepthToSpace
    chain: tuple[Any, ...]
    turn: Any  # Transpose to rows of pixels
    channels: int  # of the picture


def _find(onnx: Any, graph: Any) -> _Ending | None:
    constants = {c.name: c for c in graph.initializer}
    outputs = {o.name for o in graph.output}
    takers: dict[str, list[Any]] = {}
    makers = {name: node for node in graph.node for name in node.output}
    for node in graph.node:
        for name in node.input:
            takers.setdefault(name, []).append(node)
    for shuffle in graph.node:
        if shuffle.op_type != "DepthToSpace":
            continue
        channels = _channels(onnx, makers.get(shuffle.input[0]), constants)
        chain: list[Any] = []
        name = shuffle.output[0]
        while channels and len(takers.get(name, [])) == 1 and name not in outputs:
            node = takers[name][0]
            if node.op_type == "Transpose" and _ints(onnx, node, "perm") == ROWS_OF_PIXELS:
                block = _int(onnx, shuffle, "blocksize")
                return _Ending(shuffle, tuple(chain), node, channels // block**2)
            if not _by_number(node, name, constants):
                break
            chain.append(node)
            name = node.output[0]
    return None


def _by_number(node: Any, name: str, constants: dict[str, Any]) -> bool:
    others = [other for other in node.input if other and other != name]
    single = all(other in constants and not any(side > 1 for side in constants[other].dims) for other in others)
    flat = all(len(constants[other].dims) <= 1 for other in others) if single else False
    return flat and (node.op_type in ALONE or (node.op_type in PAIRED and len(others) == 1))


def _channels(onnx: Any, maker: Any, constants: dict[str, Any]) -> int:
    """Of the last convolution's result; 0 if that is not what comes before."""
    if maker is None or maker.op_type != "Conv" or maker.input[1] not in constants:
        return 0
    return int(constants[maker.input[1]].dims[0])


def _pixels(onnx: Any, graph: Any, ending: _Ending, given: str) -> list[Any]:
    """Depth to space and rows of pixels at once: [N,C,H,W] to [N,b·H,b·W,C/b²]."""
    make, block, count = onnx.helper.make_node, _int(onnx, ending.shuffle, "blocksize"), ending.channels
    for name, values in (("sweep_copy", [0]), ("sweep_block", [block]), ("sweep_count", [count])):
        graph.initializer.append(onnx.numpy_helper.from_array(np.array(values, np.int64), name))
    rows = _text(onnx, ending.shuffle, "mode") == "CRD"  # which of the channels' factors comes first
    six = ["sweep_count", "sweep_block", "sweep_block"] if rows else ["sweep_block", "sweep_block", "sweep_count"]
    order = [0, 4, 2, 5, 3, 1] if rows else [0, 4, 1, 5, 2, 3]
    return [
        make("Shape", [given], ["sweep_h"], start=2, end=3),
        make("Shape", [given], ["sweep_w"], start=3, end=4),
        make("Concat", ["sweep_copy", *six, "sweep_h", "sweep_w"], ["sweep_six"], axis=0),
        make("Reshape", [given, "sweep_six"], ["sweep_apart"]),
        make("Transpose", ["sweep_apart"], ["sweep_turned"], perm=order),
        make("Mul", ["sweep_h", "sweep_block"], ["sweep_high"]),
        make("Mul", ["sweep_w", "sweep_block"], ["sweep_wide"]),
        make("Concat", ["sweep_copy", "sweep_high", "sweep_wide", "sweep_count"], ["sweep_four"], axis=0),
        make("Reshape", ["sweep_turned", "sweep_four"], [ending.turn.output[0]]),
    ]


def _alpha_as_border(onnx: Any, graph: Any, rgb: str) -> None:
    """An opaque alpha that is joined on becomes a border of one channel: no second tensor, no shapes to work out."""
    constants = {c.name: c for c in graph.initializer}
    makers = {name: node for node in graph.node for name in node.output}
    for at, join in enumerate(graph.node):
        if join.op_type != "Concat" or len(join.input) != 2 or join.input[0] != rgb:
            continue
        spread = makers.get(join.input[1])
        last = _int(onnx, join, "axis") in (-1, 3)
        if not last or spread is None or spread.op_type != "Expand" or spread.input[0] not in constants:
            continue
        value = onnx.numpy_helper.to_array(constants[spread.input[0]])
        if value.size != 1:
            continue
        border = np.array([0, 0, 0, 0, 0, 0, 0, 1], np.int64)
        graph.initializer.append(onnx.numpy_helper.from_array(border, "sweep_border"))
        graph.initializer.append(onnx.numpy_helper.from_array(value.reshape(()), "sweep_alpha"))
        pad = onnx.helper.make_node("Pad", [rgb, "sweep_border", "sweep_alpha"], list(join.output))
        graph.node[at].CopyFrom(pad)
        return


def _attribute(onnx: Any, node: Any, name: str) -> Any:
    return next((onnx.helper.get_attribute_value(a) for a in node.attribute if a.name == name), None)


def _int(onnx: Any, node: Any, name: str) -> int:
    return int(_attribute(onnx, node, name) or 0)


def _ints(onnx: Any, node: Any, name: str) -> list[int]:
    return [int(n) for n in _attribute(onnx, node, name) or ()]


def _text(onnx: Any, node: Any, name: str) -> str:
    return (_attribute(onnx, node, name) or b"DCR").decode()
