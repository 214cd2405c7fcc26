"""The whole part over real sockets on loopback."""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import threading
import time
from typing import Any

import pytest

from perform import __version__
from perform.control.cue import Cue
from perform.control.cues import Cues
from perform.control.osc import Osc
from perform.control.osc import part as part_module
from perform.control.osc.ahead import EPOCH
from perform.control.osc.audience import Seat
from perform.control.osc.outbox import ERRORS
from perform.params import Post
from perform.plugins import Stage

from .desk import DEADLINE, Desk, client_socket, open_desk, tree, wire


@pytest.fixture
def desk() -> Any:
    with open_desk() as desk:
        yield desk


def bundle(seconds_from_1900: float, *messages: bytes) -> bytes:
    tag = struct.pack(">Q", int(seconds_from_1900 * 2**32) or 1)
    return b"#bundle\0" + tag + b"".join(struct.pack(">i", len(m)) + m for m in messages)


@pytest.mark.parametrize(
    ("address", "args", "own", "value"),
    [
        ("/layer/dream/opacity", (0.25,), "/layer/dream/opacity", 0.25),
        ("/layer/1/opacity", (0,), "/layer/dream/opacity", 0.0),
        ("/LAYER/1/Opacity", (0.5,), "/layer/dream/opacity", 0.5),
        ("/layer/*/opacity", (0.5,), "/layer/ghost/opacity", 0.5),
        ("//opacity", ("0.5",), "/layer/ghost/opacity", 0.5),
        ("/layer/dream/on", (False,), "/layer/dream/on", False),
        ("/layer/dream/on", (0.0,), "/layer/dream/on", False),
        ("/layer/dream/world", ("Ocean",), "/layer/dream/world", "ocean"),
        ("/layer/dream/world", (1,), "/layer/dream/world", "ocean"),
        ("/layer/dream/world", ("ocean", 4.0), "/layer/dream/world", "ocean"),
        ("/master/tint", (1.0, 0.5, 0.0), "/master/tint", (1.0, 0.5, 0.0, 1.0)),
        ("/master/tint", (1.0, 0.5, 0.0, 0.5), "/master/tint", (1.0, 0.5, 0.0, 0.5)),
        ("/master/tint", ([1.0, 0.5, 0.0],), "/master/tint", (1.0, 0.5, 0.0, 1.0)),
        ("/master/tint", ("#000000",), "/master/tint", (0.0, 0.0, 0.0, 1.0)),
        ("/master/steps", (7.4,), "/master/steps", 7),
        ("/master/steps", ("+", 2), "/master/steps", 3),
        ("/master/steps", ("-", 5), "/master/steps", 0),
        ("/master/steps", ("a", 5), "/master/steps", 5),
        ("/title", ("héllo",), "/title", "héllo"),
    ],
)
def test_a_message_sets_a_parameter(desk: Desk, address: str, args: tuple[Any, ...], own: str, value: Any) -> None:
    assert desk.params[own].base != value
    desk.send(address, *args)
    desk.until(lambda: desk.params[own].base == value)
    assert desk.params.refused == 0


