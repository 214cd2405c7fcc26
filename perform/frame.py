"""What flows down: a picture on the GPU, when it was taken, and which one it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Texture(Protocol):
    """A 2-D GL texture as the render thread sees it. Row 0 is the BOTTOM of the picture (GL's own order)."""

    @property
    def id(self) -> int:
        """GL name."""
        ...

    @property
    def width(self) -> int: ...

    @property
    def height(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture. Equal `serial` from the same giver means the same picture: nothing needs doing again.

    `texture` belongs to the giver and stays valid until the giver's next frame. `time` is show time in
    seconds at which the picture was taken (a camera's latency is visible as now - time). `serial` grows.
    """

    texture: Texture
    time: float
    serial: int

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.texture.width, self.texture.height
