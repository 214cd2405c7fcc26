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


def frames(path: Path, most: int = MOST, told: list[str] | None = None) -> Iterator[tuple[str, Tensor]]:
    """(name, uint8 [3,H,W]) of at most `most` frames that differ, in their order. 4 ms a frame of 720p.

    When `most` are found, every second is dropped and from then on every second is passed over: what is kept is
    spread over the film whatever its length, and never more than `most` are in memory. Where it is damaged the rest is
    used, and `told` gets a sentence on that at the end. Raises ValueError if this is no film or has no pictures.
    """
    kept: list[tuple[str, Tensor]] = []
    seen, stride, since = Seen(bits=5, colour=7.0), 1, 0
    for time, image in _decoded(path, told if told is not None else []):
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


def _decoded(path: Path, told: list[str]) -> Iterator[tuple[float, Image.Image]]:
    """(seconds, picture) of each frame that can be decoded; a film that breaks off ends there."""
    import av

    try:
        container = av.open(str(path.absolute()))  # 'a:b.mp4' would be a protocol
    except PermissionError:
        raise ValueError(f"{path} may not be read (permissions)") from None
    except (av.error.FFmpegError, OSError) as error:
        raise ValueError(f"{path} is no picture, zip or film that can be read ({_reason(error)})") from None
    with container:
        if not container.streams.video:
            raise ValueError(f"{path} is a film without pictures: it holds no video stream")
        stream = container.streams.video[0]
        if stream.codec_context is None:
            raise ValueError(f"{path} is coded in a way that FFmpeg cannot decode: save it as H.264")
        if float(container.duration or 0) / av.time_base > LONG:
            stream.codec_context.skip_frame = "NONKEY"
        stream.thread_type = "AUTO"
        aspect = float(stream.sample_aspect_ratio or 1)
        number, places, broken = 0, 0, False
        packets = _Packets(container, stream)
        for packet in packets:
            try:  # each by itself: after one that is damaged the next may be whole
                pictures = [(frame.time, _upright(frame, aspect)) for frame in packet.decode()]
            except (av.error.FFmpegError, OSError):
                places, broken = places + (not broken), True
                continue
            for time, picture in pictures:
                yield float(time if time is not None else number), picture
                number, broken = number + 1, False
        damage = [f"is damaged in {places} place{'s' * (places != 1)}"] if places else []
        damage += [f"breaks off at {_clock(packets.reached)}"] if packets.cut_off else []
        if damage:
            told.append(f"The film {' and '.join(damage)}; what can be read of it is used.")


class _Packets:
    """The packets of a film's pictures, as far as they can be read; afterwards `cut_off` says whether there should be
    more, after `reached` seconds.
    """

    def __init__(self, container: Any, stream: Any) -> None:
        self.container, self.stream, self.reached, self.failed = container, stream, 0.0, False

    def __iter__(self) -> Iterator[Any]:
        import av

        start, unit = self.stream.start_time or 0, float(self.stream.time_base or 0)
        try:
            for packet in self.container.demux(self.stream):
                if packet.pts is not None:
                    self.reached = max(self.reached, (packet.pts + (packet.duration or 0) - start) * unit)
                yield packet
        except (av.error.FFmpegError, OSError):
            self.failed = True

    @property
    def cut_off(self) -> bool:
        """By a reading that failed, or well before the end that the file speaks of: a download that was interrupted."""
        import av

        length = float((self.stream.duration or 0) * (self.stream.time_base or 0))
        if not length and len(self.container.streams) == 1:  # else it may be the sound that is longer
            length = (self.container.duration or 0) / av.time_base
        return self.failed or self.reached < 0.9 * length - 0.5


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
