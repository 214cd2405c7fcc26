"""Trying a network out: is what it gives a picture, and how long does it take?"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from perform.engines.generator import Shape
from perform.gl.transfer import Pixels
from perform.plugins import EngineError

Vector = npt.NDArray[np.float32]
Run = Callable[[Pixels, Vector], Pixels]  # (H, W, 4) top-down and (M,) -> (H, W, 4) top-down, perhaps a reused buffer
MEASURE = 0.7  # seconds spent on measuring, about


def fit(mood: Sequence[float], count: int) -> tuple[float, ...]:
    """A mood as `count` numbers: cut, or filled with 0 (the mean of what the world was trained on)."""
    return tuple(float(n) for n in mood[:count]) + (0.0,) * (count - len(mood))


def check(dream: Pixels, picture: Pixels) -> None:
    """Raise EngineError if this cannot be a dream of that picture. Looks at every 16th pixel: 0.01 ms at 512²."""
    if dream.dtype != np.uint8 or dream.shape != picture.shape:
        raise EngineError(f"the network gave {dream.dtype} {dream.shape} instead of uint8 {picture.shape}")
    # NaN becomes the same byte everywhere when it is made a pixel: a hole in the show, not a picture.
    few, given = dream[::16, ::16, :3], picture[::16, ::16, :3]
    if few.size > 3 and not few.any() and np.ptp(given) > 8:
        raise EngineError("the network gave an empty picture (its numbers may have overflowed)")


def probe(shape: Shape) -> Pixels:
    """A picture (H, W, 4) to try a network with: slopes and texture, the same each time."""
    width, height = shape
    x = np.linspace(0.0, 1.0, width)[None, :]
    y = np.linspace(0.0, 1.0, height)[:, None]
    grey = 0.5 + 0.3 * (y - 0.5) + 0.2 * np.sin(9.0 * x + 5.0 * y) + 0.1 * np.sin(31.0 * x * y)
    picture = np.full((height, width, 4), 255, np.uint8)
    picture[..., :3] = (grey.clip(0.0, 1.0) * 255.0)[..., None]
    return picture


def prove(run: Run, shape: Shape, mood: int) -> Pixels:
    """Run a network once on the probe. Raises EngineError if what it gives is no picture, or one flat colour."""
    picture = probe(shape)
    dream = run(picture, np.zeros(mood, np.float32))
    check(dream, picture)
    if min(shape) >= 16 and np.ptp(dream[..., :3].reshape(-1, 3), axis=0).max() == 0:
        raise EngineError("the network gives one flat colour (its weights may be damaged)")
    return dream


def race(runs: dict[str, Run], shape: Shape, mood: int) -> dict[str, float]:
    """Seconds for one dream of each: the best of some, in turns. What else the machine does only ever adds, and in
    turns it adds to all of them alike."""
    picture, numbers = probe(shape), np.zeros(mood, np.float32)
    best = dict.fromkeys(runs, float("inf"))
    until = time.perf_counter() + MEASURE
    for _ in range(12):
        for name, run in runs.items():
            began = time.perf_counter()
            run(picture, numbers)
            best[name] = min(best[name], time.perf_counter() - began)
        if time.perf_counter() > until:
            break
    return best
