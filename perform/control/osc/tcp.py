"""The TCP port: one thread for all connections; nobody's slowness is anybody else's."""

from __future__ import annotations

import contextlib
import logging
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from perform.control.osc.framing import Framing, FramingError, detect
from perform.control.osc.place import Place, PortError

log = logging.getLogger(__name__)
MOST = 64  # connections; the one that has been silent longest makes room
OUTBOX = 256 * 1024  # bytes that may wait for a slow reader; what comes then is lost to it
READ = 65536  # bytes taken from one connection at a time
LINGER = 1.0  # seconds in which a peer that has finished speaking may still hear answers
LOOK = 0.25  # seconds between looks at the stop flag
AGAIN = 2.0  # seconds between attempts to get the port
QUIET = 60.0  # seconds between two complaints about one host
BREATH = 0.02  # seconds after a connection that could not be taken


@dataclass(slots=True, eq=False)
class TcpConnection:
    """One peer. `send` may be called from any thread; everything else belongs to the port's thread."""

    sock: socket.socket
    peer: str
    heard: float
    notify: Callable[[], None]
    framing: Framing | None = None
    open: bool = True
    ends: float | None = None  # when it is closed, once the peer has finished speaking
    dropped: int = 0
    _out: deque[bytes] = field(default_factory=deque)
    _waiting: int = 0

    def send(self, packet: bytes) -> None:
        """Queue a packet in the peer's own framing; dropped if the peer does not read."""
        if not self.open or self.framing is None:
            return
        if self._waiting > OUTBOX:
            self.dropped += 1
            return
        data = self.framing.wrap(packet)
        self._waiting += len(data)
        self._out.append(data)
        self.notify()

    @property
    def has_more(self) -> bool:
        return bool(self._out)

    def flush(self) -> None:
        """Send what the peer takes now. Raises OSError when the connection is gone."""
        while self._out:
            data = self._out[0]
            try:
                sent = self.sock.send(data)
            except (BlockingIOError, InterruptedError):
                return
            self._waiting -= sent
            if sent < len(data):
                self._out[0] = data[sent:]
                return
            self._out.popleft()
        self._waiting = 0  # exact again, should a count have been lost between the two threads


@dataclass(slots=True)
class TcpPort:
    """Listens at `place`; keeps trying while that cannot be had. `messages` counts packets.

    `enter(packet, connection)` is called on this port's thread. `say(text)` hears how it goes, "" for well.
    """

    place: Place
    enter: Callable[[bytes, object], None]
    say: Callable[[str], None]
    now: Callable[[], float] = time.monotonic
    messages: int = 0
    connections: list[TcpConnection] = field(default_factory=list)
    _socket: socket.socket | None = None
    _quiet: dict[str, float] = field(default_factory=dict)  # until when nothing more is said of a host's mistakes
    _waker: tuple[socket.socket, socket.socket] = field(default_factory=socket.socketpair)
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    def __post_init__(self) -> None:
        for end in self._waker:
            end.setblocking(False)
        self._selector.register(self._waker[0], selectors.EVENT_READ)

    @property
    def port(self) -> int:
        """The port in use; 0 while there is none."""
        sock = self._socket
        return int(sock.getsockname()[1]) if sock is not None else 0

    def bind(self) -> bool:
        """Try to get the port now."""
        try:
            sock = self.place.bind(socket.SOCK_STREAM)
        except PortError as why:
            self.say(f"{why}; trying again")
            return False
        sock.setblocking(False)
        self._socket = sock
        self._selector.register(sock, selectors.EVENT_READ)
        self.say("")
        return True

    def wake(self) -> None:
        """Make the thread look up. Any thread."""
        with contextlib.suppress(BlockingIOError, OSError):  # full: it is awake already; closed: nothing to wake
            self._waker[1].send(b"\0")

    def run(self, stop: threading.Event) -> None:
        """Serve until told to stop. The worker's function."""
        while not stop.is_set():
            if self._socket is None and not self.bind():
                stop.wait(AGAIN)
                continue
            for key, events in self._selector.select(LOOK):
                if key.fileobj is self._waker[0]:
                    self._drain()
                elif key.fileobj is self._socket:
                    self._accept()
                elif isinstance(key.data, TcpConnection):
                    self._serve(key.data, events)
            self._look_after()

    def close(self) -> None:
        """Let go of everything. After the worker has stopped."""
        for connection in list(self.connections):
            self._drop(connection)
        self._selector.close()
        for sock in (*self._waker, self._socket):
            if sock is not None:
                sock.close()
        self._socket = None

    # ------------------------------------------------------------------ the port's thread
    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._waker[0].recv(4096):
                pass

    def _accept(self) -> None:
        assert self._socket is not None
        try:
            sock, address = self._socket.accept()
        except OSError:  # gone again; or no descriptor is free, and then it would be offered again at once
            time.sleep(BREATH)
            return
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if len(self.connections) >= MOST:
            self._drop(min(self.connections, key=lambda c: c.heard))
        connection = TcpConnection(sock, f"{address[0]}:{address[1]}", self.now(), self.wake)
        self.connections.append(connection)
        self._selector.register(sock, selectors.EVENT_READ, connection)

    def _serve(self, connection: TcpConnection, events: int) -> None:
        try:
            if events & selectors.EVENT_WRITE:
                connection.flush()
            if events & selectors.EVENT_READ:
                self._read(connection)
        except FramingError as why:
            self._drop(connection)
            host, now = connection.peer.rpartition(":")[0], self.now()
            if now >= self._quiet.get(host, now):  # one that tries again and again must not fill the log
                self._quiet = {} if len(self._quiet) >= MOST else self._quiet
                self._quiet[host] = now + QUIET
                log.info("OSC: %s %s; connection closed", connection.peer, why)
        except (BlockingIOError, InterruptedError):
            pass
        except OSError:  # reset, broken pipe: it is gone
            self._drop(connection)

    def _read(self, connection: TcpConnection) -> None:
        data = connection.sock.recv(READ)
        connection.heard = self.now()
        if not data:
            connection.ends = connection.heard + LINGER
            return
        if connection.framing is None:
            connection.framing = detect(data[0])
        for packet in connection.framing.feed(data):
            self.messages += 1
            try:
                self.enter(packet, connection)
            except Exception as e:
                log.error(
                    "OSC: a packet of %d bytes from %s met a mistake of ours: %s", len(packet), connection.peer, e
                )
                log.debug("OSC", exc_info=True)

    def _look_after(self) -> None:
        """Ask for what each connection needs next; drop those that have ended."""
        now = self.now()
        for connection in list(self.connections):
            if connection.ends is not None and now >= connection.ends:
                self._drop(connection)
                continue
            wanted = (selectors.EVENT_READ if connection.ends is None else 0) | (
                selectors.EVENT_WRITE if connection.has_more else 0
            )
            self._want(connection, wanted)

    def _want(self, connection: TcpConnection, wanted: int) -> None:
        known = self._selector.get_map().get(connection.sock)
        if known is None:
            if wanted:
                self._selector.register(connection.sock, wanted, connection)
        elif not wanted:
            self._selector.unregister(connection.sock)
        elif known.events != wanted:
            self._selector.modify(connection.sock, wanted, connection)

    def _drop(self, connection: TcpConnection) -> None:
        connection.open = False
        if connection in self.connections:
            self.connections.remove(connection)
            if connection.sock in self._selector.get_map():
                self._selector.unregister(connection.sock)
            connection.sock.close()
