"""Pictures between GL and a recording stand-in for CUDA: bytes, streams, lifetimes, and which bridge is chosen."""

from __future__ import annotations

import logging
from itertools import pairwise

import numpy as np
import pytest

from perform.gl.context import Context
from perform.gl.interop import KINDS, Bridge, Bridges, CudaError, Poisoned, gl_devices, open_bridge
from perform.gl.interop.calls import failure
from perform.gl.interop.host import RING, HostBridge
from perform.gl.target import Format, Texture
from perform.gl.transfer import read, read_float, upload
from perform.testing.cuda import RecordingCuda

SHAPE = (24, 10)
STREAM = 7


def STILL() -> float:
    """A clock for which all are as quick."""
    return 0.0


@pytest.fixture
def cuda(gl: Context) -> RecordingCuda:
    made = RecordingCuda()
    made.streams.add(STREAM)
    return made


def opened(cuda: RecordingCuda, kind: str, format: Format = "rgba8") -> Bridge:
    bridge = open_bridge(cuda, SHAPE, format, allow=(kind,))
    cuda.journal.clear()
    return bridge


def picture(seed: int = 0, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (shape[1], shape[0], 4), np.uint8)


@pytest.mark.parametrize("kind", KINDS)
def test_bytes_go_there_and_back(cuda: RecordingCuda, kind: str) -> None:
    bridge, given, back = opened(cuda, kind), picture(), np.zeros((10, 24, 4), np.uint8)
    texture = Texture.make(*SHAPE)
    upload(texture, given)
    bridge.take(texture, back.ctypes.data, STREAM)
    assert np.array_equal(back, given)
    bridge.ripen(back.ctypes.data, STREAM)
    dream = bridge.give(back.ctypes.data, STREAM)
    assert np.array_equal(read(dream), given), "rows stay as GL has them"
    bridge.close()
    texture.close()


@pytest.mark.parametrize("kind", KINDS)
def test_half_floats_go_through_exactly(cuda: RecordingCuda, kind: str) -> None:
    bridge = opened(cuda, kind, "rgba16f")
    given = np.random.default_rng(1).normal(0.0, 3.0, (10, 24, 4)).astype(np.float16)
    back = np.zeros_like(given)
    bridge.ripen(given.ctypes.data, STREAM)
    dream = bridge.give(given.ctypes.data, STREAM)
    assert np.array_equal(read_float(dream).astype(np.float16), given)
    bridge.take(dream, back.ctypes.data, STREAM)
    assert np.array_equal(back, given)
    bridge.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_dream_stays_until_the_call_after_the_next(cuda: RecordingCuda, kind: str) -> None:
    bridge, first, second = opened(cuda, kind), picture(1), picture(2)
    shown = []
    for given in (first, second):
        bridge.ripen(given.ctypes.data, STREAM)
        shown.append(bridge.give(given.ctypes.data, STREAM))
    assert [np.array_equal(read(t), p) for t, p in zip(shown, (first, second), strict=True)] == [True, True]
    bridge.close()


@pytest.mark.parametrize("kind", ["array", "buffer"])
def test_map_copy_and_unmap_are_on_one_stream_and_nothing_waits(cuda: RecordingCuda, kind: str) -> None:
    bridge, memory, texture = opened(cuda, kind), picture(), Texture.make(*SHAPE)
    bridge.take(texture, memory.ctypes.data, STREAM)
    bridge.give(memory.ctypes.data, STREAM)
    steps = [e for e in cuda.journal if "Memcpy" in e[0] or "Map" in e[0] or "Unmap" in e[0]]
    steps = [e for e in steps if "Mapped" not in e[0]]
    kinds = ["map" if "GraphicsMap" in e[0] else "unmap" if "Unmap" in e[0] else "copy" for e in steps]
    assert kinds == ["map", "copy", "unmap"] * 2
    assert {entry[-1] for entry in steps} == {STREAM}
    assert not any("Synchronize" in name for name in cuda.names())
    assert not any("Malloc" in name or "Register" in name for name in cuda.names()), "nothing is allocated at play"
    bridge.close()
    texture.close()


