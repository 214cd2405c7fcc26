"""A film's worker: asked for a time, it answers with the picture for that time, and winds ahead while it is idle."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from perform.files import Stamp, stamp
from perform.sources.booth import Booth
from perform.sources.decoding import Converter, Pixels, errors
from perform.sources.projector import NoFilm, Still
from perform.workers import BACKOFF, Mailbox, spawn

IDLE = 0.25  # seconds between looks at whether to stop
LOOK = 2.0  # seconds between looks at the file


@dataclass(frozen=True, slots=True)
class Want:
    """What the render thread asks for: the frame on screen at `time` seconds of film."""

    number: int
    time: float
    backwards: bool


class Film:
    """Plays one file in one worker. All public methods belong to the render thread and never block, except `wait`.

    `start` is where it plays from (0 if the wish lies beyond its end), `end` where it ends (None until known), in
    seconds of film, `failed` a sentence while the file gives nothing.
    `say(text, trouble)` is called from the worker.
    """

    def __init__(self, name: str, path: Path, start: float, loop: bool, say: Callable[[str, bool], None]) -> None:
        self.path = path
        self.start = start
        self.end: float | None = None
        self.failed = ""
        self._start = start
        self._loop = loop
        self._say = say
        self._wants: Mailbox[Want] = Mailbox()
        self._pictures: Mailbox[Pixels] = Mailbox()
        self._asked = 0
        self._answered = 0
        self._booth: Booth | None = None
        self._answer = threading.Condition()
        self._last: Still | None = None
        self._worker = spawn(name, self._run, on_error=lambda e: self._fail(str(e)))

    # ------------------------------------------------------------------ render thread
    def ask(self, time: float, backwards: bool = False) -> None:
        """Ask for the frame at `time` seconds of film; replaces a question that is not yet answered."""
        self._asked += 1
        self._wants.put(Want(self._asked, time, backwards))

    def take(self) -> Pixels | None:
        """The newest picture, if there is one that was not taken: (height, width, 4), bottom-up."""
        return self._pictures.take()

    @property
    def idle(self) -> bool:
        """Whether every question has its answer."""
        return self._answered >= self._asked

    @property
    def signs(self) -> tuple[int, int]:
        """Signs of life: other ones whenever a question was answered, or something was read on the way to an answer."""
        booth = self._booth
        return self._answered, booth.read if booth is not None else 0

    def wait(self, seconds: float) -> bool:
        """Wait for the answer to the last question (offline rendering only); False if there will be none."""
        with self._answer:
            done = self._answer.wait_for(lambda: self._answered >= self._asked or bool(self.failed), seconds)
        return done and not self.failed

    def close(self) -> None:
        """Ask the worker to stop; it is not waited for longer than the decoding of a frame should take."""
        self._worker.stop.set()
        self._wants.put(Want(0, 0.0, False))  # wakes it
        self._worker.close(0.5)

    # ------------------------------------------------------------------ worker
    def _run(self, stop: threading.Event) -> None:
        tries = 0
        while not stop.is_set():
            opened = stamp(self.path)
            try:
                booth = self._booth = Booth(self.path, self._start, self._loop)
            except NoFilm as e:
                wait = BACKOFF[min(tries, len(BACKOFF) - 1)]
                tries += 1
                self._fail(f"{e}; trying again in {wait:g} s")
                stop.wait(wait)
                continue
            try:
                self._show(booth, opened, stop)
                tries = 0  # over, or another film lies there now
            except errors() as e:
                self._fail(f"{self.path.name} stopped: {e}; trying again in {BACKOFF[-1]:g} s")
                stop.wait(BACKOFF[-1])
            finally:
                self._booth = None
                booth.close()

    def _fail(self, sentence: str) -> None:
        self._say(sentence, True)  # first: who sees that it failed may ask why
        with self._answer:
            self.failed = sentence
            self._answer.notify_all()

    def _show(self, booth: Booth, opened: Stamp | None, stop: threading.Event) -> None:
        """Until told to stop, or until another file lies there whole: seen twice the same."""
        convert = Converter()
        self._last = None
        seen, look = opened, time.monotonic() + LOOK
        while not stop.is_set():
            if time.monotonic() >= look:
                before, seen, look = seen, stamp(self.path), time.monotonic() + LOOK
                if seen is not None and seen == before != opened:
                    return
            want = self._wants.take()
            if want is None and booth.prepare():
                continue
            want = want or self._wants.wait(IDLE)
            if want is None or stop.is_set():
                continue
            still = booth.at(want.time, want.backwards)
            self.start, self.end = booth.start, booth.end
            picture = convert(still.frame, booth.front.aspect) if still is not self._last else None
            self.failed = ""  # before the picture: who sees that may ask how the film is
            self._say(self._sentence(booth), booth.start < self._start)
            if picture is not None:
                self._last = still
                self._pictures.put(picture)
            with self._answer:
                self._answered = want.number
                self._answer.notify_all()

    def _sentence(self, booth: Booth) -> str:
        width, height = booth.front.size
        rate = f"{booth.front.rate:.2f}".rstrip("0").rstrip(".")
        text = f"playing {self.path.name}, {width}×{height} at {rate}"
        if booth.damaged:
            text += "; the file is damaged, what cannot be decoded is skipped"
        if booth.start < self._start:
            text += f"; start = {self._start:g} s lies beyond its end at {booth.end:.1f} s: it plays from 0"
        declared, end = booth.front.length, booth.front.end
        if declared and end is not None and end < declared - 0.5:
            text += f"; it ends after {end:.1f} s instead of {declared:.1f} s"
        return text
