"""The UDP port: one thread that blocks in recvfrom and does nothing but hand datagrams to the door."""

from __future__ import annotations

import contextlib
import logging
import socket
import struct
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass

from perform.control.osc.place import Place, PortError

log = logging.getLogger(__name__)
BUFFER = 4 << 20  # bytes the kernel may hold for us: a burst of some 5,000 messages
FORCE = 33  # SO_RCVBUFFORCE on Linux: more than net.core.rmem_max, for those who may
LOOK = 0.25  # seconds after which a quiet socket is asked whether it is to stop
AGAIN = 2.0  # seconds between attempts to get the port


@dataclass(slots=True)
class UdpPort:
    """Listens at `place`; keeps trying while that cannot be had. `messages` counts datagrams.

    `enter(data, (host, port))` is called on this port's thread. `say(text)` hears how it goes, "" for well.
    """

    place: Place
    enter: Callable[[bytes, object], None]
    say: Callable[[str], None]
    messages: int = 0
    _socket: socket.socket | None = None

    @property
    def port(self) -> int:
        """The port in use; 0 while there is none."""
        sock = self._socket
        return int(sock.getsockname()[1]) if sock is not None else 0

    def bind(self) -> bool:
        """Try to get the port now."""
        try:
            sock = self.place.bind(socket.SOCK_DGRAM)
        except PortError as why:
            self.say(f"{why}; trying again")
            return False
        _widen(sock)
        _set_timeout(sock, LOOK)
        self._socket = sock
        self.say("")
        return True

    def run(self, stop: threading.Event) -> None:
        """Receive until told to stop. The worker's function."""
        try:
            while not stop.is_set():
                if self._socket is not None or self.bind():
                    self._receive(stop)
                else:
                    stop.wait(AGAIN)
        finally:
            sock, self._socket = self._socket, None
            if sock is not None:
                sock.close()

    def _receive(self, stop: threading.Event) -> None:
        sock = self._socket
        assert sock is not None
        receive, enter = sock.recvfrom, self.enter
        while not stop.is_set():
            try:
                data, sender = receive(65536)
            except (BlockingIOError, TimeoutError, InterruptedError):
                continue
            except ConnectionResetError:  # Windows: an earlier answer found nobody at home
                continue
            self.messages += 1
            try:
                enter(data, sender[:2])
            except Exception as e:
                log.error("OSC: a datagram of %d bytes from %s met a mistake of ours: %s", len(data), sender[0], e)
                log.debug("OSC", exc_info=True)

    def send(self, packet: bytes, target: tuple[str, int]) -> None:
        """Send a datagram from this port, as well as can be. Any thread."""
        sock = self._socket
        if sock is not None:
            with contextlib.suppress(OSError):  # an unreachable receiver is not our trouble; UDP promises nothing
                sock.sendto(packet, target)

    def wake(self) -> None:
        """Make a blocked receive return, so that the thread sees that it is to stop."""
        sock = self._socket
        if sock is not None:
            with contextlib.suppress(OSError):  # closed meanwhile: nothing to wake
                host, port = sock.getsockname()[:2]
                self.send(b"", ({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port))


def _widen(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, FORCE, BUFFER)


def _set_timeout(sock: socket.socket, seconds: float) -> None:
    """The kernel's own receive timeout: Python's costs a system call for each datagram."""
    if sys.platform == "win32":
        sock.settimeout(seconds)
    else:
        value = struct.pack("@ll", int(seconds), int(seconds % 1.0 * 1e6))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, value)
