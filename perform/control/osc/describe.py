"""The tree of addresses as OSCQuery tells it: one JSON object a node, with types, ranges and values.

Source: Vidvox, OSCQuery Proposal, third draft, https://github.com/Vidvox/OSCQueryProposal
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from perform.params import Param, Params, Refused, Spec

log = logging.getLogger(__name__)
Node = dict[str, Any]
TYPES = {"float": "f", "int": "i", "bool": "T", "choice": "s", "color": "r", "text": "s", "trigger": "I"}
UNITS = {"s": "time.second", "ms": "time.ms", "degrees": "angle.degree", "°": "angle.degree"}  # of the proposal's list
READ, WRITE = 1, 2  # of ACCESS
EXTENSIONS = ("ACCESS", "VALUE", "RANGE", "DESCRIPTION", "UNIT", "CLIPMODE")  # optional, and here
OURS = ("DEFAULT_VALUE", "CURVE")  # the first is libossia's, too; the panel draws by the second
ATTRIBUTES = frozenset({"FULL_PATH", "CONTENTS", "TYPE", *EXTENSIONS, *OURS})


def node(params: Params, path: str) -> Node | None:
    """What an address is, and all below it; None if there is nothing. Case is forgiven, and a layer's number will do.

    An address can be both, as a layer's `mood` is: a value, and what lies below it. Any thread; about 10 µs an address.
    """
    root = path.rstrip("/")
    members = _below(params, root)
    if not members and root:
        return None
    whole = _container(next(iter(members), "")[: len(root)] or "/")
    for address, param in members.items():
        here, at = whole, len(root)
        while at < len(address):
            end = address.find("/", at + 1)
            end = len(address) if end < 0 else end
            here = here.setdefault("CONTENTS", {}).setdefault(address[at + 1 : end], _container(address[:end]))
            at = end
        here |= method(param)
    return whole


def _below(params: Params, root: str) -> Mapping[str, Param]:
    """Each address at or below a root, by its own name; by an alias if the root is one."""
    folded = root.casefold()

    def meant(address: str) -> bool:
        address = address.casefold()
        return address == folded or address.startswith(folded + "/")

    return {p.address: p for p in params if meant(p.address)} or {
        a: p for a, p in params.addresses().items() if meant(a)
    }


def _container(path: str) -> Node:
    return {"FULL_PATH": path, "ACCESS": 0}


def method(param: Param) -> Node:
    """What one parameter takes and has, without its path."""
    spec = param.spec
    trigger = spec.kind == "trigger"
    access = READ if spec.readonly else WRITE if trigger else READ | WRITE
    said: Node = {"TYPE": TYPES[spec.kind], "ACCESS": access, "DESCRIPTION": spec.doc}
    if not trigger:
        said["VALUE"] = [_json(spec, param.base)]
        with contextlib.suppress(Refused):  # of choices that change: what it began with is not among them now
            fixed = replace(spec, live_choices=None, choices=choices(spec)) if spec.live_choices else spec
            said["DEFAULT_VALUE"] = [_json(spec, fixed.coerce(spec.default))]
    if limits := _range(spec):
        said["RANGE"] = [limits]
    if spec.kind in ("float", "int"):
        said["CLIPMODE"] = [{(0, 0): "none", (1, 0): "low", (0, 1): "high"}.get(_bounded(spec), "both")]
        said["CURVE"] = spec.curve
    if spec.unit in UNITS:
        said["UNIT"] = [UNITS[spec.unit]]
    return said


def _json(spec: Spec, value: Any) -> Any:
    return f"#{colour(value).hex().upper()}" if spec.kind == "color" else value


def colour(value: tuple[float, ...]) -> bytes:
    """A colour's four bytes, as OSC's type r has them: red, green, blue, alpha."""
    return bytes(round(part * 255.0) for part in value)


def choices(spec: Spec) -> tuple[str, ...]:
    """What a choice takes now; nothing, if the part that is asked makes a mistake: one node must not cost the tree."""
    try:
        return tuple(spec.names)
    except Exception as e:
        log.debug("choices: %s", e, exc_info=True)
        return ()


def _bounded(spec: Spec) -> tuple[int, int]:
    return int(spec.lo is not None), int(spec.hi is not None)


def _range(spec: Spec) -> Node:
    if spec.kind == "choice":
        return {"VALS": list(choices(spec))}
    if spec.kind not in ("float", "int"):
        return {}
    whole = int if spec.kind == "int" else float
    return {key: whole(end) for key, end in (("MIN", spec.lo), ("MAX", spec.hi)) if end is not None}
