"""Engines in host memory: the latest picture wins, nothing is done twice, failures end as one sentence."""

from __future__ import annotations

import gc
import os
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from perform.engines.dreamer import NICE, be_nice
from perform.engines.generator import Venue
from perform.engines.host import HostEngine, HostGenerator
from perform.engines.openvino import OpenVino
from perform.engines.trial import Run, check, fit, probe, prove
from perform.frame import Frame
from perform.gl.context import Context
from perform.gl.target import Texture
from perform.gl.transfer import Pixels, read, upload
from perform.library import Library
from perform.plugins import Engine, EngineError
from perform.testing import check_engine
from tests.engines.conftest import until
from tests.engines.worlds import make_world

WIDTH, HEIGHT = SHAPE = (32, 16)


def frame(grey: int, serial: int, time: float = 0.0, size: tuple[int, int] = SHAPE) -> Frame:
    texture = Texture.make(*size)
    pixels = np.full((size[1], size[0], 4), grey, np.uint8)
    pixels[0, :, :3] = 200  # the bottom row
    upload(texture, pixels)
    return Frame(texture, time, serial)


def run_of(change: Callable[[Pixels], Pixels]) -> Callable[[], Run]:
    return lambda: lambda picture, mood: change(picture)


@contextmanager
def engine(session: Callable[[], Run], venue: Venue | None = None, mood: int = 0) -> Iterator[HostEngine]:
    generator = HostGenerator(session, SHAPE, mood, 1, "")
    made = generator.open(venue or Venue())
    try:
        yield made
    finally:
        made.close()
        generator.close()


def pixels(dreamt: Frame | None) -> Pixels:
    assert dreamt is not None
    assert isinstance(dreamt.texture, Texture)
    return read(dreamt.texture)


@pytest.mark.parametrize("venue", [Venue(), Venue(software=False), Venue(synchronous=True)])
def test_every_kind_keeps_the_contract_of_an_engine(gl: Context, tmp_path: Path, venue: Venue) -> None:
    before = set(threading.enumerate())  # of a test that failed there may be some left
    make_world(tmp_path / "models", "dark")
    card = Library([tmp_path / "models"]).card("dark")
    generator = OpenVino("fp32", cache=tmp_path / "cache").load(card, "m", (64, 64))
    generator.prepare()  # its worker stays with the generator, ready for the next engine
    check_engine(lambda: generator.open(venue), (64, 64), (0.5, -0.5))
    generator.close()
    until(lambda: not [thread for thread in set(threading.enumerate()) - before if thread.name == "dream"])


def test_a_worker_plays_for_one_engine_after_another_and_never_mixes_their_dreams(gl: Context) -> None:
    gate = threading.Event()

    def slow(picture: Pixels) -> Pixels:
        gate.wait(120)
        return picture

    generator = HostGenerator(run_of(slow), SHAPE, 0, 1, "")
    generator.prepare()
    first = generator.open(Venue())
    first.submit(frame(10, 1), ())
    until(lambda: first._dreamer._inbox._item is None)
    first.close()
    second = generator.open(Venue())
    assert second._dreamer is first._dreamer
    second.submit(frame(20, 1), ())
    third = generator.open(Venue())
    assert third._dreamer is not first._dreamer
    third.close()
    gate.set()
    until(second.newest)
    assert pixels(second.newest())[-1, 0, 0] == 20
    second.close()
    generator.close()
    assert not second._dreamer.sound


def test_a_world_that_is_put_away_keeps_no_network(gl: Context) -> None:
    class Network:
        def __call__(self, picture: Pixels, mood: Any) -> Pixels:
            return picture

    def load() -> tuple[HostGenerator, Callable[[], Network | None]]:
        network = Network()
        return HostGenerator(lambda: network, SHAPE, 0, 1, ""), weakref.ref(network)

    gc.disable()
    try:
        generator, network = load()
        generator.prepare()
        playing = generator.open(Venue())
        generator.prepare()  # another worker
        playing.submit(frame(20, 1), ())
        until(playing.newest)
        playing.close()
        generator.close()
        worker = playing._dreamer.worker
        assert worker is not None
        until(lambda: not worker.alive)
        del playing, generator
        assert network() is None, "only the collector would have found it"
    finally:
        gc.enable()


@pytest.mark.parametrize("software", [True, False])
def test_a_real_world_dreams_in_its_worker(gl: Context, tmp_path: Path, software: bool) -> None:
    make_world(tmp_path / "models", "dark")
    card = Library([tmp_path / "models"]).card("dark")
    generator = OpenVino(cache=tmp_path / "cache").load(card, "m", SHAPE)
    playing: Engine = generator.open(Venue(software=software))
    given = frame(40, 1, time=7.5)
    try:
        assert playing.newest() is None
        until(lambda: playing.submit(given, (2.0,)) or playing.newest())  # through PBOs it arrives a frame later
        dreamt = playing.newest()
        assert dreamt is not None
        assert (dreamt.time, dreamt.size, dreamt.serial) == (7.5, SHAPE, 1)
        assert pixels(dreamt)[-1, 0].tolist() == [235, 235, 235, 255]
        assert pixels(dreamt)[0, 0].tolist() == [75, 75, 75, 255]
        playing.submit(given, (2.0,))
        again = playing.newest()
        assert again is not None
        assert again.serial == 1
    finally:
        playing.close()
        playing.close()


