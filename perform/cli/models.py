"""perform models: the worlds that are here."""

from __future__ import annotations

import argparse
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from perform import paths
from perform.cli import Bad


def models(args: argparse.Namespace) -> int:
    """Print one line for each world that a show here would find, and one for each of its sizes."""
    folders = [Path(f) for f in args.models]
    for folder in folders:
        if not folder.is_dir():
            raise Bad(f"there is no folder {str(folder)!r}")
    found = 0
    for folder in paths.searched("models", Path(), folders):
        for card in sorted(folder.glob("*/card.toml")):
            found += 1
            try:
                print("\n".join(_lines(card)))
            except (OSError, ValueError, KeyError, TypeError, AttributeError) as e:
                print(f"{card.parent.name}: its card cannot be read: {e}")
    if not found:
        print("there are no worlds here")
    return 0


def _lines(card: Path) -> Iterator[str]:
    data: dict[str, Any] = tomllib.loads(card.read_text("utf-8"))
    name, sizes = str(data["world"]), dict(data["size"])
    yield f"{name}  {data.get('description', '')}  [{data.get('licence', 'no licence given')}]"
    for size, about in sorted(sizes.items(), key=_rank):
        macs, count = float(about.get("macs", 0)) / 1e9, int(about.get("parameters", 0))
        files = ", ".join(k for k in ("weights", "onnx", "int8") if about.get(k) and (card.parent / about[k]).is_file())
        yield f"  {size}  {macs:.2f} GMAC at {about.get('native', 256)}²  {count:,} parameters  {files}"
    if moods := data.get("mood", {}).get("named"):
        yield f"  moods: {', '.join(moods)}"


def _rank(entry: tuple[str, Any]) -> tuple[int, str]:
    """s, m, l as one says them, whatever the order in the card; names of one's own after them."""
    usual, name = ("s", "m", "l"), entry[0]
    return (usual.index(name), name) if name in usual else (len(usual), name)
