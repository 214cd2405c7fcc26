"""Still pictures from disk: any format that Pillow reads, turned upright, in sRGB, no larger than is seen."""

from __future__ import annotations

import io
import math
import random
import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from perform.files import image_in, image_suffixes
from perform.sources.decoding import Pixels, flip

if TYPE_CHECKING:
    from PIL.Image import Image

PHONE = (".heic", ".heif", ".hif")  # how telephones save pictures, and nothing here reads
Fit = Literal["cover", "contain"]  # how a picture fills the stage: all of the stage, or with all of the picture


class NoPicture(OSError):
    """A picture cannot be shown; the text is one sentence."""


def listing(path: Path) -> list[Path]:
    """The pictures at a path: the file itself, or those in the folder, in the order a person would count them.

    Raises NoPicture.
    """
    if path.is_file():
        return [path]
    if not path.exists():
        raise NoPicture(f"there is no file or folder {path}")
    there = [p for p in path.iterdir() if not p.name.startswith(".") and p.is_file()]
    known = image_suffixes()
    found = [p for p in there if p.suffix.lower() in known]
    if not found:
        phone = any(p.suffix.lower() in PHONE for p in there)
        hint = "; HEIC cannot be read: save them as JPEG" if phone else ""
        raise NoPicture(f"there are no pictures in {path}{hint}")
    return sorted(found, key=lambda p: [int(t) if t.isdecimal() else t for t in re.split(r"(\d+)", p.name.casefold())])


def ordered(paths: list[Path], ordinal: int, shuffle: bool) -> list[Path]:
    """The pictures from number `ordinal` on to the end of the next lap, so that each is among them.

    Shuffled anew, but repeatably, each lap; none follows itself, if there are two or more.
    """
    lap, index = divmod(ordinal, len(paths))
    turn = _shuffled if shuffle else _straight
    return turn(paths, lap)[index:] + turn(paths, lap + 1)


def _straight(paths: list[Path], lap: int) -> list[Path]:
    return paths


def _shuffled(paths: list[Path], lap: int) -> list[Path]:
    if len(paths) < 3:
        return _drawn(paths, 0)  # with two there is only to and fro
    turn = _drawn(paths, lap)
    if lap and turn[0] == _drawn(paths, lap - 1)[-1]:  # which a swap of its own first two has not moved
        turn[:2] = turn[1::-1]
    return turn


def _drawn(paths: list[Path], seed: int) -> list[Path]:
    turn = list(paths)
    random.Random(seed).shuffle(turn)
    return turn


def load(path: Path, room: tuple[int, int], fit: Fit = "cover") -> Pixels:
    """A picture's pixels, scaled down if it is larger than needed to cover `room` (width, height), or to fill it as
    far as all of it is seen ("contain").

    For workers: 50 megapixels of JPEG take half a second. Raises NoPicture.
    """
    from PIL import ImageOps

    try:
        with image_in(path) as image:
            image.draft("RGB", (room[0] * 2, room[1] * 2))  # JPEG: decode at ½, ¼ or ⅛ where that is enough
            upright = ImageOps.exif_transpose(image)
            return flip(np.asarray(_bled(_rgba(_reduced(_eight_bits(upright), room, fit)))))
    except Exception as e:  # broken files make Pillow raise SyntaxError, struct.error, anything
        raise NoPicture(_why(path, e)) from e


def _eight_bits(image: Image) -> Image:
    """16-bit greys and floats to 8 bits; Pillow's own conversion clips them."""
    from PIL import Image

    if image.mode.startswith("I"):
        values = np.asarray(image).astype(np.float32) / 257.0
    elif image.mode == "F":
        values = np.nan_to_num(np.asarray(image)) * 255.0
    else:
        return image
    return Image.fromarray(np.clip(values + 0.5, 0, 255).astype(np.uint8))


def _reduced(image: Image, room: tuple[int, int], fit: Fit) -> Image:
    from PIL import Image

    if image.mode not in ("L", "RGB", "RGBA", "CMYK", "LAB", "YCbCr"):
        image = image.convert("RGBA")
    scales = (room[0] / image.width, room[1] / image.height)
    scale = max(scales) if fit == "cover" else min(scales)
    longest = max(image.width, image.height)
    scale = min(scale, 8192 / longest)
    if scale >= 1.0:
        return image
    size = (max(1, math.ceil(image.width * scale)), max(1, math.ceil(image.height * scale)))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def _rgba(image: Image) -> Image:
    """In sRGB, if the file says what its colours mean."""
    from PIL import ImageCms

    profile = image.info.get("icc_profile")
    if profile and image.mode in ("RGB", "RGBA", "CMYK", "L"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            mode = "RGBA" if image.mode == "RGBA" else "RGB"
            changed = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode=mode)
            image = changed or image
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # an unusable profile: the numbers as they are
    return image.convert("RGBA")


def _bled(image: Image) -> Image:
    """What is clear takes the colours beside it: a picture is read between its pixels, and the black that files and
    Pillow leave there would be mixed into the rim of a logo.
    """
    from PIL import Image, ImageFilter

    alpha = image.getchannel("A")
    if np.asarray(alpha).min() > 0:
        return image
    beside = image.convert("RGBa").filter(ImageFilter.BoxBlur(2)).convert("RGBA").convert("RGB")
    seen = alpha.point(lambda value: 255 if value else 0)
    bled = Image.composite(image.convert("RGB"), beside, seen)
    bled.putalpha(alpha)
    return bled


def _why(path: Path, error: Exception) -> str:
    text = str(error)
    if path.exists() and path.stat().st_size == 0:
        return f"{path.name} is empty"
    if "cannot identify" in text:
        if path.suffix.lower() in PHONE:
            return f"{path.name} is a HEIC picture, which cannot be read: save it as JPEG"
        return f"{path.name} is not a picture"
    return f"{path.name} cannot be read ({text or type(error).__name__})"