def test_the_latest_picture_wins_and_the_last_one_always_arrives(gl: Context) -> None:
    gate = threading.Event()
    seen: list[int] = []

    def slow(picture: Pixels) -> Pixels:
        gate.wait(120)
        seen.append(int(picture[0, 0, 0]))
        return picture

    with engine(run_of(slow)) as playing:
        playing.submit(frame(10, 1), ())
        until(lambda: playing._dreamer._inbox._item is None)  # the worker has taken it
        for serial in range(2, 9):
            playing.submit(frame(10 * serial, serial), ())
        gate.set()
        until(lambda: seen == [10, 80])
        until(lambda: (dreamt := playing.newest()) is not None and pixels(dreamt)[-1, 0, 0] == 80)


def test_a_frame_stays_valid_until_the_next_one(gl: Context) -> None:
    with engine(run_of(lambda picture: picture), Venue(synchronous=True)) as playing:
        playing.submit(frame(10, 1), ())
        first = playing.newest()
        playing.submit(frame(20, 2), ())
        assert pixels(first)[-1, 0, 0] == 10
        second = playing.newest()
        assert pixels(first)[-1, 0, 0] == 10
        assert pixels(second)[-1, 0, 0] == 20


def test_the_cap_holds_dreams_apart(gl: Context) -> None:
    waits: list[float | None] = []

    with engine(run_of(lambda picture: picture), Venue(fps=0.01)) as playing:
        assert playing._dreamer.worker is not None
        stop = playing._dreamer.worker.stop
        wait = stop.wait
        stop.wait = lambda timeout=None: waits.append(timeout) or wait(0)  # type: ignore[method-assign]
        playing.submit(frame(10, 1), ())
        until(lambda: waits)
        assert waits[0] is not None
        assert 0.0 < waits[0] <= 100.0


def test_a_picture_of_another_size_is_refused(gl: Context) -> None:
    with (
        engine(run_of(lambda picture: picture)) as playing,
        pytest.raises(EngineError, match="takes 32×16 pixels, not 16×16"),
    ):
        playing.submit(frame(1, 1, size=(16, 16)), ())


def test_one_failure_is_forgiven_three_in_a_row_are_not(gl: Context) -> None:
    failures = [ValueError("first\nsecond line")]

    def sometimes(picture: Pixels) -> Pixels:
        if failures:
            raise failures.pop()
        return picture

    with engine(run_of(sometimes)) as playing:
        given = frame(10, 1)
        until(lambda: playing.submit(given, ()) or playing.newest())
    failures = [ValueError("no memory\nline two") for _ in range(9)]
    with engine(run_of(sometimes)) as playing:

        def broken() -> bool:
            try:
                playing.submit(given, ())
                playing.newest()
            except EngineError as why:
                return str(why) == "it failed 3 times in a row: no memory"
            return False

        until(broken)


def test_an_engine_that_never_answers_is_given_up(gl: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perform.engines.dreamer.STALL", 0.01)
    gate = threading.Event()

    def stop(picture: Pixels) -> Pixels:
        gate.wait(120)
        return picture

    with engine(run_of(stop)) as playing:
        playing.submit(frame(10, 1), ())

        def stuck() -> bool:
            try:
                playing.newest()
            except EngineError as why:
                return "no dream for" in str(why)
            return False

        until(stuck)
        gate.set()


def test_what_has_been_put_away_cannot_be_opened() -> None:
    generator = HostGenerator(run_of(lambda picture: picture), SHAPE, 0, 1, "")
    generator.close()
    with pytest.raises(EngineError, match="put away"):
        generator.open(Venue())


def test_moods_are_cut_or_filled() -> None:
    assert fit((1, 2, 3), 2) == (1.0, 2.0)
    assert fit((1,), 3) == (1.0, 0.0, 0.0)
    assert fit((), 0) == ()


@pytest.mark.parametrize(
    ("dream", "said"),
    [
        (np.zeros((HEIGHT, WIDTH, 4), np.float32), "gave float32"),
        (np.zeros((HEIGHT, WIDTH, 3), np.uint8), r"\(16, 32, 3\) instead of uint8 \(16, 32, 4\)"),
    ],
)
def test_what_is_no_picture_is_refused(dream: Pixels, said: str) -> None:
    with pytest.raises(EngineError, match=said):
        check(dream, probe(SHAPE))


def test_empty_dreams_are_told_from_dark_ones() -> None:
    large = probe((128, 64))
    with pytest.raises(EngineError, match="empty picture"):
        check(np.zeros_like(large), large)
    check(np.zeros_like(large), np.zeros_like(large))  # a black camera may well dream black
    with pytest.raises(EngineError, match="one flat colour"):
        prove(lambda picture, mood: np.full_like(picture, 9), (128, 64), 0)
    assert prove(lambda picture, mood: picture, (128, 64), 2).shape == (64, 128, 4)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="threads have priorities of their own on Linux only")
@pytest.mark.parametrize(("started", "asked"), [(0, [NICE]), (10, [])])
def test_a_show_that_was_started_nicer_stays_so(
    monkeypatch: pytest.MonkeyPatch, started: int, asked: list[int]
) -> None:
    given: list[int] = []
    monkeypatch.setattr(os, "getpriority", lambda kind, who: started)
    monkeypatch.setattr(os, "setpriority", lambda kind, who, nice: given.append(nice))
    be_nice()  # to take niceness back needs rights: it would end the worker
    assert given == asked
