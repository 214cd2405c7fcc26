"""`perform` and `python -m perform`: the verbs, as a process."""

from __future__ import annotations

import logging
import os
import sys
from typing import NoReturn

from perform.cli import main


def leave() -> NoReturn:
    """Run one verb and end the process with its exit code. Console script.

    A library may still compute in a worker that was asked to stop (a world that loads on a slow machine). Torn down
    under it, the library aborts the process, and a supervisor takes that for a crash and starts the show again: so
    the process ends without tearing anything down.
    """
    code = main()
    from perform.workers import lingering

    if lingering():
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    leave()
