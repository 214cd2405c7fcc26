"""Who hears of changes, and where answers go."""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from perform.control.osc.pattern import Patterns
from perform.params import Param

LEASE = 60.0  # seconds of a subscription
MOST = 64  # subscriptions
EVERYTHING = "//*"


class Connection(Protocol):
    """A TCP peer: answers go back on the same connection."""

    @property
    def open(self) -> bool: ...

    def send(self, packet: bytes) -> None:
        """Any thread; never blocks."""
        ...


Sender = tuple[str, int] | Connection  # a UDP peer's address and port, or a TCP connection
Target = tuple[str, int] | Connection


@dataclass(slots=True)
class Seat:
    """One subscription: where changes go, who asked, what for, and until when."""

    target: Target
    owner: Sender
    pattern: str
    until: float = math.inf

    @property
    def standing(self) -> bool:
        """Whether the show gave it, and not somebody's /subscribe."""
        return self.until == math.inf

    def hears(self, origin: object) -> bool:
        """False for what came from here: nobody gets an echo of their own change.

        Who has a standing seat sends from a port that nobody knows: there it is the machine that counts, but not this
        one, where many programs play.
        """
        if self.standing and isinstance(origin, tuple) and isinstance(self.target, tuple):
            return origin[0] != self.target[0] or ipaddress.ip_address(self.target[0]).is_loopback
        return origin is None or (origin != self.owner and origin != self.target)


@dataclass(slots=True)
class Audience:
    """All subscriptions. One thread at a time (the worker that sends).

    `reply_port` is where UDP answers go at the sender's address, unless the sender has subscribed with another one.
    """

    patterns: Patterns
    reply_port: int
    now: Callable[[], float]
    _seats: dict[object, Seat] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self._seats)

    def target(self, sender: Sender) -> Target:
        """Where an answer to this sender goes."""
        if not isinstance(sender, tuple):
            return sender
        for seat in self._seats.values():
            if seat.owner == sender:
                return seat.target
        return sender[0], self.reply_port

    def sit(self, sender: Sender, port: int | None, pattern: str = EVERYTHING) -> Target | None:
        """Subscribe for `LEASE` seconds, or renew; None if the house is full. Raises PatternError."""
        self.patterns.reach(pattern)
        self._sweep()
        target = sender if not isinstance(sender, tuple) else (sender[0], port or self.reply_port)
        if target in self._seats and self._seats[target].standing:
            return target
        if target not in self._seats and len(self._seats) >= MOST:
            return None
        self._seats[target] = Seat(target, sender, pattern, self.now() + LEASE)
        return target

    def keep(self, targets: Iterable[tuple[str, int]]) -> None:
        """Give standing seats: everything, for as long as the show is open."""
        self._seats |= {target: Seat(target, target, EVERYTHING) for target in targets}

    def leave(self, sender: Sender, port: int | None) -> None:
        """Unsubscribe this sender (at this port, or at all of its own)."""
        at: Target = sender
        if isinstance(sender, tuple):
            at = (sender[0], port or self.reply_port)
        gone = [k for k, seat in self._seats.items() if k == at or (port is None and seat.owner == sender)]
        for key in gone:
            if not self._seats[key].standing:
                del self._seats[key]

    def listeners(self, changes: Iterable[tuple[Param, object]]) -> Iterable[tuple[Target, str, Param]]:
        """Who is to hear which of these changes (each with its origin), by which address."""
        self._sweep()
        changes = list(changes)
        for seat in list(self._seats.values()):
            by_id = None
            if seat.pattern != EVERYTHING:
                by_id = {id(p): a for a, p in self.patterns.reach(seat.pattern).items()}
            for param, origin in changes:
                address = param.address if by_id is None else by_id.get(id(param))
                if address is not None and seat.hears(origin):
                    yield seat.target, address, param

    def _sweep(self) -> None:
        now = self.now()
        for key, seat in list(self._seats.items()):
            if seat.until <= now or not (isinstance(seat.target, tuple) or seat.target.open):
                del self._seats[key]
