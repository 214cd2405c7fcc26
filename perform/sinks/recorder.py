"""The recorder: what is on show, as a film. Encoding is a worker's; only an offline render waits for it."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from perform.clock import FixedClock
from perform.finding import expanded
from perform.frame import Frame
from perform.gl.transfer import Pixels
from perform.health import Status
from perform.plugins import Closing, Stage
from perform.sinks.film import KINDS, Film, FilmError, keep, length
from perform.sinks.prints import Prints
from perform.workers import spawn

WAITING = 4  # pictures between the show and the encoder, no more: memory is bounded, and drops are counted
Preset = Literal["auto", "ultrafast", "superfast", "veryfast", "faster", "fast", "medium"]


@dataclass
class Recorder(Closing):
    """`type = "recorder"`. H.264 in `file` (.mp4, .mov or .mkv, relative to show.toml), `fps` 0 for the show's own.

    `crf` is x264's quality (0 best, 51 worst), `preset` its speed (auto: ultrafast live, veryfast offline). Live, a
    picture that finds four waiting is `dropped`, and times stay true; with a fixed clock every frame is in the film.
    A kill loses two seconds; a full disk ends the film with one sentence, and what is there plays. An older film
    of that name is kept under a number ("film 2.mp4").
    On the render thread: a resolve pass and a readback for each frame of the film.
    """

    file: str = "out/film.mp4"
    fps: float = 0.0
    crf: int = 18
    preset: Preset = "auto"
    dropped: int = 0

    def __post_init__(self) -> None:
        if Path(self.file).suffix.lower() not in KINDS:
            raise ValueError(f"file = {self.file!r} is no film that can be written: .mp4, .mov or .mkv")
        if not 0 <= self.crf <= 51:
            raise ValueError(f"crf = {self.crf} is not from 0 (best) to 51 (worst)")
        if self.fps < 0.0:
            raise ValueError(f"fps = {self.fps:g} is below 0; 0 is the show's own")

    def declare(self, stage: Stage) -> None:
        """The status."""
        Status(stage.params, f"/status{stage.prefix}")

    def open(self, stage: Stage) -> Self:
        """Render thread. Raises FilmError (an OSError) with one sentence if the file cannot be written at all."""
        self._clock = stage.clock
        self._exact = isinstance(stage.clock, FixedClock)
        self._rate = self.fps or stage.fps
        self._early = 0.5 * min(1.0, self._rate / stage.fps)
        self._path = stage.folder / expanded(self.file)
        self._status = Status(stage.params, f"/status{stage.prefix}")
        older = keep(self._path)
        width, height = (max(2, side - side % 2) for side in stage.size)  # H.264's 4:2:0 wants even sides
        preset = ("veryfast" if self._exact else "ultrafast") if self.preset == "auto" else self.preset
        self._film = Film(self._path, (width, height), self._rate, self.crf, preset)
        self._prints = Prints(width, height, stage.software)
        self._queue: queue.Queue[tuple[Pixels, float]] = queue.Queue(WAITING)
        self._times: deque[float] = deque()
        self._first: float | None = None
        self._slot = -1
        self._broken = False
        self._closed = False
        self._status.say(f"recording {self._path.name}" + (f"; the one before is now {older.name}" if older else ""))
        self._worker = spawn("recorder", self._run, restart=False, on_error=self._failed)
        return self

    @property
    def broken(self) -> bool:
        """Whether the film ended before the show did."""
        return self._broken

    # ------------------------------------------------------------------ render thread
    def show(self, picture: Frame) -> None:
        """Take the picture if one is due at the film's rate. Render thread."""
        if self._broken or self._closed:
            return
        now = self._clock.now()
        self._first = now if self._first is None else self._first
        slot = self._due((now - self._first) * self._rate)
        if slot == self._slot:
            return
        self._slot = slot
        self._times.append(slot / self._rate)
        self._put(self._prints.read(picture))

    def _due(self, frames: float) -> int:
        """The frame of the film that a picture is for which comes so many frames after the first one.

        Live, a picture may come half a picture early or half a frame late and still follows the one before: however
        its time lies on the film's grid, a millisecond to and fro must not put two in one place and none in the next.
        """
        if self._exact:
            return max(self._slot, int(frames + 1e-6))
        return self._slot if frames < self._slot + 1 - self._early else max(self._slot + 1, int(frames - 0.5))

    def _put(self, pixels: Pixels | None) -> None:
        if pixels is None:
            return
        item = (pixels, self._times.popleft())
        while True:
            try:
                self._queue.put(item, block=self._exact, timeout=0.5)
                return
            except queue.Full:
                if not self._exact or not self._worker.alive:
                    self.dropped += 1
                    return

    def close(self) -> None:
        """End the film: wait for what is on its way, and for the index. Render thread; twice is allowed."""
        if self._closed:
            return
        self._closed = True
        if self._times and not self._broken:
            self._exact = True  # the last pictures are waited for
            self._put(self._prints.flush())
        self._worker.close(120.0)
        self._prints.close()

    # ------------------------------------------------------------------ worker
    def _run(self, stop: threading.Event) -> None:
        try:
            while True:
                stopping = stop.is_set()  # looked at first: what was put before the stop still comes
                try:
                    pixels, seconds = self._queue.get(timeout=0.001 if stopping else 0.1)
                except queue.Empty:
                    if stopping:
                        break
                    continue
                self._film.add(pixels, seconds)
            self._film.close()
        except FilmError as e:
            self._broken = True
            self._end(e)
            return
        left_out = f", {self.dropped} left out" if self.dropped else ""
        self._status.say(f"wrote {self._path.name}: {self._film.frames} frames{left_out}")

    def _end(self, error: FilmError) -> None:
        """After trouble: close what is there, so that it plays."""
        with contextlib.suppress(FilmError):  # the sentence for the first trouble says it all
            self._film.close(whole=False)
        seconds = length(self._path)
        kept = f"{seconds:.1f} s of it are in {self._path}" if seconds > 0.0 else "nothing of it could be kept"
        self._status.say(f"{error}; {kept}; the show goes on", trouble=True)

    def _failed(self, error: BaseException) -> None:
        self._broken = True
        self._end(FilmError(f"recording stopped: {error}"))