def test_answers_that_are_left_out_are_told_of_as_long_as_it_lasts(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perform.control.osc.outbox.WAITING", 0)
    outbox, text = desk.osc._desk.outbox, "asked for faster than they can be sent"  # type: ignore[union-attr]
    outbox.do(lambda: None)
    desk.until(lambda: text in str(desk.params["/status/osc"].base))
    desk.until(lambda: text not in str(desk.params["/status/osc"].base))


def test_an_osc_colour_is_a_colour(desk: Desk) -> None:
    desk.send_raw(b"/master/tint\0\0\0\0,r\0\0" + b"\xff\x00\x33\xff")
    desk.until(lambda: desk.params["/master/tint"].base == (1.0, 0.0, 0.2, 1.0))


@pytest.mark.parametrize(
    ("address", "args"),
    [
        ("/layer/1/opacity", (0.0, 2.0)),
        ("/layer/1/opacity", (0.0, 2, "linear")),
        ("/master/tint", (0.0, 0.0, 0.0, 1.0, 2.0)),
        ("/master/tint", (0.0, 0.0, 0.0, 2.0, "in")),
        ("/master/tint", ("#000000", 2.0, "out")),
    ],
)
def test_a_second_value_is_the_time_to_get_there(desk: Desk, address: str, args: tuple[Any, ...]) -> None:
    desk.send(address, *args)
    param = desk.params[address]
    desk.until(lambda: param.fade is not None)
    assert param.fade is not None
    assert param.fade.seconds == 2.0
    desk.params.settle(desk.clock.advance(1.0))
    first = param.base[0] if isinstance(param.base, tuple) else param.base
    assert 0.0 < first < 1.0
    desk.params.settle(desk.clock.advance(1.5))
    assert param.base in (0.0, (0.0, 0.0, 0.0, 1.0))


@pytest.mark.parametrize(
    ("address", "args", "words"),
    [
        ("/layer/1/opcity", (1.0,), "there is no such address; did you mean /layer/1/opacity?"),
        ("/layer/1/opacity", ("banana",), "takes a number, not the text 'banana'"),
        ("/layer/1/opacity", (b"blob",), "takes a number, not a blob"),
        ("/layer/1/opacity", (float("nan"),), "takes a finite number"),
        ("/layer/1/opacity", (1.0, float("nan")), "its time takes a finite number"),
        ("/layer/1/opacity", (1.0, "fast"), "takes seconds as its second value"),
        ("/layer/1/opacity", (1.0, 1.0, 5.0), "takes the name of an easing"),
        ("/layer/1/opacity", (1.0, 1.0, "bouncy"), "has no easing 'bouncy'"),
        ("/layer/1/opacity", (1.0, 2.0, "in", 3.0), "takes a value, a time and an easing, not 4 values"),
        ("/layer/1/world", ("atlantis",), "has no 'atlantis'; there are none, ocean"),
        ("/status/fps", (1.0,), "is read only"),
        ("/status/*", (1.0,), "is read only"),
        ("/nothing/*", (1.0,), "no address matches"),
        ("/layer/[1", (1.0,), "has a [ that is not closed"),
        ("/title", ("+", 1, 2, 3), "takes a value, a time and an easing, not 4 values"),
        ("/subscribe", (70000,), "takes a port from 1 to 65535"),
        ("/subscribe", ("/layer/[1",), "has a [ that is not closed"),
        ("/list", ("/layer/[1",), "has a [ that is not closed"),
    ],
)
def test_what_cannot_be_is_answered_with_an_error(desk: Desk, address: str, args: tuple[Any, ...], words: str) -> None:
    desk.send(address, *args)
    told, reason = desk.answer("/error").args
    assert told in (address, "/status/fps")
    assert words in reason
    assert desk.params.refused >= 1


def test_what_is_no_osc_is_counted_and_answered(desk: Desk) -> None:
    desk.send_raw(b"GET / HTTP/1.1\r\n\r\n")
    assert "not an OSC packet" in desk.answer("/error").args[1]


def test_an_error_repeats_no_more_of_an_address_than_anybody_reads(desk: Desk) -> None:
    desk.send("/" + "x" * 4000, 1.0)
    assert desk.answer("/error").args[0] == "/" + "x" * 255


def test_errors_are_few_however_many_mistakes_there_are(desk: Desk) -> None:
    began = time.monotonic()
    for n in range(300):
        desk.send("/layer/1/opacity", "banana")
        desk.send(f"/nowhere/{n}", 1.0)
        if n % 50 == 49:  # no more at once than any kernel's buffer holds
            desk.until(lambda sent=2 * (n + 1): desk.params.refused == sent)
    desk.send("/ping")
    heard: list[Any] = []
    desk.until(lambda: heard.extend(desk.heard()) or any(m.address == "/ping" for m in heard))
    told = len([m for m in heard if m.address == "/error"])
    assert 1 <= told <= ERRORS * (time.monotonic() - began + 1)
    assert told < 600


def test_another_servers_error_is_not_answered(desk: Desk) -> None:
    desk.send("/error", "/x", "there is no such address")
    desk.flush()
    assert desk.params.refused == 0


@pytest.mark.parametrize(
    ("address", "args"),
    [
        ("/layer/dream/opacity", (1.0,)),
        ("/layer/1/opacity", (1.0,)),
        ("/layer/1/on", (True,)),
        ("/layer/1/world", ("none",)),
        ("/master/tint", (1.0, 1.0, 1.0, 1.0)),
        ("/master/steps", (1,)),
        ("/title", ("",)),
        ("/status/fps", (60.0,)),
    ],
)
def test_no_value_asks_and_the_answer_has_the_same_address_and_type(
    desk: Desk, address: str, args: tuple[Any, ...]
) -> None:
    desk.send(address)
    answer = desk.answer(address).args
    assert (answer, [type(a) for a in answer]) == (args, [type(a) for a in args])


def test_a_question_mark_asks(desk: Desk) -> None:
    desk.send("/layer/1/opacity", "?")
    assert desk.answer("/layer/1/opacity").args == (1.0,)


def test_a_question_sees_what_was_posted_before_it(desk: Desk) -> None:
    for n in range(20):
        desk.send("/layer/1/opacity", n / 32)
        desk.send("/layer/1/opacity")
    last = 19 / 32
    answers: list[Any] = []
    desk.until(lambda: answers.extend(desk.heard()) or len(answers) == 20)
    assert answers[-1].args == (last,)
    assert all(m.args[0] >= n / 32 for n, m in enumerate(answers))


def test_a_question_sees_the_cue_that_was_fired_before_it(desk: Desk) -> None:
    with Cues((Cue("half", {"/layer/1/opacity": 0.5}),)).open(Stage(desk.params, desk.clock, "/cue", (64, 64))):
        desk.send("/cue/go")
        desk.send("/layer/1/opacity")
        assert desk.answer("/layer/1/opacity").args == (0.5,)


def test_a_pattern_asks_and_fires_nothing(desk: Desk) -> None:
    fired: list[str] = []
    desk.params["/panic"].on_change = lambda p: fired.append(p.address)
    desk.send("//*")
    seen: dict[str, Any] = {}
    desk.until(lambda: seen.update({m.address: m.args for m in desk.heard()}) or "/status/fps" in seen)
    assert "/layer/ghost/opacity" in seen
    assert "/panic" not in seen
    desk.send("/pan*")  # a trigger is all it matches
    assert "want their whole name" in str(desk.answer("/error").args)
    assert fired == []


def test_a_pattern_with_a_value_sets_and_fires_neither_panic_nor_snapshot(desk: Desk) -> None:
    fired: list[str] = []
    for address in ("/panic", "/cue/go"):
        desk.params[address].on_change = lambda p: fired.append(p.address)
    for pattern in ("/pan*", "/{panic,snapshot}"):
        desk.send(pattern, 1.0)
        assert "want their whole name" in str(desk.answer("/error").args)
    desk.send("/*", "on")  # a title, too, in this tree
    desk.send("//opacity", 0.5)
    desk.send("/cue/g?", 1)
    desk.until(lambda: fired)
    assert fired == ["/cue/go"]
    assert desk.params["/title"].value == "on"
    assert desk.params["/layer/ghost/opacity"].value == 0.5
    desk.send("/panic", 1)
    desk.until(lambda: len(fired) > 1)
    assert fired == ["/cue/go", "/panic"]


def test_triggers_fire_on_one_true_bang_and_nothing_but_not_on_zero(desk: Desk) -> None:
    fired: list[int] = []
    desk.params["/cue/go"].on_change = lambda p: fired.append(p.serial)
    for args in [(0,), (0.0,), (False,), (1,), (True,), ("bang",), (), (0.7,)]:
        desk.send("/cue/go", *args)
    desk.send_raw(b"/cue/go\0,I\0\0")
    desk.send("/cue/g?")
    desk.until(lambda: len(fired) >= 7)
    desk.flush()
    assert len(fired) == 7
    assert desk.params.refused == 0


def test_a_bundle_lands_in_one_frame_and_its_bad_part_does_not_cost_the_rest(desk: Desk) -> None:
    seen: list[tuple[float, float]] = []
    dream, ghost = desk.params["/layer/1/opacity"], desk.params["/layer/2/opacity"]
    messages = [wire("/layer/1/opacity", n / 100) for n in range(50)]
    desk.send_raw(bundle(0, *messages, wire("/nowhere", 1), b"/broken\0,f\0\0", wire("/layer/2/opacity", 0.5)))

    def look() -> bool:
        seen.append((dream.base, ghost.base))
        return ghost.base == 0.5

    desk.until(look)
    assert {(round(a, 3), b) for a, b in seen} == {(1.0, 1.0), (0.49, 0.5)}
    assert desk.params.refused == 2


def test_a_bundle_from_the_future_waits_for_its_frame(desk: Desk) -> None:
    now = 1_700_000_000.0
    desk.osc._desk.ahead.wall = lambda: now  # type: ignore[union-attr]
    param = desk.params["/layer/1/opacity"]
    began = desk.clock.now()
    desk.send_raw(bundle(EPOCH + now + 1.5, wire("/layer/1/opacity", 0.5)))
    desk.send_raw(bundle(EPOCH + now - 1.5, wire("/layer/2/opacity", 0.25)))
    desk.until(lambda: desk.params["/layer/2/opacity"].base == 0.25)
    desk.flush()
    assert param.base == 1.0
    held = desk.osc._desk.ahead  # type: ignore[union-attr]
    due = held._heap[0][0]
    assert began + 1.5 <= due <= desk.clock.now() + 1.5 + 1e-6
    desk.params.settle(desk.clock.advance(due - desk.clock.now() - 0.001))
    assert param.base == 1.0
    desk.params.settle(desk.clock.advance(0.001))
    assert param.base == 0.5


def test_a_bundle_from_a_clock_that_differs_plays_now_and_is_said_once(desk: Desk) -> None:
    desk.osc._desk.ahead.wall = lambda: 1_700_000_000.0  # type: ignore[union-attr]
    said: list[str] = []
    desk.params["/status/osc"].on_change = lambda p: said.append(p.base)
    for n in range(1, 6):
        desk.send_raw(bundle(EPOCH + 1_700_000_000.0 + 60.0, wire("/layer/1/opacity", n / 10)))
    desk.until(lambda: desk.params["/layer/1/opacity"].base == 0.5)
    desk.until(lambda: any("clock" in text for text in said))
    assert [text for text in said if "clock" in text] == [
        "the clock of 127.0.0.1 is 60 s ahead of ours: its bundles play at once"
    ]


def test_no_more_than_so_many_bundles_wait(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perform.control.osc.ahead.MOST", 1)
    desk.osc._desk.ahead.wall = lambda: 0.0  # type: ignore[union-attr]
    desk.send_raw(bundle(EPOCH + 1.0, wire("/layer/1/opacity", 0.5)))
    desk.send_raw(bundle(EPOCH + 1.0, wire("/layer/2/opacity", 0.5)))
    desk.until(lambda: desk.params["/layer/2/opacity"].base == 0.5)
    assert desk.params["/layer/1/opacity"].base == 1.0


def test_ping_and_version(desk: Desk) -> None:
    desk.send("/ping", 1, "two", 3.0, True, None, [1, 2], b"blob", 2**40)
    assert desk.answer("/ping").args == (1, "two", 3.0, True, None, 1, 2, b"blob", 2**40)
    desk.send_raw(b"/ping\0\0\0,bdI\0\0\0\0" + struct.pack(">id", 0, 1e300))  # an empty blob, more than a float32
    assert desk.answer("/ping").args == (b"\0", 1e300, float("inf"))
    desk.send("/version")
    assert desk.answer("/version").args == ("perform", __version__)


def test_two_servers_that_answer_each_other_do_not_spin(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perform.control.osc.words.PINGS", 5)
    began = time.monotonic()
    for _ in range(200):
        desk.send("/ping")
    desk.send("/version")
    answers: list[Any] = []
    desk.until(lambda: answers.extend(desk.heard()) or any(m.address == "/version" for m in answers))
    seconds = time.monotonic() - began + 2  # begun ones count
    assert 5 <= len([m for m in answers if m.address == "/ping"]) <= 5 * seconds


@pytest.mark.parametrize(
    ("args", "addresses"),
    [
        (("/layer/dream",), {"/layer/dream/opacity", "/layer/dream/on", "/layer/dream/world"}),
        (("//opacity",), {"/layer/dream/opacity", "/layer/ghost/opacity"}),
        (("/layer/1/opacity",), {"/layer/1/opacity"}),
    ],
)
def test_list_answers_addresses_with_kind_range_and_doc(desk: Desk, args: tuple[Any, ...], addresses: set[str]) -> None:
    desk.send("/list", *args)
    lines: list[Any] = []
    desk.until(lambda: lines.extend(desk.heard()) or (lines[-1:] and lines[-1].address == "/list/end"))
    assert {m.args[0] for m in lines[:-1]} == addresses
    assert lines[-1].args == (len(addresses),)


def test_list_of_everything_describes_every_kind(desk: Desk) -> None:
    desk.send("/list")
    lines: list[Any] = []
    desk.until(lambda: lines.extend(desk.heard()) or (lines[-1:] and lines[-1].address == "/list/end"))
    table = {m.args[0]: m.args[1:] for m in lines[:-1]}
    assert table["/layer/dream/opacity"] == ("float", "0..1", "How much.")
    assert table["/layer/dream/world"] == ("choice", "none|ocean", "")
    assert table["/status/fps"] == ("float (read only)", "", "")
    assert len(table) == len(list(desk.params))


# ---------------------------------------------------------------- subscriptions
def test_subscribers_hear_changes_and_nobody_hears_an_echo(desk: Desk) -> None:
    with client_socket() as fader, client_socket() as ear:
        desk.send("/subscribe", fader.getsockname()[1], sock=fader)
        desk.answer("/subscribe", fader)
        desk.send("/subscribe", ear.getsockname()[1], sock=fader)  # sent from elsewhere than where it listens
        desk.answer("/subscribe", ear)
        desk.send("/subscribe", sock=desk.client)
        desk.answer("/subscribe")
        desk.send("/layer/1/opacity", 0.5, sock=fader)
        assert desk.answer("/layer/dream/opacity").args == (0.5,)
        desk.send("/ping", sock=fader)
        heard = desk.heard(fader) + desk.heard(ear)
        assert [m for m in heard if m.address.endswith("opacity")] == []
        desk.send("/unsubscribe")
        desk.flush()
        desk.send("/layer/1/opacity", 0.75, sock=fader)
        desk.until(lambda: desk.params["/layer/1/opacity"].base == 0.75)
        desk.flush()
        assert [m for m in desk.heard() if m.address.endswith("opacity")] == []


def test_who_is_told_needs_no_subscription_and_cannot_lose_it() -> None:
    with client_socket() as surface, open_desk(tell=[f"127.0.0.1:{surface.getsockname()[1]}"]) as desk:
        desk.params.post("/layer/dream/opacity", 0.5)
        assert desk.answer("/layer/dream/opacity", surface).args == (0.5,)
        for word in ("/subscribe", "/unsubscribe"):
            desk.send(word, surface.getsockname()[1])
        desk.flush()
        desk.params.post("/layer/dream/opacity", 0.25)
        assert desk.answer("/layer/dream/opacity", surface).args == (0.25,)


def test_who_is_told_hears_nothing_of_what_its_own_machine_sent() -> None:
    seat = Seat(("192.168.0.7", 9001), ("192.168.0.7", 9001), "//*")
    assert not seat.hears(("192.168.0.7", 51234))
    assert seat.hears(("192.168.0.8", 51234))
    assert seat.hears(None)
    assert Seat(("127.0.0.1", 9001), ("127.0.0.1", 9001), "//*").hears(("127.0.0.1", 51234))


@pytest.mark.parametrize(
    ("told", "listen", "why"),
    [
        ("ipad.local:9001", "0.0.0.0:9000", "'ipad.local' is no address: write it in numbers"),
        ("192.168.0.7:0", "0.0.0.0:9000", '"192.168.0.7:0" is nobody'),
        ("9001", "9000", ""),
        ("192.168.0.7:9001", "9000", 'is another machine, for which it takes listen = "0.0.0.0:9000"'),
        ("192.168.0.7", "0.0.0.0:9000", "is not a place"),
    ],
)
def test_who_can_be_told(told: str, listen: str, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)) if why else contextlib.nullcontext():
        Osc(listen=listen, tell=(told,))


@pytest.mark.parametrize(("down", "up"), [(1.0, 0.0), (1, 0), (True, False)])
def test_a_button_subscribes_whoever_presses_it(desk: Desk, down: object, up: object) -> None:
    desk.send("/subscribe", down)
    assert desk.answer("/subscribe").args == (desk.client.getsockname()[1], 60.0, "//*")
    desk.send("/subscribe", up)
    desk.send("/layer/1/opacity")
    assert desk.answer("/layer/1/opacity").args == (1.0,)
    assert desk.params.refused == 0
    desk.send("/unsubscribe", up)
    desk.send("/ping")
    desk.answer("/ping")
    audience = desk.osc._desk.outbox.audience  # type: ignore[union-attr]
    assert audience
    desk.send("/unsubscribe", down)
    desk.until(lambda: not audience)


def test_a_subscription_may_be_to_a_pattern_and_hears_the_address_it_asked_for(desk: Desk) -> None:
    desk.send("/subscribe", "/layer/1/*")
    assert desk.answer("/subscribe").args == (desk.client.getsockname()[1], 60.0, "/layer/1/*")
    desk.params.post("/layer/ghost/opacity", 0.1)
    desk.params.post("/layer/dream/opacity", 0.2)
    got: list[Any] = []
    desk.until(lambda: got.extend(desk.heard()) or got)
    assert [m.address for m in got] == ["/layer/1/opacity"]


def test_the_last_value_wins_at_most_30_times_a_second(desk: Desk) -> None:
    desk.send("/subscribe", "/layer/*/opacity")
    desk.answer("/subscribe")
    began = time.monotonic()
    for n in range(2000):
        desk.params.post("/layer/dream/opacity", (n + 1) / 2000)
        desk.params.settle(desk.clock.advance(0.001))
    got: list[Any] = []
    desk.until(lambda: got.extend(desk.heard()) or (got and got[-1].args == (1.0,)))
    assert len(got) <= 30 * (time.monotonic() - began) + 2


def test_a_lease_runs_out(desk: Desk) -> None:
    audience = desk.osc._desk.outbox.audience  # type: ignore[union-attr]
    desk.send("/subscribe")
    desk.answer("/subscribe")
    assert audience
    audience.now = lambda: time.monotonic() + 61.0
    desk.params.post("/layer/dream/opacity", 0.2)
    desk.until(lambda: not audience)


def test_the_house_can_be_full(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perform.control.osc.audience.MOST", 1)
    desk.send("/subscribe", 50001)
    desk.send("/subscribe", 50002)
    desk.send("/unsubscribe", 50001)
    desk.send("/unsubscribe")
    desk.until(lambda: desk.params.refused == 1)


def test_everything_in_bulk_arrives(desk: Desk) -> None:
    """A burst of 5,000 messages: the kernel's buffer holds what the thread has not yet read. Where it may not be made
    large enough (a container's net.core.rmem_max) there are several bursts, of as many as it holds."""
    ears = desk.osc._desk.udp._socket  # type: ignore[union-attr]
    assert ears is not None
    room = min(5000, ears.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 1024)  # a small one takes 768 bytes
    for n in range(5000):
        desk.send("/master/steps", "+", 1)
        if n % 50 == 49:
            desk.params.settle(desk.clock.advance(0.01))
        if n % room == room - 1:
            desk.until(lambda sent=n + 1: desk.params["/status/osc/messages"].base >= sent)
    desk.until(lambda: desk.params["/status/osc/messages"].base >= 5000)


# ---------------------------------------------------------------- ports
def test_a_port_in_use_is_said_and_tried_again_until_it_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perform.control.osc.udp.AGAIN", 0.02)
    monkeypatch.setattr("perform.control.osc.tcp.AGAIN", 0.02)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
        udp.bind(("127.0.0.1", 0))
        port = udp.getsockname()[1]
        tcp.bind(("127.0.0.1", port))
        tcp.listen()
        with open_desk(listen=f"127.0.0.1:{port}") as desk:
            status = desk.params["/status/osc"]
            desk.until(lambda: f"UDP port {port} is in use by another program" in status.base)
            desk.until(lambda: f"TCP port {port} is in use" in status.base)  # each port speaks for itself
            assert (desk.osc.port, desk.osc.tcp_port) == (0, 0)
            udp.close()
            tcp.close()
            desk.until(lambda: status.base.startswith("listening at UDP") and "TCP" in status.base)
            desk.send("/layer/1/opacity", 0.5)
            desk.until(lambda: desk.params["/layer/1/opacity"].base == 0.5)


@pytest.mark.parametrize(
    ("listen", "words"),
    [
        ("192.0.2.1:9000", "this machine has no address 192.0.2.1"),
        ("no.such.host.invalid:9000", "cannot listen at no.such.host.invalid:9000"),
    ],
)
def test_a_place_that_is_not_there_is_said(listen: str, words: str) -> None:
    with open_desk(listen=listen) as desk:
        desk.until(lambda: words in desk.params["/status/osc"].base)


@pytest.mark.parametrize("keys", [{"listen": "here"}, {"listen": "a:99999"}, {"tcp": "there"}, {"reply": 70000}])
def test_keys_that_cannot_be_are_errors_in_words(keys: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"is not a (place to listen|port)"):
        Osc(**keys)


def test_the_answers_go_to_the_next_port_unless_told_otherwise() -> None:
    with open_desk(reply=0, tcp=False) as desk:
        assert f"answers go to UDP port {desk.osc.port + 1}" in desk.until(lambda: desk.params["/status/osc"].base)
        assert desk.osc.tcp_port == 0


def test_tcp_may_have_a_place_of_its_own_and_ipv6_works() -> None:
    with open_desk(listen="[::1]:0", tcp="127.0.0.1:0") as desk:
        assert desk.osc.tcp_port not in (0, desk.osc.port)
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
            sock.sendto(wire("/layer/1/opacity", 0.5), ("::1", desk.osc.port))
            desk.until(lambda: desk.params["/layer/1/opacity"].base == 0.5)


def test_closed_it_leaves_nothing_behind_and_can_be_opened_again() -> None:
    params = tree()
    for _ in range(3):
        before = set(threading.enumerate())  # those of other tests may end meanwhile
        with open_desk(params) as desk:
            assert len(set(threading.enumerate()) - before) == 4
            desk.osc.close()
            desk.osc.close()
            desk.until(lambda before=before: not set(threading.enumerate()) - before)
        assert (params.feeds, params.on_settle, params.on_refuse) == ([], [], [])
    assert part_module.STATUS in params


def test_posts_carry_who_sent_them(desk: Desk) -> None:
    origins: list[object] = []
    desk.params.on_settle.append(lambda p, origin: origins.append(origin) if "layer" in p.address else None)
    desk.send("/layer/1/opacity", 0.5)
    desk.until(lambda: origins)
    assert origins == [desk.client.getsockname()]


def test_a_refusal_of_somebody_else_is_not_ours_to_answer(desk: Desk) -> None:
    desk.params.post_all([Post("/nowhere", 1, origin="midi"), Post("/nowhere", 1)])
    desk.params.settle(0.0)
    desk.flush()
    assert [m for m in desk.heard() if m.address == "/error"] == []


def test_without_frames_it_still_answers_ping(desk: Desk) -> None:
    desk.send("/ping", 1)
    end = time.monotonic() + DEADLINE
    while not (heard := desk.heard()):
        assert time.monotonic() < end
        time.sleep(0.001)
    assert heard[0].args == (1,)
