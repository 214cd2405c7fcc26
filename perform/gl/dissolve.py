"""The dissolve between two pictures. Render thread only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from perform.frame import Texture
from perform.gl.shader import Program
from perform.gl.target import Format, Target

# How a shader begins that mixes two straight pictures: colours are weighted with their alpha, so that a clear one has
# no say. What is clear on both keeps the colour of the second: who scales the picture mixes that in.
MIXED = """#version 330 core
vec4 mixed(vec4 a, vec4 b, float k) {
    vec4 c = mix(vec4(a.rgb * a.a, a.a), vec4(b.rgb * b.a, b.a), k);
    return vec4(c.a > 0.0 ? c.rgb / c.a : b.rgb, c.a);
}
"""
MIX = """in vec2 uv;
out vec4 color;
uniform sampler2D before;
uniform sampler2D after;
uniform float progress;
void main() {
    color = mixed(texture(before, uv), texture(after, uv), progress);
}
"""


@dataclass(slots=True)
class Dissolve:
    """Mixes two pictures into one of two targets in turn: a Frame made of the last one stays valid until the next."""

    format: Format = "rgba8"
    _program: Program | None = None
    _targets: list[Target] = field(default_factory=list)

    @classmethod
    def prepared(cls, format: Format = "rgba8") -> Self:
        """Compiled and drawn once: a software rasteriser compiles at the first draw, and that is a late frame."""
        made, white = cls(format), Target(16, 16)
        made.draw(white.texture, white.texture, 0.5)
        white.close()
        return made

    def draw(
        self, before: Texture, after: Texture, progress: float, now: float = 0.0, size: tuple[int, int] | None = None
    ) -> Texture:
        """`progress` 0..1 from `before` to `after`, slow at both ends, whatever the time; in the size of `after` unless
        another is given. One pass.
        """
        if self._program is None:
            self._program = Program(MIXED + MIX, name="dissolve")
        size = size or (after.width, after.height)
        if not self._targets:
            self._targets = [Target(*size, self.format), Target(*size, self.format)]
        eased = progress * progress * (3.0 - 2.0 * progress)
        self._targets.reverse()
        target = self._targets[0]
        target.resize(*size)
        self._program.draw(target, {"before": before, "after": after}, {"progress": eased})
        return target.texture

    def close(self) -> None:
        """Give the GL objects back. May be called twice."""
        for target in self._targets:
            target.close()
        self._targets.clear()
        if self._program is not None:
            self._program.close()
            self._program = None
