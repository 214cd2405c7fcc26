"""Reads show.toml: the text, the tables of the show as a whole, and the rules that hold between them."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from dataclasses import replace
from pathlib import Path

from perform import paths
from perform.files import stamp
from perform.finding import SUFFIXES, expanded
from perform.hours import DAILY, DAYS, Span
from perform.show.cues import read_cues
from perform.show.keys import read_part
from perform.show.layers import read_layers
from perform.show.lines import Lines
from perform.show.parts import check_images, read_controls, read_engine, read_named, read_record, read_sources
from perform.show.spec import Problem, Show, ShowError, frozen
from perform.show.stock import Stock
from perform.show.table import Page, Table, shown
from perform.show.values import scalars

BACKSLASH = r"a \ begins a sign of its own: write a path as C:/Users/…, or the text in single quotes ('…')"
LARGEST = 1 << 20  # bytes; a show that somebody can read aloud is a few kilobytes
PLAIN = {
    "Invalid value": 'what follows the = is no value: a text is in straight quotes ("like this"), a number has a point '
    "(0.5), a switch is true or false",
    "Expected newline or end of document after a statement": "the line goes on after the value: a number has a point "
    "(0.5), no comma and no unit, and each key has a line of its own",
    "Cannot overwrite a value": "this key is there twice; of cues and layers each is headed [[cue]] or [[layer]]",
    "Invalid hex value": BACKSLASH,
    r"Unescaped '\' in a string": BACKSLASH,
    "Invalid initial character for a key part": "there is a key missing here: a { … } stays on one line, with no comma "
    "at its end; what is longer has a table of its own, such as [cue.set]",
    "Unclosed inline table": "a { … } stays on one line; what is longer has a table of its own, such as [cue.set]",
    "Invalid statement": 'this line begins with no key: an address stands in quotes ("/layer/1/opacity" = 0.5), and a '
    "remark begins with #",
    r"Illegal character '\n'": "a text is begun with a quote and not ended with one",
}
INSETS = ("off", "inset", "side-by-side")


def load(path: Path | str) -> Show:
    """Read a show from a file (or the show.toml of a folder). ShowError has every mistake. Opens no device."""
    path = Path(path)
    if path.is_dir():
        path = path / "show.toml"
    seen = stamp(path)  # before it is read: what is saved meanwhile is to be found
    return replace(parse(_read(path), path), stamp=seen)


def _read(path: Path) -> str:
    def refuse(text: str) -> ShowError:
        return ShowError([Problem(path, 0, text)])

    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise refuse("this is not a file that can be read as a show")
        if found.st_size > LARGEST:
            raise refuse(f"this file has {found.st_size / 1e6:.1f} MB; a show is a text of at most 1 MB")
        if path.suffix in SUFFIXES:
            raise refuse(f'this is a patch; a show plays it in a [source.NAME]: type = "shader", patch = "{path.name}"')
        data = path.read_bytes()
    except FileNotFoundError:
        raise refuse("there is no such file") from None
    except OSError as e:
        raise refuse(f"cannot be read: {e.strerror or e}") from None
    if b"\0" in data:
        raise refuse("this is not a text file; a show is TOML text in UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        line = data.count(b"\n", 0, e.start) + 1
        raise ShowError([Problem(path, line, "this line is not UTF-8; save the show as UTF-8 text")]) from None


def parse(text: str, path: Path) -> Show:
    """A show from its text; `path` is what messages name and where relative paths start."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as e:
        where = re.search(r"\(at line (\d+), column \d+\)", str(e))
        line = int(where.group(1)) if where else max(1, len(text.splitlines()))
        raise ShowError([Problem(path, line, f"this is not TOML: {_plainly(str(e))}")]) from None
    except ValueError:
        raise ShowError([Problem(path, 0, "this is not a show: a number in it has thousands of digits")]) from None
    except RecursionError:
        raise ShowError([Problem(path, 0, "this is not a show: its tables are nested too deeply")]) from None
    if not data:
        raise ShowError([Problem(path, 0, "this show is empty; it needs a [source.NAME] and a [[layer]]")])
    page = Page(path, Lines.of(text))
    show = _read_show(Table(page, (), "show", data), path)
    if page.problems:
        raise ShowError(page.problems, read=True)
    return show


