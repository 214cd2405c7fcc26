"""Reads the parts of a show that are plugins: sources, sinks and controls."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from perform import plugins
from perform.show.keys import read_part
from perform.show.spec import PartSpec, frozen
from perform.show.stock import Stock
from perform.show.table import Table, meant, nearest
from perform.show.values import NAME, NAME_RULE, scalars

# Branches of the tree and lines of the status that are the program's own: a control's name becomes one of each, too.
OWN = (
    "composite", "cue", "engine", "flashes", "fps", "layer", "list", "master", "panic", "ping", "preset", "refused",
    "restart", "show", "sink", "snapshot", "source", "status", "subscribe", "unsubscribe", "uptime", "version",
    "window", "worlds",
)  # fmt: skip
INPUTS = "is it an input of the patch? set = {{ {} = … }}"
MOST = 256  # sources: each is a worker or a shader of its own


def read_record(top: Table) -> PartSpec | None:
    table = top.table("record", "[record]")
    if "record" not in top.data:
        return None
    part = read_part(table, "sinks", "record", "recorder")
    table.done()
    return part


def read_engine(top: Table) -> PartSpec | None:
    """[engine]: what all worlds run on. None leaves the choice to the program."""
    table = top.table("engine", "[engine]")
    if "engine" not in top.data or (kind := _type(table, "engines")) is None:
        return None
    part = read_part(table, "engines", kind, kind)
    table.done()
    return part


def _named_tables(top: Table, key: str, reserved: Collection[str] = ()) -> list[tuple[str, Table]]:
    """The tables [key.NAME], those with unusable names reported and left out."""
    group = top.table(key, f"[{key}]")
    out = []
    for name, value in group.data.items():
        if not isinstance(value, Mapping):
            head = f"[{key}.NAME], with a name of your own," if name == "type" else f"[{key}.{name}]"
            group.wrong(name, f"write {head} and the keys below it, not {name} = …")
        elif not NAME.fullmatch(name):
            group.wrong(name, f"{name!r} {NAME_RULE}")
        elif name.casefold() in reserved:
            group.wrong(name, f"the name {name!r} is taken: give [{key}.{name}] another")
        else:
            reserved = {*reserved, name.casefold()}  # addresses do not tell Beam from beam
            out.append((name, group.table(name, f"[{key}.{name}]")))
    return out


def read_sources(top: Table, stock: Stock) -> dict[str, PartSpec]:
    tables = _named_tables(top, "source")
    if not top.data.get("source"):
        top.wrong("source", "there is no source; a show needs at least one [source.NAME] table")
    sources: dict[str, PartSpec] = {}
    if len(tables) > MOST:
        tables[MOST][1].wrong("", f"this is source {MOST + 1}; a show has at most {MOST}")
        sources = {name: PartSpec("sources", name, "", line=table.line()) for name, table in tables}  # known, not read
        tables = tables[:MOST]
    known = [*sources] or [name for name, _ in tables]
    for name, table in tables:
        kind = _type(table, "sources")
        others, never = [k for k in known if k != name], (name, "a source cannot fall back on itself")
        fallback = table.one_of("fallback", others, "", "source", never) or None
        values = scalars(table.table("set", f"{table.title} set", "{ speed = 0.5 }"), f"/source/{name}")
        if kind is None:
            sources[name] = PartSpec("sources", name, "", fallback=fallback, line=table.line())
            continue
        part = read_part(table, "sources", name, kind)
        patch = part.keys.get("patch")
        if isinstance(patch, str) and stock.patch(patch, "sources") is None:
            there = stock.elsewhere(patch, "sources") or nearest(Path(patch).stem, stock.named("sources"))
            table.wrong("patch", f"there is no patch {patch!r}{there}")
        sources[name] = PartSpec("sources", name, kind, part.keys, frozen(values), fallback, part.line)
        table.done(INPUTS if kind == "shader" else "")
    _refuse_fallback_circles(top, sources)
    return sources


def check_images(top: Table, sources: Mapping[str, PartSpec], layers: Iterable[str]) -> None:
    """A shader's picture inputs take other sources, or layers."""
    feeds = [*sources, *(f"layer:{name}" for name in layers)]
    for name, source in sources.items():
        images = source.keys.get("images")
        for given in images.values() if isinstance(images, Mapping) else ():
            if given not in feeds:
                text = f"[source.{name}]: images: there is no source {given!r}{nearest(str(given), feeds)}"
                top.page.wrong(("source", name, "images"), text)


def _refuse_fallback_circles(top: Table, sources: Mapping[str, PartSpec]) -> None:
    told: set[str] = set()
    for name in sources:
        path = [name]
        while (after := sources[path[-1]].fallback) and after in sources and after not in path:
            path.append(after)
        if after == name and not told & set(path):
            told |= set(path)
            circle = " → ".join((*path, name))
            top.page.wrong(("source", name, "fallback"), f"[source.{name}]: the fallbacks go in a circle: {circle}")


def _type(table: Table, group: plugins.Group) -> str | None:
    """The type a part names; None (and a complaint) if it names none that there is."""
    names = plugins.names(group)
    all_of_them = f"types are {', '.join(names)}"
    kind = table.text("type")
    if "type" not in table.data:
        table.wrong("", f"the key 'type' is missing; {all_of_them}")
    elif kind not in names and isinstance(table.data["type"], str):
        what = f"there is no such {group[:-1]} type installed"
        table.wrong("type", f"type = {kind!r}: {what}{meant(kind, names).rstrip('?')}; {all_of_them}")
    return kind if kind in names else None


def read_named(top: Table, group: plugins.Group, key: str, reserved: Collection[str] = ()) -> dict[str, PartSpec]:
    """[sink.NAME] or [control.NAME], each with its type; `reserved` names are the show's own."""
    parts = {}
    for name, table in _named_tables(top, key, reserved):
        kind = _type(table, group)
        if (group, kind) == ("sinks", "window"):
            table.wrong("type", "a show has one window, [window]")
        elif kind is not None:
            parts[name] = read_part(table, group, name, kind)
            _note_drive(table, parts[name])
            table.done()
    return parts


def _note_drive(table: Table, part: PartSpec) -> None:
    """Where each address stands that a control drives: whether there is one is known when the show is open."""
    drive = part.keys.get("drive")
    for address in drive if isinstance(drive, Mapping) else ():
        table.page.where[f"{part.group} {part.name} {address}"] = table.page.lines[(*table.at, "drive", address)]


def read_controls(top: Table) -> dict[str, PartSpec]:
    """[osc] and its like (a control's type as the table's name), and [control.NAME] for a second one of a kind."""
    controls = {}
    for kind in plugins.names("controls"):
        if kind in top.data:
            table = top.table(kind, f"[{kind}]")
            controls[kind] = read_part(table, "controls", kind, kind)
            _note_drive(table, controls[kind])
            table.done()
        top.known.append(kind)
    return controls | read_named(top, "controls", "control", (*plugins.names("controls"), *OWN))
