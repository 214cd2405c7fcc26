"""The check for engines."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from perform.frame import Frame
from perform.gl.target import Target
from perform.gl.transfer import read
from perform.plugins import Engine
from perform.testing.rehearsal import Stopwatch, closed, context, drawable, no_gl_error, require

DREAMING = 30.0  # seconds a first dream may take on a slow machine


def check_engine(
    make: Callable[[], Engine], size: tuple[int, int] = (64, 64), mood: Sequence[float] = (), rounds: int = 6
) -> None:
    """Raises Broken unless what `make()` gives is an engine that dreams without ever holding the show up.

    `size` is the (width, height) of the pictures it is given and `mood` a vector its world takes. It is given
    single pictures and a burst, and the dream must be RGBA8 of the same size, opaque, and never go back in time.
    """
    with context():
        before = set(threading.enumerate())
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
            for n in range(rounds):
                target = given[n % 2]
                target.clear(0.2 + 0.5 * (n % 2), 0.4, 0.6, 1.0)
                for _ in range(1 if n < rounds - 1 else 20):  # at last a burst: the newest replaces the others
                    picture = Frame(target.texture, float(n), n + 1)
                    watch.quickly(f"{name}.submit()", engine.submit, picture, mood)
                last = _dream(engine, watch, size, last)
        finally:
            closed(engine, before)
            for target in given:
                target.close()
        no_gl_error(name)


def _dream(engine: Engine, watch: Stopwatch, size: tuple[int, int], last: Frame | None) -> Frame:
    """Ask until there is a new dream; look at it."""
    name = type(engine).__name__
    deadline = time.monotonic() + DREAMING
    while True:
        dream = watch.quickly(f"{name}.newest()", engine.newest)
        if dream is not None and (last is None or dream.serial > last.serial):
            break
        require(last is None or dream is not None, f"{name} has forgotten its last dream")
        require(dream is None or last is None or dream.serial == last.serial, f"{name} goes back to an older dream")
        require(time.monotonic() < deadline, f"{name} has not dreamt in {DREAMING:.0f} s")
        time.sleep(0.002)
    drawable(f"{name}.newest()", dream)
    require(dream.size == size, f"{name} was given {size[0]}×{size[1]} and dreams {dream.size[0]}×{dream.size[1]}")
    require((read(dream.texture)[..., 3] == 255).all(), f"{name}'s dream is not opaque")
    require(last is None or dream.time >= last.time, f"{name}'s dreams go back in time")
    no_gl_error(name)
    return dream
