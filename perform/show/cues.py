"""Reads the [[cue]] tables of a show."""

from __future__ import annotations

from perform.params import EASINGS
from perform.show.spec import CueSpec, frozen
from perform.show.table import Table
from perform.show.values import NAME, NAME_RULE, scalars

DAY = 86400.0  # seconds
LIKE = '{ "/layer/1/opacity" = 0.5 }'  # what a cue may set
MOST = 1000  # cues: each has an address of its own


def read_cues(top: Table) -> tuple[CueSpec, ...]:
    """All cues, in the order in which `/cue/go` fires them. Whether their addresses exist is asked later."""
    cues: list[CueSpec] = []
    tables = top.tables("cue")
    if len(tables) > MOST:
        tables[MOST].wrong("", f"this is cue {MOST + 1}; a show has at most {MOST}")
    for n, table in enumerate(tables[:MOST], 1):
        name = _name(table, n, [c.name for c in cues])
        values = scalars(table.table("set", f"cue {name!r} set", LIKE), f"cue {name} ")
        cues.append(
            CueSpec(
                name,
                frozen({f"/{tail}": value for tail, value in values.items()}),
                fade=table.number("fade", 0.0, 0.0, DAY),
                easing=table.one_of("easing", EASINGS, "smooth"),
                at=table.maybe_number("at", 0.0),
                follow=table.maybe_number("follow", 0.0, DAY),
                line=table.line(),
            )
        )
        table.done()
    return tuple(cues)


def _name(table: Table, number: int, before: list[str]) -> str:
    name = table.text("name")
    table.title = f"cue {name!r}" if name else f"cue {number}"
    if not name:
        table.wrong("name", "the key 'name' is missing")
    elif not NAME.fullmatch(name):
        table.wrong("name", f"{name!r} {NAME_RULE}")
    elif name.casefold() in ("go", "back"):
        table.wrong("name", f"a cue cannot be called {name!r}: /cue/{name} fires the next or the last one")
    elif name.casefold() in (other.casefold() for other in before):
        table.wrong("name", f"there is another cue of the name {name!r}")
    return name
