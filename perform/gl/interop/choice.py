"""Which bridge this machine can use: each kind is tried on a small picture before it is trusted."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from perform.gl import target
from perform.gl.interop.array import ArrayBridge
from perform.gl.interop.bridge import KINDS, Bridge, Shape
from perform.gl.interop.buffer import BufferBridge
from perform.gl.interop.calls import CudaError, Poisoned, call
from perform.gl.interop.host import HostBridge

log = logging.getLogger(__name__)

MAKERS: dict[str, Callable[[Any, Shape, target.Format], Bridge]] = {
    "array": ArrayBridge,
    "buffer": BufferBridge,
    "host": HostBridge,
}


def open_bridge(
    cuda: Any,
    shape: Shape,
    format: target.Format = "rgba8",
    device: int = 0,
    allow: Sequence[str] = KINDS,
    trusted: str = "",
) -> Bridge:
    """The best bridge that works here, said in one line of the log. Render thread, GL context current; milliseconds.

    `cuda` is cuda.bindings.runtime (or a stand-in), `device` the CUDA device that the memory is on; `trusted` is a
    kind that has been tried out before. Raises CudaError if none of the kinds allowed works, Poisoned if CUDA is done
    for.
    """
    call(cuda, "cudaSetDevice", device)
    troubles: list[str] = []
    stranger = _stranger(cuda, device)
    for kind in allow:
        if stranger and kind != "host":
            troubles.append(f"{kind}: {stranger}")
            continue
        try:
            if kind != trusted:
                prove(cuda, kind, format)
            bridge: Bridge = MAKERS[kind](cuda, shape, format)
        except Poisoned:
            raise
        except CudaError as e:
            troubles.append(f"{kind}: {e}")
            continue
        log.info("%s", line(kind, shape, format, troubles))
        return bridge
    raise CudaError(f"pictures cannot go between GL and CUDA: {'; '.join(dict.fromkeys(troubles))}")


def line(kind: str, shape: Shape, format: str, troubles: Sequence[str]) -> str:
    """Which bridge was chosen, in one line, and why no better one."""
    ways = {
        "array": "on the card, straight into the texture",
        "buffer": "on the card, through a pixel buffer",
        "host": "through the host's memory",
    }
    why = f" ({'; '.join(troubles)})" if troubles else ""
    return f"pictures of {shape[0]}×{shape[1]} {format} go between GL and CUDA {ways[kind]}{why}"


def gl_devices(cuda: Any) -> list[int]:
    """The CUDA devices behind the current GL context; none for a software rasteriser or another maker's card."""
    try:
        found = call(cuda, "cudaGLGetDevices", 8, cuda.cudaGLDeviceList.cudaGLDeviceListAll)
    except Poisoned:
        raise
    except CudaError:  # it says "no device" where GL is not on a CUDA card
        return []
    count, devices = found
    return [int(d) for d in list(devices)[: int(count)]]


def _stranger(cuda: Any, device: int) -> str:
    """Why this GL context and this CUDA device have nothing in common; empty if they have."""
    there = gl_devices(cuda)
    if device in there:
        return ""
    if not there:
        return "GL does not draw on a CUDA card"
    return f"GL draws on CUDA device {', '.join(map(str, there))}, the worlds are on {device}"


def prove(cuda: Any, kind: str, format: target.Format) -> None:
    """Carry a picture of 16×8 pixels there and back. Raises CudaError if it does not come back as it went."""
    width, height = 16, 8
    given = _pattern(width, height, format)
    bridge: Bridge = MAKERS[kind](cuda, (width, height), format)
    memory = [0, 0]
    try:
        for i in range(2):
            memory[i] = int(call(cuda, "cudaMalloc", given.nbytes))
        up, down = cuda.cudaMemcpyKind.cudaMemcpyHostToDevice, cuda.cudaMemcpyKind.cudaMemcpyDeviceToHost
        call(cuda, "cudaMemcpy", memory[0], given.ctypes.data, given.nbytes, up)
        bridge.ripen(memory[0], 0)
        call(cuda, "cudaStreamSynchronize", 0)
        bridge.take(bridge.give(memory[0], 0), memory[1], 0)
        bridge.take(bridge.exchange(bridge.give(memory[0], 0), memory[1], memory[0], 0), memory[1], 0)
        call(cuda, "cudaStreamSynchronize", 0)
        back = np.zeros_like(given)
        call(cuda, "cudaMemcpy", back.ctypes.data, memory[1], given.nbytes, down)
    finally:
        bridge.close()
        for address in memory:
            if address:
                cuda.cudaFree(address)
    if not np.array_equal(given, back):
        raise CudaError("a picture does not come back as it went")


def _pattern(width: int, height: int, format: target.Format) -> npt.NDArray[Any]:
    """(height, width, 4): no two pixels alike, and exact in both formats."""
    ramp = np.arange(width * height * 4, dtype=np.int64).reshape(height, width, 4) % 251
    return ramp.astype(np.uint8) if format == "rgba8" else (ramp / 256.0).astype(np.float16)
