"""The video source: right frames under a fixed clock, no waiting under a live one, every kind of bad file."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

from perform.clock import FixedClock, LiveClock, ManualClock
from perform.gl.transfer import read
from perform.plugins import Stage
from perform.sources.booth import Booth
from perform.sources.projector import Still
from perform.sources.video import HANGS, Video
from tests.sources.conftest import MakeStage, said, until
from tests.sources.films import coded, film, number


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("films") / "clip.mp4", frames=45, rate=30)


def play(video: Video, stage: Stage, frames: int) -> list[int]:
    """The numbers shown in the next frames of a fixed clock."""
    shown = []
    for _ in range(frames):
        stage.params.settle(stage.clock.now())
        shown.append(number(read(video.frame(stage.clock.now()).texture)))
        stage.clock.pace(60.0)
    return shown


def test_a_fixed_clock_gets_exactly_the_frame_for_its_time_over_the_loop(stage: MakeStage, clip: Path) -> None:
    here = stage(FixedClock(60.0))
    with Video(str(clip), start=0.5).open(here) as video:
        assert play(video, here, 200) == [15 + n // 2 % 30 for n in range(200)]
        assert said(here) == "playing clip.mp4, 128×64 at 30"
        assert not video.lost


def test_equal_time_and_equal_picture_have_equal_serials(stage: MakeStage, clip: Path) -> None:
    here = stage(FixedClock(60.0))
    with Video(str(clip)).open(here) as video:
        first = video.frame(0.0)
        assert video.frame(0.0) == first
        assert video.frame(1 / 60).serial == first.serial  # still the same frame of film
        assert video.frame(2 / 60).serial == first.serial + 1


def test_a_picture_is_of_the_show_time_at_which_it_is_given(stage: MakeStage, clip: Path) -> None:
    """So that the latency behind a film is that of the engines, wherever in the film it is."""
    with Video(str(clip), start=1.0).open(stage(FixedClock(60.0))) as video:
        assert [video.frame(now).time for now in (0.0, 0.125, 0.25)] == [0.0, 0.125, 0.25]


def test_speed_position_and_play_are_live(stage: MakeStage, clip: Path) -> None:
    here = stage(FixedClock(60.0))
    with Video(str(clip), speed=2.0).open(here) as video:
        assert play(video, here, 5) == [0, 1, 2, 3, 4]
        here.params.post("/source/it/speed", 99.0)  # clipped to 4
        assert play(video, here, 3) == [6, 8, 10]
        here.params.post("/source/it/play", False)
        assert play(video, here, 2) == [10, 10]
        here.params.post("/source/it/position", 0.5)
        assert play(video, here, 2) == [22, 22]
        here.params.post("/source/it/play", True)
        here.params.post("/source/it/speed", -2.0)
        assert play(video, here, 24) == [(21 - n) % 45 for n in range(24)]


@pytest.mark.parametrize("loop", [True, False])
def test_a_start_beyond_the_end_is_told_and_not_taken(stage: MakeStage, clip: Path, loop: bool) -> None:
    here = stage(FixedClock(60.0))
    with Video(str(clip), start=100.0, loop=loop).open(here) as video:
        assert play(video, here, 40) == [n // 2 for n in range(40)]
        assert said(here).endswith("; start = 100 s lies beyond its end at 1.5 s: it plays from 0")
        here.params.post("/source/it/position", 0.5)
        assert play(video, here, 1) == [22]


def test_a_start_beyond_the_end_of_a_film_that_does_not_tell_its_length(stage: MakeStage, tmp_path: Path) -> None:
    film(tmp_path / "raw.h264", frames=30)
    here = stage(FixedClock(60.0))
    with Video("raw.h264", start=100.0).open(here) as video:
        assert play(video, here, 4) == [0, 0, 0, 1]  # at 25 a second, as a raw stream counts
        assert "start = 100 s lies beyond its end" in said(here)


def test_the_start_counts_again_in_a_film_that_is_long_enough(
    stage: MakeStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("perform.sources.film.LOOK", 0.02)
    path, other = film(tmp_path / "film.mp4", frames=15), film(tmp_path / "other.mp4", frames=45, size=(64, 32))
    here = stage()
    with Video("film.mp4", start=1.0).open(here) as video:
        until(lambda: video.frame(here.clock.now()).serial and "lies beyond its end" in said(here))
        other.replace(path)
        until(lambda: video.frame(here.clock.now()).serial and said(here) == "playing film.mp4, 64×32 at 30")
        until(lambda: (video.frame(here.clock.now()), video._head.start == 1.0)[1])


def test_end_and_no_loop(stage: MakeStage, clip: Path) -> None:
    here = stage(FixedClock(60.0))
    with Video(str(clip), end=0.2, loop=False).open(here) as video:
        assert play(video, here, 20)[-6:] == [6] * 6
        assert not video.lost


def test_a_film_is_sent_back_to_its_start_as_often_as_wished_and_after_its_end(stage: MakeStage, clip: Path) -> None:
    here = stage(FixedClock(60.0))
    with Video(str(clip), start=0.5, speed=2.0, loop=False).open(here) as video:
        for _ in range(2):
            assert play(video, here, 40)[-3:] == [44, 44, 44]
            here.params.post("/source/it/restart")
            assert play(video, here, 3) == [15, 16, 17]
        here.params.post("/source/it/position", 0.5)
        here.params.post("/source/it/restart")
        assert play(video, here, 3) == [15, 16, 17]


def test_a_film_jumps_to_the_same_position_as_often_as_wished(stage: MakeStage, clip: Path) -> None:
    here = stage(FixedClock(60.0))
    with Video(str(clip), speed=2.0).open(here) as video:
        play(video, here, 1)
        here.params.post("/source/it/position", 0.5)
        first = play(video, here, 3)
        assert first[0] > 15
        for away in (3, 10):
            play(video, here, away)
            here.params.post("/source/it/jump")
            for _ in range(away):  # nobody asks it for a frame
                here.params.settle(here.clock.now())
                here.clock.pace(60.0)
            assert play(video, here, 3) == first
        here.params.post("/source/it/position", 0.25)
        here.params.post("/source/it/jump")
        assert play(video, here, 3)[0] < first[0]  # one jump
        here.params.post("/source/it/jump")
        here.params.post("/source/it/restart")
        assert play(video, here, 3) == [0, 1, 2]


def test_a_film_out_of_sight_is_sent_back_when_it_is_seen_again(stage: MakeStage, clip: Path) -> None:
    here = stage(FixedClock(60.0))
    with Video(str(clip), speed=2.0).open(here) as video:
        play(video, here, 10)
        here.params.post("/source/it/restart")
        for _ in range(4):  # nobody asks it for a frame
            here.params.settle(here.clock.now())
            here.clock.pace(60.0)
        assert play(video, here, 3) == [0, 1, 2]
        assert play(video, here, 3) == [3, 4, 5]


def test_live_it_shows_the_frame_for_now_and_never_waits(stage: MakeStage, clip: Path) -> None:
    clock = ManualClock()
    here = stage(clock)
    with Video(str(clip)).open(here) as video:

        def shown(now: float) -> int:
            return number(read(video.frame(now).texture))

        until(lambda: video.frame(clock.advance(1e-6)).serial)
        for wanted, frames in ((0.2, (6,)), (0.7, (20, 21)), (1.1, (33,)), (1.65, (4, 5))):  # the last: changed over
            clock.advance(wanted - clock.now())
            until(lambda frames=frames: shown(clock.advance(1e-6)) in frames)


def test_a_film_that_appears_later_is_found(stage: MakeStage, tmp_path: Path) -> None:
    here = stage(LiveClock())
    with Video("späť.mp4").open(here) as video:
        until(lambda: video.frame(here.clock.now()) and video.lost)
        assert "there is no file" in said(here)
        assert "trying again in" in said(here)
        assert video.frame(here.clock.now()).serial == 0
        film(tmp_path / "half.mp4").rename(tmp_path / "späť.mp4")
        until(lambda: video.frame(here.clock.now()).serial)
        assert not video.lost
        until(lambda: said(here).startswith("playing späť.mp4"))


def test_a_film_that_was_waited_for_for_long_is_there_with_its_first_picture(
    stage: MakeStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("perform.sources.film.BACKOFF", (0.001,))
    clock = ManualClock()
    with Video("late.mp4").open(stage(clock)) as video:
        until(lambda: video.frame(clock.advance(1e-6)) and video.lost)
        film(tmp_path / "half.mp4").rename(tmp_path / "late.mp4")
        until(lambda: video.frame(clock.advance(1000.0)).serial)
        assert not video.lost


def test_a_film_is_looked_for_less_and_less_often(stage: MakeStage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perform.sources.film.BACKOFF", (0.001, 0.002, 60.0))
    here = stage()
    with Video("gone.mp4").open(here):
        until(lambda: said(here).endswith("; trying again in 60 s"))


def test_a_film_that_breaks_while_it_plays_is_lost_after_its_grace(
    stage: MakeStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("perform.sources.film.LOOK", 0.01)
    monkeypatch.setattr("perform.sources.film.BACKOFF", (60.0,))
    path, clock = film(tmp_path / "film.mp4"), ManualClock()
    here = stage(clock)
    with Video("film.mp4", grace=5.0).open(here) as video:
        until(lambda: video.frame(clock.advance(1e-6)).serial)
        (tmp_path / "other").write_bytes(b"no film" * 100)
        (tmp_path / "other").replace(path)
        until(lambda: (video.frame(clock.advance(1e-6)), "is not a film" in said(here))[1])
        video.frame(clock.advance(4.9))
        assert not video.lost
        assert video.frame(clock.advance(0.2)).serial
        assert video.lost


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A film's disk: while it is cleared, what reads from it does not come back."""
    there, at = threading.Event(), Booth.at
    there.set()

    def read(booth: Booth, t: float, backwards: bool = False) -> Still:
        assert there.wait(120)
        return at(booth, t, backwards)

    monkeypatch.setattr(Booth, "at", read)
    yield there
    there.set()


