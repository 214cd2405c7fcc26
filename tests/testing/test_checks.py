"""The checks find what is broken, and say it in one sentence."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any, Self

import pytest

from perform import testing
from perform.frame import Frame
from perform.gl.target import Texture
from perform.params import Spec
from perform.plugins import Closing, Stage
from perform.testing import Broken, Echo, Paint, Script, Tape, check_control, check_engine, check_sink, check_source

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


@pytest.mark.parametrize(("part", "sentence"), [(SlowSink, "waits"), (Uncounted, "dropped went"), (OneSize, "raises")])
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


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        (Premature, "before it has a picture"),
        (WrongSize, "dreams 4×4"),
        (Never, "has not dreamt in 0 s"),
        (object, "no Engine"),
    ],
)
def test_engines_that_break_a_promise(part: Any, sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
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
