"""Where to listen: "host:port" as shows write it, and a socket there or one sentence why not."""

from __future__ import annotations

import errno
import ipaddress
import socket
from dataclasses import dataclass

WAITING = 64  # connections that may wait to be taken


class PortError(OSError):
    """A place where one cannot listen now; the text is one sentence."""


@dataclass(frozen=True, slots=True)
class Place:
    """An address to listen at. `host` "" or "*" means every network of this machine; port 0 takes a free one."""

    host: str
    port: int

    @classmethod
    def read(cls, text: str, key: str) -> Place:
        """From "host:port", ":port", "port" or "[::1]:port". Raises ValueError with a sentence that names the key."""
        host, colon, port = text.strip().rpartition(":")
        host = host.strip("[]") if colon else "127.0.0.1"
        if "/" in host or not port.isascii() or not port.isdigit() or int(port) > 65535:
            raise ValueError(f'{key} = "{text}" is not a place to listen: write "127.0.0.1:9000" or "0.0.0.0:9000"')
        return cls("0.0.0.0" if host in ("", "*") else host, int(port))

    def next(self) -> Place:
        """The next port of the same host."""
        return Place(self.host, min(self.port + 1, 65535))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def reachable_from(self, here: Place) -> None:
        """Whether datagrams from `here` go there. Raises ValueError with a sentence, also if it is none to send to."""
        try:
            loopback = ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            raise ValueError(f'tell: {self.host!r} is no address: write it in numbers, "192.168.0.7:9001"') from None
        if not self.port or self.host == "0.0.0.0":
            raise ValueError(f'tell: "{self}" is nobody: write an address and a port, "192.168.0.7:9001"')
        if not loopback and (here.host in ("localhost", "::1") or here.host.startswith("127.")):
            raise ValueError(f'tell: "{self}" is another machine, for which it takes listen = "0.0.0.0:{here.port}"')

    def url(self) -> str:
        """Where a browser finds it: for every network, this machine's address in the one that leads on."""
        host = self.host
        if host in ("0.0.0.0", "::"):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                try:
                    probe.connect(("192.0.2.1", 9))  # sends nothing; the address is one of those kept for examples
                    host = str(probe.getsockname()[0])
                except OSError:  # no network yet
                    host = socket.gethostname()
        return f"http://{Place(host, self.port)}"

    def bind(self, kind: socket.SocketKind) -> socket.socket:
        """A bound socket (SOCK_DGRAM), or one that listens, too (SOCK_STREAM). Raises PortError."""
        protocol = "UDP" if kind == socket.SOCK_DGRAM else "TCP"
        try:
            found = socket.getaddrinfo(self.host, self.port, type=kind)
            family, _, _, _, where = min(
                found, key=lambda f: f[0] != socket.AF_INET
            )  # "localhost" means 127.0.0.1 first
            sock = socket.socket(family, kind)
        except OSError as e:
            raise PortError(f"cannot listen at {self}: {e.strerror or e}") from e
        try:
            if kind == socket.SOCK_STREAM and hasattr(socket, "SO_REUSEPORT"):  # not Windows, where it would steal
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(where)
            if kind == socket.SOCK_STREAM:  # here: on some systems two may bind one port, and only one listen
                sock.listen(WAITING)
        except OSError as e:
            sock.close()
            raise PortError(self._why(protocol, e)) from e
        return sock

    def _why(self, protocol: str, e: OSError) -> str:
        if e.errno == errno.EADDRINUSE:
            return (
                f"{protocol} port {self.port} is in use by another program: close that, or choose another port in [osc]"
            )
        if e.errno == errno.EADDRNOTAVAIL:
            return f'this machine has no address {self.host} (yet): write "0.0.0.0:{self.port}" for all its networks'
        if e.errno == errno.EACCES:
            return f"{protocol} port {self.port} needs more rights than this program has: choose one above 1023"
        return f"cannot listen at {self} ({protocol}): {e.strerror or e}"
