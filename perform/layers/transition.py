"""How a layer's pictures give way to each other: one world to the next, a source to its dream and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from perform.frame import Texture
from perform.gl.dissolve import Dissolve
from perform.gl.isf import Patch, PatchError
from perform.gl.target import Format
from perform.health import Guard, Status
from perform.params import Param, Spec
from perform.plugins import Stage

DISSOLVE = "dissolve"  # the plain one, which is always there


@dataclass(slots=True)
class Transition:
    """Draws a change as the patch that `<stage.prefix>/transition` names does, or as a dissolve. Render thread.

    `open_patch(name, format)` opens a patch, or raises LookupError or PatchError. A patch that does not open, or fails
    while it draws, is said in `/status<address>`, and a dissolve takes its place. `serial` grows with each picture,
    which is valid until the next.
    """

    choice: Param
    stage: Stage
    open_patch: Callable[[str, Format], Patch]
    serial: int = 0
    _patch: Patch | None = None
    _drawn: Texture | None = None
    _leaving: Patch | None = None  # what it drew may be looked at until the next picture is there
    _format: Format = field(init=False)
    _dissolve: Dissolve = field(init=False)
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
        self._guard = Guard(Status(self.stage.params, f"/status{self.choice.address}"))
        self.choice.on_change = self._choose

    def _choose(self, choice: Param) -> None:
        """Open the patch: 1–200 ms, once for each choice, in the frame in which it is made."""
        if self._drawn is not None:
            self._shut(self._leaving)
            self._leaving = self._patch
        else:
            self._shut(self._patch)
        self._patch = self._drawn = None
        name, why = str(choice.base), ""
        if name != DISSOLVE:
            try:
                self._patch = self.open_patch(name, self._format)
            except (LookupError, PatchError) as e:
                why = f"{e}; a dissolve takes its place"
        self._guard.status.say(why or name, trouble=bool(why))

    def draw(
        self, before: Texture, after: Texture, progress: float, now: float, size: tuple[int, int] | None = None
    ) -> Texture:
        """`progress` 0..1 from `before` to `after` at `now` seconds, in the size of `after` unless another is given."""
        self.serial += 1
        extent = size or (after.width, after.height)
        drawn = self._render(before, after, progress, now, extent)
        if drawn is None:
            drawn = self._dissolve.draw(before, after, progress, now, extent)
        self._shut(self._leaving)
        self._leaving = None
        return drawn

    def _render(
        self, before: Texture, after: Texture, progress: float, now: float, extent: tuple[int, int]
    ) -> Texture | None:
        """What the patch draws; None where it cannot."""
        patch = self._patch
        if patch is None or after is self._drawn:  # a patch cannot draw onto what it looks at
            return None
        inputs: dict[str, Texture | float] = {"startImage": before, "endImage": after, "progress": progress}
        self._drawn = self._guard.run(now, lambda: patch.render(extent, now, inputs), None)
        return self._drawn

    def close(self) -> None:
        """Give GL objects back. May be called twice."""
        self._shut(self._leaving)
        self._shut(self._patch)
        self._leaving = self._patch = self._drawn = None
        self._dissolve.close()

    @staticmethod
    def _shut(patch: Patch | None) -> None:
        if patch is not None:
            patch.close()
