"""Captures, on a stand-in for PyTorch: in which order, what is kept apart, what is told when one fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from perform.engines.cuda_board import WARM, TorchBoard
from perform.gl.interop import CudaError
from perform.gl.interop.calls import NO_MEMORY
from perform.testing.cuda import RecordingCuda


class Full(RuntimeError):
    """As torch.OutOfMemoryError."""


class Failed(RuntimeError):
    """As torch.AcceleratorError."""

    error_code = 901


@dataclass
class FakeTorch:
    """torch, as far as captures need it. `journal` holds what was done; a capture under which work failed is spoilt."""

    journal: list[str] = field(default_factory=list)
    spoilt: bool = False
    OutOfMemoryError: Any = Full
    AcceleratorError: Any = Failed

    def __post_init__(self) -> None:
        self.cuda = SimpleNamespace(
            CUDAGraph=lambda: SimpleNamespace(
                capture_begin=self._begin, capture_end=self._end, replay=lambda: self.journal.append("replay")
            ),
            ExternalStream=lambda number, device: SimpleNamespace(
                wait_stream=lambda other: None, synchronize=lambda: self.journal.append("synchronize")
            ),
            default_stream=lambda device: None,
            device=self.block,
            stream=self.block,
        )
        self.backends = SimpleNamespace(cudnn=SimpleNamespace(flags=self.block))
        self.inference_mode = self.block
        self._C = SimpleNamespace(_cuda_clearCublasWorkspaces=lambda: self.journal.append("clear"))

    @contextmanager
    def block(self, *facts: Any, **keys: Any) -> Iterator[None]:
        yield

    def _begin(self, pool: Any, capture_error_mode: str) -> None:
        assert capture_error_mode == "thread_local", "others may use the card meanwhile"
        self.journal.append("begin")

    def _end(self) -> None:
        self.journal.append("end")
        if self.spoilt:
            raise Failed("the capture is spoilt")


@pytest.fixture
def torch() -> FakeTorch:
    return FakeTorch()


@pytest.fixture
def board(torch: FakeTorch) -> TorchBoard:
    return TorchBoard(torch, RecordingCuda())


def test_a_graph_shares_no_workspace_of_cublas_with_what_ran_before_or_comes_after(
    torch: FakeTorch, board: TorchBoard
) -> None:
    replay = board.capture(lambda: torch.journal.append("work"), 7, None)
    assert torch.journal == ["work"] * WARM + ["synchronize", "clear", "begin", "work", "end", "clear"]
    replay(7)
    assert torch.journal[-1] == "replay"


def test_one_is_captured_at_a_time_and_nothing_is_released_meanwhile(torch: FakeTorch, board: TorchBoard) -> None:
    held: list[bool] = []
    board.capture(lambda: held.append(board._alone.locked()), 7, None)
    torch.cuda.empty_cache = lambda: held.append(board._alone.locked())
    board.release()
    assert held == [True] * (WARM + 2)
    assert not board._alone.locked()


def test_what_spoils_a_capture_is_told_and_not_that_it_is_spoilt(torch: FakeTorch, board: TorchBoard) -> None:
    def work() -> None:
        if "begin" in torch.journal:
            torch.spoilt = True
            raise Full("there is no room")

    with pytest.raises(CudaError, match="the card's memory is full") as told:
        board.capture(work, 7, None)
    assert told.value.code == NO_MEMORY
    assert torch.journal[-1] == "end", "the stream captures no more"
    assert not board._alone.locked()
