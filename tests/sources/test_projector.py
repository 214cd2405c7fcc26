"""The right frame for a time: forwards, backwards, after jumps, in odd files."""

from __future__ import annotations

import random
from pathlib import Path

import av
import numpy as np
import pytest

from perform.sources.booth import Booth
from perform.sources.decoding import Converter
from perform.sources.projector import NoFilm, Projector, Still
from tests.sources.films import film, foreign, number


def shown(still: Still) -> int:
    return number(Converter()(still.frame))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("films") / "clip.mp4", frames=60, rate=30, gop=12)


def test_every_frame_is_the_one_for_its_time(clip: Path) -> None:
    projector = Projector(clip)
    for tick in range(120):  # shown at 60 a second
        assert shown(projector.at(tick / 60)) == tick // 2
    projector.close()


def test_jumps_land_on_the_exact_frame(clip: Path) -> None:
    projector = Projector(clip)
    rng = random.Random(7)
    for _ in range(40):
        frame = rng.randrange(60)
        assert shown(projector.at((frame + rng.random() * 0.98) / 30)) == frame
    projector.close()


def test_backwards_is_exact_too_and_keeps_what_it_passed(clip: Path) -> None:
    projector = Projector(clip)
    for frame in range(59, -1, -1):
        assert shown(projector.at((frame + 0.5) / 30, backwards=True)) == frame
    projector.close()


def test_the_last_frame_holds_and_tells_the_end(clip: Path) -> None:
    projector = Projector(clip)
    assert shown(projector.at(500.0)) == 59
    assert projector.end == pytest.approx(2.0)
    assert shown(projector.at(900.0)) == 59
    assert shown(projector.at(0.0)) == 0
    assert shown(projector.at(1.0)) == 30
    projector.close()


def test_a_variable_frame_rate_follows_the_time_stamps(tmp_path: Path) -> None:
    times = [0, 1, 2, 10, 11, 30]
    projector = Projector(film(tmp_path / "vfr.mp4", frames=6, times=times))
    assert [shown(projector.at(t / 30)) for t in range(31)] == [
        max(i for i, at in enumerate(times) if at <= t) for t in range(31)
    ]
    projector.close()


@pytest.mark.parametrize(
    ("name", "codec"), [("raw.h264", "libx264"), ("a.avi", "mpeg4"), ("a.mkv", "libx264"), ("a.ts", "libx264")]
)
def test_containers(tmp_path: Path, name: str, codec: str) -> None:
    """A raw stream has no time stamps and cannot seek; a transport stream does not begin at zero."""
    projector = Projector(film(tmp_path / name, frames=40, rate=25, codec=codec))
    assert [shown(projector.at(t / 25)) for t in range(0, 40, 3)] == list(range(0, 40, 3))
    assert shown(projector.at(5.5 / 25)) == 5
    assert shown(projector.at(33.5 / 25)) == 33
    projector.close()


def test_a_loop_changes_over_without_decoding_on_the_spot(clip: Path) -> None:
    booth = Booth(clip, 0.5, loop=True)
    assert shown(booth.at(1.9)) == 57
    while booth.prepare():
        pass
    waiting = booth._spare
    assert waiting is not None
    assert waiting.ready(0.5)
    assert shown(booth.at(0.5)) == 15
    assert booth.front is waiting
    assert booth.end == pytest.approx(2.0)
    booth.close()


def test_without_a_loop_there_is_one_projector(clip: Path) -> None:
    booth = Booth(clip, 0.0, loop=False)
    booth.at(0.0)
    assert not booth.prepare()
    assert booth._spare is None
    booth.close()


def test_damage_is_skipped_and_counted(tmp_path: Path) -> None:
    path = film(tmp_path / "broken.mkv", frames=60, gop=10)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + len(data) // 8] = bytes(random.Random(1).randbytes(len(data) // 8))
    path.write_bytes(data)
    projector = Projector(path)
    assert shown(projector.at(0.1)) == 3
    projector.at(1.9)  # whatever is left of it, but no error
    projector.close()


def test_a_film_cut_short_ends_early(tmp_path: Path) -> None:
    path = film(tmp_path / "short.mkv", frames=60, gop=10)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    projector = Projector(path)
    last = shown(projector.at(1.99))
    assert 10 < last < 55
    assert projector.end == pytest.approx((last + 1) / 30, abs=0.04)
    projector.close()


@pytest.mark.parametrize(("turn", "red"), [(0, (8, 4)), (90, (4, 8)), (180, (8, -4)), (-90, (-4, 8))])
def test_a_film_is_shown_as_the_camera_was_held(tmp_path: Path, turn: int, red: tuple[int, int]) -> None:
    """The upper half is red as it is stored. `red` is a place (x, y) in it as it is seen, from the left and the top."""
    projector = Projector(film(tmp_path / "a.mp4", frames=2, turn=turn))
    pixels = Converter()(projector.at(0.0).frame)[::-1]
    projector.close()
    assert pixels.shape[:2] == ((128, 64) if turn % 180 else (64, 128))
    assert pixels[red[1], red[0], 0] > 150
    assert pixels[-red[1], -red[0], 0] < 50


@pytest.mark.parametrize(("luma", "grey"), [(64, 0), (502, 128), (800, 214), (940, 255)])
def test_ten_bits_reach_white(luma: int, grey: int) -> None:
    """BT.709 in 10 bits: black is 64, white 940."""
    frame = av.VideoFrame(64, 64, "yuv420p10le")
    for plane, value in zip(frame.planes, (luma, 512, 512), strict=True):
        plane.update(np.full(plane.buffer_size // 2, value, np.uint16).tobytes())
    assert set(Converter()(frame)[..., :3].flatten().tolist()) == {grey}


def test_files_that_cannot_be_played_say_why(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    foreign(tmp_path / "foreign.avi")
    (tmp_path / "Fotoğraf 写真.mp4").write_bytes(b"not a film at all" * 100)
    for name, why in (
        ("gone.mp4", "there is no file"),
        ("empty.mp4", "empty.mp4 is empty"),
        (".", "is a folder"),
        ("foreign.avi", "foreign.avi is coded in a way that FFmpeg cannot decode"),
        ("Fotoğraf 写真.mp4", "写真.mp4 is not a film that can be played"),
    ):
        with pytest.raises(NoFilm, match=why):
            Projector(tmp_path / name)
