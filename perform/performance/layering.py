"""Opens the layers of a show and connects what does not know of each other: layer, conditioning, slot, mood."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass, replace
from pathlib import Path

from perform.conditioning import Conditioning
from perform.engines.bank import Bank, Role
from perform.engines.mood import MoodPad
from perform.engines.slot import Slot
from perform.gl.isf import Patch, find_patch
from perform.gl.target import Format
from perform.health import Guard, Status
from perform.layers import Layer, LayerParams, Memory, Place, Transition
from perform.library import Card, CardError, Library
from perform.params import Params
from perform.performance.feeds import LAYER
from perform.performance.performance import Performance
from perform.plugins import Stage
from perform.show import LayerSpec, Show
from perform.show.stock import Stock


@dataclass(slots=True)
class _Asked:
    """The card of the world that a layer asks for, even before it is loaded: its moods may be asked for with it."""

    params: Params
    address: str  # of the layer's world
    library: Library
    slot: Slot
    _known: tuple[str, Card | None] = ("none", None)  # the world that was asked for last, and its card

    def card(self) -> Card | None:
        """Of the world that is asked for: as its slot knows it, which reads it anew when its files are replaced; until
        then read once for each change of name (1 ms). Of what plays if there is none.
        """
        param = self.params.find(self.address)
        world = str(param.base) if param is not None else "none"
        known = self.slot.card
        if known is not None and known.world == world:
            return known
        if world != self._known[0]:
            card = None
            with contextlib.suppress(LookupError, CardError):  # the bank reads it too, and says what is wrong with it
                card = None if world == "none" else self.library.card(world)
            self._known = world, card  # in one step: choices are asked for on other threads, too
        return self._known[1] or known


@dataclass(slots=True)
class Layering:
    """Adds, drops and numbers layers of a performance, at its opening and while it plays. Render thread."""

    play: Performance
    stage: Stage
    stock: Stock
    bank: Bank
    places: MutableMapping[str, Place]

    def add(self, spec: LayerSpec) -> None:
        """Open a layer; its addresses appear with their defaults."""
        params, prefix = self.play.params, spec.address
        stage = replace(self.stage, prefix=prefix)
        feeds = [*self.play.sources, *(LAYER + x.name for x in self.play.show.layers if x.name != spec.name)]
        self.places[spec.name] = Place.declare(
            params, spec.name, ("normal", *(b for b in self.stock.named("blends") if b != "normal")),
            lambda: ("none", *self.feeds(spec.name)),
        )  # fmt: skip
        transition = Transition.declare(stage, self.stock.named("transitions"), self._transition)
        slot = Slot(self.bank, stage, fader=transition)
        asked = _Asked(params, f"{prefix}/world", self.bank.library, slot)
        knobs = LayerParams.declare(
            params,
            spec.name,
            sources=lambda: self.feeds(spec.name) or feeds,
            worlds=lambda: ("none", *self.bank.worlds),
            sizes=lambda: tuple(known.sizes) if (known := asked.card()) is not None else ("s", "m", "l", "teacher"),
        )
        moods = MoodPad.declare(params, prefix, prefix, asked.card, str(spec.values.get("mood", "")))
        conditioning = Conditioning([self._file(name) for name in spec.filters])
        with contextlib.suppress(LookupError, ValueError):  # said when the layer asks for its world
            conditioning.defaults(self.bank.library.card(spec.world).defaults)
        conditioning.open(stage)

        def resolution() -> tuple[int, int]:
            """What the show wishes now, in the steps that the world takes."""
            wish = next((x.resolution for x in self.play.show.layers if x.name == spec.name), spec.resolution)
            known = asked.card()
            return known.fit(*wish) if known is not None else wish

        memory = Memory("rgba8" if stage.software else "rgba16f")
        status = Status(params, f"/status{prefix}")
        layer = Layer(spec.name, knobs, conditioning, slot, moods, transition, resolution, memory, status.say)
        self.play.layers[spec.name] = layer
        self.play.guards[spec.name] = Guard(status)
        self.play.closing.append(layer.close)

    def feeds(self, name: str) -> tuple[str, ...]:
        """What the layer of this name may look at: every source, every other layer."""
        return (*self.play.sources, *(LAYER + other for other in self.play.layers if other != name))

    def refilter(self, spec: LayerSpec) -> None:
        """Give a layer that plays on other filters: what it dreams goes on, addresses come and go with the filters."""
        layer = self.play.layers[spec.name]
        layer.conditioning.refilter([self._file(name) for name in spec.filters])
        layer.given = None  # perhaps of a filter that has gone: while the picture is frozen nothing is given

    def _file(self, name: str) -> str:
        """A filter as a path, so that a show's own patch wins; "condition" stays what it is."""
        found = None if name.casefold() == "condition" else self.stock.patch(name, "filters")
        return name if found is None else str(Path(found).resolve())

    def _transition(self, name: str, format: Format) -> Patch:
        return Patch.open(find_patch(f"transitions/{name}", self.play.show.patches), format)

    def drop(self, name: str) -> None:
        """Close a layer and forget its addresses."""
        layer = self.play.layers.pop(name)
        self.play.closing.remove(layer.close)
        layer.close()
        del self.places[name], self.play.guards[name]
        for address in (f"/layer/{name}", f"/status/layer/{name}", f"/status/engine/{name}"):
            self.play.params.remove(address)

    def number(self, specs: Iterable[LayerSpec]) -> None:
        """Put the layers into the show's order; each answers to its number, from 1 at the bottom."""
        layers = self.play.layers
        specs = list(specs)
        for n in range(1, max(len(specs), len(layers)) + 8):
            self.play.params.alias(f"/layer/{n}", None)
        for spec in specs:
            layers[spec.name] = layers.pop(spec.name)
            self.play.params.alias(spec.alias, spec.address)


def roles(show: Show, library: Library) -> list[Role]:
    """The worlds that a show names, as its layers play them: what its bank keeps warm. None if no layer has one."""
    sizes = {layer.world: (layer.size, layer.resolution) for layer in reversed(show.layers)}
    first = next(((layer.size, layer.resolution) for layer in show.layers if layer.world != "none"), None)
    found: list[Role] = []
    if first is None:
        return found
    for world in show.worlds:
        size, shape = sizes.get(world, first)
        try:
            found.append(Role(world, size, library.card(world).fit(*shape)))
        except (LookupError, CardError):  # said when a layer asks for it
            continue
    return found
