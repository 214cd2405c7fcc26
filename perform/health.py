"""How the show is: frames per second, lateness, and one status line for each part, as read-only parameters."""

from __future__ import annotations

import logging
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from perform.params import Param, Params, Spec

log = logging.getLogger(__name__)
T = TypeVar("T")
LINES, WINDOW = 20, 10.0  # of one part's log, in seconds
WHY = "Why only a new process can go on as the show should; empty while this one can."
RESTART = ("/status/restart", Spec("text", "", doc=WHY, readonly=True))


@dataclass(slots=True)
class Status:
    """One part's status: a text parameter under /status and one log line for each change."""

    params: Params
    address: str
    clock: Callable[[], float] = time.monotonic
    _window: float = -math.inf  # when the lines that are counted began
    _lines: int = 0

    def __post_init__(self) -> None:
        self.params.declare(self.address, Spec("text", "", doc="How this part is, in words.", readonly=True))

    def say(self, text: str, trouble: bool = False, again: bool = False) -> None:
        """Say how the part is. Saying the same again costs nothing, unless another `Status` of this address (a guard's)
        has said something else meanwhile, or it answers somebody who has asked `again`. Any thread.
        """
        text = " ".join(text.split())  # one line, whatever a library says
        if text == self.params.said.get(self.address) and not again:
            return
        self.params.said[self.address] = text
        self.params.publish(self.address, text)
        self._log(text, logging.WARNING if trouble else logging.INFO)

    def _log(self, text: str, level: int) -> None:
        """No more than `LINES` in `WINDOW` seconds: a stuck button must not fill a disk in six weeks."""
        name, now = self.address.removeprefix("/status/"), self.clock()
        if now - self._window >= WINDOW:
            if self._lines > LINES:
                log.warning("%s: %d more lines like these were left out", name, self._lines - LINES)
            self._window, self._lines = now, 0
        self._lines += 1
        if self._lines <= LINES:
            log.log(level, "%s: %s", name, text)


def ask_restart(params: Params, why: str) -> None:
    """Ask for a new process (a graphics card has failed): the show ends, and its supervisor starts it again."""
    if params.declare(*RESTART).value != why:
        params.publish(RESTART[0], why)


@dataclass(slots=True)
class Guard:
    """Ring one: whatever a part does wrong stays in the part, is said in one line, and is tried again later.

    While a part rests after a failure its last good answer stands. Render thread.
    """

    status: Status
    failures: int = 0
    _again: float = -math.inf

    def run(self, now: float, deed: Callable[[], T], otherwise: T) -> T:
        """What `deed` returns; `otherwise` if it raises or is resting (0.5 s, doubling up to 8 s)."""
        if now < self._again:
            return otherwise
        try:
            answer = deed()
        except Exception as e:
            rest = min(8.0, 0.5 * 2.0 ** min(self.failures, 4))
            self.failures += 1
            self._again = now + rest
            self.status.say(f"{str(e) or type(e).__name__} (trying again)", trouble=True)
            log.debug("%s", self.status.address, exc_info=True)
            return otherwise
        if self.failures:
            self.failures = 0
            self.status.say("back")
        return answer


@dataclass(slots=True)
class Health:
    """Counts presented frames. `beat` is called once a frame after the sinks; `on_beat` feeds the supervisor."""

    params: Params
    on_beat: Callable[[float], None] | None = None
    frames: int = 0
    _times: deque[float] = field(default_factory=lambda: deque(maxlen=120))
    _next: float = 0.0
    _born: float = field(default_factory=time.perf_counter)
    _seen: dict[str, Param] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, unit, doc in (
            ("fps", "1/s", "Frames presented a second, over the last 120 of them."),
            ("uptime", "s", "Seconds since the program started."),
            ("refused", "", "Messages that could not be taken since the start."),
        ):
            spec = Spec("float", 0.0, 0.0, unit=unit, doc=doc, readonly=True)
            self._seen[name] = self.params.declare(f"/status/{name}", spec)
        self._seen["restart"] = self.params.declare(*RESTART)

    @property
    def restart(self) -> str:
        """Why only a new process can go on as the show should; empty while this one can."""
        return str(self._seen["restart"].value)

    def beat(self, now: float) -> None:
        """A frame was presented. Render thread."""
        self.frames += 1
        wall = time.perf_counter()
        self._times.append(wall)
        if self.on_beat is not None:
            self.on_beat(now)
        if wall >= self._next:
            self._next = wall + 0.5
            span = wall - self._times[0]
            self.params.publish("/status/fps", (len(self._times) - 1) / span if span > 0 else 0.0)
            self.params.publish("/status/uptime", wall - self._born)
            self.params.publish("/status/refused", self.params.refused)
