"""What flows in: every number a performer can touch, as one tree of typed, ranged, documented parameters.

    params = Params()
    opacity = params.declare("/layer/1/opacity", Spec("float", 1.0, 0.0, 1.0, doc="How much of the layer shows."))
    params.post("/layer/1/opacity", 0.5, seconds=2.0)     # any thread
    params.settle(now)                                    # render thread, once a frame
    opacity.value                                         # render thread, or anywhere: no lock

`base` is what the performer set; `value` is base + modulation, smoothed and clipped. Nothing changes between
two calls of `settle`, so a whole bundle posted at once lands in one frame. A bad value never raises on the
live path: it is refused, counted and reported (`refused`, `on_refuse`).
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["float", "int", "bool", "choice", "color", "text", "trigger"]
Value = float | int | bool | str | tuple[float, ...]
Modulator = Callable[[float], float]  # show time in seconds -> offset in the parameter's own unit
Easing = Callable[[float], float]

KINDS: tuple[Kind, ...] = ("float", "int", "bool", "choice", "color", "text", "trigger")
EASINGS: dict[str, Easing] = {
    "linear": lambda t: t,
    "smooth": lambda t: t * t * (3.0 - 2.0 * t),
    "in": lambda t: t * t,
    "out": lambda t: t * (2.0 - t),
}
TRUE, FALSE = {"true", "yes", "on", "t"}, {"false", "no", "off", "f", ""}


class Refused(ValueError):
    """A value that this parameter cannot take; the text is one sentence for a performer."""


@dataclass(frozen=True, slots=True)
class Spec:
    """What a parameter is. `lo`/`hi` bound numbers (None: unbounded); `choices` are the names of a choice.

    `curve` is for controllers that map 0..1 onto the range: "linear" or "log". `smooth` is the time constant
    in seconds of the exponential smoothing of `value` (floats only; 0 = none). `readonly` marks status values:
    they are published by the program and refuse posts from outside. `live_choices` lets a choice list grow
    while the show runs (worlds, sources) and is asked on each coercion.
    """

    kind: Kind
    default: Value = 0.0
    lo: float | None = None
    hi: float | None = None
    curve: Literal["linear", "log"] = "linear"
    unit: str = ""
    choices: tuple[str, ...] = ()
    doc: str = ""
    smooth: float = 0.0
    readonly: bool = False
    live_choices: Callable[[], Sequence[str]] | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown parameter kind {self.kind!r}; one of {', '.join(KINDS)}")
        if self.lo is not None and self.hi is not None and self.lo > self.hi:
            raise ValueError(f"empty range {self.lo}..{self.hi}")

    @property
    def names(self) -> Sequence[str]:
        """The names a choice takes right now."""
        return self.live_choices() if self.live_choices else self.choices

    def coerce(self, value: Any) -> Value:
        """The value as this kind, clipped to the range. Raises Refused with a sentence if it cannot be."""
        return _COERCE[self.kind](self, value)


def _clip(spec: Spec, number: float) -> float:
    if spec.lo is not None:
        number = max(spec.lo, number)
    if spec.hi is not None:
        number = min(spec.hi, number)
    return number


def _number(spec: Spec, value: Any) -> float:
    if isinstance(value, (list, tuple)) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, str):
        text = value.strip().lower()
        if text in TRUE | FALSE:
            return float(text in TRUE)
        try:
            value = float(text)
        except ValueError:
            raise Refused(f"takes a number, not the text {value[:40]!r}") from None
    if not isinstance(value, (int, float)):
        raise Refused(f"takes a number, not {type(value).__name__}")
    try:
        number = float(value)
    except OverflowError:
        raise Refused("takes a number that fits in 64 bits") from None
    if not math.isfinite(number):
        raise Refused(f"takes a finite number, not {number}")
    return _clip(spec, number)


def _choice(spec: Spec, value: Any) -> Value:
    names = spec.names
    if isinstance(value, str):
        for name in names:
            if name == value:
                return name
        for name in names:
            if name.casefold() == value.strip().casefold():
                return name
        if not value.strip().lstrip("+-").isdigit():
            raise Refused(f"has no {value[:40]!r}; one of {', '.join(names)}")
    index = int(_number(Spec("float"), value))
    if not 0 <= index < len(names):
        raise Refused(f"has no choice number {index}; 0 to {len(names) - 1}: {', '.join(names)}")
    return names[index]


def _color(spec: Spec, value: Any) -> Value:
    if isinstance(value, str):
        text = value.strip().lstrip("#")
        if len(text) not in (6, 8) or any(c not in "0123456789abcdefABCDEF" for c in text):
            raise Refused(f"takes a colour like #ff8800, not {value[:40]!r}")
        parts: Sequence[Any] = [int(text[i : i + 2], 16) / 255.0 for i in range(0, len(text), 2)]
    elif isinstance(value, (list, tuple)):
        parts = value
    else:
        parts = (value, value, value)
    if len(parts) == 1:
        parts = (parts[0],) * 3
    if len(parts) not in (3, 4):
        raise Refused(f"takes 3 or 4 numbers (red, green, blue, alpha from 0 to 1), not {len(parts)}")
    unit = Spec("float", lo=0.0, hi=1.0)
    numbers = tuple(_number(unit, p) for p in parts)
    return numbers if len(numbers) == 4 else (*numbers, 1.0)


def _text(spec: Spec, value: Any) -> Value:
    if isinstance(value, (list, tuple)) and len(value) == 1:
        value = value[0]
    if not isinstance(value, (str, int, float)):
        raise Refused(f"takes a text, not {type(value).__name__}")
    return str(value)[:1024]


_COERCE: dict[str, Callable[[Spec, Any], Value]] = {
    "float": _number,
    "int": lambda s, v: math.floor(_number(s, v) + 0.5),
    "bool": lambda s, v: _number(Spec("float"), v) >= 0.5,
    "choice": _choice,
    "color": _color,
    "text": _text,
    "trigger": lambda s, v: True if v is None or v == () else _number(Spec("float"), v) > 0.0,
}


@dataclass(slots=True)
class _Fade:
    start: float
    origin: Value
    goal: Value
    seconds: float
    easing: Easing

    def at(self, now: float) -> tuple[Value, bool]:
        """(value, finished) at show time `now`."""
        t = (now - self.start) / self.seconds
        if t >= 1.0:
            return self.goal, True
        k = self.easing(max(0.0, t))
        if isinstance(self.goal, tuple) and isinstance(self.origin, tuple):
            return tuple(a + (b - a) * k for a, b in zip(self.origin, self.goal, strict=True)), False
        return self.origin + (self.goal - self.origin) * k, False  # type: ignore[operator]


class Param:
    """One address. Read `value` (or `base`) anywhere without a lock; it changes only inside `Params.settle`.

    `fired` is True for exactly one frame after a trigger was posted; `serial` grows with each change of base.
    """

    __slots__ = ("address", "base", "fade", "fired", "modulators", "on_change", "serial", "spec", "value")

    def __init__(self, address: str, spec: Spec) -> None:
        self.address = address
        self.spec = spec
        self.base: Any = spec.coerce(spec.default) if spec.kind != "trigger" else False
        self.value: Any = self.base
        self.fired = False
        self.serial = 0
        self.fade: _Fade | None = None
        self.modulators: list[Modulator] = []
        self.on_change: Callable[[Param], None] | None = None

    def __repr__(self) -> str:
        return f"Param({self.address!r}, base={self.base!r}, value={self.value!r})"


@dataclass(frozen=True, slots=True)
class Post:
    """One change on its way in. `origin` names who sent it (so that it is not echoed to them)."""

    address: str
    value: Any
    seconds: float = 0.0
    easing: str = "smooth"
    origin: object = None
    inside: bool = False  # from the program itself: may set read-only status parameters


@dataclass(slots=True)
class Params:
    """The tree. `declare`, `settle`, `attach` and reads belong to the render thread; `post` to any thread.

    `on_refuse(post, reason)` is called on the render thread for each refused post (for OSC's /error);
    `on_settle(param, origin)` for each base that changed (for replies and subscriptions). `refused` counts.
    Cost of `settle`: proportional to what changed, not to the number of parameters.
    """

    on_refuse: list[Callable[[Post, str], None]] = field(default_factory=list)
    on_settle: list[Callable[[Param, object], None]] = field(default_factory=list)
    refused: int = 0
    _params: dict[str, Param] = field(default_factory=dict)
    _folded: dict[str, Param] = field(default_factory=dict)
    _inbox: deque[Sequence[Post]] = field(default_factory=deque)
    _moving: dict[str, Param] = field(default_factory=dict)
    _fired: list[Param] = field(default_factory=list)
    _now: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    # ------------------------------------------------------------------ the tree
    def declare(self, address: str, spec: Spec, *aliases: str) -> Param:
        """Make an address (the only way to). `aliases` answer for the same parameter (a layer's number).

        Declaring an address again with the same spec returns the parameter that is there (a reloaded patch
        keeps what the performer set); with another spec the value is carried over where it still fits.
        """
        for name in (address, *aliases):
            if not name.startswith("/") or name != name.strip() or any(c in " #*,?[]{}" for c in name):
                raise ValueError(f"{name!r} is not an OSC address")
        with self._lock:
            old = self._folded.get(address.casefold())
            if old is None or old.address != address:
                param = Param(address, spec)
            else:
                param = old
                if old.spec != spec:
                    self._respec(old, spec)
            self._params[address] = param
            for name in (address, *aliases):
                self._folded[name.casefold()] = param
        return param

    @staticmethod
    def _respec(param: Param, spec: Spec) -> None:
        param.spec = spec
        try:
            base: Any = spec.coerce(param.base) if spec.kind != "trigger" else False
        except Refused:
            base = spec.coerce(spec.default)
        param.base = param.value = base
        param.fade = None

    def remove(self, prefix: str) -> None:
        """Forget an address or everything below it (a layer or a patch input that is gone)."""
        with self._lock:
            gone = [a for a in self._params if a == prefix or a.startswith(prefix.rstrip("/") + "/")]
            dead = {id(self._params.pop(a)) for a in gone}
            self._folded = {a: p for a, p in self._folded.items() if id(p) not in dead}
            for address in gone:
                self._moving.pop(address, None)

    def find(self, address: str) -> Param | None:
        """The parameter at an address or alias, case forgiven; None if there is none. Any thread."""
        return self._folded.get(address.casefold())

    def __getitem__(self, address: str) -> Param:
        param = self.find(address)
        if param is None:
            raise KeyError(address)
        return param

    def __contains__(self, address: str) -> bool:
        return self.find(address) is not None

    def __iter__(self) -> Iterator[Param]:
        """All parameters, in the order they were declared; safe while others are declared."""
        with self._lock:
            return iter(list(self._params.values()))

    def addresses(self) -> dict[str, Param]:
        """Every address that answers, aliases included, case-folded. A copy: any thread."""
        with self._lock:
            return dict(self._folded)

    # ------------------------------------------------------------------ in
    def post(
        self, address: str, value: Any = None, seconds: float = 0.0, easing: str = "smooth", origin: object = None
    ) -> None:
        """Ask for a change at the next settle. Any thread, never blocks, never raises."""
        self._inbox.append((Post(address, value, seconds, easing, origin),))

    def post_all(self, posts: Iterable[Post]) -> None:
        """A bundle: all of it lands in the same frame. Any thread."""
        self._inbox.append(tuple(posts))

    def publish(self, address: str, value: Any) -> None:
        """Set a status parameter from inside the program. Any thread."""
        self._inbox.append((Post(address, value, inside=True),))

    def attach(self, address: str, modulator: Modulator) -> Callable[[], None]:
        """Add a modulator to a float parameter; returns the function that takes it off again."""
        param = self[address]
        if param.spec.kind != "float":
            raise ValueError(f"{address} is a {param.spec.kind}; only floats can be modulated")
        param.modulators.append(modulator)
        self._moving[param.address] = param

        def detach() -> None:
            if modulator in param.modulators:
                param.modulators.remove(modulator)

        return detach

    def settle(self, now: float) -> None:
        """Apply what was posted, then move what fades, is smoothed or is modulated. Once a frame.

        Takes only what was there when it began: a flood cannot hold the frame for ever.
        """
        for param in self._fired:
            param.fired = False
            param.base = param.value = False
        self._fired.clear()
        dt, self._now = max(0.0, now - self._now), now
        for _ in range(len(self._inbox)):
            for post in self._inbox.popleft():
                self._apply(post, now)
        for address, param in list(self._moving.items()):
            if not self._move(param, now, dt):
                del self._moving[address]

    def _apply(self, post: Post, now: float) -> None:
        param = self.find(post.address)
        if param is None:
            return self._refuse(post, "there is no such address")
        if param.spec.readonly and not post.inside:
            return self._refuse(post, "is read only")
        try:
            value = param.spec.coerce(post.value)
            seconds = _number(Spec("float", lo=0.0, hi=86400.0), post.seconds)
        except Refused as why:
            return self._refuse(post, str(why))
        if param.spec.kind == "trigger":
            if value:
                param.base = param.value = param.fired = True
                self._fired.append(param)
                self._changed(param, post.origin)
            return None
        if seconds > 0.0 and param.spec.kind in ("float", "color"):
            param.fade = _Fade(now, param.base, value, seconds, EASINGS.get(post.easing, EASINGS["smooth"]))
            self._moving[param.address] = param
            return None
        param.fade = None
        if value != param.base:
            param.base = value
            self._changed(param, post.origin)
        if param.spec.smooth > 0.0 or param.modulators:
            self._moving[param.address] = param
        else:
            param.value = value
        return None

    def _move(self, param: Param, now: float, dt: float) -> bool:
        """Advance one moving parameter; False when it has come to rest."""
        if param.fade is not None:
            value, finished = param.fade.at(now)
            if value != param.base:
                param.base = value
                self._changed(param, None)
            if finished:
                param.fade = None
        if param.spec.kind != "float":
            param.value = param.base
            return param.fade is not None
        goal = param.base + sum(m(now) for m in param.modulators)
        goal = _clip(param.spec, goal)
        if param.spec.smooth > 0.0:
            param.value += (goal - param.value) * (1.0 - math.exp(-dt / param.spec.smooth))
            if abs(goal - param.value) < 1e-6:
                param.value = goal
        else:
            param.value = goal
        return param.fade is not None or bool(param.modulators) or param.value != goal

    def _changed(self, param: Param, origin: object) -> None:
        param.serial += 1
        if param.on_change is not None:
            param.on_change(param)
        for listener in self.on_settle:
            listener(param, origin)

    def _refuse(self, post: Post, reason: str) -> None:
        self.refused += 1
        for listener in self.on_refuse:
            listener(post, reason)

    # ------------------------------------------------------------------ out
    def snapshot(self) -> dict[str, Value]:
        """Every settable base by address: what a preset, a PNG's side file and a restart hold."""
        return {p.address: p.base for p in self if not p.spec.readonly and p.spec.kind != "trigger"}
