"""One address of the tree, what may be asked of it, and how a value takes its time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from perform.spec import Spec, Value

Modulator = Callable[[float], float]  # show time in seconds -> offset in the parameter's own unit
Easing = Callable[[float], float]
EASINGS: dict[str, Easing] = {
    "linear": lambda t: t,
    "smooth": lambda t: t * t * (3.0 - 2.0 * t),
    "in": lambda t: t * t,
    "out": lambda t: t * (2.0 - t),
}


@dataclass(slots=True)
class Fade:
    """A base on its way from one value to another."""

    start: float
    source: Value
    goal: Value
    seconds: float
    easing: Easing
    origin: object  # who asked for it

    def at(self, now: float) -> tuple[Value, bool]:
        """(value, finished) at show time `now`."""
        t = (now - self.start) / self.seconds
        if t >= 1.0:
            return self.goal, True
        k = self.easing(max(0.0, t))
        if isinstance(self.goal, tuple) and isinstance(self.source, tuple):
            return tuple(_between(a, b, k) for a, b in zip(self.source, self.goal, strict=True)), False
        return _between(self.source, self.goal, k), False  # type: ignore[arg-type]


def _between(a: float, b: float, k: float) -> float:
    return min(max(a + (b - a) * k, min(a, b)), max(a, b))  # rounding must not leave the range


class Param:
    """One address. Read `value` (or `base`) anywhere without a lock; it changes only inside `Params.settle`.

    `fired` is True for exactly one frame after a trigger was posted; `serial` grows with each change of base.
    `on_change(param)` is called on the render thread, inside `settle`, right after a change.
    """

    __slots__ = ("address", "base", "fade", "fired", "modulators", "on_change", "serial", "spec", "value")

    def __init__(self, address: str, spec: Spec) -> None:
        self.address = address
        self.spec = spec
        self.base: Any = spec.coerce(spec.default) if spec.kind != "trigger" else False
        self.value: Any = self.base
        self.fired = False
        self.serial = 0
        self.fade: Fade | None = None
        self.modulators: list[Modulator] = []
        self.on_change: Callable[[Param], None] | None = None

    def __repr__(self) -> str:
        return f"Param({self.address!r}, base={self.base!r}, value={self.value!r})"


class Post(NamedTuple):
    """One change on its way in. `origin` names who sent it (so that it is not echoed to them)."""

    address: str
    value: Any
    seconds: float = 0.0
    easing: str = "smooth"
    origin: object = None
    inside: bool = False  # from the program itself: may set read-only status parameters
    operator: str = ""  # "+" or "-": by that much, instead of to that value
