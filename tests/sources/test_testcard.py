"""The card shows what it is for: greys, colours, edges, and that time passes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from perform.gl.transfer import read
from perform.sources.testcard import TestCard
from tests.sources.conftest import MakeStage


@pytest.mark.parametrize("size", [(640, 360), (256, 256), (180, 320)])
def test_fills_every_shape(stage: MakeStage, size: tuple[int, int]) -> None:
    with TestCard().open(stage(size=size)) as card:
        frame = card.frame(3.0)
        pixels = read(frame.texture)
        assert frame.size == size
        assert (pixels[:, :, 3] == 255).all()
        assert pixels[0, size[0] // 2 + 40 % size[0] // 2, :3].min() > 180  # the outermost row is lit
        assert not card.lost


def test_has_black_white_and_the_colours_in_between(stage: MakeStage) -> None:
    with TestCard().open(stage(size=(640, 360))) as card:
        pixels = read(card.frame(0.0).texture)
    ramp = pixels[int(360 * 0.42), 214:427, 0].astype(int)  # from black to white
    assert ramp.min() < 10
    assert ramp.max() > 245
    assert (np.diff(ramp) >= 0).all()
    bars = {tuple(int(v) for v in p) for p in pixels[int(360 * 0.69), 215:425, :3]}
    assert {(191, 191, 191), (191, 191, 0), (0, 191, 191), (0, 191, 0), (191, 0, 191), (191, 0, 0), (0, 0, 191)} <= bars


def test_moves_each_frame_and_is_the_same_for_the_same_time(stage: MakeStage) -> None:
    with TestCard().open(stage(size=(320, 180))) as card, TestCard().open(stage(size=(320, 180))) as fresh:
        seen = [read(card.frame(n / 60).texture) for n in range(62)]
        assert all((a != b).any() for a, b in pairwise(seen))
        assert (read(fresh.frame(61 / 60).texture) == seen[61]).all()  # drawn in parts or at once
        frame = card.frame(5.0)
        assert card.frame(5.0) is frame
        card.close()
