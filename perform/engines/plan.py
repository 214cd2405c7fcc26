"""Compiles a world's ONNX with TensorRT-RTX, without a GPU: one engine file for a family of cards, a range of sizes.

Measured on one x86 core with TensorRT-RTX 1.7.1: landscape s and m take 0.3 s each and give 2.1 and 2.8 MB; the rewrite
to fp16 before it (`halve`) 0.1 s. What is left for the card itself, kernels for one size, TensorRT-RTX makes when the
engine is loaded there.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from perform.engines.generator import Shape
from perform.engines.halve import Unfit, halve
from perform.plugins import EngineError

LEAST, BEST, MOST = 64, 512, 4096  # sides of a picture, in pixels, that one engine plays
AMPERE = "sm80+"  # Ampere, Ada, Blackwell: what TensorRT-RTX compiles for by itself
TURING = "sm75"  # takes an engine of its own


@dataclass(frozen=True, slots=True)
class Binding:
    """An input or output of an engine. Free sides are -1; `kind` is TensorRT's word in small letters (uint8, float)."""

    name: str
    kind: str
    shape: tuple[int, ...]
    gives: bool

    def __str__(self) -> str:
        sides = "×".join("?" if n < 0 else str(n) for n in self.shape)
        return f"{self.name} {self.kind} {sides}"


@dataclass(frozen=True, slots=True)
class Span:
    """The sides, in pixels, that an engine takes: any picture with both sides within, square or not."""

    least: int = LEAST
    best: int = BEST
    most: int = MOST

    @classmethod
    def holding(cls, shape: Shape, multiple: int = 8) -> Span:
        """The usual span, or the next larger one that holds (width, height); all in steps that the network takes."""
        least, best, most = (max(multiple, side // multiple * multiple) for side in (LEAST, BEST, MOST))
        if min(shape) < least:
            least = multiple
        while max(shape) > most:
            most *= 2
        return cls(least, max(least, min(best, most)), most)

    def __contains__(self, shape: object) -> bool:
        return isinstance(shape, tuple) and all(self.least <= side <= self.most for side in shape)

    def __str__(self) -> str:
        return f"{self.least}-{self.most}"


@dataclass(frozen=True, slots=True)
class Plan:
    """A compiled engine: its bytes, what it takes and gives, and the seconds it took.

    `profile` has the least, best and largest shape of each input whose sides are free, as TensorRT holds them.
    """

    engine: bytes = field(repr=False)
    bindings: tuple[Binding, ...]
    profile: Mapping[str, tuple[tuple[int, ...], ...]]
    seconds: float


def library() -> Any:
    """The tensorrt_rtx package. Raises EngineError if it is not installed or cannot be loaded. 0.05 s."""
    if importlib.util.find_spec("tensorrt_rtx") is None:
        raise EngineError("TensorRT-RTX is not installed (pip install 'perform[rtx]')")
    try:
        import tensorrt_rtx
    except Exception as e:  # its loader raises whatever went wrong with its shared libraries
        raise EngineError(f"TensorRT-RTX cannot be loaded: {first_line(e)}") from e
    return tensorrt_rtx


def compile_onnx(trt: Any, data: bytes, span: Span, family: str, what: str, bottom_up: bool = False) -> Plan:
    """An engine from an ONNX file's bytes, for a family of cards (AMPERE, TURING). Any thread; a second.

    `what` names the file in errors; `bottom_up`: see `halve`. Raises EngineError: a graph that is none, or that
    TensorRT cannot take.
    """
    began = time.perf_counter()
    complaints = listener(trt)
    try:
        graph = halve(data, bottom_up)
    except Unfit as e:
        raise EngineError(f"{what} cannot be compiled: {e}") from e
    builder = trt.Builder(complaints)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, complaints)
    if not parser.parse(graph):
        raise EngineError(f"{what} holds what TensorRT-RTX cannot take: {_parse_error(parser)}")
    bindings = read_bindings(network)
    check_bindings(bindings, what)
    config = builder.create_builder_config()
    profile = _profile(builder, bindings, span)
    config.add_optimization_profile(profile)
    if family == TURING:
        config.num_compute_capabilities = 1
        config.set_compute_capability(trt.ComputeCapability.SM75, 0)
    engine = builder.build_serialized_network(network, config)
    if engine is None:
        raise EngineError(f"TensorRT-RTX cannot compile {what}: {complaints.first or 'it does not say why'}")
    free = [b.name for b in bindings if not b.gives and -1 in b.shape]
    shapes = {name: tuple(tuple(shape) for shape in profile.get_shape(name)) for name in free}
    return Plan(bytes(engine), bindings, shapes, time.perf_counter() - began)


def read_bindings(network: Any) -> tuple[Binding, ...]:
    """What a network takes and gives, as TensorRT holds it: inputs first."""
    tensors = [(network.get_input(i), False) for i in range(network.num_inputs)]
    tensors += [(network.get_output(i), True) for i in range(network.num_outputs)]
    return tuple(Binding(t.name, t.dtype.name.lower(), tuple(t.shape), gives) for t, gives in tensors)


def check_bindings(bindings: tuple[Binding, ...], what: str) -> None:
    """Raise EngineError unless this is a world: picture (and mood) in, one dream out, bytes at both ends."""
    takes = {b.name: b for b in bindings if not b.gives}
    gives = [b for b in bindings if b.gives]
    right = set(takes) in ({"picture"}, {"picture", "mood"}) and len(gives) == 1
    right = right and takes["picture"].kind == gives[0].kind == "uint8" and takes["picture"].shape[-1:] == (4,)
    if not right:
        told = ", ".join(map(str, takes.values())), ", ".join(map(str, gives))
        raise EngineError(f"{what} takes {told[0]} and gives {told[1]}; a world takes and gives uint8 pictures")


def _profile(builder: Any, bindings: tuple[Binding, ...], span: Span) -> Any:
    profile = builder.create_optimization_profile()
    for binding in bindings:
        if binding.gives or -1 not in binding.shape:
            continue
        sides = [tuple(side if n < 0 else n for n in binding.shape) for side in (span.least, span.best, span.most)]
        profile.set_shape(binding.name, *sides)
    return profile


def _parse_error(parser: Any) -> str:
    if not parser.num_errors:
        return "it does not say what"
    error = parser.get_error(0)
    node = f" ({error.node_operator()})" if error.node_operator() else ""
    return f"{first_line(error.desc())}{node}"


def listener(trt: Any) -> Any:
    """A logger that prints nothing; `first` is the first error that TensorRT told it, or empty, and `full` whether any
    was that the card has no memory left (a call then gives None, as for all else)."""

    class Logger(trt.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self.first, self.full = "", False

        def log(self, severity: Any, message: str) -> None:
            if severity in (trt.ILogger.ERROR, trt.ILogger.INTERNAL_ERROR):
                self.first = self.first or first_line(message)
                self.full = self.full or "outofmemory" in message.lower().replace(" ", "")

    return Logger()


def first_line(error: object) -> str:
    """The first line of a long message, at most 200 characters."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines or [type(error).__name__])[0][:200]
