"""Runs the cases in another process: a case that crashes, hangs or poisons CUDA costs itself and nothing else.

The child takes the cases in order and tells on its standard output, a line each, what it began, found and finished.
If it falls silent for longer than a case may take, or dies, the case in hand is written off with the reason, and a new
child goes on behind it. What comes after the deadline is not begun.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from bench.gpu.plan import Case

MARK = "@@bench "
SILENCE, GONE = "", "gone"
GRACE = 3.0  # a case may take so many times what it was thought to take
START = 60.0  # and so many seconds more: a child has to load its libraries first
PATIENCE = 5.0  # seconds for a child to end by itself
TICK = 1.0  # seconds between looks at a child that says nothing
LAST = 30.0  # seconds beyond the deadline that a case in hand may take


@dataclass(slots=True)
class Found:
    """What came of it: rows as the cases told them, and what was not begun."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    about: dict[str, Any] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Conductor:
    """Runs `command` (which must understand cases as JSON on its standard input) until all cases are done.

    `each` is called after every row: the place to save what there is so far.
    """

    command: Sequence[str]
    deadline: float  # time.monotonic()
    each: Callable[[Found], None] = lambda found: None
    say: Callable[[str], None] = print
    found: Found = field(default_factory=Found)

    def run(self, cases: Sequence[Case], settings: dict[str, Any]) -> Found:
        """All of them, in order."""
        left = list(cases)
        while left:
            left = self._skip(left)
            if not left:
                break
            left = self._child(left, settings)
        return self.found

    def _skip(self, left: list[Case]) -> list[Case]:
        """Without those for which there is no time; the others keep their order."""
        room = self.deadline - time.monotonic()
        for case in [case for case in left if case.seconds > room]:
            left.remove(case)
            self.found.skipped.append(case.name)
        return left

    def _child(self, left: list[Case], settings: dict[str, Any]) -> list[Case]:
        """One child's life; returns what is left to do."""
        process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=_listen, args=(process, lines), daemon=True).start()
        assert process.stdin is not None
        task = {"cases": [case.told() for case in left], "room": self.deadline - time.monotonic(), **settings}
        try:
            process.stdin.write(json.dumps(task))
            process.stdin.close()
        except OSError:
            pass  # it died at once: seen below
        try:
            return self._follow(process, lines, left)
        finally:
            _end(process)

    def _follow(self, process: subprocess.Popen[str], lines: queue.Queue[str], left: list[Case]) -> list[Case]:
        done: set[str] = set()
        current: Case | None = None
        heard = time.monotonic()
        while True:
            case = current or next((case for case in left if case.name not in done), left[0])
            line = _next(process, lines)
            if line == SILENCE:
                wait = min(START + GRACE * case.seconds, max(LAST, self.deadline + LAST - heard))
                if time.monotonic() - heard > wait:
                    self._write_off(case, f"no answer for {wait:.0f} s")
                    done.add(case.name)
                    break
                continue
            heard = time.monotonic()
            if line == GONE:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=PATIENCE)
                if current is not None or not done:
                    self._write_off(case, f"its process ended with code {process.poll()}")
                    done.add(case.name)
                break
            event = json.loads(line)
            current = self._take(event, left, done, current)
            if event["event"] == "end":
                return []
            if event["event"] == "leave":
                break
        return [case for case in left if case.name not in done]

    def _take(self, event: dict[str, Any], left: list[Case], done: set[str], current: Case | None) -> Case | None:
        kind = event["event"]
        if kind == "begin":
            return next(case for case in left if case.name == event["case"])
        if kind == "about":
            self.found.about |= event["about"]
        elif kind == "row":
            self._row(event["row"])
        elif kind == "skip":
            done.add(event["case"])
            self.found.skipped.append(event["case"])
        elif kind == "done":
            done.add(event["case"])
            return None
        return current

    def _row(self, row: dict[str, Any]) -> None:
        self.found.rows.append(row)
        self.each(self.found)

    def _write_off(self, case: Case, why: str) -> None:
        self._row({"case": case.name, "group": case.group, **case.what, "error": why})
        self.say(f"{case.name}: {why}")


def _listen(process: subprocess.Popen[str], lines: queue.Queue[str]) -> None:
    """What the child says, until it ends; what libraries print is passed on."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(MARK):
            lines.put(line[len(MARK) :])
        else:
            sys.stderr.write(line)
    lines.put(GONE)


def _next(process: subprocess.Popen[str], lines: queue.Queue[str]) -> str:
    """The child's next line; SILENCE if it says nothing, GONE once it has ended and everything was read.

    Its end is not seen by the end of its output alone: compilers that it started may hold that open.
    """
    try:
        return lines.get(timeout=TICK)
    except queue.Empty:
        return GONE if process.poll() is not None and lines.empty() else SILENCE


def _end(process: subprocess.Popen[str]) -> None:
    """End the child and what it started (compilers): they are a group of their own."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=PATIENCE)
    with suppress(ProcessLookupError, PermissionError):  # nobody is left
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
