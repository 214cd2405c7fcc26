"""Bytes to OSC messages, after the OSC 1.0 specification and the types of 1.1: total, bounded, and strict about sizes.

    packet = decode(datagram)
    for message in packet.messages: message.address, message.args, message.tag
    packet.errors        # one sentence for each element that could not be read

`decode` never raises and never loops on what it is sent. A bad element of a bundle does not cost the others, as long
as its size can be trusted. Cost: about 1.3 µs for a message of a few numbers. Any thread.

Arguments become i, h -> int; f, d -> float; s, S, c -> str (UTF-8, else Latin-1); b, m -> bytes; r -> (red, green,
blue, alpha) from 0 to 1; t -> bytes (8); T, F -> bool; N -> None; I -> infinity; [ ] -> tuple.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from struct import Struct
from typing import Any, NamedTuple

IMMEDIATELY = 1  # the timetag that means now
LARGEST = 1 << 18  # bytes of a packet (TCP; a datagram holds less)
DEEPEST = 16  # bundles in bundles
MOST = 4096  # messages in a packet
MOST_TAGS = 1024  # arguments in a message
MOST_ERRORS = 8  # sentences kept of one packet

_I = Struct(">i")
_TAG = Struct(">Q")
_NUMBERS = {ord("i"): "i", ord("f"): "f", ord("d"): "d", ord("h"): "q"}


class Message(NamedTuple):
    """One message. `tag` is the NTP timetag of the bundle it came in, `IMMEDIATELY` outside of bundles."""

    address: str
    args: tuple[Any, ...]
    tag: int = IMMEDIATELY


class PacketError(ValueError):
    """What is wrong with an element, as the end of a sentence; `address` if it could be read."""

    def __init__(self, reason: str, address: str = "") -> None:
        super().__init__(reason)
        self.address = address


class Fault(NamedTuple):
    """An element that could not be read: its address (or "") and the reason."""

    address: str
    reason: str


@dataclass(slots=True)
class Packet:
    """What was in one datagram. `faulty` counts all bad elements, `errors` keeps the first `MOST_ERRORS`."""

    messages: list[Message] = field(default_factory=list)
    errors: list[Fault] = field(default_factory=list)
    faulty: int = 0

    def fault(self, reason: str, address: str = "") -> None:
        self.faulty += 1
        if len(self.errors) < MOST_ERRORS:
            self.errors.append(Fault(address, reason))


def decode(data: bytes) -> Packet:
    """Everything in a datagram or TCP packet that can be read, in order, and what could not."""
    packet = Packet()
    if data[:1] == b"/":
        try:
            packet.messages.append(decode_message(data))
        except PacketError as e:
            packet.fault(str(e), e.address)
    elif len(data) > LARGEST:
        packet.fault(f"a packet of {len(data)} bytes is too large")
    elif data[:8] == b"#bundle\0":
        _bundle(data, packet, 1)
    elif data:
        packet.fault("not an OSC packet: it starts neither with / nor with #bundle")
    return packet


def _bundle(data: bytes, packet: Packet, depth: int) -> None:
    if len(data) < 16:
        return packet.fault("a bundle ends before its time")
    if depth > DEEPEST:
        return packet.fault(f"bundles are nested deeper than {DEEPEST}")
    tag = _TAG.unpack_from(data, 8)[0]
    at, end = 16, len(data)
    while at < end:
        if len(packet.messages) + packet.faulty >= MOST:
            return packet.fault(f"more than {MOST} messages in one packet")
        size = _I.unpack_from(data, at)[0] if end - at >= 4 else -1
        at += 4
        if size < 0 or size > end - at:  # framing is lost: what follows cannot be found
            return packet.fault("an element of a bundle has an impossible size")
        element = data[at : at + size]
        at += size
        if element[:1] == b"/":
            try:
                packet.messages.append(decode_message(element, tag))
            except PacketError as e:
                packet.fault(str(e), e.address)
        elif element[:8] == b"#bundle\0":
            _bundle(element, packet, depth + 1)
        else:
            packet.fault("an element of a bundle is neither a message nor a bundle")
    return None


def decode_message(data: bytes, tag: int = IMMEDIATELY) -> Message:
    """One message from exactly these bytes. Raises PacketError."""
    end = data.find(0)
    if end < 1:
        raise PacketError("its address does not end")
    name = data[:end]
    address = name.decode() if name.isascii() else _decoded(name)
    at = (end + 4) & ~3
    if data[at : at + 1] != b",":
        if at < len(data) and any(data[at:]):
            raise PacketError("has values without type tags", address)
        return Message(address, (), tag)
    end = data.find(0, at)
    if end < 0:
        raise PacketError("its type tags do not end", address)
    tags = data[at + 1 : end]
    at = (end + 4) & ~3
    if len(tags) > MOST_TAGS:
        raise PacketError(f"has more than {MOST_TAGS} values", address)
    layout = _layout(tags)
    if layout.size == len(data) - at:
        return Message(address, layout.unpack_from(data, at), tag)
    if layout is not _MIXED and layout.size > len(data) - at:
        raise PacketError(f"is shorter than its type tags {_decoded(tags)[:16]!r} say", address)
    try:
        args, at = _arguments(data, at, tags)
    except PacketError as e:
        raise PacketError(str(e), address) from None
    if any(data[at:]):
        raise PacketError("is longer than its type tags say", address)
    return Message(address, args, tag)


@dataclass(frozen=True, slots=True)
class _Layout:
    """The fixed layout of a string of number tags."""

    size: int
    unpack_from: Callable[[bytes, int], tuple[Any, ...]]


def _never(data: bytes, at: int) -> tuple[Any, ...]:
    raise PacketError("has no fixed layout")


_MIXED = _Layout(-9, _never)  # no size that data can have, cut short though it be


@lru_cache(512)
def _layout(tags: bytes) -> _Layout:
    """How these tags' values lie; `_MIXED` if that depends on the values."""
    if not all(t in _NUMBERS for t in tags):
        return _MIXED
    struct = Struct(">" + "".join(_NUMBERS[t] for t in tags))
    return _Layout(struct.size, struct.unpack_from)


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _arguments(data: bytes, at: int, tags: bytes) -> tuple[tuple[Any, ...], int]:
    """The values from `at` on, and where they end."""
    stack: list[list[Any]] = [[]]
    for tag in map(chr, tags):
        if tag in _PLAIN:
            stack[-1].append(_PLAIN[tag])
        elif tag in _SIZED:
            size, read = _SIZED[tag]
            if len(data) - at < size:
                raise PacketError(f"ends inside a value of type {tag!r}")
            stack[-1].append(read(data[at : at + size]))
            at += size
        elif tag in "sS":
            text, at = _string(data, at)
            stack[-1].append(text)
        elif tag == "b":
            blob, at = _blob(data, at)
            stack[-1].append(blob)
        elif tag == "[":
            if len(stack) > DEEPEST:
                raise PacketError(f"has arrays nested deeper than {DEEPEST}")
            stack.append([])
        elif tag == "]" and len(stack) > 1:
            array = tuple(stack.pop())
            stack[-1].append(array)
        else:
            raise PacketError(
                "closes an array that is not open" if tag == "]" else f"has a value of unknown type {tag!r}"
            )
    if len(stack) > 1:
        raise PacketError("does not close its array")
    return tuple(stack[0]), at


