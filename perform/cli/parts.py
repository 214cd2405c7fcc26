"""Are a show's parts there, and as they should be? Asked before the doors open: patches, films, what is driven."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from perform.finding import expanded
from perform.params import Params
from perform.show import Problem, Show, of_strangers
from perform.show.table import nearest


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
    """Films and pictures that are not there. While a show plays they may come; before the doors open they should be."""
    for source in show.sources.values():
        if source.type in ("video", "image"):
            path = show.folder / expanded(source.keys["file"])
            if not os.path.exists(path):  # which takes any name
                there = [one.name for one in path.parent.glob("*")]
                text = f"[source.{source.name}]: there is no file {str(path)!r}{nearest(path.name, there)}"
                yield Problem(show.path, source.line, text)


def undriven(show: Show, params: Params, strangers: Collection[str] = ()) -> Iterator[Problem]:
    """What sound or an LFO is to drive and cannot. What may be an address of `strangers` (see `misfits`) is a hint."""
    for control in show.controls.values():
        for address in control.keys.get("drive", ()):
            param = params.find(address)
            theirs = of_strangers(params, address, strangers)
            if param is None and theirs:
                text = theirs
            elif param is None:
                text = f"there is no address {address!r}{nearest(address, list(params.addresses()))}"
            elif param.spec.unmoved:
                text = f"{address} {param.spec.unmoved}"
            else:
                continue
            hint = bool(theirs)
            yield Problem(show.path, control.line, f"[{control.name}]: drive: {text}", light=hint, hint=hint)