@pytest.mark.parametrize("grace", [0.0, 5.0])
def test_a_film_whose_disk_hangs_is_lost_after_its_grace(
    stage: MakeStage, clip: Path, disk: threading.Event, grace: float
) -> None:
    clock = ManualClock()
    here = stage(clock)
    patience = max(grace, HANGS)
    with Video(str(clip), grace=grace, loop=False).open(here) as video:  # no loop: nothing is read ahead
        until(lambda: video.frame(clock.advance(1e-6)).serial)
        until(lambda: video._film.idle)
        assert not video.lost
        disk.clear()
        video.frame(clock.advance(1000.0))
        assert not video.lost, "nobody looked at it meanwhile"
        video.frame(clock.advance(patience - 0.1))
        assert not video.lost
        assert video.frame(clock.advance(0.2)).serial
        assert video.lost
        assert said(here) == "lost: clip.mp4 gives nothing more, its disk may hang"
        disk.set()
        until(lambda: video.frame(clock.advance(1e-6)) and not video.lost)
        until(lambda: video.frame(clock.advance(1e-6)) and said(here).startswith("playing"))


def test_a_film_that_takes_long_to_find_its_place_is_not_lost(
    stage: MakeStage, clip: Path, disk: threading.Event
) -> None:
    clock = ManualClock()
    with Video(str(clip), loop=False).open(stage(clock)) as video:
        until(lambda: video.frame(clock.advance(1e-6)).serial)
        until(lambda: video._film.idle)
        disk.clear()
        for _ in range(10):
            video.frame(clock.advance(HANGS / 2))
            assert video._film._booth is not None
            video._film._booth.front.read += 1  # on its way from the last key frame
            assert not video.lost


