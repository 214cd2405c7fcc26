"""Distinct frames of a film or a time-lapse, spread over its whole length."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image
from torch import Tensor

from perform.lab.photos.alike import Seen
from perform.lab.photos.folder import written
from perform.lab.photos.picture import Refused, of_image

MOST = 600
LONG = 20 * 60.0  # seconds: of longer films only key frames are decoded


def frames(path: Path, most: int = MOST) -> Iterator[tuple[str, Tensor]]:
    """(name, uint8 [3,H,W]) of at most `most` frames that differ, in their order. 4 ms a frame of 720p.

    When `most` are found, every second is dropped and from then on every second is passed over: what is kept is
    spread over the film whatever its length, and never more than `most` are in memory. Raises ValueError if this is
    no film, has no pictures, or is damaged from the start.
    """
    kept: list[tuple[str, Tensor]] = []
    seen, stride, since = Seen(bits=5, colour=7.0), 1, 0
    for time, image in _decoded(path):
        since += 1
        if since < stride:
            continue
        try:
            picture = of_image(image).pixels
        except Refused:  # black, white: a fade, or too small; `photos.take` counts what is left
            continue
        if seen.twin(picture) is not None:
            continue
        since = 0
        seen.add(picture)
        kept.append((f"{written(path.name)} {_clock(time)}", picture))
        if len(kept) == most:
            kept, stride = kept[::2], 2 * stride
    yield from kept


def _decoded(path: Path) -> Iterator[tuple[float, Image.Image]]:
    """(seconds, picture) of each frame that can be decoded; a film that breaks off ends there."""
    import av

    try:
        container = av.open(str(path))
    except PermissionError:
        raise ValueError(f"{path} may not be read (permissions)") from None
    except (av.error.FFmpegError, OSError) as error:
        raise ValueError(f"{path} is no picture, zip or film that can be read ({_reason(error)})") from None
    with container:
        if not container.streams.video:
            raise ValueError(f"{path} is a film without pictures: it holds no video stream")
        stream = container.streams.video[0]
        if float(container.duration or 0) / av.time_base > LONG:
            stream.codec_context.skip_frame = "NONKEY"
        stream.thread_type = "AUTO"
        aspect = float(stream.sample_aspect_ratio or 1)
        try:
            for number, frame in enumerate(container.decode(stream)):
                yield float(frame.time if frame.time is not None else number), _upright(frame, aspect)
        except (av.error.FFmpegError, OSError):
            return


def _upright(frame: Any, aspect: float) -> Image.Image:
    """A frame as Pillow has it, no larger than is needed, turned as the camera was held. `aspect`: how many times wider
    than high its pixels are shown (television, DV, DVD).
    """
    wide = frame.width * aspect
    scale = min(1.0, 720 / max(wide, frame.height))
    width, height = max(2, round(wide * scale)), max(2, round(frame.height * scale))
    image: Image.Image = frame.to_image(width=width, height=height)
    turn = int(getattr(frame, "rotation", 0) or 0)
    return image.rotate(turn, expand=True) if turn else image


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 3600:02d}:{int(seconds) // 60 % 60:02d}:{seconds % 60:05.2f}"


def _reason(error: BaseException) -> str:
    return str(getattr(error, "strerror", None) or error)
