"""A film from a file: looped without a gap, at any speed, scrubbed; with a fixed clock the same twice.

Speeds below zero are approximate: smooth within the frames kept in memory (2 s at 720p) and where the film has
key frames often; between those the picture holds while the decoder goes back.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Self

from perform.clock import FixedClock
from perform.finding import expanded
from perform.frame import Frame
from perform.health import Status
from perform.params import Param, Spec
from perform.plugins import Closing, Stage
from perform.sources.canvas import Canvas, Picture
from perform.sources.film import Film
from perform.sources.playhead import Playhead
from perform.sources.sizes import check_range

SPEED = -4.0, 4.0  # times normal
HANGS = 2.0  # seconds without a sign of life: on a busy machine the next packet may take a while, too
PATIENCE = 30.0  # seconds an offline render waits for one frame before it goes on with the last good one


@dataclass
class Video(Closing):
    """`type = "video"`. `file` is relative to show.toml; `start` and `end` are seconds of film (end 0: all of it).

    Live: `speed` (-4..4), `position` (0..1, a jump each time it changes), `play`; the triggers `jump` (to `position`,
    again) and `restart`. `lost` while there is no picture to give, or once none has come for `grace` seconds because
    the file is gone or broken, or its disk hangs (`HANGS` seconds at least). On the render thread it costs one upload
    per new frame (720p: 0.09 ms on llvmpipe). With a live clock the frame shown is the one for now within 1/fps; with a
    fixed clock it is exactly the one for now, and `frame` waits for it.
    """

    file: str
    start: float = 0.0
    end: float = 0.0
    speed: float = 1.0
    loop: bool = True
    grace: float = 2.0

    def __post_init__(self) -> None:
        check_range("speed", self.speed, *SPEED)
        if re.match(r"[a-z]{2,}://", self.file, re.IGNORECASE):
            raise ValueError(f'file: a stream is a camera: type = "camera", device = "{self.file}"')
        if self.start < 0.0 or self.end < 0.0:
            raise ValueError(f"start = {self.start:g}, end = {self.end:g}: seconds of film are not below 0")
        if 0.0 < self.end <= self.start:
            raise ValueError(f"end = {self.end:g} must come after start = {self.start:g}; 0 is the end of the film")

    def open(self, stage: Stage) -> Self:
        """Render thread. A bad file is no error here: the status says what is wrong, and it is tried again."""
        path = stage.folder / expanded(self.file)
        self._status = Status(stage.params, f"/status{stage.prefix}")
        self._declare(stage)
        self._canvas = Canvas(stage)
        self._head = Playhead(self.start, self.end or math.inf, self.loop)
        self._film = Film(f"video {stage.prefix}", path, self.start, self.loop, self._status.say)
        self._exact = isinstance(stage.clock, FixedClock)
        self._slot = 1.0 / stage.fps
        self._now = -math.inf
        self._good = stage.clock.now()  # show time when the film was last well
        self._signs = self._film.signs
        self._jumped = 0.0
        return self

    def _declare(self, stage: Stage) -> None:
        def declare(name: str, spec: Spec) -> Param:
            return stage.params.declare(f"{stage.prefix}/{name}", spec)

        doc = "Times normal speed; below zero backwards, as smoothly as the film's key frames allow."
        self._speed = declare("speed", Spec("float", self.speed, *SPEED, unit="x", doc=doc))
        doc = "A jump to this share of the way from start to end, each time it changes."
        self._position = declare("position", Spec("float", 0.0, 0.0, 1.0, doc=doc))
        self._play = declare("play", Spec("bool", True, doc="Off: the picture stands still, and can be scrubbed."))
        self._jump = declare("jump", Spec("trigger", doc="To position, again."))
        self._leapt = self._jump.serial
        self._restart = declare("restart", Spec("trigger", doc="From the start, now."))
        self._restarted = self._restart.serial  # how often it had been fired when the film was last sent back

    @property
    def lost(self) -> bool:
        """Whether the film gives nothing: at once if it never did, after `grace` seconds otherwise."""
        if self._film.failed:
            return self._now - self._good >= (self.grace if self._canvas.frame.serial else 0.0)
        return self._canvas.frame.serial > 0 and self._now - self._good >= max(self.grace, HANGS)

    def frame(self, now: float) -> Frame:
        """The picture for show time `now`; the last good one if the film cannot give it. Render thread."""
        if now == self._now:
            return self._canvas.frame
        self._now = now
        self._listen(now)
        self._ask(now)
        pixels = self._film.take()
        if pixels is None:
            return self._canvas.frame
        self._good = now
        return self._canvas.show(Picture(pixels, now))

    def _listen(self, now: float) -> None:
        """See how the film is, by what it was asked before: while nobody looks at it, nobody misses an answer."""
        signs = self._film.signs
        alive = self._film.idle or signs != self._signs
        self._signs = signs
        if alive and not self._film.failed:
            self._good = now
        elif not self._film.failed and self.lost:
            silence = f"lost: {self._film.path.name} gives nothing more, its disk may hang"
            self._status.say(silence, trouble=True)

    def _ask(self, now: float) -> None:
        rate = float(self._speed.value) if self._play.value else 0.0
        head = self._head
        here = head.at(now, rate)
        self._know_the_end()
        if self._restart.serial != self._restarted:  # not `fired`: that is over when a film out of sight is seen again
            self._restarted = self._restart.serial
            self._settle_jump()  # one that still waits for the end is out of date, too
            head.restart()
        elif (self._position.value, self._jump.serial) != (self._jumped, self._leapt) and math.isfinite(head.end):
            self._settle_jump()
            head.jump(self._jumped)
        if not self._exact:
            return self._film.ask(head.ahead(self._slot), rate < 0)
        for _ in range(2):  # a second time if the first answer told that the film ends earlier
            here = head.at(now, rate)
            self._film.ask(here, rate < 0)
            if not self._film.wait(PATIENCE) or not self._know_the_end():
                return None
        return None

    def _settle_jump(self) -> None:
        self._jumped, self._leapt = float(self._position.value), self._jump.serial

    def _know_the_end(self) -> bool:
        """Take over where the film starts and ends; True if that was news."""
        known, wished = self._film.end, self.end or math.inf
        end = min(known, wished) if known is not None else wished
        if (self._film.start, end) == (self._head.start, self._head.end):
            return False
        self._head.start, self._head.end = self._film.start, end
        return True

    def close(self) -> None:
        """Render thread; twice is allowed."""
        self._film.close()
        self._canvas.close()
