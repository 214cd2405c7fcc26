"""Behind a generator on a card: makes its roads in the background, a faster one or a wider one, and puts them away."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

from perform.card import Card
from perform.engines.cuda_board import Board
from perform.engines.cuda_compute import Compute, Maker, Say, Separate
from perform.engines.cuda_road import Road, beside, build_road
from perform.engines.dreamer import be_nice
from perform.engines.generator import Shape
from perform.gl.interop import Poisoned, call
from perform.plugins import EngineError
from perform.workers import Worker, spawn

log = logging.getLogger(__name__)

FASTER = 0.97  # of the time of what plays: less would not be worth the change
PARTING = 5.0  # seconds a job under way is waited for at the end


@dataclass(frozen=True, slots=True)
class Piece:
    """What is played: a world at one size, for pictures of one shape."""

    card: Card
    size: str
    shape: Shape

    @property
    def mood(self) -> int:
        """Numbers in its mood vector; 0: it takes none."""
        return self.card.mood.size if self.card.mood is not None else 0


@dataclass(slots=True, eq=False)
class Works:
    """`road` is what plays. A better one waits (`waits`) until the render thread, with nothing under way, calls
    `change`. `makers` are those that might make a faster one, best first; they are tried until one does, each when it
    is this world's turn at the board's workbench. `sweep` gives back what could not be while the streams were in use.
    """

    board: Board
    piece: Piece
    road: Road
    makers: Sequence[Maker] = ()
    label: str = ""  # the card's name
    sweep: Callable[[], None] = lambda: None
    players: int = 0  # engines that play it
    making: bool = field(default=False, init=False)  # a maker is at work
    _next: Road | None = field(default=None, init=False, repr=False)
    _progress: str = field(default="", init=False)
    _looked: bool = field(default=False, init=False)
    _left: list[Maker] = field(default_factory=list, init=False, repr=False)  # not tried yet
    _over: bool = field(default=False, init=False)
    _gone: bool = field(default=False, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    _jobs: SimpleQueue[Callable[[], Any]] = field(default_factory=SimpleQueue, init=False, repr=False)
    _worker: Worker | None = field(default=None, init=False, repr=False)

    @property
    def shape(self) -> Shape:
        return self.piece.shape

    @property
    def mood(self) -> int:
        return self.piece.mood

    @property
    def note(self) -> str:
        """How it runs, in a few words, and what is being made."""
        where = f" on {self.label}" if self.label else ""
        plays = f"{self.road.compute.note}{where}, {self.road.seconds * 1e3:.1f} ms"
        return f"{plays}; {self._progress}" if self._progress else plays

    @property
    def busy(self) -> bool:
        """Whether something is being made for it or is yet to be, or waits to take over. Any thread."""
        return self.making or bool(self._left) or self.waits or not self._jobs.empty()

    # ------------------------------------------------------------------ render thread
    @property
    def waits(self) -> bool:
        """Whether there is another road to change to."""
        return self._next is not None

    def change(self, carry: int) -> None:
        """Play the road that waits. Nothing is under way but copies on the stream `carry`. Costs nothing."""
        with self._lock:
            if self._next is None:
                return
            old, self.road, self._next = self.road, self._next, None
        keep = old.compute is self.road.compute
        self._do(lambda: self._away(old, [carry], keep))

    def widen(self, rows: int) -> None:
        """So many engines play: soon they go as one batch."""
        if rows > self.road.rows and rows <= self.road.compute.batch:
            self._do(lambda: self._widen(rows))

    def better(self) -> None:
        """Look for something faster; once. Any thread."""
        if not self._looked and self.makers:
            self._looked, self._left = True, list(self.makers)
            self._do(self._line_up)

    def come(self) -> None:
        """See `workbench.Guest`."""
        self._do(self._make)

    def end(self, streams: Sequence[int]) -> None:
        """Put everything away once these streams have come to their end, and the streams. Any thread; does not wait."""
        self._over = True
        self._do(lambda: self._end(streams))

    def part(self, seconds: float = PARTING) -> bool:
        """Wait for `end`, so long at most: PyTorch is not to be torn down under a running thread. False: not yet."""
        return self._worker is None or self._worker.close(seconds)

    # ------------------------------------------------------------------ worker
    def _do(self, job: Callable[[], Any]) -> None:
        self._jobs.put(job)
        with self._lock:  # the worker may come by here before it is known
            if self._worker is None:
                self._worker = spawn("cuda", self._work)

    def _work(self, stop: threading.Event) -> None:
        be_nice()
        try:
            while not self._gone:
                call(self.board.cuda, "cudaSetDevice", self.board.device)
                self._jobs.get()()
        except Poisoned as e:  # and so would be all that is still to do, however often it is tried
            log.warning("nothing more is made or put away: %s", e)
            self.board.bench.leave(self)

    def _line_up(self) -> None:
        """Wait for a turn with the next maker; what else is to be done is done meanwhile."""
        if self._left and not self._over:
            self._progress = f"{self._left[0].name} is to come"
            self.board.bench.ask(self)

    def _make(self) -> None:
        """It is this world's turn."""
        try:
            self.making, maker = True, self._left.pop(0)
            if self._over or self._done(maker):
                self._left.clear()
        finally:
            self.making = False
            self.board.bench.leave(self)
        self._line_up()

    def _done(self, maker: Maker) -> bool:
        """Whether nobody else need be tried after this one."""
        self._progress = f"making {maker.name}"
        try:
            return self._try(maker)
        except Exception as e:  # noqa: BLE001 - logged there
            self._regret(maker, e)
            return isinstance(e, Poisoned)  # nobody else could

    def _regret(self, maker: Maker, error: Exception) -> None:
        if self._over:
            return  # it was told to stop
        why = (str(error).strip() or type(error).__name__).splitlines()[0]
        self._progress = f"no {maker.name}: {why}"
        log.warning("%s %s: no %s: %s", self.piece.card.world, self.piece.size, maker.name, why)
        log.debug("%s", maker.name, exc_info=error)

    def _try(self, maker: Maker) -> bool:
        """Make it; True if it is faster and will play."""
        compute = maker.make(self.piece.card, self.piece.size, self.shape, self._say)
        try:
            road = build_road(self.board, compute, self.shape, self.mood, self.road.rows)
        except BaseException:
            compute.close()
            raise
        try:
            plays, new = self._times(road)
        except BaseException:
            road.close()
            raise
        if self._over or new > FASTER * plays:
            self._progress = f"{maker.name} takes {new * 1e3:.1f} ms where this takes {plays * 1e3:.1f}"
            road.close()
            return False
        self._progress = ""  # first: who plays it may ask at once how it runs
        self._offer(road)
        return True

    def _times(self, road: Road) -> tuple[float, float]:
        """Seconds of a dream by what plays and by a new road, read side by side: what plays was timed at load, mostly
        with nothing drawn, the new road while a show draws on the same card, and that alone can be a third. Where it
        cannot be (no room, shared memory), what was read of each when it was made. Raises Poisoned."""
        compute, apart = self.road.compute, (self.road.seconds, road.seconds)
        if self._over or not (isinstance(compute, Separate) and compute.separate):
            return apart
        try:
            return beside(self.board, compute, road, self.mood)
        except Poisoned:
            raise
        except Exception as e:  # a full card, mostly; compiled code has no class for it
            log.debug("what plays is not timed again", exc_info=e)
            return apart
        finally:
            self.board.release()  # what that took

    def _say(self, text: str) -> None:
        """How far a maker is. Raises EngineError once nobody plays this any more: it may stop."""
        if self._over:
            raise EngineError("it was put away")
        self._progress = text

    def _widen(self, rows: int) -> None:
        if self._over:
            return
        base = self._next or self.road
        rows = min(rows, base.compute.batch)
        if rows > base.rows:
            try:
                road = build_road(self.board, base.compute, self.shape, self.mood, rows)
            except EngineError as e:
                log.info("%s %s goes one layer at a time: %s", self.piece.card.world, self.piece.size, e)
                return
            road.seconds = base.seconds
            self._offer(road)

    def _offer(self, road: Road) -> None:
        with self._lock:
            before, self._next = self._next, road
        if before is not None:  # nobody took it: nobody plays
            before.close(compute=before.compute not in (road.compute, self.road.compute))

    def _away(self, road: Road, streams: Sequence[int], keep: bool) -> None:
        for stream in streams:
            call(self.board.cuda, "cudaStreamSynchronize", stream)
        road.close(compute=not keep)

    def _end(self, streams: Sequence[int]) -> None:
        self._gone = True
        self.board.bench.leave(self)
        if self._next is not None:
            self._next.close(compute=self._next.compute is not self.road.compute)
            self._next = None
        try:
            self._away(self.road, streams, keep=False)
            self.board.release()
            self.sweep()
        finally:
            for stream in streams:
                self.board.cuda.cudaStreamDestroy(stream)


def first_road(board: Board, piece: Piece, makers: Sequence[Maker], say: Say) -> tuple[Road, str, int]:
    """The road of the first maker that can, what kept those before it, and its place. Raises what the last one said."""
    troubles: list[Exception] = []
    for place, maker in enumerate(makers):
        compute: Compute | None = None
        try:
            compute = maker.make(piece.card, piece.size, piece.shape, say)
            road = build_road(board, compute, piece.shape, piece.mood)
        except Exception as e:
            if compute is not None:
                compute.close()
            troubles.append(e)
            if place == len(makers) - 1:
                raise
            continue
        return road, "; ".join(str(e) for e in troubles), place
    raise ValueError("no makers")
