"""The ocean world: rendered seas, and among them the photographs of open sea of Debian's endless-sky-data."""

from __future__ import annotations

import re
from pathlib import Path

from perform.lab.gather import landscape
from perform.lab.gather.gathering import Gathering, rendered

COUNT, SIDE = 720, 320
# Chosen by eye: open water, surf, rocks in the sea; no lakes, no beaches that are mostly sand.
SEAS = re.compile(r"beach([1-6]|(7|8|9|10)-sfiera)|sea([1-5]|[7-9]|10-sfiera|15-harro)|water4")


def gather(cache: Path, workers: int) -> Gathering:
    photographs = landscape.photographs(cache, lambda stem: "" if SEAS.fullmatch(stem) else "not the sea")
    renders, origin = rendered("ocean", COUNT, SIDE, workers)
    refused = [line for line in photographs.refused if not line.endswith("not the sea")]
    return Gathering([*photographs.pieces, *renders], {**photographs.origin, **origin}, refused)
