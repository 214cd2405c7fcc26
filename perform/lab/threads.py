"""How many processor threads to train with, on a machine that has other things to do as well.

The threads of one convolution wait for each other at its end. On cores of their own more of them are faster; where a
show, a browser or another training keeps a core busy, all wait for the one that does not get its turn: a teacher's step
took 16.0 s with two threads and 4.3 s with one, on two cores of which another program used one (alone: 2.0 and 3.3).
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch import nn

STEPS = 6  # training steps of the trial network, of which the first two warm up


def fit(most: int, trial: Callable[[], float] | None = None) -> int:
    """Set, and return, the count of PyTorch's threads that is quickest here and now: `most`, or a half of them, and so
    on for as long as fewer are quicker. Some seconds where that changes something, else about one. `trial` is what is
    timed: seconds of work with the count that is set.
    """
    trial, best = trial or _steps, most
    torch.set_num_threads(best)
    least = trial() if best > 1 else 0.0
    while best > 1:
        torch.set_num_threads(best // 2)
        took = trial()
        if took >= least:
            break
        best, least = best // 2, took
    torch.set_num_threads(best)
    return best


def _steps(clock: Callable[[], float] = time.perf_counter) -> float:
    """Seconds a step of a small network takes, forwards and backwards."""
    with torch.random.fork_rng([]):  # a training begins the same, however its machine was timed
        layers = [nn.Sequential(nn.Conv2d(32, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU()) for _ in range(4)]
    network = nn.Sequential(*layers).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    pictures = torch.full((4, 32, 128, 128), 0.5).contiguous(memory_format=torch.channels_last)
    began = 0.0
    for step in range(STEPS):
        if step == 2:
            began = clock()
        network(pictures).square().mean().backward()
    return (clock() - began) / (STEPS - 2)
