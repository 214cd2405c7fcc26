"""One open film, and the frame for a time in it. Used by one worker; knows nothing of GL, show time or threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from perform.sources.decoding import errors
from perform.sources.playhead import SLACK

if TYPE_CHECKING:
    import av

FAR = 4.0  # seconds ahead from which seeking beats decoding on
BAD_IN_A_ROW = 300  # packets that cannot be decoded before a film counts as ended there
KEPT = 96 << 20  # bytes of decoded frames kept for playing backwards (68 frames at 720p)


class NoFilm(OSError):
    """A file cannot be played; the text is one sentence."""


@dataclass(frozen=True, slots=True)
class Still:
    """One decoded frame and the seconds of film at which it begins."""

    time: float
    frame: av.VideoFrame

    @property
    def bytes(self) -> int:
        return sum(plane.buffer_size for plane in self.frame.planes)


class Projector:
    """One open film. `at(t)` gives the frame that is on screen at `t` seconds; raises NoFilm, av.FFmpegError.

    Forward play decodes each frame once. A jump seeks to the key frame before it and decodes from there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.current: Still | None = None
        self.upcoming: Still | None = None
        self.end: float | None = None  # seconds, once the last frame was decoded
        self.damaged = 0  # packets that could not be decoded
        self.read = 0  # packets so far: while it grows, there is somebody at work
        self._over = False  # nothing comes after `upcoming`
        self._first_shown = 0.0  # seconds at which the first frame begins, if that is not zero
        self._recent: deque[Still] = deque()
        self._recent_bytes = 0
        self._open()

    def _open(self) -> None:
        import av

        try:
            self._container = av.open(str(self.path), metadata_errors="ignore")
        except errors() as e:
            raise NoFilm(_why(self.path, e)) from e
        if not self._container.streams.video:
            self._container.close()
            raise NoFilm(f"{self.path.name} has no picture in it")
        self._stream = self._container.streams.video[0]
        if getattr(self._stream, "codec_context", None) is None:  # which PyAV's types do not tell
            self._container.close()
            raise NoFilm(f"{self.path.name} is coded in a way that FFmpeg cannot decode: save it as H.264")
        self._stream.thread_type = "AUTO"
        self._stream.codec_context.thread_count = 2  # leave the cores to those who draw
        self._base = float(self._stream.time_base or 1 / 25)
        self._first = (self._stream.start_time or 0) * self._base
        rate = self._stream.average_rate or self._stream.guessed_rate
        self.rate = float(rate) if rate else 25.0
        self._frames = self._decode()
        self._count = 0
        self._over = False

    @property
    def size(self) -> tuple[int, int]:
        return self._stream.codec_context.width, self._stream.codec_context.height

    @property
    def aspect(self) -> float:
        """The width of a pixel over its height."""
        ratio = self._stream.sample_aspect_ratio
        return float(ratio) if ratio else 1.0

    @property
    def length(self) -> float | None:
        """Seconds that the file says it lasts; None if it does not say."""
        if self._stream.duration:
            return float(self._stream.duration) * self._base
        return self._container.duration / 1e6 if self._container.duration else None

    def close(self) -> None:
        self._frames = iter(())
        self.current = self.upcoming = None
        self._recent.clear()
        self._container.close()

    # ------------------------------------------------------------------ finding
    def at(self, t: float, backwards: bool = False) -> Still:
        """The frame on screen at `t` seconds: the last one that begins by then (the first one before it)."""
        self.cue(t, backwards)
        while not self.ready(t):
            self.step(t, backwards)
        still = self._kept(t) or self.current
        if still is None:
            raise NoFilm(f"{self.path.name} has no frame that can be decoded")
        return still

    def cue(self, t: float, backwards: bool = False) -> None:
        """Seek if `t` is not near ahead; `step` until `ready` does the rest. Costs 0.1–5 ms."""
        if self._kept(t) is not None:
            return
        if self.current is None:
            if t >= FAR or self._count:  # else fresh from the start: decoding on is quicker
                self._seek(t)
        elif self._first_shown < self.current.time > t + SLACK or (t > self.current.time + FAR and not self._over):
            self._seek(t)

    def ready(self, t: float) -> bool:
        """Whether `at(t)` can answer without decoding."""
        if self._kept(t) is not None or (self._over and self.upcoming is None):
            return True
        return self.current is not None and self.upcoming is not None and self.upcoming.time > t + SLACK

    def step(self, t: float, backwards: bool = False) -> None:
        """Decode one frame further. On the way to a place to play backwards from, keep what passes by."""
        still = self._next()
        if self.current is not None and backwards:
            self._keep(self.current)
        elif self._recent and not backwards:
            self._recent.clear()
            self._recent_bytes = 0
        if self.upcoming is not None:
            self.current = self.upcoming
        if still is not None and self.current is None:
            self.current, still = still, self._next()
            self._first_shown = self.current.time
        self.upcoming = still

    def _next(self) -> Still | None:
        still = next(self._frames, None)
        if still is None:
            self._over = True
            last = self.upcoming or self.current
            if self.end is None and last is not None:
                lasts = last.frame.duration * self._base if last.frame.duration else 1.0 / self.rate
                self.end = last.time + lasts
        return still

    def _seek(self, t: float) -> None:
        """To the key frame before `t`. Formats that cannot seek are opened again: from the start is right, too."""
        self.current = self.upcoming = None
        self._over = False
        self._recent.clear()
        self._recent_bytes = 0
        for target in (t, t - 2.0, 0.0):
            try:
                where = max(0.0, target) + self._first
                self._container.seek(round(where / self._base), stream=self._stream, backward=True)
            except errors():
                break
            self._frames = self._decode()
            self._count = 1
            self.current = next(self._frames, None)
            if self.current is not None and self.current.time <= t + SLACK:
                return
        self._container.close()
        self._open()

    def _keep(self, still: Still) -> None:
        self._recent.append(still)
        self._recent_bytes += still.bytes
        while self._recent_bytes > KEPT:
            self._recent_bytes -= self._recent.popleft().bytes

    def _kept(self, t: float) -> Still | None:
        if not self._recent or self.current is None or t >= self.current.time - SLACK:
            return None
        return next((s for s in reversed(self._recent) if s.time <= t + SLACK), None)

    # ------------------------------------------------------------------ decoding
    def _decode(self) -> Iterator[Still]:
        """Frames in the order they are shown; packets that cannot be decoded are skipped and counted."""
        bad, trouble = 0, errors()
        packets = self._container.demux(self._stream)
        while bad < BAD_IN_A_ROW:
            try:
                packet = next(packets)
            except (StopIteration, EOFError):
                return
            except trouble:
                bad += 1
                self.damaged += 1
                packets = self._container.demux(self._stream)
                continue
            self.read += 1
            try:
                frames = packet.decode()
            except EOFError:
                return
            except trouble:
                bad += 1
                self.damaged += 1
                continue
            for frame in frames:
                bad = 0
                yield Still(self._time(frame), frame)

    def _time(self, frame: object) -> float:
        pts = getattr(frame, "pts", None)
        self._count += 1
        return (self._count - 1) / self.rate if pts is None else pts * self._base - self._first


def _why(path: Path, error: Exception) -> str:
    """One sentence on why a film cannot be opened."""
    if not path.exists():
        return f"there is no file {path}"
    if path.is_dir():
        return f'{path} is a folder, not a film; for pictures use type = "image"'
    if path.stat().st_size == 0:
        return f"{path.name} is empty"
    if isinstance(error, PermissionError):
        return f"{path.name} may not be read"
    return f"{path.name} is not a film that can be played ({getattr(error, 'strerror', None) or error})"
