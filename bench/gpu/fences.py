"""Keeps GL's queue as short as a screen does: the frame before the last must be through before the next is drawn."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from perform.gl.lib import gl

DEPTH = 2  # frames in flight: what a double-buffered swap allows
SECOND = 1_000_000_000  # nanoseconds


@dataclass(slots=True)
class Fences:
    """Render thread. `mark` after a frame was drawn; waits for the one `DEPTH` before it."""

    _marks: deque[Any] = field(default_factory=deque)

    def mark(self) -> None:
        self._marks.append(gl.glFenceSync(gl.GL_SYNC_GPU_COMMANDS_COMPLETE, 0))
        gl.glFlush()
        while len(self._marks) > DEPTH:
            self._pass(self._marks.popleft())

    def drain(self) -> None:
        """Wait for all that is in flight."""
        while self._marks:
            self._pass(self._marks.popleft())

    def _pass(self, mark: Any) -> None:
        gl.glClientWaitSync(mark, gl.GL_SYNC_FLUSH_COMMANDS_BIT, SECOND)
        gl.glDeleteSync(mark)
