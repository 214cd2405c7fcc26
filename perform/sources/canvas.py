"""Where pictures from a worker become a texture: uploaded if new, remade when the size changes, never let go."""

from __future__ import annotations

from dataclasses import dataclass

from perform.frame import Frame
from perform.gl.target import Texture
from perform.gl.transfer import Upload
from perform.plugins import Stage
from perform.sources.decoding import Pixels


@dataclass(frozen=True, slots=True)
class Picture:
    """What a worker hands over: pixels (height, width, 4), bottom-up, and the show time at which they were taken."""

    pixels: Pixels
    time: float


class Canvas:
    """The newest picture of one source as a `Frame`. Render thread.

    Before the first picture the frame is black, of the stage's size, and has serial 0: whoever has something better
    to show may show that.
    """

    def __init__(self, stage: Stage) -> None:
        self._software = stage.software
        self._texture = Texture.make(*stage.size)
        self._upload = Upload(*stage.size, stage.software)
        self.frame = Frame(self._texture, 0.0, 0)

    def show(self, picture: Picture) -> Frame:
        """Upload a picture. Costs 0.1 ms for 720p on llvmpipe; more when its size has changed."""
        height, width = picture.pixels.shape[:2]
        if (width, height) != (self._texture.width, self._texture.height):
            self._texture.allocate(width, height, blank=False)  # all of it is uploaded at once
            self._upload.close()
            self._upload = Upload(width, height, self._software)
        self._upload.write(self._texture, picture.pixels)
        self.frame = Frame(self._texture, picture.time, self.frame.serial + 1)
        return self.frame

    def close(self) -> None:
        """Give the memory back. May be called twice."""
        self._upload.close()
        self._texture.close()
