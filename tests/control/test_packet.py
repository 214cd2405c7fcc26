"""The decoder: every row of the table of what breaks python-osc, python-osc as the oracle, and noise."""

from __future__ import annotations

import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pythonosc.osc_bundle_builder import OscBundleBuilder
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

from perform.control.osc.packet import DEEPEST, MOST, Message, decode

NOW = b"#bundle\0" + struct.pack(">Q", 1)
ADDRESSES = st.from_regex(r"(/[a-zA-Z0-9_.\-é]{1,12}){1,4}", fullmatch=True)
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
SCALARS: list[st.SearchStrategy[tuple[str, Any]]] = [
    st.tuples(st.just("i"), st.integers(-(2**31), 2**31 - 1)),
    st.tuples(st.just("h"), st.integers(-(2**63), 2**63 - 1)),
    st.tuples(st.just("f"), st.floats(width=32)),
    st.tuples(st.just("d"), st.floats()),
    st.tuples(st.just("s"), TEXT),
    st.tuples(st.just("b"), st.binary(min_size=1, max_size=20)),
    st.tuples(st.just("r"), st.integers(0, 2**32 - 1)),
    st.tuples(st.just("m"), st.tuples(*[st.integers(0, 255)] * 4)),
    st.tuples(st.just("T"), st.just(True)),
    st.tuples(st.just("F"), st.just(False)),
    st.tuples(st.just("N"), st.just(None)),
]
ARGS = st.lists(st.one_of(*SCALARS), max_size=8)


def padded(text: bytes) -> bytes:
    return text + b"\0" * (4 - len(text) % 4)


def raw(address: str, tags: str, payload: bytes = b"") -> bytes:
    return padded(address.encode()) + padded(b"," + tags.encode()) + payload


def element(data: bytes) -> bytes:
    return struct.pack(">i", len(data)) + data


def told(tag: str, value: Any) -> Any:
    """What our decoder calls a value that python-osc was given."""
    if tag == "r":
        return tuple(part / 255.0 for part in struct.pack(">I", value))
    return bytes(value) if tag == "m" else value


def same(a: Any, b: Any) -> bool:
    return (isinstance(a, float) and math.isnan(a) and math.isnan(b)) or (type(a) is type(b) and a == b)


@given(ADDRESSES, ARGS)
def test_what_python_osc_encodes_is_decoded_equal(address: str, args: list[tuple[str, Any]]) -> None:
    builder = OscMessageBuilder(address)
    for tag, value in args:
        builder.add_arg(value, tag)
    packet = decode(builder.build().dgram)
    assert not packet.errors
    (message,) = packet.messages
    assert message.address == address
    assert len(message.args) == len(args)
    assert all(same(got, told(*sent)) for got, sent in zip(message.args, args, strict=True))


@given(
    ADDRESSES, st.lists(st.integers(-100, 100) | st.lists(st.integers(-100, 100), min_size=1, max_size=3), max_size=4)
)
def test_arrays_are_decoded_as_python_osc_decodes_them(address: str, args: list[Any]) -> None:
    builder = OscMessageBuilder(address)
    for arg in args:
        builder.add_arg(arg)
    (message,) = decode(builder.build().dgram).messages
    assert [list(a) if isinstance(a, tuple) else a for a in message.args] == OscMessage(builder.build().dgram).params


@given(st.recursive(ADDRESSES, lambda inner: st.lists(inner, min_size=1, max_size=4), max_leaves=12))
def test_nested_bundles_give_their_messages_in_order(tree: Any) -> None:
    order: list[str] = []

    def build(node: Any) -> Any:
        if isinstance(node, str):
            order.append(node)
            return OscMessageBuilder(node).build()
        bundle = OscBundleBuilder(1)  # type: ignore[arg-type]
        for child in node:
            bundle.add_content(build(child))
        return bundle.build()

    packet = decode(build(tree).dgram)
    assert [m.address for m in packet.messages] == order
    assert not packet.errors


