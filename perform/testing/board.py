"""A stand-in for PyTorch's part of the CUDA engine: the host's memory, and graphs that are the work itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from perform.workbench import Workbench


@dataclass
class HostBoard:
    """PyTorch's part on a CPU: memory is the host's, a captured graph is the work itself. Counts what is captured."""

    cuda: Any
    device: int = 0
    captured: int = 0
    released: int = 0
    replayed: list[int] = field(default_factory=list)  # the streams
    bench: Workbench = field(default_factory=Workbench)

    def zeros(self, kind: str, *shape: int) -> Any:
        import torch

        return torch.zeros(shape, dtype=getattr(torch, kind))

    def put(self, network: Any) -> Any:
        return network

    def pool(self) -> Any:
        return object()

    def release(self) -> None:
        self.released += 1

    def capture(self, work: Callable[[], None], stream: int, pool: Any) -> Callable[[int], None]:
        import torch

        def replay(onto: int) -> None:
            self.replayed.append(onto)
            with torch.inference_mode():
                work()

        with torch.inference_mode():
            work()
        self.captured += 1
        return replay
