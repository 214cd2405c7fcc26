"""The condition's controls as parameters: `/layer/dream/condition/zoom` and its sisters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from perform.conditioning.framing import MIRRORS, View
from perform.conditioning.reduction import Tone
from perform.params import Param, Params, Spec

CONTROLS: dict[str, Spec] = {
    "zoom": Spec("float", 1.0, 0.25, 8.0, "log", doc="How near the input is; 1 just covers the picture."),
    "x": Spec("float", 0.0, -1.0, 1.0, doc="Moves the input to the right, in widths of the picture."),
    "y": Spec("float", 0.0, -1.0, 1.0, doc="Moves the input up, in heights of the picture."),
    "rotate": Spec("float", 0.0, -360.0, 360.0, unit="°", doc="Turns the input anticlockwise."),
    "mirror": Spec("choice", "off", choices=MIRRORS, doc="Which part of the input is kept and reflected."),
    "reduce": Spec("float", 16.0, 1.0, 64.0, "log", "px", doc="Size of a cell that the input is averaged to; 1: none."),
    "smooth": Spec("float", 0.12, 0.0, 4.0, unit="s", doc="How long what stands still is averaged."),
    "grey": Spec("float", 1.0, 0.0, 1.0, doc="From the input's colours (0) to its light alone (1)."),
    "black": Spec("float", 0.0, -1.0, 1.0, doc="Light that becomes black."),
    "white": Spec("float", 1.0, 0.0, 2.0, doc="Light that becomes white."),
    "gamma": Spec("float", 1.0, 0.1, 8.0, "log", doc="Brightens (above 1) or darkens (below 1) the middle."),
    "contrast": Spec("float", 1.0, 0.0, 4.0, doc="Contrast around mid-grey."),
    "brightness": Spec("float", 0.0, -1.0, 1.0, doc="Light added to everything."),
    "invert": Spec("float", 0.0, 0.0, 1.0, doc="From positive (0) to negative (1)."),
    "grain": Spec("float", 0.0, 0.0, 0.2, doc="A still grain, of which a world makes detail where all is smooth."),
}
FRAMING = ("zoom", "x", "y", "rotate", "mirror")
TONE = ("reduce", "grey", "black", "white", "gamma", "contrast", "brightness", "invert", "grain")


def settled(card: Mapping[str, Any]) -> dict[str, Any]:
    """The value of every control as a card has it. Raises ValueError for one that does not exist, or that cannot take
    what the card says.
    """
    wanted = {name: value for name, value in card.items() if name != "name"}
    unknown = sorted(wanted.keys() - CONTROLS.keys())
    if unknown:
        raise ValueError(f"the condition has no {unknown[0]!r}; it has {', '.join(CONTROLS)}")
    values = {}
    for name, spec in CONTROLS.items():
        try:
            values[name] = spec.coerce(wanted.get(name, spec.default))
        except ValueError as why:
            raise ValueError(f"the condition's {name} {why}") from None
    return values


class Controls:
    """The parameters under one prefix. Render thread; `values` costs microseconds."""

    def __init__(self, params: Params, prefix: str) -> None:
        self._params = params
        self._prefix = f"{prefix}/condition"
        self._given: dict[str, Any] = {name: spec.default for name, spec in CONTROLS.items()}
        self._controls: dict[str, Param] = {}

    def declare(self, card: Mapping[str, Any], fade: float = 0.0) -> None:
        """Take a card's defaults; what a performer has not touched goes there, within `fade` seconds.

        Raises ValueError for a control that does not exist or a value that it cannot take; then nothing changes.
        """
        new = settled(card)
        for name, value in new.items():
            old = self._controls.get(name)
            if old is not None and old.fade is not None:
                untouched = old.fade.origin is self  # on its way from one world's default to the next
            else:
                untouched = old is not None and old.base == self._given[name]
            address = f"{self._prefix}/{name}"
            self._controls[name] = self._params.declare(address, replace(CONTROLS[name], default=value))
            if untouched and value != self._given[name]:
                self._params.post(address, value, fade, origin=self)
        self._given = new

    @property
    def values(self) -> tuple[Any, ...]:
        """Every control's value now, to compare with a frame ago."""
        return tuple([param.value for param in self._controls.values()])

    @property
    def view(self) -> View:
        """What of the input is looked at."""
        return View(*(self._controls[name].value for name in FRAMING))

    @property
    def tone(self) -> Tone:
        """What becomes of its light."""
        return Tone(**{name: self._controls[name].value for name in TONE})

    @property
    def smooth(self) -> float:
        """Time constant of the temporal smoothing in seconds."""
        return float(self._controls["smooth"].value)

    def close(self) -> None:
        """Forget the addresses. May be called twice."""
        self._params.remove(self._prefix)
        self._controls.clear()
