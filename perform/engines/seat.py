"""Who plays: an engine in a slot, what it was opened from, its newest dream, and its trouble if it has any."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from perform.engines.bank import Role
from perform.engines.generator import Generator
from perform.frame import Frame
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

    @property
    def sound(self) -> bool:
        """Whether it has dreamt and goes on dreaming."""
        return self.frame is not None and not self.trouble

    def dream(self, picture: Frame, mood: Sequence[float]) -> bool:
        """Hand on the picture and take the newest dream; True if there is a new one.

        A picture of another shape than the role's is not dreamt: the last dream stays until a new seat is ready.
        Whatever the engine raises ends here: the seat is in trouble and keeps its last dream.
        """
        if self.trouble:
            return False
        try:
            if self.role is None or picture.size == self.role.shape:
                self.engine.submit(picture, mood)
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
