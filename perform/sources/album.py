"""An album's worker: loads the pictures that will be shown next, and notices new ones."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from perform.sources.decoding import Pixels
from perform.sources.stills import Fit, NoPicture, listing, load, ordered
from perform.workers import Mailbox, spawn

LOOK = 2.0  # seconds between looks at the folder


@dataclass(frozen=True, slots=True)
class Print:
    """A loaded picture. `fresh`: the file itself has changed, show it at once. `note`: what else was found out.

    `skipped`: how many that come before it cannot be read; the picture has a number so much higher than was asked for.
    """

    path: Path
    pixels: Pixels
    fresh: bool = False
    note: str = ""
    skipped: int = 0


class Album:
    """A file or a folder of pictures and the worker that loads them. `wait` aside, nothing here blocks.

    `count` is how many pictures there are, `failed` a sentence while there is none that can be shown. `room`
    (width, height) is what a picture must be able to fill, `fit` how. `say(text, trouble)` is called from the worker.
    """

    def __init__(
        self,
        name: str,
        path: Path,
        room: tuple[int, int],
        fit: Fit,
        shuffle: bool,
        say: Callable[[str, bool], None],
    ) -> None:
        self.path = path
        self.count = 0
        self.failed = ""
        self._room = room
        self._fit: Fit = fit
        self._shuffle = shuffle
        self._say = say
        self._wants: Mailbox[int] = Mailbox()
        self._prints: Mailbox[Print] = Mailbox()
        self._idle = threading.Condition()
        self._open = 0  # questions without an answer
        self._want: int | None = None  # what was asked for and is not there yet
        self._asked = 0  # what was asked for last
        self._worker = spawn(name, self._run, on_error=self._broken)

    # ------------------------------------------------------------------ render thread
    def ask(self, ordinal: int) -> None:
        """Ask for picture number `ordinal`, counted from 0 and on over the laps; or the next one that can be read."""
        with self._idle:
            self._open += 1
        self._wants.put(ordinal)

    def take(self) -> Print | None:
        """The picture that was asked for, once; None while it is loading."""
        return self._prints.take()

    def wait(self, seconds: float) -> None:
        """Wait until what was asked for is loaded or cannot be (offline rendering only)."""
        with self._idle:
            self._idle.wait_for(lambda: not self._open or bool(self.failed), seconds)

    def close(self) -> None:
        """Ask the worker to stop; a large picture may keep it a little longer than this call takes."""
        self._worker.stop.set()
        self._wants.put(-1)
        self._worker.close(0.5)

    # ------------------------------------------------------------------ worker
    def _run(self, stop: threading.Event) -> None:
        shown: tuple[Path, float] | None = None
        while not stop.is_set():
            new = self._wants.wait(LOOK)
            if new is not None:
                self._want = self._asked = new
            if stop.is_set():
                return
            try:
                paths = listing(self.path)
                self.count = len(paths)
                back = self._want is None and bool(self.failed)  # the same picture may be there again
                if self._want is not None or back:
                    shown = self._load(ordered(paths, self._asked, self._shuffle), fresh=back and len(paths) == 1)
                    self._want = None
                elif shown and len(paths) == 1 and (paths[0], paths[0].stat().st_mtime) != shown:
                    shown = self._load(paths, fresh=True)
            except OSError as e:  # NoPicture, or a folder that is being changed
                self._say(f"{e}; looking again every {LOOK:g} s", True)  # first: who sees that it failed may ask why
                self._settle(str(e))

    def _load(self, paths: list[Path], fresh: bool) -> tuple[Path, float]:
        """Deliver the first of these that can be read. A path may come twice, and is tried once. Raises NoPicture."""
        unreadable: dict[Path, str] = {}
        for skipped, path in enumerate(paths):
            if path in unreadable:
                continue
            try:
                changed = path.stat().st_mtime
                note = f"; {next(iter(unreadable.values()))}" if unreadable else ""
                picture = Print(path, load(path, self._room, self._fit), fresh, note, skipped)
            except NoPicture as e:
                unreadable[path] = str(e)
                continue
            self.failed = ""  # before the picture: who sees that may ask whether any is missing
            self._prints.put(picture)
            self._settle("")
            return path, changed
        raise NoPicture(next(iter(unreadable.values())))

    def _broken(self, error: BaseException) -> None:
        self._say(str(error), True)
        self._settle(str(error))

    def _settle(self, failed: str) -> None:
        with self._idle:
            self.failed = failed
            self._open = 0 if not failed else self._open
            self._idle.notify_all()
