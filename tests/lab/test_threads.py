"""As many threads as are quickest here and now."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from perform.lab import threads


@pytest.fixture(autouse=True)
def eight() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(8)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("seconds", "chosen", "tried"),
    [
        ({8: 1.0, 4: 2.0}, 8, [8, 4]),  # cores of their own
        ({8: 9.0, 4: 3.0, 2: 3.0}, 4, [8, 4, 2]),  # some are taken
        ({8: 9.0, 4: 4.0, 2: 2.0, 1: 1.0}, 1, [8, 4, 2, 1]),  # all but one
    ],
)
def test_fewer_are_taken_for_as_long_as_they_are_quicker(
    seconds: dict[int, float], chosen: int, tried: list[int]
) -> None:
    asked: list[int] = []

    def trial() -> float:
        asked.append(torch.get_num_threads())
        return seconds[asked[-1]]

    assert threads.fit(8, trial) == chosen == torch.get_num_threads()
    assert asked == tried


def test_who_was_left_one_thread_is_tried_with_all_of_them_again() -> None:
    torch.set_num_threads(1)
    assert threads.fit(8, lambda: 1.0 / torch.get_num_threads()) == 8 == torch.get_num_threads()


def test_the_trial_is_seconds_a_step_once_two_have_warmed_up(monkeypatch: pytest.MonkeyPatch) -> None:
    backwards: list[int] = []
    real = torch.Tensor.backward

    def backward(loss: torch.Tensor) -> None:
        real(loss)  # type: ignore[no-untyped-call]
        backwards.append(torch.get_num_threads())

    monkeypatch.setattr(torch.Tensor, "backward", backward)
    assert threads._steps(clock=lambda: 3.0 * len(backwards)) == 3.0
    assert len(backwards) == threads.STEPS
    backwards.clear()
    threads.fit(2)
    assert backwards == threads.STEPS * [2] + threads.STEPS * [1]


def test_a_training_begins_the_same_however_its_machine_was_timed() -> None:
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    threads.fit(2)
    assert torch.equal(torch.rand(1), expected)
