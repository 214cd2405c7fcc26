"""The check for engines."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from ctypes import byref, c_int
from typing import Any

from perform.frame import Frame
from perform.gl.lib import gl
from perform.gl.target import Target
from perform.gl.transfer import read
from perform.plugins import Engine
from perform.testing.rehearsal import Stopwatch, closed, context, drawable, given_back, held, no_gl_error, require

DREAMING = 30.0  # seconds a first dream may take on a slow machine
BURST = 20  # pictures at once
QUEUED = 6  # dreams that may still come of a burst: those under way on a card, and the newest picture's


def check_engine(
    make: Callable[[], Engine], size: tuple[int, int] = (64, 64), mood: Sequence[float] = (), rounds: int = 6
) -> None:
    """Raises Broken unless what `make()` gives is an engine that dreams without ever holding the show up.

    `size` is the (width, height) of the pictures it is given and `mood` a vector its world takes. It is given
    single pictures and a burst, of which the newest replaces the others. The dream must be RGBA8 of the same size,
    opaque, of the picture's time, never go back in time and never change without a new serial.
    """
    with context():
        before, kept = set(threading.enumerate()), held()
        engine = make()
        name = type(engine).__name__
        require(isinstance(engine, Engine), f"{name} is no Engine: it needs submit(), newest() and close()")
        watch = Stopwatch()
        given = [Target(*size) for _ in range(2)]
        try:
            require(
                watch.quickly(f"{name}.newest()", engine.newest) is None, f"{name} has a dream before it has a picture"
            )
            last = None
            count = 0
            for n in range(rounds):
                for _ in range(1 if n < rounds - 1 else BURST):
                    target = given[count % 2]
                    target.clear(0.2 + 0.5 * (count % 2), 0.4, 0.03 * count, 1.0)
                    picture = Frame(target.texture, float(count), count + 1)
                    watch.quickly(f"{name}.submit()", engine.submit, picture, mood)
                    count += 1
                last = _dream(engine, watch, size, float(count - 1), last)
        finally:
            closed(engine, before)
            for target in given:
                target.close()
        no_gl_error(name)
        given_back(name, kept)


Seen = tuple[Frame, Any]  # a dream and its pixels


def _dream(engine: Engine, watch: Stopwatch, size: tuple[int, int], newest: float, last: Seen | None) -> Seen:
    """Ask until the picture of the time `newest` is dreamt, and once more; look at every dream."""
    name = type(engine).__name__
    deadline = time.monotonic() + DREAMING
    fresh = 0
    while True:
        dream = watch.quickly(f"{name}.newest()", engine.newest)
        require(last is None or dream is not None, f"{name} has forgotten its last dream")
        if dream is not None:
            pixels = _look(name, dream, size)
            if last is not None and dream.serial == last[0].serial:
                same = dream.time == last[0].time and (pixels == last[1]).all()
                require(same, f"{name} changed the dream without changing its serial ({dream.serial})")
                if dream.time == newest:
                    return last
            else:
                fresh += 1
                require(last is None or dream.serial > last[0].serial, f"{name} goes back to an older dream")
                require(last is None or dream.time >= last[0].time, f"{name}'s dreams go back in time")
                known = dream.time in range(int(newest) + 1)
                require(known, f"{name} dreams of the time {dream.time:g}, of which it was given no picture")
                require(fresh <= QUEUED, f"{name} queues pictures: a new one replaces what has not been started")
                last = dream, pixels
        require(time.monotonic() < deadline, f"{name} has not dreamt of its last picture in {DREAMING:.0f} s")
        time.sleep(0.002)


def _look(name: str, dream: Frame, size: tuple[int, int]) -> Any:
    """What must be true of every dream; its pixels."""
    drawable(f"{name}.newest()", dream)
    require(dream.size == size, f"{name} was given {size[0]}×{size[1]} and dreams {dream.size[0]}×{dream.size[1]}")
    form = c_int()
    gl.glBindTexture(gl.GL_TEXTURE_2D, dream.texture.id)
    gl.glGetTexLevelParameteriv(gl.GL_TEXTURE_2D, 0, gl.GL_TEXTURE_INTERNAL_FORMAT, byref(form))
    require(form.value == gl.GL_RGBA8, f"{name}'s dream is no RGBA8 picture (GL's format {form.value:#x})")
    pixels = read(dream.texture)
    require((pixels[..., 3] == 255).all(), f"{name}'s dream is not opaque")
    no_gl_error(name)
    return pixels
