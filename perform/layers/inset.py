"""What the generator was given, small and quiet in the corner of what is shown."""

from __future__ import annotations

from typing import Any

from perform.frame import Frame
from perform.gl.shader import Program
from perform.gl.target import Target
from perform.layers.memory import inside

MARGIN, WIDTH = 0.045, 0.2  # in stage heights, in stage widths

# The inset, laid over what is shown: the picture, a hairline, and a soft shadow around it. Premultiplied.
INSET = """#version 330 core
out vec4 color;
uniform sampler2D given;
uniform vec2 seen;              // share of it that is shown: as much as of the dream
uniform vec4 box;               // left, bottom, width, height in pixels
uniform float level;
uniform float spread;           // of the shadow, in pixels: to nothing at the edge of what is drawn
void main() {
    vec2 p = (gl_FragCoord.xy - box.xy) / box.zw, far = (abs(p - 0.5) - 0.5) * box.zw;
    float outside = max(far.x, far.y);                    // pixels beyond the edge
    float line = 0.55 * (1.0 - smoothstep(0.5, 1.5, abs(outside - 1.0)));
    float inside = clamp(0.5 - outside, 0.0, 1.0);
    float near = clamp(1.0 - length(max(far, 0.0)) / spread, 0.0, 1.0);
    vec4 shadow = vec4(0.0, 0.0, 0.0, 0.3 * near * near * near);
    vec4 c = mix(shadow, vec4(texture(given, (p - 0.5) * seen + 0.5).rgb * 0.92, 1.0), inside);
    color = level * mix(c, vec4(0.93, 0.92, 0.88, 1.0), line);
}
"""


def draw_inset(program: Program, target: Target, given: Frame, level: float) -> None:
    """Lay `given` over the lower left of `target` with the program of INSET, `level` 0..1 bright. Render thread."""
    margin, width = MARGIN * target.height, WIDTH * target.width
    box = (margin, margin, width, width * given.size[1] / given.size[0])
    around = round(margin)
    viewport = (
        round(box[0]) - around, round(box[1]) - around, round(box[2]) + 2 * around, round(box[3]) + 2 * around
    )  # fmt: skip
    uniforms: dict[str, Any] = {"box": box, "level": level, "spread": float(around), "seen": inside(given.size)}
    program.draw(target, {"given": given.texture}, uniforms, blend=True, viewport=viewport)
