"""A changed patch is tried elsewhere first: crashes and endless loops happen there."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from perform.gl.context import Context
from perform.gl.isf import PatchError
from perform.gl.isf.rehearse import main, rehearse
from tests.gl.isf.conftest import Write

GOOD = "void main() { gl_FragColor = vec4(1.0); }"


def test_a_good_patch_passes_and_a_wrong_one_is_left_to_the_stage(write: Write) -> None:
    rehearse(write(GOOD))
    rehearse(write("void main() { oops; }"))


def test_what_is_rehearsed_is_really_rendered(gl: Context, write: Write) -> None:
    assert main(str(write(GOOD)), "rgba8") == 0
    assert main(str(write("void main() { oops; }")), "rgba16f") == 1


def test_what_never_finishes_is_refused(write: Write) -> None:
    with pytest.raises(PatchError, match="take more than 0 s"):
        rehearse(write(GOOD), seconds=0.01)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_a_crash_is_named(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crash = tmp_path / "python"
    crash.write_text(f"#!/bin/sh\nkill -{int(signal.SIGSEGV)} $$\n")
    crash.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(crash))
    with pytest.raises(PatchError, match=r"crashes the graphics driver \(SIGSEGV\)"):
        rehearse(write(GOOD))
