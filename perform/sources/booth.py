"""Two projectors that change over without a gap. Used by one worker."""

from __future__ import annotations

import contextlib
from pathlib import Path

from perform.sources.playhead import SLACK
from perform.sources.projector import Projector, Still


class Booth:
    """Two projectors and a changeover: while one plays, the other one waits at the start with its first frame lit.

    So a loop has no gap, and no frame is decoded twice. The second one is opened only for loops.
    """

    def __init__(self, path: Path, start: float, loop: bool) -> None:
        self._start = start
        self.loop = loop
        self.front = Projector(path)
        self._spare: Projector | None = None
        self._path = path

    @property
    def start(self) -> float:
        """Where it plays from: as wished, or from 0 if the film ends before that."""
        return self._start if self.end is None or self.end > self._start else 0.0

    @property
    def end(self) -> float | None:
        """Where the film really ends, once somebody has been there; before, what the file says."""
        known = [p.end for p in (self.front, self._spare) if p is not None and p.end is not None]
        return known[0] if known else self.front.length

    @property
    def damaged(self) -> int:
        return self.front.damaged + (self._spare.damaged if self._spare else 0)

    @property
    def read(self) -> int:
        """Packets read so far. Any thread."""
        return self.front.read + (spare.read if (spare := self._spare) else 0)

    def at(self, t: float, backwards: bool = False) -> Still:
        """The frame on screen at `t` seconds. Raises NoFilm, av.FFmpegError."""
        here, spare = self.front.current, self._spare
        wrapped = here is not None and not backwards and t < here.time - SLACK
        if wrapped and spare is not None and spare.current is not None and spare.current.time <= t + SLACK:
            self.front, self._spare = spare, self.front
        return self.front.at(t, backwards)

    def prepare(self) -> bool:
        """Bring the waiting projector one frame closer to the start; False when there is nothing left to do."""
        if not self.loop or self.front.current is None:
            return False
        if self._spare is None:
            self._spare = Projector(self._path)
        self._spare.cue(self.start)
        if self._spare.ready(self.start):
            return False
        self._spare.step(self.start)
        return True

    def close(self) -> None:
        self.front.close()
        if self._spare is not None:
            with contextlib.suppress(OSError):
                self._spare.close()
