"""How one shape covers another."""

from __future__ import annotations

import pytest

from perform.gl.cover import cover, share


@pytest.mark.parametrize(
    ("picture", "stage", "seen", "extent"),
    [
        (4 / 3, 16 / 9, (1.0, 0.75), (16 / 9, 4 / 3)),
        (16 / 9, 4 / 3, (0.75, 1.0), (16 / 9, 1.0)),
        (16 / 9, 16 / 9, (1.0, 1.0), (16 / 9, 1.0)),
    ],
)
def test_what_stands_over_is_cut_off_and_the_rest_fills_the_stage(
    picture: float, stage: float, seen: tuple[float, float], extent: tuple[float, float]
) -> None:
    assert share(picture, stage) == pytest.approx(seen)
    assert cover(picture, stage) == pytest.approx(extent)
