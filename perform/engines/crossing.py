"""Who is seen in a slot: the engine that is present and the one that comes, and how one gives way to the other.

Render thread for all calls, GL context current.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from perform.engines.bank import Role
from perform.engines.fade import Fader, Still
from perform.engines.generator import Generator
from perform.engines.passthrough import Input
from perform.engines.seat import Seat
from perform.frame import Frame


@dataclass(slots=True)
class Crossing:
    """Two seats and a fade between them, which may be turned back or interrupted. `fader` draws it, and is closed with
    it. A fade begins with the first dream of who comes."""

    fader: Fader
    present: Seat = field(default_factory=lambda: Seat(Input()))
    coming: Seat | None = None
    shown: Frame | None = None  # what was seen last
    _seconds: float = 0.0  # that the fade takes
    _began: float | None = None  # show time at which it did
    _back: bool = False  # it runs backwards: what leaves is what came
    _stands: Role | None = None  # who dreamt the still that an interrupted fade left
    _key: object = None  # of what the picture that was shown is made
    _serial: int = 0

    @property
    def seats(self) -> Iterator[Seat]:
        """Those that dream: the present one first."""
        yield self.present
        if self.coming is not None:
            yield self.coming

    @property
    def leader(self) -> Seat:
        """The seat that will be seen: the coming one once it has dreamt."""
        return self.coming if self.coming is not None and self.coming.sound else self.present

    @property
    def fading(self) -> bool:
        """Whether two are seen at once."""
        return self.coming is not None and self._began is not None

    @property
    def plays(self) -> str:
        """What is seen while something else was asked for, as a clause."""
        leader = self.leader
        if isinstance(leader.engine, Still) and self._stands is not None:
            return f"the last picture of {self._stands} stays"
        if leader.role is None:
            return "its input shows"
        return f"the last picture of {leader.role} stays" if leader.trouble else f"{leader.role} plays on"

    def leads_to(self, generator: Generator | None) -> bool:
        """Whether this one (None: the input) is there already, or on its way."""
        last = self.coming or self.present
        return not last.trouble and last.generator is generator and not isinstance(last.engine, Still)

    def bring(self, seat: Seat, seconds: float) -> None:
        """Let a seat fade in once it has dreamt. Whoever was coming is gone (`turn_back`, `interrupt`)."""
        self.coming, self._began, self._back, self._seconds = seat, None, False, seconds

    def turn_back(self, generator: Generator | None, now: float, seconds: float | None = None) -> bool:
        """If what is fading out should stay after all, let the fade run backwards, in the time it came in or in
        `seconds`; whether that was so."""
        coming = self.coming
        if coming is None or self.present.generator is not generator or not self.present.sound:
            return False
        if isinstance(self.present.engine, Still):
            return False
        if self._began is None:
            coming.close()
            self.coming = None
            return True
        gone = self._progress(now)
        self.present, self.coming = coming, self.present
        self._seconds = self._seconds if seconds is None else seconds
        self._began, self._back = now - (1.0 - gone) * self._seconds, not self._back
        return True

    def interrupt(self) -> None:
        """Another wish in the middle of a fade: what is seen now stands still, and the next one fades in over it."""
        if self.coming is None:
            return
        if self.fading and self.shown is not None:
            still = Still.of(self.shown.texture)
            self._stands = self.leader.role or self.present.role or self._stands
            self.present.close()
            self.present = Seat(still, frame=still.newest())
        self.coming.close()
        self.coming = None

    def pause(self, seconds: float) -> None:
        """A fade takes so much longer, and goes on where it was."""
        if self._began is not None:
            self._began += seconds

    def draw(self, given: Frame, now: float) -> Frame:
        """What is seen at `now`, where the input is `given`: the serial grows with every change. One pass in a fade."""
        coming, progress = self.coming, 0.0
        if coming is not None and coming.frame is not None:
            self._began = now if self._began is None else self._began
            progress = self._progress(now)
            if progress >= 1.0:
                self.present.close()
                self.present, self.coming, self._began = coming, None, None
        before = self.present.frame or given
        if self.coming is None or self.coming.frame is None:
            return self._show((id(self.present), before.serial), before)
        after = self.coming.frame
        key = (id(self.present), before.serial, after.serial, progress)
        if key == self._key and self.shown is not None:
            return self.shown
        if self._back:  # as it came, so it goes: a wipe must not turn round
            drawn = self.fader.draw(after.texture, before.texture, 1.0 - progress, now)
        else:
            drawn = self.fader.draw(before.texture, after.texture, progress, now)
        return self._show(key, Frame(drawn, after.time, after.serial))

    def _progress(self, now: float) -> float:
        """0..1 of the fade that has begun."""
        assert self._began is not None
        return min(1.0, (now - self._began) / self._seconds) if self._seconds > 0.0 else 1.0

    def _show(self, key: object, frame: Frame) -> Frame:
        if key != self._key or self.shown is None:
            self._key = key
            self._serial += 1
            self.shown = Frame(frame.texture, frame.time, self._serial)
        return self.shown

    def close(self) -> None:
        """Give everything back. May be called twice."""
        for seat in self.seats:
            seat.close()
        self.present, self.coming = Seat(Input()), None
        self.fader.close()
        self.shown = self._key = None
