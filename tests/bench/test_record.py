"""Recording and event timing, with stand-ins for what only a card has: the calls are those that PyTorch takes."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, ClassVar

import pytest
import torch

from bench.gpu import timing
from bench.gpu.record import WARM, record

SIGNATURE = inspect.signature(torch.cuda.graph.__init__)


class Graph:
    """A graph that counts its replays."""

    made: ClassVar[list[Graph]] = []

    def __init__(self) -> None:
        self.replayed = 0
        Graph.made.append(self)

    def replay(self) -> None:
        self.replayed += 1


class Event:
    """An event whose clock is a count."""

    ticks = 0

    def __init__(self, enable_timing: bool = False) -> None:
        assert enable_timing
        self.at = 0

    def record(self) -> None:
        Event.ticks += 1
        self.at = Event.ticks

    def elapsed_time(self, end: Event) -> float:
        return float(end.at - self.at)


class Stream:
    def wait_stream(self, other: Any) -> None:
        assert isinstance(other, Stream)


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    captured: list[dict[str, Any]] = []

    @contextmanager
    def graph(*args: Any, **keys: Any) -> Iterator[None]:
        bound = SIGNATURE.bind(None, *args, **keys)  # raises for what PyTorch would not take
        captured.append(dict(bound.arguments))
        yield

    Graph.made.clear()
    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(torch.cuda, "graph", graph)
    monkeypatch.setattr(torch.cuda, "graph_pool_handle", lambda: (1, 0))
    monkeypatch.setattr(torch.cuda, "Stream", Stream)
    monkeypatch.setattr(torch.cuda, "current_stream", Stream)
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: nullcontext())
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    monkeypatch.setattr(torch.cuda, "Event", Event)
    return captured


def test_each_call_is_warmed_up_and_captured_in_one_pool(card: list[dict[str, Any]]) -> None:
    calls: list[str] = []
    replays = record([lambda: calls.append("a"), lambda: calls.append("b")])
    assert calls == ["a"] * WARM + ["b"] * WARM + ["a", "b"]
    assert [keys["pool"] for keys in card] == [(1, 0), (1, 0)]
    replays[1]()
    replays[1]()
    assert [graph.replayed for graph in Graph.made] == [0, 2]


def test_a_run_is_timed_between_two_events(card: list[dict[str, Any]]) -> None:
    seen: list[int] = []
    times = timing.measure(seen.append, 0.0001, "cuda")
    assert times.p50 == times.p99 == 1.0
    assert times.runs >= timing.LEAST
    assert seen[-times.runs :] == list(range(times.runs))
