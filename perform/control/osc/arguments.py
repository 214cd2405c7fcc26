"""What the arguments of a message mean for a parameter of a kind.

/layer/1/opacity 0.5             go there
/layer/1/opacity 0.5 2.0         in two seconds
/layer/1/opacity 0.5 2.0 linear  with an easing
/layer/1/opacity + 0.1           by that much (also "-"; "a" says what is said anyway; "?" asks)
/layer/1/tint 1.0 0.5 0.0 1.0    a colour: 3 or 4 numbers, an OSC colour or "#ff8000"; time and easing may follow
"""

from __future__ import annotations

from typing import Any

from perform.params import Post, Refused, Spec

MOVES = ("float", "int", "choice")  # kinds that go by an amount


def asks(spec: Spec, args: tuple[Any, ...]) -> bool:
    """Whether a message asks for the value. A trigger cannot be asked: without arguments it fires."""
    if not args:
        return spec.kind != "trigger"
    return args == ("?",) and spec.kind not in ("text", "trigger")


def post(address: str, spec: Spec, args: tuple[Any, ...], origin: object) -> Post:
    """The change that a message asks for. Raises Refused; whether the value fits is asked at the next settle."""
    if len(args) == 1:
        return Post(address, args[0], 0.0, "smooth", origin)
    if spec.kind == "trigger":
        return Post(address, args[0] if args else None, 0.0, "smooth", origin)
    operator = ""
    if args[0] in ("+", "-", "a") and spec.kind in MOVES:
        operator, args = args[0].replace("a", ""), args[1:]
    value, rest = _color(args) if spec.kind == "color" else (args[0], args[1:])
    if len(rest) > 2:
        raise Refused(f"takes a value, a time and an easing, not {len(args)} values")
    seconds = rest[0] if rest else 0.0
    if isinstance(seconds, str) or seconds is None:
        raise Refused(f"takes seconds as its second value, not {seconds!r:.40}")
    easing = rest[1] if len(rest) > 1 else "smooth"
    if not isinstance(easing, str):
        raise Refused("takes the name of an easing as its third value")
    return Post(address, value, seconds, easing, origin, False, operator)


def _color(args: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
    """A colour and what comes after it."""
    if isinstance(args[0], (tuple, str)):
        return args[0], args[1:]
    numbers = len(args) - isinstance(args[-1], str)
    size = {3: 3, 4: 4, 5: 4}.get(numbers, numbers)
    if numbers < len(args) and numbers == 4:  # red green blue seconds easing
        size = 3
    return args[:size], args[size:]
