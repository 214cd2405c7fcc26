"""How a layer's pictures give way to each other: one world to the next, a source to its dream and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from perform.frame import Texture
from perform.gl.dissolve import Dissolve
from perform.gl.isf import Patch, PatchError
from perform.gl.target import Format
from perform.health import Guard, Status
from perform.layers.cut import Cut
from perform.params import Param, Spec
from perform.plugins import Stage

DISSOLVE = "dissolve"  # the plain one, which is always there


@dataclass(slots=True)
class Transition:
    """Draws a change as the patch that `<stage.prefix>/transition` names does, or as a dissolve. Render thread.

    `open_patch(name, format)` opens a patch, or raises LookupError or PatchError. A patch that does not open, or fails
    while it draws, is said in `/status<address>`, and a dissolve takes its place. `serial` grows with each picture,
    which is valid until the next in its lane: a world may give way to another while both come out of the source.
    """

    choice: Param
    stage: Stage
    open_patch: Callable[[str, Format], Patch]
    serial: int = 0
    _patch: Patch | None = None
    _drawn: dict[str, Texture | None] = field(default_factory=dict)  # by the patch that there is, in each lane
    _leaving: Patch | None = None  # what it drew may be looked at until the next picture is there,
    _owed: set[str] = field(default_factory=set)  # in each of these lanes
    _format: Format = field(init=False)
    _dissolve: Dissolve = field(init=False)
    _cut: Cut = field(init=False)
    _guard: Guard = field(init=False)

    @classmethod
    def declare(cls, stage: Stage, names: Sequence[str], open_patch: Callable[[str, Format], Patch]) -> Transition:
        """Make the address; `names` are the patches there are."""
        choices = (DISSOLVE, *(name for name in names if name != DISSOLVE))
        spec = Spec("choice", DISSOLVE, choices=choices, doc="How one world gives way to another, and to its source.")
        return cls(stage.params.declare(f"{stage.prefix}/transition", spec), stage, open_patch)

    def __post_init__(self) -> None:
        self._format = "rgba8" if self.stage.software else "rgba16f"
        self._dissolve = Dissolve.prepared(self._format)
        self._cut = Cut(self._format)
        self._guard = Guard(Status(self.stage.params, f"/status{self.choice.address}"))
        self.choice.on_change = self._choose

    def _choose(self, choice: Param) -> None:
        """Open the patch: 1–200 ms, once for each choice, in the frame in which it is made."""
        if drawn := {lane for lane, texture in self._drawn.items() if texture is not None}:
            self._shut(self._leaving)
            self._leaving, self._owed = self._patch, drawn
        else:
            self._shut(self._patch)
        self._patch = None
        self._drawn.clear()
        name, why = str(choice.base), ""
        if name != DISSOLVE:
            try:
                self._patch = self.open_patch(name, self._format)
            except (LookupError, PatchError) as e:
                why = f"{e}; a dissolve takes its place"
        self._guard.status.say(why or name, trouble=bool(why))

    def draw(
        self,
        before: Texture,
        after: Texture,
        progress: float,
        now: float,
        size: tuple[int, int] | None = None,
        lane: str = "",
    ) -> Texture:
        """`progress` 0..1 from `before` to `after` at `now` seconds, in the size of `after` unless another is given.
        Changes that go on at the same time each have a `lane`, so that neither draws over what the other has drawn.
        """
        self.serial += 1
        extent = size or (after.width, after.height)
        drawn = self._render(before, after, progress, now, extent, lane)
        if drawn is None:
            drawn = self._dissolve.draw(before, after, progress, now, extent)
        self._owed.discard(lane)
        if not self._owed:
            self._shut(self._leaving)
            self._leaving = None
        return drawn

    def cross(self, source: Texture, dream: Texture, progress: float, now: float) -> Texture:
        """`progress` 0..1 from a source to its dream at `now` seconds, of whatever shapes: each covers the stage as it
        does alone, and the picture has the stage's shape. In a lane of its own: the dream may be changing too.
        """
        before, after, size = self._cut.pair(source, dream, self.stage.size[0] / self.stage.size[1])
        return self.draw(before, after, progress, now, size, "source")

    def _render(
        self, before: Texture, after: Texture, progress: float, now: float, extent: tuple[int, int], lane: str
    ) -> Texture | None:
        """What the patch draws; None where it cannot."""
        patch = self._patch
        if patch is None or after is self._drawn.get(lane):  # a patch cannot draw onto what it looks at
            return None
        inputs: dict[str, Texture | float] = {"startImage": before, "endImage": after, "progress": progress}
        drawn = self._guard.run(now, lambda: patch.render(extent, now, inputs, lane=lane), None)
        self._drawn[lane] = drawn
        return drawn

    def close(self) -> None:
        """Give GL objects back. May be called twice."""
        self._shut(self._leaving)
        self._shut(self._patch)
        self._leaving = self._patch = None
        self._drawn.clear()
        self._dissolve.close()
        self._cut.close()

    @staticmethod
    def _shut(patch: Patch | None) -> None:
        if patch is not None:
            patch.close()
