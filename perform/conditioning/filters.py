"""One filter patch in a layer's chain: its addresses, whether it is on, and what happens when it is broken."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

from perform.clock import toward
from perform.frame import Texture
from perform.gl.dissolve import Dissolve
from perform.gl.isf import Header, LivePatch, declare, find_patch
from perform.health import Guard, Status
from perform.params import Param, Spec
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
    unchanged (or keeps its last good version) and says why in `/status<prefix>/filter/<name>`.
    """

    def __init__(self, asked: str, name: str, stage: Stage) -> None:
        self.asked, self.name = asked, name
        self._params = stage.params
        self._sound = stage.sound
        self._prefix = f"{stage.prefix}/filter/{self.name}"
        self._status = Status(stage.params, f"/status{self._prefix}")
        self._guard = Guard(self._status)
        self._patch: LivePatch | None = None
        self._header: Header | None = None
        self._moves = False
        self._controls: dict[str, Param] = {}
        self._seen: object = None
        self._share = 1.0  # of the filtered picture: on its way to 0 or 1
        self._then: float | None = None
        self._dissolve = Dissolve.prepared()
        self._on = stage.params.declare(f"{self._prefix}/on", Spec("bool", True, doc=f"Whether {self.name} works."))
        try:
            path = find_patch(asked, stage.patches)
        except LookupError as why:
            self._status.say(f"{why}; the picture passes unchanged", trouble=True)
            return
        self._patch = LivePatch.on(stage, path, self._prefix)
        self.poll(stage.size)

    @property
    def ready(self) -> bool:
        """True once there has been a good version of its patch."""
        return self._patch is not None and self._patch.ready

    @property
    def active(self) -> bool:
        """True if `draw` will change the picture."""
        return (bool(self._on.value) or self._share > 0.0) and self.ready

    def poll(self, size: tuple[int, int]) -> bool:
        """Take up a saved patch; True if the picture has to be drawn again though the one before has not changed."""
        if self._patch is None:
            return False
        self._patch.prepare(size)
        header = self._patch.header
        if header is not self._header and header is not None:
            self._header, self._moves = header, moves(header)
            self._controls = declare(self._params, self._prefix, header)
        if not self._guard.failures:
            self._status.say(self._patch.error or ("on" if self._on.value else "off"), trouble=bool(self._patch.error))
        seen: tuple[Any, ...] = (self.active, header, tuple([param.value for param in self._controls.values()]))
        changed, self._seen = seen != self._seen, seen
        return changed or (self.active and (self._moves or self._share != float(self._on.value)))

    def draw(self, picture: Texture, size: tuple[int, int], now: float, lane: str = "") -> Texture:
        """The filtered picture of this size, straight alpha; the picture itself while the filter is off or broken. What
        it remembers of frames before is the `lane`'s own.

        Switched on or off, the one dissolves into the other within DISSOLVE seconds.
        """
        patch = self._patch
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
        if self._patch is not None:
            self._patch.close()
            self._patch = None
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
