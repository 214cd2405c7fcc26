"""Writes H.264 films that survive: a kill leaves a film that plays, a clean end one that starts at once anywhere."""

from __future__ import annotations

import contextlib
import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

KINDS = (".mp4", ".mov", ".mkv", ".m4v")
CLOCK = 90_000  # ticks a second, MPEG's own: 24, 25, 30, 50 and 60 frames a second are whole numbers of it
LARGE = 2 << 30  # bytes of a film that is left as it is: rewriting it takes minutes
ALIVE = {"flush_packets": "1"}  # to the disk as it comes, so that a kill leaves what there was
KILLABLE = {
    ".mp4": {"movflags": "empty_moov+default_base_moof", "frag_duration": "2000000"},  # microseconds: what a kill loses
    ".mkv": {"cluster_time_limit": "2000"},
}


class FilmError(OSError):
    """A film cannot be written (any more); the text is one sentence."""


class Film:
    """One film being written, by one worker. `add` raises FilmError, and `close` leaves what is there playable."""

    def __init__(self, path: Path, size: tuple[int, int], fps: float, crf: int, preset: str) -> None:
        import av

        self.path = path
        self.frames = 0
        self._last = -1
        kind = {".m4v": ".mp4", ".mov": ".mp4"}.get(path.suffix.lower(), path.suffix.lower())
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._container: Any = av.open(str(path), "w", options=ALIVE | KILLABLE.get(kind, {}))
            rate = Fraction(fps).limit_denominator(1001)
            self._stream: Any = self._container.add_stream("libx264", rate=rate)
        except (av.FFmpegError, OSError, ValueError) as e:
            raise FilmError(f"{path} cannot be written: {getattr(e, 'strerror', None) or e}") from e
        self._remux = kind == ".mp4"
        self._fps = fps
        self._stream.width, self._stream.height = size
        self._stream.pix_fmt = "yuv420p"
        self._stream.options = {
            "preset": preset,
            "crf": str(crf),
            "bf": "0",
        }  # no B-frames: pictures leave in order, from 0
        context = self._stream.codec_context
        context.time_base = Fraction(1, CLOCK)
        # Each key frame draws the grain of a dream anew, and that is seen: rarely, then.
        context.gop_size = max(1, round(10 * fps))
        context.thread_count = 2
        for name in ("colorspace", "color_primaries", "color_trc"):
            setattr(context, name, 1)  # BT.709
        context.color_range = 1  # limited

    def add(self, rgba: npt.NDArray[np.uint8], seconds: float) -> None:
        """Add a picture (height, width, 4; row 0 at the bottom) at a time; out of order or too soon: left out."""
        import av

        pts = round(seconds * CLOCK)
        if pts <= self._last:
            return
        self._last = pts
        frame: Any = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgba[::-1]), format="rgba")
        frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG", threads=1)
        frame.pts, frame.time_base = pts, Fraction(1, CLOCK)
        try:
            self._container.mux(self._stream.encode(frame))
        except (av.FFmpegError, OSError) as e:
            raise FilmError(f"{self.path.name} stopped: {getattr(e, 'strerror', None) or e}") from e
        self.frames += 1

    def close(self, whole: bool = True) -> None:
        """End the film. `whole`: nothing went wrong, so write out the encoder's rest and put the index first."""
        import av

        trouble: Exception | None = None
        if whole:
            try:
                self._container.mux(self._stream.encode())
            except (av.FFmpegError, OSError) as e:
                trouble = e
        try:
            self._container.close()
        except (av.FFmpegError, OSError) as e:
            trouble = trouble or e
        if self._remux and not (whole and trouble is None):
            _whole_fragments(self.path)
        if trouble is not None:
            raise FilmError(f"{self.path.name} was cut short: {getattr(trouble, 'strerror', None) or trouble}")
        if whole and self._remux:
            _index_first(self.path)


def length(path: Path) -> float:
    """Seconds of film that a file really holds; 0 if it holds none that plays."""
    import av

    try:
        with av.open(str(path)) as film:
            times = [float(p.pts * p.time_base) for p in film.demux(video=0) if p.pts is not None and p.size]
    except (av.FFmpegError, OSError, IndexError):
        return 0.0
    return max(times) - min(times) if times else 0.0


def _whole_fragments(path: Path) -> None:
    """Cut off what a full disk left of the last fragment (ISO/IEC 14496-12: boxes of a size, a type, a body)."""
    whole = 0
    with contextlib.suppress(OSError), path.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        at = 0
        while at + 8 <= end:
            file.seek(at)
            head = file.read(8)
            at += max(8, int.from_bytes(head[:4], "big"))
            if at <= end and head[4:] in (b"moov", b"mdat"):
                whole = at
        if whole:
            file.truncate(whole)


def _index_first(path: Path) -> None:
    """Rewrite a fragmented film as an ordinary one. If that fails, or would take longer than a show may take to close,
    the fragmented one stays: it plays as well.
    """
    import av

    with contextlib.suppress(OSError):
        if path.stat().st_size > LARGE:
            return
    new = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        with av.open(str(path)) as old, av.open(str(new), "w", options={"movflags": "faststart"}) as out:
            source = old.streams.video[0]
            stream = out.add_stream_from_template(source)
            for packet in old.demux(source):
                if packet.dts is not None:
                    packet.stream = stream
                    out.mux(packet)
        os.replace(new, path)
    except (av.FFmpegError, OSError, ValueError, IndexError):
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)


def keep(path: Path) -> Path | None:
    """Give an older film of this name a number of its own; returns its new name, None if there was none to keep."""
    if not path.exists() or path.stat().st_size == 0:
        return None
    for number in range(2, 10_000):
        older = path.with_name(f"{path.stem} {number}{path.suffix}")
        if not older.exists():
            path.rename(older)
            return older
    raise FilmError(f"there are too many films called {path.name}")
