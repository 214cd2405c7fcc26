"""Stand-ins for the CUDA runtime and TensorRT-RTX that keep a journal and do the arithmetic on the CPU.

The card's memory is host memory under made-up addresses: a copy to an address that was never given, or was given back,
fails as it would on a card (only more loudly). The engine inverts its picture and adds 10 × the mood's first number.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from types import SimpleNamespace
from typing import Any

import numpy as np


class Kind(IntEnum):
    cudaMemcpyHostToDevice = 1
    cudaMemcpyDeviceToHost = 2


@dataclass
class FakeCuda:
    """cuda.bindings.runtime, as far as it is used. `fails` maps a function's name to the error it answers with."""

    driver: int = 13000
    cards: tuple[tuple[str, int, int], ...] = (("NVIDIA GeForce RTX 4060", 8, 9),)
    fails: dict[str, int] = field(default_factory=dict)
    journal: list[tuple[Any, ...]] = field(default_factory=list)
    memory: dict[int, Any] = field(default_factory=dict)
    streams: set[int] = field(default_factory=set)
    cudaMemcpyKind: Any = Kind
    cudaError_t: Any = int
    _next: int = 0x1000

    def names(self) -> list[str]:
        return [entry[0] for entry in self.journal]

    def _did(self, name: str, *about: Any) -> int:
        self.journal.append((name.removeprefix("cuda"), *about))
        return self.fails.get(name, 0)

    def cudaDriverGetVersion(self) -> tuple[int, int]:
        return self.fails.get("cudaDriverGetVersion", 0), self.driver

    def cudaGetDeviceCount(self) -> tuple[int, int]:
        return self.fails.get("cudaGetDeviceCount", 0), len(self.cards)

    def cudaGetDeviceProperties(self, device: int) -> tuple[int, Any]:
        name, major, minor = self.cards[device]
        return 0, SimpleNamespace(name=name.encode() + b"\0\0", major=major, minor=minor)

    def cudaGetErrorString(self, error: int) -> tuple[int, bytes]:
        return 0, {2: b"out of memory", 700: b"an illegal memory access was encountered"}.get(error, b"unknown error")

    def cudaSetDevice(self, device: int) -> tuple[int]:
        return (self._did("cudaSetDevice", device),)

    def cudaMalloc(self, size: int) -> tuple[int, int]:
        error = self._did("cudaMalloc", size)
        if not error:
            self._next += 0x1000
            self.memory[self._next] = np.zeros(size, np.uint8)
        return error, self._next

    def cudaFree(self, address: int) -> tuple[int]:
        del self.memory[address]
        return (self._did("cudaFree", address),)

    def cudaStreamCreateWithFlags(self, flags: int) -> tuple[int, int]:
        assert flags == 1, "the default stream would wait for all others"
        stream = 7 + len(self.streams)
        self.streams.add(stream)
        return self._did("cudaStreamCreateWithFlags", stream), stream

    def cudaStreamDestroy(self, stream: int) -> tuple[int]:
        self.streams.remove(stream)
        return (self._did("cudaStreamDestroy", stream),)

    def cudaStreamSynchronize(self, stream: int) -> tuple[int]:
        assert stream in self.streams
        return (self._did("cudaStreamSynchronize", stream),)

    def cudaMemcpyAsync(self, to: int, source: int, count: int, kind: Kind, stream: int) -> tuple[int]:
        assert stream in self.streams
        error = self._did("cudaMemcpyAsync", "up" if kind == Kind.cudaMemcpyHostToDevice else "down", stream)
        if not error and kind == Kind.cudaMemcpyHostToDevice:
            ctypes.memmove(self.memory[to].ctypes.data, source, count)
        elif not error:
            ctypes.memmove(to, self.memory[source].ctypes.data, count)
        return (error,)


class Severity(IntEnum):
    INTERNAL_ERROR = 0
    ERROR = 1


class Logger:
    INTERNAL_ERROR, ERROR = Severity.INTERNAL_ERROR, Severity.ERROR

    def __init__(self) -> None:
        """As TensorRT's own."""


class Capability(IntEnum):
    SM75, SM80, SM86, SM89, SM120 = 75, 80, 86, 89, 120


class Mode(Enum):
    INPUT, OUTPUT = "input", "output"


Memory = Enum("Memory", "STATIC USER_MANAGED")
Special = Enum("Special", "LAZY EAGER")
Graphs = Enum("Graphs", "DISABLED WHOLE")
IO = {
    "picture": (Mode.INPUT, "UINT8", (1, -1, -1, 4)),
    "mood": (Mode.INPUT, "FLOAT", (1, 2)),
    "dream": (Mode.OUTPUT, "UINT8", (1, -1, -1, 4)),
}


