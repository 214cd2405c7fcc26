"""Engines that work in host memory: read the small picture back, let a worker run the network, upload what it dreamt.

    render thread:  submit -> read back -> inbox        newest <- upload <- outbox
    worker:                               inbox -> flip -> run -> flip -> outbox

Pictures are bottom-up on the render thread and top-down in the network; the worker flips both ways. The latest
picture wins: one that has not been started is replaced.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from perform.engines.dreamer import Dreamer, Task
from perform.engines.generator import Shape, Venue
from perform.engines.trial import Run, fit
from perform.frame import Frame
from perform.gl.target import Texture
from perform.gl.transfer import Pixels, Readback, Upload
from perform.plugins import EngineError


@dataclass(slots=True)
class HostGenerator:
    """A network in host memory. `session` makes a Run for one engine, in that engine's worker thread.

    One dreamer is kept ready for the next engine: starting a thread on a busy machine can cost a frame.
    """

    session: Callable[[], Run] | None
    shape: Shape
    mood: int  # numbers in its mood vector; 0: it takes none
    nbytes: int
    note: str
    _ready: Dreamer | None = field(default=None, init=False, repr=False)
    _leaving: list[Dreamer] = field(default_factory=list, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def prepare(self) -> None:
        """See `generator.Generator`."""
        if self.session is not None and self._ready is None:
            self._ready = Dreamer(self.session)

    def open(self, venue: Venue) -> HostEngine:
        """See `generator.Generator`."""
        if self.session is None:
            raise EngineError("this world has been put away")
        with self._lock:
            ready, self._ready = (self._ready, None) if not venue.synchronous else (None, self._ready)
        dreamer = ready if ready is not None and ready.sound else Dreamer(self.session, venue.synchronous)
        dreamer.fps = venue.fps
        try:
            return HostEngine(dreamer, self.shape, self.mood, venue, self._return)
        except BaseException:
            self._return(dreamer)
            raise

    def _return(self, dreamer: Dreamer) -> None:
        """An engine has been closed: keep its dreamer for the next one, or let it go."""
        with self._lock:
            if self.session is not None and self._ready is None and dreamer.sound:
                self._ready = dreamer
                return
            self._leaving = [d for d in self._leaving if d.worker is not None and d.worker.alive]
            self._leaving.append(dreamer)
        dreamer.stop()

    def close(self) -> None:
        """See `generator.Generator`. Waits for the last dreams of engines that have been closed."""
        with self._lock:
            self.session = None
            leaving, self._leaving = self._leaving, []
            if self._ready is not None:
                leaving.append(self._ready)
                self._ready = None
        for dreamer in leaving:
            dreamer.part()


class HostEngine:
    """Runs one network in a worker thread of its own. Memory: two textures, and three pictures in flight.

    Render thread for all calls. Cost of `submit` on a software rasteriser: a readback (0.03 ms at 512² once the
    picture is drawn); of `newest`: an upload when there is a new dream, otherwise nothing. `leave` is called with
    the dreamer at the end.
    """

    def __init__(
        self, dreamer: Dreamer, shape: Shape, mood: int, venue: Venue, leave: Callable[[Dreamer], None]
    ) -> None:
        width, height = shape
        self._dreamer, self._shape, self._mood, self._leave = dreamer, shape, mood, leave
        self._direct = venue.software or venue.synchronous
        self._readback = Readback(width, height, self._direct)
        self._upload = Upload(width, height, venue.software)
        self._textures = [Texture.make(width, height), Texture.make(width, height)]
        self._last: tuple[int, tuple[float, ...], int] | None = None  # the last submission; failures before it
        self._reading: float | None = None  # time of the picture that is still on its way from the GPU
        self._asked = False  # `newest` was called since the last submission
        self._newest: Frame | None = None
        self._open = True

    def submit(self, frame: Frame, mood: Sequence[float]) -> None:
        """See perform.plugins.Engine. The same picture in the same mood is not dreamt again."""
        if frame.size != self._shape:
            raise EngineError("this generator takes {}×{} pixels, not {}×{}".format(*self._shape, *frame.size))
        vector = fit(mood, self._mood)
        key = (frame.serial, vector, self._dreamer.failures)
        if self._last == key:
            return
        self._last, self._asked = key, False
        pixels = self._readback.read(frame.texture)
        self._give(pixels, vector, frame.time)

    def _give(self, pixels: Pixels | None, mood: tuple[float, ...], time: float | None) -> None:
        """Hand on what came from the GPU: this picture, or (through PBOs) the one submitted before it."""
        taken = time
        if not self._direct:
            taken, self._reading = self._reading, time
        if pixels is not None and taken is not None:
            self._dreamer.put(Task(pixels, mood, taken, self))

    def newest(self) -> Frame | None:
        """See perform.plugins.Engine."""
        if self._reading is not None and self._asked and self._last is not None:
            self._give(self._readback.flush(), self._last[1], None)  # no other picture will push it out
        self._asked = True
        dreamt = self._dreamer.take(self)
        if dreamt is not None:
            self._textures.reverse()
            self._upload.write(self._textures[0], dreamt.pixels)
            serial = self._newest.serial + 1 if self._newest is not None else 1
            self._newest = Frame(self._textures[0], dreamt.time, serial)
        return self._newest

    def close(self) -> None:
        """Give the GL objects and the dreamer back; does not wait. May be called twice."""
        if self._open:
            self._open = False
            self._leave(self._dreamer)
        self._readback.close()
        self._upload.close()
        for texture in self._textures:
            texture.close()
