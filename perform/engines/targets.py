"""What `perform build` can build for: each target makes a world's engine and puts it where a show will find it.

    target = open_target("rtx")                       # EngineError: why this machine cannot build for it
    target.build(card, "m", (512, 288), print)        # Built: what was done, in words

OpenVINO builds on the machine that plays; TensorRT-RTX anywhere, without a card; TensorRT on the card that plays; the
CUDA engine there, too: whichever of the ways to compute a world that it has will play it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from perform.card import Card
from perform.engines.cuda_board import Board
from perform.engines.cuda_compute import Maker, Say
from perform.engines.cuda_works import Piece, first_road
from perform.engines.generator import Shape
from perform.engines.gpu import bindings, look
from perform.engines.openvino import OpenVino
from perform.engines.plan import AMPERE, library
from perform.engines.rtx import Rtx, cuda_major, family_of
from perform.notes import cache_folder
from perform.plugins import EngineError

NAMES = ("cuda", "openvino", "rtx", "tensorrt")


@dataclass(frozen=True, slots=True)
class Built:
    """What became of one engine: `kept` if it was there already. `text` says it in words."""

    kept: bool
    text: str


class Target(Protocol):
    """One kind of engine. Not a show's thread: builds take from a blink to minutes."""

    @property
    def name(self) -> str: ...

    def build(self, card: Card, size: str, shape: Shape, say: Say) -> Built:
        """Raises EngineError or CardError, one sentence. `say` hears of progress."""
        ...


def open_target(name: str, keys: Mapping[str, Any] | None = None) -> Target:
    """The target of this name. Raises EngineError if this machine cannot build for it. TensorRT: imports PyTorch.

    `keys` are those of the engine in the show, if it names this one: what is built must be what it will look for.
    """
    kinds: dict[str, Callable[[dict[str, Any]], Target]]
    kinds = {"cuda": CudaTarget.open, "openvino": OpenVinoTarget.open}
    kinds |= {"rtx": RtxTarget.open, "tensorrt": TensorRtTarget.open}
    return kinds[name](dict(keys or {}))


@dataclass(slots=True)
class CudaTarget:
    """Makes what the CUDA engine plays a world with on this machine's card: the best of its makers that can."""

    board: Board
    makers: Sequence[Maker]
    name: str = "cuda"

    @classmethod
    def open(cls, keys: dict[str, Any]) -> CudaTarget:
        """Raises EngineError: no PyTorch with CUDA, no card."""
        from perform.engines.cuda import Cuda

        hardware = Cuda(**keys)
        board = hardware.board()
        return cls(board, hardware.makers(board))

    def build(self, card: Card, size: str, shape: Shape, say: Say) -> Built:
        """See `Target`. Up to some minutes. Dreams once: TensorRT-RTX compiles some of its kernels only then."""
        kept, began = [maker.quick(card, size, shape) for maker in self.makers], time.perf_counter()
        road, troubles, place = first_road(self.board, Piece(card, size, shape), self.makers, say)
        took = "there already" if kept[place] else f"built in {time.perf_counter() - began:.0f} s"
        text = f"{took}: {road.compute.note}, {road.seconds * 1e3:.1f} ms a dream"
        road.close()
        self.board.release()
        return Built(kept[place], text + (f"; {troubles}" if troubles else ""))


@dataclass(slots=True)
class OpenVinoTarget:
    """Compiles, measures which precision is fastest here, and remembers both."""

    hardware: OpenVino
    folder: Path
    name: str = "openvino"

    @classmethod
    def open(cls, keys: dict[str, Any]) -> OpenVinoTarget:
        """Raises EngineError if OpenVINO cannot be loaded."""
        try:
            import openvino  # noqa: F401
        except (ImportError, OSError) as e:
            raise EngineError(f"OpenVINO cannot be loaded: {e}") from e
        hardware = OpenVino(**keys)
        return cls(hardware, (hardware.cache or cache_folder()) / "openvino")

    def build(self, card: Card, size: str, shape: Shape, say: Say) -> Built:
        """See `Target`. About a second."""
        before, began = self._compiled(), time.perf_counter()
        generator = self.hardware.load(card, size, shape)
        generator.close()
        fresh = self._compiled() - before
        took = f"in {time.perf_counter() - began:.1f} s" if fresh else "already"
        return Built(not fresh, f"{'compiled' if fresh else 'there'} {took} ({generator.note} a dream)")

    def _compiled(self) -> set[str]:
        return {path.name for path in self.folder.glob("*.blob")}


@dataclass(slots=True)
class RtxTarget:
    """Compiles a world's ONNX for a family of cards: this machine's, or (without a card) Ampere and newer."""

    hardware: Rtx
    trt: Any
    family: str
    name: str = "rtx"

    @classmethod
    def open(cls, keys: dict[str, Any]) -> RtxTarget:
        """Raises EngineError if TensorRT-RTX is not installed. A card is not needed."""
        trt, hardware = library(), Rtx(**keys)
        try:
            family = family_of(trt, look(bindings(), hardware.device, cuda_major()))
        except EngineError:
            family = AMPERE  # for other machines
        return cls(hardware, trt, family)

    def build(self, card: Card, size: str, shape: Shape, say: Say) -> Built:
        """See `Target`. Under a second."""
        ready = self.hardware.ready(self.trt, card, size, shape, self.family)
        what = f"{len(ready.engine) / 1e6:.1f} MB for {self.family}, sides of {ready.label.shape.replace('-', ' to ')}"
        text = f"compiled in {ready.seconds:.1f} s: {what}" if ready.built else f"there already: {what}"
        return Built(not ready.built, text + (f"; {ready.remark}" if ready.remark else ""))


@dataclass(slots=True)
class TensorRtTarget:
    """Builds on this machine's card, for this card."""

    maker: Maker
    name: str = "tensorrt"

    @classmethod
    def open(cls, keys: dict[str, Any]) -> TensorRtTarget:
        """Raises EngineError: no PyTorch, no card, no torch-tensorrt, a card that it does not take."""
        from perform.engines.tensorrt import standard_offer

        offer = standard_offer(keys.get("cache"), int(keys.get("device", 0)))
        if offer.maker is None:
            raise EngineError(offer.reason.removeprefix("TensorRT: "))
        return cls(offer.maker)

    def build(self, card: Card, size: str, shape: Shape, say: Say) -> Built:
        """See `Target`. Up to some minutes."""
        kept, began = self.maker.quick(card, size, shape), time.perf_counter()
        compute = self.maker.make(card, size, shape, say)
        compute.close()
        took = "there already" if kept else f"built in {time.perf_counter() - began:.0f} s"
        return Built(kept, f"{took}: {compute.nbytes / 1e6:.1f} MB ({compute.note})")
