"""What there is to play with: patches by name, worlds by name, in the folders that a show searches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from perform.finding import SUFFIXES, patch_file

PLACES = {
    "sources": 'a source: type = "shader", patch = {!r}',
    "filters": 'a filter: a layer\'s `filters` take it, and a source as "filters/{}"',
    "transitions": "a transition: a layer's `transition` takes it",
    "blends": "a blend: a layer's `blend` takes it",
}


@dataclass(frozen=True)
class Stock:
    """`patches` and `models` are folders in the order in which they are searched. Reads names only, no file."""

    folder: Path
    patches: Sequence[Path]
    models: Sequence[Path]

    @cached_property
    def worlds(self) -> tuple[str, ...]:
        """The worlds that have a card, by the name of their folder."""
        return tuple(dict.fromkeys(card.parent.name for m in self.models for card in sorted(m.glob("*/card.toml"))))

    def named(self, kind: str) -> tuple[str, ...]:
        """The patches of a kind ("filters"), by their short names."""
        files = [f for p in self.patches for f in sorted((p / kind).glob("*")) if f.suffix in SUFFIXES]
        return tuple(dict.fromkeys(f.stem for f in files))

    def patch(self, name: str, kind: str) -> Path | None:
        """The file of a patch: a path (absolute, or relative to the show), "filters/bloom.fs", "bloom" or None."""
        return patch_file(name, (self.folder, *self.patches), (kind,))

    def elsewhere(self, name: str, kind: str) -> str:
        """ "; 'iris' is a transition: …", where a patch of that name is of another kind; else nothing."""
        stem = Path(name).stem
        for other, place in PLACES.items():
            if other != kind and stem in self.named(other):
                return f"; {stem!r} is {place.format(stem)}"
        return ""
