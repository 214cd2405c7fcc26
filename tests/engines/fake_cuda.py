"""A stand-in for TensorRT-RTX that does its arithmetic on the CPU, and the CUDA runtime's with what it needs on top.

The card's memory is host memory: an engine that is put on a stream, or works in memory that was given back, fails as it
would on a card (only more loudly). It inverts its picture and adds 10 × the mood's first number.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from types import SimpleNamespace
from typing import Any

import numpy as np

from perform.testing.cuda import RecordingCuda


@dataclass
class FakeCuda(RecordingCuda):
    """With a driver's version, cards, and graphs: what is put on a stream under capture runs when it is launched."""

    driver: int = 13000
    cards: tuple[tuple[str, int, int], ...] = (("NVIDIA GeForce RTX 4060", 8, 9),)
    under_capture: dict[int, list[Callable[[], None]]] = field(default_factory=dict)
    graphs: dict[int, list[Callable[[], None]]] = field(default_factory=dict)
    cudaStreamCaptureMode: Any = field(
        default_factory=lambda: SimpleNamespace(cudaStreamCaptureModeThreadLocal="thread local")
    )

    def cudaDriverGetVersion(self) -> tuple[int, int]:
        return self.fails.get("cudaDriverGetVersion", 0), self.driver

    def cudaGetDeviceCount(self) -> tuple[int, int]:
        return self.fails.get("cudaGetDeviceCount", 0), len(self.cards)

    def cudaGetDeviceProperties(self, device: int) -> tuple[int, Any]:
        name, major, minor = self.cards[device]
        return 0, SimpleNamespace(name=name.encode() + b"\0\0", major=major, minor=minor)

    def cudaMemset(self, address: int, value: int, size: int) -> tuple[int]:
        ctypes.memset(address, value, size)
        return (self._did("Memset", size),)

    def cudaStreamBeginCapture(self, stream: int, mode: str) -> tuple[int]:
        assert mode == "thread local", "others may use the card meanwhile"
        error = self._did("StreamBeginCapture", stream)
        self.under_capture[stream] = []
        return (error,)

    def cudaStreamEndCapture(self, stream: int) -> tuple[int, Any]:
        return self._did("StreamEndCapture", stream), self.under_capture.pop(stream)

    def cudaGraphInstantiate(self, graph: Any, flags: int) -> tuple[int, int]:
        number = self._number()
        self.graphs[number] = graph
        return self._did("GraphInstantiate"), number

    def cudaGraphDestroy(self, graph: Any) -> tuple[int]:
        return (self._did("GraphDestroy"),)

    def cudaGraphExecDestroy(self, made: int) -> tuple[int]:
        del self.graphs[made]
        return (self._did("GraphExecDestroy"),)

    def cudaGraphLaunch(self, made: int, stream: int) -> tuple[int]:
        error = self._did("GraphLaunch", stream) or self._known(stream)
        for work in self.graphs[made]:
            work()
        return (error,)

    def run(self, stream: int, work: Callable[[], None]) -> None:
        """Put work on a stream."""
        if stream in self.under_capture:
            self.under_capture[stream].append(work)
        else:
            work()

    def at(self, address: int, size: int) -> Any:
        """The card's memory as bytes; fails where none was given, or it was given back."""
        known = any(base <= address and address + size <= base + len(block) for base, block in self.memory.items())
        assert known, "this memory was never given, or was given back"
        return np.ctypeslib.as_array((ctypes.c_ubyte * size).from_address(address))


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
    """tensorrt_rtx's running half. `refuses` holds the bytes of engines and kernels that will not load, `deaf` refuses
    every frame."""

    cuda: FakeCuda
    refuses: set[bytes] = field(default_factory=set)
    complaint: str = "Serialization assertion failed\nin detail"  # of an engine that will not load
    full: str = ""  # what is complained of where no execution context can be had
    kernels: bytes = b"kernels of this card"
    io: dict[str, Any] = field(default_factory=lambda: dict(IO))
    deaf: bool = False
    homeless: bool = False  # no execution context can be had
    flat: bool = False  # every dream is one colour
    capturable: bool = True
    strangers: set[int] = field(default_factory=set)  # streams that somebody else made
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
            logger.log(Severity.ERROR, self.complaint)
            return None
        return FakeEngine(self, logger)


@dataclass
class FakeEngine:
    trt: FakeTrt
    logger: Any

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
        config = FakeConfig(self.trt)
        self.trt.configs.append(config)
        return config

    def create_execution_context(self, config: Any) -> Any:
        if not self.trt.homeless:
            return FakeContext(self.trt)
        if self.trt.full:
            self.logger.log(Severity.ERROR, self.trt.full)
        return None


class FakeConfig:
    def __init__(self, trt: FakeTrt) -> None:
        self.trt = trt
        self.strategy: Any = None
        self.cache: Any = None
        self.given: bytes | None = None

    def set_execution_context_allocation_strategy(self, strategy: Any) -> None:
        self.strategy = strategy

    def create_runtime_cache(self) -> Any:
        return SimpleNamespace(deserialize=self._take, serialize=lambda: self.trt.kernels)

    def _take(self, data: bytes) -> bool:
        self.given = data
        return data not in self.trt.refuses

    def set_runtime_cache(self, cache: Any) -> None:
        self.cache = cache


class FakeContext:
    """Works in the memory it was told of when it was put on a stream."""

    def __init__(self, trt: FakeTrt) -> None:
        self.trt, self.shapes = trt, {}
        self.addresses: dict[str, int] = {}
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
        self.trt.cuda.at(address, size)
        self.scratch = (address, size)

    def set_tensor_address(self, name: str, address: int) -> bool:
        self.trt.cuda.journal.append(("address", name))
        self.addresses[name] = address
        return True

    def is_stream_capturable(self, stream: int) -> bool:
        return self.trt.capturable

    def execute_async_v3(self, stream: int) -> bool:
        cuda = self.trt.cuda
        assert stream in cuda.streams or stream in self.trt.strangers
        cuda.journal.append(("execute", stream))
        if not self.trt.deaf:
            at = dict(self.addresses)
            cuda.run(stream, lambda: self._dream(at))
        return not self.trt.deaf

    def _dream(self, at: dict[str, int]) -> None:
        cuda, shape = self.trt.cuda, self.shapes["picture"]
        size = int(np.prod(shape))
        cuda.at(*self.scratch)
        picture = cuda.at(at["picture"], size).reshape(shape).astype(np.float32)
        shift = 10.0 * float(cuda.at(at["mood"], 8).view(np.float32)[0]) if "mood" in at else 0.0
        dream = np.clip(255.0 - picture + shift, 0.0, 255.0).astype(np.uint8)
        dream[..., 3] = 255
        if self.trt.flat:
            dream[..., :3] = 9
        cuda.at(at["dream"], size)[:] = dream.reshape(-1)
