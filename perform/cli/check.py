"""perform check and perform params: a show, opened without a screen and without its devices' ports."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from perform.cli import Bad
from perform.cli.build import many
from perform.cli.run import find_show, load_show, said

if TYPE_CHECKING:
    from perform.param import Param
    from perform.performance import Performance
    from perform.show import Show


@contextmanager
def opened(show: Show) -> Iterator[Performance]:
    """The show as it is just before its first frame: all addresses declared, no port, no film, nothing drawn."""
    from perform.clock import ManualClock
    from perform.gl.context import GLUnavailable
    from perform.performance import Wishes, open_performance

    logging.getLogger("perform").addHandler(logging.NullHandler())  # what is wrong is listed, not logged as well
    try:
        play = open_performance(show, ManualClock(), Wishes(headless=True, dry=True))
    except GLUnavailable as e:
        raise Bad(str(e)) from None
    with play:
        play.params.settle(0.0)  # the values that the show sets
        yield play


def check(args: argparse.Namespace) -> int:
    """Say that the show is all right, or everything that is not (exit code 2), in the order of the file. What is only
    pointed out comes first, and does not count as wrong.
    """
    from perform.cli.parts import absent, complaints, crowded, idle, undriven, unseen
    from perform.cli.worlds import rounded, unplayable
    from perform.show import ShowError, load, miscalled, misfits

    try:
        show = load(find_show(args))
    except ShowError as e:
        later = "\naddresses and worlds are checked once this is mended" if e.read else ""
        raise Bad(said(e.problems) + later) from None
    with complaints() as heard, opened(show) as play:
        told = misfits(show, play.params, play.strangers)
        problems = [p for p in told if p.hint or not (heard and p.light)]  # inputs of a patch that is wrong
        problems += [*miscalled(show, play.params), *unplayable(show, problems)]
        problems += [*absent(show), *unseen(show), *crowded(show), *idle(show), *rounded(show)]
        problems += undriven(show, play.params, play.strangers)
        count = sum(1 for _ in play.params)
    problems.sort(key=lambda p: (p.path != show.path, str(p.path), p.line))  # each asked at all of the show
    for problem in problems:
        if problem.hint:
            print(problem, file=sys.stderr)
    if heard or not all(problem.hint for problem in problems):
        raise Bad(said([*heard, *(p for p in problems if not p.hint)]))
    layers, cues = many(len(show.layers), "layer"), many(len(show.cues), "cue")
    print(f"{show.path}: {show.name!r} is all right: {layers}, {cues}, {count} addresses")
    return 0


def params(args: argparse.Namespace) -> int:
    """Print the tree of a show as a table, as JSON or as Markdown."""
    show = load_show(args)
    with opened(show) as play:
        tree = sorted(play.params, key=lambda p: p.address)
        if args.json:
            print(json.dumps({p.address: _record(p) for p in tree}, indent=1, ensure_ascii=False))
        elif args.markdown:
            print("\n".join(_markdown(tree)))
        else:
            width = max(len(p.address) for p in tree)
            for p in tree:
                print(f"{p.address:<{width}}  {p.spec.kind:<7}  {_range(p):<24}  {p.spec.doc}".rstrip())
    return 0


def _record(param: Param) -> dict[str, Any]:
    spec = param.spec
    about = {
        "type": spec.kind,
        "default": spec.default if spec.kind != "trigger" else None,
        "value": param.base if spec.kind != "trigger" else None,
        "low": spec.lo,
        "high": spec.hi,
        "curve": spec.curve if spec.curve != "linear" else None,
        "unit": spec.unit or None,
        "choices": list(spec.names) or None,
        "readonly": spec.readonly or None,
        "doc": spec.doc,
    }
    return {key: value for key, value in about.items() if value is not None}


def _range(param: Param) -> str:
    """Range, choices and default in a few words."""
    spec = param.spec
    if spec.readonly:
        return "read only"
    if spec.kind == "trigger":
        return ""
    if spec.kind == "choice":
        return f"{', '.join(spec.names)} ({spec.default})"
    if spec.kind == "color":
        return f"({', '.join(f'{v:g}' for v in spec.default)})"  # type: ignore[union-attr]
    if spec.kind == "bool":
        return f"({str(spec.default).lower()})"
    if spec.kind == "text":
        return f"({spec.default!r})"
    lo = "" if spec.lo is None else f"{spec.lo:g}"
    hi = "" if spec.hi is None else f"{spec.hi:g}"
    span = f"{lo}…{hi}" if lo or hi else "any"
    return f"{span}{' ' + spec.unit if spec.unit else ''} ({spec.default:g})"


def _markdown(tree: list[Param]) -> Iterator[str]:
    """docs/addresses.md."""
    yield "# Addresses"
    yield ""
    yield "Made by `perform params show.toml --markdown`: every address of the first show. A layer answers to its name"
    yield "and to its number (`/layer/dream/opacity`, `/layer/1/opacity`); case is forgiven; patterns match"
    yield "(`/layer/*/opacity`). A float takes seconds as a second argument; no argument asks, or fires a trigger."
    yield "Defaults in brackets: what is there without the key, not what this show opens with; `--json` has both."
    groups: dict[str, list[Param]] = {}
    for param in tree:
        parts = param.address.split("/")
        head = "/".join(parts[:3]) if parts[1] in ("layer", "source") else f"/{parts[1]}"
        groups.setdefault(head, []).append(param)
    for head, members in groups.items():
        yield from ("", f"## {head}", "", "| address | type | range (default) | |", "|---|---|---|---|")
        for p in members:
            yield f"| `{p.address}` | {p.spec.kind} | {_range(p)} | {p.spec.doc} |".replace("  ", " ")
