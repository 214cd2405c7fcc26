"""What a parameter is, and which values it takes: the way performers' tools really send them.

A fader alternates between 1 and 0.5, a toggle is T or 1.0 or "on", a choice comes by name or by number. What has
one sensible meaning is taken, what is out of range is clipped, everything else is `Refused` with one sentence.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal

Kind = Literal["float", "int", "bool", "choice", "color", "text", "trigger"]
Value = float | int | bool | str | tuple[float, ...]

KINDS: tuple[Kind, ...] = ("float", "int", "bool", "choice", "color", "text", "trigger")
TRUE, FALSE = frozenset({"true", "yes", "on", "t"}), frozenset({"false", "no", "off", "f"})
LARGEST = 3.4028234663852886e38  # what a float32 holds: a uniform and an OSC float carry no more
LARGEST_INT = 2**53  # what a float64 counts exactly
LONGEST = 1024  # characters of a text


class Refused(ValueError):
    """A value that this parameter cannot take; the text is one sentence for a performer, without its subject."""


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
        if self.kind == "text" and not isinstance(self.default, str):
            object.__setattr__(self, "default", "")

    @property
    def names(self) -> Sequence[str]:
        """The names a choice takes right now."""
        return self.live_choices() if self.live_choices else self.choices

    @property
    def fades(self) -> bool:
        """Whether it can take time to get there. Everything else switches at once."""
        return self.kind in ("float", "color")

    @property
    def unmoved(self) -> str:
        """Why nothing can modulate it, as the end of a sentence; empty where something can."""
        if self.readonly:
            return "is read only; only floats that can be set can be moved"
        return "" if self.kind == "float" else f"is a {self.kind}; only floats can be moved"

    def misfit(self, value: Any) -> str:
        """Why it cannot be set to a value from outside, as the end of a sentence; empty where it can."""
        if self.readonly:
            return "is read only"
        try:
            self.coerce(value)
        except Refused as why:
            return str(why)
        return ""

    def coerce(self, value: Any) -> Value:
        """The value as this kind, clipped to the range. Raises Refused with a sentence if it cannot be."""
        return _COERCE[self.kind](self, value)

    def shift(self, base: Value, operator: str, amount: Any) -> Value:
        """`base` moved by "+" or "-" an amount: in its own unit, or by places in a choice (not past its ends)."""
        if self.kind not in ("float", "int", "choice"):
            raise Refused(f"cannot be moved by an amount: it is a {self.kind}")
        step = number(amount) * (-1.0 if operator == "-" else 1.0)
        if self.kind == "choice":
            names = list(self.names)
            place = names.index(str(base)) if base in names else 0
            return names[round(min(max(place + step, 0.0), len(names) - 1.0))] if names else base
        return self.coerce(float(base) + step)  # type: ignore[arg-type]


def kind_of(value: Any) -> str:
    """What a value is, for a sentence."""
    if value is None:
        return "nothing"
    if isinstance(value, (bytes, bytearray)):
        return "a blob"
    if isinstance(value, (list, tuple)):
        return f"{len(value)} values"
    return f"a {type(value).__name__}"


def _single(value: Any) -> Any:
    return value[0] if isinstance(value, (list, tuple)) and len(value) == 1 else value


def number(value: Any, lo: float | None = None, hi: float | None = None) -> float:
    """A finite number, clipped to lo..hi and to what a float32 holds. Raises Refused."""
    if not isinstance(value, float):
        value = _float(_single(value))
    if not -LARGEST <= value <= LARGEST:
        if not math.isfinite(value):
            raise Refused(f"takes a finite number, not {value}")
        value = math.copysign(LARGEST, value)
    if lo is not None and value < lo:
        return float(lo)
    if hi is not None and value > hi:
        return float(hi)
    return float(value)


def _float(value: Any) -> float:
    if isinstance(value, str):
        text = value.strip().lower()
        if text in TRUE or text in FALSE:
            return float(text in TRUE)
        try:
            return float(text)
        except ValueError:
            raise Refused(f"takes a number, not the text {value[:40]!r}") from None
    if not isinstance(value, Real):  # bool, int, float and NumPy's scalars are
        raise Refused(f"takes a number, not {kind_of(value)}")
    try:
        return float(value)
    except OverflowError:
        raise Refused("takes a number that fits in 64 bits") from None


def _int(spec: Spec, value: Any) -> Value:
    whole = math.floor(number(value, -LARGEST_INT, LARGEST_INT) + 0.5)
    if spec.lo is not None:
        whole = max(whole, math.ceil(spec.lo))
    return whole if spec.hi is None else min(whole, math.floor(spec.hi))


def _choice(spec: Spec, value: Any) -> Value:
    names, value = spec.names, _single(value)
    if isinstance(value, str):
        for name in names:
            if name == value:
                return name
        plain = value.strip().casefold()
        for name in names:
            if name.casefold() == plain:
                return name
        try:
            value = float(plain)
        except ValueError:
            raise Refused(f"has no {value[:40]!r}; {_offer(names)}") from None
    index = round(number(value, -1.0, len(names)))
    if not 0 <= index < len(names):
        raise Refused(f"has no choice number {number(value):g}; {_offer(names)}")
    return names[index]


def _offer(names: Sequence[str]) -> str:
    if not names:
        return "there is nothing to choose from yet"
    return f"there {'is' if len(names) == 1 else 'are'} {', '.join(names)}"


def _color(spec: Spec, value: Any) -> Value:
    value = _single(value)
    if isinstance(value, str):
        text = value.strip().lstrip("#")
        if len(text) not in (6, 8) or any(c not in "0123456789abcdefABCDEF" for c in text):
            raise Refused(f"takes a colour like #ff8800, not {value[:40]!r}")
        value = [int(text[i : i + 2], 16) / 255.0 for i in range(0, len(text), 2)]
    elif not isinstance(value, (list, tuple)):
        value = (value, value, value)
    if len(value) not in (3, 4):
        raise Refused(f"takes 3 or 4 numbers (red, green, blue, alpha from 0 to 1), not {len(value)}")
    numbers = tuple(number(part, 0.0, 1.0) for part in value)
    return numbers if len(numbers) == 4 else (*numbers, 1.0)


def _text(spec: Spec, value: Any) -> Value:
    value = _single(value)
    if not isinstance(value, (str, int, float)):
        raise Refused(f"takes a text, not {kind_of(value)}")
    return str(value)[:LONGEST]


def _trigger(spec: Spec, value: Any) -> Value:
    if value is None or value == () or value == math.inf:  # nothing, nil, OSC's impulse
        return True
    value = _single(value)
    if isinstance(value, str) and value.strip().casefold() == "bang":
        return True
    return number(value) > 0.0


_COERCE: dict[str, Callable[[Spec, Any], Value]] = {
    "float": lambda s, v: number(v, s.lo, s.hi),
    "int": _int,
    "bool": lambda s, v: number(v) >= 0.5,
    "choice": _choice,
    "color": _color,
    "text": _text,
    "trigger": _trigger,
}


def toml(value: object) -> str:
    """A value, or an address, as TOML writes it."""
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, float):
        return repr(value)  # inf and nan are TOML as they are
    text = json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return text.encode("utf-8", "replace").decode()  # a lone surrogate, which no file can hold
