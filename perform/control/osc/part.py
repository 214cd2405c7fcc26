"""The part that a show's [osc] table opens."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from perform.control.osc.ahead import Ahead
from perform.control.osc.audience import Audience
from perform.control.osc.door import Door
from perform.control.osc.outbox import Outbox
from perform.control.osc.pattern import Patterns
from perform.control.osc.place import Place
from perform.control.osc.tcp import TcpPort
from perform.control.osc.udp import UdpPort
from perform.control.osc.words import Words
from perform.health import Status
from perform.params import Spec
from perform.plugins import Closing, Stage
from perform.workers import Worker, spawn

if TYPE_CHECKING:
    from perform.control.osc.query import QueryPort

STATUS = "/status/osc"
COUNT = "/status/osc/messages"
MOST_DRIFTERS = 64  # senders whose clocks are spoken of


@dataclass(slots=True)
class Osc(Closing):
    """Receives OSC, answers, and tells subscribers what changes.

    `listen` is "host:port" (loopback unless told otherwise: "0.0.0.0:9000" opens it to every network of the machine);
    `reply` the UDP port that answers go to at the sender's address (0: the listening port + 1); `tcp` True for the same
    port, False for none, or "host:port"; `query` likewise for the panel and OSCQuery, over HTTP and WebSocket (True:
    the TCP port after the listening one). `tell` are "address:port" of those who hear each change without subscribing.
    A port that is in use is said in the status and tried again every 2 s.
    """

    listen: str = "127.0.0.1:9000"
    reply: int = 0
    tcp: bool | str = True
    query: bool | str = True
    tell: tuple[str, ...] = ()
    _wall: Callable[[], float] = field(default=time.time, init=False, repr=False)  # Unix time, which timetags are in
    _desk: _Desk | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        Place.read(self.listen, "listen")
        for key, place in (("tcp", self.tcp), ("query", self.query)):
            if isinstance(place, str):
                Place.read(place, key)
        for text in self.tell:
            Place.read(text, "tell").reachable_from(Place.read(self.listen, "listen"))
        if not 0 <= self.reply <= 65535:
            raise ValueError(f"reply = {self.reply} is not a port: 1 to 65535, or 0 for the listening port + 1")
        if self.query is True and Place.read(self.listen, "listen").port == 65535:
            own = 'write query = "127.0.0.1:9001", a place of its own, or query = false'
            raise ValueError(f'listen = "{self.listen}": there is no port after 65535 for the panel (query): {own}')

    def places(self, udp: int = 0) -> Iterator[tuple[str, str, Place]]:
        """(key, "UDP" or "TCP", place) of each port that it listens at. Where `listen` leaves its port open (0), `tcp`
        follows to `udp`, the port that was found.
        """
        listen = Place.read(self.listen, "listen")
        yield "listen", "UDP", listen
        if self.tcp:
            same = Place(listen.host, listen.port or udp)
            yield "tcp", "TCP", Place.read(self.tcp, "tcp") if isinstance(self.tcp, str) else same
        if self.query:
            after = listen.next() if listen.port else listen
            yield "query", "TCP", Place.read(self.query, "query") if isinstance(self.query, str) else after

    @property
    def port(self) -> int:
        """The UDP port in use; 0 while there is none."""
        return self._desk.udp.port if self._desk else 0

    @property
    def tcp_port(self) -> int:
        """The TCP port in use; 0 while there is none."""
        return self._desk.tcp.port if self._desk and self._desk.tcp else 0

    @property
    def query_port(self) -> int:
        """The port of OSCQuery in use; 0 while there is none."""
        return self._desk.query.port if self._desk and self._desk.query else 0

    def declare(self, stage: Stage) -> None:
        """The status, and the count of what came."""
        Status(stage.params, STATUS)
        spec = Spec("float", 0.0, 0.0, doc="OSC datagrams and packets received.", readonly=True)
        stage.params.declare(COUNT, spec)

    def open(self, stage: Stage) -> Self:
        """Start to listen. Does not fail when a port cannot be had: the show plays, and the port is tried again."""
        self.close()
        self.declare(stage)
        self._desk = _Desk(stage, Status(stage.params, STATUS), self._wall)
        self._desk.open(self)
        return self

    def close(self) -> None:
        """Stop listening and let go of the ports."""
        desk, self._desk = self._desk, None
        if desk is not None:
            desk.close()


@dataclass(slots=True)
class _Desk:
    """Everything that is there while the part is open."""

    stage: Stage
    status: Status
    wall: Callable[[], float]
    udp: UdpPort = field(init=False)
    tcp: TcpPort | None = field(default=None, init=False)
    query: QueryPort | None = field(default=None, init=False)
    ahead: Ahead = field(init=False)
    outbox: Outbox = field(init=False)
    workers: list[Worker] = field(default_factory=list, init=False)
    troubles: dict[str, str] = field(default_factory=dict, init=False)
    drifters: set[str] = field(default_factory=set, init=False)
    counted: int = field(default=-1, init=False)
    left_out: int = field(default=0, init=False)

    def open(self, keys: Osc) -> None:
        place, reply = Place.read(keys.listen, "listen"), keys.reply
        params, patterns = self.stage.params, Patterns(self.stage.params)
        self.ahead = Ahead(self.stage.clock, self.wall)
        self.outbox = Outbox(params, Audience(patterns, reply, time.monotonic), self._send, time.monotonic, self._count)
        door = Door(params, patterns, self.ahead, self.outbox.ask, on_drift=self._drift)
        door.words = Words(params, patterns, self.outbox).table()
        self.udp = UdpPort(place, door.enter, functools.partial(self._say, "udp"))
        self.udp.bind()
        here = Place(place.host, place.port or self.udp.port)
        places = {key: there for key, _, there in keys.places(self.udp.port)}
        if "tcp" in places:
            self.tcp = TcpPort(places["tcp"], door.enter, functools.partial(self._say, "tcp"))
            self.tcp.bind()
        if "query" in places:
            self._open_query(places["query"], door)
        self.outbox.audience.keep((there.host, there.port) for there in (Place.read(t, "tell") for t in keys.tell))
        self.outbox.audience.reply_port = reply or here.next().port
        params.feeds += [self.ahead.due, self.outbox.release]
        params.on_settle += [port.on_settle for port in (self.outbox, self.query) if port]
        params.on_refuse.append(self.outbox.on_refuse)
        self.workers = [spawn("osc udp", self.udp.run), spawn("osc out", self.outbox.run)]
        if self.tcp:
            self.workers.append(spawn("osc tcp", self.tcp.run))
        if self.query:
            self.workers.append(spawn("osc query", self.query.run))
        self._say("udp", self.troubles["udp"])

    def _open_query(self, place: Place, door: Door) -> None:
        try:
            from perform.control.osc.query import QueryPort  # a web server: only shows that are open need one
        except ImportError as e:  # a checkout that is newer than what was installed for it
            return self._say("query", f"no panel and no OSCQuery: {e} (pip install -e . brings it)")
        say = functools.partial(self._say, "query")
        self.query = QueryPort(self.stage.params, place, door.enter, say, lambda: self.udp.port)
        self.query.bind()
        return None

    def close(self) -> None:
        params = self.stage.params
        params.feeds[:] = [f for f in params.feeds if f not in (self.ahead.due, self.outbox.release)]
        listening = [port.on_settle for port in (self.outbox, self.query) if port]
        params.on_settle[:] = [f for f in params.on_settle if f not in listening]
        params.on_refuse[:] = [f for f in params.on_refuse if f != self.outbox.on_refuse]
        for worker in self.workers:
            worker.stop.set()
        self.udp.wake()
        self.outbox.close()
        ports = [port for port in (self.tcp, self.query) if port]
        for port in ports:
            port.wake()
        for worker in self.workers:
            worker.close()
        for port in ports:
            port.close()

    def _send(self, packet: bytes, target: tuple[str, int]) -> None:
        self.udp.send(packet, target)

    def _say(self, port: str, trouble: str) -> None:
        self.troubles[port] = trouble
        if not self.workers:  # still opening: said once, when both ports have been tried
            return
        here = [f"UDP {Place(self.udp.place.host, self.udp.port)}"] if self.udp.port else []
        if self.tcp and self.tcp.port:
            here.append(f"TCP {Place(self.tcp.place.host, self.tcp.port)}")
        where = f"listening at {' and '.join(here)}, answers go to UDP port {self.outbox.audience.reply_port}"
        if self.query and self.query.port:
            where += f", panel and OSCQuery at {Place(self.query.place.host, self.query.port).url()}"
        troubles = list(filter(None, self.troubles.values()))
        self.status.say("; ".join([*troubles, where] if here else troubles), trouble=bool(troubles))

    def _drift(self, sender: object, seconds: float) -> None:
        host = str(sender[0]) if isinstance(sender, tuple) else getattr(sender, "peer", "a peer").rpartition(":")[0]
        if host not in self.drifters and len(self.drifters) < MOST_DRIFTERS:
            self.drifters.add(host)
            text = f"the clock of {host} is {seconds:.0f} s ahead of ours: its bundles play at once"
            self.status.say(text, trouble=True)

    def _count(self) -> None:
        lost, self.left_out = self.outbox.lost - self.left_out, self.outbox.lost
        trouble = "answers are asked for faster than they can be sent: some are left out" if lost else ""
        if trouble != self.troubles.get("answers", ""):
            self._say("answers", trouble)
        count = sum(port.messages for port in (self.udp, self.tcp, self.query) if port)
        if count != self.counted:
            self.counted = count
            self.stage.params.publish(COUNT, count)
