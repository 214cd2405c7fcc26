"""The smallest RTSP camera: H.264 in RTP (RFC 6184) inside the RTSP connection itself (RFC 2326, 10.12)."""

from __future__ import annotations

import contextlib
import itertools
import re
import socket
import struct
import threading

import av
import numpy as np

SDP = (
    "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=control:*\r\n"
    "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:track0\r\n"
)


def access_units(color: tuple[int, int, int], size: tuple[int, int], frames: int) -> list[list[bytes]]:
    """One colour as NAL units, picture by picture; each can be decoded by itself. HD is BT.709, and does not say so."""
    context = av.CodecContext.create("libx264", "w")
    context.width, context.height, context.pix_fmt = *size, "yuv420p"
    context.framerate, context.gop_size = 30, 1
    context.options = {"preset": "ultrafast", "tune": "zerolatency", "crf": "10"}
    pixels = np.full((size[1], size[0], 3), color, np.uint8)
    units = []
    matrix = "ITU709" if size[1] >= 720 else "ITU601"
    for n in range(frames):
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p", dst_colorspace=matrix)
        frame.pts = n
        for packet in context.encode(frame):
            units.append([nal for nal in re.split(rb"\x00{2,3}\x01", bytes(packet)) if nal])
    return units


class RtspServer:
    """Serves `frames` pictures of one colour again and again, until it is killed or (`silent_after` that many pictures)
    says nothing more."""

    def __init__(
        self,
        color: tuple[int, int, int],
        size: tuple[int, int] = (96, 64),
        silent_after: int | None = None,
        frames: int = 30,
    ) -> None:
        self.units = access_units(color, size, frames)
        self.silent_after = silent_after
        self.connections = 0
        self._stop = threading.Event()
        self._open: list[socket.socket] = []
        self._door = socket.create_server(("127.0.0.1", 0))
        self.url = f"rtsp://127.0.0.1:{self._door.getsockname()[1]}/live"
        threading.Thread(target=self._accept, daemon=True).start()

    def kill(self) -> None:
        self._stop.set()
        for connection in (self._door, *self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def __enter__(self) -> RtspServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._door.accept()
                self._open.append(connection)
                self.connections += 1
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), connection:
            reader = connection.makefile("rb")
            while not self._stop.is_set():
                method = reader.readline().split(b" ")[0].decode()
                head = dict(line.decode().strip().split(": ", 1) for line in iter(reader.readline, b"\r\n"))
                if self.silent_after == 0:
                    self._stop.wait(30.0)
                    return
                body = SDP if method == "DESCRIBE" else ""
                more = {
                    "OPTIONS": "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n",
                    "DESCRIBE": f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n",
                    "SETUP": "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n",
                }.get(method, "Session: 1\r\n")
                connection.sendall(f"RTSP/1.0 200 OK\r\nCSeq: {head['CSeq']}\r\n{more}\r\n{body}".encode())
                if method == "PLAY":
                    self._play(connection)
                    return

    def _play(self, connection: socket.socket) -> None:
        count = 0
        for picture, unit in enumerate(itertools.cycle(self.units)):
            if picture == self.silent_after:
                self._stop.wait(30.0)
                return
            for n, nal in enumerate(unit):
                marker = 0x80 if n == len(unit) - 1 else 0
                packet = struct.pack(">BBHII", 0x80, marker | 96, count & 0xFFFF, picture * 3000, 7) + nal
                connection.sendall(b"$\x00" + struct.pack(">H", len(packet)) + packet)
                count += 1
            if self._stop.wait(1 / 60):
                return
