"""A recording stand-in for the CUDA runtime: it works on the host, at once.

    cuda = RecordingCuda()
    hardware = Cuda.on(HostBoard(cuda))             # the real engine, on llvmpipe and a CPU

Its "card" is host memory; what is mapped is a real GL texture or buffer. Whatever CUDA would refuse it refuses, and so
it does what CUDA would leave undefined (a copy into what is not mapped).
"""

from __future__ import annotations

import ctypes
from ctypes import c_void_p
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from perform.testing.mapped import Resource

NAMES = {1: b"invalid argument", 2: b"out of memory", 100: b"no CUDA-capable device is detected",
         400: b"invalid resource handle", 600: b"device not ready", 700: b"an illegal memory access was encountered",
         999: b"unknown error"}  # fmt: skip
INVALID, HANDLE, UNKNOWN, NO_DEVICE, NOT_READY = 1, 400, 999, 100, 600


def _names(prefix: str, **values: int) -> Any:
    """An enumeration of CUDA's, as attributes."""
    return SimpleNamespace(**{f"cuda{prefix}{name}": value for name, value in values.items()})


@dataclass
class RecordingCuda:
    """cuda.bindings.runtime, as far as it is used. `journal` holds what was asked: (name without "cuda", facts…).

    `fails` maps a function's name to the error it answers with; `devices` are those behind GL; `lag` is how often an
    event is not ready before it is; `free` is what cudaMemGetInfo says.
    """

    devices: tuple[int, ...] = (0,)
    lag: int = 0
    free: int = 8_000_000_000
    fails: dict[str, int] = field(default_factory=dict)
    journal: list[tuple[Any, ...]] = field(default_factory=list)
    resources: list[Resource] = field(default_factory=list)
    memory: dict[int, Any] = field(default_factory=dict)
    pinned: set[int] = field(default_factory=set)  # of the memory: the host's
    streams: set[int] = field(default_factory=set)
    events: dict[int, int] = field(default_factory=dict)  # number: queries until it is ready
    quiet: set[int] = field(default_factory=set)  # events that have no time
    recorded: dict[int, int] = field(default_factory=dict)  # event: the stream
    cudaMemcpyKind: Any = field(
        default_factory=lambda: _names("Memcpy", HostToDevice=1, DeviceToHost=2, DeviceToDevice=3)
    )
    cudaGraphicsRegisterFlags: Any = field(
        default_factory=lambda: _names("GraphicsRegisterFlags", ReadOnly=1, WriteDiscard=2)
    )
    cudaGLDeviceList: Any = field(default_factory=lambda: _names("GLDeviceList", All=1))
    cudaError_t: Any = int
    cudaStreamNonBlocking: int = 1
    cudaEventDisableTiming: int = 2
    _next: int = 100

    # ------------------------------------------------------------------ the journal
    def names(self) -> list[str]:
        """What was asked, in order."""
        return [entry[0] for entry in self.journal]

    def count(self, name: str) -> int:
        """How often something was asked."""
        return self.names().count(name)

    @property
    def registered(self) -> list[Resource]:
        return [r for r in self.resources if r.registered]

    @property
    def mapped(self) -> list[Resource]:
        return [r for r in self.resources if r.mapped]

    def _did(self, name: str, *facts: Any) -> int:
        self.journal.append((name, *facts))
        return self.fails.get(f"cuda{name}", 0)

    def _number(self) -> int:
        self._next += 1
        return self._next

    # ------------------------------------------------------------------ device and memory
    def cudaGetErrorString(self, error: int) -> tuple[int, bytes]:
        return 0, NAMES.get(int(error), b"unknown error")

    def cudaSetDevice(self, device: int) -> tuple[int]:
        return (self._did("SetDevice", device),)

    def cudaGLGetDevices(self, most: int, which: int) -> tuple[int, int, list[int]]:
        error = self._did("GLGetDevices") or (0 if self.devices else NO_DEVICE)
        return error, len(self.devices), [*self.devices, *[0] * (most - len(self.devices))]

    def cudaMemGetInfo(self) -> tuple[int, int, int]:
        return self._did("MemGetInfo"), self.free, 8_000_000_000

    def cudaMalloc(self, size: int) -> tuple[int, int]:
        return self._memory("Malloc", size)

    def cudaMallocHost(self, size: int) -> tuple[int, int]:
        error, address = self._memory("MallocHost", size)
        if not error:
            self.pinned.add(address)
        return error, address

    def _memory(self, name: str, size: int) -> tuple[int, int]:
        error = self._did(name, size)
        if error:
            return error, 0
        block = (ctypes.c_ubyte * size)()
        self.memory[ctypes.addressof(block)] = block
        return 0, ctypes.addressof(block)

    def cudaFree(self, address: int) -> tuple[int]:
        return self._free("Free", address, pinned=False)

    def cudaFreeHost(self, address: int) -> tuple[int]:
        return self._free("FreeHost", address, pinned=True)

    def _free(self, name: str, address: int, pinned: bool) -> tuple[int]:
        error = self._did(name)
        if error or address == 0:
            return (error,)
        if address not in self.memory or (address in self.pinned) != pinned:
            return (INVALID,)
        self.pinned.discard(address)
        del self.memory[address]
        return (0,)

    # ------------------------------------------------------------------ streams and events
    def cudaDeviceGetStreamPriorityRange(self) -> tuple[int, int, int]:
        return self._did("DeviceGetStreamPriorityRange"), 0, -5

    def cudaStreamCreateWithPriority(self, flags: int, priority: int) -> tuple[int, int]:
        stream = self._number()
        error = self._did("StreamCreateWithPriority", flags, priority, stream)
        if error:
            return error, 0
        self.streams.add(stream)
        return 0, stream

    def cudaStreamDestroy(self, stream: int) -> tuple[int]:
        error = self._did("StreamDestroy", stream) or (0 if stream in self.streams else HANDLE)
        if not error:
            self.streams.remove(stream)
        return (error,)

    def cudaStreamSynchronize(self, stream: int) -> tuple[int]:
        error = self._did("StreamSynchronize", stream) or self._known(stream)
        if not error:
            self.events |= {event: 0 for event, on in self.recorded.items() if on == stream}
        return (error,)

    def cudaStreamWaitEvent(self, stream: int, event: int, flags: int) -> tuple[int]:
        return (self._did("StreamWaitEvent", stream, event) or self._known(stream) or self._made(event),)

    def _known(self, stream: int) -> int:
        return 0 if stream == 0 or stream in self.streams else HANDLE

    def _made(self, event: int) -> int:
        return 0 if event in self.events else HANDLE

    def cudaEventCreate(self) -> tuple[int, int]:
        return self.cudaEventCreateWithFlags(0)

    def cudaEventCreateWithFlags(self, flags: int) -> tuple[int, int]:
        event = self._number()
        error = self._did("EventCreateWithFlags", flags, event)
        if error:
            return error, 0
        self.events[event] = 0
        if flags & self.cudaEventDisableTiming:
            self.quiet.add(event)
        return 0, event

    def cudaEventRecord(self, event: int, stream: int) -> tuple[int]:
        error = self._did("EventRecord", event, stream) or self._known(stream) or self._made(event)
        if not error:
            self.events[event], self.recorded[event] = self.lag, stream
        return (error,)

    def cudaEventQuery(self, event: int) -> tuple[int]:
        error = self._did("EventQuery", event) or self._made(event)
        if error:
            return (error,)
        self.events[event] -= 1
        return (NOT_READY if self.events[event] >= 0 else 0,)

    def cudaEventSynchronize(self, event: int) -> tuple[int]:
        error = self._did("EventSynchronize", event) or self._made(event)
        if not error:
            self.events[event] = 0
        return (error,)

    def cudaEventElapsedTime(self, begin: int, end: int) -> tuple[int, float]:
        timed = all(event in self.recorded and event not in self.quiet for event in (begin, end))
        return self._did("EventElapsedTime") or (0 if timed else HANDLE), 1.0

    def cudaEventDestroy(self, event: int) -> tuple[int]:
        error = self._did("EventDestroy", event) or self._made(event)
        if not error:
            del self.events[event]
            self.recorded.pop(event, None)
            self.quiet.discard(event)
        return (error,)

    # ------------------------------------------------------------------ copies
    def cudaMemcpy(self, to: int, source: int, size: int, kind: int) -> tuple[int]:
        error = self._did("Memcpy", kind)
        if not error:
            ctypes.memmove(to, source, size)
        return (error,)

    def cudaMemcpyAsync(self, to: int, source: int, size: int, kind: int, stream: int) -> tuple[int]:
        error = self._did("MemcpyAsync", kind, stream) or self._known(stream)
        if not error:
            ctypes.memmove(to, source, size)
        return (error,)

    def cudaMemcpy2DFromArrayAsync(
        self, to: int, pitch: int, array: Resource, x: int, y: int, width: int, height: int, kind: int, stream: int
    ) -> tuple[int]:
        error = self._did("Memcpy2DFromArrayAsync", stream) or self._reachable(array, stream)
        if not error:
            array.read(to)
        return (error,)

    def cudaMemcpy2DToArrayAsync(
        self, array: Resource, x: int, y: int, source: int, pitch: int, width: int, height: int, kind: int, stream: int
    ) -> tuple[int]:
        error = self._did("Memcpy2DToArrayAsync", stream) or self._reachable(array, stream)
        if not error:
            array.write(source)
        return (error,)

    def _reachable(self, array: Resource, stream: int) -> int:
        return self._known(stream) if array.mapped else UNKNOWN

    # ------------------------------------------------------------------ GL
    def cudaGraphicsGLRegisterImage(self, name: int, target: int, flags: int) -> tuple[int, Any]:
        return self._register("GraphicsGLRegisterImage", Resource(name, False, int(flags)))

    def cudaGraphicsGLRegisterBuffer(self, name: int, flags: int) -> tuple[int, Any]:
        return self._register("GraphicsGLRegisterBuffer", Resource(name, True, int(flags)))

    def _register(self, what: str, resource: Resource) -> tuple[int, Any]:
        error = self._did(what, resource.name, resource.flags)
        if error:
            return error, None
        self.resources.append(resource)
        return 0, resource

    def cudaGraphicsUnregisterResource(self, resource: Resource) -> tuple[int]:
        error = self._did("GraphicsUnregisterResource", resource.name)
        if not error and (not resource.registered or resource.mapped):
            return (HANDLE,)
        resource.registered = False
        return (error,)

    def cudaGraphicsMapResources(self, count: int, handles: int, stream: int) -> tuple[int]:
        those = self._those(count, handles)
        error = self._did("GraphicsMapResources", *(r.name for r in those), stream) or self._known(stream)
        if error or any(r.mapped or not r.registered for r in those) or len(set(map(int, those))) < count:
            return (error or UNKNOWN,)
        for resource in those:
            resource.map()
        return (0,)

    def cudaGraphicsUnmapResources(self, count: int, handles: int, stream: int) -> tuple[int]:
        those = self._those(count, handles)
        error = self._did("GraphicsUnmapResources", *(r.name for r in those), stream) or self._known(stream)
        if not all(r.mapped for r in those):
            return (UNKNOWN,)
        for resource in those:
            resource.unmap()
        return (error,)

    def _those(self, count: int, handles: int) -> list[Resource]:
        """The resources behind an address of handles. Raises StopIteration for a handle that nobody gave."""
        numbers = (c_void_p * count).from_address(handles)
        return [next(r for r in reversed(self.resources) if int(r) == number) for number in numbers]

    def cudaGraphicsSubResourceGetMappedArray(self, resource: Resource, index: int, level: int) -> tuple[int, Any]:
        return self._did("GraphicsSubResourceGetMappedArray") or (0 if resource.mapped else UNKNOWN), resource

    def cudaGraphicsResourceGetMappedPointer(self, resource: Resource) -> tuple[int, int, int]:
        if not resource.mapped:
            return UNKNOWN, 0, 0
        error = self._did("GraphicsResourceGetMappedPointer")
        return error, ctypes.addressof(resource.memory), ctypes.sizeof(resource.memory)
