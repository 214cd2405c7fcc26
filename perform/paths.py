"""Where the program's own patches, worlds and first show are: the checkout it runs from, or inside the wheel."""

from __future__ import annotations

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def share() -> Path:
    """The folder that holds `patches/`, `models/` and `show.toml`."""
    installed = _PACKAGE / "share"
    return installed if installed.is_dir() else _PACKAGE.parent


def patches() -> Path:
    """The patches that come with the program: `sources/`, `filters/`, `transitions/`, `blends/`."""
    return share() / "patches"


def models() -> Path:
    """The worlds that come with the program, one folder each."""
    return share() / "models"


def desk(show: Path) -> Path:
    """Where a show's relative paths start: its own folder. That of the show inside the wheel is the current one:
    stills, presets and films do not belong among the program's files.
    """
    folder = Path(os.path.abspath(show)).parent
    return Path.cwd() if folder.resolve() == _PACKAGE / "share" else folder
