"""The dissolve between two dreams. Both go on dreaming while it lasts. Render thread only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from perform.frame import Frame, Texture
from perform.gl.shader import Program
from perform.gl.target import Target
from perform.gl.transfer import copy

# Straight RGBA on both sides; colours are weighted with their alpha so that a transparent side has no say.
MIX = """#version 330 core
in vec2 uv;
out vec4 color;
uniform sampler2D before;
uniform sampler2D after;
uniform float progress;
void main() {
    vec4 a = texture(before, uv), b = texture(after, uv);
    float alpha = mix(a.a, b.a, progress);
    vec3 rgb = mix(a.rgb * a.a, b.rgb * b.a, progress);
    color = vec4(alpha > 0.0 ? rgb / alpha : vec3(0.0), alpha);
}
"""


@dataclass(slots=True)
class Dissolve:
    """Mixes two pictures into one of two targets in turn: a Frame made of the last one stays valid until the next."""

    _program: Program | None = None
    _targets: list[Target] = field(default_factory=list)

    def prepare(self) -> None:
        """Compile now, and draw once: a software rasteriser compiles at the first draw, and that is a late frame."""
        white = Target(16, 16)
        self.draw(white.texture, white.texture, 0.5)
        white.close()

    def draw(self, before: Texture, after: Texture, progress: float) -> Target:
        """`progress` 0..1 from `before` to `after`; the result has the size of `after`. One pass."""
        if self._program is None:
            self._program = Program(MIX, name="dissolve")
        if not self._targets:
            self._targets = [Target(after.width, after.height), Target(after.width, after.height)]
        self._targets.reverse()
        target = self._targets[0]
        target.resize(after.width, after.height)
        self._program.draw(target, {"before": before, "after": after}, {"progress": progress})
        return target

    def close(self) -> None:
        """Give the GL objects back. May be called twice."""
        for target in self._targets:
            target.close()
        self._targets.clear()
        if self._program is not None:
            self._program.close()
            self._program = None


@dataclass(slots=True)
class Still:
    """A picture kept as it is: what a fade that is interrupted by another one goes on from."""

    target: Target

    @classmethod
    def of(cls, texture: Texture) -> Still:
        """A copy of this picture."""
        target = Target(texture.width, texture.height)
        copy(texture, target)
        return cls(target)

    def submit(self, frame: Frame, mood: Sequence[float]) -> None:
        """A still does not dream."""

    def newest(self) -> Frame:
        return Frame(self.target.texture, 0.0, 0)

    def close(self) -> None:
        self.target.close()
