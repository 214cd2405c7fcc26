"""The verbs. This file knows only their words; what a verb needs is imported when it is said.

`perform --help` answers in under 0.3 s, so nothing heavy may be imported here.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from perform import __version__
from perform.parsing import Parser

# verb -> (the module that does it, one line); the lab's verbs take their own arguments.
LAB = {
    "train": "make a world of your own pictures: a folder, a zip or a film",
    "world": "collect the pictures of one of the lab's own worlds, with their licences",
    "distil": "teach small, live networks what a trained one knows",
    "slim": "cut a trained network's channels to a measured latency",
    "search": "choose widths by a measured latency, from one network that holds them all",
    "average": "the mean of several states of one network, often more real than any of them",
    "ablate": "train variants with one thing left out each, to see what it is worth",
    "quantise": "make the int8 form, the fastest on processors",
    "export": "write a trained world to play: safetensors, ONNX and the card",
    "import": "make a world of a network that others have trained",
    "evaluate": "measure what was lost",
    "report": "write it all down",
}


class Bad(Exception):
    """Something asked for that cannot be done; one sentence. Exit code 2."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit code. Console script."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        if words and words[0] in LAB and lab_module(words[0]) is not None:
            return _lab(words[0], words[1:])
        if words[:1] == ["bench"]:
            return _bench(words[1:])
        args, left = _parser().parse_known_args(words)
        if left:
            name = next(word for word in words if not word.startswith("-"))
            raise Bad(f"'perform {name}' takes no {left[0]!r}; what it takes: perform {name} --help")
        verb = importlib.import_module(f"perform.cli.{args.module}")
        code: int = getattr(verb, args.verb)(args)
        sys.stdout.flush()
        return code
    except Bad as e:
        print(f"perform: {e}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `perform params | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0


def lab_module(verb: str) -> str | None:
    """The module behind a verb of the lab, if this version has it. Imports nothing."""
    module = {"train": "studio", "world": "worlds", "import": "importers"}.get(verb, verb)
    lab = Path(__file__).parents[1] / "lab"
    there = (lab / f"{module}.py").is_file() or (lab / module / "__init__.py").is_file()
    return f"perform.lab.{module}" if there else None


def _lab(verb: str, words: Sequence[str]) -> int:
    module = lab_module(verb)
    assert module is not None
    try:
        lab = importlib.import_module(module)
    except ModuleNotFoundError as e:
        raise Bad(f"'perform {verb}' needs {e.name}: pip install 'perform[lab]'") from None
    sys.argv[0] = f"perform {verb}"
    try:
        return int(lab.main(list(words)) or 0)
    except ModuleNotFoundError as e:
        raise Bad(f"'perform {verb}' needs {e.name}: pip install 'perform[lab]'") from None
    except ValueError as e:
        raise Bad(str(e)) from e
    except FileNotFoundError as e:
        what = f"there is no file {e.filename}" if e.filename else str(e)  # safetensors names it in its own words
        raise Bad(what) from e
    except OSError as e:
        where = f"{e.filename}: " if e.filename else ""
        print(f"perform: {where}{e.strerror or e}", file=sys.stderr)
        return 1


def _bench(words: Sequence[str]) -> int:
    """Run bench/show.py of a checkout in this process, with its own arguments."""
    import runpy

    script = Path(__file__).parents[2] / "bench" / "show.py"
    if not script.is_file():
        raise Bad("the benches are in the source checkout only, as bench/show.py")
    sys.argv = ["perform bench", *words]
    runpy.run_path(str(script), {"PROG": sys.argv[0]}, run_name="__main__")
    return 0


def _parser() -> argparse.ArgumentParser:
    lab = "".join(f"\n  {verb:<9} {what}" for verb, what in LAB.items() if lab_module(verb))
    parser = Parser(
        prog="perform",
        description="Live neural visuals: camera, video and shader pictures, dreamt by small networks, played by OSC.",
        epilog=f"the lab (perform VERB --help):{lab}" if lab else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.also = LAB
    parser.add_argument("--version", action="version", version=f"perform {__version__}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    _add_run(verbs)
    check = _verb(verbs, "check", "check", "is this show all right? lists every mistake, with its line")
    _show(check)
    params = _verb(verbs, "params", "check", "every address of a show, with its type, range and default")
    _show(params)
    form = params.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="as JSON, with the present values")
    form.add_argument("--markdown", action="store_true", help="as docs/addresses.md has it")
    models = _verb(verbs, "models", "models", "the worlds that are here, their sizes and moods")
    models.add_argument("--models", metavar="FOLDER", action="append", default=[], help="look here too")
    _add_patches(verbs)
    build = _verb(verbs, "build", "build", "make the engines that a show needs, before the doors open")
    _show(build)
    targets = ("auto", "cuda", "openvino", "rtx", "tensorrt")  # as perform.engines.targets has them, which is heavy
    build.add_argument("--target", choices=targets, default="auto", metavar="FOR", help=", ".join(targets))
    _verb(verbs, "bench", "", "how fast is the show on this machine? prints the table")
    return parser


def _verb(verbs: Any, name: str, module: str, what: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=what, description=what)
    parser.set_defaults(module=module, verb=name)
    return parser


def _show(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("show", nargs="?", default=None, metavar="show.toml", help="default: show.toml here")


def pixels(text: str) -> tuple[int, int]:
    """A size on a command line, for argparse's `type`."""
    width, x, height = text.lower().replace("×", "x").partition("x")
    if not (x and width.isdigit() and height.isdigit()):
        raise argparse.ArgumentTypeError(f"a size is written like 1280x720, not {text!r}")
    if not all(16 <= int(side) <= 16384 for side in (width, height)):
        raise argparse.ArgumentTypeError(f"each side has 16 to 16384 pixels, not {text}")
    return int(width), int(height)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.0 < seconds < 1e9:
        raise argparse.ArgumentTypeError(f"seconds are a number above 0, not {text!r}")
    return seconds


def _film(text: str) -> Path:
    if Path(text).suffix.lower() not in (".mp4", ".mov", ".mkv", ".m4v"):  # as in perform.sinks.film, which is heavy
        raise argparse.ArgumentTypeError(f"a film ends in .mp4, .mov or .mkv, not {text!r}")
    return Path(text)


def _add_run(verbs: Any) -> None:
    run = _verb(verbs, "run", "run", "play a show")
    _show(run)
    run.add_argument("--headless", action="store_true", help="without a window")
    run.add_argument("--fixed", action="store_true", help="frame by frame, as slow as it takes: the same film twice")
    run.add_argument("--seconds", type=_seconds, metavar="N", help="stop after N seconds of show time")
    run.add_argument("--record", type=_film, metavar="FILE", help="write a film (.mp4, .mov, .mkv)")
    run.add_argument("--still", type=Path, metavar="FILE", help="leave the last picture (.png)")
    run.add_argument("--size", type=pixels, metavar="WxH", help="instead of the show's own size")
    run.add_argument(
        "--supervise",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="start the show again when no pictures come any more (default: unless --fixed or --seconds)",
    )
    run.add_argument(
        "--hours", metavar="10:00-18:00", help="opening hours, in place of the show's; implies --supervise"
    )
    run.add_argument("--no-gpu", action="store_true", help="play the worlds on the CPU")
    levels = ("debug", "info", "warning", "error")
    run.add_argument("--log", choices=levels, default="info", metavar="LEVEL", help=", ".join(levels))
    for name in ("--child", "--resume"):
        run.add_argument(name, action="store_true", help=argparse.SUPPRESS)
    run.add_argument("--snapshot", type=Path, help=argparse.SUPPRESS)


def _add_patches(verbs: Any) -> None:
    patches = _verb(verbs, "patches", "patches", "the patches that are here; render any to stills")
    deeds = patches.add_subparsers(metavar="DEED")
    render = deeds.add_parser("render", help="render patches (files, folders or names, ISF or Shadertoy) to stills")
    render.set_defaults(verb="render")
    render.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    render.add_argument("--to", type=Path, required=True, metavar="DIR", help="where the stills go")
    render.add_argument("--size", type=pixels, default=(640, 360), metavar="WxH", help="of each still (640x360)")
    render.add_argument("--time", type=_seconds, default=4.0, metavar="SECONDS", help="show time of the still (4)")
