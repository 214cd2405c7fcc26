"""Writing a model card: card.toml, the one file through which a show learns what a world is."""

from __future__ import annotations

import hashlib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from perform.card import beside, checked
from perform.lab import networks, run
from perform.lab.conditions import shrink, speckle, tone
from perform.networks import Dream, describe
from perform.spec import toml

FORMAT = 1
CONDITION = {
    "reduce": 16.0,
    "black": 0.0,
    "white": 1.0,
    "gamma": 1.0,
    "contrast": 1.0,
    "brightness": 0.0,
    "grain": 0.015,
}
KINDS = ("weights", "onnx", "int8")
NAME = "card.toml"


def condition(grey: Tensor, reduce: float, side: int) -> Tensor:
    """A camera picture's light [B,1,h,h] in 0..1 as a world is given it by default: [B,1,side,side]."""
    grain = CONDITION["grain"] * speckle(side, side).to(grey.device)
    return tone(shrink(grey, reduce, (side, side)), grain=grain)


def sha256(path: Path) -> str:
    """Hex digest of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def size_entry(network: Dream, native: int, files: Mapping[str, Path], quality: Mapping[str, float]) -> dict[str, Any]:
    """The table of one size: what rebuilds the network, what it costs, its files and what was measured.

    `files` maps some of weights, onnx and int8 to existing files; `native` is the side it was trained at.
    """
    name, arguments = describe(network)
    entry: dict[str, Any] = {} if name == "plain" else {"network": name}
    entry |= {key: arguments.pop(key) for key in ("widths", "blocks", "inner") if key in arguments}
    entry |= {"macs": networks.macs(network), "parameters": networks.parameters(network), "native": native}
    for kind in KINDS:
        if kind in files:
            entry |= {kind: files[kind].name, f"{kind}_sha256": sha256(files[kind])}
    if arguments:
        entry["arguments"] = arguments
    return entry | {"quality": {key: round(float(value), 4) for key, value in quality.items()}}


def read(folder: Path) -> dict[str, Any]:
    """A world's card as plain data, each key checked as a show checks it, whatever the folder is called. Raises
    ValueError, one sentence, where there is none, it is no TOML, or something in it is not right.
    """
    told = _parsed(folder)
    checked(told, folder / NAME)
    return told


def before(folder: Path) -> dict[str, Any]:
    """The card that another one is to replace, as it was written, right or wrong; empty where there is none. Raises
    ValueError, one sentence, where it is no TOML: a hand wrote in it last, and which files are its own nobody knows.
    """
    if not (folder / NAME).exists():
        return {}
    try:
        return _parsed(folder)
    except ValueError as e:
        raise ValueError(f"{e}; mend it, or move it away and a new one is written") from None


def _parsed(folder: Path) -> dict[str, Any]:
    """A world's card as it was written. Raises ValueError, one sentence, where there is none or it is no TOML."""
    path = folder / NAME
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"there is no world in {folder}: no {NAME}") from None
    except (ValueError, RecursionError) as e:  # no UTF-8, no TOML, a number of thousands of digits
        raise ValueError(f"{path} cannot be read: {e}") from None


def trained(folder: Path) -> dict[str, Any]:
    """The card of a world that was trained here, with its sizes, moods and condition. Raises ValueError, one sentence,
    for what is none, such as a world that was imported.
    """
    told = _parsed(folder)
    for part in ("size", "mood", "condition"):
        if part not in told:
            raise ValueError(f"{folder / NAME} has no [{part}]: it is no world that was trained here")
    return read(folder)


def sized(card: Mapping[str, Any], folder: Path, size: str) -> Mapping[str, Any]:
    """The table of one size. Raises ValueError, one sentence, for a size that the world in `folder` does not have."""
    if not isinstance(entry := card["size"].get(size), Mapping):
        raise ValueError(f"{folder} has no size {size!r}; it has {', '.join(card['size'])}")
    return entry


def fits(card: Mapping[str, Any], folder: Path, side: int) -> None:
    """Raises ValueError, one sentence, for a side that the networks of the world in `folder` cannot paint."""
    multiple = int(card.get("multiple", 8))
    if side < multiple or side % multiple:
        raise ValueError(f"--side is a multiple of {multiple} for {folder}, not {side}")


def publish(card: Mapping[str, Any], staged: Path, folder: Path) -> None:
    """Put a world's files into its folder, the card last.

    The files lie whole in `staged`, on the same disk, so that each replaces its predecessor at once, in milliseconds
    all of them. A show that looks meanwhile finds files that are not the ones its card describes, keeps playing what
    it has, and takes the new world when the card changes. Files that only the old card named are removed at the end.
    Raises ValueError, one sentence, and leaves everything as it is, where the old card is no TOML (`before`).
    """
    folder.mkdir(parents=True, exist_ok=True)
    old = _named(before(folder))
    paths = sorted(staged.iterdir())
    for path in paths:
        path.chmod(0o644)  # weights are to be shared
        os.replace(path, folder / path.name)
    write(card, folder)
    # The old card may say anything: what is new stays, also where S.ONNX and s.onnx are one file.
    stay = {name.casefold() for name in (NAME, *(path.name for path in paths), *_named(card))}
    for name in old:
        if name.casefold() not in stay and os.path.isfile(folder / name):
            (folder / name).unlink()


def write(card: Mapping[str, Any], folder: Path) -> None:
    """Replace the card, atomically."""
    text = dumps(card)
    run.write(folder / NAME, lambda path: path.write_text(text, encoding="utf-8"))


def _named(card: Mapping[str, Any]) -> set[str]:
    """The names of the files of a card's sizes: only such as a card may have, whatever it says, and none of what is no
    size. It may be one that a hand has edited, and is replaced.
    """
    sizes = card.get("size")
    entries = [entry for entry in sizes.values() if isinstance(entry, Mapping)] if isinstance(sizes, Mapping) else []
    names = [entry[kind] for entry in entries for kind in KINDS if kind in entry]
    return {name for name in names if isinstance(name, str) and beside(name)}


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
    return name if plain.isascii() and plain.isalnum() else toml(name)


def _value(value: object) -> str:
    if isinstance(value, str | bool | int | float):
        return toml(value)
    if isinstance(value, list | tuple):
        if value and isinstance(value[0], list | tuple):
            return "[\n" + "".join(f"  {_value(row)},\n" for row in value) + "]"
        return "[" + ", ".join(_value(item) for item in value) + "]"
    raise TypeError(f"a card cannot hold {type(value).__name__}")
