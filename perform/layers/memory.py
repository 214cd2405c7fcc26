"""Mix and memory: what is seen of a dream, in one pass.

A convolution knows nothing beyond the picture's edge, and the outermost pixels of a dream have colours of their own. So
a world is given a little more than is seen, `border` pixels on each side, and those are left out here.

Memory is motion-aware temporal smoothing after the generator, the cure for flicker: where the dream barely differs
from what is shown, more of what is shown stays; where it moves, the new one comes through. The difference is taken
over a neighbourhood so that the texture's own noise does not count as motion.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from perform.frame import Frame
from perform.gl.dither import DITHER
from perform.gl.shader import Program
from perform.gl.target import Format, Target

# A software rasteriser runs both arms of every `if`: PLAIN is the ordinary frame, the dream and its memory alone.
SETTLE = """in vec2 uv;
out vec4 color;
uniform sampler2D dream;
uniform sampler2D given;
uniform sampler2D shown;
uniform vec2 inside;    // share of the dream that is seen
uniform float wet;      // 1 = the dream, 0 = what the generator was given
uniform float keep;     // share of the shown picture that stays where nothing moves
uniform vec2 pixel;
uniform float turn;     // frame modulo 64
uniform float grain;    // a step of what the target can hold
vec2 within(vec2 at) { return (at - 0.5) * inside + 0.5; }
float change(vec2 at) {
    vec3 d = abs(texture(dream, within(at)).rgb - texture(shown, at).rgb);
    return max(d.r, max(d.g, d.b));
}
void main() {
    vec4 fresh = texture(dream, within(uv));
#ifndef PLAIN
    fresh = mix(texture(given, within(uv)), fresh, wet);
#endif
    float motion = 0.5 * (change(uv + pixel * vec2(2.0, 1.0)) + change(uv - pixel * vec2(2.0, 1.0)));
    color = mix(fresh, texture(shown, uv), keep * (1.0 - smoothstep(0.10, 0.40, motion)));
    // Steps that small would be rounded away, and a long memory stop short: rounding up or down by chance gets there.
    color.rgb += dither(turn) * grain;
}
"""


EDGE = 4  # pixels of a dream that the missing surroundings are seen in: measured, for every world and size


def border(size: tuple[int, int]) -> tuple[int, int]:
    """What is left out of a dream of this size at the left and the right, and above and below; in its proportions."""
    least = min(EDGE, min(size) // 16)
    return round(least * size[0] / min(size)), round(least * size[1] / min(size))


def inside(size: tuple[int, int]) -> tuple[float, float]:
    """The share of its width and height that is seen of a dream of this size, and of what it was dreamt from."""
    x, y = border(size)
    return 1.0 - 2.0 * x / size[0], 1.0 - 2.0 * y / size[1]


GRAIN: dict[Format, float] = {"rgba8": 1 / 255, "rgba16f": 1 / 2048, "rgba32f": 0.0}


@dataclass(slots=True)
class Memory:
    """The last picture of a layer and the pass that makes the next one of it. Render thread.

    `format` is "rgba8" on a software rasteriser, where it takes half the time of "rgba16f".
    """

    format: Format = "rgba16f"
    _programs: dict[bool, Program] = field(default_factory=dict)  # plain or not
    _shown: list[Target] = field(default_factory=list)
    _serial: int = 0
    _then: float = 0.0
    _seen: object = None
    _frame: Frame | None = None

    def settle(self, dream: Frame, given: Frame, now: float, mix: float, memory: float) -> Frame:
        """The layer's picture at `now` seconds, of the dream's size less its border; the same Frame, and no pass, where
        nothing has changed and nothing is kept.

        `mix` is the generator's picture (1) against what it was given (0); `memory` the share that stays where
        nothing moves, at 30 dreams a second whatever the frame rate.
        """
        dt, self._then = max(0.0, now - self._then), now
        seen = (dream.texture.id, dream.serial, given.serial if mix < 1.0 else None, mix)
        if memory <= 0.0 and seen == self._seen and self._frame is not None:
            return self._frame
        self._seen = seen
        (width, height), (x, y) = dream.size, border(dream.size)
        size = width - 2 * x, height - 2 * y
        fresh = self._fit(size)
        keep = min(memory, 0.98) ** (dt * 30.0) if memory > 0.0 and not fresh else 0.0
        before, after = self._shown
        self._program(mix >= 1.0).draw(
            after,
            {"dream": dream.texture, "given": given.texture, "shown": before.texture},
            {
                "wet": mix,
                "keep": keep,
                "inside": inside(dream.size),
                "pixel": (1.0 / size[0], 1.0 / size[1]),
                "turn": float(self._serial % 64),
                "grain": GRAIN[self.format],
            },
        )
        self._shown = [after, before]
        self._serial += 1
        self._frame = Frame(after.texture, dream.time, self._serial)
        return self._frame

    def _program(self, plain: bool) -> Program:
        if not self._programs:  # both at once: compiling must not cost the frame in which the mix moves
            for kind in (True, False):
                head = "#version 330 core\n" + DITHER + "#define PLAIN\n" * kind
                self._programs[kind] = Program(head + SETTLE, name="memory")
        return self._programs[plain]

    def _fit(self, size: tuple[int, int]) -> bool:
        """Targets of this size; True if they are new, and so hold nothing."""
        if not self._shown:
            self._shown = [Target(*size, self.format), Target(*size, self.format)]
            return True
        before, after = [target.resize(*size) for target in self._shown]
        return before or after

    def close(self) -> None:
        """Give back GL objects."""
        for target in self._shown:
            target.close()
        for program in self._programs.values():
            program.close()
        self._shown = []
        self._programs = {}
        self._seen = self._frame = None
