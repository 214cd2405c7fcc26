"""Which part of a graph computes in half precision: what lies between its first and its last convolution."""

from __future__ import annotations

from typing import Any

ANCHORS = {"Conv", "ConvTranspose", "Gemm", "MatMul"}  # where the arithmetic is
MOVES = {
    "Concat", "DepthToSpace", "Expand", "Flatten", "Gather", "Identity", "Reshape", "Slice", "SpaceToDepth", "Split",
    "Squeeze", "Transpose", "Unsqueeze",
}  # fmt: skip
BOUNDED = {"LeakyRelu", "PRelu", "Relu", "Sigmoid", "Tanh"}  # loses nothing that fp16 had kept
# Sums over a whole picture and powers overflow or cancel in fp16.
WIDE = {
    "BatchNormalization", "Exp", "GroupNormalization", "InstanceNormalization", "LayerNormalization", "Log",
    "LpNormalization", "Pow", "Range", "Reciprocal", "ReduceL2", "ReduceMean", "ReduceSum", "Softmax", "Sqrt",
}  # fmt: skip
FIRST_ONLY = {"Resize", "Upsample"}  # their other inputs (scales, a region) are float32 by definition


def core_of(nodes: list[Any], floats: set[str]) -> set[int]:
    """Indices of the nodes that compute in fp16: between two anchors, and what moves or bounds numbers next to them."""
    made = {name: i for i, node in enumerate(nodes) for name in node.output}
    before = [{made[n] for n in _data(node) if n in made and n in floats} for node in nodes]
    after: list[set[int]] = [set() for _ in nodes]
    for i, sources in enumerate(before):
        for source in sources:
            after[source].add(i)
    anchors = {i for i, node in enumerate(nodes) if node.op_type in ANCHORS}
    core = _reach(anchors, before) & _reach(anchors, after)
    core = {i for i in core if nodes[i].op_type not in WIDE and any(name in floats for name in nodes[i].output)}
    for i in reversed(range(len(nodes))):  # towards the picture: nodes are in topological order
        if nodes[i].op_type in MOVES and after[i] and after[i] <= core and nodes[i].output[0] in floats:
            core.add(i)
    for i in range(len(nodes)):  # towards the dream
        if nodes[i].op_type in MOVES | BOUNDED and before[i] and before[i] <= core and nodes[i].output[0] in floats:
            core.add(i)
    return core


def _reach(start: set[int], neighbours: list[set[int]]) -> set[int]:
    seen, todo = set(start), list(start)
    while todo:
        for i in neighbours[todo.pop()] - seen:
            seen.add(i)
            todo.append(i)
    return seen


def _data(node: Any) -> list[str]:
    """The inputs that flow through, not those that only describe."""
    names: list[str] = list(node.input)
    return names[:1] if node.op_type in FIRST_ONLY else names