@pytest.mark.parametrize("kind", ["array", "buffer"])
@pytest.mark.parametrize("step", ["take", "give"])
def test_what_fails_while_mapped_is_unmapped(cuda: RecordingCuda, kind: str, step: str) -> None:
    bridge, memory, texture = opened(cuda, kind), picture(), Texture.make(*SHAPE)
    for name in ("cudaMemcpy2DFromArrayAsync", "cudaMemcpy2DToArrayAsync", "cudaMemcpyAsync"):
        cuda.fails[name] = 999
    with pytest.raises(CudaError, match="unknown error"):
        bridge.take(texture, memory.ctypes.data, STREAM) if step == "take" else bridge.give(memory.ctypes.data, STREAM)
    assert cuda.mapped == []
    cuda.fails.clear()
    bridge.give(memory.ctypes.data, STREAM)
    bridge.close()
    texture.close()


@pytest.mark.parametrize("kind", KINDS)
def test_resize_registers_anew_and_close_leaves_nothing(cuda: RecordingCuda, kind: str) -> None:
    bridge = opened(cuda, kind)
    old = list(cuda.registered)
    bridge.resize((8, 6))
    assert not any(r.registered for r in old)
    assert len(cuda.registered) == len(old)
    given = picture(3, (8, 6))
    bridge.ripen(given.ctypes.data, STREAM)
    assert np.array_equal(read(bridge.give(given.ctypes.data, STREAM)), given)
    before = len(cuda.journal)
    bridge.resize((8, 6))
    assert len(cuda.journal) == before, "the same size costs nothing"
    bridge.close()
    bridge.close()
    assert cuda.registered == []
    assert cuda.memory == {}


def test_it_is_unregistered_before_gl_deletes_it(cuda: RecordingCuda) -> None:
    from perform.gl.lib import gl

    bridge = opened(cuda, "array")
    alive: list[bool] = []
    real = cuda.cudaGraphicsUnregisterResource
    cuda.cudaGraphicsUnregisterResource = lambda r: (alive.append(bool(gl.glIsTexture(r.name))), real(r))[1]  # type: ignore[method-assign]
    bridge.close()
    assert alive == [True] * 3


@pytest.mark.parametrize("kind", ["array", "buffer"])
def test_a_registration_that_fails_half_way_is_undone(cuda: RecordingCuda, kind: str) -> None:
    what = "cudaGraphicsGLRegisterImage" if kind == "array" else "cudaGraphicsGLRegisterBuffer"
    real, calls = getattr(cuda, what), []

    def second_fails(*facts: int) -> tuple[int, object]:
        calls.append(facts)
        return (999, None) if len(calls) == 2 else real(*facts)

    setattr(cuda, what, second_fails)
    with pytest.raises(CudaError):
        open_bridge(cuda, SHAPE, allow=(kind,))
    assert cuda.registered == []


def test_closing_after_the_context_or_the_card_is_lost_raises_nothing(cuda: RecordingCuda) -> None:
    for kind in KINDS:
        bridge, memory = opened(cuda, kind), picture()
        bridge.ripen(memory.ctypes.data, STREAM)
        cuda.fails |= {"cudaGraphicsUnregisterResource": 400, "cudaFreeHost": 700}
        bridge.close()
        cuda.fails.clear()


def test_a_texture_of_another_size_is_refused(cuda: RecordingCuda) -> None:
    texture, memory = Texture.make(8, 8), picture()
    for kind in KINDS:
        bridge = opened(cuda, kind)
        with pytest.raises(ValueError, match="carries 24×10 pixels, not 8×8"):
            bridge.take(texture, memory.ctypes.data, STREAM)
        bridge.close()
    texture.close()


def test_through_the_host_dreams_are_kept_apart_and_other_addresses_pin_nothing_more(cuda: RecordingCuda) -> None:
    bridge, dreams = opened(cuda, "host"), [picture(n) for n in range(9)]
    texture, back = Texture.make(*SHAPE), [np.zeros_like(dreams[0]) for _ in dreams]
    for older, newer in pairwise(dreams):  # two are under way
        for dream in (older, newer):
            bridge.ripen(dream.ctypes.data, STREAM)
        for dream in (older, newer):
            assert np.array_equal(read(bridge.give(dream.ctypes.data, STREAM)), dream)
    upload(texture, dreams[0])
    for memory in back:
        bridge.take(texture, memory.ctypes.data, STREAM)
        assert np.array_equal(memory, dreams[0])
    assert cuda.count("MallocHost") == 2 * RING
    with pytest.raises(CudaError, match="nothing has been fetched from there"):
        bridge.give(dreams[0].ctypes.data, STREAM)
    bridge.close()
    texture.close()
    assert cuda.memory == {}


