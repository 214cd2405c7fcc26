"""An open OSC part on free ports, a client that hears its answers, and a show that settles when told."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pythonosc.osc_message_builder import OscMessageBuilder

from perform.clock import ManualClock
from perform.control.osc import Osc
from perform.control.osc.packet import Message, decode
from perform.params import Params, Spec
from perform.plugins import Stage

DEADLINE = 120.0  # seconds; only a failing test waits so long


def wire(address: str, *args: Any) -> bytes:
    """A message as python-osc encodes it."""
    builder = OscMessageBuilder(address)
    for arg in args:
        builder.add_arg(arg)
    return bytes(builder.build().dgram)


def tree() -> Params:
    """A small tree of every kind."""
    params = Params()
    params.declare("/layer/dream/opacity", Spec("float", 1.0, 0.0, 1.0, doc="How much."), "/layer/1/opacity")
    params.declare("/layer/ghost/opacity", Spec("float", 1.0, 0.0, 1.0), "/layer/2/opacity")
    params.declare("/layer/dream/on", Spec("bool", True), "/layer/1/on")
    params.declare("/layer/dream/world", Spec("choice", 0, choices=("none", "ocean")), "/layer/1/world")
    params.declare("/master/tint", Spec("color", (1.0, 1.0, 1.0)))
    params.declare("/master/steps", Spec("int", 1, 0, 10))
    params.declare("/title", Spec("text", ""))
    params.declare("/cue/go", Spec("trigger"))
    params.declare("/panic", Spec("trigger"))
    params.declare("/status/fps", Spec("float", 60.0, readonly=True))
    return params


@dataclass(slots=True)
class Desk:
    """The open part and a client."""

    params: Params
    clock: ManualClock
    osc: Osc
    client: socket.socket  # bound where answers go

    def send(self, address: str, *args: Any, sock: socket.socket | None = None) -> None:
        self.send_raw(wire(address, *args), sock)

    def send_raw(self, data: bytes, sock: socket.socket | None = None) -> None:
        (sock or self.client).sendto(data, ("127.0.0.1", self.osc.port))

    def until(self, condition: Callable[[], Any]) -> Any:
        """Settle frame after frame until the condition holds; its value."""
        end = time.monotonic() + DEADLINE
        while not (value := condition()):
            assert time.monotonic() < end, "waited in vain"
            self.params.settle(self.clock.advance(0.001))
            time.sleep(0.001)
        return value

    def heard(self, sock: socket.socket | None = None) -> list[Message]:
        """What has come back by now."""
        messages: list[Message] = []
        with contextlib.suppress(BlockingIOError):
            while True:
                messages += decode((sock or self.client).recv(65536)).messages
        return messages

    def answer(self, address: str, sock: socket.socket | None = None) -> Message:
        """The next answer under this address; others before it are passed over."""

        def look() -> list[Message]:
            return [m for m in self.heard(sock) if m.address == address]

        return self.until(look)[0]  # type: ignore[no-any-return]

    def flush(self) -> None:
        """Wait until everything sent so far has been received and answered."""
        self.send("/ping", "flush")
        self.answer("/ping")


def client_socket() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    sock.setblocking(False)
    return sock


@contextlib.contextmanager
def open_desk(params: Params | None = None, **keys: Any) -> Iterator[Desk]:
    """A desk on free ports."""
    params, clock = params or tree(), ManualClock()
    with client_socket() as client:
        osc = Osc(**{"listen": "127.0.0.1:0", "reply": client.getsockname()[1], **keys})
        with osc.open(Stage(params, clock, "/osc", (64, 64), folder=Path())):
            yield Desk(params, clock, osc, client)
