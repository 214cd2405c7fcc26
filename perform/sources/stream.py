"""Opening a camera and reading frames from it, so that nothing is ever waited for without end."""

from __future__ import annotations

import contextlib
import errno
import math
import os
import select
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perform.sources.decoding import errors
from perform.sources.devices import Address, NoCamera

if TYPE_CHECKING:
    import av

BAD_IN_A_ROW = 100  # packets that cannot be decoded before the camera is opened anew
SLICE = 0.25  # seconds between looks at whether to stop
NAP = 0.003  # seconds between questions to a device that does not wait until it has a picture


class Silent(OSError):
    """Nothing came for too long."""


def connect(address: Address, wished: Mapping[str, str], patience: float) -> Any:
    """An open PyAV container; without the wishes if the camera cannot fulfil them. Raises what `errors` lists.

    A network camera gets `patience` seconds to open and about as long between pictures: HTTP by PyAV's interrupt,
    RTSP by its own socket option (PyAV's interrupt does not reach all of its waits).
    """
    import av

    limits: dict[str, Any] = {}
    options = dict(address.options)
    if address.file.startswith(("rtsp://", "rtsps://")):
        options["timeout"] = str(round(patience * 1e6))
    elif address.remote:
        limits["timeout"] = (patience, patience)
    for more in (wished, {}) if wished else ({},):
        try:
            container = av.open(address.file, format=address.format, options=options | dict(more), **limits)
        except errors() as e:
            if address.remote and getattr(e, "errno", 0) == errno.EIO:  # all that FFmpeg says of a name without a host
                raise NoCamera("its address cannot be reached: is the name right?") from e
            if not more or isinstance(e, (FileNotFoundError, PermissionError)) or _busy(e):
                raise
            continue
        video = container.streams.video
        if video and video[0].codec_context is not None:
            return container
        container.close()
        if not video:
            raise NoCamera(f"{address.file} has no picture in it")
        if not more:
            raise NoCamera(f"{address.file} sends what FFmpeg cannot decode: have it send H.264 or MJPEG")
    raise NoCamera(f"{address.file} cannot be opened")  # pragma: no cover  (the last turn has no wishes)


def frames(
    container: Any,
    device: str | None,
    patience: float,
    stop: threading.Event,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[av.VideoFrame]:
    """Decoded frames until `stop`; a damaged picture is skipped, a stream of them is an error.

    `device` is the path of a v4l2 node: libavdevice would wait in it for ever, so it is asked first whether it has
    something; avfoundation never waits, and is asked again. After `patience` seconds (of `clock`) without anything
    Silent is raised.
    """
    stream = container.streams.video[0]
    stream.thread_type = "SLICE"  # frame threads would hold pictures back
    handle = _handle(device) if device else None
    packets = container.demux(stream)
    bad, heard = 0, clock()
    while not stop.is_set():
        if handle is not None and not _readable(handle, patience, stop):
            return
        try:
            packet = next(packets, None)
            if packet is None:
                return
            decoded = packet.decode()
        except BlockingIOError:  # no picture just now; the generator ended with its error
            if clock() - heard > patience:
                raise Silent("it has fallen silent") from None
            stop.wait(NAP)
            packets = container.demux(stream)
            continue
        except EOFError:
            return
        except ValueError:  # InvalidDataError
            bad += 1
            if bad > BAD_IN_A_ROW:
                raise
            packets = container.demux(stream)
            continue
        for frame in decoded:
            bad, heard = 0, clock()
            yield frame


def paced(
    pictures: Iterator[av.VideoFrame], stop: threading.Event, clock: Callable[[], float] = time.monotonic
) -> Iterator[av.VideoFrame]:
    """The same pictures, each not before its own time (seconds of `clock`, counted from the first one) until `stop`.

    For libavfilter, which makes them as fast as it can. After a picture that is late the others count from that one:
    a stall is not made up for in a hurry.
    """
    start = -math.inf  # when a picture of time 0 is due
    for picture in pictures:
        if picture.time is not None:
            now = clock()
            start = max(start, now - picture.time)
            if stop.wait(start + picture.time - now):
                return
        yield picture


def _handle(device: str) -> int | None:
    """This process's file descriptor of a device that libavdevice has opened (Linux); None if it cannot be found."""
    wanted = os.path.realpath(device)
    with contextlib.suppress(OSError):
        for entry in Path("/proc/self/fd").iterdir():
            with contextlib.suppress(OSError):
                if os.readlink(entry) == wanted:
                    return int(entry.name)
    return None


def _readable(handle: int, patience: float, stop: threading.Event) -> bool:
    """Wait until there is something to read; False if it is time to stop. Raises Silent."""
    deadline = time.monotonic() + patience
    while not stop.is_set():
        if select.select([handle], [], [handle], SLICE) != ([], [], []):
            return True
        if time.monotonic() > deadline:
            raise Silent("it has fallen silent")
    return False


def _busy(error: Exception) -> bool:
    return getattr(error, "errno", None) == errno.EBUSY


def why(error: Exception) -> str:
    """A device's error as a sentence for whoever stands beside it."""
    import av

    if isinstance(error, (NoCamera, Silent)):
        return str(error)
    if isinstance(error, FileNotFoundError):
        return "it is not there"
    if isinstance(error, PermissionError):
        return "it may not be used (on Linux the user must be in the group video)"
    if isinstance(error, ConnectionRefusedError):
        return "nobody answers at its address"
    if isinstance(error, (av.ExitError, TimeoutError)):
        return "it does not answer"
    if isinstance(error, av.InvalidDataError):
        return "what it sends is not a picture"
    if isinstance(error, (EOFError, BrokenPipeError, ConnectionResetError)) or getattr(error, "errno", 0) == errno.EIO:
        return "the connection ended"
    if _busy(error):
        return "another program is using it"
    return str(getattr(error, "strerror", None) or error)
