"""A source of one's own: a harmonograph, two pendulums that draw a line of light while their swing dies away.

Everything a source must be is here. It is a dataclass: its fields are its keys in show.toml. `open` declares what can
be played, `frame` gives a picture and never waits, `lost` says whether there is one, `close` gives everything back.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np

from perform.frame import Frame
from perform.gl.target import Texture
from perform.gl.transfer import upload
from perform.params import Spec
from perform.plugins import Closing, Stage

POINTS = 12000  # on the line at any moment
LENGTH = 40.0  # seconds of swing that are seen
WARM, COOL = np.array([1.00, 0.72, 0.38]), np.array([0.30, 0.55, 0.95])


@dataclass
class Harmonograph(Closing):
    """`type = "harmonograph"`. `size` is its picture's (width, height) in pixels.

    Live: `speed`, `ratio` (of the two pendulums; whole numbers close the figure), `glow`. The same time always gives
    the same picture. Costs about 4 ms a frame at 480×270, and nothing when it is asked for the same time again.
    """

    size: tuple[int, int] = (480, 270)
    ratio: float = 1.5

    lost = False

    def open(self, stage: Stage) -> Self:
        def declare(name: str, spec: Spec):
            return stage.params.declare(f"{stage.prefix}/{name}", spec)

        self._speed = declare("speed", Spec("float", 1.0, 0.0, 8.0, unit="x", doc="How fast the pendulums swing."))
        self._ratio = declare("ratio", Spec("float", self.ratio, 0.5, 4.0, smooth=0.5, doc="Of their two swings."))
        self._glow = declare("glow", Spec("float", 1.0, 0.0, 4.0, smooth=0.1, doc="How bright the line is."))
        self._texture = Texture.make(*self.size)
        self._frame = Frame(self._texture, 0.0, 0)
        self._now, self._swung = -math.inf, 0.0
        return self

    def frame(self, now: float) -> Frame:
        if now == self._now:
            return self._frame  # equal time, equal picture, equal serial
        if math.isfinite(self._now):
            self._swung += (now - self._now) * self._speed.value
        self._now = now
        upload(self._texture, self._draw())
        self._frame = Frame(self._texture, now, self._frame.serial + 1)
        return self._frame

    def _draw(self) -> np.ndarray:
        """RGBA, uint8, (height, width, 4), row 0 at the bottom."""
        width, height = self.size
        age = np.linspace(0.0, 1.0, POINTS)
        t = self._swung + age * LENGTH
        fade = np.exp(-1.3 * age)
        turn = 0.11 * self._swung  # the paper turns slowly
        x = fade * (np.sin(t * 2.0) + 0.45 * np.sin(t * 2.0 * self._ratio.value + 1.1))
        y = fade * (np.cos(t * 2.003) + 0.45 * np.cos(t * 1.997 * self._ratio.value))
        x, y = x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)
        x = (width / 2 + x * height * 0.33).clip(0, width - 2)
        y = (height / 2 + y * height * 0.33).clip(0, height - 2)
        light = np.zeros((height * width, 3), np.float32)
        left, low = x.astype(int), y.astype(int)
        x, y = x - left, y - low
        colors = (1.0 - age)[:, None] * WARM + age[:, None] * COOL
        for right, up, share in ((0, 0, (1 - x) * (1 - y)), (1, 0, x * (1 - y)), (0, 1, (1 - x) * y), (1, 1, x * y)):
            np.add.at(light, (low + up) * width + left + right, (share[:, None] * colors).astype(np.float32))
        light *= self._glow.value
        picture = np.full((height, width, 4), 255, np.uint8)
        picture[..., :3] = (light / (light + 0.6) * 255.0).reshape(height, width, 3)
        return picture

    def close(self) -> None:
        self._texture.close()
