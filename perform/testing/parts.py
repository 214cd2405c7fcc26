"""The checks for sources, sinks and controls."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from perform.clock import FixedClock, ManualClock
from perform.frame import Frame
from perform.gl.target import Target
from perform.gl.transfer import read
from perform.params import Spec
from perform.plugins import Control, Sink, Source, Stage
from perform.testing.rehearsal import (
    OPENING,
    Stopwatch,
    closed,
    context,
    drawable,
    failures,
    given_back,
    held,
    nasty,
    no_gl_error,
    opened,
    require,
    stage,
)

WEEKS = 6 * 7 * 86400.0  # seconds: a gallery's season


def check_source(
    make: Callable[[], Source], ticks: int = 30, repeatable: bool = False, on: Stage | None = None
) -> None:
    """Raises Broken unless what `make()` gives (a class will do) is a source that a show can rely on.

    `ticks` frames are asked for at 60 a second, then six weeks later, then with nonsense in every parameter.
    `repeatable`: with a fixed clock it must give the same pixels twice. `on` is a stage to use instead (its folder,
    its prefix). Takes about a second.
    """
    with context():
        here = on or stage()
        before, kept = set(threading.enumerate()), held()
        source: Any = opened(make, here, Source)
        try:
            _play(source, here, ticks)
        finally:
            closed(source, before)
        no_gl_error(type(source).__name__)
        given_back(type(source).__name__, kept)
        if repeatable:
            one, two = _film(make, here, ticks), _film(make, here, ticks)
            for n, (a, b) in enumerate(zip(one, two, strict=True)):
                same = a.shape == b.shape and (a == b).all()
                require(same, f"{type(source).__name__} shows another frame {n} the second time with a fixed clock")


def _play(source: Any, on: Stage, ticks: int) -> None:
    name = f"{type(source).__name__}.frame()"
    last: Frame | None = None
    seen: dict[int, Any] = {}
    now, watch = on.clock.now(), Stopwatch()
    for n in range(ticks):
        now += (1.0 / on.fps) if n != ticks - 2 else WEEKS
        if isinstance(on.clock, ManualClock):
            on.clock.time = now
        on.params.settle(now)
        last = _look(source, watch, now, last, seen)
    for now in nasty(on):
        last = _look(source, watch, now, last, {})
    require(last is not None, f"{name} was never asked")


def _look(source: Any, watch: Stopwatch, now: float, last: Frame | None, seen: dict[int, Any]) -> Frame:
    """One frame, and everything that must be true of it."""
    name = f"{type(source).__name__}.frame()"
    frame = drawable(name, watch.quickly(name, source.frame, now))
    no_gl_error(name)
    require(isinstance(source.lost, bool), f"{name[:-8]}.lost is {source.lost!r}, not True or False")
    require(last is None or frame.serial >= last.serial, f"{name} gives serial {frame.serial} after a higher one")
    shown = -OPENING <= frame.time <= now + OPENING  # a camera's latency may reach to before the show
    require(shown, f"{name} gives a picture of the time {frame.time:g} at {now:g}")
    again = watch.quickly(name, source.frame, now)
    require(again.serial == frame.serial, f"{name} gives another picture when it is asked twice for the same time")
    pixels = read(frame.texture)
    if frame.serial in seen:
        then = seen[frame.serial]
        same = then.shape == pixels.shape and bool((then == pixels).all())
        require(same, f"{name} changed the picture without changing its serial ({frame.serial})")
    seen[frame.serial] = pixels
    return frame


def _film(make: Callable[[], Source], on: Stage, ticks: int) -> list[np.ndarray[Any, Any]]:
    """What the source shows under a fixed clock."""
    clock = FixedClock(on.fps)
    fixed = replace(on, clock=clock, params=type(on.params)())
    pictures = []
    with make().open(fixed) as source:
        for _ in range(ticks):
            fixed.params.settle(clock.now())
            pictures.append(read(source.frame(clock.now()).texture).copy())
            clock.pace(on.fps)
    return pictures


def check_sink(make: Callable[[], Sink], ticks: int = 30, on: Stage | None = None) -> None:
    """Raises Broken unless what `make()` gives is a sink that never holds the show up.

    It is shown 8-bit and float pictures, the same one twice, and one of another size.
    """
    with context():
        here = on or stage("/mine")
        before, kept = set(threading.enumerate()), held()
        sink: Any = opened(make, here, Sink)
        width, height = here.size
        targets = [Target(width, height, "rgba16f"), Target(width, height), Target(width + 3, height + 5)]
        try:
            _show(sink, here, targets, ticks)
        finally:
            closed(sink, before)
            for target in targets:
                target.close()
        no_gl_error(type(sink).__name__)
        given_back(type(sink).__name__, kept)


def _show(sink: Any, on: Stage, targets: list[Target], ticks: int) -> None:
    name = f"{type(sink).__name__}.show()"
    dropped, watch = 0, Stopwatch()
    for n in range(ticks):
        target = targets[0 if n < ticks // 2 else 1 if n < ticks - 2 else 2]
        target.clear(n / ticks, 0.5, 0.25, 1.0)
        on.clock.pace(on.fps)
        on.params.settle(on.clock.now())
        for _ in range(2):  # an unchanged picture is shown again
            watch.quickly(name, sink.show, Frame(target.texture, on.clock.now(), n + 1))
        no_gl_error(name)
        count = sink.dropped
        require(isinstance(count, int) and count >= dropped, f"{name[:-7]}.dropped went from {dropped} to {count!r}")
        dropped = count
    for now in nasty(on):
        watch.quickly(name, sink.show, Frame(targets[1].texture, now, ticks + 1))


def check_control(make: Callable[[], Control], ticks: int = 30, on: Stage | None = None) -> None:
    """Raises Broken unless what `make()` gives is a control that opens, plays and closes without harm.

    There is one parameter to play, `/layer/1/opacity`. A device that is not there must not be an error, and no
    thread of its own may fail. One that declares its addresses beforehand (`perform.plugins.Declares`) names them all
    there, and starts nothing.
    """
    here = on or stage("/mine")
    before = set(threading.enumerate())
    here.params.declare("/layer/1/opacity", Spec("float", 1.0, 0.0, 1.0, doc="For playing on."))
    with failures() as failed:
        control: Any = opened(make, here, Control)
        name, watch = type(control).__name__, Stopwatch(gl=False)
        try:
            for _ in range(ticks):
                here.clock.pace(here.fps)
                watch.quickly(f"{name} (its parameters)", here.params.settle, here.clock.now())
                time.sleep(0.001)  # its worker's turn
        finally:
            closed(control, before)
    require(not failed, f"{name}: {'; '.join(failed)}")
