"""Files of others: what they were, to see whether they are others now; and pictures among them, opened with care."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

if TYPE_CHECKING:
    from PIL.Image import Image

# What pictures come as. Pillow knows more, but EPS among it, which are programs that Ghostscript runs.
FORMATS = (
    "AVIF", "BMP", "DDS", "FITS", "GIF", "ICO", "JPEG", "JPEG2000", "MPO", "PCX", "PNG", "PPM", "PSD", "QOI", "SGI",
    "TGA", "TIFF", "WEBP",
)  # fmt: skip


class Stamp(NamedTuple):
    """A file as it was. One that is overwritten in place keeps its `inode`, one that is replaced mostly does not."""

    inode: int
    changed: int  # nanoseconds
    size: int  # bytes


def stamp(path: Path) -> Stamp | None:
    """The file as it is now; None if it is not there, or cannot be looked at. Any thread; microseconds on a disk."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return Stamp(stat.st_ino, stat.st_mtime_ns, stat.st_size)


def image_suffixes() -> frozenset[str]:
    """How files of the `FORMATS` end (".png"), in lower case: those that `image_in` opens."""
    from PIL import Image

    return frozenset(suffix for suffix, format in Image.registered_extensions().items() if format in FORMATS)


def image_in(file: BinaryIO | Path) -> Image:
    """Pillow's picture of a file of one of the `FORMATS`, not decoded yet. Raises OSError: what it is not, or why it
    cannot be opened (PIL.UnidentifiedImageError for other formats); decoding it may raise anything.
    """
    from PIL import Image

    Image.init()
    return Image.open(file, formats=[one for one in FORMATS if one in Image.OPEN])  # an older Pillow has fewer