@given(st.binary(max_size=200))
def test_noise_never_raises(data: bytes) -> None:
    packet = decode(data)
    assert len(packet.messages) + packet.faulty <= MOST + 1


@given(st.binary(max_size=200).map(lambda tail: NOW + tail))
def test_noise_in_a_bundle_never_raises(data: bytes) -> None:
    assert len(decode(data).messages) <= len(data) // 4


@given(ADDRESSES, ARGS, st.data())
def test_mutated_messages_never_raise(address: str, args: list[tuple[str, Any]], data: st.DataObject) -> None:
    builder = OscMessageBuilder(address)
    for tag, value in args:
        builder.add_arg(value, tag)
    wire = bytearray(builder.build().dgram)
    for _ in range(data.draw(st.integers(1, 4))):
        wire[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
    del wire[data.draw(st.integers(0, len(wire))) :]
    decode(bytes(wire))
    decode(NOW + element(bytes(wire)))


# ---------------------------------------------------------------- the table, row by row
def test_a_bundle_element_of_size_minus_four_ends_the_bundle() -> None:
    good = raw("/a", "i", struct.pack(">i", 1))
    packet = decode(NOW + element(good) + struct.pack(">i", -4) + element(good))
    assert [m.address for m in packet.messages] == ["/a"]
    assert "impossible size" in packet.errors[0].reason
    assert decode(NOW + struct.pack(">i", -4)).faulty == 1


def test_a_bundle_nested_1500_deep_is_refused() -> None:
    data = raw("/deep", "")
    for _ in range(1500):
        data = NOW + element(data)
    packet = decode(data)
    assert packet.messages == []
    assert "nested deeper" in packet.errors[0].reason


def test_a_bundle_nested_as_deep_as_allowed_is_read() -> None:
    data = raw("/deep", "")
    for _ in range(DEEPEST):
        data = NOW + element(data)
    assert decode(data).messages == [Message("/deep", (), 1)]


def test_latin_1_bytes_in_a_text_are_read() -> None:
    (message,) = decode(raw("/text", "s", padded("Café".encode("latin-1")))).messages
    assert message.args == ("Café",)
    (message,) = decode(padded("/café".encode("latin-1")) + padded(b",")).messages
    assert message.address == "/café"


def test_no_type_tags_and_no_data_is_a_message_without_values() -> None:
    assert decode(padded(b"/cue/go")).messages == [Message("/cue/go", ())]


def test_no_type_tags_with_data_is_refused() -> None:
    packet = decode(padded(b"/x") + struct.pack(">f", 0.5))
    assert packet.messages == []
    assert packet.errors[0] == ("/x", "has values without type tags")


@pytest.mark.parametrize(
    ("tags", "payload", "args"),
    [
        ("Si", padded(b"symbol") + struct.pack(">i", 7), ("symbol", 7)),
        ("cf", struct.pack(">if", ord("é"), 0.5), ("é", 0.5)),
        ("ci", struct.pack(">ii", 0xD800, 1), ("\N{REPLACEMENT CHARACTER}", 1)),
        ("ti", struct.pack(">Qi", 1 << 32, 1), (b"\0\0\0\1\0\0\0\0", 1)),
        ("mi", b"\1\x90\x40\x7f" + struct.pack(">i", 1), (b"\1\x90\x40\x7f", 1)),
        ("r", b"\xff\x00\x33\xff", ((1.0, 0.0, 0.2, 1.0),)),
        ("TFNI", b"", (True, False, None, math.inf)),
        ("i[fs]T", struct.pack(">if", 1, 0.5) + padded(b"x"), (1, (0.5, "x"), True)),
        ("[[i]]", struct.pack(">i", 3), (((3,),),)),
        ("b", struct.pack(">i", 3) + b"abc\0", (b"abc",)),
        ("b", struct.pack(">i", 0), (b"",)),
        ("hd", struct.pack(">qd", -(2**40), 0.1), (-(2**40), 0.1)),
    ],
)
def test_every_type_takes_its_own_bytes(tags: str, payload: bytes, args: tuple[Any, ...]) -> None:
    packet = decode(raw("/x", tags, payload))
    assert packet.errors == []
    assert packet.messages == [Message("/x", args)]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (raw("/x", "f", b"\x3f\x80"), "shorter than its type tags"),
        (raw("/x", "fT", b"\x3f\x80"), "ends inside a value of type 'f'"),
        (raw("/x", "f", struct.pack(">ff", 1, 2)), "longer than its type tags"),
        (raw("/x", "q"), "unknown type 'q'"),
        (raw("/x", "]"), "closes an array"),
        (raw("/x", "[i", struct.pack(">i", 1)), "does not close"),
        (raw("/x", "[" * 40 + "]" * 40), "nested deeper"),
        (raw("/x", "s", b"abcd"), "ends inside a text"),
        (raw("/x", "b", struct.pack(">i", -1)), "impossible size"),
        (raw("/x", "b", struct.pack(">i", 400) + b"abcd"), "impossible size"),
        (raw("/x", "b", b"\0"), "impossible size"),
        (raw("/x", "T" * 2000), "more than 1024 values"),
        (b"/x", "address does not end"),
        (padded(b"/x") + b",iii", "type tags do not end"),
        (b"#bundle\0\0\0", "ends before its time"),
        (b"#bundel\0" + b"\0" * 8, "not an OSC packet"),
        (b"hello", "not an OSC packet"),
        (NOW + element(b"hell"), "neither a message nor a bundle"),
        (NOW + b"\0\0", "impossible size"),
        (NOW + struct.pack(">i", 2**31 - 1) + b"/x\0\0", "impossible size"),
        (b"#bundle\0" + b"\0" * (1 << 19), "too large"),
    ],
)
def test_what_cannot_be_read_is_told(data: bytes, words: str) -> None:
    packet = decode(data)
    assert packet.messages == []
    assert words in packet.errors[0].reason


