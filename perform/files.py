"""Files that are watched: what they were, to see whether they are others now."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Stamp(NamedTuple):
    """A file as it was. One that is overwritten in place keeps its `inode`, one that is replaced mostly does not."""

    inode: int
    changed: int  # nanoseconds
    size: int  # bytes


def stamp(path: Path) -> Stamp | None:
    """The file as it is now; None if it is not there, or cannot be looked at. Any thread; microseconds on a disk."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return Stamp(stat.st_ino, stat.st_mtime_ns, stat.st_size)
