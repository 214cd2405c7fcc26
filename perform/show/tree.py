"""Holds a show against the tree of an opened performance: does each address exist, does each value fit?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from perform.control.osc.pattern import PatternError, matches
from perform.params import Params, Refused
from perform.show.spec import Problem, Show
from perform.show.table import nearest


def misfits(show: Show, params: Params) -> list[Problem]:
    """Everything that the show sets and the tree has not got, or cannot take. Call it when all parts are open.

    A cue's address may be a pattern (`/layer/*/opacity`) or a layer's number, as OSC has it.
    """
    problems = []
    for where, title, address, value in _settings(show):
        line = show.lines.get(where, 0)
        problems += [Problem(show.path, line, f"{title}: {text}") for text in _wrong(params, address, value)]
    return problems


def _settings(show: Show) -> Iterator[tuple[str, str, str, Any]]:
    for address, value in show.values().items():
        yield address, f"{address} = {value!r}", address, value
    for cue in show.cues:
        for address, value in cue.set.items():
            yield f"cue {cue.name} {address}", f"cue {cue.name!r}", address, value


def _wrong(params: Params, address: str, value: Any) -> Iterator[str]:
    if any(mark in address for mark in "*?[]{}"):
        try:
            matches(address, "/")
        except PatternError as why:
            yield f"{address} {why}"
        return  # a pattern that matches nothing today may match a layer of tomorrow
    param = params.find(address)
    if param is None:
        yield f"there is no address {address!r}{nearest(address, list(params.addresses()))}"
    elif param.spec.readonly:
        yield f"{address} is read only"
    else:
        try:
            param.spec.coerce(value)
        except Refused as why:
            yield f"{address} {why}"