def test_nothing_is_nothing() -> None:
    assert decode(b"") == decode(b"")
    assert decode(b"").faulty == 0


def test_zeros_after_the_values_are_forgiven() -> None:
    assert decode(raw("/x", "i", struct.pack(">ii", 1, 0))).messages == [Message("/x", (1,))]


def test_one_bad_message_does_not_cost_the_bundle() -> None:
    good = raw("/good", "f", struct.pack(">f", 0.5))
    bad = raw("/bad", "f", b"")
    packet = decode(NOW + element(good) + element(bad) + element(b"") + element(good))
    assert [m.address for m in packet.messages] == ["/good", "/good"]
    assert [e.address for e in packet.errors] == ["/bad", ""]


def test_a_10_kb_bundle_is_read_whole() -> None:
    data = NOW + b"".join(element(raw(f"/a/{n:04}", "f", struct.pack(">f", n))) for n in range(500))
    assert len(data) > 10_000
    assert [m.args[0] for m in decode(data).messages] == list(range(500))


def test_a_bundle_of_too_many_messages_is_cut() -> None:
    packet = decode(NOW + element(padded(b"/a")) * (MOST + 10))
    assert len(packet.messages) == MOST
    assert packet.faulty == 1


def test_many_errors_keep_a_few_sentences() -> None:
    packet = decode(NOW + element(b"hell") * 100)
    assert (packet.faulty, len(packet.errors)) == (100, 8)


def test_inner_bundles_keep_their_own_time() -> None:
    inner = b"#bundle\0" + struct.pack(">Q", 99 << 32) + element(raw("/later", ""))
    packet = decode(NOW + element(raw("/now", "")) + element(inner))
    assert [(m.address, m.tag) for m in packet.messages] == [("/now", 1), ("/later", 99 << 32)]
