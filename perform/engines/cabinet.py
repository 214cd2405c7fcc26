"""The cabinet: compiled engines on disk, each under the key that says exactly what it was compiled from and for.

    cabinet = Cabinet(cache_folder() / "engines")
    found = cabinet.find(label)              # Found, or None: it is not there, or not to be trusted (`cabinet.doubt`)
    cabinet.put(label, engine, about)        # True, or False: the disk is full or may not be written

An engine is machine code for one library version, driver and card. One from another version is never tried: its key
differs. One whose bytes are not the ones that were put away (an interrupted write, a bad disk) is thrown away. What
lies here can be deleted at any time.

    landscape-m-5f0c….engine     the library's own format
    landscape-m-5f0c….json       the label, the engine's sha256 and length, and what its builder noted
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from perform.notes import cache_folder

FORMAT = 1
ROOM = 4_000_000_000  # bytes of engines kept; the longest unused go first
MOST = 256  # of them: where each size of picture takes its own, the sizes tried in a year of evenings pile up


@dataclass(frozen=True, slots=True)
class Label:
    """What an engine was compiled from and for. Two labels that differ in anything are two engines.

    `weights` is the sha256 of the file it was made from, `shape` "512x288" or a range "64-4096", `versions` the
    libraries and the driver where it matters, `device` the card or the family of cards that it runs on.
    """

    maker: str  # "rtx", "tensorrt"
    world: str
    size: str
    weights: str
    shape: str
    precision: str
    versions: str
    device: str

    @property
    def key(self) -> str:
        """A file name that only this label has."""
        text = json.dumps([FORMAT, asdict(self)], sort_keys=True)
        name = re.sub(r"[^A-Za-z0-9]+", "-", f"{self.maker}-{self.world}-{self.size}-{self.shape}")
        return f"{name[:60]}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"

    def kin(self, other: Label) -> bool:
        """Whether the two differ in their weights only: an engine of one can be refitted for the other."""
        mine, theirs = asdict(self), asdict(other)
        return mine.pop("weights") != theirs.pop("weights") and mine == theirs


@dataclass(frozen=True, slots=True)
class Found:
    """An engine from the cabinet, its bytes checked. `about` is what its builder noted."""

    path: Path
    label: Label
    about: Mapping[str, Any]


def standard() -> Path:
    """Where this user's engines lie: `engines/` in the cache folder."""
    return cache_folder() / "engines"


@dataclass(slots=True)
class Cabinet:
    """Engines in one folder. Worker threads; several processes may use it at once: files appear whole or not at all.

    `doubt` says why the last `find` gave nothing although something was there, `trouble` why the last `put` failed;
    one sentence each, empty otherwise.
    """

    folder: Path = field(default_factory=standard)
    room: int = ROOM
    most: int = MOST
    doubt: str = ""
    trouble: str = ""

    def find(self, label: Label) -> Found | None:
        """The engine of this label. Reads and hashes it: 10 ms for 10 MB. Throws away what is damaged."""
        self.doubt = ""
        path = self.folder / f"{label.key}.engine"
        found = self._open(self._record(path), path)
        if found is not None and found.label != label:
            self.doubt = f"{path} was compiled for something else"
            found = None
        if self.doubt:
            self._discard(path)
        elif found is not None:
            self._touch(path)
        return found

    def kin(self, label: Label) -> Found | None:
        """An engine that differs from this label in its weights only, the newest; for refitting. None if none does."""
        records = sorted(self.folder.glob("*.json"), key=_age, reverse=True)
        for record in records:
            path = record.with_suffix(".engine")
            known = self._record(path)
            if known is None or not (other := _label(known)) or not other.kin(label):
                continue
            found = self._open(known, path)
            if found is not None:
                return found
        self.doubt = ""
        return None

    def put(self, label: Label, engine: bytes, about: Mapping[str, Any] | None = None) -> bool:
        """Keep an engine; False (with `trouble`) if the disk will not: the engine in hand plays all the same."""
        self.trouble = ""
        path = self.folder / f"{label.key}.engine"
        record = {
            "format": FORMAT,
            "label": asdict(label),
            "sha256": hashlib.sha256(engine).hexdigest(),
            "bytes": len(engine),
            "about": dict(about or {}),
        }
        try:
            self.lay(path.name, engine)
            self.lay(path.with_suffix(".json").name, json.dumps(record, indent=1).encode())
        except OSError as e:
            self.trouble = f"the engine cannot be kept in {self.folder}: {e.strerror or e}"
            return False
        self._tidy(path)
        return True

    def lay(self, name: str, data: bytes) -> None:
        """A file in the folder, whole or not at all, whoever else writes it. Raises OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=self.folder, prefix=".", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.replace(part, self.folder / name)
        except OSError:
            Path(part).unlink(missing_ok=True)
            raise

    def discard(self, label: Label) -> None:
        """Throw an engine away: it was right on disk, but the library would not have it."""
        self._discard(self.folder / f"{label.key}.engine")

    # ------------------------------------------------------------------ files
    def _record(self, path: Path) -> dict[str, Any] | None:
        """The JSON beside an engine; None (perhaps with a doubt) if it cannot be used."""
        try:
            record = json.loads(path.with_suffix(".json").read_text("utf-8"))
        except FileNotFoundError:
            if path.exists():
                self.doubt = f"{path} has no record of what it was compiled from"
            return None
        except (OSError, ValueError):
            self.doubt = f"the record of {path} cannot be read"
            return None
        if not isinstance(record, dict) or record.get("format") != FORMAT:
            self.doubt = f"the record of {path} is of another version"
            return None
        return record

    def _open(self, record: dict[str, Any] | None, path: Path) -> Found | None:
        if record is None:
            return None
        label, about = _label(record), record.get("about")
        try:
            with path.open("rb") as file:
                same = hashlib.file_digest(file, "sha256").hexdigest() == record.get("sha256")
        except OSError as e:
            self.doubt = f"{path} cannot be read: {e.strerror or e}"
            return None
        if not same or label is None or not isinstance(about, dict):
            self.doubt = f"{path} is damaged"
            return None
        return Found(path, label, about)

    def _touch(self, path: Path) -> None:
        try:
            os.utime(path.with_suffix(".json"))
        except OSError:
            return  # only says when it was last used

    def _discard(self, path: Path) -> None:
        for part in (path, path.with_suffix(".json")):
            try:
                part.unlink(missing_ok=True)
            except OSError:
                continue  # it will be doubted again

    def _tidy(self, newest: Path) -> None:
        """Keep to the room there is: what was unused longest goes, never what has just been put."""
        engines = sorted(self.folder.glob("*.engine"), key=lambda p: _age(p.with_suffix(".json")))
        total, count = sum(_length(p) for p in engines), len(engines)
        for path in engines:
            if (total <= self.room and count <= self.most) or path == newest:
                continue
            total, count = total - _length(path), count - 1
            self._discard(path)


def _label(record: Mapping[str, Any]) -> Label | None:
    try:
        label = Label(**record["label"])
    except (KeyError, TypeError):
        return None
    return label if all(isinstance(value, str) for value in asdict(label).values()) else None


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _length(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
