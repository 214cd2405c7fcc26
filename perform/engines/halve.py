"""A world's ONNX as TensorRT takes it: half precision inside, uint8 at the two ends and nowhere else.

TensorRT-RTX is strongly typed (it computes in the type that the graph says) and takes uint8 only as the graph's input
and output. A world's graph is float32 and puts its alpha on in uint8. So, once, when an engine is built:

    bytes     a cast to uint8 in the middle becomes a rounding down, in fp16 (whole numbers up to 2,048 are exact), and
              the cast to uint8 moves to the very end
    halves    everything between the first and the last convolution (or matrix product) computes in fp16, as does what
              only moves numbers around next to it; pixel maths, rows and norms stay in float32

Pure graph surgery with the `onnx` package: milliseconds, no GPU, no PyTorch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from perform.engines.core import FIRST_ONLY, core_of
from perform.engines.sweep import one_sweep


class Unfit(ValueError):
    """A graph that cannot be rewritten; one sentence."""


def halve(data: bytes, bottom_up: bool = False) -> bytes:
    """The rewritten graph of an ONNX file's bytes. Raises Unfit (not ONNX, or a result that is not ONNX any more).

    `bottom_up`: its pictures, both in and out, have their last row first, as GL has them: turned over inside, where it
    costs nothing.
    """
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load_from_string(data)
        onnx.checker.check_model(model)
        typed = onnx.shape_inference.infer_shapes(model, data_prop=True)
    except (DecodeError, onnx.checker.ValidationError, onnx.shape_inference.InferenceError, ValueError) as e:
        raise Unfit(f"it is not an ONNX network: {_first(e)}") from e
    surgery = Surgery(onnx, typed)
    surgery.whole_weights()
    surgery.bytes_last()
    if bottom_up:
        surgery.turn_over()
    surgery.halves()
    if one_sweep(onnx, typed):
        surgery.forget_unused()
    del typed.graph.value_info[:]
    try:
        onnx.checker.check_model(typed, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as e:
        raise Unfit(f"it cannot be computed in fp16: {_first(e)}") from e
    result: bytes = typed.SerializeToString(deterministic=True)
    return result


@dataclass
class Surgery:
    """One graph on the table. `onnx` is the package, `model` an onnx.ModelProto that is changed in place."""

    onnx: Any
    model: Any
    _casts: dict[tuple[str, int], str] = field(default_factory=dict)
    _fresh: list[Any] = field(default_factory=list)

    @property
    def graph(self) -> Any:
        return self.model.graph

    def whole_weights(self) -> None:
        """Weights kept in fp16 and cast where they are used become plain ones: what follows looks for constants."""
        kinds, to_array = self.onnx.TensorProto, self.onnx.numpy_helper.to_array
        constants = {c.name: c for c in self.graph.initializer if c.data_type == kinds.FLOAT16}
        nodes: list[Any] = []
        for node in self.graph.node:
            constant = constants.get(node.input[0]) if node.op_type == "Cast" else None
            if constant is None or _attribute(node, "to") != kinds.FLOAT:
                nodes.append(node)
                continue
            wide = to_array(constant).astype(np.float32)
            self.graph.initializer.append(self.onnx.numpy_helper.from_array(wide, node.output[0]))
        if len(nodes) < len(self.graph.node):
            self._replace(nodes)
            self.forget_unused()

    # ------------------------------------------------------------------ bytes
    def bytes_last(self) -> None:
        """Leave uint8 to the inputs and the outputs."""
        kinds = self.onnx.TensorProto
        outputs = {o.name for o in self.graph.output if o.type.tensor_type.elem_type == kinds.UINT8}
        inputs = {i.name for i in self.graph.input if i.type.tensor_type.elem_type == kinds.UINT8}
        for constant in self.graph.initializer:
            if constant.data_type == kinds.UINT8:
                self._retype(constant, np.float16)
        nodes: list[Any] = []
        for node in self.graph.node:
            if node.op_type not in ("Cast", "Shape"):  # bytes that come from outside may only be cast
                self._feed(nodes, node, inputs)
            if node.op_type == "Cast" and _attribute(node, "to") == kinds.UINT8:
                whole = self._name(f"{node.output[0]}_whole")
                nodes.append(self.onnx.helper.make_node("Floor", [node.input[0]], [whole]))
                nodes.append(self.onnx.helper.make_node("Cast", [whole], [node.output[0]], to=kinds.FLOAT16))
            else:
                nodes.append(node)
        for name in sorted(outputs):
            inner = self._name(f"{name}_inner")
            for node in nodes:
                _rename(node.output, name, inner)
                _rename(node.input, name, inner)
            nodes.append(self.onnx.helper.make_node("Cast", [inner], [name], to=kinds.UINT8))
        self._replace(nodes)

    def turn_over(self) -> None:
        """Reverse the rows of what comes in as bytes (after its cast) and of what goes out (before its cast)."""
        names = ("turn_first", "turn_last", "turn_axis", "turn_step")
        for name, value in zip(names, (-1, -(2**31), 1, -1), strict=True):
            self.graph.initializer.append(self.onnx.numpy_helper.from_array(np.array([value], np.int64), name))
        kinds = self.onnx.TensorProto
        inputs = {i.name for i in self.graph.input if i.type.tensor_type.elem_type == kinds.UINT8}
        outputs = {o.name for o in self.graph.output}
        nodes: list[Any] = []
        for node in self.graph.node:
            if node.op_type == "Cast" and node.input[0] in inputs:
                turned = node.output[0]
                node.output[0] = self._name(f"{turned}_bottom_up")
                nodes += [node, self.onnx.helper.make_node("Slice", [node.output[0], *names], [turned])]
            elif node.op_type == "Cast" and node.output[0] in outputs:
                turned = self._name(f"{node.input[0]}_bottom_up")
                nodes.append(self.onnx.helper.make_node("Slice", [node.input[0], *names], [turned]))
                node.input[0] = turned
                nodes.append(node)
            else:
                nodes.append(node)
        self._replace(nodes)

    def _feed(self, nodes: list[Any], node: Any, inputs: set[str]) -> None:
        for name in inputs & set(node.input):
            half = self._casts.get((name, 0))
            if half is None:
                half = self._casts[name, 0] = self._name(f"{name}_half")
                kind = self.onnx.TensorProto.FLOAT16
                nodes.append(self.onnx.helper.make_node("Cast", [name], [half], to=kind))
            _rename(node.input, name, half)

    # ------------------------------------------------------------------ halves
    def halves(self) -> None:
        """Let the core compute in fp16, with casts where numbers enter and leave it."""
        kinds = self.onnx.TensorProto
        floats = self._floats()
        core = core_of(list(self.graph.node), floats)
        if not core:
            return
        made = {name: i for i, node in enumerate(self.graph.node) for name in node.output}
        inside = {name for i in core for name in self.graph.node[i].output if name in floats}
        outside = {name for i, node in enumerate(self.graph.node) if i not in core for name in node.input}
        outside |= {o.name for o in self.graph.output}
        nodes: list[Any] = []
        self._casts.clear()
        for i, node in enumerate(self.graph.node):
            if i not in core:
                for name in set(node.input) & inside:
                    _rename(node.input, name, f"{name}_wide")
                nodes.append(node)
                continue
            for k, name in enumerate(node.input):
                if name in floats and made.get(name, -1) not in core and not (k and node.op_type in FIRST_ONLY):
                    node.input[k] = self._half(nodes, name)
            nodes.append(node)
            for name in node.output:
                if name in inside & outside:
                    nodes.append(self.onnx.helper.make_node("Cast", [name], [f"{name}_wide"], to=kinds.FLOAT))
            if node.op_type == "Cast":
                next(a for a in node.attribute if a.name == "to").i = kinds.FLOAT16
        for output in self.graph.output:
            if output.name in inside:  # a graph whose result is float32 keeps it
                _swap_output(nodes, output.name)
        self.graph.initializer.extend(self._fresh)
        self._replace(nodes)
        self.forget_unused()

    def _half(self, nodes: list[Any], name: str) -> str:
        """The fp16 form of a float32 tensor: a constant of its own, or a cast."""
        known = self._casts.get((name, 1))
        if known is not None:
            return known
        half = self._casts[name, 1] = self._name(f"{name}_half")
        for constant in self.graph.initializer:
            if constant.name == name:
                fresh = self.onnx.TensorProto()
                fresh.CopyFrom(constant)
                fresh.name = half
                self._retype(fresh, np.float16)
                self._fresh.append(fresh)
                return half
        nodes.append(self.onnx.helper.make_node("Cast", [name], [half], to=self.onnx.TensorProto.FLOAT16))
        return half

    def _floats(self) -> set[str]:
        """Names of the float32 tensors."""
        float32 = self.onnx.TensorProto.FLOAT
        known = [*self.graph.input, *self.graph.value_info, *self.graph.output]
        names = {v.name for v in known if v.type.tensor_type.elem_type == float32}
        return names | {c.name for c in self.graph.initializer if c.data_type == float32}

    # ------------------------------------------------------------------ instruments
    def _name(self, wish: str) -> str:
        taken = {name for node in self.graph.node for name in (*node.input, *node.output)}
        while wish in taken:
            wish += "_"
        return wish

    def _retype(self, constant: Any, kind: type) -> None:
        array = self.onnx.numpy_helper.to_array(constant)
        with np.errstate(over="ignore"):
            halved = array.astype(kind)
        if np.isinf(halved).any() and not np.isinf(array).any():
            raise Unfit(f"it cannot be computed in fp16: {constant.name} holds numbers above 65,504")
        constant.CopyFrom(self.onnx.numpy_helper.from_array(halved, constant.name))

    def _replace(self, nodes: list[Any]) -> None:
        kept = [self._copy(node) for node in nodes]
        del self.graph.node[:]
        self.graph.node.extend(kept)

    def _copy(self, node: Any) -> Any:
        fresh = self.onnx.NodeProto()
        fresh.CopyFrom(node)
        return fresh

    def forget_unused(self) -> None:
        """Drop what nothing leads from to a result any more: nodes, then constants."""
        wanted = {o.name for o in self.graph.output}
        alive: list[Any] = []
        for node in reversed(self.graph.node):
            if wanted & set(node.output):
                wanted |= set(node.input)
                alive.append(node)
        self._replace(alive[::-1])
        used = {name for node in self.graph.node for name in node.input}
        kept = [c for c in self.graph.initializer if c.name in used]
        copies = []
        for constant in kept:
            fresh = self.onnx.TensorProto()
            fresh.CopyFrom(constant)
            copies.append(fresh)
        del self.graph.initializer[:]
        self.graph.initializer.extend(copies)


def _attribute(node: Any, name: str) -> int:
    return next((int(a.i) for a in node.attribute if a.name == name), 0)


def _rename(names: Any, old: str, new: str) -> None:
    for k, name in enumerate(names):
        if name == old:
            names[k] = new


def _swap_output(nodes: list[Any], name: str) -> None:
    """The graph's output takes the wide form, what is inside another name."""
    for node in nodes:
        _rename(node.input, name, f"{name}_narrow")
        _rename(node.output, name, f"{name}_narrow")
    for node in nodes:
        _rename(node.output, f"{name}_wide", name)
        _rename(node.input, f"{name}_wide", name)


def _first(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines or [type(error).__name__])[0][:200]
