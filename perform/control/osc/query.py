"""OSCQuery: other programs and browsers ask over HTTP what there is to play; they play and hear it over a WebSocket."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import posixpath
import socket
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus

from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from perform.control.osc import encode
from perform.control.osc.describe import choices, colour
from perform.control.osc.outbox import RATE, UNKNOWN
from perform.control.osc.pages import page, response, stranger, wants
from perform.control.osc.place import Place, PortError
from perform.params import Param, Params, Post, Spec

log = logging.getLogger(__name__)
MOST = 64  # WebSockets
OUTBOX = 256 * 1024  # bytes that may wait for a slow reader; what comes then is lost to it
LONGEST = 256 * 1024  # bytes of a message
IDLE = 0.25  # seconds between looks at the tree
AGAIN = 2.0  # seconds between attempts to get the port
GOODBYE = 0.5  # seconds for a peer to answer that the connection ends


@dataclass(slots=True, eq=False)
class Peer:
    """One WebSocket, as a sender of OSC: what it asks for, and mistakes, come back to it. `send` from any thread."""

    web: ServerConnection
    loop: asyncio.AbstractEventLoop
    open: bool = True
    dropped: int = 0
    wants: dict[str, str] = field(default_factory=dict)  # what it listens to -> whose address that is now
    owed: set[str] = field(default_factory=set)  # what has changed there, and was not said yet

    @property
    def peer(self) -> str:
        """Who it is, for the log: "192.168.0.7:50123"."""
        host, port = self.web.remote_address[:2]
        return f"{host}:{port}"

    @property
    def full(self) -> bool:
        """Whether it does not read, so that what waits for it is kept short."""
        return bool(self.web.transport.get_write_buffer_size() > OUTBOX)

    def send(self, packet: bytes) -> None:
        """Queue an OSC packet; dropped if the peer does not read."""
        with contextlib.suppress(RuntimeError):  # the loop has just ended, and the connection with it
            self.loop.call_soon_threadsafe(self.put, packet)

    def put(self, packet: bytes | str) -> None:
        """The same, on the port's thread."""
        if self.full:
            self.dropped += 1
        else:
            broadcast((self.web,), packet)

    def look_again(self, params: Params) -> None:
        """Addresses have come or gone: a layer's number may mean another one now."""
        for path, before in self.wants.items():
            param = params.find(path)
            self.wants[path] = param.address if param is not None else ""
            if self.wants[path] not in ("", before):
                self.owed.add(path)

    def tell(self, params: Params) -> None:
        """Say what is owed, each with its value of now. Who does not read hears it later, when it is another."""
        while self.owed and not self.full:
            path = self.owed.pop()
            if (param := params.find(path)) is not None and param.spec.kind != "trigger":
                broadcast((self.web,), _packet(path, param))


