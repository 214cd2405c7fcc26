"""The words of the report: `docs/compression/words.toml`. They are written by people; what was measured is named.

A number, `{landscape:m:kid}` (world, entrant, measure), is filled in from the record, so that words do not go stale.
`{landscape:m:kid:2}` gives two significant digits; `macs_g` are useful MACs in G; `{landscape:slim:kid-whole}` is how
much larger its KID is than that of `whole`, and `kid-whole_error` the standard error of that.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from perform.lab.evaluate import record as evaluation
from perform.lab.report.svg import short

NAMED = re.compile(r"\{([^{}:]+):([^{}:]+):([^{}:]+)(?::(\d))?\}")


@dataclass(frozen=True)
class Note:
    """Something learned, with its name."""

    title: str
    text: str


@dataclass(frozen=True)
class Words:
    """All the words. `short`: the answer, in a few paragraphs; `worlds`: a paragraph each; `kept`, `dropped`, `weak`:
    what won, what did not, what to doubt.
    """

    title: str = "What compression costs"
    lead: str = ""
    short: tuple[str, ...] = ()
    method: tuple[str, ...] = ()
    worlds: Mapping[str, str] = field(default_factory=dict)
    kept: tuple[Note, ...] = ()
    dropped: tuple[Note, ...] = ()
    weak: tuple[Note, ...] = ()


def read(path: Path, records: Mapping[str, Mapping[str, Any]]) -> Words:
    """The words with their numbers filled in; none where there is no file. Raises ValueError, one sentence."""
    if not path.exists():
        return Words()
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise ValueError(f"{path}: this is not TOML: {e}") from None
    known = {"title", "lead", "short", "method", "world", "kept", "dropped", "weak"}
    for key in raw:
        if key not in known:
            raise ValueError(f"{path}: {key}: this key is not known; there are {', '.join(sorted(known))}")

    def say(value: object, where: str) -> str:
        if not isinstance(value, str):
            raise ValueError(f"{path}: {where}: expected a text, found {value!r}")
        return filled(" ".join(value.split()), records, f"{path}: {where}")

    for key in ("kept", "dropped", "weak"):
        if not isinstance(raw.get(key, []), list) or not all(isinstance(one, dict) for one in raw.get(key, [])):
            raise ValueError(f"{path}: {key}: write it as [[{key}]], with a title and a text")
    if not isinstance(raw.get("world", {}), dict):
        raise ValueError(f"{path}: world is a table, one text for each")
    for key in ("short", "method"):
        if not isinstance(raw.get(key, []), list):
            raise ValueError(f"{path}: {key} is a list of texts")

    def notes(key: str) -> tuple[Note, ...]:
        return tuple(
            Note(say(n.get("title"), f"{key}.title"), say(n.get("text"), f"{key}.text")) for n in raw.get(key, [])
        )

    return Words(
        say(raw.get("title", "What compression costs"), "title"),
        say(raw.get("lead", ""), "lead"),
        tuple(say(text, "short") for text in raw.get("short", [])),
        tuple(say(text, "method") for text in raw.get("method", [])),
        {name: say(text, f"world.{name}") for name, text in raw.get("world", {}).items()},
        notes("kept"),
        notes("dropped"),
        notes("weak"),
    )


def filled(text: str, records: Mapping[str, Mapping[str, Any]], where: str) -> str:
    """Names replaced by numbers. Raises ValueError for a name that no record knows."""

    def value(found: re.Match[str]) -> str:
        world, entrant, measure, digits = found.groups()
        entry = records.get(world, {}).get("entrants", {}).get(entrant, {})
        cost = entry.get("cost", {})
        numbers = {**entry.get("quality", {}), **cost, "macs_g": cost.get("macs", 0.0) / 1e9}
        if measure.startswith("kid-"):
            other = measure.removeprefix("kid-").removesuffix("_error")
            known = evaluation.difference(records.get(world, {"entrants": {}}), entrant, other)
            numbers |= dict(zip((f"kid-{other}", f"kid-{other}_error"), known or (), strict=False))
        if measure not in numbers:
            raise ValueError(f"{where}: no record has {found.group(0)}; evaluate it, or take the sentence out")
        if digits:
            return f"{numbers[measure]:.{digits}g}"
        fine = "kid" in measure or "lpips" in measure  # as the tables have them
        return f"{numbers[measure]:.3f}" if fine else short(numbers[measure])

    return NAMED.sub(value, text)
