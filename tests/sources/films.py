"""Films whose every frame says which one it is: its number, as eight black or white blocks from left to right."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

WIDTH, HEIGHT, BITS = 128, 64, 8


def coded(number: int, width: int = WIDTH, height: int = HEIGHT) -> npt.NDArray[np.uint8]:
    """Frame `number` as (height, width, 3): the upper half is red, so that a flipped picture is found out."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[: height // 2] = (200, 0, 0)
    block = width // BITS
    for bit in range(BITS):
        if number >> bit & 1:
            picture[height // 2 :, bit * block : (bit + 1) * block] = 255
    return picture


def number(pixels: npt.NDArray[np.uint8]) -> int:
    """The number in pixels as textures hold them: row 0 at the bottom."""
    height, width = pixels.shape[:2]
    row, block = pixels[height // 4], width // BITS
    return sum(int(row[bit * block + block // 2, 1] > 128) << bit for bit in range(BITS))


def foreign(path: Path) -> Path:
    """A film (.avi) in a codec of which FFmpeg has never heard."""
    data = film(path, frames=5, codec="mpeg4").read_bytes()
    assert data.count(b"FMP4") == 2
    path.write_bytes(data.replace(b"FMP4", b"QZQZ"))
    return path


def film(
    path: Path,
    frames: int = 30,
    rate: int = 30,
    gop: int = 12,
    codec: str = "libx264",
    times: list[int] | None = None,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    turn: int = 0,
) -> Path:
    """Write a film of numbered frames. `times` are their pts in units of 1/rate s (for variable frame rates); it is to
    be shown `turn` degrees counter-clockwise, as telephones write it."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.codec_context.gop_size = gop
        if turn:
            stream.set_display_rotation(turn)
        stream.codec_context.time_base = Fraction(1, rate)
        if codec == "libx264":
            stream.options = {"crf": "12", "preset": "ultrafast", "bf": "2"}
        for index in range(frames):
            frame = av.VideoFrame.from_ndarray(coded(index, *size), format="rgb24")
            frame.pts = times[index] if times else index
            frame.time_base = Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path
