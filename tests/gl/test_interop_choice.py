"""Which bridge is taken: frames are timed by a clock that a stand-in for CUDA moves on, and nothing is left behind."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from perform.gl.context import Context
from perform.gl.interop import Bridge, Bridges, Poisoned, open_bridge
from perform.gl.interop.frames import LEAST, MOST, TOGETHER, WARM
from perform.gl.lib import gl as library
from perform.testing.cuda import RecordingCuda

SHAPE = (24, 10)
ONCE = {  # what each kind asks for, twice a frame
    "array": "GraphicsSubResourceGetMappedArray",
    "buffer": "GraphicsResourceGetMappedPointer",
    "host": "MemcpyAsync through the host",
}


@dataclass
class SlowCuda(RecordingCuda):
    """With a clock: a frame by each kind of bridge takes so many seconds. `room`: so often cudaMalloc has memory;
    `stall`: somebody else has the processor for 50 ms while a dream, this one, is waited for."""

    frames: dict[str, float] = field(default_factory=dict)
    room: int = 1000
    stall: int = 0
    now: float = 0.0

    def _did(self, name: str, *facts: Any) -> int:
        what = "MemcpyAsync through the host" if name == "MemcpyAsync" and facts[0] != 3 else name
        self.now += sum(seconds / 2 for kind, seconds in self.frames.items() if ONCE[kind] == what)
        if name == "EventSynchronize":
            self.stall -= 1
            self.now += 0.05 * (self.stall == 0)
        if name == "Malloc":
            self.room -= 1
            if self.room < 0:
                return 2
        return super()._did(name, *facts)


@pytest.fixture
def cuda(gl: Context) -> SlowCuda:
    return SlowCuda()


def opened(cuda: SlowCuda, **keys: Any) -> Bridge:
    return open_bridge(cuda, SHAPE, clock=lambda: cuda.now, **keys)


def alive() -> list[tuple[bool, ...]]:
    """Which of GL's names are taken."""
    kinds = (library.glIsTexture, library.glIsBuffer, library.glIsFramebuffer)
    return [tuple(bool(there(name)) for there in kinds) for name in range(1, 400)]


@pytest.mark.parametrize(
    ("times", "kind"),
    [
        ((5.69, 6.0, 4.08), "host"),
        ((1.0, 1.0, 1.0), "array"),
        ((1.0, 0.95, 0.91), "array"),
        ((1.0, 0.95, 0.85), "host"),
        ((2.0, 1.0, 0.95), "buffer"),
        ((0.9, 1.1, 2.3), "array"),
    ],
)
def test_the_first_is_taken_unless_a_later_one_is_clearly_quicker(
    cuda: SlowCuda, caplog: pytest.LogCaptureFixture, times: tuple[float, float, float], kind: str
) -> None:
    caplog.set_level(logging.INFO)
    cuda.frames = dict(zip(ONCE, (ms / 1e3 for ms in times), strict=True))
    bridge = opened(cuda)
    assert bridge.kind == kind
    (said,) = [record.getMessage() for record in caplog.records]
    assert said.startswith("pictures of 24×10 rgba8 go between GL and CUDA ")
    assert said.endswith(" (a frame takes {:.2f} ms by array, {:.2f} ms by buffer, {:.2f} ms by host)".format(*times))
    bridge.close()


def test_choosing_leaves_nothing_behind(cuda: SlowCuda) -> None:
    before = alive()
    bridge = opened(cuda)
    assert (len(cuda.registered), cuda.memory, cuda.events, cuda.streams) == (3, {}, {}, set())
    bridge.close()
    assert (cuda.registered, cuda.mapped, alive()) == ([], [], before)
    assert library.glGetError() == 0


def test_what_is_timed_is_a_frame_as_a_show_has_it(cuda: SlowCuda) -> None:
    opened(cuda, allow=("array", "host")).close()
    carry, compute = (entry[-1] for entry in cuda.journal if entry[0] == "StreamCreateWithPriority")
    asked = [entry for entry in cuda.journal if "Mapped" not in entry[0]]
    begins = [place for place, entry in enumerate(asked) if entry[0] == "EventSynchronize"]
    frame = asked[begins[0] + 1 : begins[1]]
    assert [(entry[0], entry[1 if entry[0] == "StreamWaitEvent" else -1]) for entry in frame] == [
        ("GraphicsMapResources", carry),
        ("Memcpy2DFromArrayAsync", carry),
        ("EventRecord", carry),
        ("Memcpy2DToArrayAsync", carry),
        ("GraphicsUnmapResources", carry),
        ("StreamWaitEvent", compute),
        ("MemcpyAsync", compute),
        ("EventRecord", compute),
    ]


