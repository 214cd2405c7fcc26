"""The library of worlds: finds `models/<world>/card.toml`, reads the cards, verifies the files they name.

Weights are loaded only if their sha256 is the card's. Pure Python, no GL, any thread.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from perform import paths
from perform.card import Asset, Card, CardError, Mood, MoodMap, Size, nearest, read_card
from perform.files import Stamp, stamp
from perform.notes import Notes, cache_folder

__all__ = ["Asset", "Card", "CardError", "Library", "Mood", "MoodMap", "Size", "read_card", "verify"]

CARD_LARGEST = 1_000_000  # bytes
# A world is called what its folder is, in any language: one beside others, not hidden, not reached through others.
# Not said in letters (\w): vowel signs of Hindi and Thai, and accents as macOS writes them, are none to Python.
NAME = re.compile(r"[^./\\:\x00-\x1f][^/\\:\x00-\x1f]*")


@dataclass(slots=True)
class Library:
    """The worlds found in some folders; the first folder that has a world wins. Any thread.

    Nothing is read before it is asked for, and a card is read again only when its file has changed.
    """

    folders: Sequence[Path]
    _cards: dict[Path, tuple[Stamp | None, Card]] = field(default_factory=dict)

    @classmethod
    def standard(cls, show: Path | None = None) -> Library:
        """The show's own `models/`, those that come with the program, and the user's."""
        own = [show / "models"] if show is not None else []
        return cls([*own, paths.models(), paths.user("models")])

    def names(self) -> list[str]:
        """All worlds that have a card (right or wrong), sorted. A folder that cannot be looked at has none."""
        found: set[str] = set()
        for folder in self.folders:
            with contextlib.suppress(OSError):
                found.update(world.name for world in folder.iterdir() if _is_file(world / "card.toml"))
        return sorted(filter(NAME.fullmatch, found))

    def find(self, world: str) -> Path:
        """The card.toml of a world. Raises LookupError with the nearest names, also where its folder cannot be looked
        at: a stick that was pulled, a share that is gone.
        """
        if NAME.fullmatch(world):
            for folder in self.folders:
                path = folder / world / "card.toml"
                if _is_file(path):
                    return path
        names = self.names()
        there = nearest(world, names) if names else f"; there are none in {', '.join(map(str, self.folders))}"
        raise LookupError(f"there is no world {world!r}{there}")

    def card(self, world: str) -> Card:
        """The card of a world. Raises LookupError (no such world) or CardError. About 1 ms when it has changed."""
        path = self.find(world)
        try:
            now, known = stamp(path), self._cards.get(path)
            if known is not None and known[0] == now:
                return known[1]
            if now is not None and now.size > CARD_LARGEST:
                raise CardError(f"{path}: a card of {now.size} bytes; at most {CARD_LARGEST} are read")
            data = path.read_bytes()
        except OSError as e:
            raise CardError(f"{path} cannot be read: {e.strerror or e}") from e
        card = read_card(data, path)
        self._cards[path] = (now, card)
        return card


def _is_file(path: Path) -> bool:
    """Whether there is such a file; False, too, if that cannot be known, where pathlib raises (EIO, ESTALE, EACCES)."""
    try:
        return path.is_file()
    except OSError:
        return False


def verify(asset: Asset, notes: Notes | None = None) -> Path:
    """The file's path, once its contents are known to have the card's sha256. Worker threads: reads megabytes.

    A hash already computed for the same path, time and length is taken from the notes in the user's cache.
    Raises CardError if the file is missing or is another one.
    """
    notes = notes or Notes(cache_folder() / "sha256.json")
    path = asset.path
    try:
        stat = path.stat()
        key = f"{path.resolve()} {stat.st_mtime_ns} {stat.st_size}"
        found = notes.get(key)
        if not isinstance(found, str):
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
            notes.put(key, found)
    except OSError as e:
        raise _unread(path, e) from e
    _check(asset, found, stat.st_size)
    return path


def contents(asset: Asset) -> bytes:
    """The file's bytes, which have the card's sha256: the very ones, whatever is put there meanwhile. Worker threads.

    Raises CardError as `verify` does.
    """
    try:
        data = asset.path.read_bytes()
    except OSError as e:
        raise _unread(asset.path, e) from e
    _check(asset, hashlib.sha256(data).hexdigest(), len(data))
    return data


def _unread(path: Path, error: OSError) -> CardError:
    if isinstance(error, FileNotFoundError):
        return CardError(f"{path} is missing: its card names it")
    return CardError(f"{path} cannot be read: {error.strerror or error}")


def _check(asset: Asset, found: str, size: int) -> None:
    if found != asset.sha256:
        raise CardError(
            f"{asset.path} is not the file that its card describes: sha256 {found[:12]}… instead of "
            f"{asset.sha256[:12]}… ({size} bytes; an interrupted download?)"
        )
