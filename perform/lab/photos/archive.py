"""The picture files of a zip, read in memory one by one: nothing is unpacked to disk, so no name can lead anywhere."""

from __future__ import annotations

import io
import lzma
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from perform.lab.photos.folder import Openable, hidden, is_picture, unusable
from perform.lab.photos.picture import BROKEN

LARGEST = 300_000_000  # bytes, unpacked, of one file
WHOLE = 20_000_000_000  # bytes, unpacked, of all that is read
BLOWN_UP = 100  # times its packed size, where no photograph can be
ENTRIES = 100_000
# What Python's readers raise on damaged zips, on names that are no UTF-8, and on zips of a kind they do not know.
DAMAGED = (*BROKEN, zipfile.BadZipFile, lzma.LZMAError)


def is_zip(path: Path) -> bool:
    """Whether this is a zip, by its content. ValueError if it may not be read."""
    try:
        return zipfile.is_zipfile(path) or path.suffix.lower() == ".zip"
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None


def files(path: Path) -> Iterator[tuple[str, Openable | str]]:
    """(name, what opens it; or why it is refused), in the order of names. Raises ValueError if it is no zip."""
    try:
        packed = zipfile.ZipFile(path)
    except PermissionError:
        raise ValueError(f"{path} may not be read (permissions)") from None
    except DAMAGED as error:
        raise ValueError(f"{path} is no zip, or a damaged one ({error})") from None
    with packed:
        entries = [one for one in packed.infolist() if not one.filename.endswith("/")]  # is_dir fails on no name
        if len(entries) > ENTRIES:
            raise ValueError(f"{path} holds {len(entries)} files; {ENTRIES} are the most")
        left = WHOLE
        for entry in sorted(entries, key=lambda one: one.filename):
            parts = PurePosixPath(entry.filename).parts
            why = unusable(entry.filename)
            if any(hidden(part) for part in parts if part != "..") or not (why or is_picture(entry.filename)):
                continue
            why = why or _refused(entry, parts, left)
            left -= 0 if why else entry.file_size
            yield entry.filename, why or partial(_opened, packed, entry)


def _refused(entry: zipfile.ZipInfo, parts: tuple[str, ...], left: int) -> str:
    if entry.flag_bits & 0x1:
        return "locked with a password"
    if ".." in parts or entry.filename.startswith(("/", "\\")):
        return "its name leads out of the zip"
    if entry.file_size > LARGEST:
        return f"{entry.file_size // 1_000_000} MB unpacked; {LARGEST // 1_000_000} are the most"
    if entry.file_size > 10_000_000 and entry.file_size > BLOWN_UP * max(1, entry.compress_size):
        return "packed a hundred times smaller than it is, as no photograph can be"
    if entry.file_size > left:
        return f"the zip's pictures come to more than {WHOLE // 1_000_000_000} GB unpacked"
    return ""


def _opened(packed: zipfile.ZipFile, entry: zipfile.ZipInfo) -> BinaryIO:
    """The unpacked bytes; no more than the entry declares. Raises OSError for a damaged one."""
    try:
        with packed.open(entry) as file:
            return io.BytesIO(file.read(entry.file_size))
    except DAMAGED as error:
        raise OSError(str(error) or "cut short") from None
