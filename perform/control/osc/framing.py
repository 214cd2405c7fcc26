"""OSC over a stream: packets between SLIP's END bytes (OSC 1.1, RFC 1055) or behind a length (OSC 1.0).

Which of the two a peer speaks shows in its first byte: 0xC0, `/` or `#` is SLIP; 0x00 is the top of a length.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Protocol

from perform.control.osc.packet import LARGEST

END, ESC, ESC_END, ESC_ESC = b"\xc0", b"\xdb", b"\xdc", b"\xdd"
_SIZE = struct.Struct(">I")


class FramingError(ValueError):
    """The stream cannot be followed any further; the text is the end of a sentence."""


class Framing(Protocol):
    """Cuts what arrives into packets. Holds at most `LARGEST` bytes plus one read."""

    def feed(self, data: bytes) -> list[bytes]:
        """The packets that are complete now. Raises FramingError."""
        ...

    def wrap(self, packet: bytes) -> bytes:
        """A packet as this framing sends it."""
        ...


def detect(first: int) -> Framing:
    """The framing that begins with this byte. Raises FramingError."""
    if first in b"\xc0/#":
        return Slip()
    if first == 0:
        return Lengths()
    raise FramingError("speaks no OSC: it starts with neither SLIP nor a length")


@dataclass(slots=True)
class Slip:
    """END packet END; an END more or less does not matter. A packet too large is skipped: the next END heals."""

    skipped: int = 0
    _rest: bytearray = field(default_factory=bytearray)
    _skipping: bool = False

    def feed(self, data: bytes) -> list[bytes]:
        *whole, rest = data.split(END)
        packets = []
        for part in whole:
            self._rest += part
            if self._skipping or len(self._rest) > 2 * LARGEST:
                self.skipped += 1
            elif self._rest:
                packets.append(self._unescaped(bytes(self._rest)))
            self._rest.clear()
            self._skipping = False
        if not self._skipping:
            self._rest += rest
        if len(self._rest) > 2 * LARGEST:
            self._rest.clear()
            self._skipping = True
        return packets

    @staticmethod
    def _unescaped(raw: bytes) -> bytes:
        return raw.replace(ESC + ESC_END, END).replace(ESC + ESC_ESC, ESC) if ESC in raw else raw

    def wrap(self, packet: bytes) -> bytes:
        return END + packet.replace(ESC, ESC + ESC_ESC).replace(END, ESC + ESC_END) + END


@dataclass(slots=True)
class Lengths:
    """A big-endian int32 of bytes, then the packet. A length that cannot be loses the stream."""

    _rest: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> list[bytes]:
        self._rest += data
        packets: list[bytes] = []
        at = 0
        while len(self._rest) - at >= 4:
            (size,) = _SIZE.unpack_from(self._rest, at)
            if size > LARGEST:
                if packets:
                    break  # what came whole before it counts; the next read finds it again
                raise FramingError(f"announces a packet of {size} bytes; the largest is {LARGEST}")
            if len(self._rest) - at - 4 < size:
                break
            if size:
                packets.append(bytes(self._rest[at + 4 : at + 4 + size]))
            at += 4 + size
        del self._rest[:at]
        return packets

    def wrap(self, packet: bytes) -> bytes:
        return _SIZE.pack(len(packet)) + packet
