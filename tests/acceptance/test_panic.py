"""`/panic` in a whole show: what stands as it opened stays, what was moved comes back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from perform.clock import FixedClock
from perform.gl.context import Context
from perform.params import Value
from perform.performance import Performance, Wishes, open_performance
from perform.show import load

ROOT = Path(__file__).parents[2]
SHOWS = [ROOT / "show.toml", ROOT / "examples" / "02-layers" / "show.toml"]


def tick(play: Performance, frames: int = 3) -> dict[str, Value]:
    for _ in range(frames):
        play.tick()
        play.clock.pace(30.0)
    return play.params.snapshot()


def moody(folder: Path, mood: str) -> Performance:
    """A show that opens in a mood of the landscape's, given as show.toml gives it."""
    head = f'[show]\nsize = [160, 90]\nmodels = ["{ROOT / "models"}"]\n[source.card]\ntype = "testcard"\n'
    (folder / "show.toml").write_text(f'{head}[[layer]]\nworld = "landscape"\nsize = "s"\nmood = {mood}\n')
    wishes = Wishes(headless=True, controls=False, edits=False)
    return open_performance(load(folder / "show.toml"), FixedClock(30.0), wishes)


MOODS = [
    '"storm"',
    '{ name = "noon", x = 0.3, y = 0.7 }',
    "{ x = 0.3, y = 0.7 }",
    "{ y = 0.7 }",
    '"pad"',
    "{ fade = 2 }",
]


@pytest.mark.parametrize("mood", MOODS)
def test_panic_brings_a_mood_back_however_the_show_gives_it(mood: str, gl: Context, tmp_path: Path) -> None:
    with moody(tmp_path, mood) as play:
        opened = tick(play)
        play.params.post("/panic")
        assert tick(play) == opened, "panic moves what nobody has touched"
        for address, value in (("mood", "dusk"), ("mood/x", 0.1), ("mood", "gold")):
            play.params.post(f"/layer/1/{address}", value)
            assert tick(play) != opened
            play.params.post("/panic")
            assert tick(play) == opened


@pytest.mark.parametrize("unseen", ["/layer/1/on", "/master/freeze"])
def test_panic_brings_a_mood_back_that_was_moved_unseen(unseen: str, gl: Context, tmp_path: Path) -> None:
    with moody(tmp_path, '"storm"') as play:
        opened = tick(play)
        play.params.post(unseen, unseen.endswith("freeze"))
        tick(play)
        play.params.post("/layer/1/mood/x", 0.25)
        tick(play)
        play.params.post("/panic")
        assert tick(play) == opened


@pytest.mark.parametrize("path", SHOWS, ids=lambda p: p.parent.name)
def test_panic_brings_a_show_back_to_its_opening(path: Path, gl: Context) -> None:
    show = replace(load(path), size=(160, 90), sinks={}, record=None)
    with open_performance(show, FixedClock(30.0), Wishes(headless=True, controls=False)) as play:
        opened = tick(play)
        play.params.post("/panic")
        assert tick(play) == opened, "panic moves what nobody has touched"
        layer = f"/layer/{show.layers[0].name}"
        moved = {
            f"{layer}/opacity": 0.1,
            f"{layer}/mood/x": 0.3,
            f"{layer}/condition/gamma": 2.0,
            "/master/opacity": 0.0,
        }
        for address, value in moved.items():
            play.params.post(address, value)
        assert tick(play)["/master/opacity"] == 0.0
        play.params.post("/panic")
        assert tick(play) == opened
