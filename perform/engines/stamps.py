"""What the bank watches: the files a world was loaded from, and the memory that loading took."""

from __future__ import annotations

import os
from pathlib import Path

from perform import files
from perform.library import CardError, Library

Stamp = tuple[tuple[Path, files.Stamp | None], ...]  # each file as it was


def stamp(library: Library, world: str, size: str) -> Stamp:
    """The files one size of a world depends on, as they are now; empty if there is no such world. Worker thread."""
    try:
        path = library.find(world)
    except LookupError:
        return ()
    paths = [path]
    try:
        known = library.card(world).sizes.get(size)
        paths += [asset.path for asset in known.files.values()] if known is not None else []
    except (CardError, LookupError):
        pass  # the card alone then says when to look again
    return tuple((p, files.stamp(p)) for p in paths)


def resident() -> int:
    """Bytes of memory this process uses now; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
