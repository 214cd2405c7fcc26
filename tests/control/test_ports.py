"""Sockets and framings on their own, and TCP through the whole part."""

from __future__ import annotations

import contextlib
import itertools
import socket
import struct
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pythonosc import slip

from perform.control.osc import tcp as tcp_module
from perform.control.osc.framing import FramingError, Lengths, Slip, detect
from perform.control.osc.packet import LARGEST, Message, decode
from perform.control.osc.place import Place
from perform.control.osc.udp import UdpPort
from perform.workers import spawn

from .desk import DEADLINE, Desk, open_desk, wire

PACKETS = st.lists(st.binary(min_size=1, max_size=40) | st.sampled_from([b"\xc0", b"\xdb\xdc", b"\xdb"]), max_size=8)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(p % (len(data) + 1) for p in places), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges)]


@given(PACKETS, st.lists(st.integers(0, 1000), max_size=12))
def test_slip_finds_its_packets_however_they_are_cut(packets: list[bytes], places: list[int]) -> None:
    framing = Slip()
    stream = b"".join(framing.wrap(p) for p in packets)
    assert [p for piece in cut(stream, places) for p in framing.feed(piece)] == packets


@given(PACKETS)
def test_slip_is_what_python_osc_writes_and_reads(packets: list[bytes]) -> None:
    framing = Slip()
    assert [p for packet in packets for p in framing.feed(slip.encode(packet))] == packets
    assert all(slip.decode(framing.wrap(packet)) == packet for packet in packets)


@given(PACKETS, st.lists(st.integers(0, 1000), max_size=12))
def test_lengths_find_their_packets_however_they_are_cut(packets: list[bytes], places: list[int]) -> None:
    framing = Lengths()
    stream = b"".join(framing.wrap(p) for p in packets)
    assert [p for piece in cut(stream, places) for p in framing.feed(piece)] == packets


@given(st.lists(st.binary(max_size=64), max_size=12))
def test_noise_never_breaks_slip(pieces: list[bytes]) -> None:
    framing = Slip()
    for piece in pieces:
        framing.feed(piece)
    assert framing.feed(b"\xc0/ok\0\xc0")[-1] == b"/ok\0"


def test_a_single_end_is_nothing() -> None:
    framing = Slip()
    assert framing.feed(b"\xc0") == []
    assert framing.feed(b"/a\0\0,\0\0\0\xc0") == [b"/a\0\0,\0\0\0"]


def test_a_slip_packet_too_large_is_skipped_and_the_next_one_read() -> None:
    framing = Slip()
    for _ in range(10):
        assert framing.feed(b"x" * LARGEST) == []
    assert len(framing._rest) <= 3 * LARGEST
    assert framing.feed(b"x\xc0/a\0\0\xc0") == [b"/a\0\0"]
    assert framing.skipped == 1


def test_a_length_split_inside_its_four_bytes() -> None:
    framing = Lengths()
    out = [p for byte in framing.wrap(b"/a\0\0") + framing.wrap(b"/b\0\0") for p in framing.feed(bytes([byte]))]
    assert out == [b"/a\0\0", b"/b\0\0"]


def test_an_impossible_length_loses_the_stream() -> None:
    with pytest.raises(FramingError, match="announces a packet"):
        Lengths().feed(b"\0\xff\xff\xff")


def test_the_first_byte_tells_the_framing() -> None:
    assert [type(detect(b)) for b in b"\xc0/#\0"] == [Slip, Slip, Slip, Lengths]
    with pytest.raises(FramingError, match="speaks no OSC"):
        detect(ord("G"))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("127.0.0.1:9000", ("127.0.0.1", 9000)),
        ("9000", ("127.0.0.1", 9000)),
        (":9000", ("0.0.0.0", 9000)),
        ("*:9000", ("0.0.0.0", 9000)),
        ("[::1]:9000", ("::1", 9000)),
        ("studio.local:9000", ("studio.local", 9000)),
    ],
)
def test_places(text: str, place: tuple[str, int]) -> None:
    read = Place.read(text, "listen")
    assert (read.host, read.port) == place
    assert Place.read(str(read), "listen") == read


def test_localhost_is_where_clients_look_for_it() -> None:
    with Place("localhost", 0).bind(socket.SOCK_DGRAM) as sock:
        assert sock.getsockname()[0] == "127.0.0.1"


