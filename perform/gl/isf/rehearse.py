"""Tries a changed patch in another process before it goes on stage.

A driver takes up to seconds to compile a shader it has never seen, cannot be interrupted in a loop that never ends,
and now and then crashes. The rehearsal takes all of that upon itself; what it compiled is in the driver's cache on
disk, so that the render thread then needs milliseconds (llvmpipe, 4 passes: 76 instead of 560 ms for the first frame).
It also finds out what a frame costs, which for a slow patch takes seconds that a show does not have.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import perform
from perform.gl.isf.cost import LONGEST, PROBES, NoEnd, judge, seconds_a_frame
from perform.gl.isf.kinds import PatchError
from perform.gl.isf.patch import Patch
from perform.gl.target import Format

PATIENCE = 30.0  # seconds for a few tiny frames, compiling included, on a machine that is busy with a show
CERTAIN = 3.0  # times LONGEST: what takes longer than that does so beside a busy show, too, and without one


def rehearse(path: Path, format: Format, size: tuple[int, int], seconds: float = PATIENCE) -> float | None:
    """Render a patch, tiny, in a process of its own: about how many seconds a frame of `size` takes, None if unknown.

    Takes 0.4 s and more: not for the render thread. Raises PatchError if the patch is far too slow (TooSlow),
    never finishes (NoEnd), or crashes the driver. What else is wrong is for `Patch` to find out.
    """
    home = str(Path(perform.__file__).resolve().parent.parent)
    paths = os.pathsep.join(p for p in (home, os.environ.get("PYTHONPATH", "")) if p)
    code = "import sys; from perform.gl.isf.rehearse import main; sys.exit(main(*sys.argv[1:]))"
    command = [sys.executable, "-c", code, str(path), format, str(size[0]), str(size[1])]
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": paths}, timeout=seconds, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise NoEnd(path, 0, f"a few tiny frames take more than {seconds:.0f} s: a loop without an end?") from None
    if done.returncode < 0 and -done.returncode not in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
        raise PatchError(path, 0, f"crashes the graphics driver ({signal.Signals(-done.returncode).name})")
    takes = _said(done.stdout) if done.returncode == 0 else None
    if takes is not None:
        judge(path, size, takes, CERTAIN * LONGEST)
    return takes


def _said(output: bytes) -> float | None:
    """The number in the last line; a driver may print lines of its own before it."""
    try:
        return float(output.split()[-1])
    except (IndexError, ValueError):
        return None


def main(path: str, format: Format, width: str, height: str) -> int:
    """What the other process does: 0 if the patch rendered, with its seconds a frame printed; 1 if it is wrong."""
    from perform.gl.context import open_headless
    from perform.gl.transfer import read

    with open_headless():
        try:
            patch = Patch.open(Path(path), format)
        except PatchError:
            return 1
        takes = seconds_a_frame(patch, (int(width), int(height)), LONGEST)
        for n in range(3):
            texture = patch.render(PROBES[0], n / 60.0)
        read(texture)
        patch.close()
    sys.stdout.write(f"{takes}\n")
    return 0
