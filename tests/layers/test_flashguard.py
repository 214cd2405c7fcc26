"""The flash guard against the thresholds of WCAG 2.2, 2.3.1."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from perform.layers.flashguard import GRID, FlashGuard, relative_luminance, saturated_red

SHAPE = (GRID[1], GRID[0], 3)
FPS = 60.0


def play(guard: FlashGuard, seconds: float, colour_at, start: float = 0.0) -> float:  # type: ignore[no-untyped-def]
    """Feed the guard; returns the most flashes it counted in a second."""
    most = 0.0
    for n in range(round(seconds * FPS)):
        now = start + n / FPS
        guard.watch(np.asarray(colour_at(now), np.float32), now)
        most = max(most, guard.flashes)
    return most


def strobe(rate: float, low: float, high: float, share: float = 1.0):  # type: ignore[no-untyped-def]
    def at(now: float) -> np.ndarray:
        rgb = np.full(SHAPE, low, np.float32)
        if int(now * rate * 2) % 2:
            rgb[: round(SHAPE[0] * share)] = high
        return rgb

    return at


def test_luminance_of_known_colours() -> None:
    rgb = np.array([[0, 0, 0], [1, 1, 1], [1, 0, 0], [0.5, 0.5, 0.5]], np.float32)
    assert relative_luminance(rgb) == pytest.approx([0.0, 1.0, 0.2126, 0.2140], abs=1e-3)
    assert saturated_red(rgb) == pytest.approx([0.0, 0.0, 320.0, 0.0], abs=1e-3)


@pytest.mark.parametrize("rate", [4.0, 8.0, 15.0])
def test_a_strobe_is_counted_and_held_back(rate: float) -> None:
    guard = FlashGuard()
    assert play(guard, 2.0, strobe(rate, 0.0, 1.0)) >= 3.0
    assert guard.warnings >= 1
    assert guard.hold(2.0) > 0.5


def test_the_hold_begins_before_the_rule_is_broken() -> None:
    guard = FlashGuard()
    at = strobe(10.0, 0.0, 1.0)
    for n in range(120):
        now = n / FPS
        guard.watch(np.asarray(at(now), np.float32), now)
        if guard.hold(now) > 0.0:
            break
    assert guard.flashes <= 3.0


@pytest.mark.parametrize(
    ("name", "at"),
    [
        ("two flashes a second", strobe(2.0, 0.0, 1.0)),
        ("a change of less than a tenth", strobe(10.0, 0.5, 0.55)),
        ("both states bright", strobe(10.0, 0.93, 1.0)),
        ("a fifth of the picture", strobe(10.0, 0.0, 1.0, share=0.2)),
        ("a slow breath", lambda now: np.full(SHAPE, 0.5 + 0.5 * np.sin(now), np.float32)),
    ],
)
def test_what_is_allowed_is_left_alone(name: str, at) -> None:  # type: ignore[no-untyped-def]
    guard = FlashGuard()
    assert play(guard, 3.0, at) <= 2.5, name
    assert guard.hold(3.0) == 0.0


def test_red_flashes_count_where_luminance_barely_changes() -> None:
    def at(now: float) -> np.ndarray:
        rgb = np.zeros(SHAPE, np.float32)
        rgb[..., 0] = 0.45 if int(now * 16) % 2 else 0.20  # luminance .007 to .036: no general flash
        return rgb

    guard = FlashGuard()
    play(guard, 2.0, at)
    assert guard.warnings >= 1


def test_the_hold_is_let_go_gently_once_it_is_calm() -> None:
    guard = FlashGuard()
    play(guard, 2.0, strobe(10.0, 0.0, 1.0))
    play(guard, 3.0, strobe(10.0, 0.3, 0.3), start=2.0)
    levels = [guard.hold(2.0 + t / 10) for t in range(40)]
    assert levels[-1] == 0.0
    assert all(b <= a for a, b in itertools.pairwise(levels))
    assert any(0.0 < level < 1.0 for level in levels)
