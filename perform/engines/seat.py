"""Who plays: an engine in a slot, what it was opened from, its newest dream, and its trouble if it has any."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from perform.engines.bank import Role
from perform.engines.generator import Generator
from perform.frame import Frame
from perform.gl.target import Target
from perform.gl.transfer import copy
from perform.plugins import Engine

log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Seat:
    """An engine at play. `role` is None for the input itself (or a still). Render thread only."""

    engine: Engine
    role: Role | None = None
    generator: Generator | None = None
    frame: Frame | None = None
    trouble: str = ""
    deadly: bool = False  # the trouble ends with this process only
    _mood: Sequence[float] | None = None  # the last one that was meant for its world
    _fitted: Target | None = None  # the picture in the role's shape, while those that come have another
    _seen: tuple[int, int] = (0, -1)  # texture and serial of what was fitted last

    @property
    def sound(self) -> bool:
        """Whether it has dreamt and goes on dreaming."""
        return self.frame is not None and not self.trouble

    def dream(self, picture: Frame, mood: Sequence[float], whose: str | None = None) -> bool:
        """Hand on the picture and take the newest dream; True if there is a new one.

        `mood` is in the numbers of the world `whose` (None: of any); a seat of another world stays in the mood it has.
        A picture of another shape than the role's is dreamt in that shape, scaled to fit: it plays on until a new seat
        is ready. Whatever the engine raises ends here: the seat is in trouble and keeps its last dream.
        """
        if self.trouble:
            return False
        if self._mood is None or whose is None or self.role is None or self.role.world == whose:
            self._mood = mood
        try:
            self.engine.submit(self._fit(picture), self._mood)
            newest = self.engine.newest()
        except Exception as e:
            self.trouble = str(e).strip() or type(e).__name__
            self.deadly = getattr(e, "deadly", False)
            log.debug("%s", self.role, exc_info=True)
            return False
        if newest is None or (self.frame is not None and newest.serial == self.frame.serial):
            return False
        self.frame = newest
        return True

    def _fit(self, picture: Frame) -> Frame:
        """The picture in the role's shape: itself, or a scaled copy (RGBA8). A copy pass for each new picture."""
        if self.role is None or picture.size == self.role.shape:
            return picture
        if self._fitted is None:
            self._fitted = Target(*self.role.shape)
        seen = (picture.texture.id, picture.serial)
        if seen != self._seen:
            copy(picture.texture, self._fitted)
            self._seen = seen
        return Frame(self._fitted.texture, picture.time, picture.serial)

    def close(self) -> None:
        """Give the engine and the copy back. May be called twice."""
        self.engine.close()
        if self._fitted is not None:
            self._fitted.close()
            self._fitted = None
