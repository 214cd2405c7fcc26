"""The mood pad: names, the XY map, and a vector that glides."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from perform.engines.mood import MoodPad, nearest
from perform.library import Card, read_card
from perform.params import Params
from tests.engines.worlds import CARD


def card(text: str = CARD, world: str = "dark") -> Card:
    size = f'[size.m]\nmacs = 1\nparameters = 1\nnative = 64\nonnx = "m.onnx"\nonnx_sha256 = "{"0" * 64}"\n'
    return read_card((text.format(world=world) + size).encode(), Path(world) / "card.toml")


OTHER = CARD.replace("calm", "noon").replace("noon = [0.0, 0.0]", "noon = [-1.0, -1.0]")
START, END = CARD.index("[mood]"), CARD.index("[network]")
MOODLESS = CARD[:START] + CARD[END:]
WIDER = (
    CARD[:START] + '[mood]\nsize = 3\ndefault = "calm"\n[mood.named]\ncalm = [5.0, 5.0, 5.0]\n' + CARD[END:]
)  # three numbers, no map


@dataclass
class Deck:
    """A pad, a world to play it on, and time."""

    world: Card | None = field(default_factory=card)
    params: Params = field(default_factory=Params)
    start: str = ""
    now: float = 0.0

    def __post_init__(self) -> None:
        self.pad = MoodPad.declare(self.params, "/layer/dream", "/layer/1", lambda: self.world, self.start)

    def tick(self, dt: float = 0.02) -> tuple[float, ...]:
        self.now += dt
        self.params.settle(self.now)
        return self.pad.vector(self.now)

    def rest(self) -> tuple[float, ...]:
        for _ in range(400):
            vector = self.tick()
        return vector

    def post(self, key: str, value: object) -> None:
        self.params.post(f"/layer/1/mood{key}", value)

    @property
    def shown(self) -> tuple[object, ...]:
        return tuple(self.params[f"/layer/dream/mood{key}"].value for key in ("", "/x", "/y"))


def test_it_begins_in_the_worlds_default_mood_with_the_handle_there() -> None:
    deck = Deck()
    assert deck.tick() == (0.0, 0.0)
    deck.tick()
    assert deck.shown == ("calm", 0.0, 0.0)


def test_it_can_begin_in_another_one() -> None:
    assert Deck(start="bright").tick() == (2.0, 0.0)
    assert Deck(start="nonsense").tick() == (0.0, 0.0)
    pad = Deck(start="pad")
    assert pad.rest() == pytest.approx((1.0, 2.0))  # the middle of the map
    assert pad.shown == ("pad", 0.5, 0.5)


def test_a_name_moves_the_vector_and_the_handle() -> None:
    deck = Deck()
    deck.tick()
    deck.post("", "bright")
    deck.tick()
    assert deck.rest() == (2.0, 0.0)
    assert deck.shown == ("bright", 1.0, 0.0)


def test_moving_the_pad_leaves_the_names_and_the_name_can_be_chosen_again() -> None:
    deck = Deck()
    deck.rest()
    deck.post("/y", 0.5)
    assert deck.rest() == pytest.approx((0.0, 2.0))
    assert deck.shown == ("pad", 0.0, 0.5)
    deck.post("", "calm")
    assert deck.rest() == (0.0, 0.0)
    assert deck.shown == ("calm", 0.0, 0.0)
    deck.post("/x", 1.0)
    deck.post("", "pad")
    assert deck.rest() == (2.0, 0.0)


def test_what_goes_back_to_its_default_unseen_stays_on_the_name() -> None:
    deck = Deck(start="bright")
    deck.rest()
    for key in ("/x", "/y"):  # no look in between: the layer is hidden, or the picture frozen
        deck.post(key, 0.3)
        deck.params.settle(deck.now)
        deck.post(key, deck.params[f"/layer/dream/mood{key}"].spec.default)
    assert deck.rest() == (2.0, 0.0)
    assert deck.shown == ("bright", 1.0, 0.0)


def test_another_mood_is_no_reason_to_look_for_all_addresses_again() -> None:
    deck = Deck()
    deck.rest()
    version = deck.params.version
    deck.post("", "bright")
    deck.rest()
    assert [deck.params[f"/layer/1/mood{key}"].spec.default for key in ("", "/x", "/y")] == ["calm", 1.0, 0.0]
    assert deck.params.version == version


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_name_over_a_presets_counts_although_it_plays_already(times: int) -> None:
    deck = Deck(start="bright")
    deck.rest()
    for _ in range(times):  # what a cue posts that calls a preset and sets a mood of its own
        for key, value in (("", "calm"), ("/x", 0.0), ("/y", 0.0), ("", "bright")):
            deck.post(key, value)
        deck.tick()
    assert deck.rest() == (2.0, 0.0)
    assert deck.shown == ("bright", 1.0, 0.0)


def test_a_preset_that_sets_all_three_lands_on_the_name() -> None:
    deck = Deck()
    deck.rest()
    deck.post("/x", 0.3)
    deck.rest()
    for key, value in (("", "bright"), ("/x", 1.0), ("/y", 0.0)):
        deck.post(key, value)
    assert deck.rest() == (2.0, 0.0)
    assert deck.shown == ("bright", 1.0, 0.0)
    for key, value in (("", "pad"), ("/x", 0.5), ("/y", 0.5)):
        deck.post(key, value)
    assert deck.rest() == pytest.approx((1.0, 2.0))
    assert deck.shown == ("pad", 0.5, 0.5)


def test_what_modulates_the_pad_moves_the_vector_and_leaves_what_was_set() -> None:
    deck = Deck()
    deck.rest()
    deck.post("/y", 0.5)
    deck.rest()
    off = deck.params.attach("/layer/dream/mood/x", lambda now: 0.25)
    assert deck.rest() == pytest.approx((0.5, 2.0))
    assert deck.params["/layer/dream/mood/x"].base == 0.0
    deck.post("/x", 0.5)
    assert deck.rest() == pytest.approx((1.5, 2.0))
    off()
    assert deck.rest() == pytest.approx((1.0, 2.0))
    assert deck.shown == ("pad", 0.5, 0.5)


def test_what_modulates_the_pad_moves_a_named_mood_and_keeps_its_name() -> None:
    deck = Deck(start="bright")
    deck.rest()
    offs = [
        deck.params.attach(f"/layer/dream/mood/{key}", lambda now, by=by: by) for key, by in (("x", -0.25), ("y", 0.5))
    ]
    assert deck.rest() == pytest.approx((1.5, 2.0))
    assert deck.shown[0] == "bright"
    deck.post("", "calm")  # at the left end, past which there is nothing
    assert deck.rest() == pytest.approx((0.0, 2.0))
    for off in offs:
        off()
    assert deck.rest() == (0.0, 0.0)
    assert deck.shown == ("calm", 0.0, 0.0)


def test_a_name_between_the_places_of_the_map_is_moved_from_where_it_is() -> None:
    deck = Deck(card(CARD.replace("bright = [2.0, 0.0]", "bright = [1.0, 9.0]")), start="bright")
    assert deck.rest() == (1.0, 9.0)
    deck.params.attach("/layer/dream/mood/x", lambda now: 0.25)
    assert deck.rest() == pytest.approx((1.5, 9.0))


@pytest.mark.parametrize("dt", [0.01, 0.04, 0.2])
def test_the_glide_does_not_depend_on_the_frame_rate(dt: float) -> None:
    deck = Deck()
    deck.tick()
    deck.tick()
    deck.post("", "bright")
    deck.tick(1e-9)
    for _ in range(round(0.4 / dt)):
        vector = deck.tick(dt)
    assert vector[0] == pytest.approx(1.4862, abs=1e-3)  # 2·(1 − (1 + wt)·e^−wt), w = 6.638, t = 0.4
    assert deck.shown[0] == "bright"


def test_the_glide_takes_as_long_as_asked_and_never_jumps() -> None:
    deck = Deck()
    deck.tick()
    deck.post("/fade", 2.0)
    deck.post("", "bright")
    path = [deck.tick()[0] for _ in range(101)]
    assert path[100] == pytest.approx(2.0, abs=0.03)
    assert path[50] < 1.8
    assert max(np.diff(path)) < 0.06
    assert path[1] < 0.02  # it starts gently
    deck.post("/fade", 0.0)
    deck.post("", "calm")
    assert deck.tick() == (0.0, 0.0)


def test_a_pause_is_not_made_up_for() -> None:
    deck = Deck()
    deck.pad.pause(1.0)  # before the first frame: nothing to hold
    deck.rest()
    deck.post("/fade", 2.0)
    deck.post("", "bright")
    for _ in range(25):
        before = deck.tick()
    deck.pad.pause(10.0)
    assert deck.tick(10.02) == pytest.approx(before, abs=0.06)
    assert deck.rest() == (2.0, 0.0)


def test_another_world_is_a_glide_and_a_mood_it_lacks_becomes_its_default() -> None:
    deck = Deck()
    deck.rest()
    deck.world = card(OTHER, "other")
    path = [deck.tick()[0] for _ in range(100)]
    assert abs(path[0]) < 0.02
    assert max(np.abs(np.diff(path))) < 0.1
    assert deck.rest() == (-1.0, -1.0)
    assert deck.shown[0] == "noon"
    assert list(deck.params["/layer/1/mood"].spec.names) == ["noon", "bright", "pad"]


def test_a_world_that_comes_again_goes_on_from_where_it_was_left() -> None:
    deck = Deck()
    assert deck.pad.world is None
    deck.post("", "bright")
    assert deck.rest() == (2.0, 0.0)
    assert deck.pad.world == "dark"
    dark, deck.world = deck.world, card(OTHER.replace("bright = [2.0", "bright = [7.0"), "other")
    assert deck.rest() == (7.0, 0.0)
    assert deck.pad.world == "other"
    deck.post("", "calm")
    deck.world = dark
    path = [deck.tick()[0] for _ in range(100)]
    assert path[0] == pytest.approx(2.0, abs=0.02)
    assert max(np.abs(np.diff(path))) < 0.1
    assert deck.rest() == (0.0, 0.0)


ELSEWHERE = CARD.replace("bright = [2.0, 0.0]", "bright = [0.0, 4.0]")  # at (0, 1) on the map, not (1, 0)


def test_the_handle_follows_a_name_into_a_world_that_has_it_elsewhere() -> None:
    deck = Deck(start="bright")
    deck.rest()
    assert deck.shown == ("bright", 1.0, 0.0)
    deck.world = card(ELSEWHERE, "other")
    assert deck.rest() == (0.0, 4.0)
    assert deck.shown == ("bright", 0.0, 1.0)
    deck.post("/x", 0.25)  # from there: a nudge
    assert deck.rest() == pytest.approx((0.5, 4.0))
    assert deck.shown == ("pad", 0.25, 1.0)


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("first", ["bright", "calm"])
def test_a_preset_of_another_world_with_a_mood_of_that_name_lands_on_the_name(first: str, times: int) -> None:
    deck = Deck(card(ELSEWHERE, "other"), start=first)
    deck.rest()
    for _ in range(times):
        deck.world = card()
        for key, value in (("", "bright"), ("/x", 1.0), ("/y", 0.0)):
            deck.post(key, value)
        assert deck.rest() == (2.0, 0.0)
        assert deck.shown == ("bright", 1.0, 0.0)


def test_a_preset_of_a_world_without_a_map_lands_on_the_name() -> None:
    mapless = card(WIDER.replace("[mood.named]", "[mood.named]\nbright = [1.0, 2.0, 3.0]"), "wider")
    deck = Deck(start="bright")
    deck.rest()
    deck.world = mapless
    for key, value in (("", "bright"), ("/x", 0.3), ("/y", 0.4)):
        deck.post(key, value)
    assert deck.rest() == pytest.approx((1.0, 2.0, 3.0))
    assert deck.shown == ("bright", 0.3, 0.4)


def test_worlds_with_longer_moods_with_none_and_no_world_at_all() -> None:
    deck = Deck(world=None)
    assert deck.tick() == ()
    assert list(deck.params["/layer/1/mood"].spec.names) == ["pad"]
    deck.world = card(MOODLESS)
    assert deck.tick() == ()
    deck.world = card()
    deck.post("", "bright")
    assert deck.tick() == (2.0, 0.0)
    deck.world = card(WIDER)
    assert len(deck.tick()) == 3
    assert deck.rest() == (5.0, 5.0, 5.0)
    deck.post("/x", 0.9)  # there is no map to move over
    assert deck.rest() == (5.0, 5.0, 5.0)


def test_the_handle_goes_to_the_nearest_place() -> None:
    mood = card().mood
    assert mood is not None
    assert nearest(mood, (1.0, 4.0)) == (0.5, 1.0)
    wider = card(WIDER).mood
    assert wider is not None
    assert nearest(wider, (1.0, 1.0, 1.0)) == (0.5, 0.5)


def test_the_shortest_fade_there_is_is_a_jump() -> None:
    deck = Deck(start="calm")
    deck.pad.vector(0.0)
    deck.params.post("/layer/dream/mood/fade", 1e-310)
    deck.params.post("/layer/dream/mood", "noon")
    deck.params.settle(1.0)
    assert np.isfinite(deck.pad.vector(1.0)).all()
    assert np.isfinite(deck.pad.vector(1.1)).all()
