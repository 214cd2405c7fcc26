"""The landscape world: the photographs of Debian's endless-sky-data, less those that show no landscape.

The sea photographs among them are shared with the ocean world (`choose`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from perform.lab.gather import debian
from perform.lab.gather.gathering import Gathering, Piece
from perform.lab.licences import Grant, allowed, grant_for, parse
from perform.lab.worlds import pixels

PACKAGE = "endless-sky-data"
FOLDER = "usr/share/games/endless-sky/images/land"
COPYRIGHT = f"usr/share/doc/{PACKAGE}/copyright"
# Chosen by eye from a contact sheet: towns, rockets, stations, the Earth from orbit, Jupiter's clouds, a pier, a tower.
NOT_LANDSCAPE = re.compile(r"(city|station|space|loc|industrial|earthrise|nasa)\d*\b.*|mfield[0-4]|beach0|bwerner0")


def choose(
    root: Path, copyright_text: str, why_not: Callable[[str], str]
) -> tuple[list[tuple[Path, Grant]], list[str]]:
    """(the photographs that may be used with their terms, one line on each that was refused). `why_not` says of a
    file's stem why it is not wanted, or "".
    """
    grants = parse(copyright_text)
    chosen, refused = [], []
    for path in sorted((root / FOLDER).glob("*.jpg")):
        grant = grant_for(f"images/land/{path.name}", grants)
        if why := why_not(path.stem):
            refused.append(f"{path.name}: {why}")
        elif grant is None or not allowed(grant.licence):
            refused.append(f"{path.name}: licence {grant.licence if grant else 'unknown'!r} is not on the allow-list")
        else:
            chosen.append((path, grant))
    return chosen, refused


def not_landscape(stem: str) -> str:
    return "not a landscape" if NOT_LANDSCAPE.fullmatch(stem) else ""


def photographs(cache: Path, why_not: Callable[[str], str]) -> Gathering:
    """The package's photographs that are wanted and allowed, 720 x 360 as they are."""
    package = debian.fetch(PACKAGE, cache)
    chosen, refused = choose(package.root, (package.root / COPYRIGHT).read_text(encoding="utf-8"), why_not)
    source = f"Debian package {PACKAGE} {package.version} (https://github.com/endless-sky/endless-sky), images/land"
    pieces = []
    for path, grant in chosen:
        with Image.open(path) as photograph:
            pieces.append(Piece(path.name, pixels(photograph), grant, source))
    return Gathering(pieces, package.origin, refused)


def gather(cache: Path, workers: int) -> Gathering:
    return photographs(cache, not_landscape)