def test_a_low_port_needs_rights(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: socket.socket, where: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    said: list[str] = []
    assert not UdpPort(Place("127.0.0.1", 80), lambda data, sender: None, said.append).bind()
    assert said == ["UDP port 80 needs more rights than this program has: choose one above 1023; trying again"]


def test_a_mistake_of_ours_does_not_close_the_port(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[bytes] = []

    def enter(data: bytes, sender: object) -> None:
        heard.append(data)
        raise RuntimeError("a mistake of ours")

    port = UdpPort(Place("127.0.0.1", 0), enter, lambda text: None)
    assert port.bind()
    worker = spawn("udp under test", port.run)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for data in (b"one", b"two"):
            sock.sendto(data, ("127.0.0.1", port.port))
    end = time.monotonic() + DEADLINE
    while len(heard) < 2:
        assert time.monotonic() < end
        time.sleep(0.001)
    worker.stop.set()
    port.wake()
    assert worker.close()
    assert port.port == 0
    assert worker.restarts == 0
    assert "a mistake of ours" in caplog.text


# ---------------------------------------------------------------- TCP through the part
class Client:
    """A TCP client that speaks one framing."""

    def __init__(self, desk: Desk, framing: Slip | Lengths) -> None:
        self.desk, self.framing = desk, framing
        self.sock = socket.create_connection(("127.0.0.1", desk.osc.tcp_port))
        self.sock.setblocking(False)

    def send(self, address: str, *args: Any) -> None:
        self.sock.sendall(self.framing.wrap(wire(address, *args)))

    def heard(self) -> list[Message]:
        try:
            data = self.sock.recv(1 << 20)
        except BlockingIOError:
            return []
        return [m for packet in self.framing.feed(data) for m in decode(packet).messages]

    def answer(self, address: str) -> Message:
        return self.desk.until(lambda: [m for m in self.heard() if m.address == address])[0]  # type: ignore[no-any-return]


@pytest.fixture
def desk() -> Iterator[Desk]:
    with open_desk() as desk:
        yield desk


@pytest.mark.parametrize("framing", [Slip, Lengths])
def test_both_framings_set_ask_and_subscribe_on_the_same_connection(desk: Desk, framing: Any) -> None:
    one, other = Client(desk, framing()), Client(desk, framing())
    with contextlib.closing(one.sock), contextlib.closing(other.sock):
        one.send("/layer/1/opacity", 0.25)
        one.send("/layer/1/opacity")
        assert one.answer("/layer/1/opacity").args == (0.25,)
        one.send("/nowhere", 1)
        assert one.answer("/error").args[0] == "/nowhere"
        one.send("/subscribe")
        assert one.answer("/subscribe").args == (0, 60.0, "//*")
        other.send("/subscribe")
        other.answer("/subscribe")
        other.send("/layer/1/opacity", 0.75)
        assert one.answer("/layer/dream/opacity").args == (0.75,)
        other.send("/ping")
        assert [m.address for m in [other.answer("/ping")]] == ["/ping"]
        one.send("/unsubscribe")
        one.send("/list", "/layer/ghost")
        assert one.answer("/list/end").args == (1,)


def test_slip_may_begin_without_its_end(desk: Desk) -> None:
    with socket.create_connection(("127.0.0.1", desk.osc.tcp_port)) as sock:
        sock.sendall(wire("/layer/1/opacity", 0.5) + b"\xc0")
        desk.until(lambda: desk.params["/layer/1/opacity"].base == 0.5)


def test_a_single_end_and_a_split_length_do_not_close_the_connection(desk: Desk) -> None:
    one, two = Client(desk, Slip()), Client(desk, Lengths())
    with contextlib.closing(one.sock), contextlib.closing(two.sock):
        one.sock.sendall(b"\xc0")
        packet = wire("/layer/1/opacity", 0.5)
        for byte in struct.pack(">I", len(packet)) + packet:
            two.sock.sendall(bytes([byte]))
        desk.until(lambda: desk.params["/layer/1/opacity"].base == 0.5)
        one.send("/ping", 1)
        assert one.answer("/ping").args == (1,)


def test_a_peer_that_speaks_no_osc_is_shown_out(desk: Desk) -> None:
    for data in (b"GET / HTTP/1.1\r\n\r\n", b"\0\xff\xff\xff"):
        with socket.create_connection(("127.0.0.1", desk.osc.tcp_port), timeout=DEADLINE) as sock:
            sock.sendall(data)
            with contextlib.suppress(ConnectionResetError):
                assert sock.recv(100) == b""


def test_who_has_finished_speaking_still_hears_the_answer(desk: Desk) -> None:
    client = Client(desk, Slip())
    with contextlib.closing(client.sock):
        client.send("/version")
        client.sock.shutdown(socket.SHUT_WR)
        assert client.answer("/version").args[0] == "perform"
        tcp = desk.osc._desk.tcp  # type: ignore[union-attr]
        assert tcp is not None
        tcp.now = lambda: time.monotonic() + tcp_module.LINGER
        desk.until(lambda: not tcp.connections)


def test_a_reset_connection_leaves_the_subscribers_list(desk: Desk) -> None:
    client = Client(desk, Slip())
    client.send("/subscribe")
    client.answer("/subscribe")
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.sock.close()
    audience = desk.osc._desk.outbox.audience  # type: ignore[union-attr]

    def gone() -> bool:
        desk.params.post("/layer/1/opacity", desk.clock.now() % 1.0)
        return not audience

    desk.until(gone)


def test_a_slow_reader_loses_its_own_and_nobody_waits(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp_module, "OUTBOX", 4096)
    slow, quick = Client(desk, Slip()), Client(desk, Slip())
    with contextlib.closing(slow.sock), contextlib.closing(quick.sock):
        slow.send("/list")
        tcp = desk.osc._desk.tcp  # type: ignore[union-attr]
        assert tcp is not None
        desk.until(lambda: len(tcp.connections) == 2)
        reader = tcp.connections[0]
        blob = b"x" * 60_000
        for _ in range(300):  # more than the kernel's buffers hold
            slow.send("/ping", blob[:20_000])
            if reader.dropped:
                break
            quick.send("/ping", 1)
            quick.answer("/ping")
        assert reader.dropped
        assert reader._waiting < 4096 + 3 * 20_100
        quick.send("/ping", 2)
        desk.until(lambda: any(m.args == (2,) for m in quick.heard()))


def test_when_the_house_is_full_the_most_silent_one_leaves(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp_module, "MOST", 3)
    clients = []
    for n in range(5):
        clients.append(Client(desk, Slip()))
        clients[-1].send("/ping", n)
        assert clients[-1].answer("/ping").args == (n,)
    tcp = desk.osc._desk.tcp  # type: ignore[union-attr]
    assert tcp is not None
    assert len(tcp.connections) == 3
    assert clients[0].sock.recv(10) == b""
    for client in clients:
        client.sock.close()
