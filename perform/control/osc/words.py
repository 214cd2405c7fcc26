"""The words that the server itself understands: /ping /version /list /subscribe /unsubscribe."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from perform import __version__
from perform.control.osc import encode
from perform.control.osc.audience import EVERYTHING, LEASE, Sender
from perform.control.osc.outbox import Outbox
from perform.control.osc.pattern import PatternError, Patterns, is_pattern
from perform.params import Params, Post, Refused, Spec

LONGEST_RANGE = 512  # characters of a list of choices
PINGS = 1000  # answered a second: two servers that answer each other must not spin
PRESSED, RELEASED = (1, None, math.inf), 0  # what a button sends; True is 1 as 1.0 is, inf is OSC's impulse


def range_of(spec: Spec) -> str:
    """A parameter's range as a performer reads it: "0..1 s", "normal|add|screen", ""."""
    if spec.kind == "choice":
        return "|".join(spec.names)[:LONGEST_RANGE]
    if spec.lo is None and spec.hi is None:
        return spec.unit
    lo = "" if spec.lo is None else f"{spec.lo:g}"
    hi = "" if spec.hi is None else f"{spec.hi:g}"
    return f"{lo}..{hi} {spec.unit}".strip()


@dataclass(slots=True)
class Words:
    """Each word is called on the thread that received it and leaves the work to the outbox's worker."""

    params: Params
    patterns: Patterns
    outbox: Outbox
    _second: int = 0
    _pings: int = 0

    def table(self) -> dict[str, Callable[[Any, tuple[Any, ...]], None]]:
        """Address -> what to call with (sender, arguments)."""
        return {
            "/ping": self.ping,
            "/version": self.version,
            "/list": self.list,
            "/subscribe": self.subscribe,
            "/unsubscribe": self.unsubscribe,
            "/error": lambda sender, args: None,  # another server's answer: answering it would never end
        }

    def ping(self, sender: Sender, args: tuple[Any, ...]) -> None:
        """Answers the same."""
        second = int(self.outbox.now())
        if second != self._second:
            self._second, self._pings = second, 0
        self._pings += 1
        if self._pings <= PINGS:
            self.outbox.do(lambda: self.outbox.say(sender, "/ping", *args))

    def version(self, sender: Sender, args: tuple[Any, ...]) -> None:
        """Answers the program's name and version."""
        self.outbox.do(lambda: self.outbox.say(sender, "/version", "perform", __version__))

    def list(self, sender: Sender, args: tuple[Any, ...]) -> None:
        """Answers `/list address kind range doc` for each address (that matches), then `/list/end count`."""
        pattern = args[0] if args and isinstance(args[0], str) and args[0] else EVERYTHING
        self.outbox.do(lambda: self._list(sender, pattern))

    def _list(self, sender: Sender, pattern: str) -> None:
        try:
            reached = self.patterns.reach(pattern)
            if not is_pattern(pattern):  # a branch: what lies below it too
                reached = reached | self.patterns.reach(pattern.rstrip("/") + EVERYTHING)
        except PatternError as why:
            return self.params.refuse(Post("/list", pattern, origin=sender), str(why))
        for address, param in reached.items():
            spec = param.spec
            kind = f"{spec.kind} (read only)" if spec.readonly else spec.kind
            self.outbox.say(sender, "/list", address, kind, range_of(spec), spec.doc)
        return self.outbox.say(sender, "/list/end", len(reached))

    def subscribe(self, sender: Sender, args: tuple[Any, ...]) -> None:
        """`/subscribe [port] [pattern]`: changes come for 60 s. Answers the same with the seconds."""
        self._with_port("/subscribe", sender, args, self._subscribe)

    def _subscribe(self, sender: Sender, port: int | None, pattern: str) -> None:
        try:
            target = self.outbox.audience.sit(sender, port, pattern)
        except PatternError as why:
            return self.params.refuse(Post("/subscribe", pattern, origin=sender), str(why))
        if target is None:
            return self.params.refuse(Post("/subscribe", None, origin=sender), "has no seat left: too many subscribers")
        port = target[1] if isinstance(target, tuple) else 0
        return self.outbox.send(target, encode.message("/subscribe", port, LEASE, pattern))

    def unsubscribe(self, sender: Sender, args: tuple[Any, ...]) -> None:
        """`/unsubscribe [port]`: no more changes for this sender."""
        self._with_port(
            "/unsubscribe", sender, args, lambda sender, port, pattern: self.outbox.audience.leave(sender, port)
        )

    def _with_port(
        self, word: str, sender: Sender, args: tuple[Any, ...], deed: Callable[[Sender, int | None, str], None]
    ) -> None:
        """Read `[port] [pattern]` in any order and have the worker do it. A button names no port."""
        port, pattern = None, EVERYTHING
        try:
            for arg in args[:2]:
                if isinstance(arg, str) and arg.startswith("/"):
                    pattern = arg
                elif arg == RELEASED:  # a button that is let go
                    return None
                elif arg not in PRESSED:
                    port = _port(arg)
        except Refused as why:
            return self.params.refuse(Post(word, args, origin=sender), str(why))
        return self.outbox.do(lambda: deed(sender, port, pattern))


def _port(arg: Any) -> int:
    try:
        port = int(arg)
    except (TypeError, ValueError, OverflowError):
        port = 0
    if isinstance(arg, bool) or not 1 <= port <= 65535:
        raise Refused(f"takes a port from 1 to 65535, not {arg!r:.40}")
    return port
