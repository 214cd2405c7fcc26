"""A world on an NVIDIA card: two streams, a road, and the engines that play it.

    render thread:  submit -> take (stream `carry`) -> graph (stream `compute`) -> event        newest <- give (`carry`)

Copies between GL and CUDA have a stream of their own: giving a texture back to GL makes GL wait for all that was put
on that stream before, and it must never wait for a network. Layers that play the same world gather what they submit in
one frame and go as one batch.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from perform.engines.cuda_board import Board
from perform.engines.cuda_engine import CudaEngine, Wish
from perform.engines.cuda_road import Lane, free_memory
from perform.engines.cuda_rounds import Rounds
from perform.engines.cuda_works import Works
from perform.engines.generator import Shape, Venue
from perform.gl.interop import Bridge, call
from perform.gl.target import Texture
from perform.plugins import EngineError

OpenBridge = Callable[[Shape], Bridge]


@dataclass(slots=True, eq=False)
class Flight:
    """A lane under way: who rides in which row, and when their pictures were taken."""

    lane: Lane
    riders: dict[int, tuple[CudaEngine, float]]
    landed: bool = False

    def rows_of(self, engine: CudaEngine) -> list[int]:
        return [row for row, (rider, _) in self.riders.items() if rider is engine]


@dataclass(slots=True, eq=False)
class CudaGenerator:
    """See `generator.Generator`. All but `prepare` and `close` is the render thread's.

    `bridges` opens a bridge of a size on the render thread; `works` makes roads in the background and puts them away.
    """

    board: Board
    works: Works
    bridges: OpenBridge
    _rounds: Rounds[CudaEngine, Wish] = field(default_factory=Rounds, init=False, repr=False)
    _flights: list[Flight] = field(default_factory=list, init=False, repr=False)  # oldest first
    _given: dict[CudaEngine, tuple[Texture, float]] = field(default_factory=dict, init=False, repr=False)
    _engines: set[CudaEngine] = field(default_factory=set, init=False, repr=False)
    _carry: int = field(default=0, init=False, repr=False)
    _compute: int = field(default=0, init=False, repr=False)
    _closed: bool = field(default=False, init=False)
    _opening: int = field(default=0, init=False, repr=False)
    _turnstile: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)  # a worker may close it

    def __post_init__(self) -> None:
        """In the worker that loads it."""
        cuda = self.board.cuda
        call(cuda, "cudaSetDevice", self.board.device)
        least, most = call(cuda, "cudaDeviceGetStreamPriorityRange")
        kind = cuda.cudaStreamNonBlocking  # the default stream would wait for all others
        self._carry = int(call(cuda, "cudaStreamCreateWithPriority", kind, int(most)))
        try:
            self._compute = int(call(cuda, "cudaStreamCreateWithPriority", kind, int(least)))
        except BaseException:
            cuda.cudaStreamDestroy(self._carry)
            raise

    # ------------------------------------------------------------------ the bank's side
    @property
    def shape(self) -> Shape:
        return self.works.shape

    @property
    def nbytes(self) -> int:
        """Of the host's memory there is next to none."""
        return 0

    @property
    def card_bytes(self) -> int:
        """See `generator.OnCard`."""
        return self.works.road.nbytes

    def card_free(self) -> int:
        """See `generator.OnCard`."""
        return free_memory(self.board.cuda)

    @property
    def making(self) -> bool:
        """See `generator.OnCard`."""
        return self.works.making

    def part(self, seconds: float) -> bool:
        """See `generator.OnCard`."""
        return bool(self._carry) or self.works.part(seconds)

    @property
    def note(self) -> str:
        return self.works.note

    def prepare(self) -> None:
        """See `generator.Generator`. From here on something faster is looked for in the background."""
        self.works.better()

    def open(self, venue: Venue) -> CudaEngine:
        """See `generator.Generator`. A bridge is registered with CUDA: some milliseconds; the first one is chosen."""
        with self._turnstile:
            if self._closed:
                raise EngineError("this world has been put away")
            self._opening += 1
        try:
            call(self.board.cuda, "cudaSetDevice", self.board.device)
            bridge = self.bridges(self.shape)
            engine = CudaEngine(self, bridge, self.shape, self.works.mood, venue)
            self._engines.add(engine)
            self.works.players = len(self._engines)
        finally:
            self._opening -= 1
            self._perhaps_gone()
        if not venue.synchronous:
            self.works.widen(len(self._engines))
        return engine

    def close(self) -> None:
        """See `generator.Generator`."""
        with self._turnstile:
            self._closed = True
        self._perhaps_gone()
        if not self._carry:
            self.works.part()

    def _perhaps_gone(self) -> None:
        with self._turnstile:
            if not self._closed or self._engines or self._opening or not self._carry:
                return
            streams, self._carry, self._compute = (self._carry, self._compute), 0, 0
        self.works.end(streams)

    # ------------------------------------------------------------------ the engines' side
    def hear(self, engine: CudaEngine, wish: Wish | None) -> None:
        """See `cuda_engine.House`."""
        self._rounds.hear(engine, wish)
        self._turn()

    def ask(self, engine: CudaEngine) -> tuple[Texture, float] | None:
        """See `cuda_engine.House`."""
        self._rounds.ask(engine)
        self._turn()
        if engine in self._given:
            return self._given.pop(engine)
        mine = self._landed(engine)
        if not mine:
            return None
        flight, row = mine[-1]
        _, taken = flight.riders[row]
        texture = engine.bridge.give(flight.lane.address(flight.lane.dream, row), self._carry)
        self._get_off(engine, mine)
        self._turn()  # a lane may have become free
        return texture, taken

    def now(self, engine: CudaEngine, wish: Wish) -> tuple[Texture, float]:
        """See `cuda_engine.House`."""
        self._collect(wait=True)
        lane = self.works.road.free()
        assert lane is not None
        flight = self._start(lane, [(engine, wish)])
        call(self.board.cuda, "cudaEventSynchronize", lane.done)
        self._flights.remove(flight)
        lane.busy = False
        return engine.bridge.give(lane.address(lane.dream, 0), self._carry), wish.frame.time

    def leave(self, engine: CudaEngine) -> None:
        """See `cuda_engine.House`."""
        self._rounds.leave(engine)
        self._engines.discard(engine)
        self.works.players = len(self._engines)
        self._given.pop(engine, None)
        self._get_off(engine, [(f, row) for f in self._flights for row in f.rows_of(engine)])
        self._perhaps_gone()

    # ------------------------------------------------------------------ the card
    def _turn(self) -> None:
        """Notice what has landed, and send off what is due while there is a free lane."""
        self._collect()
        if self.works.waits or (self._rounds.due and self.works.road.free() is None):
            self._unload()
        if self.works.waits and not self._flights:
            self.works.change(self._carry)
        while self._rounds.due and not self.works.waits:
            lane = self.works.road.free()
            if lane is None:
                return
            wishes = [(e, w) for e, w in self._rounds.take(self.works.road.rows) if w.alive(self.shape)]
            if wishes:
                self._start(lane, wishes)

    def _start(self, lane: Lane, wishes: list[tuple[CudaEngine, Wish]]) -> Flight:
        cuda = self.board.cuda
        for row, (_, wish) in enumerate(wishes):
            lane.moods[row, : self.works.mood] = wish.mood
        lane.tell(len(wishes), self._carry)
        for row, (engine, wish) in enumerate(wishes):
            self._take(engine, wish, lane, row)
        lane.dream_on(len(wishes), self._compute)
        for row, (engine, _) in enumerate(wishes):
            engine.bridge.ripen(lane.address(lane.dream, row), self._compute)
        call(cuda, "cudaEventRecord", lane.done, self._compute)
        lane.busy = True
        riders = {row: (engine, wish.frame.time) for row, (engine, wish) in enumerate(wishes)}
        self._flights.append(Flight(lane, riders))
        return self._flights[-1]

    def _take(self, engine: CudaEngine, wish: Wish, lane: Lane, row: int) -> None:
        """Fetch its picture, and give it its last dream in the same go if that has landed."""
        to, mine = lane.address(lane.picture, row), self._landed(engine)
        if not mine:
            engine.bridge.take(wish.frame.texture, to, self._carry, lane.filled)
            return
        flight, at = mine[-1]
        source = flight.lane.address(flight.lane.dream, at)
        texture = engine.bridge.exchange(wish.frame.texture, to, source, self._carry, lane.filled)
        self._given[engine] = texture, flight.riders[at][1]
        self._get_off(engine, mine)

    def _unload(self) -> None:
        """Lanes are wanted: give everybody the dreams that have landed, whether they ask for them or not. A layer that
        is not drawn any more never asks."""
        for engine in {rider for flight in self._flights if flight.landed for rider, _ in flight.riders.values()}:
            mine = self._landed(engine)
            flight, row = mine[-1]
            texture = engine.bridge.give(flight.lane.address(flight.lane.dream, row), self._carry)
            self._given[engine] = texture, flight.riders[row][1]
            self._get_off(engine, mine)

    def _landed(self, engine: CudaEngine) -> list[tuple[Flight, int]]:
        """Where its finished dreams are, the newest last."""
        return [(f, row) for f in self._flights if f.landed for row in f.rows_of(engine)]

    def _collect(self, wait: bool = False) -> None:
        for flight in list(self._flights):
            if wait:
                call(self.board.cuda, "cudaEventSynchronize", flight.lane.done)
            if not flight.landed and not flight.lane.finished:
                return  # they land in the order in which they started
            flight.landed = True
            self._vacate(flight)

    def _vacate(self, flight: Flight) -> None:
        """Once everybody has got off, its lane is free."""
        if flight.landed and not flight.riders and flight in self._flights:
            self._flights.remove(flight)
            flight.lane.busy = False

    def _get_off(self, engine: CudaEngine, places: list[tuple[Flight, int]]) -> None:
        for flight, row in places:
            del flight.riders[row]
            self._vacate(flight)