@dataclass
class FakeTrt:
    """tensorrt_rtx's running half. `refuses` holds engine bytes that will not load, `deaf` refuses every frame."""

    cuda: FakeCuda
    refuses: set[bytes] = field(default_factory=set)
    io: dict[str, Any] = field(default_factory=lambda: dict(IO))
    deaf: bool = False
    homeless: bool = False  # no execution context can be had
    flat: bool = False  # every dream is one colour
    __version__: str = "9.9.9"
    configs: list[Any] = field(default_factory=list)
    ILogger: Any = Logger
    ComputeCapability: Any = Capability
    TensorIOMode: Any = Mode
    ExecutionContextAllocationStrategy: Any = Memory
    DynamicShapesKernelSpecializationStrategy: Any = Special
    CudaGraphStrategy: Any = Graphs

    def Runtime(self, logger: Any) -> Any:
        return SimpleNamespace(deserialize_cuda_engine=lambda data: self._engine(data, logger))

    def _engine(self, data: bytes, logger: Any) -> Any:
        if bytes(data) in self.refuses:
            logger.log(Severity.ERROR, "Serialization assertion failed\nin detail")
            return None
        return FakeEngine(self)


@dataclass
class FakeEngine:
    trt: FakeTrt

    @property
    def num_io_tensors(self) -> int:
        return len(self.trt.io)

    def get_tensor_name(self, index: int) -> str:
        return ["dream", *(n for n in self.trt.io if n != "dream")][index]  # in no helpful order

    def get_tensor_dtype(self, name: str) -> Any:
        return SimpleNamespace(name=self.trt.io[name][1])

    def get_tensor_shape(self, name: str) -> Any:
        return self.trt.io[name][2]

    def get_tensor_mode(self, name: str) -> Mode:
        mode: Mode = self.trt.io[name][0]
        return mode

    def get_tensor_profile_shape(self, name: str, index: int) -> Any:
        return [(1, 64, 64, 4), (1, 512, 512, 4), (1, 4096, 4096, 4)]

    def create_runtime_config(self) -> Any:
        config = FakeConfig()
        self.trt.configs.append(config)
        return config

    def create_execution_context(self, config: Any) -> Any:
        return None if self.trt.homeless else FakeContext(self.trt)


class FakeConfig:
    def __init__(self) -> None:
        self.strategy: Any = None
        self.cache: Any = None
        self.given: bytes | None = None

    def set_execution_context_allocation_strategy(self, strategy: Any) -> None:
        self.strategy = strategy

    def create_runtime_cache(self) -> Any:
        return SimpleNamespace(deserialize=self._take, serialize=lambda: b"kernels of this card")

    def _take(self, data: bytes) -> bool:
        self.given = data
        return True

    def set_runtime_cache(self, cache: Any) -> None:
        self.cache = cache


class FakeContext:
    """Works at once when it is enqueued, in the memory it was told of."""

    def __init__(self, trt: FakeTrt) -> None:
        self.trt, self.at, self.shapes = trt, {}, {}
        self.scratch = (0, 0)
        trt.cuda.journal.append(("context",))

    def __del__(self) -> None:
        self.trt.cuda.journal.append(("context gone",))

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        self.shapes[name] = shape
        return all(side <= 4096 for side in shape)

    def update_device_memory_size_for_shapes(self) -> int:
        return 4096

    def set_device_memory(self, address: int, size: int) -> None:
        assert len(self.trt.cuda.memory[address]) >= size
        self.scratch = (address, size)

    def set_tensor_address(self, name: str, address: int) -> bool:
        self.trt.cuda.journal.append(("address", name))
        self.at[name] = address
        return True

    def execute_async_v3(self, stream: int) -> bool:
        memory = self.trt.cuda.memory
        assert stream in self.trt.cuda.streams
        assert self.scratch[0] in memory, "it works in memory that has been given back"
        self.trt.cuda.journal.append(("execute", stream))
        if self.trt.deaf:
            return False
        picture = memory[self.at["picture"]].reshape(self.shapes["picture"]).astype(np.float32)
        shift = 10.0 * float(memory[self.at["mood"]].view(np.float32)[0]) if "mood" in self.at else 0.0
        dream = np.clip(255.0 - picture + shift, 0.0, 255.0).astype(np.uint8)
        dream[..., 3] = 255
        if self.trt.flat:
            dream[..., :3] = 9
        memory[self.at["dream"]][:] = dream.reshape(-1)
        return True
