"""Where patches, worlds and the first show are: the program's own (in the checkout it runs from, or inside the wheel),
the user's, and those of a show.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

_PACKAGE = Path(__file__).resolve().parent
Kind = Literal["patches", "models"]


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


def user(kind: Kind) -> Path:
    """Where somebody's own patches or worlds are, for all shows; it need not be there."""
    from platformdirs import user_data_path

    return user_data_path("perform", appauthor=False) / kind


def searched(kind: Kind, folder: Path, named: Iterable[Path] = ()) -> list[Path]:
    """The folders that a show in `folder` looks for patches or worlds in, in order, of those that are there: the one
    beside it, those it names, the program's own, the user's; for patches its own folder last.
    """
    own = patches() if kind == "patches" else models()
    here = [folder] if kind == "patches" else []
    wanted = (folder / kind, *named, own, user(kind), *here)
    return list(dict.fromkeys(path.resolve() for path in wanted if path.is_dir()))


def desk(show: Path) -> Path:
    """Where a show's relative paths start: its own folder. That of the show inside the wheel is the current one:
    stills, presets and films do not belong among the program's files.
    """
    folder = Path(os.path.abspath(show)).parent
    return Path.cwd() if folder.resolve() == _PACKAGE / "share" else folder
