"""How one dream gives way to another: who draws it, and what a change that is interrupted goes on from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from perform.frame import Frame, Texture
from perform.gl.target import Target
from perform.gl.transfer import copy


class Fader(Protocol):
    """What a slot needs of who draws the change: a dissolve, or a layer's transition. Render thread."""

    def draw(self, before: Texture, after: Texture, progress: float, now: float) -> Texture:
        """`progress` 0..1 from `before` to `after`, at `now` seconds; the result has the size of `after`."""
        ...

    def close(self) -> None: ...


@dataclass(slots=True)
class Still:
    """A picture kept as it is: what a fade that is interrupted by another one goes on from."""

    target: Target

    @classmethod
    def of(cls, texture: Texture) -> Still:
        """A copy of this picture."""
        target = Target(texture.width, texture.height)
        try:
            copy(texture, target)
        except BaseException:
            target.close()
            raise
        return cls(target)

    def submit(self, frame: Frame, mood: Sequence[float]) -> None:
        """A still does not dream."""

    def newest(self) -> Frame:
        return Frame(self.target.texture, 0.0, 0)

    def close(self) -> None:
        self.target.close()
