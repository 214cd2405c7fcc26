"""perform bench: runs bench/show.py of a checkout in this process."""

from __future__ import annotations

import argparse
import runpy
import sys

from perform import paths
from perform.cli import Bad


def bench(args: argparse.Namespace) -> int:
    """Print what the show costs on this machine."""
    script = paths.share() / "bench" / "show.py"
    if not script.is_file():
        raise Bad("the benches are in the source checkout only, as bench/show.py")
    sys.argv = [str(script), *args.words]
    runpy.run_path(str(script), run_name="__main__")
    return 0
