"""Reads what a patch says about itself. No GL: any thread.

Takes ISF 2.0 and 1.0 (https://github.com/mrRay/ISF_Spec), Shadertoy's `mainImage` files and bare GLSL fragment
shaders, all into the same Header.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from perform.finding import SUFFIXES
from perform.gl.isf import spec, strangers
from perform.gl.isf.kinds import Header, Input, Kind, Pass, PatchError
from perform.gl.isf.loose import LooseError, Reader

__all__ = ["SUFFIXES", "Header", "Input", "Kind", "Pass", "PatchError", "load", "parse", "read"]

KEYS = ("INPUTS", "PASSES", "ISFVSN", "DESCRIPTION", "CATEGORIES", "CREDIT", "PERSISTENT_BUFFERS", "IMPORTED")
LARGEST = 4 << 20  # bytes; the longest shader people have is 200 kB


def load(path: Path) -> str:
    """A shader's text with plain line ends, from UTF-8, UTF-16 or Latin-1. Raises PatchError."""
    try:
        if path.stat().st_size > LARGEST:
            raise PatchError(path, 0, f"is larger than {LARGEST >> 20} MB: that is not a shader")
        data = path.read_bytes()
    except OSError as e:
        raise PatchError(path, 0, f"cannot be read: {e.strerror or e}") from e
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = data.decode("utf-16", "replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("latin-1")
    if "\0" in text:
        raise PatchError(path, 0, "is not a text file")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read(path: Path) -> Header:
    """The header of a patch. Raises PatchError with the line."""
    return parse(load(path), path)


def parse(text: str, path: Path) -> Header:
    """Like `read`, from text; `path` names it in errors and is where imported images are looked for."""
    found = _find(text, path)
    if found is not None:
        data, start, end = found
        body = text[:start] + "\n" * text.count("\n", start, end) + text[end:]
        return spec.header(data, body, path, text.count("\n", 0, start) + 1)
    return strangers.read(text, path)


def _find(text: str, path: Path) -> tuple[dict[str, Any], int, int] | None:
    """The ISF dict and where its comment starts and ends; None if the file has none."""
    position = 0
    while (start := text.find("/*", position)) >= 0:
        opening = re.compile(r"/\*[\s*]*(?=\{)").match(text, start)
        position = max(text.find("*/", start), start) + 2
        if opening is None:
            continue
        reader = Reader(text, opening.end())
        try:
            data = reader.value()
        except LooseError as e:
            if any(f'"{key}"' in text[start:position] for key in KEYS):
                raise PatchError(path, e.line, f"the ISF header is not JSON: {e}") from e
            continue
        if any(key in data for key in KEYS):
            end = text.find("*/", reader.position)
            return data, start, end + 2 if end >= 0 else len(text)
    return None
