"""Engines that work in host memory: read the small picture back, let a worker run the network, upload what it dreamt.

    render thread:  submit -> read back -> inbox        newest <- upload <- outbox
    worker:                               inbox -> flip -> run -> flip -> outbox

Pictures are bottom-up on the render thread and top-down in the network; the worker flips both ways. The latest
picture wins: one that has not been started is replaced.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from perform.engines.generator import Shape, Venue
from perform.frame import Frame
from perform.gl.target import Texture
from perform.gl.transfer import Pixels, Readback, Upload
from perform.plugins import EngineError
from perform.workers import Mailbox, Worker, spawn

Vector = npt.NDArray[np.float32]
Run = Callable[[Pixels, Vector], Pixels]  # (H, W, 4) top-down and (M,) -> (H, W, 4) top-down, perhaps a reused buffer

# The render thread goes first, but not alone. The default show at 512² on 2 cores, where the software renderer takes
# all it can get: nice 10 gives 43 frames and 16 dreams a second, 2 gives 39 and 27, 0 gives 41 and 30 with longer
# frames at the 99th percentile. Where there is idle time, or a graphics card, it makes no difference.
NICE = 2
TRIES = 3  # failures in a row before an engine gives up
PARTING = 2.0  # seconds a last dream is waited for
MEASURE = 0.7  # seconds spent on measuring, about
STALL = 30.0  # seconds without an answer before a dream counts as stuck


def be_nice() -> None:
    """Give way to the render thread. Call it in a worker BEFORE anything makes threads of its own: they inherit it."""
    if sys.platform.startswith("linux"):  # elsewhere a thread's id is not what setpriority takes
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)


@dataclass(slots=True)
class HostGenerator:
    """A network in host memory. `session` makes a Run for one engine, in that engine's worker thread."""

    session: Callable[[], Run] | None
    shape: Shape
    mood: int  # numbers in its mood vector; 0: it takes none
    nbytes: int
    note: str
    _workers: list[Worker] = field(default_factory=list, init=False, repr=False)

    def open(self, venue: Venue) -> HostEngine:
        """An engine of its own."""
        if self.session is None:
            raise EngineError("this world has been put away")
        engine = HostEngine(self.session, self.shape, self.mood, venue)
        self._workers = [worker for worker in self._workers if worker.alive]
        if engine.worker is not None:
            self._workers.append(engine.worker)
        return engine

    def close(self) -> None:
        """See `generator.Generator`. Waits for dreams of engines that have been closed: a library that is torn
        down under a running thread takes the process with it."""
        self.session = None
        for worker in self._workers:
            if worker.stop.is_set():
                worker.close(PARTING)


@dataclass(frozen=True, slots=True)
class _Task:
    pixels: Pixels
    mood: tuple[float, ...]
    time: float


@dataclass(slots=True)
class _Dreamt:
    pixels: Pixels
    time: float


