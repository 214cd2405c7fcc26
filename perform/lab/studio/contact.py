"""The contact sheet of a world in training, `sheet.jpg`: how the same inputs were dreamt, earlier and later, or by
networks beside each other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from perform.lab import run

TILE = 128  # pixels of a picture
PAST = 7  # earlier dreams shown, spread over all that were drawn
ROWS = 8  # of a stage's own sheet: condition, dream, photograph, two other moods, strangers, their dreams in two moods
SHEET = "sheet.jpg"
GROUND = (17, 17, 17)


def sheets(folder: Path) -> list[Path]:
    """A run folder's sheets, oldest first."""
    return sorted(path for path in folder.glob("sheet-*.jpg") if re.fullmatch(r"sheet-\d+\.jpg", path.name))


def grow(folder: Path, out: Path) -> None:
    """Put together `out` from the sheets in a run folder of one network: input, its dreams from the earliest to the
    newest, photograph, and the newest rest. Written atomically; 50 ms. A sheet that cannot be read is left out.
    """
    drawn = sheets(folder)
    if not drawn:
        return
    newest = _rows(drawn[-1])
    past = [(path, rows) for path in _spread(drawn[:-1]) if (rows := _rows(path)) and _like(rows, newest)]
    if not newest:
        return
    lines = [("given", newest[0])]
    lines += [(f"step {_step(path)}", rows[1]) for path, rows in past]
    lines += [(f"step {_step(drawn[-1])}", newest[1]), ("photograph", newest[2])]
    names = ("another mood", "another mood", "a stranger", "its dream", "its dream")
    lines += list(zip(names, newest[3:], strict=True))
    _write(lines, out)


def beside(sheet: Path, names: Sequence[str], out: Path) -> None:
    """Put together `out` from a sheet in which networks of these names stand side by side: above each other, what they
    make of the same inputs, photographs' on the left and strangers' on the right. Written atomically; 50 ms. A sheet
    that cannot be read leaves `out` as it is.
    """
    rows = _rows(sheet)
    if not rows:
        return
    width = rows[0].width // len(names)

    def line(left: int, right: int, place: int = 0) -> Image.Image:
        """Two rows of the network in this place, in one; a row below 0 is left empty."""
        whole = Image.new("RGB", (2 * width, TILE), GROUND)
        for half, row in enumerate((left, right)):
            if row >= 0:
                whole.paste(rows[row].crop((place * width, 0, (place + 1) * width, TILE)), (half * width, 0))
        return whole

    lines = [("given", line(0, 5))]
    lines += [(name, line(1, 6, place)) for place, name in enumerate(names)]
    lines += [("photograph", line(2, -1))]
    lines += [(f"{name}, other mood", line(3, 7, place)) for place, name in enumerate(names)]
    _write(lines, out)


def _rows(sheet: Path) -> list[Image.Image]:
    """The rows of a stage's sheet, small; none if the file is cut off."""
    try:
        with Image.open(sheet) as opened:
            picture = opened.convert("RGB")
    except OSError:
        return []
    side = picture.height // ROWS
    columns = picture.width // side
    small = picture.resize((columns * TILE, ROWS * TILE), Image.Resampling.LANCZOS)
    return [small.crop((0, row * TILE, small.width, (row + 1) * TILE)) for row in range(ROWS)]


def _like(rows: Sequence[Image.Image], others: Sequence[Image.Image]) -> bool:
    return bool(others) and rows[0].width == others[0].width


def _spread(paths: Sequence[Path]) -> list[Path]:
    """At most `PAST` of them; more of the early ones, where more happens."""
    if len(paths) <= PAST:
        return list(paths)
    chosen = {round((len(paths) - 1) * (k / (PAST - 1)) ** 1.5) for k in range(PAST)}
    return [paths[k] for k in sorted(chosen)]


def _step(path: Path) -> int:
    return int(path.stem.partition("-")[2])


def _write(lines: Sequence[tuple[str, Image.Image]], out: Path) -> None:
    margin = 112
    whole = Image.new("RGB", (margin + lines[0][1].width, len(lines) * TILE), GROUND)
    pen = ImageDraw.Draw(whole)
    for index, (label, row) in enumerate(lines):
        whole.paste(row, (margin, index * TILE))
        pen.text((8, index * TILE + TILE // 2 - 6), label, fill=(190, 190, 190))
    run.write(out, lambda path: whole.save(path, "JPEG", quality=88))
