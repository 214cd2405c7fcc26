"""A network at work: takes the newest picture from its box, dreams it, puts the dream into another box."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from perform.engines.trial import Run, check
from perform.gl.transfer import Pixels
from perform.plugins import EngineError
from perform.workers import Mailbox, Worker, spawn

# The render thread goes first, but not alone. The default show at 512² on 2 cores that other programs used as well:
# nice 10 gave 43 frames and 16 dreams a second, 5 gave 47 and 18, 2 gave 39 and 27, 0 gave 41 and 30. A renderer that
# takes all it can get would starve a nicer network; where there is idle time it should make little difference.
NICE = 2
TRIES = 3  # failures in a row before it gives up
PARTING = 2.0  # seconds a last dream is waited for
STALL = 30.0  # seconds without an answer before a dream counts as stuck


def be_nice() -> None:
    """Give way to the render thread. Call it in a worker BEFORE anything makes threads of its own: they inherit it."""
    if sys.platform.startswith("linux"):  # elsewhere a thread's id is not what setpriority takes
        me = threading.get_native_id()
        nice = os.getpriority(os.PRIO_PROCESS, me)
        if nice < NICE:  # a show that was itself started nicer (nice, systemd) may not take that back
            os.setpriority(os.PRIO_PROCESS, me, NICE)


@dataclass(frozen=True, slots=True)
class Task:
    """A picture to dream: (H, W, 4) bottom-up, the mood, when it was taken, and for whom."""

    pixels: Pixels
    mood: tuple[float, ...]
    time: float
    owner: object


@dataclass(frozen=True, slots=True)
class Dreamt:
    """A dream: (H, W, 4) bottom-up, and the time and owner of its task."""

    pixels: Pixels
    time: float
    owner: object


class Dreamer:
    """Runs one session of a network: in a worker of its own, or (synchronous) inside `put`.

    All methods are the render thread's and do not wait, except `put` of a synchronous one and `part`. `failures`
    counts; `fps` caps the dreams a second (0: no cap).
    """

    def __init__(self, session: Callable[[], Run], synchronous: bool = False) -> None:
        self.fps = 0.0
        self.failures = 0
        self._session = session
        self._inbox: Mailbox[Task | None] = Mailbox()
        self._outbox: Mailbox[Dreamt] = Mailbox()
        self._asked = self._answered = 0.0  # wall seconds
        self._trouble: list[str] = []  # failures in a row
        self._run: Run | None = None
        self.worker: Worker | None = None
        if not synchronous:
            self.worker = spawn("dream", self._work, on_error=self._note)

    def put(self, task: Task) -> None:
        """Dream this next, instead of what has not been started."""
        if self.worker is None:
            self._now(task)
            return
        if self._asked <= self._answered:
            self._asked = time.perf_counter()
        self._inbox.put(task)

    def take(self, owner: object) -> Dreamt | None:
        """The newest dream, if there is a new one. Raises EngineError once there will be no more."""
        if len(self._trouble) >= TRIES:
            raise EngineError(f"it failed {TRIES} times in a row: {self._trouble[-1]}")
        if self.worker is not None:
            if not self.worker.alive:
                raise EngineError(f"its worker has died{': ' + self.worker.error if self.worker.error else ''}")
            if self._stalled:
                raise EngineError(f"no dream for {STALL:g} seconds")
        dreamt = self._outbox.take()
        return dreamt if dreamt is not None and dreamt.owner is owner else None

    @property
    def _stalled(self) -> bool:
        return self._asked > self._answered and time.perf_counter() - self._asked > STALL

    @property
    def sound(self) -> bool:
        """Whether it could work for somebody else."""
        if self.worker is None or not self.worker.alive or self.worker.stop.is_set():
            return False
        return not self._trouble and not self._stalled

    def stop(self) -> None:
        """Work no more; what is being dreamt is finished."""
        if self.worker is not None:
            self.worker.stop.set()
            self._inbox.put(None)  # wakes it

    def part(self) -> None:
        """Stop and wait (seconds, at most `PARTING`): a library torn down under a running thread aborts the process."""
        self.stop()
        if self.worker is not None:
            self.worker.close(PARTING)

    # ------------------------------------------------------------------ at work
    def _work(self, stop: threading.Event) -> None:
        be_nice()
        run = self._session()
        while not stop.is_set():
            task = self._inbox.wait(1.0)
            if task is None:
                continue
            began = time.perf_counter()
            dreamt = _dream(run, task)
            self._answered = time.perf_counter()
            self._trouble.clear()
            self._outbox.put(dreamt)
            if self.fps > 0.0:
                stop.wait(max(0.0, began + 1.0 / self.fps - time.perf_counter()))

    def _now(self, task: Task) -> None:
        try:
            if self._run is None:
                self._run = self._session()
            self._outbox.put(_dream(self._run, task))
        except Exception as e:  # noqa: BLE001 - whatever the network's library raises becomes this part's failure
            self._note(e)
            self._trouble = self._trouble[-1:] * TRIES  # the same picture would fail again: no second try

    def _note(self, error: BaseException) -> None:
        self._answered = time.perf_counter()
        text = str(error).strip() or type(error).__name__
        self._trouble.append(text.splitlines()[0])
        self.failures += 1


def _dream(run: Run, task: Task) -> Dreamt:
    """The network wants row 0 on top, GL at the bottom."""
    picture = np.ascontiguousarray(task.pixels[::-1])
    dream = run(picture, np.asarray(task.mood, np.float32))
    check(dream, picture)
    return Dreamt(np.ascontiguousarray(dream[::-1]), task.time, task.owner)
