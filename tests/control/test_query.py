"""OSCQuery: what a stranger's program is told over HTTP, and what it hears and plays over a WebSocket."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from perform.control.osc import Osc, query
from perform.control.osc.packet import Message, decode
from perform.control.osc.pages import PANEL
from perform.params import Spec
from perform.workers import lingering

from .desk import Desk, open_desk, tree, wire


@pytest.fixture
def desk() -> Iterator[Desk]:
    with open_desk() as desk:
        yield desk


def get(desk: Desk, target: str, **headers: str) -> tuple[int, Any]:
    """(status, what came: JSON or text)."""
    asked = urllib.request.Request(f"http://127.0.0.1:{desk.osc.query_port}{target}", headers=headers)
    try:
        with urllib.request.urlopen(asked) as answer:
            status, kind, body = answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as e:
        status, kind, body = e.code, e.headers["Content-Type"], e.read().decode()
    return status, json.loads(body) if kind.startswith("application/json") else body


def web(desk: Desk, **keys: Any) -> ClientConnection:
    return connect(f"ws://127.0.0.1:{desk.osc.query_port}/", **keys)


def listen(to: ClientConnection, path: str, command: str = "LISTEN") -> None:
    to.send(json.dumps({"COMMAND": command, "DATA": path}))


def heard(by: ClientConnection) -> Message:
    """The next OSC message on a WebSocket."""
    while isinstance(packet := by.recv(60.0), str):
        pass
    (message,) = decode(packet).messages
    return message


def test_the_root_tells_of_every_address(desk: Desk) -> None:
    found = {}

    def walk(node: dict[str, Any], path: str) -> None:
        assert node["FULL_PATH"] == (path or "/")
        if "TYPE" in node:
            found[path] = node
        for name, child in node.get("CONTENTS", {}).items():
            walk(child, f"{path}/{name}")

    walk(get(desk, "/")[1], "")
    assert found.keys() == {param.address for param in desk.params}
    assert {a: n["ACCESS"] for a, n in found.items() if n["ACCESS"] != 3} == {
        "/cue/go": 2, "/panic": 2, "/status/fps": 1, "/status/osc": 1, "/status/osc/messages": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/layer/dream/opacity", {"TYPE": "f", "RANGE": [{"MIN": 0.0, "MAX": 1.0}], "CLIPMODE": ["both"]}),
        ("/master/steps", {"TYPE": "i", "VALUE": [1], "RANGE": [{"MIN": 0, "MAX": 10}]}),
        ("/layer/dream/on", {"TYPE": "T", "VALUE": [True]}),
        ("/layer/dream/world", {"TYPE": "s", "VALUE": ["none"], "RANGE": [{"VALS": ["none", "ocean"]}]}),
        ("/master/tint", {"TYPE": "r", "VALUE": ["#FFFFFFFF"]}),
        ("/title", {"TYPE": "s", "VALUE": [""]}),
        ("/status/fps", {"TYPE": "f", "VALUE": [60.0], "CLIPMODE": ["none"]}),
        ("/status/osc/messages", {"RANGE": [{"MIN": 0.0}], "CLIPMODE": ["low"]}),
    ],
)  # fmt: skip
def test_each_kind_says_what_it_takes(desk: Desk, path: str, said: dict[str, Any]) -> None:
    status, node = get(desk, path)
    assert status == 200
    assert {key: node[key] for key in said} == said
    assert {key: get(desk, f"{path}?{key}")[1][key] for key in said} == said


def test_a_value_in_seconds_has_its_unit(desk: Desk) -> None:
    desk.params.declare("/layer/dream/crossfade", Spec("float", 3.0, 0.1, 60.0, curve="log", unit="s", doc="How long."))
    node = get(desk, "/layer/dream/crossfade")[1]
    assert (node["UNIT"], node["CURVE"], node["DESCRIPTION"]) == (["time.second"], "log", "How long.")
    desk.params.post("/layer/dream/crossfade", 5.0)
    desk.params.settle(1.0)
    node = get(desk, "/layer/dream/crossfade")[1]
    assert (node["VALUE"], node["DEFAULT_VALUE"]) == ([5.0], [3.0])


def test_a_layer_answers_to_its_number_and_in_any_case(desk: Desk) -> None:
    by_number = get(desk, "/layer/1")[1]
    assert by_number["CONTENTS"].keys() == get(desk, "/LAYER/Dream")[1]["CONTENTS"].keys() == {"opacity", "on", "world"}
    assert by_number["CONTENTS"]["on"]["FULL_PATH"] == "/layer/1/on"
    assert get(desk, "/LAYER/Dream/on")[1]["FULL_PATH"] == "/layer/dream/on"


@pytest.mark.parametrize(
    ("target", "status", "said"),
    [
        ("/layer?TYPE", 200, {}),
        ("/layer?VALUE", 204, None),
        ("/cue/go?VALUE", 204, None),
        ("/title?%56ALUE", 200, {"VALUE": [""]}),
        ("//title", 404, None),
        ("/layer/dream/opacity?WEIGHT", 400, "There is no attribute WEIGHT."),
        ("/layer/drea", 404, "There is no such address."),
        ("/layer/drea?TYPE", 404, "There is no such address."),
        ("//", 200, None),
        ("/%00?%00", 404, None),
    ],
)
def test_other_questions(desk: Desk, target: str, status: int, said: object) -> None:
    came = get(desk, target)
    assert came[0] == status
    assert said is None or came[1] == said


def test_a_target_that_is_none_is_answered(desk: Desk) -> None:
    with socket.create_connection(("127.0.0.1", desk.osc.query_port)) as raw:
        raw.sendall(b"GET http://[::1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert raw.makefile().readline().startswith("HTTP/1.1 404 ")
    assert get(desk, "/", Host="[::1")[0] == 400


def test_only_get_is_answered(desk: Desk) -> None:
    with socket.create_connection(("127.0.0.1", desk.osc.query_port)) as raw:
        raw.sendall(b"HEAD / HTTP/1.1\r\nHost: localhost\r\nAccept: a\r\nAccept: b\r\n\r\n")
        assert raw.makefile().readline().startswith("HTTP/1.1 405 ")


def test_choices_that_lose_their_default_or_all_cost_no_more_than_that(desk: Desk) -> None:
    """Another world has other moods; a part may make a mistake."""

    def broken() -> tuple[str, ...]:
        raise KeyError("gone")

    moods = ["noon"]
    desk.params.declare("/layer/dream/mood", Spec("choice", "noon", live_choices=lambda: moods))
    desk.params.declare("/layer/dream/size", Spec("choice", "m", live_choices=lambda: ["m"]))
    desk.params["/layer/dream/size"].spec = Spec("choice", "m", live_choices=broken)
    moods[:] = ["onyx"]
    status, root = get(desk, "/")
    assert status == 200
    mood = root["CONTENTS"]["layer"]["CONTENTS"]["dream"]["CONTENTS"]["mood"]
    assert (mood["RANGE"], "DEFAULT_VALUE" in mood) == ([{"VALS": ["onyx"]}], False)
    moods.clear()
    assert get(desk, "/layer/dream/mood")[1]["RANGE"] == [{"VALS": []}]


def test_the_host_says_where_it_listens(desk: Desk) -> None:
    said = get(desk, "/anything?HOST_INFO")[1]
    assert (said["OSC_PORT"], said["OSC_TRANSPORT"], said["WS_PORT"]) == (desk.osc.port, "UDP", desk.osc.query_port)
    assert said["NAME"].startswith("perform")
    assert said["EXTENSIONS"].keys() >= {"LISTEN", "PATH_CHANGED", "VALUE", "RANGE"}
    assert f"http://127.0.0.1:{desk.osc.query_port}" in desk.params.said["/status/osc"]


def test_a_listener_hears_what_is_so_and_what_changes(desk: Desk) -> None:
    with web(desk) as one:
        listen(one, "/layer/1/opacity")
        assert heard(one)[:2] == ("/layer/1/opacity", (1.0,))
        desk.send("/layer/dream/opacity", 0.5)
        desk.until(lambda: desk.params["/layer/1/opacity"].base == 0.5)
        assert heard(one)[:2] == ("/layer/1/opacity", (0.5,))
        listen(one, "/layer/1/opacity", "IGNORE")
        listen(one, "/master/tint")
        assert heard(one)[:2] == ("/master/tint", ((1.0, 1.0, 1.0, 1.0),))  # of type r, as it is said to be
        desk.params.post("/layer/dream/opacity", 0.25)
        desk.params.post("/master/tint", (1.0, 0.0, 0.0))
        desk.params.settle(desk.clock.advance(1.0))
        assert heard(one)[:2] == ("/master/tint", ((1.0, 0.0, 0.0, 1.0),))  # and nothing of the opacity


def test_an_address_and_its_alias_are_two_and_a_number_may_come_to_mean_another_layer(desk: Desk) -> None:
    desk.params.declare("/layer/dream/mix", Spec("float", 0.25))
    desk.params.declare("/layer/ghost/mix", Spec("float", 0.75))
    desk.params.alias("/layer/9", "/layer/dream")
    with web(desk) as one:
        for path in ("/layer/9/mix", "/layer/dream/mix"):
            listen(one, path)
            assert heard(one)[:2] == (path, (0.25,))
        listen(one, "/layer/dream/mix", "IGNORE")
        desk.params.alias("/layer/9", "/layer/ghost")
        assert heard(one)[:2] == ("/layer/9/mix", (0.75,))
        desk.params.post("/layer/dream/mix", 0.5)
        desk.params.post("/layer/ghost/mix", 1.0)
        desk.params.settle(desk.clock.advance(1.0))
        assert heard(one)[:2] == ("/layer/9/mix", (1.0,))


def test_a_websocket_plays_and_hears_no_echo(desk: Desk) -> None:
    with web(desk) as one, web(desk) as two:
        for each in (one, two):
            listen(each, "/layer/dream/opacity")
            heard(each)
        one.send(wire("/layer/dream/opacity", 0.5))
        desk.until(lambda: desk.params["/layer/dream/opacity"].base == 0.5)
        assert heard(two)[1] == (0.5,)
        one.send(wire("/layer/dream/opcity", 1.0))  # what comes back first is this, and no echo
        assert heard(one)[:2] == (
            "/error",
            ("/layer/dream/opcity", "there is no such address; did you mean /layer/dream/opacity?"),
        )
        one.send(wire("/layer/dream/opacity"))
        asked: list[Message] = []
        desk.until(lambda: asked or _peek(one, asked))
        assert asked[0][:2] == ("/layer/dream/opacity", (0.5,))


def _peek(by: ClientConnection, into: list[Message]) -> bool:
    try:
        packet = by.recv(0)
    except TimeoutError:
        return False
    into += decode(packet).messages if isinstance(packet, bytes) else []
    return bool(into)


@pytest.mark.parametrize(
    "said",
    [
        *("", "{", "[]", "null", "[" * 100_000, '{"COMMAND": "LISTEN"}'),
        '{"COMMAND": "SING", "DATA": "/title"}',
        '{"COMMAND": "LISTEN", "DATA": "/no"}',
    ],
)
def test_what_is_no_command_is_refused_and_the_rest_goes_on(desk: Desk, said: str) -> None:
    with web(desk) as one:
        one.send(said)
        assert heard(one).address == "/error"
        listen(one, "/title")
        assert heard(one).address == "/title"
    assert desk.params.refused == 1


def test_what_changes_right_after_somebody_came_is_told(desk: Desk) -> None:
    desk.until(lambda: desk.osc._desk and desk.osc._desk.query and "/title" in desk.osc._desk.query._known)
    with web(desk) as one:
        get(desk, "/")
        desk.params.declare("/layer/ghost/on", Spec("bool", True))
        assert json.loads(one.recv(60.0)) == {"COMMAND": "PATH_CHANGED", "DATA": "/layer/ghost"}


def test_a_branch_that_comes_or_goes_is_told(desk: Desk) -> None:
    with web(desk) as one:
        listen(one, "/title")
        heard(one)  # the tree that there was is known by now, or soon
        desk.until(lambda: desk.osc._desk and desk.osc._desk.query and "/title" in desk.osc._desk.query._known)
        desk.params.declare("/layer/ghost/on", Spec("bool", True))
        desk.params.declare("/layer/ghost/solo", Spec("bool", False))
        assert json.loads(one.recv(60.0)) == {"COMMAND": "PATH_CHANGED", "DATA": "/layer/ghost"}
        moods = ["noon"]
        desk.params.declare("/layer/ghost/mood", Spec("choice", "noon", live_choices=lambda: moods))
        assert json.loads(one.recv(60.0)) == {"COMMAND": "PATH_CHANGED", "DATA": "/layer/ghost"}
        moods.append("onyx")  # nobody declares anything
        assert json.loads(one.recv(60.0)) == {"COMMAND": "PATH_CHANGED", "DATA": "/layer/ghost"}
        desk.params.remove("/layer/ghost")
        desk.params.remove("/layer/dream/on")
        assert json.loads(one.recv(60.0)) == {"COMMAND": "PATH_CHANGED", "DATA": "/layer"}


@pytest.mark.parametrize("host", ["show.example.com:9001", "rebound.attacker.net"])
def test_another_sites_name_is_refused(desk: Desk, host: str) -> None:
    assert get(desk, "/", Host=host)[0] == 403


@pytest.mark.parametrize(
    "host", ["127.0.0.1:9001", "localhost:9001", "[::1]:9001", "gallery.local", "gallery", "192.168.0.7"]
)
def test_a_local_name_is_taken(desk: Desk, host: str) -> None:
    assert get(desk, "/", Host=host)[0] == 200


def test_another_sites_page_may_not_play(desk: Desk) -> None:
    for origin in ("https://example.com", "null"):
        with pytest.raises(InvalidStatus, match="403"), web(desk, origin=origin):
            pass
    with web(desk, origin=f"http://127.0.0.1:{desk.osc.query_port}") as ours:
        ours.send(wire("/title", "ours"))
        desk.until(lambda: desk.params["/title"].base == "ours")


def test_there_are_so_many_seats_and_no_more(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query, "MOST", 1)
    with web(desk) as one:
        listen(one, "/title")
        heard(one)
        with pytest.raises(InvalidStatus, match="503"), web(desk):
            pass


def test_who_does_not_read_loses_what_comes_and_hears_how_it_is_then(monkeypatch: pytest.MonkeyPatch) -> None:
    params, waiting, said = tree(), [query.OUTBOX + 1], []
    monkeypatch.setattr(query, "broadcast", lambda to, packet: said.append(packet))
    web = SimpleNamespace(transport=SimpleNamespace(get_write_buffer_size=lambda: waiting[0]))
    peer = query.Peer(web, SimpleNamespace(), owed={"/title"})  # type: ignore[arg-type]
    peer.put(b"more")
    peer.tell(params)
    assert (peer.dropped, said) == (1, [])
    params.post("/title", "the last")
    params.settle(1.0)
    waiting[0] = 0
    peer.tell(params)
    assert said == [wire("/title", "the last")]


def test_a_port_that_is_taken_is_said_and_had_again_when_it_is_free() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with open_desk(query=f"127.0.0.1:{port}") as desk:
            assert f"OSCQuery: TCP port {port} is in use" in desk.params.said["/status/osc"]
            assert desk.osc.query_port == 0
            desk.send("/title", "played")
            desk.until(lambda: desk.params["/title"].base == "played")
            taken.close()
            desk.until(lambda: desk.osc.query_port == port)
            assert get(desk, "/title?VALUE")[1] == {"VALUE": ["played"]}


def test_closing_lets_go_of_the_port_with_somebody_there() -> None:
    with open_desk() as desk:
        port = desk.osc.query_port
        with web(desk) as one:
            desk.osc.close()
            with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
                pass
            assert not list(one)  # it has been closed, too
    assert not desk.params.on_settle


@pytest.mark.parametrize("said", [b"", b"GET / HT"])
def test_closing_waits_for_nobody_who_says_nothing(said: bytes) -> None:
    with open_desk() as desk, socket.create_connection(("127.0.0.1", desk.osc.query_port)) as quiet:
        quiet.sendall(said)
        get(desk, "/title")  # the one before has been taken by now
        desk.osc.close()
        assert "osc query" not in lingering()


def test_none_is_opened_where_none_is_wanted() -> None:
    with open_desk(query=False) as desk:
        assert desk.osc.query_port == 0
        assert "OSCQuery" not in desk.params.said["/status/osc"]
    with pytest.raises(ValueError, match="query"):
        Osc(query="here")


def test_without_its_library_osc_plays_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "perform.control.osc.query", None)
    with open_desk() as desk:
        assert "no panel and no OSCQuery" in desk.params.said["/status/osc"]
        desk.send("/title", "played")
        desk.until(lambda: desk.params["/title"].base == "played")


def test_a_browser_gets_the_panel_and_a_program_the_tree(desk: Desk) -> None:
    page = get(desk, "/", Accept="text/html,*/*")[1]
    assert page.startswith("<!doctype html>")
    assert page == get(desk, "/?HTML")[1]
    assert "CONTENTS" in get(desk, "/", Accept="*/*")[1]
    assert not re.findall(r"src=|https?://|@import|url\(", page)  # it loads nothing from anywhere


CODEC = """
const hex = (b) => Buffer.from(b).toString("hex");
const back = (b) => read(b.buffer.slice(b.byteOffset, b.byteOffset + b.length));
const sent = JSON.parse(process.argv[1]);
console.log(JSON.stringify({
  plain: sent.map(([path, args]) => hex(message(path, args))),
  bundle: hex(bundle(sent.map(([path, args]) => message(path, args)))),
  back: sent.map(([path, args]) => back(message(path, args))),
}));
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not here")
def test_the_panel_speaks_osc() -> None:
    script = PANEL.read_text("utf-8").partition('"use strict";')[2].partition("const send = ")[0]
    values: list[tuple[str, list[list[Any]], tuple[Any, ...]]] = [
        ("/a", [["f", 0.5], ["f", 2.0]], (0.5, 2.0)), ("/äö/b", [["s", "größer"]], ("größer",)),
        ("/abc", [["i", -7]], (-7,)), ("/t", [["T"]], (True,)), ("/abcdefg", [["F"]], (False,)),
    ]  # fmt: skip
    sent = json.dumps([[path, args] for path, args, _ in values])
    came = json.loads(subprocess.check_output(["node", "-e", script + CODEC, sent], timeout=60))
    packets = [wire(path, *args) for path, _, args in values]
    assert [bytes.fromhex(p) for p in came["plain"]] == packets
    assert [tuple(m[:2]) for m in decode(bytes.fromhex(came["bundle"])).messages] == [(p, a) for p, _, a in values]
    assert came["back"] == [[path, *args] for path, _, args in values]
