"""show.toml -> a frozen, validated `Show`; every mistake at once, with file, line, key and what would be right."""

from perform.show.calls import miscalled
from perform.show.edits import Edits, diff
from perform.show.reading import load, parse
from perform.show.resize import resized
from perform.show.spec import CueSpec, LayerSpec, PartSpec, Problem, Show, ShowError
from perform.show.tree import ever, misfits, of_strangers, presets_of

__all__ = [
    "CueSpec",
    "Edits",
    "LayerSpec",
    "PartSpec",
    "Problem",
    "Show",
    "ShowError",
    "diff",
    "ever",
    "load",
    "miscalled",
    "misfits",
    "of_strangers",
    "parse",
    "presets_of",
    "resized",
]
