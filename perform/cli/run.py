"""perform run: the parent that watches, or the show itself."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perform import supervisor
from perform.cli import Bad
from perform.hours import FileHours, Hours

if TYPE_CHECKING:
    from perform.performance import Performance
    from perform.show import Show

log = logging.getLogger("perform")


def run(args: argparse.Namespace) -> int:
    """Play a show; returns the exit code (0 quit, 1 failed, 2 a bad show, 3 no screen, 4 only a new
    process can go on)."""
    logging.basicConfig(level=args.log.upper(), format="%(asctime)s %(message)s", datefmt="%H:%M:%S", stream=sys.stderr)
    if args.child:
        return _play(args, supervisor.Beats.take_stdout())
    offline = args.fixed or args.seconds is not None
    wanted = args.supervise if args.supervise is not None else bool(args.hours) or not offline
    if args.hours and not wanted:
        raise Bad("opening hours need the supervisor: leave out --no-supervise")
    return _supervise(args) if wanted else _play(args, None)


def find_show(args: argparse.Namespace) -> Path:
    """The show that is meant: the one named, show.toml here, or the one that comes with the program."""
    from perform import paths

    if args.show is not None:
        return Path(args.show)
    here = Path("show.toml")
    return here if here.is_file() else paths.share() / "show.toml"


def load_show(args: argparse.Namespace) -> Show:
    """Read the show; Bad with every mistake in it."""
    from perform.show import ShowError, load

    try:
        return load(find_show(args))
    except ShowError as e:
        raise Bad(said(e.problems)) from None


def said(problems: Any) -> str:
    """Mistakes as one text, the first on the line of the program's name."""
    problems = list(problems)
    if len(problems) == 1:
        return str(problems[0])
    return f"this show has {len(problems)} mistakes:\n" + "\n".join(map(str, problems))


# ---------------------------------------------------------------- the parent
def _supervise(args: argparse.Namespace) -> int:
    from perform.cli.memory import memory_of

    show, memory = find_show(args), memory_of(find_show(args))
    hours = _hours(args, show / "show.toml" if show.is_dir() else show)
    words = _words(args, show)

    def spawn(resume: bool) -> supervisor.Process:
        if not resume:  # else one that dies before it writes would be resumed with an earlier evening's values
            memory.forget()
        return supervisor.Process(supervisor.command(words, memory.path, resume, parent.cards))

    parent = supervisor.Supervisor(spawn, hours=hours)
    _on_signals(parent.stop)
    return parent.run()


def _hours(args: argparse.Namespace, show: Path) -> Callable[[], Hours | None]:
    """The hours of the command line, or those of the show's file, as it is at any time."""
    if not args.hours:
        return FileHours(show)
    try:
        hours = Hours.parse(args.hours)
    except ValueError as e:
        raise Bad(str(e)) from None
    return lambda: hours


def _words(args: argparse.Namespace, show: Path) -> list[str]:
    """The arguments that a child gets."""
    words = [str(show), "--log", args.log]
    words += [f"--{name}" for name in ("headless", "fixed") if getattr(args, name)]
    words += ["--no-gpu"] if args.no_gpu else []
    for name in ("seconds", "record", "still"):
        if getattr(args, name) is not None:
            words += [f"--{name}", str(getattr(args, name))]
    return words + (["--size", "{}x{}".format(*args.size)] if args.size else [])


def _on_signals(stop: Callable[[], None]) -> None:
    """Ctrl-C and SIGTERM are a clean end."""
    if threading.current_thread() is threading.main_thread():
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, lambda number, frame: stop())


# ---------------------------------------------------------------- the show itself
def _play(args: argparse.Namespace, beats: supervisor.Beats | None) -> int:
    show = load_show(args)
    log.info("playing %s: %s", show.path, show.name)
    if args.size:
        from perform.show import resized

        show = resized(show, args.size)
    from perform.clock import FixedClock, LiveClock
    from perform.gl.context import GLUnavailable
    from perform.performance import Wishes, open_performance

    memory = _memory(args)
    wishes = Wishes(
        headless=args.headless,
        gpu=not args.no_gpu,
        edits=not args.fixed,
        record=args.record.absolute() if args.record else None,
        on_beat=beats.on_beat if beats else None,
        resume=memory.values() if memory is not None and args.resume else {},
        stood=memory.stood() if memory is not None and args.resume else {},
    )
    clock = FixedClock(show.fps) if args.fixed else LiveClock()
    try:
        play = open_performance(show, clock, wishes)
    except GLUnavailable as e:
        if args.headless:
            raise Bad(str(e)) from None
        print(f"perform: there is no screen to play on ({e}); --headless plays without one", file=sys.stderr)
        return supervisor.NO_SCREEN
    with play:
        check(show, play)
        _on_signals(lambda: setattr(play, "quit", True))
        if beats is not None:
            play.before.append(lambda now: setattr(play, "quit", play.quit or beats.orphaned))
        if memory is not None:
            play.closing.append(memory.keep(play.params, stood=play.cues.stood if play.cues else dict).close)
        play.run(args.seconds)
        if args.still is not None:
            still(play, args.still)
        if play.health.restart:
            log.error("this process cannot go on: %s", play.health.restart)
            return supervisor.AGAIN
        if beats is not None:
            beats.say_goodbye()
    return supervisor.QUIT if args.record is None or beats is not None or _recorded(play) else supervisor.FAILED


def _recorded(play: Performance) -> bool:
    """Whether the film that was asked for is whole: `&&` on a command line counts on it. After the show is closed."""
    from perform.sinks.recorder import Recorder

    output = play.outputs.get("record")
    return output is not None and isinstance(output.sink, Recorder) and not output.sink.broken


def _memory(args: argparse.Namespace) -> Any:
    from perform.cli.memory import Memory

    return Memory(args.snapshot) if args.snapshot is not None else None


def check(show: Show, play: Performance) -> None:
    """Hold the show against the opened tree; Bad with every address that is not there. What it can play without is
    a line in the log.
    """
    from perform.show import misfits

    play.params.settle(play.clock.now())  # which worlds there are decides which moods there are
    problems = misfits(show, play.params)
    if wrong := [problem for problem in problems if not problem.light]:
        raise Bad(said(wrong))
    for problem in problems:
        log.warning("%s", problem)


def still(play: Performance, path: Path) -> None:
    """Write the picture that is on show now. Render thread."""
    from PIL import Image

    from perform.gl.transfer import read

    if play.picture is None:
        raise Bad("there was no picture to keep")
    pixels = read(play.picture.texture)[::-1, :, :3]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.copy()).save(path)
    except (OSError, ValueError) as e:
        raise Bad(f"the still {str(path)!r} cannot be written: {e}") from None
    log.info("still: %s", path)
