"""Presets: TOML files of addresses and values. A preset is a cue with no time.

# presets/calm.toml
[set]
"/layer/dream/opacity" = 0.5
"/layer/dream/world" = "ocean"
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from perform.spec import toml

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")
LARGEST = 1 << 20  # bytes of a preset file


class PresetError(Exception):
    """A preset that cannot be read or written; the text is one sentence with its file."""


def read(path: Path) -> dict[str, Any]:
    """The addresses and values of a preset file. Raises PresetError."""
    try:
        if path.stat().st_size > LARGEST:
            raise PresetError(f"{path}: is larger than a preset can be ({LARGEST // 1024} KiB)")
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as e:
        raise PresetError(f"{path}: cannot be read: {e.strerror}") from e
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as e:
        raise PresetError(f"{path}: is not TOML: {e}") from e
    values = data.get("set")
    if not isinstance(values, dict) or set(data) != {"set"}:
        raise PresetError(f"{path}: a preset holds one table, [set], of addresses and values")
    return values


def names(folder: Path) -> list[str]:
    """The presets in a folder, sorted; what cannot be one is passed over."""
    return sorted(p.stem for p in folder.glob("*.toml") if NAME.fullmatch(p.stem)) if folder.is_dir() else []


def write(path: Path, values: Mapping[str, Any]) -> None:
    """Write a preset, whole or not at all. Raises PresetError."""
    lines = ["[set]", *(f"{toml(a)} = {toml(v)}" for a, v in sorted(values.items())), ""]
    new = path.with_suffix(f".{threading.get_ident()}.new")  # of each save its own: two of one name may meet
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new.write_text("\n".join(lines), encoding="utf-8", newline="\n")
        os.replace(new, path)
    except OSError as e:
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)  # half a file would keep a full disk full
        raise PresetError(f"{path}: cannot be written: {e.strerror}") from e
