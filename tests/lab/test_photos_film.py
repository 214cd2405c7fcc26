"""Films and time-lapses: distinct frames, spread over the whole of it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from perform.lab import photos
from perform.lab.photos import film
from tests.sources.films import foreign


def scene(number: int) -> Image.Image:
    rng = np.random.default_rng(number)
    return Image.fromarray(rng.integers(0, 256, (5, 7, 3), dtype=np.uint8)).resize((320, 256), Image.Resampling.BICUBIC)


def shot(
    path: Path, pictures: Sequence[Image.Image], rate: int = 10, aspect: Fraction | int = 0, codec: str = "mpeg4"
) -> Path:
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=rate)
        if codec == "mjpeg":
            stream.pix_fmt = "yuvj420p"
        stream.width, stream.height, stream.bit_rate = *pictures[0].size, 4_000_000
        stream.codec_context.sample_aspect_ratio = aspect
        for picture in pictures:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(picture))))
        out.mux(stream.encode(None))
    return path


def test_a_film_gives_each_scene_once(tmp_path: Path) -> None:
    path = shot(tmp_path / "Фильм.mp4", [scene(number // 4) for number in range(4 * 22)])
    found = photos.take(path)
    assert len(found.names) == 22
    assert found.names[0] == "Фильм.mp4 00:00:00.00"
    assert found.names[5] == "Фильм.mp4 00:00:02.00"
    assert found.world.pictures[0].shape == (3, 256, 320)
    expected = np.asarray(scene(9)).astype(float)
    assert np.abs(found.world.pictures[9].permute(1, 2, 0).numpy() - expected).mean() < 12


def test_squeezed_films_are_as_wide_as_they_are_shown(tmp_path: Path) -> None:
    path = shot(tmp_path / "pal.mp4", [scene(1)], aspect=Fraction(64, 45))
    ((_, picture),) = film.frames(path)
    assert picture.shape == (3, 256, 455)


@pytest.mark.skipif(os.name == "nt", reason="names are always Unicode here")
def test_frames_of_a_film_that_is_called_in_latin_1(tmp_path: Path) -> None:
    path = shot(tmp_path / "a.mp4", [scene(1)])
    path = path.rename(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mp4"))
    assert [name for name, _ in film.frames(path)] == ["caf\\xe9.mp4 00:00:00.00"]


@pytest.mark.skipif(os.name == "nt", reason="no such names here")
def test_a_film_with_a_colon_in_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shot(tmp_path / "a.mp4", [scene(1)]).rename("12:30.mp4")
    assert len(list(film.frames(Path("12:30.mp4")))) == 1


def test_frames_are_spread_over_the_length(tmp_path: Path) -> None:
    path = shot(tmp_path / "long.mp4", [scene(number) for number in range(60)])
    names = [name for name, _ in film.frames(path, most=16)]
    seconds = [float(name.rsplit(":", 1)[1]) for name in names]
    assert 8 <= len(names) <= 16
    steps = np.diff(seconds)
    assert seconds[0] == 0
    assert seconds[-1] > 4.5
    assert steps.max() <= 2 * steps.min() + 0.2


def test_fades_to_black_are_passed_over(tmp_path: Path) -> None:
    black = Image.new("RGB", (320, 256))
    pictures = [picture for number in range(21) for picture in (scene(number), black)]
    found = photos.take(shot(tmp_path / "a.mkv", pictures))
    assert len(found.names) == 21


def test_what_is_no_film(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"not a film at all" * 100)
    with pytest.raises(ValueError, match=r"a\.mp4 is no picture, zip or film that can be read"):
        photos.take(tmp_path / "a.mp4")
    (tmp_path / "empty.mov").write_bytes(b"")
    with pytest.raises(ValueError, match="is no picture, zip or film"):
        photos.take(tmp_path / "empty.mov")
    with pytest.raises(ValueError, match=r"1 frame in .* is too few"):
        photos.take(shot(tmp_path / "still.mp4", [scene(1)] * 30))


def test_sound_alone_is_no_film(tmp_path: Path) -> None:
    path = tmp_path / "song.wav"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("pcm_s16le", rate=8000, layout="mono")
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        sound.sample_rate = 8000
        out.mux(stream.encode(sound))
        out.mux(stream.encode(None))
    with pytest.raises(ValueError, match="a film without pictures"):
        photos.take(path)


def test_a_film_in_a_codec_that_nobody_knows(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"a\.avi is coded in a way that FFmpeg cannot decode"):
        list(film.frames(foreign(tmp_path / "a.avi")))


def test_a_film_that_breaks_off_gives_what_came_before(tmp_path: Path) -> None:
    path = shot(tmp_path / "a.mkv", [scene(number) for number in range(60)])
    data = path.read_bytes()
    assert not any("The film" in said for said in photos.take(path).warnings)
    path.write_bytes(data[: len(data) * 2 // 3])
    found = photos.take(path)
    assert 25 <= len(found.names) < 60
    (said,) = (said for said in found.warnings if "The film" in said)
    assert said.startswith("The film breaks off at 00:00:0")


def test_a_frame_that_is_damaged_costs_no_other(tmp_path: Path) -> None:
    path = shot(tmp_path / "a.avi", [scene(number) for number in range(40)], codec="mjpeg")
    with av.open(str(path)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    data = bytearray(path.read_bytes())
    for number in (10, 11, 30):
        at, size = places[number]
        data[at : at + size] = bytes(size)
    path.write_bytes(data)
    found = photos.take(path)
    assert len(found.names) == 37
    (said,) = (said for said in found.warnings if "The film" in said)
    assert said == "The film is damaged in 2 places; what can be read of it is used."
