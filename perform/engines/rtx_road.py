"""A road (see `cuda_road`) without PyTorch: memory and graphs from the CUDA runtime, the dream from TensorRT-RTX.

picture, mood  ->  engine, rows as GL has them, pixel maths and turning over inside  ->  dream
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from perform.engines.cuda_board import Replay
from perform.engines.cuda_compute import Compute
from perform.engines.cuda_road import LANES, Lane, Road, aside, free_memory, run_on, timed
from perform.engines.generator import Shape
from perform.engines.runner import Runner
from perform.engines.trial import prove
from perform.gl.interop import Poisoned, call
from perform.plugins import EngineError
from perform.workbench import Workbench

log = logging.getLogger(__name__)

BYTES = {"uint8": 1, "float32": 4}


@dataclass(frozen=True, slots=True)
class Block:
    """Contiguous memory on the card, as far as a lane asks a tensor for it."""

    at: int
    kind: str
    shape: tuple[int, ...]

    def data_ptr(self) -> int:
        """Its address."""
        return self.at

    def element_size(self) -> int:
        """Bytes of a number."""
        return BYTES[self.kind]

    def stride(self, dimension: int) -> int:
        """Numbers from one to the next along a dimension."""
        return math.prod(self.shape[dimension + 1 :])


@dataclass
class RtxBoard:
    """A CUDA device without PyTorch (see `cuda_board.Board`). What `zeros` gave lives until `clear`."""

    cuda: Any
    device: int = 0
    bench: Workbench = field(default_factory=Workbench)
    _blocks: list[Block] = field(default_factory=list, init=False, repr=False)

    def zeros(self, kind: str, *shape: int) -> Any:
        """See `cuda_board.Board`."""
        size = math.prod(shape) * BYTES[kind]
        block = Block(int(call(self.cuda, "cudaMalloc", size)), kind, shape)
        self._blocks.append(block)
        call(self.cuda, "cudaMemset", block.at, 0, size)
        call(self.cuda, "cudaStreamSynchronize", 0)  # where that is done; lanes are filled on other streams
        return block

    def put(self, network: Any) -> Any:
        """See `cuda_board.Board`. There is none to put: engines bring their weights."""
        return network

    def pool(self) -> Any:
        """See `cuda_board.Board`. An engine has its own scratch memory, in graphs as well."""
        return None

    def capture(self, work: Callable[[], None], stream: int, pool: Any = None) -> Graph:
        """See `cuda_board.Board`. `work` has run before. Others may go on using the card meanwhile."""
        cuda = self.cuda
        call(cuda, "cudaStreamBeginCapture", stream, cuda.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal)
        try:
            work()
        except BaseException:
            error, graph = cuda.cudaStreamEndCapture(stream)  # what happened inside is to be told
            if int(error) == 0:
                cuda.cudaGraphDestroy(graph)
            raise
        graph = call(cuda, "cudaStreamEndCapture", stream)
        try:
            return Graph(cuda, call(cuda, "cudaGraphInstantiate", graph, 0))
        finally:
            cuda.cudaGraphDestroy(graph)

    def release(self) -> None:
        """See `cuda_board.Board`. Nothing is kept for later."""

    def clear(self) -> None:
        """Give all memory back. Nothing uses it any more. May be called twice."""
        while self._blocks:
            self.cuda.cudaFree(self._blocks.pop().at)


@dataclass(slots=True)
class Graph:
    """Captured work: called with a stream, it goes there."""

    cuda: Any
    made: Any

    def __call__(self, stream: int) -> None:
        call(self.cuda, "cudaGraphLaunch", self.made, stream)

    def close(self) -> None:
        """Nothing of it is under way any more."""
        self.cuda.cudaGraphExecDestroy(self.made)


@dataclass(slots=True)
class RtxWork:
    """An engine at work on a board's memory, and what it holds: `close` gives all of it back.

    Stands for a `cuda_compute.Compute` in a road whose replays are made by `pave`.
    """

    board: RtxBoard
    runner: Runner
    note: str
    weights: int
    batch: int = 1
    graphs: list[Graph] = field(default_factory=list)

    @property
    def nbytes(self) -> int:
        """Of the card: weights and scratch memory."""
        return self.weights + self.runner.nbytes

    def replay(self, lane: Lane, stream: int) -> Replay:
        """What dreams a lane's picture: a graph where the engine allows it, else the engine's own launches."""
        at = lane.picture.data_ptr(), lane.mood.data_ptr(), lane.dream.data_ptr()

        def launch(onto: int) -> None:
            self.runner.enqueue(onto, *at)

        launch(stream)  # kernels are chosen and loaded before anything is captured
        call(self.board.cuda, "cudaStreamSynchronize", stream)
        if not self.runner.capturable(stream):
            return launch
        try:
            graph = self.board.capture(lambda: launch(stream), stream)
        except Poisoned:
            raise
        except EngineError as e:
            log.info("TensorRT-RTX goes without a CUDA graph: %s", e)
            return launch
        self.graphs.append(graph)
        return graph

    def close(self) -> None:
        """See `cuda_compute.Compute`."""
        while self.graphs:
            self.graphs.pop().close()
        self.runner.close()
        self.board.clear()


def pave(board: RtxBoard, work: RtxWork, shape: Shape, mood: int) -> Road:
    """Make lanes, try the engine out and time it. Worker thread; tens of milliseconds.

    Raises EngineError if what it gives is no picture, CudaError if the card will not (no memory).
    """
    cuda = board.cuda
    before = free_memory(cuda)
    road = Road(cast(Compute, work), [], 1, shape)  # nobody calls it: its lanes have their replays
    with aside(cuda, road) as stream:
        for _ in range(LANES):
            road.lanes.append(Lane.make(board, shape, mood, 1))
        for lane in road.lanes:
            lane.replays = (work.replay(lane, stream),)
        prove(run_on(road.lanes[0], stream), shape, mood)
        road.seconds = timed(cuda, road.lanes[0], stream)
        road.nbytes = max(before - free_memory(cuda), 0) + work.nbytes
    return road
