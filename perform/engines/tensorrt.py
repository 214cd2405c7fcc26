"""TensorRT through torch-tensorrt, the standard one or its RTX variant: an engine made for one card and one shape.

An engine is built for one shape on one card, which takes seconds to minutes: in the background, while PyTorch plays.
It is kept under everything it depends on (weights, shape, precision, library and driver versions, the card), and one
that differs in anything is built anew; if only the weights differ, it is refitted with the new ones in seconds.

    offers()                           who could make TensorRT computes on this machine, and why not
    TensorRt().make(card, "m", (1920, 1080), say) -> Compute

Measured: nothing, as yet. The graph's conversion has been tried as far as a machine without a card allows
(docs/engines.md).
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perform.card import Card, CardError
from perform.engines.cabinet import Cabinet, Label, standard
from perform.engines.cuda_compute import Compute, Maker, Say
from perform.engines.generator import Shape, asset_of, check_shape
from perform.engines.rtx import Rtx
from perform.engines.tensorrt_engine import Work, release
from perform.engines.tensorrt_kit import Kit, load_kit
from perform.engines.torch import network_of
from perform.plugins import EngineError

if TYPE_CHECKING:
    from torch import Tensor

log = logging.getLogger(__name__)
RECIPE = "fp16, recipe 2"  # of `tensorrt_graph`: counted up when it makes another graph of the same network


@dataclass(frozen=True, slots=True)
class Offer:
    """A maker of TensorRT computes, or None and the reason why there is none on this machine."""

    maker: Maker | None
    reason: str


def held(device: str) -> int:
    """Bytes of a card that are in use and not PyTorch's; 0 where the device is none. Worker thread."""
    import torch

    if not device.startswith("cuda"):
        return 0
    free, total = torch.cuda.mem_get_info(device)
    return int(total - free - torch.cuda.memory_reserved(device))


@dataclass(slots=True)
class TensorRt:
    """A maker of computes (see `cuda_compute.Maker`) for one shape each. `kit` loads the library: once, in a worker;
    `held` says what of the card others than PyTorch have: TensorRT is one of them."""

    kit: Callable[[], Kit]
    cache: Path | None = None
    device: str = "cuda"
    held: Callable[[str], int] = held
    _kit: Kit | None = None

    @property
    def name(self) -> str:
        return self._kit.variant if self._kit is not None else "TensorRT"

    def quick(self, card: Card, size: str, shape: Shape) -> bool:
        """See `cuda_compute.Maker`: whether the engine is in the cabinet."""
        try:
            return self.cabinet().find(self.label(card, size, shape)) is not None
        except (EngineError, CardError):
            return False  # `make` says why

    def make(self, card: Card, size: str, shape: Shape, say: Say) -> Compute:
        """See `cuda_compute.Maker`. From the cabinet, refitted from an engine of other weights, or built."""
        import torch

        from perform.engines import tensorrt_graph as graph

        kit, label, cabinet = self._loaded(), self.label(card, size, shape), self.cabinet()
        network = network_of(torch, card, size)
        mood = card.mood.size if card.mood is not None else 0
        whole = graph.prepare(network, self.device)
        inputs = graph.example(shape, max(1, mood), self.device)  # TensorRT takes no empty inputs
        work = Work(kit, cabinet, whole, inputs, f"{card.world} {size}", say)
        before = self.held(self.device)
        module, length = work.known(label) or work.refitted(label) or work.built(label)
        nbytes = max(length, self.held(self.device) - before)  # others may have given some back meanwhile
        note = f"{kit.variant} fp16" + (f"; {work.remark}" if work.remark else "")
        return Compiled(module, note, nbytes, None if mood else inputs[1])

    def label(self, card: Card, size: str, shape: Shape) -> Label:
        """Under what an engine is kept."""
        kit, weights = self._loaded(), asset_of(card, size, "weights", "TensorRT")
        check_shape(shape, card.multiple)
        sides = f"{shape[0]}x{shape[1]}"
        return Label("tensorrt", card.world, size, weights.sha256, sides, RECIPE, kit.versions, kit.card)

    def cabinet(self) -> Cabinet:
        """Where its engines lie."""
        return Cabinet(self.cache / "engines" if self.cache is not None else standard())

    def _loaded(self) -> Kit:
        if self._kit is None:
            self._kit = self.kit()
        return self._kit


@dataclass(slots=True)
class Compiled:
    """A compute (see `cuda_compute.Compute`): an engine, and perhaps a few operators that PyTorch runs around it."""

    module: Any
    note: str
    nbytes: int
    spare: Tensor | None = None  # what a world without a mood is given in its place
    batch: int = 1

    def __call__(self, picture: Tensor, mood: Tensor) -> Tensor:
        """See `cuda_compute.Compute`."""
        from perform.engines import tensorrt_graph as graph

        return graph.play(self.module, picture, mood if self.spare is None else self.spare)

    def close(self) -> None:
        """See `cuda_compute.Compute`."""
        release(self.module)
        self.module = None


# ---------------------------------------------------------------- what this machine has
@functools.cache
def offers(cache: Path | None = None, device: int = 0) -> tuple[Offer, ...]:
    """Makers of TensorRT computes on this machine, best first, each with its reason; what is not there is logged, once.

    Worker thread; imports PyTorch and torch-tensorrt (seconds) where there is a card. Never raises. A process asks its
    machine once: what is installed later counts from the next start.
    """
    found = standard_offer(cache, device), _light(cache, device)
    for offer in found:
        log.log(logging.INFO if offer.maker is None else logging.DEBUG, "%s", offer.reason)
    return found


def standard_offer(cache: Path | None = None, device: int = 0) -> Offer:
    """torch-tensorrt on this machine. Never raises."""
    try:
        kit = load_kit(device)
    except EngineError as e:
        return Offer(None, str(e))
    return Offer(TensorRt(lambda: kit, cache, f"cuda:{device}"), f"{kit.variant} on {kit.card}")


def _light(cache: Path | None, device: int) -> Offer:
    from perform.engines.rtx_maker import RtxMaker

    try:
        maker = RtxMaker.open(Rtx(device, cache))
    except EngineError as e:
        return Offer(None, str(e))
    return Offer(maker, f"TensorRT-RTX on {maker.gpu}")
