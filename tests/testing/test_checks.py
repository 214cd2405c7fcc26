"""The checks find what is broken, and say it in one sentence."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from ctypes import byref, c_uint
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import pytest

from perform import testing
from perform.frame import Frame
from perform.gl.lib import gl
from perform.gl.target import Target, Texture
from perform.gl.transfer import read, upload
from perform.params import Spec
from perform.plugins import Closing, Stage
from perform.testing import Broken, Echo, Paint, Script, Tape, check_control, check_engine, check_sink, check_source
from perform.testing.rehearsal import NAMES, context
from perform.workers import spawn

pytestmark = pytest.mark.usefixtures("gl")


@dataclass
class NotItself(Paint):
    def open(self, stage: Stage) -> Any:
        super().open(stage)
        return None


@dataclass
class Elsewhere(Paint):
    def open(self, stage: Stage) -> Self:
        stage.params.declare("/master/mine", Spec("float", doc="not mine"))
        return super().open(stage)


@dataclass
class Silent(Paint):
    def open(self, stage: Stage) -> Self:
        stage.params.declare(f"{stage.prefix}/level", Spec("float"))
        return super().open(stage)


@dataclass
class Slow(Paint):
    def frame(self, now: float) -> Frame:
        time.sleep(0.3)
        return super().frame(now)


@dataclass
class Raising(Paint):
    def frame(self, now: float) -> Frame:
        raise RuntimeError("out of film")


@dataclass
class Backwards(Paint):
    def frame(self, now: float) -> Frame:
        return Frame(self._texture, now, 1000 - len(self.asked) - bool(self.asked.append(now)))


@dataclass
class Restless(Paint):
    def frame(self, now: float) -> Frame:
        self._serial += 1
        return super().frame(now)


@dataclass
class Sneaky(Paint):
    def frame(self, now: float) -> Frame:
        self.paint((len(self.asked) * 8 % 256, 0, 0))
        self._serial = 1
        return super().frame(now)


@dataclass
class NotAFrame(Paint):
    def frame(self, now: float) -> Any:
        return self._texture


@dataclass
class DeadTexture(Paint):
    def frame(self, now: float) -> Frame:
        return Frame(Texture(123456, 4, 4), now, 1)


@dataclass
class Fragile(Paint):
    def open(self, stage: Stage) -> Self:
        self.level = stage.params.declare(f"{stage.prefix}/level", Spec("float", 1.0, 0.0, 1.0, doc="Divides."))
        return super().open(stage)

    def frame(self, now: float) -> Frame:
        return super().frame(now / self.level.value)


@dataclass
class LeavesAThread(Paint):
    release: threading.Event = field(default_factory=threading.Event)

    def open(self, stage: Stage) -> Self:
        threading.Thread(target=self.release.wait, args=(20.0,), name="forgotten", daemon=True).start()
        return super().open(stage)


@dataclass
class CloseOnce(Paint):
    def close(self) -> None:
        if self.closed:
            raise ValueError("closed already")
        super().close()


class NoDataclass(Closing):
    pass


@dataclass
class NoDevice(Paint):
    def open(self, stage: Stage) -> Self:
        raise RuntimeError("no device")


@dataclass
class LongAgo(Paint):
    def frame(self, now: float) -> Frame:
        return Frame(self._texture, -1e12, 1)


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        (NotItself, "returns None, not the part itself"),
        (Elsewhere, "declares /master/mine, which is not below /source/mine"),
        (Silent, "has no doc"),
        (Slow, "it waits for something on the render thread"),
        (Raising, "raises RuntimeError: out of film"),
        (Backwards, "after a higher one|asked twice for the same time"),
        (Restless, "another picture when it is asked twice"),
        (Sneaky, "changed the picture without changing its serial"),
        (NotAFrame, "gives Texture, not a Frame"),
        (DeadTexture, "that GL does not know"),
        (Fragile, "raises ZeroDivisionError"),
        (CloseOnce, r"close\(\) raises a second time"),
        (NoDataclass, "is not a dataclass"),
        (NoDevice, r"open\(\) raises RuntimeError: no device"),
        (LongAgo, r"picture of the time -1e\+12 at 0"),
    ],
)
def test_sources_that_break_a_promise(part: Any, sentence: str) -> None:
    with pytest.raises(Broken, match=sentence):
        check_source(part)


def test_a_forgotten_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perform.testing.rehearsal.CLOSING", 0.1)
    release = threading.Event()
    with pytest.raises(Broken, match="leaves threads behind: forgotten"):
        check_source(lambda: LeavesAThread(release=release))
    release.set()


@dataclass
class Leaky(Paint):
    def close(self) -> None:
        self.closed = True


@dataclass
class Greedy(Paint):
    theirs: int = 0  # a texture

    def close(self) -> None:
        gl.glDeleteTextures(1, byref(c_uint(self.theirs)))
        super().close()


@dataclass
class LeakyTape(Tape):
    def open(self, stage: Stage) -> Self:
        self._target = Target(4, 4)
        return super().open(stage)


def test_parts_that_keep_what_they_took_of_gl() -> None:
    with context():
        with pytest.raises(Broken, match=r"Leaky\.close\(\) does not give back what it took of GL: 1 × texture"):
            check_source(Leaky)
        with pytest.raises(Broken, match=r"LeakyTape\.close\(\) does not give back .*: 1 × texture"):
            check_sink(LeakyTape)
        theirs = Texture.make(1, 1)
        with pytest.raises(Broken, match=r"Greedy\.close\(\) takes away what others have in GL: 1 × texture"):
            check_source(lambda: Greedy(theirs=theirs.id))


def test_a_part_that_keeps_what_it_took_of_gl_where_much_is_kept_already() -> None:
    with context():
        names = (c_uint * (2 * NAMES))()
        gl.glGenTextures(len(names), names)
        try:
            with pytest.raises(Broken, match=r"Leaky\.close\(\) does not give back what it took of GL: 1 × texture"):
                check_source(Leaky)
        finally:
            gl.glDeleteTextures(len(names), names)


def test_a_source_that_is_not_repeatable() -> None:
    count = iter(range(1000))

    @dataclass
    class Moody(Paint):
        def open(self, stage: Stage) -> Self:
            self.color = (next(count) * 40 % 256, 0, 0)
            return super().open(stage)

    check_source(Moody)
    with pytest.raises(Broken, match="another frame 0 the second time"):
        check_source(Moody, repeatable=True)


@dataclass
class SlowSink(Tape):
    def show(self, picture: Frame) -> None:
        time.sleep(0.3)


@dataclass
class Uncounted(Tape):
    def show(self, picture: Frame) -> None:
        self.dropped = -len(self.serials)
        super().show(picture)


@dataclass
class OneSize(Tape):
    def show(self, picture: Frame) -> None:
        if picture.size != (96, 64):
            raise ValueError("another size")


@dataclass
class Scissors(Tape):
    def show(self, picture: Frame) -> None:
        gl.glEnable(gl.GL_SCISSOR_TEST)


@pytest.fixture
def tidy() -> Iterator[None]:
    yield
    gl.glDisable(gl.GL_SCISSOR_TEST)


@pytest.mark.usefixtures("tidy")
@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        (SlowSink, "waits"),
        (Uncounted, "dropped went"),
        (OneSize, "raises"),
        (Scissors, r"show\(\) leaves GL_SCISSOR_TEST on"),
    ],
)
def test_sinks_that_break_a_promise(part: Any, sentence: str) -> None:
    with pytest.raises(Broken, match=sentence):
        check_sink(part)


class Premature(Echo):
    def newest(self) -> Frame | None:
        return Frame(Texture.make(4, 4), 0.0, 1)


class WrongSize(Echo):
    def newest(self) -> Frame | None:
        dream = super().newest()
        return dream and Frame(Texture.make(4, 4), dream.time, dream.serial)


class Never(Echo):
    def newest(self) -> Frame | None:
        return None


class Floats(Echo):
    def newest(self) -> Frame | None:
        dream = super().newest()
        return dream and Frame(Texture.make(*dream.size, "rgba16f"), dream.time, dream.serial)


class Timeless(Echo):
    def newest(self) -> Frame | None:
        dream = super().newest()
        return dream and Frame(dream.texture, 1e9, dream.serial)


class Flickering(Echo):
    def newest(self) -> Frame | None:
        again = self._waiting is None
        dream = super().newest()
        if again and self._texture is not None:
            upload(self._texture, 255 - read(self._texture) | np.array([0, 0, 0, 255], np.uint8))
        return dream


class Queue(Echo):
    def __init__(self) -> None:
        super().__init__()
        self.queue: deque[Any] = deque()

    def submit(self, frame: Frame, mood: Sequence[float]) -> None:
        super().submit(frame, mood)
        self.queue.append(self._waiting)

    def newest(self) -> Frame | None:
        self._waiting = self.queue.popleft() if self.queue else None
        return super().newest()


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        (Premature, "before it has a picture"),
        (WrongSize, "dreams 4×4"),
        (Never, "has not dreamt of its last picture in 0 s"),
        (Floats, "is no RGBA8 picture"),
        (Timeless, r"dreams of the time 1e\+09"),
        (Flickering, "changed the dream without changing its serial"),
        (Queue, "queues pictures"),
        (object, "no Engine"),
    ],
)
def test_engines_that_break_a_promise(part: Any, sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if part is Never:
        monkeypatch.setattr("perform.testing.engines.DREAMING", 0.1)
    with pytest.raises(Broken, match=sentence):
        check_engine(part)


def test_a_control_that_cannot_be_closed() -> None:
    @dataclass
    class Stuck(Script):
        def close(self) -> None:
            raise OSError("in use")

    with pytest.raises(Broken, match=r"close\(\) raises: OSError: in use"):
        check_control(Stuck)


@dataclass
class Promising(Script):
    def declare(self, stage: Stage) -> None:
        stage.params.declare(f"{stage.prefix}/level", Spec("float", doc="Its fader."))

    def open(self, stage: Stage) -> Self:
        self.declare(stage)
        return super().open(stage)


@dataclass
class Forgetful(Promising):
    def open(self, stage: Stage) -> Self:
        stage.params.declare(f"{stage.prefix}/pan", Spec("float", doc="Its knob."))
        return super().open(stage)


@dataclass
class Boastful(Promising):
    def open(self, stage: Stage) -> Self:
        return Script.open(self, stage)


@dataclass
class Eager(Promising):
    def declare(self, stage: Stage) -> None:
        super().declare(stage)
        self.thread = threading.Thread(target=gate.wait, name="eager", daemon=True)
        self.thread.start()


gate = threading.Event()


def test_what_a_control_declares_beforehand_is_what_it_has() -> None:
    check_control(Promising)
    for part, sentence in (
        (Forgetful, r"Forgetful\.declare\(\) leaves out /mine/pan"),
        (Boastful, r"Boastful\.open\(\) does not declare /mine/level"),
        (Eager, r"Eager\.declare\(\) starts a thread"),
    ):
        with pytest.raises(Broken, match=sentence):
            check_control(part)
    gate.set()


def fail(stop: object = None) -> None:
    raise RuntimeError("out of order")


@pytest.mark.parametrize(
    "start", [lambda: spawn("mine", fail), lambda: threading.Thread(target=fail, name="mine").start()]
)
def test_a_control_whose_thread_fails(start: Callable[[], Any]) -> None:
    @dataclass
    class Failing(Script):
        def open(self, stage: Stage) -> Self:
            self.worker = start()
            return super().open(stage)

        def close(self) -> None:
            if self.worker is not None:
                self.worker.close()

    with pytest.raises(Broken, match=r"Failing: mine failed \(RuntimeError: out of order\)"):
        check_control(Failing)


def test_the_fakes_do_what_they_are_told() -> None:
    here = testing.stage()
    here.params.declare("/a", Spec("float", 0.0, 0.0, 1.0, doc="a"))
    with Paint((10, 20, 30)).open(here) as paint, Tape(limit=2).open(here) as tape, Script().open(here) as script:
        for now in (0.0, 1.0, 2.0):
            tape.show(paint.frame(now))
            paint.paint((200, 100, 50))
        assert [p[0, 0, 0] for p in tape.pictures] == [10, 200]
        assert (tape.dropped, paint.asked) == (1, [0.0, 1.0, 2.0])
        script.say("/a", 0.5)
        here.params.settle(0.0)
        assert here.params["/a"].value == 0.5
        script.say_together({"/a": 0.25})
        here.params.settle(0.0)
        assert here.params["/a"].value == 0.25
        echo = Echo()
        echo.submit(paint.frame(3.0), (0.5,))
        dream = echo.newest()
        assert dream is not None
        tape.limit = 9
        tape.show(dream)
        assert tape.pictures[-1][0, 0].tolist() == [55, 155, 205, 255]
        assert echo.moods == [(0.5,)]
        echo.close()


def test_a_context_is_opened_only_where_there_is_none() -> None:
    with testing.context() as made:
        assert made is None  # the tests have one already
