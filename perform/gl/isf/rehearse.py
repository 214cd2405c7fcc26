"""Tries a changed patch in another process before it goes on stage.

A driver takes up to seconds to compile a shader it has never seen, cannot be interrupted in a loop that never ends,
and now and then crashes. The rehearsal takes all of that upon itself; what it compiled is in the driver's cache on
disk, so that the render thread then needs milliseconds (llvmpipe, 4 passes: 76 instead of 560 ms for the first frame).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import perform
from perform.gl.isf.kinds import PatchError
from perform.gl.target import Format

PATIENCE = 30.0  # seconds for three tiny frames, compiling included, on a machine that is busy with a show


def rehearse(path: Path, format: Format = "rgba8", seconds: float = PATIENCE) -> None:
    """Render three tiny frames of a patch in a process of its own; takes 0.4 s and more. Not for the render thread.

    Raises PatchError if the driver crashes or never finishes. What else is wrong is for `Patch` to find out.
    """
    home = str(Path(perform.__file__).resolve().parent.parent)
    paths = os.pathsep.join(p for p in (home, os.environ.get("PYTHONPATH", "")) if p)
    code = "import sys; from perform.gl.isf.rehearse import main; sys.exit(main(*sys.argv[1:]))"
    command = [sys.executable, "-c", code, str(path), format]
    try:
        done = subprocess.run(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": paths}, timeout=seconds, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise PatchError(path, 0, f"three tiny frames take more than {seconds:.0f} s: a loop without an end?") from None
    if done.returncode < 0 and -done.returncode not in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
        raise PatchError(path, 0, f"crashes the graphics driver ({signal.Signals(-done.returncode).name})")


def main(path: str, format: Format) -> int:
    """What the other process does; 0 if the patch rendered, 1 if something is wrong with it."""
    from perform.gl.context import open_headless
    from perform.gl.isf.patch import Patch
    from perform.gl.transfer import read

    with open_headless():
        try:
            patch = Patch.open(Path(path), format)
        except PatchError:
            return 1
        for n in range(3):
            texture = patch.render((16, 9), n / 60.0)
        read(texture)
        patch.close()
    return 0
