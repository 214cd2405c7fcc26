"""A camera on loopback that is unplugged, changes its size, sends rubbish, or nothing at all."""

from __future__ import annotations

import contextlib
import errno
import io
import itertools
import os
import threading
import time
import wave
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest

from perform.clock import LiveClock, ManualClock
from perform.gl.transfer import read
from perform.sources import stream
from perform.sources.camera import Camera
from tests.sources.conftest import MakeStage, said, until
from tests.sources.films import foreign
from tests.sources.mjpeg import Server, jpeg, part
from tests.sources.rtsp import RtspServer

RED, BLUE = (220, 30, 20), (20, 40, 210)


def quick(url: str) -> Camera:
    return Camera(url, grace=0.25, retry=(0.05,))


def color(camera: Camera, now: float) -> tuple[int, ...]:
    pixels = read(camera.frame(now).texture)
    return tuple(int(v) for v in pixels[pixels.shape[0] // 2, pixels.shape[1] // 2, :3])


def wav() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(16000))
    return out.getvalue()


def near(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    return all(abs(x - y) < 12 for x, y in zip(a, b, strict=True))


def test_plays_is_lost_and_comes_back_with_the_last_picture_meanwhile(stage: MakeStage) -> None:
    here = stage()
    with Server(lambda: itertools.repeat(part(jpeg(RED)))) as server, quick(server.url).open(here) as camera:
        now = here.clock.now
        until(lambda: camera.frame(now()).serial)
        assert near(color(camera, now()), RED)
        until(lambda: (camera.frame(now()), not camera.lost)[1])  # a busy machine's pictures come late
        assert camera.frame(now()).size == (64, 48)
        server.kill()
        server.body = lambda: itertools.repeat(part(jpeg(BLUE)))  # for nobody who came back before the door closed
        until(lambda: (camera.frame(now()), camera.lost)[1])
        assert near(color(camera, now()), RED)  # the last good picture, not black
        until(lambda: said(here).startswith("lost: ") and "trying again in 0.05 s" in said(here))
        server.start()
        until(lambda: (camera.frame(now()), not camera.lost)[1])
        until(lambda: near(color(camera, now()), BLUE))
        until(lambda: said(here).startswith("playing 64×48"))


def test_grace_is_show_time(stage: MakeStage) -> None:
    clock = ManualClock()
    here = stage(clock)
    with Camera("lavfi:color=c=red:s=64x64:r=1:d=1", retry=(60.0,)).open(here) as camera:
        until(lambda: (clock.advance(1e-6), camera.frame(clock.now()))[1].serial)
        clock.advance(1.9)
        camera.frame(clock.now())
        assert not camera.lost
        clock.advance(0.2)
        assert camera.frame(clock.now()).serial == 1
        assert camera.lost


def test_a_camera_that_sends_nothing_more_is_said_to_be_lost(stage: MakeStage) -> None:
    clock = ManualClock()
    here = stage(clock)
    with Camera("lavfi:color=c=red:s=64x64:r=1/3600").open(here) as camera:  # the next picture comes in an hour
        until(lambda: camera.frame(clock.advance(1e-6)).serial)
        camera.frame(clock.advance(1.9))
        assert said(here) == "playing 64×64"
        camera.frame(clock.advance(0.2))
        assert said(here) == "lost: no picture for 2 s"


def test_a_camera_is_looked_for_less_and_less_often(stage: MakeStage) -> None:
    here = stage()
    with Camera("/dev/video987", retry=(0.001, 0.002, 60.0)).open(here):
        until(lambda: said(here).endswith("; trying again in 60 s"))


def test_a_picture_is_upright_and_mirrors(stage: MakeStage) -> None:
    """The left half of testsrc's gradient differs from its right, the top from the bottom."""
    clock = LiveClock()
    graph = "lavfi:gradients=s=64x32:c0=red:c1=blue:x0=0:y0=0:x1=63:y1=31:r=30:d=1:speed=0.00001,format=rgb24"
    pictures = []
    for mirror in (False, True):
        with Camera(graph, mirror=mirror).open(stage(clock)) as camera:
            until(lambda camera=camera: camera.frame(clock.now()).serial)
            pictures.append(read(camera.frame(clock.now()).texture))
    straight, mirrored = pictures
    assert straight[-1, 0, 0] > 200 > 60 > straight[0, -1, 0]  # red is at the top left
    assert np.abs(straight[:, ::-1].astype(int) - mirrored).max() < 20


def test_a_size_that_changes_while_it_plays(stage: MakeStage) -> None:
    def body() -> Iterator[bytes]:
        yield from [part(jpeg(RED))] * 5
        yield from itertools.repeat(part(jpeg(BLUE, (96, 80))))

    here = stage()
    with Server(body) as server, quick(server.url).open(here) as camera:
        until(lambda: camera.frame(here.clock.now()).size == (96, 80))
        until(lambda: near(color(camera, here.clock.now()), BLUE))
        until(lambda: "96×80" in said(here))


def test_damaged_pictures_between_good_ones(stage: MakeStage) -> None:
    good = part(jpeg(RED))
    broken = part(jpeg(BLUE)[:200]) + part(b"\xff\xd8 rubbish \xff\xd9")
    here = stage()
    with Server(lambda: itertools.cycle([good, broken])) as server, quick(server.url).open(here) as camera:
        until(lambda: camera.frame(here.clock.now()).serial > 5 and not camera.lost)


@pytest.mark.parametrize(
    ("body", "head", "why"),
    [
        (lambda: iter([b"\x00\x01garbage" * 20_000]), None, "lost: "),
        (lambda: iter([]), None, "lost: "),  # closes at once
        (lambda: iter([]), b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "lost: .*404"),
        (lambda: iter([]), b"\x00\xff\x00 not http at all", "lost: "),
        (lambda: iter([]), b"", "lost: "),
    ],
)
def test_servers_that_send_no_pictures(stage: MakeStage, body: object, head: bytes | None, why: str) -> None:
    import re

    here = stage()
    with Server(body, head=head) as server, quick(server.url).open(here) as camera:  # type: ignore[arg-type]
        until(lambda: (camera.frame(here.clock.now()), camera.lost)[1])
        until(lambda: server.connections >= 3)  # it keeps trying
        assert camera.frame(here.clock.now()).serial == 0
        until(lambda: re.search(why, said(here)))


def test_a_server_that_falls_silent_is_left_and_tried_again(stage: MakeStage) -> None:
    def body() -> Iterator[bytes]:
        yield from [part(jpeg(RED))] * 8
        time.sleep(8.0)  # longer than the camera waits; the server's own thread

    here = stage()
    with Server(body) as server, quick(server.url).open(here) as camera:
        until(lambda: camera.frame(here.clock.now()).serial)
        until(lambda: (camera.frame(here.clock.now()), camera.lost)[1])
        until(lambda: server.connections >= 2)


def test_close_does_not_wait_for_a_server_that_says_nothing(stage: MakeStage) -> None:
    silence = threading.Event()

    def body() -> Iterator[bytes]:
        silence.wait(60.0)  # the server's own thread
        yield b""

    with Server(body, head=b"") as server:
        camera = Camera(server.url, grace=40.0).open(stage())
        until(lambda: server.connections)
        began = time.monotonic()
        camera.close()
        camera.close()
        assert time.monotonic() - began < 20.0  # its own limit for opening would be 100 s
        silence.set()


@pytest.mark.parametrize(
    ("device", "why"),
    [
        ("/dev/video987", "there is no camera at /dev/video987"),
        ("No Such Camera", "there is no camera called 'No Such Camera'"),
        ("lavfi:nosuchfilter", "lost: "),
        ("nosuch://camera", "lost: "),
        ("rtsp://nosuchhost.invalid/live", "its address cannot be reached: is the name right?"),
        ("http://nosuchhost.invalid/cam", "its address cannot be reached: is the name right?"),
        ("http://127.0.0.1:1/cam", "nobody answers at its address"),
    ],
)
def test_cameras_that_are_not_there(stage: MakeStage, device: str, why: str) -> None:
    here = stage()
    with quick(device).open(here) as camera:
        until(lambda: why in said(here))
        until(lambda: (camera.frame(here.clock.now()), camera.lost)[1])
        assert camera.frame(here.clock.now()).serial == 0


def test_wishes_that_cannot_be_met_are_dropped(stage: MakeStage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A device that refuses options plays without them."""
    from perform.sources import camera as module
    from perform.sources.devices import Address

    monkeypatch.setattr(module.Cameras, "find", lambda self, device: Address("color=c=red:s=32x32", "lavfi"))
    monkeypatch.setattr(module, "wishes", lambda *a: {"graph": "nosuchfilter"})
    here = stage()
    with Camera("any", size=(640, 480)).open(here) as camera:
        until(lambda: camera.frame(here.clock.now()).serial)


@pytest.mark.parametrize("size", [None, (640, 480)])
def test_a_camera_whose_codec_is_not_known_says_so(
    stage: MakeStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int] | None
) -> None:
    from perform.sources import camera as module
    from perform.sources.devices import Address

    path = str(foreign(tmp_path / "a.avi"))
    monkeypatch.setattr(module.Cameras, "find", lambda self, device: Address(path, "avi"))
    monkeypatch.setattr(module, "wishes", lambda *a: {"any": "wish"} if size else {})
    here = stage()
    with Camera("any", size=size, retry=(60.0,)).open(here):
        until(lambda: "a.avi sends what FFmpeg cannot decode" in said(here))


@pytest.mark.parametrize("silent_after", [0, 40])
def test_an_rtsp_camera_that_falls_silent_is_left_and_tried_again(stage: MakeStage, silent_after: int) -> None:
    here = stage()
    with RtspServer(RED, silent_after=silent_after) as server, quick(server.url).open(here) as camera:
        if silent_after:
            until(lambda: near(color(camera, here.clock.now()), RED))
            until(lambda: said(here) == "playing 96×64")  # if it is silent by now, it will be back
        until(lambda: (camera.frame(here.clock.now()), camera.lost)[1])
        until(lambda: server.connections >= 2)


def test_an_rtsp_camera_plays_and_is_lost(stage: MakeStage) -> None:
    here = stage()
    with RtspServer(BLUE) as server, quick(server.url).open(here) as camera:
        until(lambda: near(color(camera, here.clock.now()), BLUE))
        server.kill()
        until(lambda: (camera.frame(here.clock.now()), camera.lost)[1])
        until(lambda: "nobody answers" in said(here))
        assert near(color(camera, here.clock.now()), BLUE)


@pytest.mark.parametrize("size", [(96, 64), (1280, 720)])
def test_an_rtsp_camera_has_its_colours_in_sd_and_in_hd(stage: MakeStage, size: tuple[int, int]) -> None:
    here, green = stage(), (60, 200, 40)
    with RtspServer(green, size, frames=2) as server, quick(server.url).open(here) as camera:
        until(lambda: camera.frame(here.clock.now()).serial)
        assert near(color(camera, here.clock.now()), green)


def test_mjpeg_has_its_colours_in_hd(stage: MakeStage) -> None:
    here, green = stage(), (60, 200, 40)
    with Server(lambda: itertools.repeat(part(jpeg(green, (1280, 720))))) as server, quick(server.url).open(here) as it:
        until(lambda: it.frame(here.clock.now()).serial)
        assert near(color(it, here.clock.now()), green)


def test_a_device_that_says_nothing_is_not_waited_for() -> None:
    """A pipe stands for a v4l2 node."""
    read_end, write_end = os.pipe()
    try:
        with pytest.raises(stream.Silent, match="silent"):
            stream._readable(read_end, 0.01, threading.Event())
        stopped = threading.Event()
        stopped.set()
        assert not stream._readable(read_end, 10.0, stopped)
        os.write(write_end, b"x")
        assert stream._readable(read_end, 10.0, threading.Event())
    finally:
        os.close(read_end)
        os.close(write_end)


class Naps(threading.Event):
    """A stop event and a clock: waiting takes no time and moves the clock on."""

    def __init__(self) -> None:
        super().__init__()
        self.time = 0.0

    def wait(self, timeout: float | None = None) -> bool:
        self.time += timeout or 0.0
        return self.is_set()


class Hasty:
    """Stands for an open container of avfoundation, which has no picture `between` times before each and at the end."""

    def __init__(self, pictures: int, between: int) -> None:
        self.streams = SimpleNamespace(video=[SimpleNamespace()])
        turns = [*[None] * between, SimpleNamespace(decode=lambda: [object()])]
        self._packets = itertools.chain(turns * pictures, itertools.repeat(None))

    def demux(self, stream: object) -> Iterator[object]:
        for packet in self._packets:
            if packet is None:
                raise av.BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
            yield packet


def test_a_device_that_has_no_picture_just_now_is_asked_again_until_it_has_fallen_silent() -> None:
    naps, seen = Naps(), []
    with pytest.raises(stream.Silent, match="silent"):
        seen.extend(stream.frames(Hasty(4, between=200), None, 1.0, naps, lambda: naps.time))
    assert len(seen) == 4
    assert naps.time == pytest.approx(4 * 200 * stream.NAP + 1.0, abs=0.1)  # 2.4 s, and never 1 s without a picture


def test_pictures_come_at_their_own_time_and_after_a_stall_not_in_a_hurry() -> None:
    naps = Naps()
    naps.time = 100.0
    pictures, seen = [SimpleNamespace(time=t) for t in (5.0, 5.5, None, 6.0, 6.5, 7.0, 1.0, 1.5)], []
    for picture in stream.paced(iter(pictures), naps, lambda: naps.time):
        seen.append((picture.time, naps.time))
        naps.time += 3.0 if picture.time == 6.0 else 0.125
    assert seen[:4] == [(5.0, 100.0), (5.5, 100.5), (None, 100.625), (6.0, 101.0)]
    assert seen[4:] == [(6.5, 104.0), (7.0, 104.5), (1.0, 104.625), (1.5, 105.125)]


def test_a_picture_whose_time_is_long_off_holds_nobody_up_who_stops() -> None:
    naps = Naps()
    pictures = stream.paced(iter([SimpleNamespace(time=0.0), SimpleNamespace(time=1e6)]), naps, lambda: naps.time)
    assert next(pictures).time == 0.0
    naps.set()
    assert list(pictures) == []


def test_a_camera_of_libavfilter_does_not_run_ahead(stage: MakeStage) -> None:
    naps = Naps()
    with Camera("lavfi:color=c=red:s=64x64:r=1/3600").open(stage()) as camera:
        with contextlib.closing(camera._pictures(naps)) as pictures:
            next(pictures)
            assert naps.time <= 0.0
            next(pictures)
        assert naps.time == pytest.approx(3600.0, abs=600.0)  # less what the machine took between the two


def test_the_handle_of_an_open_device_is_found(tmp_path: Path) -> None:
    (tmp_path / "video0").touch()
    (tmp_path / "by-id").symlink_to(tmp_path / "video0")
    with (tmp_path / "video0").open() as file:
        assert stream._handle(str(tmp_path / "by-id")) == file.fileno()
    assert stream._handle(str(tmp_path / "by-id")) is None


def test_a_sound_is_no_camera(stage: MakeStage) -> None:
    here = stage()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\n\r\n"
    with Server(lambda: iter([wav()]), head=head) as server, quick(server.url).open(here) as camera:
        until(lambda: "has no picture in it" in said(here))
        assert camera.frame(here.clock.now()).serial == 0


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(errno.EBUSY, "Device or resource busy"), "another program is using it"),
        (PermissionError(13, "no"), "it may not be used"),
        (FileNotFoundError(2, "no"), "it is not there"),
        (ConnectionResetError(104, "reset"), "the connection ended"),
        (OSError(errno.EIO, "Input/output error"), "the connection ended"),
        (TimeoutError(110, "slow"), "it does not answer"),
        (ValueError("no container format 'dshow'"), "no container format"),
    ],
)
def test_errors_are_sentences(error: Exception, sentence: str) -> None:
    assert sentence in stream.why(error)


def test_says_how_many_pictures_come(stage: MakeStage) -> None:
    from perform.sources.camera import _Pace

    pace, words = _Pace(0.0), []
    for n in range(1, 301):
        words.append(pace.beat(n / 30 if n <= 150 else 5.0 + (n - 150) / 10))
    assert words[0] == ""
    assert words[75] == " at 30"
    assert words[-1] == " at 10"
