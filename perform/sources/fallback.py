"""When a source is lost another one takes over, with a dissolve; and gives way when it returns. Never black."""

from __future__ import annotations

import math
from typing import Self

from perform.clock import toward
from perform.frame import Frame
from perform.gl.cover import share
from perform.gl.dissolve import MIXED
from perform.gl.shader import Program
from perform.gl.target import Target
from perform.health import Guard
from perform.plugins import Closing, Source, Stage

# Both pictures cover the target whatever their shape, as a layer lets them cover the stage.
DISSOLVE = """in vec2 uv;
out vec4 color;
uniform sampler2D one;
uniform sampler2D other;
uniform vec2 onecover;
uniform vec2 othercover;
uniform float progress;
void main() {
    vec4 a = texture(one, (uv - 0.5) * onecover + 0.5), b = texture(other, (uv - 0.5) * othercover + 0.5);
    float light = dot(mix(a.rgb, b.rgb, 0.5), vec3(0.299, 0.587, 0.114));
    float soft = smoothstep(0.0, 1.0, clamp(progress * 1.5 - 0.5 * (1.0 - light), 0.0, 1.0)); // light comes first
    color = mixed(a, b, soft);
}
"""


class Fallback(Closing):
    """A source made of two: `primary`, and `fallback` while the primary is lost. Both are opened and closed by others.

    Until the primary has given its first picture (a frame with a serial above 0) the fallback shows at once; after
    that changes take `seconds` of show time. The fallback is asked for frames only while it can be seen. Costs one
    pass at the stage's size during a dissolve, nothing otherwise. Fallbacks may be chained. With a `guard` a primary
    that raises counts as lost.
    """

    def __init__(self, primary: Source, fallback: Source, seconds: float = 1.5, guard: Guard | None = None) -> None:
        self.primary = primary
        self.fallback = fallback
        self.seconds = seconds
        self._guard = guard
        self._first: Frame | None = None  # the primary's last
        self._mix = math.nan  # 0 the primary, 1 the fallback
        self._now = -math.inf
        self._said: tuple[object, ...] = ()
        self._frame: Frame | None = None

    def open(self, stage: Stage) -> Self:
        """Render thread; the two sources are open already."""
        self._program = Program(MIXED + DISSOLVE, name="fallback")
        self._target = Target(*stage.size)
        return self

    @property
    def lost(self) -> bool:
        """Whether both are."""
        return (self._failing or self.primary.lost) and self.fallback.lost

    def frame(self, now: float) -> Frame:
        """What is to be seen at show time `now`. Render thread."""
        if now == self._now and self._frame is not None:
            return self._frame
        first = self._ask(now)
        away = first is None or first.serial == 0 or self._failing or self.primary.lost
        goal = 1.0 if away else 0.0
        if math.isnan(self._mix):
            self._mix = goal
        elif self.seconds > 0.0:
            self._mix = toward(self._mix, goal, max(0.0, now - self._now) / self.seconds)
        else:
            self._mix = goal
        self._now = now
        return self._show(first, now)

    @property
    def _failing(self) -> bool:
        return self._guard is not None and self._guard.failures > 0

    def _ask(self, now: float) -> Frame | None:
        if self._guard is None:
            return self.primary.frame(now)
        self._first = self._guard.run(now, lambda: self.primary.frame(now), self._first)
        return self._first

    def _show(self, first: Frame | None, now: float) -> Frame:
        if first is not None and self._mix <= 0.0:
            return self._hand_on(first, ("primary", first.serial))
        second = self.fallback.frame(now)
        if first is None:
            return self._hand_on(second, ("fallback", second.serial))
        if second.serial == 0 and first.serial != 0:
            return self._hand_on(first, ("primary", first.serial))  # nothing better than the last good picture
        if self._mix >= 1.0 or first.serial == 0:
            return self._hand_on(second, ("fallback", second.serial))
        look = (first.serial, second.serial, self._mix)
        if look != self._said:
            self._program.draw(
                self._target,
                {"one": first.texture, "other": second.texture},
                {"onecover": self._cover(first), "othercover": self._cover(second), "progress": self._mix},
            )
        return self._hand_on(Frame(self._target.texture, now, 1), look)

    def _hand_on(self, frame: Frame, look: tuple[object, ...]) -> Frame:
        """The frame under a serial of our own, which changes when what is seen changes."""
        if look != self._said or self._frame is None:
            serial = self._frame.serial if self._frame else 0
            self._said = look
            self._frame = Frame(frame.texture, frame.time, serial + 1 if frame.serial else serial)
        return self._frame

    def _cover(self, frame: Frame) -> tuple[float, float]:
        width, height = frame.size
        return share(width / height, self._target.width / self._target.height)

    def close(self) -> None:
        """Frees what it draws with; the two sources are closed by whoever opened them. Twice is allowed."""
        self._target.close()
        self._program.close()
