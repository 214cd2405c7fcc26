"""What a person sees while a world learns: a live panel in a terminal, plain lines anywhere else, nothing on ranks
that are not the first.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TextIO

BARS = "▁▂▃▄▅▆▇█"
EVERY = 20.0  # seconds between plain lines


@dataclass(frozen=True)
class News:
    """How a stage stands. `left`: seconds to the end of everything; `words`: its numbers as a person would say them;
    `scores`: how far from the photographs it was at each contact sheet, lower is better.
    """

    stage: str
    done: int
    steps: int
    left: float
    rate: float  # pictures a second
    words: Sequence[str] = ()
    scores: Sequence[float] = ()


class Display(Protocol):
    """Where the studio speaks. What cannot be written there (a log on a full disk) is lost and ends no training."""

    def say(self, sentence: str) -> None:
        """Something to be read once."""

    def show(self, news: News) -> None:
        """How it stands now."""

    def close(self) -> None: ...


class Silent:
    """Says nothing: the ranks beside the first."""

    def say(self, sentence: str) -> None: ...

    def show(self, news: News) -> None: ...

    def close(self) -> None: ...


@dataclass
class Lines:
    """One line now and then, for logs and pipes."""

    out: TextIO
    clock: Callable[[], float] = time.monotonic
    every: float = EVERY
    _last: tuple[str, float] = ("", float("-inf"))

    def say(self, sentence: str) -> None:
        with contextlib.suppress(OSError):
            print(sentence, file=self.out, flush=True)

    def show(self, news: News) -> None:
        stage, then = self._last
        now = self.clock()
        if stage == news.stage and now - then < self.every and news.done < news.steps:
            return
        self._last = (news.stage, now)
        parts = [f"{news.stage} {news.done}/{news.steps}", f"{left(news.left)} left", f"{news.rate:.1f} pictures/s"]
        self.say(", ".join([*parts, *news.words]))

    def close(self) -> None: ...


@dataclass
class Panel:
    """A live panel by rich: bar, time left, numbers in words, a line of scores; what is said scrolls above it."""

    console: Any
    name: str
    _live: Any = field(default=None)

    def say(self, sentence: str) -> None:
        with contextlib.suppress(OSError):
            self.console.print(sentence, highlight=False, markup=False)

    def show(self, news: News) -> None:
        from rich.live import Live

        with contextlib.suppress(OSError):
            if self._live is None:
                self._live = Live(console=self.console, refresh_per_second=4, transient=True)
                self._live.start()
            self._live.update(self._drawn(news))

    def _drawn(self, news: News) -> Any:
        from rich import box
        from rich.console import Group
        from rich.panel import Panel as Frame
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        top = Table.grid(padding=(0, 2), expand=True)
        top.add_column(no_wrap=True)
        top.add_column(ratio=1)
        top.add_column(no_wrap=True, justify="right")
        bar = ProgressBar(news.steps, news.done, complete_style="cyan", finished_style="cyan")
        top.add_row(Text(news.stage, style="bold"), bar, f"{left(news.left)} left")
        lines = [Text(f"step {news.done:,} of {news.steps:,}   {news.rate:.1f} pictures/s", style="dim")]
        lines += [Text("   ".join(news.words))] if news.words else []
        scores = [score for score in news.scores if math.isfinite(score)]  # else no bar could be drawn
        if len(scores) > 1:
            told = f"   distance from your pictures {scores[-1]:.2f}, best {min(scores):.2f}"
            lines.append(Text(sparkline(scores), style="cyan") + Text(told, style="dim"))
        return Frame(Group(top, *lines), title=self.name, title_align="left", box=box.ROUNDED, border_style="dim")

    def close(self) -> None:
        if self._live is not None:
            with contextlib.suppress(OSError):
                self._live.stop()
            self._live = None


def pick(out: TextIO, name: str) -> Display:
    """A panel if `out` is a terminal and rich is there, lines otherwise."""
    if not out.isatty():
        return Lines(out)
    try:
        from rich.console import Console
    except ModuleNotFoundError:
        return Lines(out, every=5.0)
    return Panel(Console(file=out), name)


def left(seconds: float) -> str:
    """A duration as one says it: "1 h 20 min", "4 min", "30 s"."""
    if seconds >= 5400:
        return f"{int(seconds) // 3600} h {int(seconds) % 3600 // 60:02d} min"
    if seconds >= 90:
        return f"{round(seconds / 60)} min"
    return f"{max(0, round(seconds))} s"


def sparkline(numbers: Sequence[float], most: int = 40) -> str:
    """The newest numbers, all of them finite, as little bars, the largest highest."""
    shown = list(numbers)[-most:]
    low, high = min(shown), max(shown)
    return "".join(BARS[round((n - low) / (high - low or 1.0) * (len(BARS) - 1))] for n in shown)
