"""What computes a dream on an NVIDIA card: a callable on tensors that stay where they are, and who makes it.

    compute = maker.make(card, "m", (1920, 1080), say)      # a worker: milliseconds (eager) to minutes (TensorRT)
    dream = compute(picture, mood)                          # on the current stream, perhaps under capture

Everything around it (textures, streams, graphs, memory) is the engine's: `cuda.py`. PyTorch, torch.compile and
TensorRT each bring a maker; the engine plays the first that is quick to have and goes on to a better one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from perform.card import Card
from perform.engines.generator import Shape

if TYPE_CHECKING:
    from torch import Tensor

Say = Callable[[str], None]  # progress in some words: "compiling", "building, 40 %"


class Compute(Protocol):
    """A network on the card. One thread at a time.

    `note` says how it computes ("torch fp16", "TensorRT fp16"), `nbytes` what it holds on the card between dreams
    (weights, scratch memory of its own), `batch` how many pictures it takes in one call.
    """

    @property
    def note(self) -> str: ...

    @property
    def nbytes(self) -> int: ...

    @property
    def batch(self) -> int: ...

    def __call__(self, picture: Tensor, mood: Tensor) -> Tensor:
        """picture uint8 [B,H,W,4], row 0 on top, and mood float32 [B,M], both on the card and contiguous, to a dream
        uint8 [B,H,W,4], contiguous, alpha 255. B is 1 to `batch`; H and W are those it was made for.

        Puts work on torch's current stream and returns; it never waits, and its memory is PyTorch's or was there
        before, so that it can be captured in a CUDA graph and replayed on the same tensors.
        """
        ...

    def close(self) -> None:
        """Give back what PyTorch does not by itself. The stream has come past the last dream. May be called twice."""
        ...


@runtime_checkable
class Separate(Protocol):
    """A compute that can say whether its recordings may be replayed at the same time: all memory that it writes is part
    of each recording, and none of it is its own. One that does not say is taken for one that shares."""

    @property
    def separate(self) -> bool: ...


class Maker(Protocol):
    """Makes computes of one kind. Worker threads only.

    `name` is what messages call it.
    """

    @property
    def name(self) -> str: ...

    def quick(self, card: Card, size: str, shape: Shape) -> bool:
        """Whether `make` takes a second or so (nothing to build, or it lies in the cache): then it may play first."""
        ...

    def make(self, card: Card, size: str, shape: Shape, say: Say) -> Compute:
        """Raises EngineError or CardError, one sentence; whatever else a library raises is caught where it is called.

        `say` may be called with progress as often as one likes.
        """
        ...
