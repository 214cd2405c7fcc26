"""The path where there is no GL on the card: tensors stand in for textures, copies for the bridges, no passes drawn.

It shows what copies through the host cost beside copies on the card; the passes and the driver's hand-over between GL
and CUDA are missing from both sides, and the table says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.gpu.alone import PICTURES, ladder, pictures
from bench.gpu.timing import measure


def read(way: str, size: tuple[int, int], seconds: float, device: str, world: Path | None) -> dict[str, Any]:
    """The figures of one way: `interop` (copies on the card) or another (down, up, dream, down, up, waited for)."""
    import torch

    engine = "graph" if device.startswith("cuda") else "eager"
    (_, call, about), *_ = ladder("m", size, (engine,), device, world)
    if call is None:
        return about
    cameras, screen = pictures(size, device), pictures(size, device)[0]
    with torch.inference_mode():
        frame = _on_card(call, cameras, screen) if way == "interop" else _through_host(torch, call, cameras, screen)
        times = measure(frame, seconds, device) if way == "interop" else _waited(frame, seconds)
    return {"fps": round(times.rate, 1), "latency_p50_ms": round(times.p50, 4)}


def _on_card(call: Callable[[int], Any], cameras: list[Any], screen: Any) -> Callable[[int], None]:
    inside = cameras[0].clone()

    def frame(i: int) -> None:
        inside.copy_(cameras[i % PICTURES])
        call(i)
        screen.copy_(inside)

    return frame


def _through_host(torch: Any, call: Callable[[int], Any], cameras: list[Any], screen: Any) -> Callable[[int], None]:
    cuda = screen.is_cuda
    down, up = (torch.empty(screen.shape, dtype=torch.uint8, pin_memory=cuda) for _ in range(2))
    inside = cameras[0].clone()
    sync = torch.cuda.synchronize if cuda else lambda: None

    def frame(i: int) -> None:
        down.copy_(cameras[i % PICTURES], non_blocking=True)
        sync()
        inside.copy_(down, non_blocking=True)
        call(i)
        up.copy_(inside, non_blocking=True)
        sync()
        screen.copy_(up, non_blocking=True)
        sync()

    return frame


def _waited(frame: Callable[[int], None], seconds: float) -> Any:
    from bench.gpu.naive import _loop

    until = time.perf_counter() + seconds
    return _loop(frame, max(0.1, until - time.perf_counter()))
