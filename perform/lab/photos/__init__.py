"""A person's own pictures as a world: a folder, a zip, or a film from which distinct frames are taken.

    found = take(Path("holiday.zip"))
    print(*found.warnings, sep="\\n")
    found.save(Path("runs/holiday"), "holiday")

Bad input costs one clear sentence in `refused` and the rest goes on. Only what leaves nothing to learn from (no
pictures, no such file, fewer than `LEAST`) raises ValueError.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from perform.lab import run
from perform.lab.gather.gathering import Gathering, Piece
from perform.lab.licences import Grant
from perform.lab.photos import archive, film, folder
from perform.lab.photos.alike import Seen
from perform.lab.photos.picture import Refused, read
from perform.lab.worlds import World

LEAST, FEW, MOST = 20, 80, 2000


@dataclass(frozen=True)
class Found:
    """A world of a person's pictures and their names; `warnings` for people, and one line on each file refused."""

    world: World
    names: Sequence[str]
    warnings: Sequence[str]
    refused: Sequence[str]
    source: str

    def save(self, out: Path, name: str, author: str = "", licence: str = "") -> None:
        """Write `world.safetensors`, `world.json` and `ATTRIBUTION.csv` into `out`, as the lab's own worlds have
        them. Without a licence the table says that none was given.
        """
        grant = Grant((), author or "unknown", licence or "none given", "")
        both = zip(self.names, self.world.pictures, strict=True)
        pieces = [Piece(one, pixels, grant, self.source) for one, pixels in both]
        self.world.save(out)
        run.text(out / "ATTRIBUTION.csv", Gathering(pieces, {}, self.refused).attribution())
        held = [one for one, kept in zip(self.names, self.world.held_out.tolist(), strict=True) if kept]
        about = {"world": name, "pictures": len(self.names), "source": self.source, "author": author}
        about |= {"licence": licence, "held_out": held, "refused": list(self.refused), "warnings": list(self.warnings)}
        run.text(out / "world.json", json.dumps(about, indent=1, ensure_ascii=False) + "\n")


@dataclass
class Basket:
    """Pictures as they come in, the same ones only once, and what is to be said of them."""

    names: list[str] = field(default_factory=list)
    pictures: list[Tensor] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    remarks: dict[str, list[str]] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    alike: list[tuple[str, str]] = field(default_factory=list)
    seen: Seen = field(default_factory=Seen)

    def offer(self, name: str, source: folder.Openable) -> None:
        """Read one file; keep it, or say why not."""
        try:
            picture = read(source)
        except Refused as why:
            self.refused.append(f"{name}: {why}")
            return
        twin = self.seen.twin(picture.pixels)
        if twin is not None:
            self.alike.append((name, self.names[twin]))
            return
        self.seen.add(picture.pixels)
        self.names.append(name)
        self.pictures.append(picture.pixels)
        for remark in picture.remarks:
            self.remarks.setdefault(remark, []).append(name)

    def leave_out(self, name: str, most: int) -> None:
        """Note one that comes after the last which has room."""
        self.remarks.setdefault(f"left out: a world takes {most} pictures at most", []).append(name)


def take(path: Path, most: int = MOST) -> Found:
    """A world of what is at `path`, the first `most` pictures of it by name. About 20 ms a photograph, 5 ms a frame.

    Raises ValueError, one sentence: nothing there, nothing that can be read, no or too few pictures, a film without
    frames.
    """
    if not path.exists():
        raise ValueError(f"there is nothing at {path}: give a folder of pictures, a zip of them, or a film")
    if path.is_dir():
        basket = _filled(folder.files(path), most)
    elif archive.is_zip(path):
        basket = _filled(archive.files(path), most)
    else:
        basket = Basket()
        for name, frame in film.frames(path, told=basket.told):
            basket.names.append(name)
            basket.pictures.append(frame)
        return judged(basket, path, "frames", LEAST)
    return judged(basket, path, "pictures", LEAST)


def _filled(files: Iterator[tuple[str, folder.Openable | str]], most: int) -> Basket:
    basket = Basket()
    for name, source in files:
        if isinstance(source, str):
            basket.refused.append(f"{name}: {source}")
        elif len(basket.names) < most:
            basket.offer(name, source)
        else:
            basket.leave_out(name, most)
    return basket


def judged(basket: Basket, path: Path, what: str, least: int) -> Found:
    """A world of a basket; `what` is in it, from `path`. Raises ValueError, one sentence, if there are too few."""
    count = len(basket.names)
    if count == 0:
        reasons = f"; the first that was refused: {basket.refused[0]}" if basket.refused else ""
        reasons += "".join(f". {said.rstrip('.')}" for said in basket.told)
        raise ValueError(f"there are no {what} in {path}{reasons}")
    if count < least:
        left = f" ({len(basket.alike)} more were nearly the same as others)" if basket.alike else ""
        number = f"1 {what[:-1]}{left} in {path} is" if count == 1 else f"{count} {what}{left} in {path} are"
        raise ValueError(f"{number} too few: {least} are the least, 200 are comfortable")
    source = folder.written(path.resolve().name)
    return Found(World.of(basket.pictures), basket.names, _warnings(basket, what), basket.refused, source)


def _warnings(basket: Basket, what: str) -> list[str]:
    out = []
    if (count := len(basket.names)) < FEW:
        out.append(f"Only {count} {what}: the world will know them by heart and little else; 200 give it room.")
    if basket.alike:
        first, other = basket.alike[0]
        number = f"1 of the {what} was" if len(basket.alike) == 1 else f"{len(basket.alike)} {what} were"
        out.append(f"{number} left out as nearly the same as another ({first} as {other}).")
    out += basket.told
    for remark, names in basket.remarks.items():
        out.append(f"{len(names)} of the {what} {'was' if len(names) == 1 else 'were'} {remark} ({_some(names)}).")
    if basket.refused:
        number = "1 file" if len(basket.refused) == 1 else f"{len(basket.refused)} files"
        out.append(f"{number} could not be used; the first: {basket.refused[0]}.")
    return out


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (" …" if len(names) > 3 else "")
