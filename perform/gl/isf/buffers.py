"""What passes draw into: one buffer a TARGET, two textures where a pass may read what it drew last."""

from __future__ import annotations

import math
from collections.abc import Mapping

from perform.gl.isf.kinds import Header, Pass
from perform.gl.target import Target, Texture
from perform.gl.transfer import copy

SIDE, AREA = 8192, 1 << 25  # the largest buffer a size expression may ask for


def pixels(wish: float, output: int) -> int:
    """A size expression's value as pixels: whole, 1 to SIDE; the output's own size where there is no value."""
    if math.isnan(wish):
        return output
    return int(min(max(wish + 1e-4, 1.0), float(SIDE)))


def pass_size(step: Pass, output: tuple[int, int], values: Mapping[str, float]) -> tuple[int, int]:
    """(width, height) of what a pass draws, from its expressions. Never below 1×1, never beyond what memory takes."""
    width = pixels(step.width(values), output[0]) if step.width else output[0]
    height = pixels(step.height(values), output[1]) if step.height else output[1]
    if width * height > AREA:
        height = max(1, AREA // width)
    return width, height


class Buffer:
    """One TARGET. `texture` is what readers see; `begin` gives what to draw into, `end` shows it to readers."""

    def __init__(self, deep: bool, persistent: bool, twofold: bool) -> None:
        self._format = "rgba32f" if deep else "rgba8"
        self._persistent = persistent
        self._twofold = twofold
        self._front: Target | None = None
        self._back: Target | None = None
        self.written = persistent  # a temporary buffer is empty until this frame's pass has drawn it

    @property
    def texture(self) -> Texture | None:
        """The finished picture; None if there is none in this frame yet."""
        return self._front.texture if self._front is not None and self.written else None

    def prepare(self, size: tuple[int, int]) -> None:
        """A new frame at this size. A persistent picture is carried over, scaled; others are forgotten."""
        self.written = self._persistent
        if self._front is None:
            self._front = self._make(size)
        elif (self._front.width, self._front.height) != size:
            old, self._front = self._front, self._make(size)
            if self._persistent:
                copy(old.texture, self._front)
            old.close()
        if self._twofold:
            if self._back is None:
                self._back = self._make(size)
            else:
                self._back.resize(*size)

    def begin(self) -> Target:
        """What this pass draws into."""
        target = self._back if self._twofold else self._front
        assert target is not None, "prepare comes first"
        return target

    def end(self) -> None:
        """The pass has drawn."""
        if self._twofold:
            self._front, self._back = self._back, self._front
        self.written = True

    def _make(self, size: tuple[int, int]) -> Target:
        return Target(*size, self._format)  # type: ignore[arg-type]

    def close(self) -> None:
        """Give the memory back; the next `prepare` starts afresh."""
        for target in (self._front, self._back):
            if target is not None:
                target.close()
        self._front = self._back = None


def buffers(header: Header) -> dict[str, Buffer]:
    """A buffer for each TARGET of a patch."""
    found = {}
    for name in header.targets:
        steps = [p for p in header.passes if p.target == name]
        persistent = any(p.persistent for p in steps)
        found[name] = Buffer(any(p.float for p in steps), persistent, persistent or len(steps) > 1)
    return found
