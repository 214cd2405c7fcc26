"""Finds a patch by what a show calls it."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

from perform.gl.isf.kinds import SUFFIXES

KINDS = ("sources", "filters", "transitions", "blends")


def find_patch(name: str, folders: Sequence[Path]) -> Path:
    """The file of "sources/drift.fs", "sources/drift", "drift", a relative or an absolute path.

    `folders` are searched in order, each itself and its sources, filters, transitions and blends.
    Raises LookupError with one sentence and the nearest name.
    """
    wanted = Path(name).expanduser()
    for folder in folders if not wanted.is_absolute() else (wanted.parent,):
        for base in (folder, *(folder / kind for kind in KINDS)):
            for suffix in ("", *SUFFIXES):
                file = (base / wanted).with_name(wanted.name + suffix)
                if file.suffix in SUFFIXES and file.is_file():
                    return file
    known = [f for folder in folders for kind in KINDS for f in sorted((folder / kind).glob("*"))]
    known = [f for f in known if f.suffix in SUFFIXES]
    names = {f.stem: f for f in known} | {f"{f.parent.name}/{f.name}": f for f in known}
    near = difflib.get_close_matches(name, names, 1) or difflib.get_close_matches(wanted.stem, names, 1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise LookupError(f"there is no patch {name!r}{hint}")
