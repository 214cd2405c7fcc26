"""Checks a table of a show against a plugin's dataclass: each field is a key, its annotation says what fits."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from perform import plugins
from perform.show.spec import PartSpec, frozen
from perform.show.table import LARGEST, Table, meant, shown

_WORDS = {str: "a text in quotes", int: "a whole number", float: "a number", bool: "true or false", Path: "a path"}


METERS = ("dropped",)  # public fields that count, and are no keys


class Unfit(ValueError):
    """A value that a field cannot take; the text says what it takes, `hint` what may have been meant."""

    hint = ""


def fit(hint: Any, value: Any) -> Any:
    """`value` from TOML as the annotation `hint` wants it (lists become tuples, ints floats, texts paths)."""
    origin, args = get_origin(hint), get_args(hint)
    if hint is Any:
        return value
    if origin in (Union, types.UnionType):
        return _fit_union([a for a in args if a is not type(None)], value)
    if origin is Literal:
        if value in args and not isinstance(value, bool):
            return value
        unfit = Unfit("one of " + ", ".join(map(str, args)))
        unfit.hint = meant(value, map(str, args)) if isinstance(value, str) else ""
        raise unfit
    if origin in (tuple, list, Sequence) or hint in (tuple, list):
        return _fit_list(origin or hint, args, value)
    if origin in (dict, Mapping) or hint is dict:
        return _fit_table(args[1] if args else Any, value)
    return _fit_plain(hint, value)


def _fit_plain(hint: Any, value: Any) -> Any:
    if hint is bool and isinstance(value, bool):
        return value
    if hint is float and isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= LARGEST:
        return float(value)
    if hint is int and isinstance(value, int) and not isinstance(value, bool):
        return value
    if hint is str and isinstance(value, str):
        return value
    if hint is Path and isinstance(value, str):
        return Path(value)
    raise Unfit(_WORDS.get(hint, str(getattr(hint, "__name__", hint))))


def _fit_union(hints: list[Any], value: Any) -> Any:
    wanted = []
    for hint in sorted(hints, key=lambda h: h is float):  # an int stays an int where both are allowed
        try:
            return fit(hint, value)
        except Unfit as e:
            wanted.append(str(e))
    raise Unfit(" or ".join(wanted))


def _fit_table(of: Any, value: Any) -> Any:
    if not isinstance(value, dict):
        raise Unfit("a table")
    try:
        return {key: fit(of, v) for key, v in value.items()}
    except Unfit as e:
        raise Unfit(f"a table, each value {e}") from None


def _fit_list(kind: Any, args: tuple[Any, ...], value: Any) -> Any:
    of = args[0] if args else Any
    fixed = len(args) if kind is tuple and args and args[-1] is not Ellipsis else 0
    words = f"a list of {fixed} values" if fixed else "a list"
    if not isinstance(value, list) or (fixed and len(value) != fixed):
        raise Unfit(words)
    try:
        fitted = [fit(args[n] if fixed else of, v) for n, v in enumerate(value)]
    except Unfit as e:
        raise Unfit(f"{words}, each {e}") from None
    return fitted if kind is list else tuple(fitted)


def fields(plugin: type[Any]) -> dict[str, Any]:
    """The keys that a plugin takes: name -> annotation."""
    hints = get_type_hints(plugin)
    return {
        f.name: hints[f.name]
        for f in dataclasses.fields(plugin)
        if f.init and not f.name.startswith("_") and f.name not in METERS
    }


def _example(plugin: type[Any], key: str) -> str:
    """What would be right, where the plugin's field says so in its metadata, as the end of a sentence; else empty."""
    like = next((f.metadata.get("like") for f in dataclasses.fields(plugin) if f.name == key), None)
    return f"; write {key} = {like}" if like else ""


def required(plugin: type[Any]) -> list[str]:
    """The keys without a default."""
    missing = dataclasses.MISSING
    names = fields(plugin)
    return [
        f.name
        for f in dataclasses.fields(plugin)
        if f.name in names and f.default is missing and f.default_factory is missing
    ]


def read_part(table: Table, group: plugins.Group, name: str, kind: str) -> PartSpec:
    """A part of this type from its table; what is wrong is noted."""
    try:
        plugin = plugins.find(group, kind)
    except LookupError as e:
        table.wrong("type" if "type" in table.data else "", str(e))
        table.known += list(table.data)  # nobody knows the keys of what cannot be loaded
        return PartSpec(group, name, kind, line=table.line())
    keys: dict[str, Any] = {}
    for key, hint in fields(plugin).items():
        value = table.take(key)
        if value is None:
            continue
        try:
            keys[key] = fit(hint, value)
        except Unfit as e:
            table.wrong(key, f"{key} is {e}, not {shown(value)}{e.hint}{_example(plugin, key)}")
    absent = [key for key in required(plugin) if key not in table.data]
    for key in absent:
        table.wrong("", f"the key {key!r} is missing; type {kind!r} needs it")
    if all(key in keys for key in required(plugin)):  # one of the wrong type was said above
        _try(table, plugin, keys)
    return PartSpec(group, name, kind, frozen(keys), line=table.line())


def _try(table: Table, plugin: type[Any], keys: Mapping[str, Any]) -> None:
    """Make the part (that opens nothing) to hear what it has to say about its keys."""
    try:
        plugin(**keys)
    except ValueError as e:
        for said in str(e).splitlines():
            table.page.wrong((*table.at, *_said_of(keys, said)), f"{table.title}: {said}")


def _said_of(keys: Mapping[str, Any], said: str) -> list[str]:
    """The key that a part's sentence begins with, and the one in its table ("drive: /layer/1/mix takes …")."""
    key = next((key for key in keys if said.startswith(key)), None)
    inner = keys[key] if key is not None and isinstance(keys[key], Mapping) else ()
    return [] if key is None else [key, *(one for one in inner if said.startswith(f"{key}: {one} "))]
