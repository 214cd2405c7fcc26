"""PyTorch's part of the CUDA engine: memory on the card, and work captured as CUDA graphs. Streams and events are not.

Kept this small so that tests can put host memory in its place (`perform.testing.board.HostBoard`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from perform.gl.interop import CudaError, call
from perform.gl.interop.calls import NO_MEMORY, failure
from perform.workbench import WORKBENCH, Workbench

if TYPE_CHECKING:
    from torch import Tensor

Replay = Callable[[int], None]  # puts captured work on a cudaStream_t; returns at once
WARM = 3  # runs before a capture: libraries choose their kernels and allocate what they keep


class Board(Protocol):
    """Where tensors live and how work on them is captured. Worker threads, except for what `capture` returns."""

    @property
    def cuda(self) -> Any:
        """cuda.bindings.runtime, or a stand-in."""
        ...

    @property
    def device(self) -> int:
        """The CUDA device's number."""
        ...

    @property
    def bench(self) -> Workbench:
        """Where faster computes are made, one at a time."""
        ...

    def zeros(self, kind: str, *shape: int) -> Tensor:
        """Memory on the card: "uint8" or "float32"."""
        ...

    def put(self, network: Any) -> Any:
        """A network, moved to the card in half precision, channels last."""
        ...

    def pool(self) -> Any:
        """Memory that several graphs may share, as long as no two of them run at once."""
        ...

    def capture(self, work: Callable[[], None], stream: int, pool: Any) -> Replay:
        """Run the work some times on this stream, then capture it. Takes milliseconds; nobody else is disturbed.

        Raises CudaError (`NO_MEMORY` where the card is full).
        """
        ...

    def release(self) -> None:
        """Give the card what is kept for later: something was put away, or the card is full. May take milliseconds."""
        ...


@dataclass
class TorchBoard:
    """A CUDA device as PyTorch sees it. `tune`: cuDNN tries out its ways to convolve, in the runs before a capture.

    One capture at a time: what PyTorch keeps meanwhile (cuDNN's flags, cuBLAS' workspaces, caches) is the process's.
    """

    torch: Any
    cuda: Any
    device: int = 0
    tune: bool = True
    bench: Workbench = field(default_factory=Workbench)
    _outside: dict[int, Any] = field(default_factory=dict, init=False, repr=False)  # streams, by number
    _alone: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def zeros(self, kind: str, *shape: int) -> Tensor:
        """See `Board`."""
        with self._words():
            made: Tensor = self.torch.zeros(shape, dtype=getattr(self.torch, kind), device=f"cuda:{self.device}")
        return made

    def put(self, network: Any) -> Any:
        """See `Board`."""
        with self._words():
            network.core.to(self.torch.float16)
            return network.to(f"cuda:{self.device}", memory_format=self.torch.channels_last)

    def pool(self) -> Any:
        """See `Board`."""
        return self.torch.cuda.graph_pool_handle()

    def capture(self, work: Callable[[], None], stream: int, pool: Any) -> Replay:
        """See `Board`. Not torch.cuda.graph(): that empties PyTorch's caches first and waits for the whole device."""
        torch, aside = self.torch, self._stream(stream)
        graph, device, mode = torch.cuda.CUDAGraph(), torch.cuda.device(self.device), torch.inference_mode()
        with self._alone, self._words(), device, mode, torch.cuda.stream(aside):
            aside.wait_stream(torch.cuda.default_stream(self.device))  # where zeros were written and weights moved
            with torch.backends.cudnn.flags(enabled=True, benchmark=self.tune, allow_tf32=True):
                for _ in range(WARM):
                    work()
            aside.synchronize()
            self._record(graph, work, pool)

        def replay(onto: int) -> None:
            with self._words(), torch.cuda.stream(self._stream(onto)):
                graph.replay()

        return replay

    def _record(self, graph: Any, work: Callable[[], None], pool: Any) -> None:
        """Capture on the current stream, with a workspace for cuBLAS that lives in the graph's own pool.

        PyTorch keeps one for each thread and stream *number*, and CUDA gives numbers a second time: two worlds' graphs
        would work in one workspace at once, and (newer PyTorch) the first to go would take it from the other, which
        ends in an illegal address.
        """
        clear = self.torch._C._cuda_clearCublasWorkspaces
        clear()
        graph.capture_begin(pool=pool, capture_error_mode="thread_local")
        try:
            work()
        except BaseException:
            with suppress(RuntimeError):  # only says that the capture is spoilt; what spoilt it is to be told
                graph.capture_end()
            raise
        graph.capture_end()
        clear()

    def release(self) -> None:
        """See `Board`."""
        with self._alone:  # under a capture PyTorch keeps everything
            self.torch.cuda.empty_cache()

    @contextmanager
    def _words(self) -> Iterator[None]:
        """PyTorch's errors as CUDA's."""
        try:
            yield
        except self.torch.OutOfMemoryError as e:
            raise CudaError("the card's memory is full", NO_MEMORY) from e
        except getattr(self.torch, "AcceleratorError", ()) as e:
            raise failure(self.cuda, "PyTorch", int(getattr(e, "error_code", 0)) or 999) from e

    def _stream(self, stream: int) -> Any:
        if stream not in self._outside:
            self._outside[stream] = self.torch.cuda.ExternalStream(stream, device=self.device)
        return self._outside[stream]


def check_room(error: Exception) -> None:
    """Raise CudaError if this error says that the card is full: compiled code has no class for it, only words."""
    import torch

    if isinstance(error, torch.OutOfMemoryError) or "out of memory" in str(error).lower():
        raise CudaError("the card's memory is full", NO_MEMORY) from error


def open_board(torch: Any, cuda: Any, device: int) -> TorchBoard:
    """The board of a device, made ready for this thread."""
    torch.cuda.set_device(device)
    torch.cuda.init()
    call(cuda, "cudaSetDevice", device)
    return TorchBoard(torch, cuda, device, bench=WORKBENCH)
