"""Random and mutated datagrams over UDP and TCP: it still answers /ping, and the memory stays flat.

20,000 of them in the suite; `PERFORM_FUZZ=1000000 pytest -s tests/acceptance/test_osc_fuzz.py` for the full evening.
"""

from __future__ import annotations

import contextlib
import os
import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import psutil
import pytest

from perform.clock import LiveClock
from perform.control.cue import Cue
from perform.control.cues import Cues
from perform.control.osc import Osc
from perform.control.osc.framing import Lengths, Slip
from perform.control.osc.packet import Message, decode
from perform.params import Params, Spec
from perform.plugins import Stage
from perform.workers import Worker, spawn

COUNT = int(os.environ.get("PERFORM_FUZZ", "20000"))
GROWTH = 5 << 20  # bytes
ADDRESSES = (
    "/layer/dream/opacity", "/layer/1/opacity", "/layer/*/opacity", "//opacity", "/layer/dream/world", "/master/tint",
    "/layer/{1,2,dream}/[a-p]*", "/cue/go", "/cue/*/go", "/panic", "/title", "/ping", "/version", "/list", "/subscribe",
    "/unsubscribe", "/error", "/status/osc", "/", "/*a*a*a*a*a*a*b", "/nowhere", "#bundle", "", "/\xe9", "no/slash",
)  # fmt: skip
TAGS = "ifsbhtdScrmTFNI[]qx,"
PING = b"/ping\0\0\0,i\0\0"


def padded(text: bytes) -> bytes:
    return text + b"\0" * (4 - len(text) % 4)


@dataclass(slots=True)
class Fuzz:
    """Datagrams, the same for the same seed: wild bytes, messages with wild values, bundles, mutations of those."""

    dice: random.Random
    last: bytes = b"/a\0\0"
    kinds: tuple[Callable[[], bytes], ...] = field(init=False)

    def __post_init__(self) -> None:
        self.kinds = (self.noise, self.message, self.message, self.bundle, self.mutant, self.mutant, self.nest)

    def next(self) -> bytes:
        self.last = self.dice.choice(self.kinds)()[:60_000]
        return self.last

    def noise(self) -> bytes:
        head = self.dice.choice((b"", b"/", b"#bundle\0", b"/a\0\0,", b"/a\0\0,f\0\0", b"\xc0", b"\0\0\0\x08"))
        return head + self.dice.randbytes(self.dice.choice((0, 3, 4, 8, 16, 64, 300)))

    def value(self, tag: str) -> bytes:
        dice = self.dice
        wild = struct.pack(">d", dice.choice((0.0, 0.5, 1e300, float("nan"), float("inf"), -1.0)))
        return {
            "i": dice.randbytes(4), "f": dice.choice((b"\x7f\xc0\0\0", b"\x7f\x80\0\0", b"\x3f\0\0\0")),
            "s": padded(dice.randbytes(dice.randrange(12)).replace(b"\0", b"a")), "S": padded(b"symbol"),
            "b": struct.pack(">i", dice.choice((0, 4, -4, 2**31 - 1, 3))) + b"blob", "h": dice.randbytes(8),
            "t": dice.randbytes(8), "d": wild, "c": dice.randbytes(4), "r": dice.randbytes(4), "m": dice.randbytes(4),
        }.get(tag, b"")  # fmt: skip

    def message(self) -> bytes:
        tags = "".join(self.dice.choices(TAGS, k=self.dice.randrange(6)))
        if self.dice.random() < 0.5:
            tags = self.dice.choice(("", "f", "i", "ff", "s", "T", "fff", "si", "sff"))
        address = self.dice.choice(ADDRESSES).encode("latin-1")
        return padded(address) + padded(b"," + tags.encode()) + b"".join(map(self.value, tags))

    def tag(self) -> bytes:
        ahead = self.dice.choice((0.0, 0.05, 1.5, 60.0, -5.0))
        return struct.pack(">Q", self.dice.choice((1, int((time.time() + 2208988800.0 + ahead) * 2**32), 0)))

    def bundle(self) -> bytes:
        parts = [self.message() for _ in range(self.dice.randrange(6))]
        sizes = [len(p) if self.dice.random() < 0.95 else self.dice.choice((-4, 0, 3, 2**31 - 1)) for p in parts]
        return b"#bundle\0" + self.tag() + b"".join(struct.pack(">i", n) + p for n, p in zip(sizes, parts, strict=True))

    def nest(self) -> bytes:
        data = self.message()
        for _ in range(self.dice.choice((1, 2, 5, 20, 200))):
            data = b"#bundle\0" + self.tag() + struct.pack(">i", len(data)) + data
        return data

    def mutant(self) -> bytes:
        data = bytearray(self.last[:2000] or b"/")
        for _ in range(self.dice.randrange(1, 5)):
            data[self.dice.randrange(len(data))] = self.dice.randrange(256)
        if self.dice.random() < 0.3:
            del data[self.dice.randrange(len(data)) :]
        return bytes(data)


@dataclass(slots=True)
class Show:
    """An open OSC part whose parameters settle 60 times a second in a thread of their own."""

    osc: Osc
    params: Params
    ears: socket.socket
    render: Worker
    frames: int = 0

    def alive(self, number: int) -> None:
        """A /ping comes back."""
        end = time.monotonic() + 120.0
        while time.monotonic() < end:
            self.ears.sendto(PING + struct.pack(">i", number), ("127.0.0.1", self.osc.port))
            with contextlib.suppress(TimeoutError):
                if Message("/ping", (number,)) in decode(self.ears.recv(65536)).messages:
                    return
        pytest.fail("it no longer answers /ping")


