"""Writing a model card: card.toml, the one file through which a show learns what a world is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

FORMAT = 1
CONDITION = {"reduce": 24.0, "black": 0.0, "white": 1.0, "gamma": 1.0, "contrast": 1.0, "brightness": 0.0}


def sha256(path: Path) -> str:
    """Hex digest of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def size_entry(
    widths: Sequence[int],
    blocks: int,
    macs: int,
    parameters: int,
    native: int,
    files: Mapping[str, Path],
    quality: Mapping[str, float],
) -> dict[str, Any]:
    """The table of one size. `files` maps weights, onnx and int8 to existing files; quality is what was measured."""
    entry: dict[str, Any] = {
        "widths": list(widths),
        "blocks": blocks,
        "macs": macs,
        "parameters": parameters,
        "native": native,
    }
    for kind in ("weights", "onnx", "int8"):
        entry[kind] = files[kind].name
        entry[f"{kind}_sha256"] = sha256(files[kind])
    entry["quality"] = {name: round(float(value), 4) for name, value in quality.items()}
    return entry


def dumps(card: Mapping[str, Any]) -> str:
    """A card as TOML: strings, numbers, booleans, arrays of those and tables. Raises TypeError for anything else."""
    return "\n".join(_table(card, "")).strip() + "\n"


def _table(table: Mapping[str, Any], path: str) -> list[str]:
    lines = [f"[{path}]"] if path and any(not isinstance(value, Mapping) for value in table.values()) else []
    lines += [f"{_key(name)} = {_value(value)}" for name, value in table.items() if not isinstance(value, Mapping)]
    for name, value in table.items():
        if isinstance(value, Mapping):
            lines += ["", *_table(value, f"{path}.{_key(name)}" if path else _key(name))]
    return lines


def _key(name: str) -> str:
    plain = name.replace("_", "").replace("-", "")
    return name if plain.isascii() and plain.isalnum() else json.dumps(name)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        if value and isinstance(value[0], list | tuple):
            return "[\n" + "".join(f"  {_value(row)},\n" for row in value) + "]"
        return "[" + ", ".join(_value(item) for item in value) + "]"
    raise TypeError(f"a card cannot hold {type(value).__name__}")
