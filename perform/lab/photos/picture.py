"""One picture file of any kind to uint8 [3,H,W], as a photograph is seen; or one sentence on why not.

Formats are told by content, not by name. Large photographs are decoded small where the format can (JPEG), so that 50
megapixels cost 10 MB.
"""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, TypeVar

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from perform.files import image_in
from perform.lab.worlds import pixels

LEAST, CROP, SHORT, LONG = 128, 256, 400, 720  # pixels: refused below, enlarged below, and the sides kept
MOST_PIXELS = 178_000_000  # Pillow refuses twice its own limit of 89 million, and so do we
# What Pillow's readers raise on damaged files.
BROKEN = (
    OSError, SyntaxError, ValueError, TypeError, EOFError, LookupError, OverflowError, RuntimeError, struct.error,
    zlib.error,
)  # fmt: skip

Made = TypeVar("Made")


class Refused(Exception):
    """A file that cannot be used; one sentence, without its name."""


@dataclass(frozen=True)
class Picture:
    """uint8 [3,H,W], shorter side 256..400, longer side at most 720; and what was done to it that its owner may want
    to know, to be read after "was".
    """

    pixels: Tensor
    remarks: tuple[str, ...]


def read(opened: Callable[[], BinaryIO]) -> Picture:
    """Decode what `opened()` opens. Raises Refused. 5 to 300 ms."""
    return made(opened, of_image)


def made(opened: Callable[[], BinaryIO], make: Callable[[Image.Image], Made]) -> Made:
    """What `make` makes of the picture that `opened()` opens. Raises Refused, also for a file that breaks in there."""
    try:
        with opened() as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of large and odd files; they are judged here
            with image_in(file) as image:
                return make(image)
    except UnidentifiedImageError:
        raise Refused("not a picture, or of a kind that cannot be read") from None
    except Image.DecompressionBombError:
        raise Refused(f"more than {MOST_PIXELS // 1_000_000} megapixels; make it smaller first") from None
    except PermissionError:
        raise Refused("may not be read (permissions)") from None
    except MemoryError:
        raise Refused("too large for this machine's memory") from None
    except BROKEN as error:
        raise Refused(f"damaged ({_first(error)})") from None


def of_image(image: Image.Image) -> Picture:
    """What `read` makes of an opened picture. Raises Refused."""
    if min(image.size) < LEAST:
        raise Refused(f"{image.width} x {image.height} pixels; {LEAST} on the shorter side are the least")
    plain, remarks = upright(image)
    sized, remark = _sized(plain)
    picture = pixels(sized)
    if float(picture.float().std()) < 2.0:
        raise Refused("of a single colour")
    return Picture(picture, (*remarks, *remark))


def upright(image: Image.Image) -> tuple[Image.Image, list[str]]:
    """(an opened picture in RGB as the camera was held, remarks on it). Raises Refused."""
    remarks = []
    # phones hide a second, smaller one in theirs; Photoshop's layers come laid on one another
    if image.format not in ("MPO", "PSD") and getattr(image, "n_frames", 1) > 1:
        remarks.append("animated or of several pages, of which the first was taken")
    image.draft("RGB", (2 * LONG, 2 * LONG))
    plain = _eight_bits(image)
    plain = ImageOps.exif_transpose(plain)
    plain, clear = _opaque(plain)
    if clear:
        remarks.append("partly transparent, and laid on grey")
    return plain, remarks


def _eight_bits(image: Image.Image) -> Image.Image:
    """16 and 32 bits a pixel to 8, between the darkest and the lightest where the range is not known."""
    if image.mode not in ("I", "F") and not image.mode.startswith("I;16"):
        image.load()
        return image
    exif = image.getexif()
    values = np.asarray(image).astype(np.float64)
    if not np.isfinite(values).all():
        raise Refused("holds numbers that are no light (infinite or undefined)")
    low, high = (0.0, 65535.0) if image.mode != "F" and values.max(initial=0) > 255 else (values.min(), values.max())
    eight = Image.fromarray(((values - low) / max(high - low, 1e-9) * 255).round().clip(0, 255).astype(np.uint8))
    eight.getexif().update(exif)
    return eight


def _opaque(image: Image.Image) -> tuple[Image.Image, bool]:
    """(RGB on middle grey, whether anything was see-through)."""
    if not image.has_transparency_data:
        return image.convert("RGB"), False
    whole = image.convert("RGBA")
    low, _ = whole.getchannel("A").getextrema()
    ground = Image.new("RGBA", whole.size, (128, 128, 128, 255))
    return Image.alpha_composite(ground, whole).convert("RGB"), isinstance(low, (int, float)) and low < 250


def _sized(image: Image.Image) -> tuple[Image.Image, list[str]]:
    """Shorter side 256..400, longer at most 720; what is longer still is cut to its middle."""
    remarks = []
    width, height = image.size
    short = min(width, height)
    goal = min(max(short, CROP), SHORT)
    if short < CROP:
        remarks.append(f"enlarged from less than {CROP} pixels, and will be soft")
    if max(width, height) / short > LONG / CROP:
        long = int(short * LONG / CROP)
        left, top = max(0, (width - long) // 2), max(0, (height - long) // 2)
        image = image.crop((left, top, left + min(width, long), top + min(height, long)))
        remarks.append("a panorama, of which the middle was taken")
        width, height = image.size
    scale = min(goal / short, LONG / max(width, height))
    size = max(CROP, round(width * scale)), max(CROP, round(height * scale))
    return (image if size == image.size else image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)), remarks


def _first(error: BaseException) -> str:
    words = " ".join(str(error).split())
    return words[:90] or type(error).__name__
