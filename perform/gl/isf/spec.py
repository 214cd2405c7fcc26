"""From the ISF dict to a Header: every key of the specification, in both versions, with the defaults hosts agree on."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from perform.gl.isf.kinds import BUILT_IN, PICTURES, TYPES, Header, Input, Kind, Pass, PatchError
from perform.gl.isf.sizes import Expression


def header(data: dict[str, Any], body: str, path: Path, line: int) -> Header:
    """The Header for an ISF dict that starts at this line of the file. Raises PatchError."""
    try:
        inputs = _inputs(data.get("INPUTS"))
        passes = _passes(data, {i.name for i in inputs if i.type in ("float", "long", "bool", "event")})
        imported = _imported(data.get("IMPORTED"), {p.target for p in passes}, path.parent)
    except ValueError as e:
        raise PatchError(path, line, str(e)) from e
    pictures = {i.name for i in inputs if i.type == "image"}
    kind: Kind = "source"
    if {"startImage", "endImage"} <= pictures and any(i.name == "progress" for i in inputs):
        kind = "transition"
    elif {"bottom", "top"} <= pictures:
        kind = "blend"
    elif "inputImage" in pictures:
        kind = "filter"
    categories = data.get("CATEGORIES") or ()
    return Header(
        path=path,
        dialect="isf",
        kind=kind,
        body=body,
        inputs=inputs,
        passes=passes,
        imported=imported,
        description=str(data.get("DESCRIPTION") or "").strip(),
        credit=str(data.get("CREDIT") or "").strip(),
        categories=tuple(str(c) for c in (categories if isinstance(categories, list) else [categories])),
    )


def _dicts(value: Any, what: str) -> list[dict[str, Any]]:
    if value is None:
        return []
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
        raise ValueError(f"{what} must be a list of dicts")
    return value


def _name(value: Any, what: str) -> str:
    name = str(value or "").strip()
    if not re.fullmatch(r"[A-Za-z_]\w*", name) or name.startswith("gl_"):
        raise ValueError(f"{what} is named {name!r}: a name is letters, digits and _ and starts with no digit")
    if name in BUILT_IN:
        raise ValueError(f"{what} is named {name!r}, which every patch has already: give it another name")
    return name


def _inputs(value: Any) -> tuple[Input, ...]:
    found: dict[str, Input] = {}
    for entry in _dicts(value, "INPUTS"):
        if not entry.get("NAME") and not entry.get("TYPE"):
            continue  # an empty {} left behind by an editor
        name = _name(entry.get("NAME"), "an input")
        wanted = str(entry.get("TYPE") or "").strip().casefold()
        kind = next((t for t in TYPES if t.casefold() == wanted), {"int": "long", "point": "point2D"}.get(wanted))
        if kind is None:
            raise ValueError(f"input {name!r} has the type {entry.get('TYPE')!r}; one of {', '.join(TYPES)}")
        found.setdefault(name, _input(name, kind, entry))
    return tuple(found.values())


def _number(value: Any, fallback: Any = None) -> Any:
    """A finite float from whatever JSON held, else the fallback."""
    if isinstance(value, list) and value:
        value = value[0]
    try:
        number = float(value)
    except (TypeError, ValueError):
        return fallback
    return number if math.isfinite(number) else fallback


def _numbers(value: Any, fallback: Any, length: int) -> Any:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = [value] * length
    if not isinstance(value, (list, tuple)) or len(value) < min(2, length):
        return fallback
    numbers = [_number(v, 0.0) for v in value[:length]]
    return tuple(numbers + [1.0] * (length - len(numbers)))


def _input(name: str, kind: str, entry: Mapping[str, Any]) -> Input:
    label = str(entry.get("LABEL") or "")
    default, lo, hi = entry.get("DEFAULT"), entry.get("MIN"), entry.get("MAX")
    if kind in PICTURES:
        return Input(name, kind, None, hi=_number(hi), label=label)
    if kind in ("bool", "event"):
        return Input(name, kind, kind == "bool" and _truth(default), label=label)
    if kind == "float":
        return Input(name, kind, *_range(_number(default), _number(lo), _number(hi)), label=label)
    if kind == "color":
        return Input(name, kind, _numbers(default, (1.0, 1.0, 1.0, 1.0), 4), label=label)
    if kind == "long":
        return _long(name, label, entry)
    point, low, high = (_numbers(v, None, 2) for v in (default, lo, hi))
    if low is None and high is None and (point is None or point == (0.0, 0.0)):
        return Input(name, kind, point or (0.5, 0.5), (0.0, 0.0), (1.0, 1.0), label, relative=True)
    if low is None and high is None and max(map(abs, point)) <= 1.0:
        low, high = (min(0.0, *point),) * 2, (1.0, 1.0)
    if point is None:
        point = tuple((a + b) / 2.0 for a, b in zip(low or (0.0, 0.0), high or (1.0, 1.0), strict=True))
    return Input(name, kind, point, low, high, label)


def _range(default: float | None, lo: float | None, hi: float | None) -> tuple[float, float, float]:
    """(default, lo, hi) of a float; without a range it is 0..1, widened to hold the default."""
    if lo is not None and hi is not None and lo > hi:
        lo, hi = hi, lo
    low = lo if lo is not None else min(0.0, default or 0.0, hi or 0.0)
    high = hi if hi is not None else max(1.0, default or 0.0, low)
    middle = default if default is not None else min(max(0.0, low), high)
    return min(max(middle, low), high), low, high


def _long(name: str, label: str, entry: Mapping[str, Any]) -> Input:
    raw, texts = entry.get("VALUES"), entry.get("LABELS")
    values = tuple(int(_number(v, 0.0)) for v in raw) if isinstance(raw, list) else ()
    labels = tuple(str(t) for t in texts) if isinstance(texts, list) else ()
    if labels and not values:
        values = tuple(range(len(labels)))
    labels = (labels + tuple(str(v) for v in values[len(labels) :]))[: len(values)]
    default = int(_number(entry.get("DEFAULT"), float(values[0]) if values else 0.0))
    if values:
        return Input(name, "long", default if default in values else values[0], None, None, label, values, labels)
    lo, hi = _number(entry.get("MIN")), _number(entry.get("MAX"))
    if lo is not None and hi is not None and lo > hi:
        lo, hi = hi, lo
    low, high = (None if v is None else int(v) for v in (lo, hi))
    return Input(name, "long", default, low, high, label)


def _truth(value: Any) -> bool:
    if isinstance(value, str):
        return value.strip().casefold() in ("true", "yes", "1")
    return bool(value)


def _size(value: Any, known: set[str]) -> Expression | None:
    if value is None or value == "":
        return None
    size = Expression(str(value))
    unknown = size.names - known - {"WIDTH", "HEIGHT"}
    if unknown:
        raise ValueError(f"the size expression {value!r} reads ${min(unknown)}, which is no input that is a number")
    return size


def _passes(data: Mapping[str, Any], inputs: set[str]) -> tuple[Pass, ...]:
    old = data.get("PERSISTENT_BUFFERS")  # ISF 1: a list of names, or a dict of dicts with sizes
    buffers: dict[str, dict[str, Any]] = {}
    if isinstance(old, dict):
        buffers = {str(k): dict(v) if isinstance(v, dict) else {} for k, v in old.items()}
    elif isinstance(old, list):
        buffers = {str(v.get("NAME") if isinstance(v, dict) else v): v if isinstance(v, dict) else {} for v in old}
    found = []
    for entry in _dicts(data.get("PASSES"), "PASSES"):
        target = _name(entry["TARGET"], "a pass's TARGET") if entry.get("TARGET") else ""
        entry = {**buffers.get(target, {}), **entry}
        found.append(
            Pass(
                target,
                bool(target) and (target in buffers or _truth(entry.get("PERSISTENT"))),
                _truth(entry.get("FLOAT")),
                _size(entry.get("WIDTH"), inputs),
                _size(entry.get("HEIGHT"), inputs),
            )
        )
    return tuple(found) or (Pass(),)


def _imported(value: Any, targets: set[str], folder: Path) -> dict[str, tuple[Path, ...]]:
    if isinstance(value, dict):
        entries = {k: v if isinstance(v, dict) else {"PATH": v} for k, v in value.items()}
    else:
        entries = {str(e.get("NAME")): e for e in _dicts(value, "IMPORTED")}
    found: dict[str, tuple[Path, ...]] = {}
    for key, entry in entries.items():
        name, path = _name(key, "an imported image"), entry.get("PATH")
        if name in targets:
            continue  # a pass makes it: some converters list their buffers here
        files = [path] if isinstance(path, str) else path
        if not isinstance(files, list) or len(files) not in (1, 6) or not all(isinstance(f, str) for f in files):
            raise ValueError(f"the imported image {name!r} needs a PATH: one file, or the six sides of a cube")
        found[name] = tuple(folder / f for f in files)
    return found
