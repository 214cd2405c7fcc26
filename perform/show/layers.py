"""Reads the [[layer]] tables of a show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from perform.params import Value
from perform.ranges import CROSSFADE, MOOD_FADE, SHARE
from perform.show.spec import LayerSpec, frozen
from perform.show.stock import Stock
from perform.show.table import Table, nearest, shown
from perform.show.values import NAME, NAME_RULE, scalars

KEYS = {"mask/invert": "mask_invert"}  # tails of addresses that are another key in the file
SIZES = ("s", "m", "l", "teacher")
MOST = 64  # layers: each is a pass of its own and has some forty addresses
PAD, MIDDLE = "pad", 0.5  # the mood that is a place, and where the pad's handle is unless the layer says otherwise
LONG_SIDE = 512  # pixels of the generator's picture unless the layer says otherwise


def resolution(size: tuple[int, int]) -> tuple[int, int]:
    """The generator's picture for a stage of this size: its shape, 512 pixels long, sides in steps of 16."""
    k = LONG_SIDE / max(size)
    return max(16, round(size[0] * k / 16) * 16), max(16, round(size[1] * k / 16) * 16)


def read_layers(top: Table, stock: Stock, sources: Sequence[str], size: tuple[int, int]) -> tuple[LayerSpec, ...]:
    """All layers, from bottom to top; names and references checked, circles refused."""
    tables = top.tables("layer")
    if not tables and not top.page.problems:
        top.wrong("layer", "there is no layer; a show needs at least one [[layer]]")
    if len(tables) > MOST:
        tables[MOST].wrong("", f"this is layer {MOST + 1}; a show has at most {MOST}")
        tables = tables[:MOST]
    names = [_name(table, n) for n, table in enumerate(tables, 1)]
    for n, (name, table) in enumerate(zip(names, tables, strict=True)):
        table.title = f"layer {name!r}"
        if name.casefold() in (other.casefold() for other in names[:n]):
            table.wrong("name", f"there is another layer of the name {name!r}")
    feeds = [*sources, *(f"layer:{name}" for name in names)]
    layers = tuple(
        _layer(table, n, name, stock, [f for f in feeds if f != f"layer:{name}"], size)
        for n, (name, table) in enumerate(zip(names, tables, strict=True), 1)
    )
    _refuse_circles(top, layers)
    return layers


def _name(table: Table, number: int) -> str:
    name = table.text("name", f"layer{number}")
    if not NAME.fullmatch(name):
        table.wrong("name", f"{shown(name)} {NAME_RULE}")
        return f"layer{number}"
    return name


def _layer(
    table: Table, number: int, name: str, stock: Stock, feeds: Sequence[str], size: tuple[int, int]
) -> LayerSpec:
    values: dict[str, Value] = {
        "source": _source(table, name, feeds),
        "world": table.one_of("world", ("none", *stock.worlds), "none"),
        "size": table.one_of("size", SIZES, "m"),
        **_look(table, name, stock, feeds),
        **_mood(table),
    }
    for tail in values:
        table.page.where[f"/layer/{name}/{tail}"] = table.line(KEYS.get(tail, tail.split("/")[0]))
    for key in ("condition", "transform", "filter"):
        inner = scalars(table.table(key), f"/layer/{name}/{key}")
        values |= {f"{key}/{tail}": value for tail, value in inner.items()}
    if "resolution" in table.data:  # so that what becomes of it can be told at its line
        table.page.where[f"/layer/{name}/resolution"] = table.line("resolution")
    spec = LayerSpec(
        name,
        number,
        str(values["source"]),
        str(values["world"]),
        str(values["size"]),
        table.pixels("resolution", resolution(size), 16, 4096),
        _filters(table, stock),
        frozen(values),
        table.line(),
    )
    table.done()
    return spec


def _look(table: Table, name: str, stock: Stock, feeds: Sequence[str]) -> dict[str, Value]:
    """How the layer mixes with what is below; only what the table sets."""
    read: dict[str, Value] = {
        "blend": table.one_of("blend", ("normal", *stock.named("blends")), "normal"),
        "mask": table.one_of("mask", ("none", *feeds), "none", never=(f"layer:{name}", "a layer cannot mask itself")),
        "mask_invert": table.flag("mask_invert", False),
        "on": table.flag("on", True),
        "solo": table.flag("solo", False),
        "opacity": table.number("opacity", 1.0, *SHARE),
        "mix": table.number("mix", 1.0, *SHARE),
        "memory": table.number("memory", 0.0, *SHARE),
        "crossfade": table.number("crossfade", 0.0, *CROSSFADE),
        "transition": table.one_of("transition", ("dissolve", *stock.named("transitions")), "dissolve"),
    }
    tails = {key: tail for tail, key in KEYS.items()}
    return {tails.get(key, key): value for key, value in read.items() if key in table.data}


def _source(table: Table, name: str, feeds: Sequence[str]) -> str:
    """The first source, unless the table names another, or a layer. Where there is no source at all that is said."""
    source = table.text("source", feeds[0] if feeds else "")
    if not feeds or feeds[0].startswith("layer:"):
        return source
    if source == f"layer:{name}":
        table.wrong("source", f"the layer looks at itself: {name} → {name}")
    elif source not in feeds:
        table.wrong("source", f"source = {source!r}: there is no such source{nearest(source, feeds)}")
    return source


def _mood(table: Table) -> dict[str, Value]:
    """mood = "dawn", or a table with name, x, y and fade.

    A mood has a place of its own on the pad: beside its name `x` and `y` say nothing. Without a name they are where the
    show opens, and goes back to: then the name is the pad's, and both are given.
    """
    if not isinstance(table.data.get("mood"), Mapping):
        name, place, fade = table.text("mood"), {}, None
    else:
        mood = table.table("mood")
        name = mood.text("name")
        place = {axis: at for axis in "xy" if (at := mood.maybe_number(axis, *SHARE)) is not None}
        fade = mood.maybe_number("fade", *MOOD_FADE)
        mood.done()
    read: dict[str, Value] = {"mood/fade": fade} if fade is not None else {}
    if name.casefold() == PAD or (place and not name):
        return {"mood": PAD, "mood/x": place.get("x", MIDDLE), "mood/y": place.get("y", MIDDLE), **read}
    return {"mood": name, **read} if name else read


def _filters(table: Table, stock: Stock) -> tuple[str, ...]:
    """The chain before the generator, in order: names of patches, each found; "condition" is where the world's goes."""
    out = []
    for name in table.texts("filters"):
        if name.casefold() != "condition" and stock.patch(name, "filters") is None:
            near = stock.elsewhere(name, "filters") or nearest(Path(name).stem, ("condition", *stock.named("filters")))
            table.wrong("filters", f"there is no filter {name!r}{near}")
        out.append(name)
    return tuple(out)


def _refuse_circles(top: Table, layers: Sequence[LayerSpec]) -> None:
    """Layers may look at layers, but not at themselves by way of others."""
    after = {layer.name: layer.source.removeprefix("layer:") for layer in layers if layer.source.startswith("layer:")}
    told: set[str] = set()
    for n, layer in enumerate(layers):
        path = [layer.name]
        while (step := after.get(path[-1])) is not None and step not in path:
            path.append(step)
        if step == layer.name and len(path) > 1 and not told & set(path):
            told |= set(path)
            circle = " → ".join((*path, layer.name))
            top.page.wrong(("layer", n, "source"), f"the layers look at each other in a circle: {circle}")
