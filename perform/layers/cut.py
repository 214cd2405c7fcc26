"""A source and its dream cut to the stage's shape: they must be of one shape before one gives way to the other.

Each lies where it lies on the stage when it is seen alone, so that nothing jumps as a change begins or ends.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from perform.frame import Texture
from perform.gl.cover import cover, share
from perform.gl.shader import Program
from perform.gl.target import Format, Target

Size = tuple[int, int]
ALIKE = 0.001  # more or less of a picture counts as all of it: a pixel at each edge of 1080p
CUT = """#version 330 core
in vec2 uv;
out vec4 color;
uniform sampler2D picture;
uniform vec2 part;  // of it that is seen
void main() { color = texture(picture, (uv - 0.5) * part + 0.5); }
"""


def cut(size: Size, aspect: float) -> Size:
    """What is seen of a picture of this size that covers a stage of this aspect, in the picture's own whole pixels: as
    many are cut off on both sides, so that those that stay are copied as they are."""
    wide, high = share(size[0] / size[1], aspect)
    return size[0] - 2 * round(size[0] * (1.0 - wide) / 2.0), size[1] - 2 * round(size[1] * (1.0 - high) / 2.0)


def extent(one: Size, other: Size, aspect: float) -> Size:
    """The size in which neither of two pictures that cover a stage loses detail."""
    return max(cut(one, aspect), cut(other, aspect), key=lambda size: size[1])


@dataclass(slots=True)
class Cut:
    """Cuts two pictures to one shape. Render thread; one pass for each that has another, none for one that has it."""

    format: Format = "rgba8"
    _program: Program = field(init=False)
    _targets: list[Target] = field(init=False)

    def __post_init__(self) -> None:
        self._program = Program(CUT, name="cut")
        self._targets = [Target(16, 16, self.format), Target(1, 1, self.format)]
        # Drawn once: a software rasteriser compiles at the first draw, and that is a late frame.
        self._program.draw(self._targets[1], {"picture": self._targets[0].texture}, {"part": (1.0, 1.0)})

    def pair(self, before: Texture, after: Texture, aspect: float) -> tuple[Texture, Texture, Size]:
        """What is seen of both on a stage of this aspect (width / height), and the size to mix them in. Valid until the
        next pair; a picture that is seen whole is handed on as it is, in its own size."""
        size = extent((before.width, before.height), (after.width, after.height), aspect)
        one, other = (self._seen(*pair, size, aspect) for pair in zip((before, after), self._targets, strict=True))
        return one, other, size

    def _seen(self, picture: Texture, target: Target, size: Size, aspect: float) -> Texture:
        """Whole pixels are not quite the stage's shape: measured on the stage, which both cover."""
        whole, seen = cover(picture.width / picture.height, aspect), cover(size[0] / size[1], aspect)
        part = seen[0] / whole[0], seen[1] / whole[1]
        if max(abs(part[0] - 1.0), abs(part[1] - 1.0)) < ALIKE:
            return picture
        target.resize(*size)
        self._program.draw(target, {"picture": picture}, {"part": part})
        return target.texture

    def close(self) -> None:
        """Give the GL objects back. May be called twice."""
        self._program.close()
        for target in self._targets:
            target.close()
