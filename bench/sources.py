"""What does a picture cost on its way in? Decode, convert and flip (a worker's), upload (the render thread's), at 720p.

.venv/bin/python bench/sources.py
.venv/bin/python bench/sources.py --size 1920x1080
"""

from __future__ import annotations

import argparse
import io
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
from PIL import Image as Pil

from perform import testing
from perform.cli import pixels
from perform.gl.context import open_headless
from perform.gl.lib import gl
from perform.plugins import Stage
from perform.sources.booth import Booth
from perform.sources.canvas import Canvas, Picture
from perform.sources.decoding import Converter
from perform.sources.image import Image
from perform.sources.testcard import TestCard

FRAMES = 120


def film(path: Path, size: tuple[int, int]) -> Path:
    """A film with something to decode: ffmpeg's moving test picture."""
    graph = f"testsrc2=size={size[0]}x{size[1]}:rate=30:duration=4"
    with av.open(graph, format="lavfi") as source, av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=30, options={"preset": "veryfast", "crf": "20"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for frame in source.decode(video=0):
            picture = frame.reformat(format="yuv420p")
            picture.pts = frame.pts
            out.mux(stream.encode(picture))
        out.mux(stream.encode())
    return path


def times(deeds: Iterator[Callable[[], object]]) -> tuple[float, float]:
    """(minimum, median) in ms."""
    took = []
    for deed in deeds:
        began = time.perf_counter()
        deed()
        took.append((time.perf_counter() - began) * 1000.0)
    return min(took), statistics.median(took)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=pixels, default=(1280, 720))
    size: tuple[int, int] = parser.parse_args().size
    with open_headless() as context, tempfile.TemporaryDirectory() as folder:
        here = replace(testing.stage(size=size, folder=Path(folder)), software=context.software)
        rows = dict(measure(here, film(Path(folder) / "film.mp4", size)))
        print(f"{size[0]}×{size[1]}, {context.renderer}, {FRAMES} frames; ms, minimum / median")
        for what, (least, middle) in rows.items():
            print(f"{what:<58} {least:7.2f} / {middle:.2f}")


def measure(here: Stage, path: Path) -> Iterator[tuple[str, tuple[float, float]]]:
    booth, convert, canvas = Booth(path, 0.0, loop=True), Converter(), Canvas(here)
    still = booth.at(0.0)
    ticks = range(1, FRAMES - 1)
    yield "video: decode one frame (worker)", times((lambda n=n: booth.at(n / 30)) for n in ticks)
    while booth.prepare():
        pass
    yield "video: the changeover at the loop (worker)", times((lambda: booth.at(0.0)) for _ in range(1))
    yield "video, camera: convert to RGBA and flip (worker)", times((lambda: convert(still.frame)) for _ in ticks)
    out = io.BytesIO()
    picture = Picture(convert(still.frame), 0.0)
    Pil.fromarray(picture.pixels[::-1, :, :3].copy()).save(out, "JPEG", quality=85)
    codec = av.CodecContext.create("mjpeg", "r")
    packet = av.Packet(out.getvalue())
    yield "camera: decode one MJPEG picture (worker)", times((lambda: codec.decode(packet)) for _ in ticks)
    yield "all: upload (render thread)", times((lambda: (canvas.show(picture), gl.glFinish())) for _ in ticks)
    booth.close()
    canvas.close()
    yield from drawn(here)


def drawn(here: Stage) -> Iterator[tuple[str, tuple[float, float]]]:
    noise = np.random.default_rng(1).integers(0, 255, (2000, 3000, 3), np.uint8)
    Pil.fromarray(noise).save(here.folder / "still.jpg")
    with Image("still.jpg").open(here) as image, TestCard().open(here) as card:
        while not image.frame(time.perf_counter()).serial:
            time.sleep(0.01)
        for name, source in (("image: pan and zoom (render thread)", image), ("test card (render thread)", card)):
            yield name, times((lambda n=n, s=source: (s.frame(1e6 + n / 60), gl.glFinish())) for n in range(FRAMES))


if __name__ == "__main__":
    main()
