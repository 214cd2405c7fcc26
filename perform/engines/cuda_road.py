"""A road: a compute captured on memory that stays where it is, in two lanes, so that the card never waits for the host.

    picture, mood  ->  flip  ->  compute  ->  flip  ->  dream          one CUDA graph for each number of pictures

GL's first row is the bottom of a picture, a network's the top: both flips are inside the graph. While one lane's dream
is computed the other is filled; the lanes run one after the other, on one stream, and share their scratch memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from ctypes import c_float
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from perform.engines.cuda_board import Board, Replay
from perform.engines.cuda_compute import Compute
from perform.engines.generator import Shape
from perform.engines.trial import Vector, probe, prove
from perform.gl.interop import call
from perform.gl.interop.calls import NOT_READY, failure
from perform.gl.transfer import Pixels

if TYPE_CHECKING:
    from torch import Tensor

LANES = 2
TRIES = 12  # replays timed: the best one counts


@dataclass(slots=True)
class Lane:
    """Memory for up to `rows` pictures, their moods and dreams, and what computes them: `replays[n - 1]` for n."""

    cuda: Any
    picture: Tensor
    mood: Tensor
    dream: Tensor
    moods: Vector  # (rows, M) pinned, on the host
    replays: tuple[Replay, ...] = ()
    filled: Any = None  # events: its pictures are there; its dreams are there
    done: Any = None
    pinned: int = 0
    busy: bool = False

    @classmethod
    def make(cls, board: Board, shape: Shape, mood: int, rows: int) -> Lane:
        """Worker thread."""
        width, height = shape
        cuda = board.cuda
        lane = cls(
            cuda,
            board.zeros("uint8", rows, height, width, 4),
            board.zeros("float32", rows, max(1, mood)),
            board.zeros("uint8", rows, height, width, 4),
            np.zeros((rows, max(1, mood)), np.float32),
        )
        quiet = cuda.cudaEventDisableTiming
        try:
            lane.filled = call(cuda, "cudaEventCreateWithFlags", quiet)
            lane.done = call(cuda, "cudaEventCreateWithFlags", quiet)
            lane.pinned = int(call(cuda, "cudaMallocHost", lane.moods.nbytes))
        except BaseException:
            lane.close()
            raise
        lane.moods = _at(lane.pinned, rows, max(1, mood))
        return lane

    def address(self, tensor: Tensor, row: int) -> int:
        """Of one picture or dream on the card."""
        return int(tensor.data_ptr()) + row * int(tensor.stride(0)) * int(tensor.element_size())

    def tell(self, count: int, stream: int) -> None:
        """Send `count` moods on their way. Never waits."""
        onto = self.cuda.cudaMemcpyKind.cudaMemcpyHostToDevice
        size = count * self.moods.shape[1] * 4
        call(self.cuda, "cudaMemcpyAsync", int(self.mood.data_ptr()), self.pinned, size, onto, stream)

    def dream_on(self, count: int, compute: int) -> None:
        """Dream `count` pictures on the stream `compute`, once `filled` has come to pass. Never waits."""
        call(self.cuda, "cudaStreamWaitEvent", compute, self.filled, 0)
        self.replays[count - 1](compute)

    def send(self, count: int, carry: int, compute: int) -> None:
        """`count` pictures are on their way on the stream `carry`: dream them on the stream `compute`. Never waits."""
        self.tell(count, carry)
        call(self.cuda, "cudaEventRecord", self.filled, carry)
        self.dream_on(count, compute)

    @property
    def finished(self) -> bool:
        """Whether its dreams are there. Asks, never waits."""
        (error,) = self.cuda.cudaEventQuery(self.done)
        if int(error) == NOT_READY:
            return False
        if int(error) != 0:
            raise failure(self.cuda, "cudaEventQuery", int(error))
        return True

    def close(self) -> None:
        """Worker thread; nothing of it is in use any more. May be called twice."""
        self.replays = ()
        if self.pinned:
            self.moods = np.zeros_like(self.moods)
            self.cuda.cudaFreeHost(self.pinned)
            self.pinned = 0
        for event in (self.filled, self.done):
            if event is not None:
                self.cuda.cudaEventDestroy(event)
        self.filled = self.done = None


@dataclass(slots=True)
class Road:
    """A compute and its lanes. `rows` pictures go at once; `seconds` is the time of one dream, alone; `nbytes` what it
    takes of the card."""

    compute: Compute
    lanes: list[Lane]
    rows: int
    shape: Shape
    seconds: float = 0.0
    nbytes: int = 0

    def free(self) -> Lane | None:
        """A lane that carries nothing."""
        return next((lane for lane in self.lanes if not lane.busy), None)

    def close(self, compute: bool = True) -> None:
        """Worker thread; its streams are past it. `compute`: False if another road goes on with it."""
        for lane in self.lanes:
            lane.close()
        self.lanes.clear()
        if compute:
            self.compute.close()


def build_road(board: Board, compute: Compute, shape: Shape, mood: int, rows: int = 1) -> Road:
    """Capture, try out and time a compute. Worker thread; tens of milliseconds, on a stream of its own.

    Raises EngineError if what it gives is no picture, CudaError if the card will not (no memory).
    """
    cuda = board.cuda
    call(cuda, "cudaSetDevice", board.device)
    before = free_memory(cuda)
    road = Road(compute, [], min(rows, compute.batch), shape)
    with aside(cuda, road) as stream:
        pool = board.pool()
        for _ in range(LANES):
            road.lanes.append(Lane.make(board, shape, mood, road.rows))
        for lane in road.lanes:
            works = [_work(compute, lane, count, mood) for count in range(1, road.rows + 1)]
            lane.replays = tuple(board.capture(work, stream, pool) for work in works)
        prove(run_on(road.lanes[0], stream), shape, mood)
        road.seconds = timed(cuda, road.lanes[0], stream)
        board.release()  # what the runs before the capture took
        taken = before - free_memory(cuda)  # without the compute, which was there before
        road.nbytes = max(taken, _least(shape, road.rows)) + compute.nbytes
    return road


@contextmanager
def aside(cuda: Any, road: Road) -> Iterator[int]:
    """A stream of the least priority, to make a road on and try it out. Whatever goes wrong there is raised, once its
    lanes are given back; the compute stays with whoever made it."""
    least, _ = call(cuda, "cudaDeviceGetStreamPriorityRange")
    stream = int(call(cuda, "cudaStreamCreateWithPriority", cuda.cudaStreamNonBlocking, int(least)))
    try:
        yield stream
    except BaseException:
        cuda.cudaStreamSynchronize(stream)
        road.close(compute=False)
        raise
    finally:
        cuda.cudaStreamDestroy(stream)


def _work(compute: Compute, lane: Lane, count: int, mood: int) -> Callable[[], None]:
    """What is captured: upright, dreamt, and upside down again."""
    picture, numbers, dream = lane.picture[:count], lane.mood[:count, :mood], lane.dream[:count]

    def work() -> None:
        dream.copy_(_flip(compute(_flip(picture), numbers)))

    return work


def _flip(picture: Tensor) -> Tensor:
    """Rows in the other order; four bytes at once."""
    import torch

    return picture.contiguous().view(torch.int32).flip(1).view(torch.uint8)


def run_on(lane: Lane, stream: int) -> Callable[[Pixels, Vector], Pixels]:
    """A lane as a `trial.Run`: through host memory, waiting. For trying out; row 0 is on top here, unlike inside."""
    cuda = lane.cuda
    kinds = cuda.cudaMemcpyKind

    def run(picture: Pixels, mood: Vector) -> Pixels:
        given, back = np.ascontiguousarray(picture[::-1]), np.empty_like(picture)
        lane.moods[0, : len(mood)] = mood
        up, down = kinds.cudaMemcpyHostToDevice, kinds.cudaMemcpyDeviceToHost
        call(cuda, "cudaMemcpyAsync", lane.address(lane.picture, 0), given.ctypes.data, given.nbytes, up, stream)
        lane.send(1, stream, stream)
        call(cuda, "cudaMemcpyAsync", back.ctypes.data, lane.address(lane.dream, 0), back.nbytes, down, stream)
        call(cuda, "cudaStreamSynchronize", stream)
        return np.ascontiguousarray(back[::-1])

    return run


def timed(cuda: Any, lane: Lane, stream: int) -> float:
    """Seconds on the card for one dream: the best of some, since what else it does only ever adds."""
    return _by_turns(cuda, (lane,), stream)[0]


def beside(board: Board, compute: Compute, road: Road, mood: int) -> tuple[float, float]:
    """Seconds on the card for one dream of a compute that plays, and of a new road of the same shape: by turns, so that
    what the show draws meanwhile, and the card's clock, slow both alike. Worker thread, tens of milliseconds.

    What plays is recorded once more, on memory of its own, for what is recorded in its lanes is the render thread's and
    would write over a dream that is under way. So its scratch memory must not be shared: see `cuda_compute.Separate`.
    Raises CudaError where there is no room for that.
    """
    again = Road(compute, [], 1, road.shape)
    with aside(board.cuda, again) as stream:
        lane = Lane.make(board, road.shape, mood, 1)
        again.lanes.append(lane)
        lane.replays = (board.capture(_work(compute, lane, 1, mood), stream, board.pool()),)
        run_on(lane, stream)(probe(road.shape), np.zeros(mood, np.float32))  # the picture that the road was tried with
        plays, new = _by_turns(board.cuda, (lane, road.lanes[0]), stream)
    again.close(compute=False)
    return plays, new


def _by_turns(cuda: Any, lanes: Sequence[Lane], stream: int) -> list[float]:
    """Seconds of one dream in each lane, the best of some. All are recorded for one picture at least."""
    best = [float("inf")] * len(lanes)
    with ExitStack() as events:
        begin, end = (_event(cuda, events) for _ in range(2))
        for _ in range(TRIES):
            for n, lane in enumerate(lanes):
                call(cuda, "cudaEventRecord", begin, stream)
                lane.replays[0](stream)
                call(cuda, "cudaEventRecord", end, stream)
                call(cuda, "cudaEventSynchronize", end)
                best[n] = min(best[n], float(call(cuda, "cudaEventElapsedTime", begin, end)) / 1e3)
    return best


def _event(cuda: Any, events: ExitStack) -> Any:
    event = call(cuda, "cudaEventCreate")
    events.callback(cuda.cudaEventDestroy, event)
    return event


def free_memory(cuda: Any) -> int:
    """Bytes of the card that nobody has."""
    return int(call(cuda, "cudaMemGetInfo")[0])


def _least(shape: Shape, rows: int) -> int:
    """Bytes of the pictures and dreams alone."""
    return LANES * rows * shape[0] * shape[1] * 8


def _at(address: int, rows: int, count: int) -> Vector:
    """Pinned memory as an array."""
    array: Vector = np.ctypeslib.as_array((c_float * (rows * count)).from_address(address)).reshape(rows, count)
    array[:] = 0.0
    return array
