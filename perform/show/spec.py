"""What a show is once it has been read: frozen records, every name checked, every path found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from perform import plugins
from perform.files import Stamp
from perform.params import Value

Inset = Literal["off", "inset", "side-by-side"]
BlendSpace = Literal["display", "linear"]
Values = Mapping[str, Value]  # the tail of an address ("condition/gamma") -> its value when the show opens


def frozen(table: Mapping[str, Any]) -> Mapping[str, Any]:
    """A read-only copy."""
    return MappingProxyType(dict(table))


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a show. `line` counts from 1; 0: the file as a whole. `light` ones do not keep it from playing,
    and a `hint` is none, or may be none: it is worth knowing, or only the opened show can tell.
    """

    path: Path
    line: int
    text: str
    light: bool = False
    hint: bool = False

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}" if self.line else f"{self.path}: {self.text}"


class ShowError(Exception):
    """A show that cannot be played; `problems` has everything that is wrong with it, in the file's order.

    `read`: every table was read, and nothing is left to be found but what only the opened show can tell.
    """

    def __init__(self, problems: list[Problem], read: bool = False) -> None:
        self.read = read
        self.problems = tuple(sorted(problems, key=lambda p: p.line))
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(frozen=True, slots=True)
class PartSpec:
    """A plugin as a show asks for it: a source, a sink or a control. `keys` are its dataclass's fields, checked.

    `values` are initial values of addresses below the part's own (a shader source's inputs): tail -> value.
    """

    group: plugins.Group
    name: str
    type: str
    keys: Mapping[str, Any] = field(default_factory=dict)
    values: Values = field(default_factory=dict)
    fallback: str | None = None
    line: int = 0

    def make(self) -> Any:
        """A new, unopened part. Imports the plugin's module; LookupError with a sentence if that fails."""
        return plugins.find(self.group, self.type)(**self.keys)


@dataclass(frozen=True, slots=True)
class LayerSpec:
    """One layer. `values` holds everything that has an address below `/layer/<name>/`, for example

        {"source": "camera", "world": "landscape", "size": "m", "opacity": 0.2, "mask": "layer:ghost",
         "condition/gamma": 1.2, "filter/bloom/intensity": 0.4, "mood": "dawn", "mood/fade": 4.0}

    and only what the show sets: a missing tail means the parameter's own default. `filters` are patches, resolved
    to files, in order; `filter_names` what their addresses are called.
    """

    name: str
    number: int  # from 1, as in /layer/1
    source: str  # a source's name, or "layer:<name>"
    world: str = "none"
    size: str = "m"
    resolution: tuple[int, int] = (512, 288)  # of the generator's picture, (width, height) in pixels
    filters: tuple[str, ...] = ()
    values: Values = field(default_factory=dict)
    line: int = 0

    @property
    def address(self) -> str:
        """Where the layer's parameters live: `/layer/<name>`."""
        return f"/layer/{self.name}"

    @property
    def alias(self) -> str:
        """The same by number: `/layer/<n>`."""
        return f"/layer/{self.number}"


@dataclass(frozen=True, slots=True)
class CueSpec:
    """Addresses and values to reach in `fade` seconds.

    `at` fires it by itself at that show time (seconds); `follow` that many seconds after the cue before it fired.
    """

    name: str
    set: Mapping[str, Any] = field(default_factory=dict)
    fade: float = 0.0
    easing: str = "smooth"
    at: float | None = None
    follow: float | None = None
    line: int = 0


@dataclass(frozen=True, slots=True)
class Show:
    """A whole show. `sources` and `controls` by name, `layers` from bottom to top, `master` tails of /master.

    Relative paths start at `folder`. `patches` and `models` are the folders searched, the show's own first. `window`
    and `record` are sinks that the file asks for (`record` is None unless it has a [record] table), `engine` what all
    worlds are to run on. `stamp` is the file as it was just before it was read.
    """

    path: Path
    folder: Path
    name: str = "untitled"
    size: tuple[int, int] = (1280, 720)
    fps: float = 60.0
    inset: Inset = "off"
    blend_space: BlendSpace = "display"
    gpu_memory: float = 0.7  # of what a graphics card has free: for warm worlds
    sources: Mapping[str, PartSpec] = field(default_factory=dict)
    layers: tuple[LayerSpec, ...] = ()
    controls: Mapping[str, PartSpec] = field(default_factory=dict)
    window: PartSpec = field(default_factory=lambda: PartSpec("sinks", "window", "window"))
    record: PartSpec | None = None
    sinks: Mapping[str, PartSpec] = field(default_factory=dict)
    engine: PartSpec | None = None  # None: whatever is fastest on this machine
    cues: tuple[CueSpec, ...] = ()
    master: Values = field(default_factory=dict)
    patches: tuple[Path, ...] = ()
    models: tuple[Path, ...] = ()
    lines: Mapping[str, int] = field(default_factory=dict)  # address -> line; "cue NAME /address" -> line
    stamp: Stamp | None = field(default=None, compare=False)  # None: it was not read from a file

    @property
    def worlds(self) -> tuple[str, ...]:
        """Every world that the show names, in layers and in cues, in the order of their first mention."""
        named = [layer.world for layer in self.layers if layer.world != "none"]
        for cue in self.cues:
            named += [str(v) for a, v in cue.set.items() if a.endswith("/world") and str(v) != "none"]
        return tuple(dict.fromkeys(named))

    def values(self) -> dict[str, Value]:
        """Every address whose value the show sets when it opens."""
        out: dict[str, Value] = {f"/master/{tail}": value for tail, value in self.master.items()}
        for name, source in self.sources.items():
            out |= {f"/source/{name}/{tail}": value for tail, value in source.values.items()}
        for layer in self.layers:
            out |= {f"{layer.address}/{tail}": value for tail, value in layer.values.items()}
        return out
