"""PyTorch's computes on a card: as it is, and compiled (torch.compile: pointwise work fused, convolutions by cuDNN)."""

from __future__ import annotations

import hashlib
import logging
import platform
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perform.card import Card, CardError
from perform.engines import inductor
from perform.engines.cabinet import Cabinet, Label
from perform.engines.cuda_board import Board, check_room
from perform.engines.cuda_compute import Say
from perform.engines.cuda_package import Order, compile_apart
from perform.engines.generator import Shape, asset_of, check_shape
from perform.library import verify
from perform.notes import Notes, cache_folder
from perform.plugins import EngineError

if TYPE_CHECKING:
    from torch import Tensor

log = logging.getLogger(__name__)

BATCH = 8  # layers of one world in one call


@dataclass(slots=True)
class TorchCompute:
    """See `cuda_compute.Compute`. The network with its pixel maths, half precision and channels last inside."""

    network: Any
    note: str
    nbytes: int
    batch: int = BATCH
    separate: bool = True  # what it works in comes from PyTorch, which gives each recording its own

    def __call__(self, picture: Tensor, mood: Tensor) -> Tensor:
        dream: Tensor = self.network(picture, mood)
        return dream.contiguous()

    def close(self) -> None:
        """See `cuda_compute.Compute`."""
        self.network = None


@dataclass(frozen=True, slots=True)
class Eager:
    """See `cuda_compute.Maker`. A network as PyTorch runs it: there in a moment, anywhere."""

    board: Board
    name: str = "torch"

    def quick(self, card: Card, size: str, shape: Shape) -> bool:
        """See `cuda_compute.Maker`."""
        return True

    def make(self, card: Card, size: str, shape: Shape, say: Say) -> TorchCompute:
        """See `cuda_compute.Maker`. Tens of milliseconds."""
        network, nbytes = load(self.board, card, size, shape)
        return TorchCompute(network, "torch fp16", nbytes)


@dataclass(frozen=True, slots=True)
class Compiled:
    """See `cuda_compute.Maker`. TorchInductor, ahead of time and in another process (`cuda_package`): half a minute or
    more the first time, some ten milliseconds from the cabinet. One picture a call."""

    board: Board
    cabinet: Cabinet = field(default_factory=Cabinet)
    name: str = "torch.compile"
    device: str = "cuda"

    def quick(self, card: Card, size: str, shape: Shape) -> bool:
        """See `cuda_compute.Maker`: whether it is in the cabinet."""
        try:
            return self.cabinet.find(self._label(card, size, shape)) is not None
        except (EngineError, CardError):
            return False  # `make` says why

    def make(self, card: Card, size: str, shape: Shape, say: Say) -> TorchCompute:
        """See `cuda_compute.Maker`."""
        label = self._label(card, size, shape)
        found = self.cabinet.find(label)
        with tempfile.TemporaryDirectory(prefix="perform-") as folder:
            package = Path(folder) / "dream.pt2"  # PyTorch takes no other ending
            if found is not None:
                try:
                    return self._load(shutil.copyfile(found.path, package))
                except Exception as e:  # noqa: BLE001 - a damaged package raises whatever it likes
                    check_room(e)  # a good one would be thrown away
                    log.warning("%s will not load (%s): compiled again", found.path.name, str(e).splitlines()[0])
                    self.cabinet.discard(label)
            order = Order(card.folder, size, shape, self._place(), label.weights)
            compile_apart(order, package, say, self.cabinet.folder.with_name(inductor.NAME))
            self.cabinet.put(label, package.read_bytes())
            return self._load(package)

    def _place(self) -> str:
        """The device as PyTorch calls it."""
        return f"{self.device}:{self.board.device}" if self.device == "cuda" else self.device

    def _label(self, card: Card, size: str, shape: Shape) -> Label:
        import torch

        weights = asset_of(card, size, "weights", "torch")
        where = platform.processor() or platform.machine()
        if self.device == "cuda":
            where = (
                f"{torch.cuda.get_device_name(self.board.device)} {torch.cuda.get_device_capability(self.board.device)}"
            )
        versions = f"torch {torch.__version__}, CUDA {torch.version.cuda}, network {_recipe()}"
        size_ = f"{shape[0]}x{shape[1]}"
        return Label("inductor", card.world, size, weights.sha256, size_, "fp16", versions, where)

    def _load(self, path: Path) -> TorchCompute:
        from torch._inductor import aoti_load_package

        where = {"device_index": self.board.device} if self.device == "cuda" else {}
        run = aoti_load_package(str(path), run_single_threaded=True, **where)  # its own threads would break a capture
        return TorchCompute(run, "torch compiled fp16", path.stat().st_size, batch=1)


def _recipe() -> str:
    """What a world's network is beside its weights: the code that builds it."""
    folder = Path(__file__).parents[1] / "networks"
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(folder.glob("*.py")))).hexdigest()[:16]


def load(board: Board, card: Card, size: str, shape: Shape) -> tuple[Any, int]:
    """The network of a world on the card, and the bytes of its weights. Raises EngineError or CardError."""
    from perform.engines.torch import _library, network_of

    weights = asset_of(card, size, "weights", "torch")
    check_shape(shape, card.multiple)
    path = verify(weights, Notes(cache_folder() / "sha256.json"))
    network = board.put(network_of(_library(), card, size))
    return network, path.stat().st_size // 2