def test_through_the_host_a_picture_is_on_its_way_before_the_dream_is_uploaded(
    cuda: RecordingCuda, monkeypatch: pytest.MonkeyPatch
) -> None:
    from perform.gl.lib import gl

    bridge, given, dreamt, back = opened(cuda, "host"), picture(1), picture(2), np.zeros((10, 24, 4), np.uint8)
    texture, (_, event) = Texture.make(*SHAPE), cuda.cudaEventCreate()
    upload(texture, given)
    bridge.ripen(dreamt.ctypes.data, STREAM)
    cuda.journal.clear()
    for name in ("glReadPixels", "glTexSubImage2D"):
        real = getattr(gl, name)
        monkeypatch.setattr(gl, name, lambda *f, n=name, r=real: (cuda.journal.append((n,)), r(*f))[1])
    shown = bridge.exchange(texture, back.ctypes.data, dreamt.ctypes.data, STREAM, event)
    did = [name for name in cuda.names() if name in ("glReadPixels", "MemcpyAsync", "EventRecord", "glTexSubImage2D")]
    assert did == ["glReadPixels", "MemcpyAsync", "EventRecord", "glTexSubImage2D"], "the read waits for no upload"
    assert np.array_equal(back, given)
    assert np.array_equal(read(shown), dreamt)
    bridge.close()
    texture.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_dream_that_is_shown_may_itself_be_the_next_picture(cuda: RecordingCuda, kind: str) -> None:
    bridge, dreams, back = opened(cuda, kind), [picture(n) for n in range(3)], np.zeros((10, 24, 4), np.uint8)
    shown = []
    for dream in dreams[:2]:
        bridge.ripen(dream.ctypes.data, STREAM)
        shown.append(bridge.give(dream.ctypes.data, STREAM))
    bridge.ripen(dreams[2].ctypes.data, STREAM)
    bridge.exchange(shown[0], back.ctypes.data, dreams[2].ctypes.data, STREAM)  # the last moment at which it is there
    assert np.array_equal(back, dreams[0])
    bridge.close()


def test_a_host_bridge_is_lent_anew_once_its_copies_are_through(cuda: RecordingCuda) -> None:
    bridges, memory = Bridges(cuda, kinds=("host",)), picture()
    first, other = bridges.open(SHAPE), bridges.open(SHAPE)
    first.ripen(memory.ctypes.data, STREAM)
    cuda.lag = 10**6  # a dream is under way
    first.close()
    second = bridges.open(SHAPE)
    assert second.bridge is not first.bridge, "the last world's picture would be shown in this one"
    cuda.cudaStreamSynchronize(STREAM)
    third = bridges.open(SHAPE)
    assert third.bridge is first.bridge
    assert cuda.count("EventSynchronize") == 0, "it is asked, not waited for"
    cuda.lag = 0
    for lent in (other, second, third):
        lent.close()
    assert (cuda.memory, cuda.events) == ({}, {})


@pytest.mark.parametrize("way", ["take", "ripen"])
def test_pinned_memory_is_given_back_behind_the_copies_that_use_it(cuda: RecordingCuda, way: str) -> None:
    bridges, memory, texture = Bridges(cuda, kinds=("host",)), picture(), Texture.make(*SHAPE)
    lent = bridges.open(SHAPE)
    cuda.journal.clear()
    if way == "take":
        lent.take(texture, memory.ctypes.data, STREAM)
    else:
        lent.ripen(memory.ctypes.data, STREAM)
    cuda.lag = 10**6
    lent.close()
    bridges.sweep()
    assert (cuda.count("FreeHost"), cuda.count("EventSynchronize")) == (0, 0)
    cuda.cudaStreamSynchronize(STREAM)
    bridges.sweep()
    assert (cuda.memory, cuda.events) == ({}, {})
    texture.close()


@pytest.mark.parametrize("lag", range(6))
def test_copies_may_end_at_any_moment_while_a_bridge_is_closed(cuda: RecordingCuda, lag: int) -> None:
    bridges, memory = Bridges(cuda, kinds=("host",)), picture()
    lent = bridges.open(SHAPE)
    lent.ripen(memory.ctypes.data, STREAM)
    cuda.lag = lag
    lent.close()
    for _ in range(lag):
        bridges.sweep()
    assert (cuda.memory, cuda.events) == ({}, {})