def _plainly(error: str) -> str:
    """What TOML's parser says, as somebody would put it who has never heard of parsers."""
    said = re.sub(r" \(at .*\)$", "", error)
    if twice := re.fullmatch(r"Cannot declare \((.*?),?\) twice", said):
        names = re.findall("'([^']*)'", twice.group(1))
        if names[:2] == ["layer", "filters"]:
            return f"filters is a list already; what {names[-1]!r} is given goes below [layer.filter.{names[-1]}]"
        if names in (["cue"], ["layer"]):
            return f"[{names[0]}] is written as [[{names[0]}]], once for each"
        return f"[{'.'.join(names)}] is there twice"
    return PLAIN.get(said, f"{said[:1].lower()}{said[1:]}")


def _read_show(top: Table, path: Path) -> Show:
    head = top.table("show", "[show]")
    folder = Path(os.path.abspath(path)).parent
    stock = Stock(folder, _folders(head, "patches", folder), _folders(head, "models", folder))
    size = head.pixels("size", (1280, 720), 16, 16384)
    sources = read_sources(top, stock)
    layers = read_layers(top, stock, tuple(sources), size)
    check_images(top, sources, [layer.name for layer in layers])
    window = top.table("window", "[window]")
    record = read_record(top)
    _check_hours(top)
    show = Show(
        path=path,
        folder=paths.desk(path),
        name=head.text("name", "untitled"),
        size=size,
        fps=head.number("fps", 60.0, 1.0, 480.0),
        inset=_read_inset(head),  # type: ignore[arg-type]
        blend_space=head.one_of("blend_space", ("display", "linear"), "display"),  # type: ignore[arg-type]
        gpu_memory=head.number("gpu_memory", 0.7, 0.05, 0.95),
        sources=frozen(sources),
        layers=layers,
        master=frozen(scalars(top.table("master", "[master]"), "/master")),
        window=read_part(window, "sinks", "window", "window"),
        record=record,
        sinks=frozen(read_named(top, "sinks", "sink", ("window", "record"))),
        engine=read_engine(top),
        cues=read_cues(top),
        controls=frozen(read_controls(top)),
        patches=tuple(stock.patches),
        models=tuple(stock.models),
        lines=frozen(top.page.where),
    )
    window.done()
    head.done()
    top.done()
    return show


def _check_hours(top: Table) -> None:
    """[hours]: the process that watches the show keeps them (`perform.hours`), and reads them itself."""
    table, before = top.table("hours", "[hours]"), len(top.page.problems)
    opens = False
    for key in (DAILY, *DAYS):
        try:
            opens |= bool((said := table.text(key)) and Span.read(said))
        except ValueError as e:
            table.wrong(key, f"{key}: {e}")
    if not opens and "hours" in top.data and len(top.page.problems) == before:
        table.wrong("", 'it never opens: write daily = "10:00-18:00" below it, besides the days that differ')
    table.done()


def _folders(head: Table, key: paths.Kind, folder: Path) -> list[Path]:
    """The folders to search, also those that the show names."""
    named = []
    for text in head.texts(key):
        found = folder / expanded(text)
        if not found.is_dir():
            head.wrong(key, f"{key}: there is no folder {text!r}")
        named.append(found)
    return paths.searched(key, folder, named)


def _read_inset(head: Table) -> str:
    value = head.data.get("inset")
    if isinstance(value, bool):
        head.take("inset")
        return "inset" if value else "off"
    if "inset" in head.data and not isinstance(value, str):
        head.take("inset")
        head.wrong("inset", f"inset is true, false or one of {', '.join(INSETS)}, not {shown(value)}")
        return "off"
    return head.one_of("inset", INSETS, "off")
