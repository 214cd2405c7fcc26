"""What goes out: messages and the values of parameters, as OSC bytes (written by python-osc)."""

from __future__ import annotations

from typing import Any

from pythonosc.osc_message_builder import OscMessageBuilder

from perform.params import Param

Args = tuple[Any, ...]


def message(address: str, *args: Any) -> bytes:
    """One message as bytes. Texts lose what UTF-8 cannot carry; numbers take the narrowest type that holds them."""
    builder = OscMessageBuilder(_plain(address))
    for arg in args:
        _add(builder, arg)
    return bytes(builder.build().dgram)


def rgba(address: str, colour: bytes) -> bytes:
    """One message with a colour of four bytes: red, green, blue, alpha."""
    builder = OscMessageBuilder(_plain(address))
    builder.add_arg(int.from_bytes(colour), "r")
    return bytes(builder.build().dgram)


def values(param: Param) -> Args:
    """A parameter's base as the arguments of its answer: f, i, T or F, s, or ffff for a colour."""
    base = param.base
    return base if isinstance(base, tuple) else (base,)


def _plain(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\0", " ")


def _add(builder: OscMessageBuilder, arg: Any) -> None:
    if isinstance(arg, str):
        builder.add_arg(_plain(arg), "s")
    elif isinstance(arg, bool) or arg is None:
        builder.add_arg(arg)
    elif isinstance(arg, int):
        fits, fits_long = -(2**31) <= arg < 2**31, -(2**63) <= arg < 2**63
        builder.add_arg(arg if fits_long else float(arg), "i" if fits else "h" if fits_long else "d")
    elif isinstance(arg, float):
        builder.add_arg(arg, "f" if abs(arg) < 3.4e38 or arg != arg else "d")
    elif isinstance(arg, bytes):
        builder.add_arg(arg or b"\0", "b")  # python-osc writes no empty blobs
    else:  # an array, which few receivers understand: its values one after the other
        for part in arg:
            _add(builder, part)
