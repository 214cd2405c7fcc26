"""The parent process: it watches presented frames, and starts the show again when none come any more.

    perform run show.toml            the parent; the show itself is its child
    perform run show.toml --child    what the parent starts: beats on standard output, logs on standard error

A beat comes from a frame that was presented, not from a mere live thread. No beat for `patience` seconds: the child
is asked to end (SIGTERM), then made to (SIGKILL), and started again from its last parameter snapshot. A child that
keeps failing early is started fresh, without the snapshot; if that does not help either, the supervisor stops and
says so, unless a child has played well before: then it goes on trying once a minute. A clean quit stays quit. A show
with mistakes in it, or without a screen, is not tried again at the start, while somebody is there to read why; once
it has played it is looked at again until it can be played.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Protocol

from perform import workers
from perform.hours import Hours

log = logging.getLogger(__name__)

QUIT, FAILED, BAD_SHOW, NO_SCREEN, AGAIN = 0, 1, 2, 3, 4  # exit codes of a show; AGAIN asks for a new process
INTERRUPTED = 130
AGAIN_MOST = 2  # early failures of a graphics card until it is left alone
FINAL = (QUIT, BAD_SHOW, NO_SCREEN, INTERRUPTED)  # not tried again
WANTING = {BAD_SHOW: "its file has a mistake now", NO_SCREEN: "there is no screen now"}  # … unless it has played
BEAT, BYE = b".", b"q"  # what a child writes: a picture got out; it is closing, as it was asked to


class Child(Protocol):
    """A show that is playing in a process of its own."""

    @property
    def beats(self) -> int:
        """How many beats have come from it so far."""
        ...

    @property
    def closing(self) -> bool:
        """Whether it has said that it was quit and is closing: a long film takes a while to end."""
        ...

    def poll(self) -> int | None:
        """Its exit code, or None while it runs."""
        ...

    def terminate(self) -> None:
        """Ask it to end."""
        ...

    def kill(self) -> None:
        """Make it end."""
        ...


class Wall(Protocol):
    """The time the supervisor lives by."""

    def now(self) -> float:
        """Seconds, never decreasing."""
        ...

    def local(self) -> datetime:
        """The local time."""
        ...

    def sleep(self, seconds: float) -> None: ...


class MachineWall:
    """The machine's own time."""

    def now(self) -> float:
        return time.monotonic()

    def local(self) -> datetime:
        return datetime.now()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long, in seconds, and how often. `grace` is what a child has until its first picture."""

    silence: float = 10.0
    grace: float = 60.0
    farewell: float = 5.0
    closing: float = 120.0  # for a child that has said that it is closing
    healthy: float = 60.0  # a child that gave pictures for this long was no early failure
    fresh_after: int = 3  # early failures in a row until the snapshot is left out
    stop_after: int = 6  # … until the supervisor stops trying
    backoff: tuple[float, ...] = (0.0, 1.0, 2.0, 4.0, 8.0)
    wanting: tuple[float, ...] = (5.0, 10.0, 20.0, 40.0, 60.0)  # between looks at a show that cannot be played now


@dataclass(slots=True)
class Supervisor:
    """`spawn(resume)` starts a child, from its last snapshot if `resume`. `run` returns the exit code for the shell.

    `hours` says when it is open, None for day and night. It is asked all the time: whoever puts up a show changes them.
    """

    spawn: Callable[[bool], Child]
    wall: Wall = field(default_factory=MachineWall)
    patience: Patience = field(default_factory=Patience)
    hours: Callable[[], Hours | None] = lambda: None
    restarts: int = 0
    cards: bool = True  # False once graphics cards have failed too often: then worlds play on the CPU
    _stop: threading.Event = field(default_factory=threading.Event)

    def stop(self) -> None:
        """End the show and the supervisor: a clean quit. Any thread, and signal handlers."""
        self._stop.set()

    def run(self) -> int:
        """Play until the show is quit, or until it cannot be played."""
        early, looks, resume = 0, 0, False
        alone = steady = False  # nobody may be there to read why it ends; it has played for a while
        while not self._stop.is_set():
            if self._closed():
                if not alone:
                    log.info("outside the opening hours: nothing plays until then")
                alone = True
                self.wall.sleep(1.0)
                continue
            try:
                child = self.spawn(resume)
                code, why, pictures = self._watch(child)
                played = child.beats > 0
            except OSError as e:  # no memory, no process to be had: that may pass
                code, why, pictures, played = FAILED, f"could not be started ({e.strerror or e})", 0.0, False
            if self._stop.is_set():  # a signal to both may end the child before it can be asked to
                break
            if played:
                alone, looks = True, 0
            elif code in WANTING and alone:
                pause = self.patience.wanting[min(looks, len(self.patience.wanting) - 1)]
                log.warning("the show cannot be played: %s; looking again in %.0f s", WANTING[code], pause)
                looks += 1
                self._pause(pause)
                continue
            if code in FINAL:
                return QUIT if code == INTERRUPTED else code
            if code is None:  # closing time
                resume, early = False, 0
                continue
            healthy = pictures >= self.patience.healthy  # not its age: the wait for a first picture is as long
            steady |= healthy
            early = 0 if healthy else early + 1
            if early >= self.patience.stop_after and not steady:
                log.error("the show failed %d times in a row (last: %s); not trying again", early, why)
                return FAILED
            if code == AGAIN and early >= AGAIN_MOST and self.cards:
                self.cards = False
                log.error("the graphics card failed %d times in a row; the worlds play on the CPU from now on", early)
            resume = early < self.patience.fresh_after
            log.warning("the show %s; starting it again %s", why, "where it was" if resume else "from the beginning")
            self.restarts += 1
            often = early >= self.patience.stop_after
            self._pause(60.0 if often else self.patience.backoff[min(early, len(self.patience.backoff) - 1)])
        return QUIT

    def _closed(self) -> bool:
        return (hours := self.hours()) is not None and self.wall.local() not in hours

    def _pause(self, seconds: float) -> None:
        until = self.wall.now() + seconds
        while not self._stop.is_set() and self.wall.now() < until:
            self.wall.sleep(0.1)

    def _watch(self, child: Child) -> tuple[int | None, str, float]:
        """(exit code, why, seconds from its first picture to its last) of this child; code None: it was closing time.
        FAILED if it had to be ended.
        """
        beats, last = 0, self.wall.now()
        first = last  # picture; until there is one, both are its birth
        while (code := child.poll()) is None:
            if self._stop.is_set():
                self._end(child)
                return QUIT, "was quit", last - first
            if self._closed():
                log.info("closing time")
                self._end(child)
                return None, "closed", last - first
            now = self.wall.now()
            if child.beats != beats:
                first = first if beats else now
                beats, last = child.beats, now
            elif child.closing:
                if now - last > self.patience.closing:
                    self._end(child, 0.0)
                    return QUIT, "did not close", last - first
            elif now - last > (self.patience.silence if beats else self.patience.grace):
                log.error("no picture for %.0f seconds, ending the show", now - last)
                self._end(child)
                return FAILED, f"gave no picture for {now - last:.0f} seconds", last - first
            self.wall.sleep(0.1)
        # what dies while it closes was quit all the same
        return (QUIT if child.closing else code), _words(code), last - first

    def _end(self, child: Child, closing: float | None = None) -> None:
        """SIGTERM, some seconds (for one that says that it is closing a film, two minutes), SIGKILL."""
        child.terminate()
        began = self.wall.now()
        closing = self.patience.closing if closing is None else closing
        while child.poll() is None:
            if self.wall.now() - began >= (closing if child.closing else self.patience.farewell):
                break
            self.wall.sleep(0.05)
        if child.poll() is None:
            child.kill()
            while child.poll() is None:
                self.wall.sleep(0.05)


def _words(code: int) -> str:
    if code == AGAIN:
        return "asked for a new process"
    return f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"


class Process:
    """A child as a real process. Its standard output carries the beats: one byte for each, and one for goodbye."""

    def __init__(self, command: Sequence[str]) -> None:
        self.beats = 0
        self.closing = False
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        self._worker = workers.spawn("beats", self._listen, restart=False)

    @property
    def pid(self) -> int:
        return self._process.pid

    def _listen(self, stop: threading.Event) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as pipe:
            while data := os.read(pipe.fileno(), 4096):
                self.beats += data.count(BEAT)
                self.closing |= BYE in data

    def poll(self) -> int | None:
        return self._process.poll()

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()


class Beats:
    """The child's end: writes a byte to the supervisor for presented frames, at most ten a second.

    `on_beat` is for `Health`. Never blocks for long: the pipe holds hours of beats. When the supervisor is gone
    `orphaned` is set, and the show ends: two shows on one port would be worse than none.
    """

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._next = 0.0
        self.orphaned = False

    @classmethod
    def take_stdout(cls) -> Beats:
        """Keep standard output for beats; whatever else is printed goes to standard error from now on."""
        pipe = os.fdopen(os.dup(1), "wb", buffering=0)
        os.dup2(2, 1)
        sys.stdout = sys.stderr
        return cls(pipe)

    def on_beat(self, now: float) -> None:
        wall = time.monotonic()
        if wall < self._next or self.orphaned:
            return
        self._next = wall + 0.1
        self._write(BEAT)

    def say_goodbye(self) -> None:
        """The show was quit and closes now: what silence follows is no trouble."""
        self._write(BYE)

    def _write(self, byte: bytes) -> None:
        try:
            self._pipe.write(byte)
        except OSError:
            self.orphaned = True
            log.error("the supervisor is gone; ending the show")


def command(arguments: Sequence[str], snapshot: Path, resume: bool, cards: bool = True) -> list[str]:
    """The command line of a child for these arguments of `perform run`; `cards`: whether it may use graphics cards."""
    checkout = Path(__file__).parents[1].resolve() == Path.cwd().resolve()
    python = [sys.executable] if checkout else [sys.executable, "-P"]  # a random.py in this folder is not Python's
    child = [*python, "-m", "perform", "run", *arguments, "--child", "--snapshot", str(snapshot)]
    child += [] if cards or "--no-gpu" in child else ["--no-gpu"]
    return [*child, "--resume"] if resume else child
