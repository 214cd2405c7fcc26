"""The dissolve between two pictures, by its pixels."""

from __future__ import annotations

import pytest

from perform.gl.context import Context
from perform.gl.dissolve import Dissolve
from perform.gl.target import Target
from perform.gl.transfer import read

Colour = tuple[float, float, float, float]


@pytest.mark.parametrize(
    ("before", "after", "half"),
    [
        ((1.0, 0.0, 0.0, 1.0), (0.0, 0.0, 1.0, 1.0), (128, 0, 128, 255)),
        ((1.0, 0.0, 0.0, 1.0), (0.0, 0.0, 1.0, 0.0), (255, 0, 0, 128)),  # what is clear has no say
        ((1.0, 0.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0), (0, 0, 255, 0)),  # and keeps its colour where all is
    ],
)
def test_colours_are_weighted_with_their_alpha(
    gl: Context, before: Colour, after: Colour, half: tuple[int, ...]
) -> None:
    one, other, dissolve = Target(4, 4), Target(4, 4), Dissolve()
    one.clear(*before)
    other.clear(*after)
    drawn = dissolve.draw(one.texture, other.texture, 0.5)
    assert read(drawn)[1, 1] == pytest.approx(half, abs=1)  # type: ignore[arg-type]
    for thing in (one, other, dissolve):
        thing.close()
