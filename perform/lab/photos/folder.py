"""The picture files of a folder and of all folders in it, by name."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from PIL import Image

from perform.files import FORMATS

Openable = Callable[[], BinaryIO]
OURS = frozenset({"wish.json", "card.toml"})  # in the folder of a desk, of a world
# What people have beside pictures, or as pictures, and what to do about it; by the ends of names.
KNOWN = (
    ((".mp4", ".mov", ".m4v", ".mkv", ".avi", ".webm", ".mpg", ".mpeg", ".mts", ".wmv"), "a film: give it by itself"),
    ((".heic", ".heif"), "a HEIC picture, which cannot be read here: save it as JPEG"),
    ((".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2", ".dng"), "a raw photograph: develop it to JPEG first"),
    ((".eps", ".ps", ".pdf"), "a drawing or a document: save it as PNG"),
)


def files(root: Path) -> Iterator[tuple[str, Openable | str]]:
    """(name inside `root`, what opens it; or why it is refused), in the order of names. Files that are links are
    read, wherever they lead; folders that are links are passed over, and so are worlds and the desks that they are
    made on (`perform train .`): their sheets are no photographs.
    """
    unreadable: list[OSError] = []
    for here, folders, names in os.walk(root, onerror=unreadable.append):
        folders.sort()
        if here != str(root) and not OURS.isdisjoint(names):
            folders.clear()
            continue
        folders[:] = [one for one in folders if not hidden(one)]
        for name in sorted(names):
            path = Path(here) / name
            why = unusable(name)
            if hidden(name) or not (why or is_picture(name)):
                continue
            if not why and _no_file(path):  # opening a pipe would wait for ever
                why = "it is no file (a pipe, a device, or a link to nowhere)"
            yield written(path.relative_to(root).as_posix()), why or partial(_opened, path)
    for error in unreadable:
        yield written(str(error.filename)), "this folder may not be read (permissions)"


def written(name: str) -> str:
    """A name as it can be written down. One that is no UTF-8 (old zips, old sticks) can be opened, but not written; two
    of them stay two.
    """
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def is_picture(name: str) -> bool:
    """Whether a file's name ends as pictures' names do. What it is really is told when it is opened."""
    return Image.registered_extensions().get(PurePosixPath(name).suffix.lower()) in FORMATS


def unusable(name: str) -> str:
    """Why a file that people take for a picture cannot be one here, by its name; "" if nothing is known against it."""
    end = PurePosixPath(name).suffix.lower()
    return next((why for ends, why in KNOWN if end in ends), "")


def hidden(name: str) -> bool:
    """Files that systems leave behind: .DS_Store, ._photo.jpg, __MACOSX, Thumbs.db."""
    return name.startswith((".", "__MACOSX", "@eaDir")) or name.lower() == "thumbs.db"


def _no_file(path: Path) -> bool:
    """Whether something is no file, or not there. What may not even be looked at is refused when it is opened."""
    try:
        return not stat.S_ISREG(path.stat().st_mode)
    except PermissionError:
        return False
    except OSError:
        return True


def _opened(path: Path) -> BinaryIO:
    return path.open("rb")
