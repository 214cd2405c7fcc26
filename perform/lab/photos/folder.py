"""The picture files of a folder and of all folders in it, by name."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from PIL import Image

Openable = Callable[[], BinaryIO]
FILMS = frozenset([".mp4", ".mov", ".m4v", ".mkv", ".avi", ".webm", ".mpg", ".mpeg", ".mts", ".wmv"])


def files(root: Path) -> Iterator[tuple[str, Openable | str]]:
    """(name inside `root`, what opens it; or why it is refused), in the order of names. Links out are not followed."""
    unreadable: list[OSError] = []
    for here, folders, names in os.walk(root, onerror=unreadable.append):
        folders.sort()
        folders[:] = [one for one in folders if not hidden(one)]
        for name in sorted(names):
            path = Path(here) / name
            label = path.relative_to(root).as_posix()
            if hidden(name):
                continue
            if path.suffix.lower() in FILMS:
                yield label, "a film: give it by itself, not in a folder"
            elif is_picture(name):
                yield label, partial(_opened, path)
    for error in unreadable:
        yield str(error.filename), "this folder may not be read (permissions)"


def is_picture(name: str) -> bool:
    """Whether a file's name ends as pictures' names do. What it is really is told when it is opened."""
    return PurePosixPath(name).suffix.lower() in Image.registered_extensions()


def hidden(name: str) -> bool:
    """Files that systems leave behind: .DS_Store, ._photo.jpg, __MACOSX, Thumbs.db."""
    return name.startswith((".", "__MACOSX", "@eaDir")) or name.lower() == "thumbs.db"


def _opened(path: Path) -> BinaryIO:
    return path.open("rb")
