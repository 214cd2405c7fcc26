"""perform patches: what patches there are, and stills of any."""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

from perform import paths
from perform.cli import Bad
from perform.finding import KINDS, SUFFIXES, patch_file


def patches(args: argparse.Namespace) -> int:
    """List the patches that a show here would find, by kind, with what each says it is."""
    for folder in paths.searched("patches", Path()):
        for kind in KINDS:
            for file in sorted((folder / kind).glob("*")):
                if file.suffix in SUFFIXES:
                    print(f"{kind + '/' + file.name:<28} {_about(file)}")
    return 0


def _about(file: Path) -> str:
    """The first sentence of a patch's DESCRIPTION."""
    header = re.search(r"/\*\s*(\{.*?\})\s*\*/", file.read_text("utf-8", "replace"), re.DOTALL)
    try:
        about = str(json.loads(header.group(1)).get("DESCRIPTION", "")) if header else ""
    except ValueError:
        return "(its header is not JSON)"
    return re.split(r"(?<=[.!?])\s", about, maxsplit=1)[0]


def render(args: argparse.Namespace) -> int:
    """Render each patch (a file, all of a folder, or one by name) to a still; each failure is named by its file; exit
    code 1 if any failed.
    """
    files: list[Path] = []
    for path in args.paths:
        if path.is_dir():
            files += sorted(f for f in path.rglob("*") if f.suffix in SUFFIXES)
        elif path.is_file():
            files.append(path)
        elif (named := patch_file(str(path), paths.searched("patches", Path()))) is not None:
            files.append(named)
        else:
            raise Bad(f"there is no file, folder or patch {str(path)!r}")
    if not files:
        raise Bad(f"there are no patches ({', '.join(SUFFIXES)}) in {', '.join(map(str, args.paths))}")
    from perform.gl.context import GLUnavailable
    from perform.gl.isf.stills import render as to_stills

    try:
        failures = to_stills(files, args.to, args.size, args.time)
    except GLUnavailable as e:
        raise Bad(str(e)) from None
    except OSError as e:
        raise Bad(f"{str(args.to)!r} cannot be written to: {e.strerror or e}") from None
    for file, reason in failures.items():
        print(f"{file}: {reason}", file=sys.stderr)
    print(f"{len(files) - len(failures)} of {len(files)} patches rendered to {args.to}")
    return 1 if failures else 0
