"""From the finished picture to pixels in memory: what recorder, snapshot and null have in common."""

from __future__ import annotations

from perform.frame import Frame
from perform.gl.target import Target
from perform.gl.target import Texture as Stored
from perform.gl.transfer import Pixels, Readback, Resolve


class Prints:
    """Reads pictures of any size and format back as uint8 RGBA of one size, row 0 at the bottom. Render thread.

    On a software rasteriser at once, through PBOs one picture late: `read` then gives None at first, and `flush`
    the last one. Costs at 720p on llvmpipe: 0.1 ms for an RGBA8 picture of that size, a pass more for any other.
    """

    def __init__(self, width: int, height: int, software: bool) -> None:
        self.width, self.height = width, height
        self._resolve = Resolve()
        self._target = Target(width, height)
        self._readback = Readback(width, height, software)

    def read(self, picture: Frame) -> Pixels | None:
        """The pixels of this picture, or with PBOs of the one before."""
        texture = picture.texture
        plain = isinstance(texture, Stored) and texture.format == "rgba8"
        same = (texture.width, texture.height) == (self.width, self.height)
        if not (plain and same):
            self._resolve.draw(texture, self._target, dither=not plain, serial=picture.serial)
            texture = self._target.texture
        return self._readback.read(texture)

    def flush(self) -> Pixels | None:
        """The picture that is still on its way, if there is one. Waits for the GPU."""
        return self._readback.flush()

    def close(self) -> None:
        """Give the memory back. May be called twice."""
        self._readback.close()
        self._target.close()
        self._resolve.close()
