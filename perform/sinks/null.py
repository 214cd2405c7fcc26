"""A sink that shows nothing: it counts, and can take a fingerprint of what it was shown."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Self

from perform.frame import Frame
from perform.gl.lib import gl
from perform.plugins import Closing, Stage
from perform.sinks.prints import Prints


@dataclass
class Null(Closing):
    """`type = "null"`. With `hash = true` each frame's pixels go into `digest` and `digests`: same show, same digest.

    Costs nothing without `hash`; with it a readback and 3.5 ms of hashing at 720p, so it is for tests.
    """

    hash: bool = False
    dropped: int = 0
    frames: int = field(default=0, init=False)
    digests: list[str] = field(default_factory=list, init=False, repr=False)

    def open(self, stage: Stage) -> Self:
        """Render thread."""
        self._prints = Prints(*stage.size, software=True) if self.hash else None
        return self

    @property
    def digest(self) -> str:
        """One fingerprint of all frames so far."""
        return hashlib.blake2b("".join(self.digests).encode(), digest_size=16).hexdigest()

    def show(self, picture: Frame) -> None:
        """Render thread."""
        self.frames += 1
        gl.glFlush()  # as a window's flip would: without it a CPU rasteriser puts its work off, and memory grows
        if self._prints is not None:
            pixels = self._prints.read(picture)
            if pixels is not None:
                self.digests.append(hashlib.blake2b(pixels.tobytes(), digest_size=16).hexdigest())

    def close(self) -> None:
        """Render thread; twice is allowed."""
        if self._prints is not None:
            self._prints.close()
