"""A patch's inputs as parameters, and parameters as a patch's inputs. Render thread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from perform.gl.isf.kinds import Header, Input
from perform.params import Param, Params, Spec

Controls = dict[str, Param]  # by input name; a point has two, "NAME/x" and "NAME/y"
_HOSTS = ("on", "time")  # a filter's switch, and `time/speed` of a source


def declare(params: Params, prefix: str, header: Header) -> Controls:
    """Declare every input that is a number below `prefix`: `/source/drift` + `speed` → `/source/drift/speed`.

    A point becomes two floats, `NAME/x` and `NAME/y`; images and sound are no parameters. What is there already
    keeps its value, what is new begins with what the show says. Returns the parameters by input name.
    """
    return {name: params.begin(f"{prefix}/{address}", spec) for name, address, spec in _places(header)}


def values(header: Header, controls: Controls) -> dict[str, Any]:
    """What the parameters say now, as `Patch.render` takes it."""
    found: dict[str, Any] = {}
    for entry in header.inputs:
        if entry.picture:
            continue
        if entry.type == "point2D":
            found[entry.name] = (controls[f"{entry.name}/x"].value, controls[f"{entry.name}/y"].value)
            continue
        param = controls[entry.name]
        if entry.type == "event":
            found[entry.name] = param.fired
        elif entry.type == "long" and entry.values:
            found[entry.name] = entry.values[param.spec.choices.index(param.value)]
        else:
            found[entry.name] = param.value
    return found


def gone(params: Params, before: Controls, header: Header, prefix: str) -> None:
    """Remove the parameters of inputs that a reloaded patch no longer has; one that comes back is as it was set."""
    stay = {f"{prefix}/{address}" for _, address, _ in _places(header)}
    for param in before.values():
        if param.address not in stay:
            params.withdraw(param.address)


def _places(header: Header) -> list[tuple[str, str, Spec]]:
    """(name, address below the prefix, spec) of every parameter of a patch.

    They are the same words, but for an underscore behind an input that differs from another only by case, or that is
    called what the patch's host has below the same prefix.
    """
    found: list[tuple[str, str, Spec]] = []
    taken = set(_HOSTS)
    for entry in header.inputs:
        specs = _specs(entry)
        head = entry.name
        while specs and head.casefold() in taken:
            head += "_"
        taken |= {head.casefold()} if specs else set()
        found += [(name, head + name.removeprefix(entry.name), spec) for name, spec in specs]
    return found


def _specs(entry: Input) -> list[tuple[str, Spec]]:
    """(name below the prefix, spec) of an input: none for pictures, two for a point."""
    doc = entry.label or entry.name
    if entry.picture:
        return []
    if entry.type == "event":
        return [(entry.name, Spec("trigger", False, doc=doc))]
    if entry.type == "bool":
        return [(entry.name, Spec("bool", entry.default, doc=doc))]
    if entry.type == "color":
        return [(entry.name, Spec("color", entry.default, doc=doc))]
    if entry.type == "long":
        return [(entry.name, _long(entry, doc))]
    if entry.type == "float":
        return [(entry.name, Spec("float", entry.default, entry.lo, entry.hi, doc=doc))]
    return [(f"{entry.name}/{axis}", _axis(entry, n, f"{doc}, {word}")) for n, (axis, word) in enumerate(_AXES)]


_AXES = (("x", "from left to right"), ("y", "from bottom to top"))


def _axis(entry: Input, n: int, doc: str) -> Spec:
    lo, hi = (None if bound is None else bound[n] for bound in (entry.lo, entry.hi))
    if lo is not None and hi is not None and lo > hi:
        lo, hi = hi, lo
    unit = "of the picture" if entry.relative else "px" if lo is None and hi is None else ""
    return Spec("float", entry.default[n], lo, hi, unit=unit, doc=doc)


def _long(entry: Input, doc: str) -> Spec:
    if not entry.values:
        return Spec("int", entry.default, entry.lo, entry.hi, doc=doc)
    names: list[str] = []
    for label, value in zip(entry.labels, entry.values, strict=True):
        names.append(label if label not in names else f"{label} ({value}, {len(names)})")
    return Spec("choice", names[entry.values.index(entry.default)], choices=tuple(names), doc=doc)


def sound(header: Header, pictures: Mapping[str, Any]) -> dict[str, Any]:
    """Pictures for a patch, with "audio" and "audioFFT" standing for every input of that type."""
    found = dict(pictures)
    for entry in header.pictures:
        if entry.type in pictures and entry.name not in found:
            found[entry.name] = pictures[entry.type]
    return found
