"""The one door through which every OSC message enters: it becomes posts, a question, or a word with the server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from perform.control.osc import arguments
from perform.control.osc.ahead import HORIZON, Ahead
from perform.control.osc.packet import IMMEDIATELY, Message, PacketError, decode, decode_message
from perform.control.osc.pattern import PatternError, Patterns, is_pattern
from perform.params import Param, Params, Post, Refused

Ask = Callable[[Any, str, Param], None]  # sender, address as asked, parameter
Word = Callable[[Any, tuple[Any, ...]], None]  # sender, arguments


@dataclass(slots=True)
class Door:
    """Takes datagrams and TCP packets. Any thread, many at once; never blocks, never raises on what it is sent.

    `ask` is called for each question, `words` are what the server itself understands (/ping, /subscribe …),
    `on_drift(sender, seconds)` for a bundle from a clock that differs. A sender is whatever the port calls it: it
    comes back as the origin of the posts. A bundle's posts are handed over together and so land in one frame.
    """

    params: Params
    patterns: Patterns
    ahead: Ahead
    ask: Ask
    words: dict[str, Word] = field(default_factory=dict)
    on_drift: Callable[[object, float], None] = lambda sender, seconds: None

    def enter(self, data: bytes, sender: object) -> None:
        """One datagram or one TCP packet."""
        if data[:1] == b"/":
            return self._plain(data, sender)
        packet = decode(data)
        for address, reason in packet.errors:
            self.params.refuse(Post(address, None, origin=sender), reason)
        groups: dict[int, list[Post]] = {}
        for message in packet.messages:
            posts = self._read(message, sender)
            if posts:
                groups.setdefault(message.tag, []).extend(posts)
        now: list[Post] = []
        for tag, posts in groups.items():
            if tag == IMMEDIATELY or not self._later(tag, posts, sender):
                now.extend(posts)
        if now:
            self.params.post_all(now)
        return None

    def _plain(self, data: bytes, sender: object) -> None:
        """A message on its own: what comes thousands of times a second, so nothing is made that is not needed."""
        try:
            message = decode_message(data)
        except PacketError as why:
            return self.params.refuse(Post(why.address, None, origin=sender), str(why))
        address, args, _ = message
        if len(args) == 1 and args[0] != "?" and self.params.find(address) is not None:
            return self.params.post_all((Post(address, args[0], 0.0, "smooth", sender),))
        posts = self._read(message, sender)
        return self.params.post_all(posts) if posts else None

    def _later(self, tag: int, posts: list[Post], sender: object) -> bool:
        seconds = self.ahead.seconds_ahead(tag)
        if seconds > HORIZON:
            self.on_drift(sender, seconds)
            return False
        return seconds > 0.0 and self.ahead.hold(seconds, posts)

    def _read(self, message: Message, sender: object) -> list[Post]:
        address, args, _ = message
        param = self.params.find(address)
        try:
            if param is not None:
                return self._meant({address: param}, args, sender)
            word = self.words.get(address.casefold())
            if word is not None:
                word(sender, args)
                return []
            if is_pattern(address):
                return self._reached(address, args, sender)
            raise Refused("there is no such address")
        except (Refused, PatternError) as why:
            self.params.refuse(Post(address, None, origin=sender), str(why))
            return []

    def _reached(self, pattern: str, args: tuple[Any, ...], sender: object) -> list[Post]:
        reached = self.patterns.reach(pattern)
        if not reached:
            raise Refused("no address matches")
        if not args and any(p.spec.kind != "trigger" for p in reached.values()):  # `//` asks; it must not fire /panic
            reached = {a: p for a, p in reached.items() if p.spec.kind != "trigger"}
        elif not (reached := {a: p for a, p in reached.items() if p.spec.kind != "trigger" or a.count("/") > 1}):
            raise Refused("fires nothing: /panic and /snapshot want their whole name")  # `/*` may not, nor `/* 1`
        if args:  # what can only be read is not meant when a pattern sets
            reached = {a: p for a, p in reached.items() if not p.spec.readonly} or reached
        return self._meant(reached, args, sender)

    def _meant(self, reached: dict[str, Param], args: tuple[Any, ...], sender: object) -> list[Post]:
        posts = []
        for address, param in reached.items():
            if arguments.asks(param.spec, args):
                self.ask(sender, address, param)
                continue
            try:
                posts.append(arguments.post(address, param.spec, args, sender))
            except Refused as why:
                self.params.refuse(Post(address, args, origin=sender), str(why))
        return posts
