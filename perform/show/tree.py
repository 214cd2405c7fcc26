"""Holds a show against the tree of an opened performance: does each address exist, does each value fit?"""

from __future__ import annotations

import contextlib
import math
import os
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from perform.control import presets
from perform.control.cue import ITS_OWN
from perform.control.osc.pattern import PatternError, Patterns, is_pattern, matches
from perform.library import CardError, Library
from perform.likeness import no_address
from perform.param import Param
from perform.params import Params, Spec
from perform.show.layers import PAD, SIZES
from perform.show.spec import CueSpec, LayerSpec, Problem, Show
from perform.show.table import meant, nearest, span

PRESETS = "presets"  # the folder that `Cues` looks in
PRESET = "/preset/([^/]+)/go"
TRIGGER = Spec("trigger")


def misfits(show: Show, params: Params, strangers: Collection[str] = ()) -> list[Problem]:
    """Everything that the show sets and the tree has not got, or cannot take. Call it when all parts are open, but for
    `strangers`: controls that nobody knows the addresses of. What may be theirs is a hint.

    A cue's address may be a pattern (`/layer/*/opacity`) or a layer's number, as OSC has it. Light mistakes are numbers
    out of range, which are clipped, a patch's inputs that are not there (they come and go with its file), patterns that
    match nothing yet, a cue's mood that no world has while cues call presets, which may bring another world tomorrow,
    and presets that are not there: files of their own, which a performer saves, and half of one after a power cut must
    not keep a show from starting.
    """
    problems, patterns = [], Patterns(params)
    for where, title, address, value, cue in _settings(show):
        line = show.lines.get(where, 0)
        theirs = of_strangers(params, address, strangers)
        for text, light in wrong(show, patterns, address, value, cue):
            hint = bool(theirs) and (light or not is_pattern(address))  # else the pattern itself is wrong
            problems.append(Problem(show.path, line, f"{title}{theirs if hint else text}", light or hint, hint))
    return problems


def of_strangers(params: Params, address: str, strangers: Collection[str]) -> str:
    """A sentence on an address that a control may have which is not open (`strangers`: their tables, "[desk]"); empty
    if there is none, or if what the address begins with is the show's own.
    """
    first = (*address.casefold().split("/"), "")[1]
    if not strangers or not first or is_pattern(first):
        return ""
    if first in (own.casefold().split("/")[1] for own in params.addresses()):
        return ""
    return f"whether there is {address!r} is known once {' and '.join(strangers)} plays"


def ever(layer: LayerSpec, tail: str, first: str, cues: Iterable[CueSpec]) -> list[str]:
    """What a layer's world or size is set to, at first and by cues (patterns and numbers as OSC has them). `cues` may
    be presets, too (`presets_of`).
    """
    own = [f"{prefix}/{tail}" for prefix in (layer.address, layer.alias)]
    return list(dict.fromkeys([first, *(str(value) for cue in cues for value in _set_at(cue, own))]))


def _set_at(cue: CueSpec, own: Collection[str]) -> Iterator[Any]:
    """What a cue sets at an address of these names."""
    for address, value in cue.set.items():
        with contextlib.suppress(PatternError):  # it sets nothing; `misfits` says why
            if any(matches(address, name) for name in own):
                yield value


def presets_of(show: Show) -> list[CueSpec]:
    """The presets beside a show, each as a cue: a performer may call any of them. One that cannot be read is none; that
    is said where it is called, and when the show opens. Reads their files: a millisecond for a few.
    """
    folder, found = show.folder / PRESETS, []
    for name in presets.names(folder):
        with contextlib.suppress(presets.PresetError):
            found.append(CueSpec(name, presets.read(folder / f"{name}.toml")))
    return found


def _called(cues: Iterable[CueSpec], presets: Sequence[CueSpec]) -> list[CueSpec]:
    """Which of these presets cues call, directly or by others; each once."""
    found: list[CueSpec] = []
    for cue in (waiting := list(cues)):  # grows while it is gone through
        for preset in presets:
            values = () if preset in found else _set_at(cue, [f"/preset/{preset.name}/go"])
            if any(not TRIGGER.misfit(value) and TRIGGER.coerce(value) for value in values):
                found.append(preset)
                waiting.append(preset)
    return found


def _settings(show: Show) -> Iterator[tuple[str, str, str, Any, CueSpec | None]]:
    for address, value in show.values().items():
        yield address, "", address, value, None  # what is wrong names the address
    for cue in show.cues:
        for address, value in cue.set.items():
            yield f"cue {cue.name} {address}", f"cue {cue.name!r}: ", address, value, cue


def wrong(show: Show, patterns: Patterns, address: str, value: Any, cue: CueSpec | None) -> Iterator[tuple[str, bool]]:
    """(what is wrong, whether it is light) with what a cue sets (or a preset, as a cue), or the show: only a cue's
    address may be a pattern.
    """
    params = patterns.params
    if cue is not None and is_pattern(address):
        yield from _wrong_pattern(show, patterns, address, value, cue)
        return
    param = params.find(address)
    if param is None and cue is not None and (called := re.fullmatch(PRESET, address, re.IGNORECASE)):
        yield f"there is no preset {called[1]!r}: {_without(show, called[1])}", True
    elif param is None:
        yield _unknown(params, address), _of_a_patch(show, params, address)
    else:
        yield from _wrong_value(show, param, address, value, cue)


def preset_file(show: Show, name: str) -> Path:
    """Where a preset of this name is, or would be."""
    return show.folder / PRESETS / f"{name}.toml"


