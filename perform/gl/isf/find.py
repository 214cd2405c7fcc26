"""Finds a patch by what a show calls it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from perform.finding import KINDS, SUFFIXES, expanded, patch_file
from perform.likeness import near


def find_patch(name: str, folders: Sequence[Path], kinds: Sequence[str] = KINDS) -> Path:
    """As `patch_file`, but raises LookupError, with one sentence and the nearest name, where there is none."""
    found = patch_file(name, folders, kinds)
    if found is not None:
        return found
    known = [f for folder in folders for kind in kinds for f in sorted((folder / kind).glob("*"))]
    known = [f for f in known if f.suffix in SUFFIXES]
    names = {f.stem: f for f in known} | {f"{f.parent.name}/{f.name}": f for f in known}
    meant = near(name, names) or near(expanded(name).stem, names)
    hint = f"; did you mean {meant!r}?" if meant else ""
    raise LookupError(f"there is no patch {name!r}{hint}")
