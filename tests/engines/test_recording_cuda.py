"""The stand-in for the CUDA runtime: it refuses what CUDA refuses."""

from __future__ import annotations

import pytest

from perform.testing.cuda import HANDLE, INVALID, RecordingCuda


def test_memory_goes_back_the_way_it_came_and_once() -> None:
    cuda = RecordingCuda()
    (_, card), (_, host) = cuda.cudaMalloc(64), cuda.cudaMallocHost(64)
    assert (cuda.cudaFree(host), cuda.cudaFreeHost(card)) == ((INVALID,), (INVALID,))
    assert cuda.memory.keys() == {card, host}
    assert (cuda.cudaFree(card), cuda.cudaFreeHost(host)) == ((0,), (0,))
    assert (cuda.cudaFree(card), cuda.cudaFreeHost(host)) == ((INVALID,), (INVALID,))
    assert (cuda.cudaFree(0), cuda.cudaFreeHost(0)) == ((0,), (0,))
    assert (cuda.memory, cuda.pinned) == ({}, set())


def test_a_stream_is_destroyed_once() -> None:
    cuda = RecordingCuda()
    _, stream = cuda.cudaStreamCreateWithPriority(1, 0)
    assert [cuda.cudaStreamDestroy(s) for s in (stream, stream, 4242)] == [(0,), (HANDLE,), (HANDLE,)]
    assert cuda.cudaStreamSynchronize(stream) == (HANDLE,)


@pytest.mark.parametrize("which", ["never made", "destroyed"])
def test_what_is_no_event_is_refused(which: str) -> None:
    cuda = RecordingCuda()
    _, stream = cuda.cudaStreamCreateWithPriority(1, 0)
    event = 777
    if which == "destroyed":
        _, event = cuda.cudaEventCreate()
        assert cuda.cudaEventDestroy(event) == (0,)
    assert cuda.cudaEventRecord(event, stream) == (HANDLE,)
    assert cuda.cudaEventQuery(event) == cuda.cudaEventSynchronize(event) == cuda.cudaEventDestroy(event) == (HANDLE,)
    assert cuda.cudaStreamWaitEvent(stream, event, 0) == (HANDLE,)
    assert cuda.events == {}


def test_only_events_that_were_recorded_and_have_a_time_are_so_far_apart() -> None:
    cuda = RecordingCuda()
    (_, begin), (_, end), (_, quiet) = cuda.cudaEventCreate(), cuda.cudaEventCreate(), cuda.cudaEventCreateWithFlags(2)
    assert cuda.cudaEventElapsedTime(begin, end)[0] == HANDLE
    for event in (begin, end, quiet):
        cuda.cudaEventRecord(event, 0)
    assert cuda.cudaEventElapsedTime(begin, end) == (0, 1.0)
    assert cuda.cudaEventElapsedTime(begin, quiet)[0] == cuda.cudaEventElapsedTime(quiet, end)[0] == HANDLE


def test_a_stream_that_has_ended_is_past_its_events_and_what_fails_makes_none() -> None:
    cuda = RecordingCuda(lag=10**6)
    (_, stream), (_, event), (_, other) = (
        cuda.cudaStreamCreateWithPriority(1, 0),
        cuda.cudaEventCreate(),
        cuda.cudaEventCreate(),
    )
    cuda.cudaEventRecord(event, stream)
    cuda.cudaEventRecord(other, 0)
    cuda.cudaStreamSynchronize(stream)
    assert (cuda.cudaEventQuery(event), cuda.cudaEventQuery(other)) == ((0,), (600,))
    cuda.fails = {"cudaEventCreateWithFlags": 2, "cudaStreamCreateWithPriority": 2}
    assert (cuda.cudaEventCreate(), cuda.cudaStreamCreateWithPriority(1, 0)) == ((2, 0), (2, 0))
    assert (cuda.events.keys(), cuda.streams) == ({event, other}, {stream})
