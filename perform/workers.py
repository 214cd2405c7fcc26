"""Threads and the boxes between them. `spawn` is the only place in the program where a thread starts.

A worker owns one device and one box: a `Mailbox` (latest picture wins) or a plain queue of messages. There is
no queue of frames anywhere.
"""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

log = logging.getLogger(__name__)
T = TypeVar("T")
STEADY = 60.0  # seconds of running well after which a failure counts as the first again
BACKOFF = (0.5, 1.0, 2.0, 4.0, 8.0)  # seconds between restarts; the last one repeats


class Mailbox(Generic[T]):
    """Holds one thing. A new one replaces an unread one; reading empties it. Never blocks the reader."""

    __slots__ = ("_arrived", "_item", "_lock", "replaced")

    def __init__(self) -> None:
        self._item: T | None = None
        self._lock = threading.Lock()
        self._arrived = threading.Event()
        self.replaced = 0  # how many were overwritten unread

    def put(self, item: T) -> None:
        """Any thread."""
        with self._lock:
            self.replaced += self._item is not None
            self._item = item
            self._arrived.set()

    def take(self) -> T | None:
        """The newest thing, or None if nothing came since the last take. Any thread."""
        with self._lock:
            item, self._item = self._item, None
            self._arrived.clear()
            return item

    def wait(self, timeout: float | None = None) -> T | None:
        """As `take`, but waits up to `timeout` seconds: for workers, never for the render thread."""
        self._arrived.wait(timeout)
        return self.take()


_threads: weakref.WeakSet[threading.Thread] = weakref.WeakSet()


def _nothing(stop: threading.Event) -> None:
    """What a worker that has ended would do."""


@dataclass(slots=True)
class Worker:
    """A running thread. `fn(stop)` should return soon after `stop` is set; if it raises it is restarted.

    It is called once even if `stop` is set before the thread has begun: there may be something to finish, a film or
    a still, and a busy machine lets a new thread wait.

    Once it has ended, a worker keeps nothing of what it ran: who has a worker that runs one of its own methods would
    otherwise stay, with its network, until Python's collector comes by.
    """

    name: str
    fn: Callable[[threading.Event], None]
    restart: bool = True
    on_error: Callable[[BaseException], None] | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    restarts: int = 0
    error: str = ""  # the last failure, one sentence
    _thread: threading.Thread | None = None

    def _run(self) -> None:
        try:
            self._try()
        finally:
            self.fn, self.on_error = _nothing, None

    def _try(self) -> None:
        tries = 0
        while True:
            began = time.monotonic()
            try:
                self.fn(self.stop)
                return
            except Exception as e:
                self.error = f"{type(e).__name__}: {e}"
                log.warning("%s failed (%s)%s", self.name, self.error, ", restarting" if self.restart else "")
                log.debug("%s", self.name, exc_info=True)
                if self.on_error is not None:
                    self.on_error(e)
                if not self.restart:
                    return
                tries = 0 if time.monotonic() - began > STEADY else tries
                if self.stop.wait(BACKOFF[min(tries, len(BACKOFF) - 1)]):
                    return
                tries += 1
                self.restarts += 1

    @property
    def alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def close(self, timeout: float = 2.0) -> bool:
        """Ask the worker to stop and wait; False if it did not within `timeout` seconds (it is a daemon)."""
        self.stop.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout)
        return not self.alive


def spawn(
    name: str,
    fn: Callable[[threading.Event], None],
    restart: bool = True,
    on_error: Callable[[BaseException], None] | None = None,
) -> Worker:
    """Start a daemon thread that runs `fn(stop)`; when it raises, it is logged and restarted with backoff."""
    worker = Worker(name, fn, restart, on_error)
    worker._thread = threading.Thread(target=worker._run, name=name, daemon=True)
    _threads.add(worker._thread)
    worker._thread.start()
    return worker


def lingering() -> list[str]:
    """The names of workers whose threads still run: at the end of a program, those that did not stop when asked."""
    return sorted(thread.name for thread in _threads if thread.is_alive())
