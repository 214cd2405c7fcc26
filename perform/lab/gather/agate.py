"""The agate world: 800 rendered slices, nobody's but the seeds'."""

from __future__ import annotations

from pathlib import Path

from perform.lab.gather.gathering import Gathering, rendered

COUNT, SIDE = 800, 320


def gather(cache: Path, workers: int) -> Gathering:
    pieces, origin = rendered("agate", COUNT, SIDE, workers)
    return Gathering(pieces, origin, [])
