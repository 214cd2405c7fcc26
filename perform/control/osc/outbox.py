"""What OSC says: answers, changes to who subscribed, errors. One worker sends; everybody else drops off and goes on."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from perform.control.osc import encode
from perform.control.osc.audience import Audience, Sender, Target
from perform.likeness import near
from perform.params import Param, Params, Post

RATE = 30.0  # changes a second an address
ERRORS = 10  # /error messages a second a receiver
WAITING = 20_000  # jobs that may wait for the worker
IDLE = 0.25  # seconds between looks when nobody has subscribed
BURST, REST = 40, 0.004  # datagrams before a short rest (s): a receiver's usual buffer holds some 270
UNKNOWN = "there is no such address"


@dataclass(slots=True)
class Outbox:
    """Answers and announces. `now` gives seconds of any steady clock; `send_datagram` must not raise.

    `ask`, `do`, `on_settle` and `on_refuse` may be called from any thread and never block. A question is
    answered after the next settle (`release` is a feed), so that it sees what was posted before it.
    """

    params: Params
    audience: Audience
    send_datagram: Callable[[bytes, tuple[str, int]], None]
    now: Callable[[], float]
    tidy: Callable[[], None] = lambda: None  # called by the worker a few times a second
    lost: int = 0
    _jobs: queue.SimpleQueue[Callable[[], None]] = field(default_factory=queue.SimpleQueue)
    _ripe: list[Callable[[], None]] = field(default_factory=list)
    _asked: deque[Callable[[], None]] = field(default_factory=lambda: deque(maxlen=WAITING))
    _changed: deque[tuple[Param, object]] = field(default_factory=lambda: deque(maxlen=WAITING))
    _stop: threading.Event = field(default_factory=threading.Event)
    _burst: int = 0
    _flushed: float = 0.0
    _tidied: float = 0.0
    _errors: dict[Target, list[float]] = field(default_factory=dict)
    _said: dict[tuple[Target, str, str], float] = field(default_factory=dict)

    # ------------------------------------------------------------------ any thread
    def do(self, job: Callable[[], None]) -> None:
        """Have the worker do this soon."""
        if self._jobs.qsize() < WAITING:
            self._jobs.put(job)
        else:
            self.lost += 1

    def ask(self, sender: Sender, address: str, param: Param) -> None:
        """Answer with the parameter's base, under the address that was asked, after the next settle."""
        self._asked.append(lambda: self.say(sender, address, *encode.values(param)))

    def release(self, now: float) -> tuple[Post, ...]:
        """What was asked before the last frame settled can be answered now. Render thread.

        Not what was asked before this one: other feeds (a cue) may still change what the answer has to say.
        """
        for job in self._ripe:
            self.do(job)
        self._ripe = [self._asked.popleft() for _ in range(len(self._asked))]
        return ()

    def on_settle(self, param: Param, origin: object) -> None:
        """A base has changed. Render thread."""
        if self.audience:
            self._changed.append((param, origin))

    def on_refuse(self, post: Post, reason: str) -> None:
        """Something could not be taken."""
        origin = post.origin
        if isinstance(origin, tuple) or hasattr(origin, "send"):
            self.do(lambda: self._error(origin, post.address, reason))  # type: ignore[arg-type]

    # ------------------------------------------------------------------ the worker
    def run(self, stop: threading.Event) -> None:
        """Send until told to stop."""
        self._stop = stop
        while not stop.is_set():
            try:
                job = self._jobs.get(timeout=1.0 / RATE if self.audience else IDLE)
            except queue.Empty:
                self._burst = 0
            else:
                job()
            now = self.now()
            if self._changed and now - self._flushed >= 1.0 / RATE:
                self._flushed = now
                self._publish()
            if now - self._tidied >= IDLE:
                self._tidied = now
                self.tidy()

    def close(self) -> None:
        """Wake the worker so that it sees that it is to stop."""
        self._jobs.put(lambda: None)

    def say(self, sender: Sender, address: str, *args: object) -> None:
        """Answer a sender. Worker only."""
        self.send(self.audience.target(sender), encode.message(address, *args))

    def send(self, target: Target, packet: bytes) -> None:
        """Send a packet. Worker only."""
        if not isinstance(target, tuple):
            return target.send(packet)
        self.send_datagram(packet, target)
        self._burst += 1
        if self._burst >= BURST:
            self._burst = 0
            self._stop.wait(REST)
        return None

    def _publish(self) -> None:
        last: dict[int, tuple[Param, object]] = {}
        for _ in range(len(self._changed)):
            param, origin = self._changed.popleft()
            if param.spec.kind != "trigger":
                last[id(param)] = (param, origin)
        for target, address, param in self.audience.listeners(last.values()):
            self.send(target, encode.message(address, *encode.values(param)))

    def _error(self, sender: Sender, address: str, reason: str) -> None:
        now, target, address = self.now(), self.audience.target(sender), address[:256]
        recent = [t for t in self._errors.get(target, ()) if now - t < 1.0]
        key = (target, address, reason)
        if len(recent) >= ERRORS or now - self._said.get(key, -1.0) < 1.0:
            return
        if len(self._said) >= 1024 or len(self._errors) >= 256:  # a scan from many addresses must not fill the memory
            self._said.clear()
            self._errors.clear()
        self._errors[target], self._said[key] = [*recent, now], now
        if reason == UNKNOWN:
            found = near(address.casefold(), self.params.addresses())
            if found:
                own = self.params[found].address
                reason += f"; did you mean {own if own.casefold() == found else found}?"
        self.send(target, encode.message("/error", address, reason))