@pytest.fixture
def show(tmp_path: os.PathLike[str]) -> Iterator[Show]:
    params, clock = Params(), LiveClock()
    for layer, number in (("dream", 1), ("ghost", 2)):
        params.declare(f"/layer/{layer}/opacity", Spec("float", 1.0, 0.0, 1.0, smooth=0.1), f"/layer/{number}/opacity")
        params.declare(f"/layer/{layer}/world", Spec("choice", 0, choices=("none", "ocean")), f"/layer/{number}/world")
    params.declare("/master/tint", Spec("color", (1.0, 1.0, 1.0)))
    params.declare("/title", Spec("text", ""))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ears:
        ears.bind(("127.0.0.1", 0))
        ears.settimeout(0.2)
        stage = Stage(params, clock, "/osc", (64, 64), folder=tmp_path)  # type: ignore[arg-type]
        with Osc("127.0.0.1:0", ears.getsockname()[1]).open(stage) as osc, Cues((Cue("a"), Cue("b"))).open(stage):

            def frames(stop: threading.Event) -> None:
                while not stop.is_set():
                    params.settle(clock.now())
                    clock.pace(60.0)

            render = spawn("frames", frames, restart=False)
            yield Show(osc, params, ears, render)
            assert render.alive, f"the render thread has died: {render.error}"
            render.close()


class Sender:
    """Sends over UDP, and over TCP in both framings; connects again when it has been shown out."""

    def __init__(self, show: Show, fuzz: Fuzz) -> None:
        self.show, self.fuzz, self.dice = show, fuzz, fuzz.dice
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.tcp: socket.socket | None = None
        self.framing: Slip | Lengths = Slip()

    def send(self) -> None:
        data = self.fuzz.next()
        if self.dice.random() < 0.7:
            self.udp.sendto(data, ("127.0.0.1", self.show.osc.port))
            return
        try:
            if self.tcp is None:
                self.framing = self.dice.choice((Slip, Lengths))()
                self.tcp = socket.create_connection(("127.0.0.1", self.show.osc.tcp_port), 10.0)
            self.tcp.sendall(self.framing.wrap(data) if self.dice.random() < 0.98 else data)
            self.tcp.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                self.tcp.recv(1 << 20)
            self.tcp.settimeout(10.0)
        except OSError:  # shown out for what was sent, as it should be
            self.close_tcp()
        if self.dice.random() < 0.005:
            self.close_tcp()

    def close_tcp(self) -> None:
        if self.tcp is not None:
            self.tcp.close()
            self.tcp = None

    def close(self) -> None:
        self.udp.close()
        self.close_tcp()


def test_whatever_is_sent_it_answers_ping_and_its_memory_stays_flat(
    show: Show, caplog: pytest.LogCaptureFixture
) -> None:
    sender, process = Sender(show, Fuzz(random.Random(20260911))), psutil.Process()
    warm, before, began = COUNT // 4, 0, time.monotonic()
    with contextlib.closing(sender):
        for n in range(COUNT):
            sender.send()
            if n % 2000 == 0:
                show.alive(n)
            if n == warm:
                before = process.memory_info().rss
        show.alive(COUNT)
    growth = process.memory_info().rss - before
    seconds = time.monotonic() - began
    received = show.params["/status/osc/messages"].base
    print(f"\n{COUNT:,} sent in {seconds:.1f} s, {received:,.0f} received, {show.params.refused:,} refused, "
          f"{growth / 2**20:+.2f} MiB after the first {warm:,}")  # fmt: skip
    assert growth < GROWTH
    assert [r.getMessage() for r in caplog.records if r.levelname == "ERROR"] == []  # it met no mistake of ours
    assert show.params.refused > COUNT // 10, "the fuzz was too tame"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"#bundle\0" + struct.pack(">Qi", 1, -4), id="bundle element of size -4"),
        pytest.param(padded(b"/" + b"*a" * 14 + b"b") + b",\0\0\0", id="pattern that blows up regular expressions"),
        pytest.param(b"#bundle\0\0\0\0\0\0\0\0\1" * 1500, id="1,500 bundles"),
        pytest.param(padded(b"/title") + b",s\0\0" + padded(b"Caf\xe9"), id="Latin-1 text"),
        pytest.param(padded(b"/layer/1/opacity") + struct.pack(">f", 0.5), id="no type tags"),
        pytest.param(padded(b"/layer/1/opacity") + b",f\0\0\x3f\x80", id="short float"),
        pytest.param(padded(b"/title") + b",ci\0" + struct.pack(">ii", 65, 1), id="type c"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xc0", id="a single END"),
        pytest.param(b"/a\0\0," + b"[" * 60_000, id="60,000 arrays"),
    ],
)
def test_the_table_of_what_breaks_others(show: Show, data: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        for _ in range(3):
            udp.sendto(data, ("127.0.0.1", show.osc.port))
    for framing in (Slip(), Lengths()):
        with socket.create_connection(("127.0.0.1", show.osc.tcp_port)) as tcp:
            tcp.sendall(framing.wrap(data))
    show.alive(1)
