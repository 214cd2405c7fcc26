"""Between a source and a generator: framing, the trained condition, and any filter patches, in the show's order.

    conditioning = Conditioning(["trails", "condition", "grain"]).open(stage)   # stage.prefix = "/layer/dream"
    conditioning.defaults(card.condition)                                      # what the world was trained on
    given = conditioning.draw(frame, (256, 256), now)

Framing always comes first, so that zooming in finds the source's own detail and every filter works at the
generator's size only. "condition" in the list is where the reduction happens; unnamed, it comes last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from perform.conditioning.controls import Controls, settled
from perform.conditioning.filters import Filter, name_of
from perform.conditioning.framing import Framing, View
from perform.conditioning.reduction import Reduction, cells
from perform.frame import Frame, Texture
from perform.plugins import Closing, Stage

__all__ = ["Conditioning"]

CONDITION = "condition"
COARSE = 10.0  # pixels a cell from which framing and reduction are done in one: no single pixel can be seen
REST = 6.0  # time constants after which smoothing has come to rest: a quarter of an 8-bit step remains


@dataclass(slots=True)
class Conditioning(Closing):
    """The ordered chain in front of a generator. Render thread for everything.

    `filters` names filter patches ("edges", "filters/bloom.fs") and "condition". `condition` False leaves out a
    condition that the list does not name (a layer without a world); `draw` may say otherwise each time.
    Cost on a CPU rasteriser: 1.1 ms at 256 x 256 and 4 ms at 512 x 512 from a 720p source, without filters.
    """

    filters: Sequence[str] = ()
    condition: bool = True
    _controls: Controls = field(init=False, repr=False)
    _steps: list[Filter | None] = field(default_factory=list, init=False, repr=False)  # None: the condition
    _coming: list[Filter] = field(default_factory=list, init=False, repr=False)  # for which the `_going` wait
    _going: list[Filter] = field(default_factory=list, init=False, repr=False)
    _stage: Stage = field(init=False, repr=False)
    _framing: Framing | None = field(default=None, init=False, repr=False)
    _reduction: Reduction | None = field(default=None, init=False, repr=False)
    _given: dict[str, Any] = field(default_factory=dict, init=False, repr=False)
    _seen: object = field(default=None, init=False, repr=False)
    _moving_until: float = field(default=0.0, init=False, repr=False)
    _frame: Frame | None = field(default=None, init=False, repr=False)
    _serial: int = field(default=0, init=False, repr=False)

    def open(self, stage: Stage) -> Self:
        """Declare `<prefix>/condition/…` and `<prefix>/filter/…`, compile. A filter that fails is said and skipped."""
        self._stage = stage
        self._controls = Controls(stage.params, stage.prefix)
        self._controls.declare(self._given)
        self._framing, self._reduction = Framing(), Reduction()
        self.refilter(self.filters)
        return self

    def refilter(self, filters: Sequence[str]) -> None:
        """Other filters, or another order, while it plays.

        A filter that stays goes on with its memory, its values and whatever moves them. One that goes plays on until
        all that come have a good patch: a mistake in a new one costs nothing that was seen. One whose name another file
        takes has its place and its addresses, and plays on in the same way until that file is good.
        """
        before = {step.name.casefold(): step for step in self._steps if step is not None}
        steps: list[Filter | None] = []
        other: list[Filter] = []  # of another file
        for asked in filters:
            if asked.casefold() == CONDITION:
                steps += [] if None in steps else [None]  # once: it has one memory
                continue
            name = name_of(asked, [step.name for step in steps if step is not None])
            step = before.pop(name.casefold(), None)
            if step is not None and step.asked != asked:
                step.become(asked)
                other.append(step)
            steps.append(step or Filter(asked, name, self._stage))
        waited = [*self._coming, *other]
        new = [step for step in steps if step is not None and (step not in self._steps or step in waited)]
        self._coming, self._going = new, list(before.values())
        for n, old in enumerate(self._steps):
            if old in self._going:
                steps.insert(n, old)
        self._steps, self._seen = steps, None
        self._let_go()

    def _let_go(self) -> None:
        """Of the filters that are going: those of which nothing is seen now, the others once all that come are good."""
        wait = not all(step.good for step in self._coming)
        for step in [step for step in self._going if not (wait and step.ready)]:
            self._going.remove(step)
            self._steps.remove(step)
            step.close()
        if not self._going:
            self._coming = []

    @property
    def named(self) -> bool:
        """Whether the show says where in the chain the condition is: then it is drawn without a world, too."""
        return None in self._steps

    def defaults(self, card: Mapping[str, Any], fade: float = 0.0) -> None:
        """Take the condition section of a world's card; what nobody has touched goes there within `fade` seconds.

        May be called before `open`. Raises ValueError, and changes nothing, for what the condition cannot take.
        """
        if self._framing is not None:
            self._controls.declare(card, fade)
        else:
            settled(card)  # now, and not when the layer opens
        self._given = dict(card)

    def draw(
        self, frame: Frame, size: tuple[int, int], now: float, condition: bool | None = None, border: int = 0
    ) -> Frame:
        """The conditioned picture: RGBA8 of exactly `size` (width, height), grey and opaque after the condition,
        straight alpha otherwise. The same Frame, and no work, as long as nothing has changed.

        `condition` overrides the field of that name for this picture. `border` is how many pixels above and below (and
        as much in proportion at the sides) will not be seen: the picture that is covers the rest, and goes on there as
        it does past its edge. Never raises for a filter's sake.
        """
        if self._framing is None or self._reduction is None:
            raise RuntimeError("the conditioning is not open")
        if self._going:
            self._let_go()
        wanted = self.condition if condition is None else condition
        steps = list(self._steps) if None in self._steps or not wanted else [*self._steps, None]
        polls = [step.poll(size) for step in steps if step is not None]  # each of them, whatever the first says
        moving = any(polls)
        seen = (frame.texture.id, frame.serial, frame.size, size, border, len(steps), self._controls.values)
        if seen != self._seen:
            self._seen = seen
            self._moving_until = now + (REST * self._controls.smooth if None in steps else 0.0)
        elif not moving and now >= self._moving_until and self._frame is not None:
            return self._frame
        view = self._controls.view
        if border:
            view = replace(view, zoom=view.zoom * (1.0 - 2.0 * border / size[1]))
        lane = "given" if None in steps else "bare"  # both are drawn in a frame while a dream comes or goes
        picture = self._draw(frame.texture, size, view, now, steps, lane)
        self._serial += 1
        self._frame = Frame(picture, frame.time, self._serial)
        return self._frame

    def _draw(
        self, picture: Texture, size: tuple[int, int], view: View, now: float, steps: Sequence[Filter | None], lane: str
    ) -> Texture:
        assert self._framing is not None
        assert self._reduction is not None
        tone, smooth = self._controls.tone, self._controls.smooth
        steps = [step for step in steps if step is None or step.active]
        framed = (picture.width, picture.height) == size and view == View()
        if steps and steps[0] is None and tone.reduce >= COARSE and not framed:
            lines = self._framing.lines(picture, size, view, cells(size, tone.reduce))
            picture = self._reduction.draw_lines(lines, size, tone, smooth, now)
            steps = steps[1:]
        else:
            picture = self._framing.draw(picture, size, view)
        for step in steps:
            if step is None:
                picture = self._reduction.draw(picture, tone, smooth, now)
            else:
                picture = step.draw(picture, size, now, lane)
        return picture

    def close(self) -> None:
        """Give GL objects and addresses back. May be called twice."""
        for step in self._steps:
            if step is not None:
                step.close()
        self._steps.clear()
        if self._framing is not None and self._reduction is not None:
            self._framing.close()
            self._reduction.close()
            self._controls.close()
        self._framing = self._reduction = self._frame = None
        self._seen = None
