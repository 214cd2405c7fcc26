"""What does each patch cost? Milliseconds of all cores together for one frame, so that a busy machine hardly shows.

    python bench/patches.py [--size 640x360] [patches/sources/drift.fs …]

On software GL the drawing threads' time is this process's time; on a GPU the clock on the wall is read instead.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path

from perform import paths
from perform.cli import pixels
from perform.gl.context import open_headless
from perform.gl.isf.patch import Patch
from perform.gl.isf.stills import given, views
from perform.gl.lib import gl


def cost(patch: Patch, size: tuple[int, int], inputs: dict[str, object], clock: Callable[[], float]) -> float:
    """Seconds of `clock` for a frame: the median of nine, after two that pay for compiling."""
    taken = []
    for n in range(11):
        start = clock()
        patch.render(size, 5.0 + n / 30.0, inputs)  # type: ignore[arg-type]
        gl.glFinish()
        taken.append(clock() - start)
    return sorted(taken[2:])[4]


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--size", type=pixels, default=(640, 360))
    ask.add_argument("patches", nargs="*", type=Path, default=sorted(paths.patches().glob("*/*.fs")))
    args = ask.parse_args()
    width, height = args.size
    with open_headless() as context:
        count = cores()
        clock = (lambda: time.process_time() / count) if context.software else time.perf_counter
        print(f"{width}×{height}, {context.renderer}, {count} cores")
        pictures = views((width, height))
        for path in args.patches:
            patch = Patch.open(path)
            inputs = dict(given(patch.header, pictures))
            seconds = cost(patch, (width, height), inputs, clock)
            print(f"{path.parent.name + '/' + path.stem:<32} {seconds * 1e3:6.1f} ms")
            patch.close()


if __name__ == "__main__":
    main()