def test_a_damaged_film_is_said_to_be_damaged(stage: MakeStage, tmp_path: Path) -> None:
    path = film(tmp_path / "broken.mkv", frames=60, gop=10)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + len(data) // 8] = random.Random(1).randbytes(len(data) // 8)
    path.write_bytes(data)
    here = stage(FixedClock(60.0))
    with Video("broken.mkv").open(here) as video:
        play(video, here, 110)
        assert "; the file is damaged, what cannot be decoded is skipped" in said(here)


@pytest.mark.parametrize("content", [b"", b"\x00" * 4096, b"RIFF\xff\xff\xff\x7fAVI LIST", b"<html>not found</html>"])
def test_files_that_are_no_film(stage: MakeStage, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "映像.mp4").write_bytes(content)
    here = stage(LiveClock())
    with Video("映像.mp4").open(here) as video:
        until(lambda: video.frame(here.clock.now()) and video.lost)
        assert "映像.mp4" in said(here)


def test_a_film_that_changes_its_size(stage: MakeStage, tmp_path: Path) -> None:
    small = film(tmp_path / "a.ts", frames=15)
    with av.open(str(tmp_path / "b.ts"), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 256, 128, "yuv420p"
        for index in range(15):
            frame = av.VideoFrame.from_ndarray(coded(index + 15, 256, 128), format="rgb24")
            frame.pts = index + 15
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    (tmp_path / "both.ts").write_bytes(small.read_bytes() + (tmp_path / "b.ts").read_bytes())
    here = stage(FixedClock(30.0))
    with Video("both.ts").open(here) as video:
        sizes, shown = set(), []
        for _ in range(25):
            frame = video.frame(here.clock.now())
            sizes.add(frame.size)
            shown.append(number(read(frame.texture)))
            here.clock.pace(30.0)
    assert sizes == {(128, 64), (256, 128)}
    assert shown[:14] == list(range(14))  # the joint itself may cost a frame
    assert shown[16:] == sorted(shown[16:])
    assert max(shown) > 20


def test_a_film_that_is_shorter_than_it_says_ends_there(stage: MakeStage, tmp_path: Path) -> None:
    path = film(tmp_path / "cut.mkv", frames=60, gop=10)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    here = stage(FixedClock(30.0))
    with Video("cut.mkv").open(here) as video:
        shown = play(video, here, 240)
        last = max(shown)
        assert 10 < last < 59
        assert shown.count(last) == pytest.approx(
            shown.count(5), abs=3
        )  # it goes on from the start, and does not stand
        assert "it ends after" in said(here)


@pytest.mark.parametrize("how", ["moved", "overwritten"])
def test_another_film_of_its_name_is_taken_up(
    stage: MakeStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr("perform.sources.film.LOOK", 0.02)
    path, other = film(tmp_path / "film.mp4"), film(tmp_path / "other.mp4", size=(64, 32))
    here = stage()
    with Video("film.mp4").open(here) as video:
        until(lambda: video.frame(here.clock.now()).serial)
        assert "128×64" in said(here)
        if how == "moved":
            other.replace(path)
        else:
            path.write_bytes(other.read_bytes())
        until(lambda: video.frame(here.clock.now()).serial and "64×32 at 30" in said(here))
        assert not video.lost


def test_a_film_deleted_while_it_plays_goes_on(stage: MakeStage, tmp_path: Path) -> None:
    path = film(tmp_path / "gone.mp4", frames=45)
    here = stage(FixedClock(60.0))
    with Video("gone.mp4").open(here) as video:
        play(video, here, 10)
        path.unlink()
        assert play(video, here, 100)[-1] > 0  # no black, no error; where the system keeps the file open it even plays
