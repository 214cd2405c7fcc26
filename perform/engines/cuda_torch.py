"""PyTorch's computes on a card: as it is, and compiled (torch.compile: pointwise work fused, convolutions by cuDNN)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from perform.card import Card
from perform.engines.cuda_board import Board
from perform.engines.cuda_compute import Say
from perform.engines.generator import Shape
from perform.library import verify
from perform.notes import Notes, cache_folder
from perform.plugins import EngineError

if TYPE_CHECKING:
    from torch import Tensor

BATCH = 8  # layers of one world in one call


@dataclass(slots=True)
class TorchCompute:
    """See `cuda_compute.Compute`. The network with its pixel maths, half precision and channels last inside."""

    network: Any
    note: str
    nbytes: int
    batch: int = BATCH

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
    """See `cuda_compute.Maker`. `torch.compile` without graphs of its own: the road captures it. Up to a minute the
    first time on a machine, some seconds from PyTorch's own cache."""

    board: Board
    name: str = "torch.compile"

    def quick(self, card: Card, size: str, shape: Shape) -> bool:
        """See `cuda_compute.Maker`."""
        return False

    def make(self, card: Card, size: str, shape: Shape, say: Say) -> TorchCompute:
        """See `cuda_compute.Maker`."""
        import torch

        network, nbytes = load(self.board, card, size, shape)
        say("compiling for this card")
        compiled: Any = torch.compile(network, dynamic=False, fullgraph=True)
        width, height = shape
        mood = card.mood.size if card.mood is not None else 0
        picture, numbers = self.board.zeros("uint8", 1, height, width, 4), self.board.zeros("float32", 1, mood)
        with torch.inference_mode():
            compiled(picture, numbers)  # compiled here, not under capture
        return TorchCompute(compiled, "torch compiled fp16", nbytes, batch=1)


def load(board: Board, card: Card, size: str, shape: Shape) -> tuple[Any, int]:
    """The network of a world on the card, and the bytes of its weights. Raises EngineError or CardError."""
    from perform.engines.torch import _library, network_of

    chosen = card.size(size)
    if "weights" not in chosen.files:
        raise EngineError(f"{card.world} {size} brings no safetensors for torch")
    if shape[0] % card.multiple or shape[1] % card.multiple:
        raise EngineError(
            f"{shape[0]}×{shape[1]} is not a size this world dreams at: sides are multiples of {card.multiple}"
        )
    path = verify(chosen.files["weights"], Notes(cache_folder() / "sha256.json"))
    network = board.put(network_of(_library(), card, size))
    return network, path.stat().st_size // 2
