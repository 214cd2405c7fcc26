"""TensorRT-RTX: NVIDIA's GeForce and RTX cards from Turing to Blackwell, without PyTorch.

A world's ONNX becomes an engine in under a second; one file serves Ampere, Ada and Blackwell and every size from 64 to
4,096 pixels, so that nothing is locked to a resolution and `perform build` can make it on any machine. What is
downloaded for it is 114 MB (tensorrt-rtx, cuda-bindings, onnx) instead of the gigabytes of PyTorch's CUDA build.
Textures go in and out as in the CUDA engine, whose streams, bridges and batches these are; only memory and graphs,
which PyTorch has there, come from the CUDA runtime here (`rtx_road`).
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from perform.card import Card, Size
from perform.engines.cabinet import Cabinet, Label, standard
from perform.engines.cuda_generator import CudaGenerator
from perform.engines.cuda_works import Piece, Works
from perform.engines.generator import Full, Shape, asset_of, check_shape
from perform.engines.gpu import Gpu, bindings, look
from perform.engines.plan import AMPERE, TURING, Span, compile_onnx, library
from perform.engines.rtx_road import RtxBoard, RtxWork, pave
from perform.engines.runner import Loaded, Runner, as_notes
from perform.gl.interop import Bridge, Bridges, CudaError, call
from perform.gl.interop.calls import NO_MEMORY
from perform.library import contents
from perform.plugins import EngineError

RECIPE = "fp16, recipe 2"  # of `halve`: counted up when it makes another graph of the same file


@dataclass(frozen=True, slots=True)
class Ready:
    """An engine that is ready to be loaded. `built` is False if it was in the cabinet; `remark` is why it could not be
    kept, or why one that was there was not used (one sentence, mostly empty).
    """

    engine: bytes
    label: Label
    bindings: Sequence[Mapping[str, Any]]
    built: bool
    seconds: float
    remark: str = ""

    @property
    def what(self) -> str:
        """Whose engine it is, in words."""
        return f"{self.label.world} {self.label.size}"


@dataclass(slots=True)
class Rtx:
    """`device`: the CUDA card's number. `cache`: where engines lie (default: the user's cache folder)."""

    device: int = 0
    cache: Path | None = None
    _bridges: Bridges | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 0 <= self.device < 64:
            raise ValueError(f"device is the number of a card, from 0, not {self.device}")

    def load(self, card: Card, size: str, shape: Shape) -> CudaGenerator:
        """See `generator.Hardware`. The first time on a card some seconds (its own kernels), then about 0.1 s."""
        try:
            return self._load(card, size, shape)
        except CudaError as e:
            if e.code == NO_MEMORY:
                raise Full(f"{card.world} {size} does not fit on the card beside what is there") from e
            raise

    def _load(self, card: Card, size: str, shape: Shape) -> CudaGenerator:
        trt, cuda = library(), bindings()
        gpu = look(cuda, self.device, cuda_major())
        family = family_of(trt, gpu)
        call(cuda, "cudaSetDevice", self.device)
        ready, loaded = self.loaded(trt, card, size, shape, family)
        mood = card.mood.size if card.mood is not None else 0
        kernels = Kernels(self.cabinet(), ready.label, gpu)
        known = kernels.find(shape)
        board = RtxBoard(cuda, self.device)
        note = "TensorRT-RTX fp16" + (f"; {ready.remark}" if ready.remark else "")
        compute = RtxWork(board, Runner(trt, cuda, loaded, shape, mood, known), note, len(ready.engine))
        with ExitStack() as undo:
            undo.callback(compute.close)
            road = pave(board, compute, shape, mood)
            undo.callback(road.close, compute=False)
            if not compute.runner.knew:
                kernels.keep(shape, compute.runner.kernels())
            works = Works(board, Piece(card, size, shape), road, (), gpu.name, self._sweep)
            generator = CudaGenerator(board, works, self._bridge)
            undo.pop_all()
        return generator

    def lacks(self, size: Size) -> str:
        """See `generator.Choosy`."""
        return "" if "onnx" in size.files else "no ONNX file, which is what TensorRT-RTX plays"

    def _bridge(self, shape: Shape) -> Bridge:
        """Render thread: between GL and this card. Shared by all its worlds, as in the CUDA engine."""
        if self._bridges is None:
            self._bridges = Bridges(bindings(), self.device)
        return self._bridges.open(shape)

    def _sweep(self) -> None:
        """Worker thread: see `Bridges.sweep`."""
        if self._bridges is not None:
            self._bridges.sweep()

    def loaded(
        self, trt: Any, card: Card, size: str, shape: Shape, family: str, bottom_up: bool = True
    ) -> tuple[Ready, Loaded]:
        """The engine in the card's memory. One from the cabinet that will not load is thrown away and compiled anew,
        unless it is the card that will not have it (CudaError)."""
        ready = self.ready(trt, card, size, shape, family, bottom_up)
        try:
            return ready, Loaded(trt, ready.engine, ready.bindings, ready.what)
        except EngineError as e:
            if ready.built or isinstance(e, CudaError):
                raise
            self.cabinet().discard(ready.label)
            ready = replace(self.ready(trt, card, size, shape, family, bottom_up), remark=f"{e}: compiled again")
            return ready, Loaded(trt, ready.engine, ready.bindings, ready.what)

    def ready(
        self, trt: Any, card: Card, size: str, shape: Shape, family: str = AMPERE, bottom_up: bool = True
    ) -> Ready:
        """The engine of one size of a world, from the cabinet or compiled now. Needs no GPU. `bottom_up`: rows as GL
        has them, which is how this plays. Raises EngineError (the graph cannot be compiled) or CardError (the file is
        not the one that the card describes).
        """
        asset = asset_of(card, size, "onnx", "TensorRT-RTX")
        check_shape(shape, card.multiple)
        span, cabinet = Span.holding(shape, card.multiple), self.cabinet()
        versions = f"TensorRT-RTX {trt.__version__}"
        recipe = f"{RECIPE}, bottom up" if bottom_up else RECIPE
        label = Label("rtx", card.world, size, asset.sha256, str(span), recipe, versions, family)
        found = cabinet.find(label)
        if found is not None:
            return Ready(found.path.read_bytes(), label, found.about.get("bindings", []), built=False, seconds=0.0)
        doubt = cabinet.doubt
        plan = compile_onnx(trt, contents(asset), span, family, str(asset.path), bottom_up)
        notes = as_notes(plan.bindings)
        cabinet.put(label, plan.engine, {"bindings": notes, "profile": plan.profile, "seconds": plan.seconds})
        remark = cabinet.trouble or (f"{doubt}: compiled again" if doubt else "")
        return Ready(plan.engine, label, notes, built=True, seconds=plan.seconds, remark=remark)

    def cabinet(self) -> Cabinet:
        """Where its engines lie."""
        return Cabinet(self.cache / "engines" if self.cache is not None else standard())


def offer(device: int = 0) -> tuple[Rtx | None, str]:
    """This engine if it runs here, and the reason in one line. Milliseconds."""
    try:
        gpu = look(bindings(), device, cuda_major())
        family_of(library(), gpu)
    except EngineError as e:
        return None, f"TensorRT-RTX: {e}".replace("TensorRT-RTX: TensorRT-RTX", "TensorRT-RTX")
    return Rtx(device), f"TensorRT-RTX on {gpu.name}"


def cuda_major() -> int:
    """The CUDA major that the installed TensorRT-RTX was made for; 0 if its packages do not say."""
    for major in (13, 12):
        for name in (f"tensorrt-rtx-cu{major}", f"tensorrt_rtx_cu{major}"):
            try:
                importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                continue
            return major
    return 0


def family_of(trt: Any, gpu: Gpu) -> str:
    """Which engine this card takes. Raises EngineError for one that TensorRT-RTX does not run on (Hopper, Pascal)."""
    takes = {int(name[2:]) for name in map(str, trt.ComputeCapability.__members__) if name.startswith("SM")}
    major, minor = gpu.capability
    if 10 * major + minor not in takes:
        raise EngineError(
            f"TensorRT-RTX does not run on {gpu}: it takes {', '.join(str(n / 10) for n in sorted(takes))}"
        )
    return TURING if gpu.capability == (7, 5) else AMPERE


@dataclass(slots=True)
class Kernels:
    """A card's own kernels for one engine, kept from one start to the next."""

    cabinet: Cabinet
    engine: Label
    gpu: Gpu

    def label(self, shape: Shape) -> Label:
        """Kernels are of one engine, one card, one driver and one size."""
        versions = f"{self.engine.versions}, driver {self.gpu.driver[0]}.{self.gpu.driver[1]}"
        size = f"{shape[0]}x{shape[1]}"
        e = self.engine
        return Label("rtx-kernels", e.world, e.size, e.weights, size, e.precision, versions, str(self.gpu))

    def find(self, shape: Shape) -> bytes | None:
        """Those for pictures of this shape, if they were made before."""
        found = self.cabinet.find(self.label(shape))
        return found.path.read_bytes() if found is not None else None

    def keep(self, shape: Shape, kernels: bytes) -> None:
        """For the next start; a disk that will not keep them costs seconds then, and nothing now."""
        self.cabinet.put(self.label(shape), kernels)
