"""What changed between two versions of a show: what can be set live, what has to be opened again, what waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from perform.params import Value
from perform.show.spec import LayerSpec, PartSpec, Show

# Keys of [show] that are built into the window, the targets and the loop: a running show keeps the old ones.
FIXED = {
    "size": "size",
    "blend_space": "blend_space",
    "gpu_memory": "gpu_memory",
    "window": "[window]",
    "record": "[record]",
    "sinks": "[sink]",
    "engine": "[engine]",
}
CORNERS = "corners"  # … but for this key of [window]
FOLDERS = ("patches", "models")  # … and what it searches


@dataclass(frozen=True, slots=True)
class Edits:
    """What to do, in this order, so that a running show becomes the new one.

    `restart` names what a running show cannot take up (it goes on with the old). `sources` and `controls` are names to
    close and open again (added and changed ones), `gone_…` those to close; `layers` are names to add, or to give other
    filters or another resolution while they play on. `values` are addresses to set, and `defaults` addresses to put
    back to their default because the new show no longer mentions them: neither touches what only the performer has
    moved. `order` is True if the layers' order or numbers changed. The rate is no edit: each frame asks the show for
    it.
    """

    restart: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    gone_sources: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    gone_layers: tuple[str, ...] = ()
    order: bool = False
    controls: tuple[str, ...] = ()
    gone_controls: tuple[str, ...] = ()
    cues: bool = False
    name: bool = False
    inset: bool = False
    corners: bool = False
    values: Mapping[str, Value] = field(default_factory=dict)
    defaults: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self != Edits()


def diff(old: Show, new: Show) -> Edits:
    """Everything that is to be done so that `old` becomes `new`. Any thread; microseconds."""
    before, after = {x.name: x for x in old.layers}, {x.name: x for x in new.layers}
    was, now = old.values(), new.values()
    restart = [word for key, word in FIXED.items() if _kept(old, key) != _kept(new, key)]
    restart += [key for key in FOLDERS if getattr(old, key) != getattr(new, key)]
    sources = [n for n, s in new.sources.items() if n not in old.sources or _part(s) != _part(old.sources[n])]
    layers = [n for n, x in after.items() if n not in before or _layer(x) != _layer(before[n])]
    controls = [n for n, c in new.controls.items() if n not in old.controls or _part(c) != _part(old.controls[n])]
    return Edits(
        restart=tuple(restart),
        sources=tuple(sources),
        gone_sources=tuple(n for n in old.sources if n not in new.sources),
        layers=tuple(layers),
        gone_layers=tuple(n for n in before if n not in after),
        order=[x.name for x in old.layers] != [x.name for x in new.layers],
        controls=tuple(controls),
        gone_controls=tuple(n for n in old.controls if n not in new.controls),
        cues=[_asked(c) for c in old.cues] != [_asked(c) for c in new.cues],
        name=old.name != new.name,
        inset=old.inset != new.inset,
        corners=old.window.keys.get(CORNERS, {}) != new.window.keys.get(CORNERS, {}),
        values={a: v for a, v in now.items() if a not in was or was[a] != v},
        defaults=tuple(a for a in was if a not in now and not _below(a, old, new)),
    )


def _kept(show: Show, key: str) -> object:
    """What a running show keeps of a FIXED key."""
    if key != "window":
        return _asked(getattr(show, key))
    return {key: value for key, value in show.window.keys.items() if key != CORNERS}


def _below(address: str, old: Show, new: Show) -> bool:
    """Whether the address goes with a layer or source that is gone."""
    gone = [f"/layer/{x.name}/" for x in old.layers if x.name not in {y.name for y in new.layers}]
    gone += [f"/source/{name}/" for name in old.sources if name not in new.sources]
    return address.startswith(tuple(gone)) if gone else False


def _part(part: PartSpec) -> tuple[object, ...]:
    """What a part is opened with: a change of it means opening it again."""
    return part.type, dict(part.keys), part.fallback


def _layer(layer: LayerSpec) -> tuple[object, ...]:
    return layer.filters, layer.resolution


def _asked(thing: object) -> object:
    """A record without its line, so that an edit above it is no edit."""
    if isinstance(thing, PartSpec):
        return _part(thing)
    if isinstance(thing, Mapping):
        return {name: _asked(part) for name, part in thing.items()}
    if hasattr(thing, "set") and hasattr(thing, "follow"):
        return thing.name, dict(thing.set), thing.fade, thing.easing, thing.at, thing.follow  # type: ignore[attr-defined]
    return thing
