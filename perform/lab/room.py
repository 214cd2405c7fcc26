"""How much of a batch fits the GPU's memory: all of it, or half, a quarter, an eighth."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch

from perform.lab import ranks, run

Begun = TypeVar("Begun")
Made = TypeVar("Made")
SHARE = "share"  # the file in which many ranks keep it


def shrunk(counts: tuple[int, ...], share: float) -> tuple[int, ...]:
    """A batch's counts times `share`, a multiple of the ranks and at least one for each, none where there was none."""
    ours = ranks.count()
    return tuple(max(ours, int(count * share) // ours * ours) if count else 0 for count in counts)


def kept_share(file: Path) -> float:
    """The share of a batch that `halved` has kept in this file; else the whole."""
    return float(file.read_text(encoding="utf-8")) if file.exists() else 1.0


def halved(file: Path, share: float) -> float:
    """Half the share of a batch that did not fit the GPU's memory. Raises ValueError below an eighth; and on one of
    many ranks, with the half kept in `file`: the others wait within a step that this one has left, and only their end
    ends that.
    """
    if share <= 0.125:
        raise ValueError("the GPU's memory does not suffice even for an eighth of the batch") from None
    share /= 2
    if ranks.count() > 1:
        run.write(file, lambda path: path.write_text(str(share), encoding="utf-8"))
        said = f"the memory of rank {ranks.rank()}'s GPU is full: the same command goes on with"
        raise ValueError(f"{said} 1/{round(1 / share)} of the batch") from None
    return share


def with_room(
    kept: Path,
    begin: Callable[[float], Begun],
    use: Callable[[Begun, float], Made],
    told: Callable[[float], object] = lambda share: None,
) -> Made:
    """What `use` makes of a stage, and of the share of the batch that it was begun with: all of it, or what `kept` says
    (`kept_share`), and when the GPU's memory does not suffice, half of that, down to an eighth, which `told` hears of.
    Many ranks end for that, and begin so. Whatever comes of it, a stage has left the memory before the next is begun.
    """
    share = kept_share(kept)
    while True:
        stage: Begun | None = None
        try:
            stage = begin(share)
            return use(stage, share)
        except torch.cuda.OutOfMemoryError:
            share = halved(kept, share)
        finally:
            del stage
            gc.collect()
            torch.cuda.empty_cache()
        told(share)
