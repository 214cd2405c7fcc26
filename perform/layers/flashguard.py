"""Watches the output for flashes that can hurt, and says how hard to hold the picture back.

WCAG 2.2, success criterion 2.3.1 ("Three flashes or below threshold"): a general flash is a pair of opposing
changes in relative luminance of 10 % or more where the darker state is below 0.80; a red flash is a pair of
opposing transitions involving a saturated red. More than three within one second, over a quarter of any
10-degree field, is not allowed. Nobody knows how far the audience stands from a projection, so the whole
picture is the field here and a quarter of its cells is the area.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

GRID = (32, 18)  # cells across and up: a cell is about 3 % of the picture's width
STEP = 0.10  # change of relative luminance that counts
DARK = 0.80  # the darker of the two states must be below this
RED_STEP = 20.0  # change of (R-G-B)*320 that counts for red (WCAG working definition)
WINDOW = 1.0  # seconds
ALLOWED = 3  # flashes within the window
AREA = 0.25  # share of the cells
HURRY = 0.75  # seconds: two and a half flashes within this are on the way to more than three in a second
CALM = 1.0  # seconds without trouble before the hold is let go
EASE = 0.5  # the last seconds of those, in which it is

FloatGrid = NDArray[np.float32]


def relative_luminance(rgb: FloatGrid) -> FloatGrid:
    """Relative luminance 0..1 of display RGB 0..1, shape (..., 3) -> (...) (WCAG 2.2 definition, sRGB)."""
    linear = _linear(rgb)
    return np.asarray(linear @ np.array([0.2126, 0.7152, 0.0722], np.float32), np.float32)


def _linear(rgb: FloatGrid) -> FloatGrid:
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4).astype(np.float32)


def saturated_red(rgb: FloatGrid) -> FloatGrid:
    """(R-G-B)*320 where red is saturated (R/(R+G+B) >= 0.8), else 0: shape (..., 3) -> (...)."""
    linear = _linear(rgb)
    total = linear.sum(-1)
    red = np.maximum(0.0, (linear[..., 0] - linear[..., 1] - linear[..., 2]) * 320.0)
    return np.where(linear[..., 0] >= 0.8 * np.maximum(total, 1e-6), red, 0.0).astype(np.float32)


@dataclass(slots=True)
class _Swings:
    """Counts opposing changes of a quantity in each cell: follows the last extreme and waits for a swing."""

    step: float
    ceiling: float  # the lower state must be below this
    low: FloatGrid | None = None
    high: FloatGrid | None = None
    going: NDArray[np.int8] | None = None

    def turn(self, now: FloatGrid) -> NDArray[np.bool_]:
        """True where this picture completed a swing of at least `step` against the one before it."""
        if self.low is None or self.high is None or self.going is None:
            self.low, self.high = now.copy(), now.copy()
            self.going = np.zeros(now.shape, np.int8)
            return np.zeros(now.shape, np.bool_)
        up = (now - self.low >= self.step) & (self.low < self.ceiling) & (self.going <= 0)
        down = (self.high - now >= self.step) & (now < self.ceiling) & (self.going >= 0)
        # After a turn the extreme that matters is measured from here; otherwise it follows the picture.
        self.high = np.where(up | down, now, np.maximum(self.high, now))
        self.low = np.where(up | down, now, np.minimum(self.low, now))
        self.going = np.where(up, 1, np.where(down, -1, self.going)).astype(np.int8)
        return np.asarray(up | down, np.bool_)


@dataclass(slots=True)
class FlashGuard:
    """Feed it small pictures; read `hold`. Render thread; a 32x18 grid costs about 0.1 ms a frame.

    `late`: the pictures come a frame late, so that a swing has been shown when it is counted.
    """

    late: bool = False
    flashes: float = 0.0  # in the last second, over the worst quarter of the picture
    warnings: int = 0
    _luminance: _Swings = field(default_factory=lambda: _Swings(STEP, DARK))
    _red: _Swings = field(default_factory=lambda: _Swings(RED_STEP, 1e9))
    _turns: deque[tuple[float, NDArray[np.bool_], NDArray[np.bool_]]] = field(default_factory=deque)
    _since: float = -WINDOW  # when the present hold began
    _until: float = -1.0

    def watch(self, rgb: FloatGrid, now: float) -> None:
        """One small picture: display RGB 0..1, shape (rows, columns, 3), as it would be shown at `now` seconds."""
        general = self._luminance.turn(relative_luminance(rgb))
        red = self._red.turn(saturated_red(rgb))
        if general.any() or red.any():
            self._turns.append((now, general, red))
        while self._turns and self._turns[0][0] <= now - WINDOW:
            self._turns.popleft()
        self.flashes = self._count(now - WINDOW)
        # Hold from the moment one more swing would break the rule, not after it was broken.
        if self.flashes > ALLOWED - 0.5 or (self.late and self._hurried(now)):
            if now >= self._until:
                self.warnings += 1
            if self.hold(now) < 1.0:
                self._since = now
            self._until = now + CALM

    def _hurried(self, now: float) -> bool:
        """Whether the swing that would be one too many is on its way: it is shown before a late picture tells of it."""
        return self.flashes > ALLOWED - 1.0 and self._count(now - HURRY) > ALLOWED - 1.0

    def _count(self, since: float) -> float:
        """Flashes (pairs of swings), general or red, after `since` that at least a quarter of the cells have seen."""
        turns = [turn for turn in self._turns if turn[0] > since]
        if not turns:
            return 0.0
        both = [np.sum(np.stack([turn[which] for turn in turns]), axis=0, dtype=np.float32) / 2.0 for which in (1, 2)]
        return max(float(np.quantile(count, 1.0 - AREA)) for count in both)

    def hold(self, now: float) -> float:
        """How much of the shown picture to keep, 0 (none) to 1, eased out over the last half second."""
        left = self._until - now
        return float(np.clip(left / EASE, 0.0, 1.0))

    def frozen(self, now: float) -> bool:
        """Whether what is held must not even drift: until the swings that were seen before the hold are a second old.
        From the extreme that it began at a low-pass goes to the middle, and that is a swing more.
        """
        return self.hold(now) > 0.0 and now < self._since + WINDOW