def _without(show: Show, name: str) -> str:
    """Why there is no preset of this name. Reads its file."""
    path = preset_file(show, name)
    if not os.path.exists(path):
        return f"{PRESETS}/{path.name} is not there{nearest(name, presets.names(path.parent))}"
    try:
        presets.read(path)
    except presets.PresetError as why:
        return str(why)
    return f"{PRESETS}/{path.name} is taken up at the next start"


def _wrong_pattern(
    show: Show, patterns: Patterns, address: str, value: Any, cue: CueSpec
) -> Iterator[tuple[str, bool]]:
    """What matches nothing today may match a layer of tomorrow; what all that matches refuses is a mistake."""
    try:
        reached = patterns.reach(address)
    except PatternError as why:
        yield f"{address} {why}", False
        return
    if not reached:
        yield f"no address matches {address}", True
        return
    wrong = [list(_wrong_value(show, param, own, value, cue)) for own, param in reached.items()]
    if all(wrong):  # else some take it; one that takes it clipped makes it light
        yield min((one for told in wrong for one in told), key=lambda told: not told[1])


def _wrong_value(show: Show, param: Param, address: str, value: Any, cue: CueSpec | None) -> Iterator[tuple[str, bool]]:
    spec = _spec(show, param, cue)
    why, light = spec.misfit(value), False
    its_own = param.address.rpartition("/")[2] in ITS_OWN and not spec.readonly
    if why and its_own and cue is not None and any(map(_calls, (cue, *show.cues))):
        presets, light = presets_of(show), True  # one may bring the world that has it: only now, files are read
        if _calls_absent([cue, *_called([cue], presets)], presets):
            return  # whose world nobody knows; that it is not there is told by itself
        spec = _spec(show, param, cue, presets)
        why = spec.misfit(value)
    if why:
        if param.address.endswith("/mood") and list(spec.names) == [PAD]:
            why = "is set, but a mood is its world's, and no world of this layer has any"
        elif spec.kind == "choice" and isinstance(value, str):
            why += meant(value, spec.names)
        yield f"{address} {why}", light
        return
    taken = spec.coerce(value)
    value = value[0] if isinstance(value, list | tuple) and len(value) == 1 else value  # as `coerce` has it
    if spec.kind in ("float", "int") and not isinstance(value, (bool, str)) and taken != value:
        lo, hi = (-math.inf if spec.lo is None else spec.lo), (math.inf if spec.hi is None else spec.hi)
        if not lo <= value <= hi:
            yield f"{address} = {value:g} is out of range: {span(lo, hi)}", True
    parts = value if isinstance(value, list | tuple) else (value,)
    if spec.kind == "color" and not isinstance(value, str) and not all(0.0 <= part <= 1.0 for part in parts):
        yield f"{address} = [{', '.join(f'{part:g}' for part in parts)}]: colours are 0 to 1", True


def _calls(cue: CueSpec) -> bool:
    """Whether a cue calls up a preset."""
    return any(address.casefold().startswith("/preset/") for address in cue.set)


def _calls_absent(cues: Iterable[CueSpec], presets: Iterable[CueSpec]) -> bool:
    """Whether cues call a preset that is none of these."""
    there = [preset.name.casefold() for preset in presets]
    called = [re.fullmatch(PRESET, address, re.IGNORECASE) for cue in cues for address in cue.set]
    return any(one is not None and not is_pattern(one[0]) and one[1].casefold() not in there for one in called)


def _unknown(params: Params, address: str) -> str:
    """What is said of an address that is not there."""
    layer = re.fullmatch("(/layer/[^/]+)/filter/([^/]+)/.+", address)
    if layer and params.find(f"{layer[1]}/opacity") and params.find(f"{layer[1]}/filter/{layer[2]}/on") is None:
        return f"{address}: the layer has no filter {layer[2]!r}; name it in `filters`"
    return no_address(address, params.addresses())


def _of_a_patch(show: Show, params: Params, address: str) -> bool:
    """Whether an address is an input of a source, or of a filter, that there is."""
    parts = address.split("/")  # of a word without a slash just that one
    if parts[1:2] == ["source"]:
        return len(parts) > 3 and parts[2] in show.sources
    filters = parts[1:2] == ["layer"] and parts[3:4] == ["filter"]
    return filters and params.find("/".join((*parts[:5], "on"))) is not None


def _spec(show: Show, param: Param, cue: CueSpec | None, presets: Sequence[CueSpec] = ()) -> Spec:
    """What fits a parameter when the show opens or a cue is fired. For a mood or a size: one of the layer's world, of
    the world that the cue brings, itself or by those of `presets` that it calls, or else of any that the layer ever
    plays, since cues may come in any order; whatever it plays now.
    """
    above, _, tail = param.address.rpartition("/")
    layer = next((layer for layer in show.layers if layer.address == above), None)
    if layer is None or tail not in ITS_OWN:
        return param.spec
    brings = [layer.world] if cue is None else ever(layer, "world", "", [cue])[1:]
    if cue is not None and not brings:  # the cue's own world stands on top of its presets'
        brings = ever(layer, "world", "", _called([cue], presets))[1:]
    names: list[str] = []
    for world in brings or ever(layer, "world", layer.world, (*show.cues, *_called(show.cues, presets))):
        try:
            card = Library(show.models).card(world)
        except (CardError, LookupError):
            continue  # "none", or a world that is wrong itself: said elsewhere
        names += card.sizes if tail == "size" else card.mood.named if card.mood is not None else ()
    if not names and (cue is None or tail == "size"):
        return replace(param.spec, choices=SIZES, live_choices=None) if tail == "size" else param.spec
    pad = param.spec.names[-1:] if tail == "mood" else ()
    return replace(param.spec, choices=(*dict.fromkeys(names), *pad), live_choices=None)