@pytest.mark.parametrize(("frame", "count"), [(0.1, WARM + LEAST), (0.00001, WARM + MOST)])
def test_the_time_for_choosing_is_bounded(cuda: SlowCuda, frame: float, count: int) -> None:
    cuda.frames = dict.fromkeys(ONCE, frame)
    opened(cuda).close()
    assert cuda.count("EventSynchronize") == 3 * (count + 1)


def test_a_stall_that_is_nobodys_fault_counts_against_no_kind(cuda: SlowCuda) -> None:
    cuda.frames, cuda.stall = dict.fromkeys(ONCE, 0.001), WARM + 3
    bridge = opened(cuda)
    assert (bridge.kind, cuda.stall < 0) == ("array", True)
    bridge.close()


def test_in_all_it_takes_about_what_is_allowed(cuda: SlowCuda) -> None:
    opened(cuda, allow=("array",)).close()
    cuda.frames = dict.fromkeys(ONCE, 0.002)
    cuda.now = 0.0
    opened(cuda, allow=("array", "buffer")).close()
    proofs = 2 * 6 * 0.001
    assert TOGETHER <= cuda.now - proofs <= TOGETHER + 2 * 0.002


def fails_from(cuda: SlowCuda, name: str, which: int) -> None:
    """A function of CUDA's says that memory is out from that call on."""
    real: Callable[..., tuple[Any, ...]] = getattr(cuda, name)
    calls: list[int] = []

    def counted(*facts: Any) -> tuple[Any, ...]:
        calls.append(1)
        return (2, None) if len(calls) >= which else real(*facts)

    setattr(cuda, name, counted)


def test_a_kind_that_fails_at_this_size_is_left_out_and_told(cuda: SlowCuda, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    fails_from(cuda, "cudaGraphicsGLRegisterImage", 5)  # three for the small picture, one of three for the large one
    bridge = opened(cuda)
    assert bridge.kind == "buffer"
    assert "by buffer, 0.00 ms by host; array: CUDA: out of memory (cudaGraphicsGLRegisterImage))" in caplog.text
    bridge.close()
    assert (cuda.registered, cuda.memory, cuda.streams) == ([], {}, set())


def test_without_room_to_time_them_the_first_is_taken(cuda: SlowCuda, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    cuda.room = 7  # two for each small picture
    bridge = opened(cuda)
    assert bridge.kind == "array"
    assert caplog.messages[-1].endswith("straight into the texture (not timed: CUDA: out of memory (cudaMalloc))")
    bridge.close()
    assert (cuda.registered, cuda.memory, cuda.streams) == ([], {}, set())


def test_a_card_that_dies_meanwhile_is_told_apart(cuda: SlowCuda) -> None:
    cuda.fails["cudaEventSynchronize"] = 700
    with pytest.raises(Poisoned):
        opened(cuda)
    assert (cuda.registered, cuda.memory, cuda.streams) == ([], {}, set())


def test_where_only_one_works_nothing_is_timed(cuda: SlowCuda) -> None:
    cuda.devices = ()
    opened(cuda).close()
    assert cuda.count("StreamCreateWithPriority") == 0


def test_all_bridges_of_a_card_take_what_was_chosen_for_the_first(cuda: SlowCuda) -> None:
    cuda.frames = {"array": 0.002, "buffer": 0.002, "host": 0.001}
    bridges = Bridges(cuda, clock=lambda: cuda.now)
    first = bridges.open(SHAPE)
    timed = cuda.count("StreamCreateWithPriority")
    second = bridges.open((16, 16))
    assert (first.kind, second.kind) == ("host", "host")
    assert cuda.count("StreamCreateWithPriority") == timed == 2
    cuda.fails["cudaGraphicsGLRegisterImage"] = cuda.fails["cudaGraphicsGLRegisterBuffer"] = 999
    for bridge in (first, second):
        bridge.close()


def test_what_was_chosen_and_cannot_be_had_any_more_is_chosen_anew(cuda: SlowCuda) -> None:
    bridges = Bridges(cuda, clock=lambda: 0.0)
    first = bridges.open(SHAPE)
    cuda.fails["cudaGraphicsGLRegisterImage"] = 2
    second = bridges.open((16, 16))
    assert (first.kind, second.kind) == ("array", "buffer")
    for bridge in (first, second):
        bridge.close()
    assert (cuda.registered, cuda.memory) == ([], {})