def _string(data: bytes, at: int) -> tuple[str, int]:
    end = data.find(0, at)
    if end < 0:
        raise PacketError("ends inside a text")
    return _decoded(data[at:end]), (end + 4) & ~3


def _blob(data: bytes, at: int) -> tuple[bytes, int]:
    size = _I.unpack_from(data, at)[0] if len(data) - at >= 4 else -1
    if not 0 <= size <= len(data) - at - 4:
        raise PacketError("has a blob of an impossible size")
    return data[at + 4 : at + 4 + size], at + 4 + ((size + 3) & ~3)


def _char(raw: bytes) -> str:
    code = _I.unpack(raw)[0]
    return chr(code) if 0 <= code < 0xD800 or 0xDFFF < code < 0x110000 else "\N{REPLACEMENT CHARACTER}"


def _number(code: str) -> Callable[[bytes], Any]:
    struct = Struct(code)
    return lambda raw: struct.unpack(raw)[0]


_PLAIN: dict[str, Any] = {"T": True, "F": False, "N": None, "I": math.inf}
_SIZED: dict[str, tuple[int, Callable[[bytes], Any]]] = {
    "i": (4, _number(">i")),
    "f": (4, _number(">f")),
    "h": (8, _number(">q")),
    "d": (8, _number(">d")),
    "c": (4, _char),
    "r": (4, lambda raw: tuple(part / 255.0 for part in raw)),
    "m": (4, bytes),
    "t": (8, bytes),
}
