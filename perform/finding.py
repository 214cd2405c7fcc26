"""Files by what a show calls them: paths that may begin with somebody's home folder, and patches by name."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

SUFFIXES = (".fs", ".frag", ".glsl", ".isf", ".fsh")  # of patches
KINDS = ("sources", "filters", "transitions", "blends")  # of patches, as their folders are called


def expanded(text: str) -> Path:
    """A path with `~` and `~name` filled in; as it is where there is no such home: who looks there says what is not."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        return Path(text)


def patch_file(name: str, folders: Sequence[Path], kinds: Sequence[str] = KINDS) -> Path | None:
    """The file of "sources/drift.fs", "sources/drift", "drift", a relative or an absolute path; None without one.

    `folders` are searched in order, each itself and then its folders of these kinds: what a show has of its own wins.
    """
    wanted = expanded(name)
    if not wanted.name:
        return None
    for folder in folders if not wanted.is_absolute() else (wanted.parent,):
        for base in (folder, *(folder / kind for kind in kinds)):
            for suffix in ("", *SUFFIXES):
                file = (base / wanted).with_name(wanted.name + suffix)
                if file.suffix in SUFFIXES and os.path.isfile(file):  # Path's raises for long names
                    return file
    return None
