"""What a run folder was begun with, and whether it may go on with what is asked for now.

All worlds' networks are of one shape, so a checkpoint takes whatever it is given: another world, another teacher, other
losses. What came of that would be a mixture of both, under the name of the last. Other steps, batches and rates are
welcome: people extend their runs, and a full GPU halves a batch.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from perform.lab import run, worlds

FREE = ("steps", "paired", "unpaired", "rate", "judge_rate")  # how long, how much at once, how fast
FOLDERS = ("world", "teacher", "start")
# of a recipe that does not say what was said: no version had others of them, or other sizes are another network
ALWAYS = ("size", "sizes", "side", "norm", "seed")


def told(recipe: Any, **about: Path | None) -> dict[str, Any]:
    """A recipe (a dataclass whose fields have defaults) and the folders that it is about, as `recipe.json` keeps them.
    `said`: the fields that are not the program's own choice, which the next version may make otherwise.
    """
    usual, asked = asdict(type(recipe)()), asdict(recipe)
    return asked | {"said": [name for name, value in asked.items() if value != usual[name]]} | folders(**about)


def folders(**about: Path | None) -> dict[str, Any]:
    """Folders by their names (`FOLDERS`), and `sha256`: of what they hold, for they may be moved. About a second for a
    gigabyte of pictures.
    """
    given = {name: folder for name, folder in about.items() if folder is not None}
    return {name: str(folder) for name, folder in given.items()} | {
        "sha256": {name: held(folder) for name, folder in given.items()}
    }


def held(folder: Path) -> str:
    """Hex digest of the pictures of a world's folder, or of the weights of a run folder, a shipped world or one of its
    sizes; "" where there are none.
    """
    files = [path for path in (folder / worlds.FILE, _weights(folder)) if path is not None and path.is_file()]
    files = files or sorted([*folder.glob("*/ema.safetensors"), *folder.glob("*.safetensors")])
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest() if files else ""


def _weights(folder: Path) -> Path | None:
    """See `run.weights`; None where a card names none, or is damaged."""
    try:
        return run.weights(folder)
    except ValueError:
        return None


def same(folder: Path, asked: Mapping[str, Any]) -> None:
    """Raises ValueError, one sentence, where the recipe that lies in the run folder is not `asked` (`told`) in what
    changes what is learned. The same words said again are always the same, whatever has become of the folders that they
    name, and whatever this version of the program does where nothing is said.
    """
    try:
        before = json.loads((folder / "recipe.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return  # nothing is known
    if isinstance(before, dict) and (difference := _folders(before, asked) or _fields(before, asked)):
        raise ValueError(f"{folder} was begun {difference}: name another --out")


def _fields(before: Mapping[str, Any], asked: Mapping[str, Any]) -> str:
    """The first field that differs, because somebody said so then or says so now; else nothing."""
    said = {*before.get("said", ALWAYS), *asked.get("said", ())}
    for name, value in asked.items():
        if name not in said or name in FREE:
            continue
        if name in before and before[name] != value:
            return f"with {_word(name)} {before[name]}, not {value}"
        if name not in before and name in asked.get("said", ()):
            return f"without {_word(name)} {value}"
    return ""


def _folders(before: Mapping[str, Any], asked: Mapping[str, Any]) -> str:
    """The first folder that is another one; else nothing."""
    for name in FOLDERS:
        old, new = before.get(name), asked.get(name)
        if old is not None and new is not None and not _one(name, before, asked):
            return f"with {_word(name)} {old}, not {new}"
        if name == "start" and new is None and old is not None:
            return f"with {_word(name)} {old}, not without"
        if name == "start" and old is None and new is not None and "said" in before:  # who did not keep it, keeps mum
            return f"without {_word(name)} {new}"
    return ""


def _one(name: str, before: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    """Whether both mean one folder: by its path, or, as it may be moved, by what it holds. Of one that has gone, and
    whose contents nobody kept, the name is all there is to compare.
    """
    old, new = Path(str(before[name])), Path(str(asked[name]))
    if old.resolve() == new.resolve():
        return True
    then, now = before.get("sha256", {}).get(name) or held(old), asked["sha256"][name]
    return bool(then == now) if then and now else old.resolve().name == new.resolve().name


def _word(name: str) -> str:
    return f"--{name.replace('_', '-')}"
