"""What PyTorch's compiler (TorchInductor) keeps for itself: kernels, which make the next world quicker.

By itself it keeps all of it for ever in the temporary folder, more with each world. Here it lies in the user's cache
folder, as what the other engines make does, and the longest unused goes first. All of it can be deleted while nothing
is compiled.

Headers that it compiles beforehand, 280 MB for each version of PyTorch, it would keep in the temporary folder wherever
the rest is. It does without: the first world is ready sooner, each further one some seconds of a core later.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

VARIABLE = "TORCHINDUCTOR_CACHE_DIR"
NAME = "inductor"  # of the folder
ROOM = 1_000_000_000  # bytes kept
# Seconds: another process may still compile with what was made or read since. An hour would do, but most systems note a
# reading once a day (relatime): what was noted almost a day ago may have been read just now.
BUSY = 25 * 3600.0
_GIVEN: set[str] = set()  # folders that `environment` has named: one that is set since is no person's
HEADERS = ("cpp_cache_precompile_headers", "aot_inductor.precompile_headers")  # in this process; in a package


def options() -> dict[str, Any]:
    """How it is to compile, by the names of `torch._inductor.config`; those that this version of it has not are left
    out. Imports it.
    """
    from torch._inductor import list_options

    there = list_options()
    return {name: False for name in HEADERS if name in there}


def environment(folder: Path) -> dict[str, str]:
    """What a process that compiles needs in its environment to keep its things in `folder`, which is made. Empty where
    a person has named another one, or where it cannot be written: PyTorch's own place does then.
    """
    told = os.environ.get(VARIABLE, "")
    # PyTorch itself writes there where it would keep them, as soon as its compiler is imported.
    its_own = Path(told).parent == Path(tempfile.gettempdir()) and Path(told).name.startswith("torchinductor_")
    if told and not its_own and told not in _GIVEN:
        return {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            _GIVEN.add(str(folder))
    except OSError:
        return {}
    return {VARIABLE: str(folder)}


def tidy(folder: Path, room: int = ROOM, now: Callable[[], float] = time.time) -> None:
    """Keep `room` bytes of what was compiled, that which was made or read last. `now` is wall time, in seconds since
    the epoch. Some ten milliseconds; never raises.
    """
    total = 0
    for used, nbytes, files in sorted(_pieces(folder), reverse=True):
        total += nbytes
        if total > room and now() - used > BUSY:
            for path in files:
                with contextlib.suppress(OSError):
                    path.unlink()
            with contextlib.suppress(OSError):
                files[0].parent.rmdir()  # if it is empty


def _pieces(folder: Path) -> list[tuple[float, int, list[Path]]]:
    """When each piece was last used, its bytes and its files: those that are of no use without each other."""
    found: dict[Path, tuple[float, int, list[Path]]] = {}
    for path in (Path(above, name) for above, _, names in os.walk(folder) for name in names):
        if path.parent.name == "locks":
            continue  # takes no room, and may be held
        with contextlib.suppress(OSError):  # another process has just deleted it
            stat = path.stat()
            whole = "triton" in path.relative_to(folder).parts  # a folder for each kernel, else files of one stem
            piece = path.parent if whole else path.parent / path.name.partition(".")[0]
            used, nbytes, files = found.get(piece, (0.0, 0, []))
            # when it was read is kept to the day by most systems, and not at all by some: then its making counts
            found[piece] = max(used, stat.st_atime, stat.st_mtime), nbytes + stat.st_size, [*files, path]
    return list(found.values())
