"""The noise that hides the steps of 8 bits."""

from __future__ import annotations

# Interleaved gradient noise (Jimenez, "Next generation post processing in Call of Duty: Advanced Warfare",
# SIGGRAPH 2014), -0.5..0.5, moved each frame by `turn`, a serial modulo 64: the same for the same.
DITHER = """float dither(float turn) {
    return fract(52.9829189 * fract(dot(gl_FragCoord.xy + 5.588238 * turn, vec2(0.06711056, 0.00583715)))) - 0.5;
}
"""
