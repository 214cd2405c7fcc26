"""Where each world's pictures come from: photographs whose licence allows it, and renders from seeds.

Both are reproducible: photographs by package, version and sha256, renders by their seeds (to the byte on the same
torch and Pillow; on another, to what an eye can tell).
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path

from perform.lab.gather.gathering import Gathering
from perform.lab.worlds import World

WORLDS = ("agate", "cosmos", "landscape", "ocean")


def collect(name: str, out: Path, cache: Path, workers: int = 0) -> World:
    """Fetch, choose, license or render the world `name` and write it into `out`. Raises ValueError for an unknown name.

    Downloads take a minute once; renders about half a second of one core each, on `workers` processes (0: one a core).
    """
    if name not in WORLDS:
        raise ValueError(f"there is no world {name!r}; there are {', '.join(WORLDS)}")
    module = importlib.import_module(f"perform.lab.gather.{name}")
    found: Gathering = module.gather(cache, workers)
    world = World.of([piece.picture for piece in found.pieces])
    world.save(out)
    (out / "ATTRIBUTION.csv").write_text(found.attribution(), encoding="utf-8")
    held = [piece.name for piece, kept in zip(found.pieces, world.held_out.tolist(), strict=True) if kept]
    about = {"world": name, "pictures": len(found.pieces), **found.origin, "held_out": held, "refused": found.refused}
    (out / "world.json").write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return world