def test_a_host_bridge_that_is_closed_for_good_waits_for_its_copies(cuda: RecordingCuda) -> None:
    bridge, memory = opened(cuda, "host"), picture()
    bridge.ripen(memory.ctypes.data, STREAM)
    cuda.lag = 10**6
    bridge.close()
    assert cuda.names().index("EventSynchronize") < cuda.names().index("FreeHost")
    assert (cuda.memory, cuda.events) == ({}, {})


def test_a_host_bridge_that_cannot_be_made_leaves_nothing(cuda: RecordingCuda, monkeypatch: pytest.MonkeyPatch) -> None:
    real, made = cuda.cudaEventCreateWithFlags, list[int]()

    def second_fails(flags: int) -> tuple[int, int]:
        made.append(flags)
        return (2, 0) if len(made) == 2 else real(flags)

    monkeypatch.setattr(cuda, "cudaEventCreateWithFlags", second_fails)
    with pytest.raises(CudaError):
        HostBridge(cuda, SHAPE)
    assert cuda.events == {}


# ---------------------------------------------------------------- which one
def test_the_best_that_works_is_chosen_and_said_once(cuda: RecordingCuda, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    ways = {"": "array", "cudaGraphicsGLRegisterImage": "buffer", "cudaGraphicsGLRegisterBuffer": "host"}
    for fails, kind in ways.items():
        if fails:
            cuda.fails[fails] = 999
        bridge = open_bridge(cuda, SHAPE, clock=STILL)
        assert bridge.kind == kind
        bridge.close()
    said = [r.getMessage() for r in caplog.records]
    assert len(said) == 3
    assert "straight into the texture" in said[0]
    assert "through a pixel buffer (a frame takes 0.00 ms by buffer, 0.00 ms by host; array: CUDA: unknown" in said[1]
    assert said[2].startswith("pictures of 24×10 rgba8 go between GL and CUDA through the host's memory (array:")


def test_a_bridge_that_garbles_is_not_trusted(cuda: RecordingCuda) -> None:
    cuda.cudaMemcpy2DToArrayAsync = lambda *facts: (0,)  # type: ignore[method-assign,assignment]
    bridge = open_bridge(cuda, SHAPE, clock=STILL)
    assert bridge.kind == "buffer"
    bridge.close()


@pytest.mark.parametrize(("devices", "why"), [((), "GL does not draw on a CUDA card"), ((1,), "GL draws on CUDA dev")])
def test_gl_on_another_card_goes_through_the_host(
    cuda: RecordingCuda, caplog: pytest.LogCaptureFixture, devices: tuple[int, ...], why: str
) -> None:
    caplog.set_level(logging.INFO)
    cuda.devices = devices
    assert gl_devices(cuda) == list(devices)
    bridge = open_bridge(cuda, SHAPE)
    assert bridge.kind == "host"
    assert why in caplog.text
    assert cuda.count("GraphicsGLRegisterImage") == 0, "it is not even tried"
    bridge.close()


def test_none_that_works_is_one_sentence_and_a_dead_card_is_told_apart(cuda: RecordingCuda) -> None:
    cuda.fails = {"cudaGraphicsGLRegisterImage": 999, "cudaGraphicsGLRegisterBuffer": 999, "cudaMallocHost": 2}
    with pytest.raises(CudaError, match=r"pictures cannot go between GL and CUDA: array: .*host: CUDA: out of memory"):
        open_bridge(cuda, SHAPE)
    cuda.fails = {"cudaGraphicsMapResources": 700}
    with pytest.raises(Poisoned, match=r"the graphics card has failed .an illegal memory access"):
        open_bridge(cuda, SHAPE)
    assert cuda.registered == []


@pytest.mark.parametrize("code", [226, 721, 810, 911])
def test_an_error_that_no_process_survives_is_told_from_one_that_it_does(code: int) -> None:
    assert isinstance(failure(RecordingCuda(), "cudaEventQuery", code), Poisoned)
    assert not isinstance(failure(RecordingCuda(), "cudaStreamEndCapture", 901), Poisoned)


def test_formats_that_cuda_cannot_share_are_refused(cuda: RecordingCuda) -> None:
    with pytest.raises(ValueError, match="carries rgba8 or rgba16f, not rgba32f"):
        open_bridge(cuda, SHAPE, "rgba32f")
