"""The picture around an engine: a test card that moves, drawn by GL, and the passes between a dream and the screen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from perform.frame import Frame, Texture
from perform.gl.context import Context, open_headless
from perform.gl.shader import Program
from perform.gl.target import Target
from perform.gl.transfer import Resolve

CAMERA = """#version 330 core
in vec2 uv;
out vec4 color;
uniform float time;
void main() {  // slow folds and a sweeping bar: no two frames alike
    vec2 p = uv * 4.0;
    float v = 0.0;
    for (int i = 0; i < 3; i++) { p += sin(p.yx * 1.7 + time); v += sin(p.x + p.y); }
    float bar = smoothstep(0.02, 0.0, abs(fract(uv.x - 0.1 * time) - 0.5));
    color = vec4(vec3(0.5 + 0.14 * v) + vec3(0.3, 0.2, 0.1) * bar, 1.0);
}
"""
COMPOSITE = """#version 330 core
in vec2 uv;
out vec4 color;
uniform sampler2D dream;
uniform sampler2D given;
uniform float opacity;
void main() {  // the dream, with a little of what it was given laid over it (screen)
    vec3 a = texture(dream, uv).rgb, b = texture(given, uv).rgb * opacity;
    color = vec4(a + b - a * b, 1.0);
}
"""


@dataclass(slots=True)
class Theatre:
    """A camera's texture, the composite (RGBA16F) and the screen (RGBA8), all of one size. Render thread."""

    context: Context
    size: tuple[int, int]
    serial: int = 0
    _passes: tuple[Program, Program, Resolve] = field(init=False)
    _cameras: list[Target] = field(init=False)
    _mix: Target = field(init=False)
    screen: Target = field(init=False)

    def __post_init__(self) -> None:
        self._passes = Program(CAMERA, name="camera"), Program(COMPOSITE, name="composite"), Resolve()
        self._cameras = [Target(*self.size), Target(*self.size)]
        self._mix, self.screen = Target(*self.size, "rgba16f"), Target(*self.size)

    def camera(self, now: float) -> Frame:
        """The next picture of the camera: one pass, in one of two textures by turns."""
        self.serial += 1
        self._cameras.reverse()
        self._passes[0].draw(self._cameras[0], {}, {"time": now})
        return Frame(self._cameras[0].texture, now, self.serial)

    def show(self, dream: Texture, given: Texture) -> None:
        """Composite and resolve: two passes."""
        self.composite(dream, given)
        self.resolve()

    def composite(self, dream: Texture, given: Texture) -> None:
        """One pass, RGBA16F."""
        self._passes[1].draw(self._mix, {"dream": dream, "given": given}, {"opacity": 0.2})

    def resolve(self) -> None:
        """One pass, RGBA8, with the dither of the program's own."""
        self._passes[2].draw(self._mix.texture, self.screen, serial=self.serial)

    def close(self) -> None:
        """Give the GL objects back."""
        for part in (*self._passes, *self._cameras, self._mix, self.screen):
            part.close()


_context: list[Context] = []


def context() -> Context:
    """The one headless context of this process, made at the first call. Raises GLUnavailable."""
    if not _context:
        _context.append(open_headless())
    _context[0].make_current()
    return _context[0]


def finish() -> None:
    """Wait until GL has done everything."""
    from perform.gl.lib import gl

    gl.glFinish()


def flush() -> None:
    """Hand GL's commands over without waiting: what a swap of buffers does."""
    from perform.gl.lib import gl

    gl.glFlush()


Finish = Callable[[], Any]
