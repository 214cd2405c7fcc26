"""Write it all down: one page that needs nothing else, and docs/compression.md with its charts.

    perform report                                     # from the records in docs/compression
    perform report runs/evaluation/*.json              # from new records, which are kept there from then on

The words are in docs/compression/words.toml, the numbers in docs/compression/WORLD.json, contact sheets beside them
(`perform evaluate --sheets docs/compression`). Everything else is drawn from those.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from perform.lab import run
from perform.lab.evaluate import record
from perform.lab.report import content, markdown, page, words
from perform.lab.report.blocks import Chart
from perform.parsing import Parser

FIRST = ("landscape", "ocean", "cosmos", "agate")  # in this order, then any others


def read(paths: Iterable[Path]) -> dict[str, dict[str, Any]]:
    """Records by world, as they are kept. Raises ValueError, one sentence, for a file that is none."""
    found = [record.rounded(record.load(path)) for path in paths]
    return {str(one["world"]): one for one in found}


def gather(given: Mapping[str, dict[str, Any]], folder: Path) -> dict[str, dict[str, Any]]:
    """Records by world: those given instead of those in `folder`, which is only read."""
    stored = (path for path in sorted(folder.glob("*.json")) if path.stem not in given)
    records = {**read(stored), **given}
    if not records:
        raise ValueError(f"there is no record in {folder}; `perform evaluate` makes one")
    order = {name: index for index, name in enumerate(FIRST)}
    return {name: records[name] for name in sorted(records, key=lambda name: (order.get(name, len(order)), name))}


def write(
    records: Mapping[str, dict[str, Any]], folder: Path, out: Path, html: Path, given: Mapping[str, Any] | None = None
) -> list[Path]:
    """Write charts, Markdown and the page; returns the files. The `given` records are kept in `folder` from then on:
    not before it is known that the report can be made. Charts of earlier reports that are gone are removed.
    """
    found = list(content.blocks(records, words.read(folder / "words.toml", records), folder))
    charts = {folder / f"{block.name}.svg": block.svg for block in found if isinstance(block, Chart)}
    files = charts | {out: markdown.write(found, folder.name), html: page.write(found)}
    for name, fresh in (given or {}).items():
        record.save(folder / f"{name}.json", fresh)
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        run.write(path, lambda partial, text=text: partial.write_text(text, encoding="utf-8"))  # type: ignore[misc]
    for old in set(folder.glob("*.svg")) - set(charts):
        if 'class="chart"' in old.read_text(encoding="utf-8", errors="replace")[:200]:  # not somebody's drawing
            old.unlink()
    return list(files)


def main(argv: Sequence[str] | None = None) -> None:
    """`perform report`. Ends with one sentence and code 2 for what cannot be done."""
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("records", nargs="*", type=Path, help="new records of `perform evaluate`")
    parser.add_argument("--folder", type=Path, default=Path("docs/compression"), help="records, words, sheets, charts")
    parser.add_argument("--out", type=Path, help="the Markdown file (docs/compression.md)")
    parser.add_argument("--page", type=Path, help="the page (docs/compression.html)")
    args = parser.parse_args(sys.argv[1:] if argv is None else argv)
    out = args.out or args.folder.with_suffix(".md")
    html = args.page or args.folder.with_suffix(".html")
    try:
        given = read(args.records)
        files = write(gather(given, args.folder), args.folder, out, html, given)
    except ValueError as e:
        parser.exit(2, f"perform report: {e}\n")
    print(*files, sep="\n")
