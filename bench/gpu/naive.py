"""The loop that people write first: a frame in NumPy, eager float32 on the card, `.cpu().numpy()`, glTexImage2D.

Colours turned round by OpenCV where it is installed, otherwise by NumPy; a tensor made, moved, scaled; the network; the
picture moved back, made bytes, given to GL as a new texture image each frame. Where there is no GL the last step is
left out and the row says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from ctypes import byref, c_uint, c_void_p
from pathlib import Path
from typing import Any

import numpy as np

from bench.gpu import nets
from bench.gpu.alone import PICTURES, one_line
from bench.gpu.timing import Times

Array = Any


def run(case: Any, seconds: float, device: str, world: Path | None) -> Iterator[dict[str, Any]]:
    """One row: frames a second of that loop, each waited for, as it waits for itself."""
    import torch

    name, asked = case.what["network"], tuple(case.what["size"])
    width, height = nets.fitted(name, asked)
    torch.backends.cudnn.benchmark = True
    dream = nets.make(name, world)
    network, mood = dream.core.to(device), torch.zeros(1, nets.mood_size(dream), device=device)
    frames = np.random.default_rng(0).integers(0, 256, (PICTURES, height, width, 3), np.uint8)
    show, note = _screen(width, height)
    turn, how = _colours()

    def frame(i: int) -> None:
        rgb = turn(frames[i % PICTURES])
        x = torch.from_numpy(rgb).to(device).permute(2, 0, 1)[None].float() / 127.5 - 1.0
        if mood.shape[1]:
            y = network(x.mean(1, keepdim=True) * 0.5 + 0.5, mood)
        else:
            y = network(x)
        picture = ((y[0].permute(1, 2, 0) + 1.0) * 127.5).clamp(0, 255).byte().cpu().numpy()
        show(np.ascontiguousarray(picture))

    with torch.inference_mode():
        times = _loop(frame, seconds)
    yield {
        "network": name, "size": list(asked), "engine": "naive, fp32", "p50_ms": round(times.p50, 4),
        "p95_ms": round(times.p95, 4), "p99_ms": round(times.p99, 4), "fps": round(times.rate, 1), "runs": times.runs,
        "note": f"colours by {how}{note}",
    }  # fmt: skip


def _loop(frame: Callable[[int], None], seconds: float) -> Times:
    """The wall's clock: the loop waits for its own copies, so that is what a frame takes."""
    for i in range(5):
        frame(i)
    found: list[float] = []
    began = time.perf_counter()
    while time.perf_counter() - began < seconds or len(found) < 10:
        start = time.perf_counter()
        frame(len(found))
        found.append((time.perf_counter() - start) * 1e3)
    return Times.of(found, time.perf_counter() - began)


def _colours() -> tuple[Callable[[Array], Array], str]:
    try:
        import cv2
    except ImportError:
        return lambda bgr: np.ascontiguousarray(bgr[..., ::-1]), "NumPy"
    return lambda bgr: cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), "OpenCV"


def _screen(width: int, height: int) -> tuple[Callable[[Array], None], str]:
    """What puts a picture on the screen, and what there is to say about it."""
    from perform.gl.context import GLUnavailable

    try:
        from bench.gpu.scene import context, finish

        context()
        from perform.gl.lib import gl
    except (GLUnavailable, ImportError) as e:
        return lambda picture: None, f"; without the texture: {one_line(e)}"
    texture = c_uint()
    gl.glGenTextures(1, byref(texture))

    def show(picture: Array) -> None:
        gl.glBindTexture(gl.GL_TEXTURE_2D, texture.value)
        form, kind = gl.GL_RGB, gl.GL_UNSIGNED_BYTE
        gl.glTexImage2D(gl.GL_TEXTURE_2D, 0, gl.GL_RGB8, width, height, 0, form, kind, c_void_p(picture.ctypes.data))
        finish()

    return show, ""
