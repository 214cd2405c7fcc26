"""Parts that do what a test tells them, and remember what was done to them. Real parts, no mocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from perform.frame import Frame
from perform.gl.target import Texture
from perform.gl.transfer import read, upload
from perform.params import Post
from perform.plugins import Closing, Stage

Pixels = npt.NDArray[np.uint8]  # (height, width, 4), row 0 at the bottom


@dataclass
class Paint(Closing):
    """A source of one colour, until it is painted with another or with a picture; `lost` when the test says so."""

    color: tuple[int, int, int] = (255, 255, 255)
    size: tuple[int, int] = (16, 9)
    lost: bool = False
    asked: list[float] = field(default_factory=list, init=False)  # the times it was asked for
    closed: bool = field(default=False, init=False)

    def open(self, stage: Stage) -> Self:
        """Render thread."""
        self._texture = Texture.make(*self.size)
        self._serial = 0
        self.paint(self.color)
        return self

    def paint(self, what: tuple[int, int, int] | Pixels) -> None:
        """From now on show this colour, or these pixels (of the source's size)."""
        pixels = np.empty((self.size[1], self.size[0], 4), np.uint8)
        pixels[...] = what if isinstance(what, np.ndarray) else (*what, 255)
        upload(self._texture, pixels)
        self._serial += 1

    def frame(self, now: float) -> Frame:
        """What was painted last."""
        self.asked.append(now)
        return Frame(self._texture, now, self._serial)

    def close(self) -> None:
        """Render thread; twice is allowed."""
        self.closed = True
        self._texture.close()


@dataclass
class Tape(Closing):
    """A sink that keeps every picture it is shown: `pictures[-1]` is the last one, uint8, row 0 at the bottom."""

    limit: int = 600
    dropped: int = 0
    pictures: list[Pixels] = field(default_factory=list, init=False, repr=False)
    serials: list[int] = field(default_factory=list, init=False)

    def open(self, stage: Stage) -> Self:
        """Render thread."""
        return self

    def show(self, picture: Frame) -> None:
        """Keep it; beyond `limit` it is dropped."""
        if len(self.pictures) >= self.limit:
            self.dropped += 1
            return
        self.pictures.append(read(picture.texture))
        self.serials.append(picture.serial)

    def close(self) -> None:
        """Nothing to give back."""


@dataclass
class Echo:
    """An engine whose dream is the negative of what it was given, one `newest` later; keeps the moods it was given."""

    moods: list[tuple[float, ...]] = field(default_factory=list)
    _texture: Texture | None = None
    _waiting: tuple[Pixels, float] | None = None
    _dream: Frame | None = None

    def submit(self, frame: Frame, mood: Sequence[float]) -> None:
        """Render thread."""
        self.moods.append(tuple(mood))
        self._waiting = (read(frame.texture), frame.time)

    def newest(self) -> Frame | None:
        """Render thread."""
        if self._waiting is not None:
            pixels, time = self._waiting
            self._waiting = None
            pixels[..., :3] = 255 - pixels[..., :3]
            height, width = pixels.shape[:2]
            if self._texture is None or (self._texture.width, self._texture.height) != (width, height):
                self.close()
                self._texture = Texture.make(width, height)
            upload(self._texture, pixels)
            self._dream = Frame(self._texture, time, self._dream.serial + 1 if self._dream else 1)
        return self._dream

    def close(self) -> None:
        """Render thread; twice is allowed."""
        if self._texture is not None:
            self._texture.close()
            self._texture = None


@dataclass
class Script(Closing):
    """A control that posts what the test tells it to: `script.say("/layer/1/opacity", 0.5)`."""

    origin: str = "script"

    def open(self, stage: Stage) -> Self:
        """Render thread."""
        self._params = stage.params
        return self

    def say(self, address: str, value: Any = None, seconds: float = 0.0) -> None:
        """Post one value. Any thread."""
        self._params.post(address, value, seconds, origin=self.origin)

    def say_together(self, values: dict[str, Any]) -> None:
        """Post several that land in one frame. Any thread."""
        self._params.post_all([Post(address, value, origin=self.origin) for address, value in values.items()])

    def close(self) -> None:
        """Nothing to give back."""
