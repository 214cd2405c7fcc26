"""Counts what a frame should never do: wait for the card on the host, and allocate on it.

PyTorch names its own waits (`set_sync_debug_mode`); the waits that are asked for by name, in PyTorch, in the CUDA
runtime and in GL, are counted by standing in their way while a block runs.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

WAITS = ("cudaDeviceSynchronize", "cudaStreamSynchronize", "cudaEventSynchronize", "cudaMemcpy", "cudaMemcpy2D")
ALLOCATIONS = ("cudaMalloc", "cudaMallocAsync", "cudaMallocHost", "cudaHostAlloc", "cudaFree", "cudaFreeHost")
HANDOVERS = ("take", "give", "exchange")  # a picture to CUDA, a dream to GL, both in one go
SENTENCE = "called a synchronizing"  # in what PyTorch warns of


class Carried:
    """An engine's bridge that counts how often the card changed between GL and CUDA, and for what. Render thread."""

    def __init__(self, bridge: Any) -> None:
        self._bridge = bridge
        self.counts = dict.fromkeys(HANDOVERS, 0)

    def __getattr__(self, name: str) -> Any:
        deed = getattr(self._bridge, name)
        if name in HANDOVERS:
            self.counts[name] += 1
        return deed

    def since(self, before: Mapping[str, int], frames: int) -> dict[str, float]:
        """How often each a frame, in so many frames since the counts were these."""
        return {name: round((count - before[name]) / frames, 2) for name, count in self.counts.items()}


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """How often each was called in the block, by name; PyTorch's own waits as `torch: <what it said>`."""
    import torch

    counts: Counter[str] = Counter()
    undo: list[Callable[[], None]] = []

    def watch(owner: Any, name: str, label: str) -> None:
        deed = getattr(owner, name, None)
        if deed is None:
            return
        own = name in vars(owner) if hasattr(owner, "__dict__") else True

        def counting(*args: Any, **keys: Any) -> Any:
            counts[label] += 1
            return deed(*args, **keys)

        setattr(owner, name, counting)
        undo.append(lambda: setattr(owner, name, deed) if own else delattr(owner, name))

    watch(torch.cuda, "synchronize", "torch.cuda.synchronize")
    watch(torch.cuda.Event, "synchronize", "torch.cuda.Event.synchronize")
    watch(torch.cuda.Stream, "synchronize", "torch.cuda.Stream.synchronize")
    for runtime in _runtime():
        for name in WAITS + ALLOCATIONS:
            watch(runtime, name, name)
    for gl in _gl():
        watch(gl, "glFinish", "glFinish")
    debug = torch.cuda.is_available()
    if debug:
        torch.cuda.set_sync_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            yield counts
            for warning in said:
                text = str(warning.message)
                if SENTENCE in text:
                    counts[f"torch: {text.splitlines()[0][:80]}"] += 1
    finally:
        if debug:
            torch.cuda.set_sync_debug_mode("default")
        for back in reversed(undo):
            back()


def waits(counts: Counter[str]) -> int:
    """How many of them were waits."""
    return sum(count for name, count in counts.items() if name not in ALLOCATIONS)


def allocated(counts: Counter[str]) -> int:
    """How many of them asked the CUDA runtime for memory, or gave some back."""
    return sum(counts[name] for name in ALLOCATIONS)


def allocations() -> dict[str, int]:
    """What PyTorch has allocated on the card since it began: blocks handed out, and segments asked of CUDA."""
    import torch

    if not torch.cuda.is_available():
        return {"blocks": 0, "segments": 0}
    stats = torch.cuda.memory_stats()
    return {
        "blocks": int(stats.get("allocation.all.allocated", 0)),
        "segments": int(stats.get("segment.all.allocated", 0)),
    }


def _runtime() -> list[Any]:
    try:
        from cuda.bindings import runtime
    except ImportError:
        return []
    return [runtime]


def _gl() -> list[Any]:
    from perform.gl.context import GLUnavailable
    from perform.gl.lib import gl

    try:
        gl.glFinish  # noqa: B018 - looked up, so that it can be replaced
    except (AttributeError, ImportError, GLUnavailable):
        return []
    return [gl]
