"""perform train PHOTOS: from somebody's pictures to a world that plays, in one command.

    perform train photos/                         # a folder, a zip or a film; ends in models/photos
    perform train holiday.zip --minutes 40 --sizes s,m
    perform train sea.mp4 --watch                 # a show can play it while it learns
    torchrun --nproc-per-node 4 -m perform train photos/

The same command goes on where it was stopped, by whatever. Everything is written to runs/NAME: the pictures, the plan,
a contact sheet that is always the newest. With --world, --steps or --size instead of PHOTOS this is the single stage
of `perform.lab.train`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from perform.parsing import Parser

STAGE = ("--world", "--steps", "--size")  # options of a single stage, none of them the studio's
SIZES = ("s", "m", "l")


def parser() -> argparse.ArgumentParser:
    """The words of `perform train PHOTOS`. Imports nothing heavy: --help answers at once."""
    words = Parser(
        prog="perform train",
        description="Make a world of your own pictures. It stops by itself; stopped before, it goes on.",
        epilog="The stages one by one, for those who want to turn every screw: perform train --world FOLDER --steps N "
        "(docs/train.md). The same command, said again, goes on where it was stopped.",
    )
    words.add_argument("photos", type=Path, metavar="PHOTOS", help="a folder of pictures, a zip of them, or a film")
    words.add_argument("--name", default="", help="of the world (default: the name of PHOTOS)")
    words.add_argument("--out", type=Path, default=Path("models"), metavar="FOLDER", help="where worlds live (models)")
    words.add_argument("--runs", type=Path, default=Path("runs"), metavar="FOLDER", help="where work is kept (runs)")
    time = words.add_mutually_exclusive_group()
    time.add_argument("--hours", type=float, metavar="N", help="how long it may take (2 on a processor)")
    time.add_argument(
        "--minutes", type=float, metavar="N", help="the same in minutes (10 on a datacentre's GPU, 45 on others)"
    )
    words.add_argument("--sizes", type=_sizes, default=SIZES, metavar="s,m,l", help="which sizes to make (s,m,l)")
    words.add_argument(
        "--watch", action="store_true", help="write the world every minute, for a show to play meanwhile"
    )
    words.add_argument(
        "--train-only", action="store_true", help="stop before the world is written; say it again without this for that"
    )
    words.add_argument(
        "--pairs", action="store_true", help="pictures in pairs: input and target side by side, or folders A and B"
    )
    words.add_argument("--author", default="", help="whose pictures they are, for the card")
    words.add_argument("--licence", default="", help="under which the world may be used, for the card")
    words.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"), help="where to compute (auto)")
    words.add_argument(
        "--threads", type=int, default=0, metavar="N", help="processor threads (0: as many as are quickest now)"
    )
    words.add_argument(
        "--cache", type=Path, default=Path("runs/cache"), metavar="FOLDER", help="downloads (runs/cache)"
    )
    return words


def is_stage(argv: Sequence[str]) -> bool:
    """Whether these are the words of a single stage."""
    return any(word.partition("=")[0] in STAGE for word in argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Run it; the exit code: 0 done, 1 stopped by something beyond the command (a full disk, the network), 2 a bad
    command or bad pictures.
    """
    import sys

    words = list(sys.argv[1:] if argv is None else argv)
    if is_stage(words):
        if not words[0].startswith("-"):
            raise ValueError(
                f"{', '.join(STAGE)} are for a single stage, which takes no pictures; with {words[0]} say --sizes, "
                "--hours or --minutes (perform train --help)"
            )
        from perform.lab import train

        train.main(words)
        return 0
    args = parser().parse_args(words)
    minutes = args.hours * 60 if args.hours is not None else args.minutes
    if minutes is not None and not 0 < minutes < 1e6:
        raise ValueError("the time is a number of minutes or hours above 0")
    from perform.lab.studio import atelier, wish

    asked = wish.Wish(
        photos=args.photos,
        name=args.name or wish.name_of(args.photos),
        models=args.out,
        runs=args.runs,
        minutes=minutes,
        sizes=args.sizes,
        how=wish.How(args.watch, args.pairs, args.train_only, args.device, args.threads, args.cache),
        credit=wish.Credit(args.author, args.licence),
    )
    return atelier.open_for(asked)


def _sizes(text: str) -> tuple[str, ...]:
    named = tuple(part.strip() for part in text.split(",") if part.strip())
    if not named or not set(named) <= set(SIZES):
        raise argparse.ArgumentTypeError(f"sizes are some of {','.join(SIZES)}, not {text!r}")
    return tuple(size for size in SIZES if size in named)


if __name__ == "__main__":
    raise SystemExit(main())
