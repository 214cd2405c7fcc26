"""How late a frame begins is read on the clock's own grid."""

from __future__ import annotations

import pytest

from bench.osc import FPS, paced
from perform import clock
from tests.test_clock import Wall


def test_a_stall_is_late_once_and_spoils_nothing_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    wall = Wall()
    monkeypatch.setattr(clock, "time", wall)
    live = clock.LiveClock(start=wall.time)
    late = [paced(live) for _ in range(3)]
    wall.time += 0.075
    late.append(paced(live))
    late += [paced(live) for _ in range(3)]
    assert late == pytest.approx([0.0, 0.0, 0.0, 0.075 - 1.0 / FPS, 0.0, 0.0, 0.0], abs=1e-9)
