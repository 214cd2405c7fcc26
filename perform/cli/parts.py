"""Are a show's parts there, and as they should be? Asked before the doors open: patches, films, what is driven."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from perform.control.movers import unmovable
from perform.control.osc.pattern import is_pattern
from perform.control.osc.place import Place
from perform.finding import expanded
from perform.gl.isf import PatchError, find_patch, read
from perform.params import Params
from perform.show import PartSpec, Problem, Show, of_strangers
from perform.show.cues import LIKE
from perform.show.table import nearest

FILMS = (
    ".avi", ".flv", ".gif", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".ogv", ".ts",
    ".webm", ".wmv",
)  # fmt: skip


class Ear(logging.Handler):
    """Keeps what is logged as a warning."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(record.getMessage())


@contextmanager
def complaints() -> Iterator[list[str]]:
    """What patches say of themselves while they are opened, one sentence each with file and line."""
    ear, patches = Ear(), logging.getLogger("perform.gl.isf.live")
    patches.addHandler(ear)
    try:
        yield ear.heard
    finally:
        patches.removeHandler(ear)


def absent(show: Show) -> Iterator[Problem]:
    """Films and pictures that are not there, or cannot be shown: one frame of each is decoded. While a show plays they
    may come; before the doors open they should be.
    """
    for source in show.sources.values():
        if source.type in ("video", "image"):
            path = show.folder / expanded(source.keys["file"])
            if not os.path.exists(path):  # which takes any name
                text = f"there is no file {str(path)!r}{nearest(path.name, _like(source, path.parent))}"
            elif why := _undecoded(source, path):
                text = f"file: {why}"
            else:
                continue
            yield Problem(show.path, source.line, f"[source.{source.name}]: {text}")


def _like(source: PartSpec, folder: Path) -> list[str]:
    """What there is in a folder that such a source could show."""
    from perform.files import image_suffixes

    ends = image_suffixes() if source.type == "image" else FILMS
    there = sorted(one for one in folder.glob("*") if not one.name.startswith("."))
    return [one.name for one in there if one.suffix.lower() in ends or (source.type == "image" and one.is_dir())]


def _undecoded(source: PartSpec, path: Path) -> str:
    """Why there is no picture in a film, a picture or any of a folder's; empty if there is one."""
    if not (path.is_file() or path.is_dir()):
        return ""  # a device or a pipe: reading it might wait for ever
    return _undecoded_film(path) if source.type == "video" else _undecoded_pictures(path)


def _undecoded_film(path: Path) -> str:
    from perform.sources.decoding import errors
    from perform.sources.projector import NoFilm, Projector

    try:
        projector = Projector(path)
        with closing(projector):
            projector.at(0.0)
    except NoFilm as e:
        return str(e)
    except errors() as e:
        return f"{path.name} cannot be decoded ({e})"
    return ""


def _undecoded_pictures(path: Path) -> str:
    from perform.sources.stills import NoPicture, listing, load

    why = ""
    try:
        for picture in listing(path):
            try:
                load(picture, (16, 16))
                return ""
            except NoPicture as e:  # the others of the folder play without it
                why = why or str(e)
    except OSError as e:
        why = str(e)
    return why


def unseen(show: Show) -> Iterator[Problem]:
    """Pictures that a show gives to patches which have no such input."""
    for source in show.sources.values():
        images = source.keys.get("images")
        if source.type != "shader" or not images:
            continue
        try:
            header = read(find_patch(source.keys["patch"], (show.folder, *show.patches), ("sources",)))
        except (LookupError, PatchError):
            continue  # the patch itself says it
        inputs = [entry.name for entry in header.pictures]
        for name in images:
            if name not in inputs:
                text = f"[source.{source.name}]: images: there is no picture input {name!r}{nearest(name, inputs)}"
                yield Problem(show.path, source.line, text)


def crowded(show: Show) -> Iterator[Problem]:
    """OSC controls that listen where another one, or they themselves, do already: the second hears nothing. One
    sentence for a control: its other ports mostly move along with the first.
    """
    taken: list[tuple[str, str, str, Place]] = []
    for control in show.controls.values():
        if control.type != "osc":
            continue
        title = "[osc]" if control.name == "osc" else f"[control.{control.name}]"
        told = False
        for key, protocol, place in control.make().places():
            by = next((one for one in taken if one[2] == protocol and _meet(place, one[3])), None)
            if by is not None and not told:
                told = True
                theirs = f"its {by[1]}" if by[0] == title else f"{by[1]} of {by[0]}"
                text = f"{title}: {key} is {protocol} port {place.port}, and so is {theirs}: {_apart(key, by[1])}"
                yield Problem(show.path, control.line, text)
            taken.append((title, key, protocol, place))


def _meet(one: Place, other: Place) -> bool:
    """Whether only one can listen at both places (of one protocol)."""
    hosts = {"127.0.0.1" if place.host == "localhost" else place.host for place in (one, other)}
    return one.port == other.port != 0 and len(hosts - {"0.0.0.0", "::"}) < 2


def _apart(*keys: str) -> str:
    """What helps where two ports of these keys clash, the end of a sentence."""
    if "query" not in keys:
        return "each needs one of its own"
    return "query is the port after `listen` unless told: query = false helps, or another place"


def idle(show: Show) -> Iterator[Problem]:
    """Cues that do nothing, pointed out. One that something follows, or that comes by itself, is a rest in the list."""
    for n, cue in enumerate(show.cues):
        after = show.cues[(n + 1) % len(show.cues)]
        if not cue.set and cue.at is None and cue.follow is None and after.follow is None:
            text = f"cue {cue.name!r}: does nothing; write set = {LIKE}"
            yield Problem(show.path, cue.line, text, light=True, hint=True)


def undriven(show: Show, params: Params, strangers: Collection[str] = ()) -> Iterator[Problem]:
    """What sound or an LFO is to drive and cannot. What may be an address of `strangers` (see `misfits`) is a hint."""
    for control in show.controls.values():
        for address in control.keys.get("drive", ()):
            theirs = "" if is_pattern(address) else of_strangers(params, address, strangers)
            text = theirs or unmovable(params, address)
            if not text:
                continue
            hint = bool(theirs)
            line = show.lines.get(f"controls {control.name} {address}", control.line)
            yield Problem(show.path, line, f"[{control.name}]: drive: {text}", light=hint, hint=hint)
