"""The ocean world: rendered seas, and among them the photographs of open sea of Debian's endless-sky-data."""

from __future__ import annotations

from pathlib import Path

from perform.lab.gather import landscape
from perform.lab.gather.gathering import Gathering, rendered

COUNT, SIDE = 720, 320
# Chosen by eye: open water, surf, rocks in the sea; no lakes, no beaches that are mostly sand.
SEAS = frozenset(
    "beach1 beach10-sfiera beach2 beach3 beach4 beach5 beach6 beach7-sfiera beach8-sfiera beach9-sfiera sea1"
    " sea10-sfiera sea15-harro sea2 sea3 sea4 sea5 sea7 sea8 sea9 water5".split()
)


def gather(cache: Path, workers: int) -> Gathering:
    photographs = landscape.photographs(cache, lambda stem: "" if stem in SEAS else "not the sea")
    renders, origin = rendered("ocean", COUNT, SIDE, workers)
    refused = [line for line in photographs.refused if not line.endswith("not the sea")]
    return Gathering([*photographs.pieces, *renders], {**photographs.origin, **origin}, refused)
