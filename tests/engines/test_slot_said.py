"""What a slot says while one thing is seen and another is to come."""

from __future__ import annotations

import threading

from perform.engines.bank import Role
from perform.engines.generator import Shape
from perform.engines.host import HostGenerator
from perform.engines.openvino import OpenVino
from perform.gl.transfer import Pixels
from perform.library import Card
from perform.plugins import EngineError
from tests.engines.conftest import House, until


class Late:
    """Hardware for the world "late" only, whose dreams wait for the gate."""

    def __init__(self) -> None:
        self.gate = threading.Event()

    def load(self, card: Card, size: str, shape: Shape) -> HostGenerator:
        if card.world != "late":
            raise EngineError("not with this one")

        def run(picture: Pixels, mood: object) -> Pixels:
            assert self.gate.wait(120)
            return picture

        return HostGenerator(lambda: run, shape, 0, 1000, "late")


def test_a_fade_that_was_interrupted_is_said_to_stand_still_and_not_to_be_the_input(house: House) -> None:
    for name in ("same", "dark", "late"):
        house.world(name, sizes=("m",))
    late = Late()
    scene = house.theatre(live=True, bank=house.bank(False, 10**9, late, OpenVino("fp32", cache=house.cache)))
    scene.bank.keep([Role(name, "m", scene.size) for name in ("same", "dark", "late")])
    until(lambda: len(scene.bank.warm) == 3)
    scene.slot.want("same", "m")
    until(lambda: scene.dream(fps=5.0) and scene.slot.playing is not None and not scene.slot.fading)
    scene.slot.want("dark", "m", crossfade=10.0)
    until(lambda: scene.dream() and scene.slot.fading)
    scene.slot.want("late", "m")
    scene.dream()
    assert scene.said == "late m is loading; the last picture of dark m stays"
    late.gate.set()
    until(lambda: scene.dream(fps=5.0) and scene.slot.playing == Role("late", "m", scene.size))
    assert scene.said.startswith("late m (late")
