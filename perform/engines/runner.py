"""A compiled engine on a card: loaded once, fitted to one size of picture, put on a stream frame after frame.

    engine = Loaded(trt, data, bindings, "landscape m")     # shared by all that play it
    runner = Runner(trt, cuda, engine, (512, 288), mood=7) # one for each stream: it has memory of its own
    runner.enqueue(stream, picture, mood, dream)           # device addresses; returns at once

Nothing is allocated and nothing waits in `enqueue`, so that it can be captured in a CUDA graph. `trt` is tensorrt_rtx,
`cuda` is cuda.bindings.runtime, or stand-ins for them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from perform.engines.generator import Shape
from perform.engines.plan import Binding, listener
from perform.gl.interop import CudaError, call
from perform.gl.interop.calls import NO_MEMORY
from perform.plugins import EngineError


class Loaded:
    """An engine in the card's memory. Worker thread; tens of milliseconds.

    `noted` are the bindings that its builder noted (`as_notes`). Raises EngineError if it will not load, or takes
    something else; CudaError (`NO_MEMORY`) where the card is full, of which the engine is innocent.
    """

    def __init__(self, trt: Any, engine: bytes, noted: Sequence[Mapping[str, Any]], what: str) -> None:
        self.complaints = listener(trt)
        self._runtime = trt.Runtime(self.complaints)
        self.engine = self._runtime.deserialize_cuda_engine(engine)
        if self.engine is None:
            raise _refusal(self.complaints, f"TensorRT-RTX will not load the engine of {what}")
        if {_door(b) for b in as_notes(self.bindings(trt))} != {_door(b) for b in noted}:
            raise EngineError(f"the engine of {what} does not take what it was built to take")

    def bindings(self, trt: Any) -> tuple[Binding, ...]:
        """What it takes and gives, as the loaded engine says: inputs first."""
        names = [self.engine.get_tensor_name(i) for i in range(self.engine.num_io_tensors)]
        found = [
            Binding(
                name,
                self.engine.get_tensor_dtype(name).name.lower(),
                tuple(self.engine.get_tensor_shape(name)),
                self.engine.get_tensor_mode(name) == trt.TensorIOMode.OUTPUT,
            )
            for name in names
        ]
        return tuple(sorted(found, key=lambda b: b.gives))

    def profile(self, name: str) -> tuple[tuple[int, ...], ...]:
        """The least, best and largest shape of an input."""
        return tuple(tuple(shape) for shape in self.engine.get_tensor_profile_shape(name, 0))


class Runner:
    """One execution context with its scratch memory. Made in a worker (kernels for this size are compiled: up to some
    seconds the first time on a card, milliseconds with `kernels` from before; `knew` says whether those were taken);
    `enqueue` and `close` are one thread's.
    """

    def __init__(
        self, trt: Any, cuda: Any, loaded: Loaded, shape: Shape, mood: int, kernels: bytes | None = None
    ) -> None:
        self._cuda, self._complaints = cuda, loaded.complaints
        self._loaded: Loaded | None = loaded  # the engine must outlive its context
        width, height = shape
        self._kernels, config, self.knew = _config(trt, loaded.engine, kernels)
        self._context = loaded.engine.create_execution_context(config)
        if self._context is None:
            raise _refusal(loaded.complaints, "TensorRT-RTX cannot run the engine here")
        given = {"picture": (1, height, width, 4)} | ({"mood": (1, mood)} if mood else {})
        for name, sides in given.items():
            if not self._context.set_input_shape(name, sides):
                raise EngineError(f"the engine does not take a {name} of {'×'.join(map(str, sides))}")
        self.nbytes = int(self._context.update_device_memory_size_for_shapes())
        self._scratch = call(cuda, "cudaMalloc", max(self.nbytes, 256))
        self._context.set_device_memory(int(self._scratch), self.nbytes)
        self._mood, self._told = mood, (0, 0, 0)
        self._output = next(b.name for b in loaded.bindings(trt) if b.gives)

    def enqueue(self, stream: int, picture: int, mood: int, dream: int) -> None:
        """Dream what lies at `picture` (uint8 [1,H,W,4]) in the `mood` (float32 [1,M]) into `dream`: addresses on the
        card, which stay valid until the stream has come past. Never waits. Raises EngineError if it is refused.
        """
        if self._told != (picture, mood, dream):
            self._context.set_tensor_address("picture", picture)
            if self._mood:
                self._context.set_tensor_address("mood", mood)
            self._context.set_tensor_address(self._output, dream)
            self._told = (picture, mood, dream)
        if not self._context.execute_async_v3(stream):
            raise EngineError(f"TensorRT-RTX did not take a frame: {self._complaints.first or 'it does not say why'}")

    def capturable(self, stream: int) -> bool:
        """Whether `enqueue` can be captured in a CUDA graph; it has run once before."""
        return bool(self._context.is_stream_capturable(stream))

    def kernels(self) -> bytes:
        """What the card's own kernels were compiled to, for the next start; it is refused by any other card."""
        return bytes(self._kernels.serialize())

    def close(self) -> None:
        """Give the memory back. The stream has come past the last frame. May be called twice."""
        if self._context is not None:
            self._context = None  # before the memory it works in
            self._loaded = None
            call(self._cuda, "cudaFree", self._scratch)


def _config(trt: Any, engine: Any, kernels: bytes | None) -> tuple[Any, Any, bool]:
    """The card's kernels, how to run, and whether kernels from before were taken. It runs with kernels for exactly this
    size, compiled now and not during the show; memory from us, no more of it than this size needs; no graphs of its
    own, since whoever enqueues may be capturing one.
    """
    config = engine.create_runtime_config()
    config.set_execution_context_allocation_strategy(trt.ExecutionContextAllocationStrategy.USER_MANAGED)
    config.dynamic_shapes_kernel_specialization_strategy = trt.DynamicShapesKernelSpecializationStrategy.EAGER
    config.cuda_graph_strategy = trt.CudaGraphStrategy.DISABLED
    cache = config.create_runtime_cache()
    knew = bool(kernels) and bool(cache.deserialize(kernels))  # not: another card, driver or version; compiled again
    config.set_runtime_cache(cache)
    return cache, config, knew


def _refusal(complaints: Any, what: str) -> EngineError:
    """The error for a call that gave nothing: a full card's, or with the reason that TensorRT told."""
    if complaints.full:
        return CudaError(f"{what}: the card's memory is full", NO_MEMORY)
    return EngineError(f"{what}: {complaints.first or 'it does not say why'}")


def as_notes(bindings: tuple[Binding, ...]) -> list[dict[str, Any]]:
    """Bindings as plain data for an engine's record."""
    return [{"name": b.name, "kind": b.kind, "shape": list(b.shape), "gives": b.gives} for b in bindings]


def _door(binding: Mapping[str, Any]) -> tuple[object, ...]:
    """What must be the same in the network and in the engine made from it; how sides are written may differ."""
    return binding.get("name"), binding.get("kind"), binding.get("gives")
