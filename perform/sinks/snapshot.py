"""Stills: a PNG of what is on show, and beside it a .toml with every parameter, ready to be pasted in as a cue."""

from __future__ import annotations

import datetime
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from perform.clock import FixedClock
from perform.finding import expanded
from perform.frame import Frame
from perform.gl.transfer import Pixels
from perform.health import Status
from perform.params import Spec, Value
from perform.plugins import Closing, Stage
from perform.sinks.prints import Prints
from perform.spec import toml
from perform.workers import Mailbox, spawn

TAKE = "/snapshot"


@dataclass(frozen=True, slots=True)
class Still:
    """A picture on its way to the disk."""

    pixels: Pixels
    time: float  # show time in seconds
    values: Mapping[str, Value]


@dataclass
class Snapshot(Closing):
    """`type = "snapshot"`. Each `/snapshot` leaves `<folder>/<date> <time> at <show time>.png` and a .toml beside it.

    `at` are show times (seconds) at which one is taken by itself. Nothing is ever overwritten. On the render thread
    one readback per still; PNG and disk are a worker's. A still that comes while one is being written is `dropped`,
    unless the clock is fixed: then it is waited for.
    """

    folder: str = "out"
    at: tuple[float, ...] = ()
    dropped: int = 0

    def __post_init__(self) -> None:
        if never := [time for time in self.at if time < 0.0]:
            raise ValueError(f"at = {never[0]:g} never comes: show times are seconds from 0 on")

    def declare(self, stage: Stage) -> None:
        """The trigger and the status."""
        stage.params.declare(TAKE, Spec("trigger", doc="A still and its parameters, to disk."))
        Status(stage.params, f"/status{stage.prefix}")

    def open(self, stage: Stage) -> Self:
        """Render thread."""
        self.declare(stage)
        self._stage = stage
        self._folder = stage.folder / expanded(self.folder)
        self._take = stage.params[TAKE]
        self._status = Status(stage.params, f"/status{stage.prefix}")
        self._due = sorted(self.at)
        self._prints: Prints | None = None
        self._pending: tuple[float, Mapping[str, Value]] | None = None
        self._box: Mailbox[Still] = Mailbox()
        self._busy = threading.Event()
        self._exact = isinstance(stage.clock, FixedClock)
        self._worker = spawn("snapshot", self._run)
        return self

    def show(self, picture: Frame) -> None:
        """Render thread; costs nothing unless a still is due."""
        if self._pending is not None and self._prints is not None:  # through PBOs the picture comes a frame later
            self._hand_over(self._prints.flush())
        now = self._stage.clock.now()
        due = bool(self._take.fired)
        while self._due and now >= self._due[0] - 1e-9:
            self._due.pop(0)
            due = True
        if not due:
            return
        if self._busy.is_set() and not self._exact:
            self.dropped += 1
            self._status.say("a still was left out: the one before is still being written", trouble=True)
            return
        width, height = picture.size
        if self._prints is None or (self._prints.width, self._prints.height) != (width, height):
            self._close_prints()
            self._prints = Prints(width, height, self._stage.software)
        self._pending = (now, self._stage.params.snapshot())
        self._hand_over(self._prints.read(picture))

    def _hand_over(self, pixels: Pixels | None) -> None:
        if pixels is None or self._pending is None:
            return
        while self._exact and self._busy.is_set() and self._worker.alive:
            self._worker.stop.wait(0.002)
        self._busy.set()
        self._box.put(Still(pixels, *self._pending))
        self._pending = None

    def _close_prints(self) -> None:
        if self._prints is not None:
            self._prints.close()
            self._prints = None

    def close(self) -> None:
        """Write what is still to be written. Render thread; twice is allowed."""
        if self._pending is not None and self._prints is not None:
            self._hand_over(self._prints.flush())
        self._close_prints()
        self._worker.close(10.0)

    # ------------------------------------------------------------------ worker
    def _run(self, stop: threading.Event) -> None:
        while True:
            stopping = stop.is_set()  # looked at first: what was put before the stop is still written
            still = self._box.wait(0.0 if stopping else 0.1)
            if still is None:
                if stopping:
                    return
                continue
            try:
                self._status.say(f"wrote {write(self._folder, still, datetime.datetime.now())}")
            except OSError as e:
                self._status.say(f"a still could not be written: {e.strerror or e}", trouble=True)
            finally:
                self._busy.clear()


def write(folder: Path, still: Still, date: datetime.datetime) -> Path:
    """Write the PNG and its .toml under a name that is not taken; returns the PNG's path. Raises OSError."""
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    minutes, seconds = divmod(still.time, 60.0)
    name = f"{date:%Y-%m-%d %H.%M.%S} at {int(minutes):02d}m{seconds:06.3f}s"
    for number in range(1, 10_000):
        path = folder / f"{name}{f' {number}' if number > 1 else ''}.png"
        try:
            file = path.open("xb")
        except FileExistsError:
            continue
        break
    else:
        raise OSError(f"there are too many stills called {name}")
    try:
        with file:
            Image.fromarray(still.pixels[::-1, :, :3].copy()).save(file, "PNG", compress_level=3)
        path.with_suffix(".toml").write_text(preset(path.name, still), "utf-8")
    except OSError:
        for half in (path, path.with_suffix(".toml")):
            half.unlink(missing_ok=True)
        raise
    return path


def preset(name: str, still: Still) -> str:
    """Every parameter as a TOML cue of its own, so that the moment can be called up again."""
    called = "still-" + "-".join(re.findall(r"[A-Za-z0-9]+", Path(name).stem))  # a cue's name becomes an address
    lines = [f"# {name}: show time {still.time:.3f} s", "[[cue]]", f"name = {toml(called)}", "fade = 2.0", ""]
    lines += ["[cue.set]", *(f"{toml(address)} = {toml(value)}" for address, value in still.values.items())]
    return "\n".join(lines) + "\n"
