"""The words of somebody's own world: what stands in its `words.toml`, and for the rest something plain.

title = "Bark"
description = "A network that has seen the bark of old trees, and nothing else."
author = "Ann"
licence = "CC-BY-4.0"
sources = "312 photographs, taken in 2026"
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from torch import Tensor

from perform.lab import discover
from perform.lab.words import Words

KEYS = ("title", "description", "author", "licence", "sources")


def own(folder: Path, name: str, raw: Tensor) -> Words:
    """Words for the world in `folder`, whose pictures have the raw moods `raw` [N,7]: its moods are found and named.

    Raises ValueError, one sentence, for a `words.toml` that cannot be read or says what is not known.
    """
    path, told = folder / "words.toml", {}
    if path.exists():
        try:
            told = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
            raise ValueError(f"{path} cannot be read: {e}") from None
    for key, value in told.items():
        if key not in KEYS or not isinstance(value, str):
            raise ValueError(f"{path}: {key} should not be there, or is no text; there are {', '.join(KEYS)}")
    return Words(
        title=told.get("title", name.replace("-", " ").replace("_", " ").capitalize()),
        description=told.get("description", f"A network that has seen {len(raw)} pictures and nothing else."),
        sources=told.get("sources", f"{len(raw)} pictures."),
        licence=told.get("licence", "all rights with the author"),
        author=told.get("author", "somebody with pictures"),
        moods=discover.discover(raw),
    )
