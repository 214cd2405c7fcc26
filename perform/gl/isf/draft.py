"""A patch read, translated and with its images decoded: everything that needs no GL, so that a worker can do it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from perform.files import image_in
from perform.gl.isf.header import load, read
from perform.gl.isf.kinds import Header, PatchError
from perform.gl.isf.translate import Translation, translate

LARGEST = 4096  # pixels a side of an imported image; larger ones are reduced


@dataclass(frozen=True, slots=True)
class Draft:
    """What `Patch` compiles. `images`: uint8 (height, width, 4) each, row 0 at the bottom; of cubes at the top."""

    header: Header
    shader: Translation
    images: dict[str, list[npt.NDArray[np.uint8]]] = field(default_factory=dict)


def draft(path: Path) -> Draft:
    """Read a patch. Any thread; takes as long as the disk and the images do. Raises PatchError."""
    header = read(path)
    vertex = header.vertex
    shader = translate(header, None if vertex is None else load(vertex))
    return Draft(header, shader, {n: _images(f, path) for n, f in header.imported.items()})


def _images(files: tuple[Path, ...], patch: Path) -> list[npt.NDArray[np.uint8]]:
    """One picture upside down, as GL has it; or the six square sides of a cube, as cubes have them."""
    images = [_image(file, patch) for file in files]
    if len(images) == 1:
        return [np.ascontiguousarray(images[0][::-1])]
    side = min(min(i.shape[:2]) for i in images)
    return [np.ascontiguousarray(i[:side, :side]) for i in images]


def _image(file: Path, patch: Path) -> npt.NDArray[np.uint8]:
    try:
        with image_in(file) as image:
            image.thumbnail((LARGEST, LARGEST))
            return np.asarray(image.convert("RGBA"), np.uint8)
    except Exception as e:  # broken files make Pillow raise SyntaxError, struct.error, anything
        reason = "is not there" if isinstance(e, FileNotFoundError) else f"cannot be read: {e}"
        raise PatchError(patch, 0, f"the imported image {file} {reason}") from e
