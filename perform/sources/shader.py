"""A patch as a source: ISF, Shadertoy or plain GLSL, live while its file is edited."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from perform.frame import Frame
from perform.frame import Texture as AnyTexture
from perform.gl.isf import LivePatch, Succession, find_patch
from perform.health import Status
from perform.params import Spec
from perform.plugins import Closing, Stage
from perform.sources.sizes import check_range, check_size

SPEED = -8.0, 8.0  # times that of the show
Look = Callable[[str, float], Frame | None]


def _dark(name: str, now: float) -> Frame | None:
    return None


@dataclass
class Shader(Closing):
    """`type = "shader"`. `patch` is a name ("sources/drift.fs", "drift") or a path; its inputs are parameters.

    `speed` is how fast its time goes (live: `<prefix>/time/speed`), `size` its (width, height) in pixels (the stage's
    own if not given: smaller is cheaper). `images` gives its picture inputs other sources, by name:
    `images = { inputImage = "camera" }`; see `connect`. Another patch may take its place, see `become`. Renders once a
    frame however often it is asked. `lost` while there has never been a version that compiles. Costs what the patch
    costs.
    """

    patch: str
    speed: float = 1.0
    size: tuple[int, int] | None = None
    images: dict[str, str] = field(default_factory=dict, metadata={"like": '{ inputImage = "camera" }'})

    def __post_init__(self) -> None:
        check_size(self.size)
        check_range("speed", self.speed, *SPEED)

    def open(self, stage: Stage) -> Self:
        """Render thread. Raises LookupError (one sentence, with the nearest name) if there is no such patch."""
        self._stage = stage
        self._live = Succession(stage, stage.prefix)
        self._live.become(self._found(self.patch))
        self._size = self.size or stage.size
        self._sound = stage.sound
        doc = "How fast the patch's own time goes; below zero it runs backwards."
        spec = Spec("float", self.speed, *SPEED, unit="x", doc=doc, smooth=0.2)
        self._speed = stage.params.declare(f"{stage.prefix}/time/speed", spec)
        self._status = Status(stage.params, f"/status{stage.prefix}")
        self._live.prepare(self._size)  # its parameters are there before the first frame
        self._look: Look = _dark
        self._now = -math.inf
        self._gained = 0.0  # seconds by which the patch's time is ahead of show time
        self._rendering = False
        self._frame: Frame | None = None
        self._serial = 0
        return self

    def become(self, patch: str) -> None:
        """Take another patch; what plays stays until that is good. Its addresses are there from then on, those that
        both have keep what was set. Render thread. Raises LookupError, and changes nothing, if there is no such patch.
        """
        self._live.become(self._found(patch))
        self.patch = patch
        self._live.prepare(self._size)
        self._say()

    def _found(self, patch: str) -> Path:
        return find_patch(patch, (self._stage.folder, *self._stage.patches), ("sources",))

    @property
    def _present(self) -> LivePatch:
        assert self._live.patch is not None, "open comes first"
        return self._live.patch

    def connect(self, look: Look) -> None:
        """Give it eyes: `look(name, now)` is the present frame of another source, or None. Render thread, once."""
        self._look = look

    @property
    def lost(self) -> bool:
        """Whether there is nothing to show."""
        return not self._live.ready

    def frame(self, now: float) -> Frame:
        """The patch at show time `now`. Render thread."""
        if self._frame is not None and (now == self._now or self._rendering):
            return self._frame  # asked again, or (in a circle of patches) by itself: its last picture
        then, self._now = self._now, now
        if math.isfinite(then):
            self._gained += (now - then) * (float(self._speed.value) - 1.0)
        self._rendering = True
        try:
            self._live.prepare(self._size)
            texture = self._present.render(self._size, now + self._gained, self._pictures(now))
        finally:
            self._rendering = False
        self._serial += self._live.ready  # one after the other: the patch's own begins anew with another
        self._frame = Frame(texture, now, self._serial)
        self._say()
        return self._frame

    def _pictures(self, now: float) -> dict[str, AnyTexture]:
        """What its image inputs look at, and what is heard."""
        frames = {name: self._look(source, now) for name, source in self.images.items()}
        seen = {name: frame.texture for name, frame in frames.items() if frame is not None}
        return {**self._sound, **seen}

    def _say(self) -> None:
        wrong = self._live.wrong
        self._status.say(wrong or f"playing {self._present.path.name}", trouble=bool(wrong))

    def close(self) -> None:
        """Render thread; twice is allowed."""
        self._live.close()
