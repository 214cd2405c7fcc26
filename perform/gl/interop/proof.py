"""Which kinds of bridge work here: each is tried on a small picture before it is trusted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from perform.gl import target
from perform.gl.interop.array import ArrayBridge
from perform.gl.interop.bridge import Bridge, Shape
from perform.gl.interop.buffer import BufferBridge
from perform.gl.interop.calls import CudaError, Poisoned, call
from perform.gl.interop.host import HostBridge

MAKERS: dict[str, Callable[[Any, Shape, target.Format], Bridge]] = {
    "array": ArrayBridge,
    "buffer": BufferBridge,
    "host": HostBridge,
}


def working(cuda: Any, format: target.Format, device: int, allow: Sequence[str], troubles: list[str]) -> list[str]:
    """The kinds that carry a small picture there and back, in their order; what is wrong with the others."""
    found: list[str] = []
    stranger = _stranger(cuda, device)
    for kind in allow:
        if stranger and kind != "host":
            troubles.append(f"{kind}: {stranger}")
            continue
        try:
            prove(cuda, kind, format)
        except Poisoned:
            raise
        except CudaError as e:
            troubles.append(f"{kind}: {e}")
            continue
        found.append(kind)
    return found


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
