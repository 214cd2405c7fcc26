"""The condition's controls without a picture: addresses, ranges, a card's defaults."""

from __future__ import annotations

import pytest

from perform.conditioning import Conditioning
from perform.conditioning.controls import CONTROLS, Controls
from perform.conditioning.framing import MIRRORS, TAPS, View
from perform.conditioning.reduction import Tone
from perform.params import Params

PREFIX = "/layer/dream"


@pytest.fixture
def params() -> Params:
    return Params()


@pytest.fixture
def controls(params: Params) -> Controls:
    controls = Controls(params, PREFIX)
    controls.declare({})
    return controls


def test_every_control_is_a_documented_address(params: Params, controls: Controls) -> None:
    for name, spec in CONTROLS.items():
        param = params[f"{PREFIX}/condition/{name}"]
        assert param.spec == spec
        assert spec.doc.endswith(".")
        assert spec.kind == "choice" or (spec.lo is not None and spec.hi is not None)
    assert controls.view == View()
    assert controls.tone == Tone()


def test_a_card_gives_the_defaults(params: Params) -> None:
    controls = Controls(params, PREFIX)
    controls.declare({"name": "reduce", "reduce": 24.0, "contrast": 1.2})
    assert controls.tone == Tone(reduce=24.0, contrast=1.2)
    assert params[f"{PREFIX}/condition/reduce"].spec.default == 24.0


def test_another_world_moves_what_nobody_has_touched(params: Params, controls: Controls) -> None:
    params.post(f"{PREFIX}/condition/contrast", 2.0)
    params.settle(0.0)
    controls.declare({"reduce": 24.0, "contrast": 1.2})
    params.settle(0.1)
    assert controls.tone == Tone(reduce=24.0, contrast=2.0)
    controls.declare({})
    params.settle(0.2)
    assert controls.tone == Tone(reduce=16.0, contrast=2.0)


def test_another_world_fades_in(params: Params, controls: Controls) -> None:
    params.settle(1.0)
    controls.declare({"reduce": 32.0}, fade=2.0)
    params.settle(1.0)
    params.settle(2.0)
    assert 20.0 < controls.tone.reduce < 28.0
    params.settle(3.1)
    assert controls.tone.reduce == 32.0


@pytest.mark.parametrize(
    ("card", "said"),
    [
        ({"redcue": 3}, "no 'redcue'"),
        ({"reduce": "coarse"}, "reduce takes a number"),
        ({"mirror": "up"}, "mirror has no"),
    ],
)
def test_a_wrong_card_changes_nothing(params: Params, controls: Controls, card: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        controls.declare({"contrast": 1.5, **card})
    params.settle(1.0)
    assert controls.tone == Tone()
    with pytest.raises(ValueError, match=said):
        Conditioning().defaults(card)  # now, not when it is opened with it


def test_close_takes_the_addresses_back(params: Params, controls: Controls) -> None:
    controls.close()
    controls.close()
    assert f"{PREFIX}/condition/zoom" not in params


def test_reads_as_often_as_the_picture_shrinks() -> None:
    assert View().taps((1280, 720), (1280, 720)) == 1
    assert View().taps((1280, 720), (256, 256)) == 2
    assert View(zoom=4.0).taps((1280, 720), (256, 256)) == 1
    assert View(zoom=0.25).taps((3840, 2160), (128, 128)) == TAPS[-1]
    assert set(MIRRORS) >= {"off", "left", "right", "top", "quad"}


def test_a_world_that_follows_within_the_fade_is_gone_to_all_the_same(params: Params, controls: Controls) -> None:
    controls.declare({"black": -0.2}, fade=4.0)
    params.settle(0.0)
    params.settle(1.0)
    controls.declare({"black": 0.3}, fade=1.0)
    for now in (1.5, 2.0, 3.0):
        params.settle(now)
    assert params[f"{PREFIX}/condition/black"].value == pytest.approx(0.3)


def test_a_performers_fade_goes_on_while_a_world_arrives(params: Params, controls: Controls) -> None:
    params.post(f"{PREFIX}/condition/gamma", 3.0, 4.0)
    params.settle(0.0)
    params.settle(1.0)
    controls.declare({"gamma": 1.4}, fade=1.0)
    for now in (2.0, 3.0, 4.0):
        params.settle(now)
    assert params[f"{PREFIX}/condition/gamma"].value == 3.0


def test_what_is_modulated_does_not_jump_while_a_world_arrives(params: Params, controls: Controls) -> None:
    params.attach(f"{PREFIX}/condition/zoom", lambda now: 1.0)
    params.settle(0.0)
    controls.declare({"grain": 0.1})
    assert params[f"{PREFIX}/condition/zoom"].value == 2.0
