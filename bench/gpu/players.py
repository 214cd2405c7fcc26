"""Who plays: the engines of the program itself, with pictures on the card or through the host's memory."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from perform.card import Card, read_card
from perform.engines.generator import Hardware

CACHE = Path(tempfile.gettempdir()) / "perform-bench"


def hardware(way: str, device: str) -> Hardware:
    """`interop`: the CUDA engine, pictures staying on the card; `host bridge`: the same engine through pinned memory of
    the host (the program itself takes whichever is quicker); `host`: PyTorch behind readback and upload. Raises
    ImportError, EngineError.
    """
    if way == "host":
        from perform.engines.torch import Torch

        return Torch(device="cuda" if device.startswith("cuda") else "cpu", precision="auto", cache=CACHE)
    from perform.engines.cuda import Cuda

    forget()
    bridge = "host" if way == "host bridge" else "array"
    return Cuda(bridge=bridge) if device.startswith("cuda") else _rehearsed(bridge)


def _rehearsed(bridge: str, lag: int = 0) -> Hardware:
    """The CUDA engine on a stand-in for CUDA: it shows that this bench is sound, and nothing about speed. A dream is
    asked for `lag` times before it is there."""
    from perform.engines.cuda import Cuda
    from perform.testing.board import HostBoard
    from perform.testing.cuda import RecordingCuda

    return Cuda.on(HostBoard(RecordingCuda(lag=lag)), "a stand-in for CUDA", bridge=bridge, compile=False)


def forget() -> None:
    """Let torch.compile forget what it compiled before: it counts all networks of one class as versions of one."""
    dynamo = sys.modules.get("torch._dynamo")
    if dynamo is not None:
        dynamo.reset()


def building(generator: Any) -> bool:
    """Whether something faster is being made for it, or waits to take over."""
    works = getattr(generator, "works", None)
    return works is not None and bool(works.busy)


def land(generator: Any) -> None:
    """Wait until all that is under way on the card has been dreamt, and fetch none of it. Raises CudaError."""
    from perform.gl.interop import call

    for flight in generator._flights:
        call(generator.board.cuda, "cudaEventSynchronize", flight.lane.done)


def alone(generator: Any, seconds: float) -> dict[str, Any]:
    """The recorded work of a CUDA engine by itself, replayed without a pause: what the path could reach at most."""
    import torch

    from bench.gpu.timing import measure

    works = getattr(generator, "works", None)
    if works is None:
        return {}
    replays = [lane.replays[0] for lane in works.road.lanes]
    if not torch.cuda.is_available():
        return {}
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        times = measure(lambda i: replays[i % len(replays)](stream.cuda_stream), seconds, "cuda")
    return {"alone_fps": round(times.rate, 1), "alone_p50_ms": round(times.p50, 4)}


def card(world: Path) -> Card:
    """The world's card."""
    path = world / "card.toml"
    return read_card(path.read_bytes(), path)


def twins(world: Path, folder: Path) -> list[str]:
    """Two worlds of the same files under different names, to switch between: their names, in `folder`."""
    names = [f"{world.name}-{letter}" for letter in "ab"]
    for name in names:
        target = folder / name
        shutil.copytree(world, target)
        text = (target / "card.toml").read_text("utf-8")
        line = f'world = "{world.name}"'
        if line not in text:
            raise ValueError(f"{world}/card.toml does not say {line}")
        (target / "card.toml").write_text(text.replace(line, f'world = "{name}"', 1), "utf-8")
    return names


def note(generator: Any) -> str:
    """How a generator says it runs."""
    return str(getattr(generator, "note", ""))