class HostEngine:
    """Runs one network in a worker thread of its own. Memory: two textures, and three pictures in flight.

    Render thread for all calls. Cost of `submit` on a software rasteriser: a readback (0.03 ms at 512² once the
    picture is drawn); of `newest`: an upload when there is a new dream, otherwise nothing.
    """

    def __init__(self, session: Callable[[], Run], shape: Shape, mood: int, venue: Venue) -> None:
        width, height = shape
        self._session, self._shape, self._mood, self._venue = session, shape, mood, venue
        self._readback = Readback(width, height, venue.software or venue.synchronous)
        self._upload = Upload(width, height, venue.software)
        self._textures = [Texture.make(width, height), Texture.make(width, height)]
        self._inbox: Mailbox[_Task | None] = Mailbox()
        self._outbox: Mailbox[_Dreamt] = Mailbox()
        self._last: tuple[int, tuple[float, ...]] | None = None  # serial and mood of the last submission
        self._reading: float | None = None  # time of the picture that is still on its way from the GPU
        self._asked_for_it = False  # `newest` was called since the last submission
        self._newest: Frame | None = None
        self._asked = self._answered = 0.0  # wall seconds
        self._trouble: list[str] = []  # failures in a row
        self._run: Run | None = None
        self.worker: Worker | None = None
        if not venue.synchronous:
            self.worker = spawn("dream", self._work, on_error=self._note)

    # ------------------------------------------------------------------ render thread
    def submit(self, frame: Frame, mood: Sequence[float]) -> None:
        """See perform.plugins.Engine. The same picture in the same mood is not dreamt again."""
        if frame.size != self._shape:
            raise EngineError("this generator takes {}×{} pixels, not {}×{}".format(*self._shape, *frame.size))
        vector = fit(mood, self._mood)
        if self._last == (frame.serial, vector):
            return
        self._last, self._asked_for_it = (frame.serial, vector), False
        self._give(self._readback.read(frame.texture), vector, frame.time)

    def _give(self, pixels: Pixels | None, mood: tuple[float, ...], time_: float | None) -> None:
        """Hand on what came from the GPU: this picture, or (through PBOs) the one submitted before it."""
        taken = time_
        if not (self._venue.software or self._venue.synchronous):
            taken, self._reading = self._reading, time_
        if pixels is None or taken is None:
            return
        task = _Task(pixels, mood, taken)
        if self.worker is None:
            self._dream_now(task)
            return
        now = time.perf_counter()
        if self._asked <= self._answered:
            self._asked = now
        self._inbox.put(task)

    def _dream_now(self, task: _Task) -> None:
        try:
            if self._run is None:
                self._run = self._session()
            self._outbox.put(self._dream(self._run, task))
        except Exception as e:  # noqa: BLE001 - whatever the network's library raises becomes this part's failure
            self._note(e)
            self._trouble = self._trouble[-1:] * TRIES  # the same picture would fail again: no second try

    def newest(self) -> Frame | None:
        """See perform.plugins.Engine."""
        if len(self._trouble) >= TRIES:
            raise EngineError(f"it failed {TRIES} times in a row: {self._trouble[-1]}")
        if self.worker is not None:
            if not self.worker.alive:
                raise EngineError(f"its worker has died{': ' + self.worker.error if self.worker.error else ''}")
            if self._asked > self._answered and time.perf_counter() - self._asked > STALL:
                raise EngineError(f"no dream for {STALL:g} seconds")
        if self._reading is not None and self._asked_for_it and self._last is not None:
            self._give(self._readback.flush(), self._last[1], None)  # no other picture will push it out
        self._asked_for_it = True
        dreamt = self._outbox.take()
        if dreamt is not None:
            self._textures.reverse()
            self._upload.write(self._textures[0], dreamt.pixels)
            serial = self._newest.serial + 1 if self._newest is not None else 1
            self._newest = Frame(self._textures[0], dreamt.time, serial)
        return self._newest

    def close(self) -> None:
        """Give the GL objects back and let the worker go when its dream is finished; does not wait for it."""
        if self.worker is not None:
            self.worker.stop.set()
            self._inbox.put(None)  # wakes it
        self._readback.close()
        self._upload.close()
        for texture in self._textures:
            texture.close()

    # ------------------------------------------------------------------ worker
    def _work(self, stop: threading.Event) -> None:
        be_nice()
        run = self._session()
        period = 1.0 / self._venue.fps if self._venue.fps > 0.0 else 0.0
        while not stop.is_set():
            task = self._inbox.wait(0.5)
            if task is None:
                continue
            began = time.perf_counter()
            dreamt = self._dream(run, task)
            self._answered = time.perf_counter()
            self._trouble.clear()
            self._outbox.put(dreamt)
            if period > 0.0:
                stop.wait(max(0.0, began + period - time.perf_counter()))

    def _dream(self, run: Run, task: _Task) -> _Dreamt:
        picture = np.ascontiguousarray(task.pixels[::-1])
        dream = run(picture, np.asarray(task.mood, np.float32))
        check(dream, picture)
        return _Dreamt(np.ascontiguousarray(dream[::-1]), task.time)

    def _note(self, error: BaseException) -> None:
        self._answered = time.perf_counter()
        text = str(error) or type(error).__name__
        self._trouble.append(text.strip().splitlines()[0])
        self._last = None  # the picture that failed may come again


def fit(mood: Sequence[float], count: int) -> tuple[float, ...]:
    """A mood as `count` numbers: cut, or filled with 0 (the mean of what the world was trained on)."""
    return tuple(float(n) for n in mood[:count]) + (0.0,) * (count - len(mood))


def check(dream: Pixels, picture: Pixels) -> None:
    """Raise EngineError if this cannot be a dream of that picture. Looks at every 16th pixel: 0.01 ms at 512²."""
    if dream.dtype != np.uint8 or dream.shape != picture.shape:
        raise EngineError(f"the network gave {dream.dtype} {dream.shape} instead of uint8 {picture.shape}")
    # NaN becomes the same byte everywhere when it is made a pixel: a hole in the show, not a picture.
    few, given = dream[::16, ::16, :3], picture[::16, ::16, :3]
    if few.size > 3 and not few.any() and np.ptp(given) > 8:
        raise EngineError("the network gave an empty picture (its numbers may have overflowed)")


def probe(shape: Shape) -> Pixels:
    """A picture (H, W, 4) to try a network with: slopes and texture, the same each time."""
    width, height = shape
    x = np.linspace(0.0, 1.0, width)[None, :]
    y = np.linspace(0.0, 1.0, height)[:, None]
    grey = 0.5 + 0.3 * (y - 0.5) + 0.2 * np.sin(9.0 * x + 5.0 * y) + 0.1 * np.sin(31.0 * x * y)
    picture = np.full((height, width, 4), 255, np.uint8)
    picture[..., :3] = (grey.clip(0.0, 1.0) * 255.0)[..., None]
    return picture


def prove(run: Run, shape: Shape, mood: int) -> Pixels:
    """Run a network once on the probe. Raises EngineError if what it gives is no picture, or one flat colour."""
    picture = probe(shape)
    dream = run(picture, np.zeros(mood, np.float32))
    check(dream, picture)
    if min(shape) >= 16 and np.ptp(dream[..., :3].reshape(-1, 3), axis=0).max() == 0:
        raise EngineError("the network gives one flat colour (its weights may be damaged)")
    return dream


def race(runs: dict[str, Run], shape: Shape, mood: int) -> dict[str, float]:
    """Seconds for one dream of each: the best of some, in turns. What else the machine does only ever adds, and in
    turns it adds to all of them alike."""
    picture, numbers = probe(shape), np.zeros(mood, np.float32)
    best = dict.fromkeys(runs, float("inf"))
    until = time.perf_counter() + MEASURE
    for _ in range(12):
        for name, run in runs.items():
            began = time.perf_counter()
            run(picture, numbers)
            best[name] = min(best[name], time.perf_counter() - began)
        if time.perf_counter() > until:
            break
    return best
