"""Films: every frame offline, true times live, and what is left after a kill, a full disk, a bad path."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from perform import testing
from perform.clock import Clock, FixedClock, ManualClock
from perform.frame import Frame
from perform.gl.target import Target
from perform.plugins import Stage
from perform.sinks.film import Film, FilmError, keep
from perform.sinks.prints import Prints
from perform.sinks.recorder import Recorder
from perform.sources.projector import Projector
from tests.sources.films import coded, number

SIZE = (128, 64)
Say = Callable[[Stage], str]


def stage(folder: Path, clock: Clock, size: tuple[int, int] = SIZE) -> Stage:
    return testing.stage("/recorder", size, clock, folder)


def said(here: Stage) -> str:
    here.params.settle(here.clock.now())
    return str(here.params["/status/recorder"].value)


@pytest.fixture
def numbered(gl: object) -> Iterator[Callable[[int], Frame]]:
    """Frames that say which one they are."""
    paint = testing.Paint(size=SIZE).open(testing.stage())

    def frame(index: int) -> Frame:
        pixels = np.full((*SIZE[::-1], 4), 255, np.uint8)
        pixels[..., :3] = coded(index)[::-1]
        paint.paint(pixels)
        return paint.frame(float(index))

    yield frame
    paint.close()


def frames(path: Path) -> list[tuple[float, int]]:
    """(seconds, number) of each frame in a film."""
    from perform.sources.decoding import Converter

    convert = Converter()
    with av.open(str(path)) as container:
        return [(float(f.time or 0.0), number(convert(f))) for f in container.decode(video=0)]


def test_offline_every_frame_is_in_the_film_the_same_twice(tmp_path: Path, numbered: Callable[[int], Frame]) -> None:
    films = []
    for _ in range(2):
        here = stage(tmp_path, FixedClock(60.0))
        with Recorder("a.mp4").open(here) as recorder:
            for index in range(50):
                recorder.show(numbered(index))
                here.clock.pace(60.0)
        recorder.close()
        assert said(here) == "wrote a.mp4: 50 frames"
        assert recorder.dropped == 0
        films.append((tmp_path / "a.mp4").read_bytes())
    seen = frames(tmp_path / "a.mp4")
    assert [n for _, n in seen] == list(range(50))
    assert [t for t, _ in seen] == pytest.approx([n / 60 for n in range(50)], abs=1e-4)
    assert films[0] == films[1]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a 2.mp4", "a.mp4"]  # the first take is kept


def test_a_finished_film_has_its_index_first_and_its_colours_named(
    tmp_path: Path, numbered: Callable[[int], Frame]
) -> None:
    here = stage(tmp_path, FixedClock(30.0))
    with Recorder("a.mp4", crf=8).open(here) as recorder:
        for index in range(4):
            recorder.show(numbered(index))
            here.clock.pace(30.0)
    data = (tmp_path / "a.mp4").read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")
    assert b"moof" not in data
    with av.open(str(tmp_path / "a.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert (context.colorspace, context.color_primaries, context.color_trc, context.color_range) == (1, 1, 1, 1)
        picture = next(container.decode(video=0)).to_ndarray(format="rgb24", src_colorspace="ITU709")
    assert np.abs(picture[8, 60].astype(int) - (200, 0, 0)).max() < 12


def test_live_it_takes_what_its_rate_asks_for(tmp_path: Path, numbered: Callable[[int], Frame]) -> None:
    clock = ManualClock(100.0)
    here = stage(tmp_path, clock)
    with Recorder("a.mkv", fps=20.0).open(here) as recorder:
        for index in range(60):  # one second at 60 frames a second
            recorder.show(numbered(index))
            while recorder._queue.qsize() > 2:
                pass  # this test is not about drops
            clock.advance(1 / 60)
    seen = frames(tmp_path / "a.mkv")
    assert len(seen) == 20
    assert [n for _, n in seen][:4] == [0, 3, 6, 9]
    assert seen[-1][0] == pytest.approx(0.95, abs=0.03)


@pytest.mark.parametrize("late", [0.0, 0.25, 0.5, 0.75, 0.95])
def test_live_no_picture_is_lost_wherever_the_show_lies_on_the_films_grid(
    tmp_path: Path, numbered: Callable[[int], Frame], late: float
) -> None:
    clock = ManualClock()
    here = stage(tmp_path, clock)
    with Recorder("a.mkv").open(here) as recorder:
        for index in range(40):
            clock.time = (index + late + (0.06, -0.06)[index % 2]) / here.fps if index else 0.0
            recorder.show(numbered(index))
            while recorder._queue.qsize() > 2:
                pass  # this test is not about drops
    assert [n for _, n in frames(tmp_path / "a.mkv")] == list(range(40))


def test_live_drops_are_counted_and_times_stay_true(
    tmp_path: Path, numbered: Callable[[int], Frame], monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    gate = threading.Event()
    add = Film.add
    monkeypatch.setattr(Film, "add", lambda self, *a: (gate.wait(120.0), add(self, *a))[1])
    clock = ManualClock()
    here = stage(tmp_path, clock)
    with Recorder("a.mp4").open(here) as recorder:
        for index in range(20):  # the encoder stands still: one in its hands, four waiting
            recorder.show(numbered(index))
            clock.advance(1 / 60)
        assert recorder.dropped in (15, 16)
        gate.set()
        while recorder._queue.qsize():
            pass
        clock.advance(1.0)
        recorder.show(numbered(99))
    seen = frames(tmp_path / "a.mp4")
    assert seen[-1][1] == 99
    assert seen[-1][0] == pytest.approx(20 / 60 + 1.0, abs=0.02)
    assert f"{recorder.dropped} left out" in said(here)


def test_through_pbos_no_frame_is_lost(tmp_path: Path, numbered: Callable[[int], Frame]) -> None:
    """On a GPU each picture is read back one frame late; the last one is fetched at the end."""
    here = replace(stage(tmp_path, FixedClock(30.0)), software=False)
    with Recorder("a.mp4").open(here) as recorder:
        for index in range(12):
            recorder.show(numbered(index))
            here.clock.pace(30.0)
    assert not recorder.broken
    seen = frames(tmp_path / "a.mp4")
    assert [n for _, n in seen] == list(range(12))
    assert [t for t, _ in seen] == pytest.approx([n / 30 for n in range(12)], abs=1e-4)


def test_odd_sizes_and_float_pictures(tmp_path: Path, gl: object) -> None:
    here = stage(tmp_path, FixedClock(30.0), (65, 33))
    target = Target(65, 33, "rgba16f")
    target.clear(0.5, 0.5, 0.5, 1.0)
    with Recorder("a.mov").open(here) as recorder:
        for n in range(3):
            recorder.show(Frame(target.texture, n / 30, n + 1))
            here.clock.pace(30.0)
    target.close()
    projector = Projector(tmp_path / "a.mov")
    assert projector.size == (64, 32)
    grey = projector.at(0.0).frame.to_ndarray(format="rgb24")
    assert abs(float(grey.mean()) - 127.5) < 3
    projector.close()


def test_an_odd_size_loses_a_column_and_nothing_of_its_sharpness(gl: object) -> None:
    columns = np.zeros((33, 65, 4), np.uint8)
    columns[:, ::2] = 255
    paint = testing.Paint(size=(65, 33)).open(testing.stage())
    paint.paint(columns)
    prints = Prints(64, 32, software=True)
    assert np.array_equal(prints.read(paint.frame(0.0)), columns[:32, :64])
    prints.close()
    paint.close()


@pytest.mark.parametrize("clock", [ManualClock(), FixedClock(30.0)], ids=["live", "offline"])
def test_an_older_film_is_kept(tmp_path: Path, numbered: Callable[[int], Frame], clock: Clock) -> None:
    (tmp_path / "été.mp4").write_bytes(b"precious")
    (tmp_path / "été 2.mp4").write_bytes(b"older")
    here = stage(tmp_path, clock)
    with Recorder("été.mp4").open(here) as recorder:
        recorder.show(numbered(1))
        assert said(here) == "recording été.mp4; the one before is now été 3.mp4"
    assert (tmp_path / "été 3.mp4").read_bytes() == b"precious"
    assert (tmp_path / "été 2.mp4").read_bytes() == b"older"
    assert keep(tmp_path / "nothing.mp4") is None


def test_a_path_that_cannot_be_written_is_said_at_once(tmp_path: Path, gl: object) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FilmError, match=r"a\.mp4 cannot be written"):
        Recorder("file/a.mp4").open(stage(tmp_path, ManualClock()))
    with pytest.raises(ValueError, match=r"file = 'a\.avi' is no film that can be written: \.mp4, \.mov or \.mkv"):
        Recorder("a.avi")


def test_a_full_disk_ends_the_film_and_not_the_show(tmp_path: Path, numbered: Callable[[int], Frame]) -> None:
    """The limit on file sizes stands in for the disk: the system refuses the write in the same place."""
    noise = np.random.default_rng(1).integers(0, 255, (64, 128, 4), np.uint8)
    paint = testing.Paint(size=SIZE).open(testing.stage())
    here = stage(tmp_path, FixedClock(10.0))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with Recorder("full.mp4", crf=1).open(here) as recorder:
            resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, before[1]))
            for n in range(150):
                paint.paint(np.roll(noise, n * 7, axis=1))
                recorder.show(paint.frame(n / 10))  # never raises
                here.clock.pace(10.0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
        paint.close()
    text = said(here)
    assert recorder.broken
    assert "the show goes on" in text
    assert "full.mp4" in text
    assert " s of it are in " in text
    with av.open(str(tmp_path / "full.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) > 5  # what is there plays, to a clean end


def test_a_disk_too_full_for_any_film_is_not_said_to_hold_one(tmp_path: Path, numbered: Callable[[int], Frame]) -> None:
    here = stage(tmp_path, FixedClock(10.0))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with Recorder("none.mp4", crf=1).open(here) as recorder:
            resource.setrlimit(resource.RLIMIT_FSIZE, (700, before[1]))
            for n in range(80):
                recorder.show(numbered(n))
                here.clock.pace(10.0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert "nothing of it could be kept; the show goes on" in said(here)


KILLED = """
import os, sys
from pathlib import Path
import numpy as np
from perform.sinks.film import Film
film = Film(Path(sys.argv[1]), (128, 64), 10.0, 23, "ultrafast")
for n in range(250):
    film.add(np.full((64, 128, 4), n, np.uint8), n / 10)
os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_after_a_kill_the_film_plays(tmp_path: Path, name: str) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / name)], check=False, env=os.environ)
    assert done.returncode == -9
    with av.open(str(tmp_path / name)) as container:
        assert sum(1 for _ in container.decode(video=0)) >= 225  # 25 seconds, less two
