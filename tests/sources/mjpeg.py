"""A camera that can be unplugged: MJPEG over HTTP on loopback, from a thread, killed and started as a test likes."""

from __future__ import annotations

import contextlib
import io
import socket
import threading
from collections.abc import Callable, Iterator

from PIL import Image

Bytes = Callable[[], Iterator[bytes]]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\nConnection: close\r\n\r\n"


def jpeg(color: tuple[int, int, int], size: tuple[int, int] = (64, 48)) -> bytes:
    """One plain picture as JPEG."""
    out = io.BytesIO()
    Image.new("RGB", size, color).save(out, "JPEG", quality=95, subsampling=0)
    return out.getvalue()


def part(picture: bytes) -> bytes:
    head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
    return head.encode() + picture + b"\r\n"


class Server:
    """Answers each connection with an HTTP head and what `body()` yields, one item each 1/rate seconds.

    `kill` closes the door and every connection at once; `start` opens again on the same port.
    """

    def __init__(self, body: Bytes, rate: float = 60.0, head: bytes | None = None) -> None:
        self.body = body
        self.rate = rate
        self.head = HEAD if head is None else head
        self.connections = 0
        self.port = 0
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._door: socket.socket | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/cam.mjpg"

    def start(self) -> Server:
        self._stop = threading.Event()
        self._door = socket.create_server(("127.0.0.1", self.port), reuse_port=False)
        self.port = self._door.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._door, self._stop), daemon=True).start()
        return self

    def kill(self) -> None:
        self._stop.set()
        with self._lock:
            gone, self._open = self._open, set()
        for connection in ([self._door] if self._door else []) + list(gone):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        self._door = None

    def __enter__(self) -> Server:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.kill()

    def _accept(self, door: socket.socket, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                connection, _ = door.accept()
            except OSError:
                return
            with self._lock:
                self._open.add(connection)
                self.connections += 1
            threading.Thread(target=self._serve, args=(connection, stop), daemon=True).start()

    def _serve(self, connection: socket.socket, stop: threading.Event) -> None:
        with contextlib.suppress(OSError), connection:
            connection.recv(65536)
            connection.sendall(self.head)
            for item in self.body():
                connection.sendall(item)
                if stop.wait(1.0 / self.rate):
                    return
