"""A changed patch is tried elsewhere first: crashes and endless loops happen there."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from perform.gl.context import Context
from perform.gl.isf import PatchError
from perform.gl.isf.cost import NoEnd
from perform.gl.isf.rehearse import main, rehearse
from tests.gl.isf.conftest import Write

SIZE = (320, 180)
SLOW = "void main() { float a = 0.0; for (int i = 0; i < 60000; i++) a += sin(float(i) * a + isf_FragNormCoord.x);"
GOOD = "void main() { gl_FragColor = vec4(1.0); }"


def test_a_good_patch_passes_and_a_wrong_one_is_left_to_the_stage(write: Write) -> None:
    takes = rehearse(write(GOOD), "rgba8", SIZE)
    assert takes is not None
    assert 0.0 < takes < 6.0
    assert rehearse(write("void main() { oops; }"), "rgba8", SIZE) is None


def test_what_is_rehearsed_is_really_rendered(gl: Context, write: Write) -> None:
    assert main(str(write(GOOD)), "rgba8", "64", "36") == 0
    assert main(str(write("void main() { oops; }")), "rgba16f", "64", "36") == 1


def test_what_never_finishes_is_refused(write: Write) -> None:
    with pytest.raises(NoEnd, match="take more than 0 s"):
        rehearse(write(GOOD), "rgba8", SIZE, seconds=0.01)


def test_what_is_far_too_slow_is_refused_there(write: Write) -> None:
    with pytest.raises(PatchError, match=r"a frame of 32000×18000 would take .*: too slow to show"):
        rehearse(write(SLOW + " gl_FragColor = vec4(a); }"), "rgba8", (32000, 18000))


@pytest.mark.parametrize(("said", "takes"), [("1.5", 1.5), ("driver 7 here\n0.25\n", 0.25), ("", None), ("oh", None)])
def test_a_driver_may_print_too(
    said: str, takes: float | None, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "python"
    other.write_text(f"#!/bin/sh\ncat <<'END'\n{said}\nEND\n")
    other.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(other))
    assert rehearse(write(GOOD), "rgba8", SIZE) == takes


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_a_crash_is_named(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crash = tmp_path / "python"
    crash.write_text(f"#!/bin/sh\nkill -{int(signal.SIGSEGV)} $$\n")
    crash.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(crash))
    with pytest.raises(PatchError, match=r"crashes the graphics driver \(SIGSEGV\)"):
        rehearse(write(GOOD), "rgba8", SIZE)