@dataclass(slots=True)
class QueryPort:
    """HTTP and WebSocket at one place; keeps trying while that cannot be had. `messages` counts OSC packets.

    `enter(packet, peer)` is called on this port's thread, `say(text)` hears how it goes, "" for well. `osc_port` gives
    the UDP port that clients are told of.
    """

    params: Params
    place: Place
    enter: Callable[[bytes, object], None]
    say: Callable[[str], None]
    osc_port: Callable[[], int]
    messages: int = 0
    peers: set[Peer] = field(default_factory=set)
    _socket: socket.socket | None = None
    _loop: asyncio.AbstractEventLoop | None = None
    _woken: asyncio.Event | None = None
    _changed: deque[tuple[Param, object]] = field(default_factory=lambda: deque(maxlen=20_000))
    _version: int = -1
    _known: dict[str, object] = field(default_factory=dict)  # addresses, and what each takes

    @property
    def port(self) -> int:
        """The port in use; 0 while there is none."""
        return int(self._socket.getsockname()[1]) if self._socket is not None else 0

    def bind(self) -> bool:
        """Try to get the port now."""
        try:
            self._socket = self.place.bind(socket.SOCK_STREAM)
        except PortError as why:
            self.say(f"OSCQuery: {why}; trying again")
            return False
        self.say("")
        return True

    def on_settle(self, param: Param, origin: object) -> None:
        """A base has changed. Render thread."""
        if self.peers and param.spec.kind != "trigger":
            self._changed.append((param, origin))

    def wake(self) -> None:
        """Make the thread look up. Any thread."""
        if self._loop is not None and self._woken is not None:
            with contextlib.suppress(RuntimeError):  # it has ended already
                self._loop.call_soon_threadsafe(self._woken.set)

    def run(self, stop: threading.Event) -> None:
        """Serve until told to stop. The worker's function."""
        while not stop.is_set():
            if self._socket is None and not self.bind():
                stop.wait(AGAIN)
                continue
            try:
                asyncio.run(self._serve(stop))
            finally:
                self.close()

    def close(self) -> None:
        """Let go of the port. After the worker has stopped."""
        sock, self._socket = self._socket, None
        if sock is not None:
            sock.close()

    # ------------------------------------------------------------------ the port's thread
    async def _serve(self, stop: threading.Event) -> None:
        self._loop, self._woken = asyncio.get_running_loop(), asyncio.Event()
        self._look_at_tree()
        server = await serve(
            self._talk, sock=self._socket, process_request=self._answer, server_header=None, compression=None,
            max_size=LONGEST, close_timeout=GOODBYE, logger=_QUIET,
        )  # fmt: skip
        looked = 0.0
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), 1.0 / RATE if self.peers else IDLE)
            if self._loop.time() - looked >= IDLE:
                looked = self._loop.time()
                self._look_at_tree()
            self._publish()
        server.close()
        with contextlib.suppress(TimeoutError):  # somebody has connected and says nothing
            await asyncio.wait_for(server.wait_closed(), GOODBYE)

    async def _talk(self, web: ServerConnection) -> None:
        """One WebSocket, for as long as it lasts."""
        peer = Peer(web, asyncio.get_running_loop())
        self.peers.add(peer)
        try:
            async for message in web:
                try:
                    self._take(message, peer)
                except Exception as e:
                    log.error("OSCQuery: a message from %s met a mistake of ours: %s", peer.peer, e)
                    log.debug("OSCQuery", exc_info=True)
                await asyncio.sleep(0)  # a flood would take all of this thread's time
        except ConnectionClosed:  # torn down, which is how most ends look
            pass
        finally:
            peer.open = False
            self.peers.discard(peer)

    def _take(self, message: str | bytes, peer: Peer) -> None:
        if isinstance(message, bytes):
            self.messages += 1
            return self.enter(message, peer)
        try:
            said = json.loads(message)
            command, data = str(said["COMMAND"]).upper(), str(said["DATA"])
        except (ValueError, TypeError, KeyError, RecursionError):
            why = 'is no command: they look like {"COMMAND": "LISTEN", "DATA": "/master/opacity"}'
            return self.params.refuse(Post("/listen", None, origin=peer), why)
        return self._command(command, data, peer)

    def _command(self, command: str, path: str, peer: Peer) -> None:
        """LISTEN and IGNORE. What is listened to is told at once: it may have changed since it was asked for."""
        param = self.params.find(path)
        if command not in ("LISTEN", "IGNORE"):
            why = f"there is no command {command[:40]!r}: there are LISTEN and IGNORE"
            self.params.refuse(Post("/listen", None, origin=peer), why)
        elif param is None:
            if command == "LISTEN":
                self.params.refuse(Post(path, None, origin=peer), UNKNOWN)
        elif command == "IGNORE":
            peer.wants.pop(path, None)
            peer.owed.discard(path)
        else:
            peer.wants[path] = param.address
            peer.owed.add(path)

    def _publish(self) -> None:
        last = {}
        for _ in range(len(self._changed)):
            param, origin = self._changed.popleft()
            last[param.address] = origin
        for peer in tuple(self.peers):
            if last:  # nobody hears an echo
                peer.owed |= {path for path, own in peer.wants.items() if own in last and last[own] is not peer}
            peer.tell(self.params)

    def _look_at_tree(self) -> None:
        """Say which branch has changed, if one has: a layer that an edit has brought, a patch with another input, the
        moods of another world. Looked at when nobody listens, too: who comes asks at once, and hears what changes then.
        """
        before, self._known = self._known, {param.address: _kept(param.spec) for param in self.params}
        changed = [a for a in before.keys() | self._known.keys() if before.get(a) != self._known.get(a)]
        if self._version != self.params.version:
            self._version = self.params.version
            for peer in self.peers:
                peer.look_again(self.params)
        if before and changed:
            path = posixpath.commonpath([posixpath.dirname(a) for a in changed])
            broadcast([peer.web for peer in self.peers], json.dumps({"COMMAND": "PATH_CHANGED", "DATA": path}))

    def _answer(self, web: ServerConnection, request: Request) -> Response | None:
        """What HTTP asks for, or None for what is to become a WebSocket."""
        try:
            why = stranger(request.headers)
        except ValueError as e:
            return response(HTTPStatus.BAD_REQUEST, f"This is no Host: {e}.")
        if why:
            return response(HTTPStatus.FORBIDDEN, why)
        if not wants(request, "Upgrade", "websocket"):
            return page(self.params, request, (self.osc_port(), self.port))
        full = len(self.peers) >= MOST
        return response(HTTPStatus.SERVICE_UNAVAILABLE, "There are too many connections.") if full else None


_QUIET = logging.Logger("websockets", logging.CRITICAL)  # each port scan and closed browser would be a stack trace


def _kept(spec: Spec) -> object:
    """What a parameter takes; its choices, too, where they change without anybody's declaring it anew."""
    return (spec, choices(spec)) if spec.live_choices else spec


def _packet(path: str, param: Param) -> bytes:
    """A parameter's value as OSC, of the type that `describe` says it has."""
    return encode.rgba(path, colour(param.base)) if param.spec.kind == "color" else encode.message(path, param.base)
