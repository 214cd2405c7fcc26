"""TensorRT-RTX inside the CUDA engine: its computes work on PyTorch's tensors and streams, without torch-tensorrt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from perform.card import Card, CardError
from perform.engines.cuda_compute import Say
from perform.engines.generator import Shape
from perform.engines.gpu import Gpu, bindings, look
from perform.engines.plan import library
from perform.engines.rtx import Kernels, Rtx, cuda_major, family_of
from perform.engines.runner import Runner
from perform.gl.interop import call
from perform.plugins import EngineError

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(slots=True)
class RtxMaker:
    """A maker of computes (see `cuda_compute.Maker`): an engine in under a second, the card's own kernels for one size
    in some seconds more, once.
    """

    hardware: Rtx
    trt: Any
    cuda: Any
    gpu: Gpu
    family: str
    name: str = "TensorRT-RTX"

    @classmethod
    def open(cls, hardware: Rtx) -> RtxMaker:
        """Raises EngineError: not installed, no driver or too old a one, a card it does not run on."""
        trt, cuda = library(), bindings()
        gpu = look(cuda, hardware.device, cuda_major())
        return cls(hardware, trt, cuda, gpu, family_of(trt, gpu))

    def quick(self, card: Card, size: str, shape: Shape) -> bool:
        """See `cuda_compute.Maker`: whether the card's kernels have been made before."""
        try:
            ready = self.hardware.ready(self.trt, card, size, shape, self.family, bottom_up=False)
        except (EngineError, CardError):
            return False  # `make` says why
        return Kernels(self.hardware.cabinet(), ready.label, self.gpu).find(shape) is not None

    def make(self, card: Card, size: str, shape: Shape, say: Say) -> RtxCompute:
        """See `cuda_compute.Maker`."""
        import torch

        call(self.cuda, "cudaSetDevice", self.hardware.device)
        say(f"{self.name} is building {card.world} {size}")
        ready, loaded = self.hardware.loaded(self.trt, card, size, shape, self.family, bottom_up=False)
        mood = card.mood.size if card.mood is not None else 0
        kernels = Kernels(self.hardware.cabinet(), ready.label, self.gpu)
        known = kernels.find(shape)
        if known is None:
            say(f"{self.name} is compiling {card.world} {size} for {shape[0]}×{shape[1]} on this card")
        runner = Runner(self.trt, self.cuda, loaded, shape, mood, known)
        note = f"{self.name} fp16" + (f"; {ready.remark}" if ready.remark else "")
        compute = RtxCompute(torch, runner, note, len(ready.engine) + runner.nbytes)
        if not runner.knew:
            compute.keep = lambda: kernels.keep(shape, runner.kernels())
        return compute


@dataclass(slots=True)
class RtxCompute:
    """A compute (see `cuda_compute.Compute`). Its scratch memory is its own; dreams are PyTorch's.

    `keep` puts the card's kernels away for the next start, after the first dream: some are compiled for it.
    """

    torch: Any
    runner: Runner
    note: str
    nbytes: int
    batch: int = 1
    keep: Callable[[], None] | None = None

    def __call__(self, picture: Tensor, mood: Tensor) -> Tensor:
        """See `cuda_compute.Compute`."""
        dream: Tensor = self.torch.empty_like(picture)
        stream = int(self.torch.cuda.current_stream(picture.device).cuda_stream)
        self.runner.enqueue(stream, picture.data_ptr(), mood.data_ptr(), dream.data_ptr())
        if self.keep is not None:
            keep, self.keep = self.keep, None
            keep()
        return dream

    def close(self) -> None:
        """See `cuda_compute.Compute`."""
        self.runner.close()
