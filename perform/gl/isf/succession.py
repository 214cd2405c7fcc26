"""One live patch after another in the same place: what plays stays until the one that is to come is good."""

from __future__ import annotations

from pathlib import Path

from perform.gl.isf.live import LivePatch
from perform.plugins import Stage

STAYS = "; the last good version stays"


class Succession:
    """Whose `patch` plays, with its inputs below `prefix`. Another file in its place (`become`) is a new version in
    this, too: until it is good the one before plays, and inputs that both have keep what was set. Render thread. The
    one before is closed once there is a picture: where a patch looks at itself, the first is made of its last.
    """

    def __init__(self, stage: Stage, prefix: str) -> None:
        self.patch: LivePatch | None = None
        self.coming: LivePatch | None = None  # takes the place of the patch once it is good
        self._past: LivePatch | None = None
        self._stage, self._prefix = stage, prefix

    def become(self, path: Path | None) -> None:
        """Take another file, at the next `prepare`; None: there is none. What was to come before is forgotten."""
        if self.coming is not None:
            self.coming.close()
            self.coming = None
        if self.patch is not None and not self.patch.ready:  # nothing is seen of it
            self.patch.close()
            self.patch = None
        if path is None:
            return
        if self.patch is None:
            self.patch = LivePatch.on(self._stage, path, self._prefix)
        elif self.patch.path != path:  # else: back before anything has come of it
            self.coming = LivePatch.on(self._stage, path, self._prefix, before=self.patch)

    @property
    def ready(self) -> bool:
        """True once there has been a good version: something is seen."""
        return self.patch is not None and self.patch.ready

    @property
    def wrong(self) -> str:
        """What is wrong with the newest version of what is asked for, and what plays meanwhile; "" if nothing."""
        newest = self.coming or self.patch
        error = newest.error if newest is not None else ""
        return f"{error}{STAYS}" if error and self.ready else error

    def prepare(self, size: tuple[int, int]) -> bool:
        """Take up what has been saved; True if another file has taken the place."""
        if self.patch is not None and self.patch.serial:
            self._forget()
        coming, over = self.coming, False
        if coming is not None:
            coming.prepare(size)
            over = coming.ready
        if over:
            self._forget()
            self._past, self.patch, self.coming = self.patch, coming, None
        elif self.patch is not None:
            self.patch.prepare(size)
        return over

    def _forget(self) -> None:
        if self._past is not None:
            self._past.close()
            self._past = None

    def close(self) -> None:
        """Stop watching and give everything back; the parameters stay. May be called twice."""
        self._forget()
        for patch in (self.patch, self.coming):
            if patch is not None:
                patch.close()
        self.coming = None
