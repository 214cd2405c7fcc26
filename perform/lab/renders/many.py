"""Hundreds of renders: on several processes, in the order of their seeds, those not worth looking at left out."""

from __future__ import annotations

import importlib
import multiprocessing
import os
from collections.abc import Iterator

import torch
from torch import Tensor

from perform.lab.conditions import luma


def render(kind: str, count: int, side: int, workers: int = 0) -> list[tuple[int, Tensor]]:
    """The first `count` pictures of `perform.lab.renders.<kind>` worth looking at: (seed, uint8 [3,side,side]).

    The same pictures whatever the number of `workers` (processes; 0: one for each core that may be used).
    """
    workers = workers or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else workers or 1
    kept: list[tuple[int, Tensor]] = []
    for seed, picture in _rendered(kind, side, 2 * count, workers):
        if worth(picture):
            kept.append((seed, picture))
        if len(kept) == count:
            return kept
    raise RuntimeError(f"of {2 * count} renders of {kind} only {len(kept)} were worth looking at, not {count}")


def worth(picture: Tensor, light: float = 0.10, spread: float = 0.07) -> bool:
    """Whether uint8 [3,H,W] is light enough and has contrast: mean and standard deviation of its grey, of 1."""
    grey = luma(picture[None].float() / 255)
    return float(grey.mean()) > light and float(grey.std()) > spread


def _rendered(kind: str, side: int, most: int, workers: int) -> Iterator[tuple[int, Tensor]]:
    jobs = [(kind, seed, side) for seed in range(most)]
    if workers == 1:
        threads = torch.get_num_threads()
        _single()
        try:
            yield from map(_one, jobs)
        finally:
            torch.set_num_threads(threads)
        return
    with multiprocessing.get_context("spawn").Pool(workers, _single) as pool:
        yield from pool.imap(_one, jobs, chunksize=4)


def _single() -> None:
    """One thread: sums, and so the bytes of a render, depend on their number."""
    torch.set_num_threads(1)


def _one(job: tuple[str, int, int]) -> tuple[int, Tensor]:
    kind, seed, side = job
    picture: Tensor = importlib.import_module(f"perform.lab.renders.{kind}").render(seed, side)
    return seed, (picture * 255).round().to(torch.uint8)
