"""One filter patch in a layer's chain: its addresses, whether it is on, and what happens when it is broken."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

from perform.clock import toward
from perform.frame import Texture
from perform.gl.dissolve import Dissolve
from perform.gl.isf import Header, Succession, find_patch
from perform.gl.isf.succession import STAYS
from perform.health import Guard, Status
from perform.params import Spec
from perform.plugins import Stage

DISSOLVE = 0.4  # seconds that a filter takes to come and go
MOVES = re.compile(r"\b(TIME|TIMEDELTA|FRAMEINDEX|DATE)\b")


def moves(header: Header) -> bool:
    """True if the patch's picture can change while its inputs do not: it has time, a memory or sound in it."""
    if header.dialect != "isf" or any(step.persistent for step in header.passes) or header.vertex:
        return True
    return any(entry.type != "image" for entry in header.pictures) or MOVES.search(header.body) is not None


class Filter:
    """A filter under `<stage.prefix>/filter/<name>`. Render thread.

    A patch that cannot be found, read or compiled, or that fails while it runs, lets the picture through
    unchanged (or keeps its last good version) and says why in `/status<prefix>/filter/<name>`. Another file in its
    place (`become`) is a new version in this, too.
    """

    def __init__(self, asked: str, name: str, stage: Stage) -> None:
        self.asked, self.name = asked, name
        self._stage = stage
        self._params = stage.params
        self._sound = stage.sound
        self._prefix = f"{stage.prefix}/filter/{self.name}"
        self._status = Status(stage.params, f"/status{self._prefix}")
        self._guard = Guard(self._status)
        self._size = stage.size  # of the last frame
        self._play = Succession(stage, self._prefix)
        self._missing = ""  # why there is no file to what is asked for
        self._header: Header | None = None
        self._moves = False
        self._seen: object = None
        self._share = 1.0  # of the filtered picture: on its way to 0 or 1
        self._then: float | None = None
        self._dissolve = Dissolve.prepared()
        self._on = stage.params.declare(f"{self._prefix}/on", Spec("bool", True, doc=f"Whether {self.name} works."))
        self.become(asked)

    def become(self, asked: str) -> None:
        """Take another file under the same name and the same addresses. What plays stays until that one is good."""
        self.asked = asked
        try:
            path = find_patch(asked, self._stage.patches)
        except LookupError as why:
            self._play.become(None)
            self._missing = f"{why}{STAYS if self.ready else '; the picture passes unchanged'}"
            self._status.say(self._missing, trouble=True)
            return
        self._missing = ""
        self._play.become(path)
        self.poll(self._size)  # its addresses are there from now on

    @property
    def ready(self) -> bool:
        """True once there has been a good version of its patch: something is seen of it."""
        return self._play.ready

    @property
    def good(self) -> bool:
        """True once there has been a good version of the very file that is asked for."""
        return self.ready and self._play.coming is None and not self._missing

    @property
    def active(self) -> bool:
        """True if `draw` will change the picture."""
        return (bool(self._on.value) or self._share > 0.0) and self.ready

    def poll(self, size: tuple[int, int]) -> bool:
        """Take up a saved patch; True if the picture has to be drawn again though the one before has not changed."""
        self._size = size
        if self._play.prepare(size):
            self._guard = Guard(self._status)  # what the old one did wrong is not the new one's
        patch = self._play.patch
        if patch is None:
            return False
        header = patch.header
        if header is not self._header and header is not None:
            self._header, self._moves = header, moves(header)
        if not self._guard.failures:
            wrong = self._missing or self._play.wrong
            self._status.say(wrong or ("on" if self._on.value else "off"), trouble=bool(wrong))
        seen: tuple[Any, ...] = (self.active, header, tuple([param.value for param in patch.inputs.values()]))
        changed, self._seen = seen != self._seen, seen
        return changed or (self.active and (self._moves or self._share != float(self._on.value)))

    def draw(self, picture: Texture, size: tuple[int, int], now: float, lane: str = "") -> Texture:
        """The filtered picture of this size, straight alpha; the picture itself while the filter is off or broken. What
        it remembers of frames before is the `lane`'s own.

        Switched on or off, the one dissolves into the other within DISSOLVE seconds.
        """
        patch = self._play.patch
        if patch is None or not self.active:
            return picture
        self._step(now)
        if self._share <= 0.0:
            return picture
        given = {**self._sound, "inputImage": picture}
        filtered = self._guard.run(now, lambda: patch.render(size, now, given, lane), picture)
        if self._share >= 1.0 or filtered is picture:
            return filtered
        return self._dissolve.draw(picture, filtered, self._share, now, size)

    def _step(self, now: float) -> None:
        """Move towards on or off. The first picture is there at once; after a pause nothing is made up for."""
        goal = float(self._on.value)
        if self._then is None:
            self._share = goal
        elapsed = min(max(now - self._then, 0.0), 0.05) if self._then is not None else 0.0
        self._then = now
        self._share = toward(self._share, goal, elapsed / DISSOLVE)

    def close(self) -> None:
        """Stop watching; give GL objects and addresses back. May be called twice."""
        self._play.close()
        self._dissolve.close()
        for address in (self._prefix, self._status.address):
            self._params.remove(address)


def name_of(asked: str, taken: Collection[str]) -> str:
    """An address word for a patch: "my bloom.fs" becomes my_bloom, a second bloom becomes bloom2."""
    word = re.sub(r"[\s#*,?/\[\]{}]+", "_", Path(asked).stem).strip("_") or "filter"
    name, count = word, 1
    while name.casefold() in {other.casefold() for other in taken}:
        count += 1
        name = f"{word}{count}"
    return name
