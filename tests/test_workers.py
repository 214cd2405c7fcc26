"""Threads that heal, and boxes in which the newest thing wins."""

from __future__ import annotations

import gc
import threading
import weakref

from perform import workers
from perform.workers import Mailbox, Worker, spawn


def test_the_newest_thing_wins_and_reading_empties_the_box() -> None:
    box: Mailbox[int] = Mailbox()
    assert box.take() is None
    box.put(1)
    box.put(2)
    assert (box.take(), box.take(), box.replaced) == (2, None, 1)


def test_waiting_ends_when_something_arrives_or_time_is_over() -> None:
    box: Mailbox[str] = Mailbox()
    assert box.wait(0.001) is None
    threading.Timer(0.01, box.put, ["picture"]).start()
    assert box.wait(120.0) == "picture"


def test_a_worker_that_fails_is_restarted_and_counted(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(workers, "BACKOFF", (0.001,))
    done = threading.Event()
    errors: list[BaseException] = []
    tries = 0

    def fails_twice(stop: threading.Event) -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise RuntimeError(f"try {tries}")
        done.set()
        stop.wait(120.0)

    worker = spawn("test", fails_twice, on_error=errors.append)
    assert done.wait(120.0)
    assert (worker.restarts, worker.error, [str(e) for e in errors]) == (2, "RuntimeError: try 2", ["try 1", "try 2"])
    assert worker.close(120.0)
    assert not worker.alive


def test_a_worker_that_may_fail_once_stays_dead() -> None:
    failed = threading.Event()

    def fails(stop: threading.Event) -> None:
        raise OSError("gone")

    worker = spawn("test", fails, restart=False, on_error=lambda e: failed.set())
    assert failed.wait(120.0)
    assert worker.close(120.0)
    assert worker.error == "OSError: gone"


def test_a_worker_that_is_stopped_before_it_begins_still_finishes_what_there_is() -> None:
    stops: list[bool] = []
    worker = Worker("late", lambda stop: stops.append(stop.is_set()))
    worker.stop.set()
    worker._run()
    assert stops == [True]


def test_a_worker_that_has_ended_keeps_nothing_of_what_it_did() -> None:
    class Owner:
        def __init__(self) -> None:
            self.worker = spawn("kept", self.work, on_error=self.fail)

        def work(self, stop: threading.Event) -> None:
            stop.wait(120.0)

        def fail(self, error: BaseException) -> None:
            """Never."""

    gc.disable()
    try:
        owner = Owner()
        worker, gone = owner.worker, weakref.ref(owner)
        assert worker.close(120.0)
        del owner
        assert gone() is None, "only the collector would have found it"
    finally:
        gc.enable()


def test_closing_says_when_a_worker_does_not_stop() -> None:
    let_go = threading.Event()
    worker = spawn("stubborn", lambda stop: let_go.wait(120.0) and None)
    assert not worker.close(timeout=0.01)
    let_go.set()
    assert worker.close(120.0)
