"""What somebody wants of the studio, and whether it can be had."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from perform.lab import run

NOTE, HALF = "wish.json", "world.part"  # on a desk: whose it is, pictures half read

DEVICE = r"con|prn|aux|nul|(com|lpt)[0-9¹²³]"  # no folder on Windows can be called so, and a world may travel there
LONGEST = 50  # of a name, in any script: folders made while a world is written are called a little longer than it


@dataclass(frozen=True)
class How:
    """In which way: watched, of pairs, without the world at the end, on what, where downloads lie."""

    watch: bool = False
    pairs: bool = False
    train_only: bool = False
    device: str = "auto"
    threads: int = 0
    cache: Path = Path("runs/cache")


@dataclass(frozen=True)
class Credit:
    """Whose pictures, under what terms; empty where nobody said."""

    author: str = ""
    licence: str = ""


@dataclass(frozen=True)
class Wish:
    """Pictures at `photos` are to become the world `models/name`, in `sizes`, within `minutes` (None: as long as is
    usual on the machine). Work is kept in `runs/name`.
    """

    photos: Path
    name: str
    models: Path
    runs: Path
    minutes: float | None
    sizes: tuple[str, ...]
    how: How
    credit: Credit

    @property
    def desk(self) -> Path:
        """The folder of all work on this world."""
        return self.runs / self.name

    @property
    def world(self) -> Path:
        """The folder that a show will find."""
        return self.models / self.name

    @property
    def world_folder(self) -> Path:
        """The folder of the pictures, as the lab keeps them."""
        return self.desk / "world"


def name_of(photos: Path) -> str:
    """A world's name from a path: letters of any script, digits, - and _; the first one is a-z or a digit, as shows
    want it.
    """
    stem = photos.resolve().name if photos.is_dir() else photos.stem
    plain = "".join(c for c in unicodedata.normalize("NFKD", stem) if not unicodedata.combining(c))
    words = re.sub(r"[^\w]+", "-", unicodedata.normalize("NFC", plain)).strip("-_").lower()
    if not words:
        return "world"
    fit = re.match(r"[a-z0-9]", words) and not re.fullmatch(DEVICE, words)
    return (words if fit else f"world-{words}")[:LONGEST].rstrip("-_")


def settle(wish: Wish) -> list[Path]:
    """Make sure that the desk is this wish's, or nobody's yet. Returns the folders that were made for it, the innermost
    first. Raises ValueError, one sentence, where the name is no name, is taken, or is that of the pictures' own folder.
    """
    _check(wish.name)
    for folder, option in ((wish.desk, "--runs"), (wish.world, "--out")):
        if folder.exists() and wish.photos.exists() and folder.samefile(wish.photos):
            raise ValueError(f"{folder} is the folder of your pictures; give another --name or {option}")
    note = wish.desk / NOTE
    if note.exists():
        before = json.loads(note.read_text(encoding="utf-8"))
        same = str(wish.photos.resolve()) == before["photos"]
        if not same and str(wish.photos) != before.get("said"):  # a desk may move between machines
            raise ValueError(f"{wish.desk} already learns from {before['photos']}; give this world another --name")
        if before.get("pairs", wish.how.pairs) != wish.how.pairs:
            way = "with" if before["pairs"] else "without"
            raise ValueError(f"{wish.desk} was begun {way} --pairs; go on {way} it, or give this world another --name")
        return []
    if not wish.photos.exists():
        raise ValueError(f"there is nothing at {wish.photos}: give a folder of pictures, a zip of them, or a film")
    if (wish.world / "card.toml").exists():
        raise ValueError(f"there is a world in {wish.world} already; give this one another --name")
    if wish.desk.exists() and _begun(wish.desk):
        raise ValueError(f"{wish.desk} holds something else; give this world another --name")
    made = [folder for folder in (wish.desk, *wish.desk.parents) if not folder.exists()]
    wish.desk.mkdir(parents=True, exist_ok=True)
    return made


def leave(wish: Wish, made: Sequence[Path]) -> None:
    """Clear a desk on which nothing was begun, and remove the folders that were `made` for it; those that hold
    something stay.
    """
    if not _begun(wish.desk):
        shutil.rmtree(wish.desk)
    for folder in made:
        with contextlib.suppress(OSError):
            folder.rmdir()


def _begun(desk: Path) -> bool:
    """Whether a desk holds more than a start leaves whose pictures were refused, or that was stopped while it read
    them.
    """
    left = re.compile(rf"{run.LOCK}|{HALF}|{NOTE}\.(\d+\.)?part")
    return not all(left.fullmatch(path.name) for path in desk.iterdir())


def _check(name: str) -> None:
    proper = re.fullmatch(r"[A-Za-z0-9][\w-]*", name) and not re.fullmatch(DEVICE, name, re.IGNORECASE)
    if not proper or len(name) > LONGEST:
        rule = f"letters, digits, - and _, at most {LONGEST} of them, and not like a device of Windows (con, nul, com1)"
        raise ValueError(f"a world is named with {rule}: not {name!r}")


def reach(wish: Wish) -> None:
    """Raises ValueError, one sentence, where the world could not be written at the end. Leaves nothing behind."""
    for folder in (wish.models, wish.world):
        near = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
        if not near.is_dir():
            raise ValueError(f"{near} is no folder, and {wish.world} is to be one; give another --out or --name")
        trial = near / f".trial-{os.getpid()}"
        try:
            trial.mkdir()
            trial.rmdir()
        except OSError as e:
            why = f"{near} cannot be written ({e.strerror or e})"
            raise ValueError(f"{why}, and {wish.world} is to be there; give another --out") from e


def sign(wish: Wish) -> None:
    """Note down whose desk this is: from now on the name is taken. Done when its pictures have been read, so that those
    that are refused leave the name free.
    """
    said = {"photos": str(wish.photos.resolve()), "said": str(wish.photos), "pairs": wish.how.pairs}
    text = json.dumps(said, ensure_ascii=False, indent=1) + "\n"
    wish.desk.mkdir(parents=True, exist_ok=True)
    # a path that is no UTF-8 is written as JSON escapes, and read again as it was
    run.write(wish.desk / NOTE, lambda path: path.write_text(text, encoding="utf-8", errors="backslashreplace"))
