"""A camera: one worker opens it, decodes, reconnects; the render thread uploads what is new.

Works with what PyAV works with: v4l2, avfoundation, dshow, RTSP, MJPEG over HTTP, and `lavfi:` test pictures.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

from perform.frame import Frame
from perform.health import Status
from perform.plugins import Closing, Stage
from perform.sources.canvas import Canvas, Picture
from perform.sources.decoding import Converter, errors
from perform.sources.devices import Cameras, wishes
from perform.sources.sizes import check_size
from perform.sources.stream import connect, frames, paced, why
from perform.workers import BACKOFF, Mailbox, spawn

STEADY = 10.0  # seconds of pictures after which a loss counts as the first again


@dataclass
class Camera(Closing):
    """`type = "camera"`. `device` is an index, a path, a name, a serial number or a URL (see `devices`).

    `size` (width, height), `rate` (pictures a second) and `format` ("mjpeg", "yuyv422"…) are wishes: a camera that
    cannot is asked for whatever it likes. `mirror` swaps left and right. `lost` after `grace` seconds of show time
    without a picture; `retry` are the seconds between attempts to get it back, the last one repeats. Costs on the
    render thread: one upload per new picture (720p: 0.09 ms on llvmpipe).
    """

    device: str | int = 0
    size: tuple[int, int] | None = None
    rate: float = 0.0
    format: str = ""
    mirror: bool = False
    grace: float = 2.0
    retry: tuple[float, ...] = BACKOFF

    def __post_init__(self) -> None:
        if not self.retry or min(self.retry) < 0.0 or self.grace <= 0.0:
            raise ValueError("grace is above 0 seconds, and retry a list of seconds such as [0.5, 1, 2, 4, 8]")
        check_size(self.size)

    def open(self, stage: Stage) -> Self:
        """Render thread; returns at once. A camera that is not there is no error: the status says so."""
        self._clock = stage.clock
        self._status = Status(stage.params, f"/status{stage.prefix}")
        self._status.say("looking for the camera")
        self._canvas = Canvas(stage)
        self._box: Mailbox[Picture] = Mailbox()
        self._heard = self._now = stage.clock.now()
        self._asked = -math.inf
        self._playing = False  # whether the worker believes that it has a camera
        self._worker = spawn(f"camera {stage.prefix}", self._run, on_error=self._failed)
        return self

    # ------------------------------------------------------------------ render thread
    @property
    def lost(self) -> bool:
        """Whether no picture has come for `grace` seconds of show time."""
        return self._now - self._heard > self.grace

    def frame(self, now: float) -> Frame:
        """The newest picture, or the last good one. Render thread."""
        if now == self._asked:
            return self._canvas.frame
        was_lost = self.lost
        self._asked = self._now = now
        picture = self._box.take()
        if picture is not None:
            self._heard = now
            return self._canvas.show(picture)
        if self.lost and not was_lost and self._playing:
            self._status.say(f"lost: no picture for {self.grace:g} s", trouble=True)
        return self._canvas.frame

    def close(self) -> None:
        """Render thread; twice is allowed. A worker that waits for a dead device is left behind, not waited for."""
        self._worker.close(0.3)
        self._canvas.close()

    # ------------------------------------------------------------------ worker
    def _failed(self, error: BaseException) -> None:
        self._status.say(f"lost: {error}", trouble=True)

    def _run(self, stop: threading.Event) -> None:
        tries = 0
        while not stop.is_set():
            began = math.inf
            try:
                for picture in self._pictures(stop):
                    began = min(began, time.monotonic())
                    self._box.put(picture)
                reason = "it stopped sending"
            except errors() as e:
                reason = why(e)
            tries = 0 if time.monotonic() - began > STEADY else tries
            wait = self.retry[min(tries, len(self.retry) - 1)]
            tries += 1
            self._playing = False
            if not stop.is_set():
                self._status.say(f"lost: {reason}; trying again in {wait:g} s", trouble=True)
                stop.wait(wait)

    def _pictures(self, stop: threading.Event) -> Iterator[Picture]:
        """Everything the camera sends until it stops or `stop` is set."""
        address = Cameras().find(self.device)
        wished = wishes(address, self.size, self.rate, self.format)
        patience = 2.5 * self.grace
        with contextlib.closing(connect(address, wished, patience)) as container:
            convert = Converter(self.mirror, hd=address.remote and _modern(container.streams.video[0]))
            pace = _Pace(time.monotonic())
            device = address.file if address.format == "v4l2" else None
            pictures = frames(container, device, patience, stop)
            for frame in paced(pictures, stop) if address.format == "lavfi" else pictures:
                now = self._clock.now()
                picture = Picture(convert(frame), now)
                self._playing = True  # and said before the picture: who sees that may ask how the camera is
                self._status.say(f"playing {frame.width}×{frame.height}{pace.beat(time.monotonic())}")
                yield picture


def _modern(stream: Any) -> bool:
    """Whether untagged HD means BT.709: so it does in H.264 and H.265, and never in MJPEG, which is JFIF."""
    return bool(stream.codec_context.name != "mjpeg")


class _Pace:
    """Measures how many pictures come in a real second, and says it anew only when it has changed a lot."""

    def __init__(self, now: float) -> None:
        self._since, self._count, self._said = now, 0, 0.0

    def beat(self, now: float) -> str:
        """Count a picture; what to say of the rate (" at 30"), nothing in the first seconds."""
        self._count += 1
        span = now - self._since
        if span >= 2.0:
            rate = self._count / span
            if abs(rate - self._said) > 0.2 * self._said:
                self._said = rate
            self._since, self._count = now, 0
        return f" at {self._said:.0f}" if self._said and math.isfinite(self._said) else ""
