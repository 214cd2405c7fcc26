"""How the process ends."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import atexit, sys
import perform.__main__ as entry
from perform import workers

def verb():
    print("done")
    if sys.argv[1] == "busy":
        workers.spawn("loads a world", lambda stop: workers.threading.Event().wait())
    return 3

entry.main = verb
atexit.register(print, "torn down")
entry.leave()
"""


@pytest.mark.parametrize(("how", "said"), [("idle", "done\ntorn down\n"), ("busy", "done\n")])
def test_nothing_is_torn_down_under_a_worker_that_does_not_stop(how: str, said: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT, how], capture_output=True, text=True, timeout=300, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (3, said, "")
