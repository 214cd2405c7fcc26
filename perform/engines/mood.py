"""The mood pad: a small vector that colours what a world dreams, played by name or on an XY pad.

    pad = MoodPad.declare(params, "/layer/dream", "/layer/1", lambda: slot.card)
    vector = pad.vector(now)                     # once a frame

`/layer/N/mood` takes a name; `/layer/N/mood/x` and `/y` (0..1) move over the card's map, and from then on the name is
"pad". The vector never jumps: it glides, also to a world that has not been played, for `/layer/N/mood/fade` seconds.
A world that comes again goes on from where it was left. What modulates `x` and `y` (the sound) moves the vector as far
over the map from wherever it is, a name's or the pad's, and chooses nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from perform.card import Card, Mood
from perform.engines.trial import fit
from perform.params import Param, Params, Spec
from perform.ranges import MOOD_FADE, SHARE

PAD = "pad"
GLIDE = 6.638  # a critically damped spring has gone 99 % of the way after this many of its time constants
Cards = Callable[[], Card | None]


@dataclass(slots=True)
class MoodPad:
    """Render thread. Make one with `declare`; `vector` costs some microseconds."""

    params: Params
    name: Param
    x: Param
    y: Param
    fade: Param
    card: Cards
    world: str | None = None  # in whose numbers the last vector is: they mean something else in each
    _goal: tuple[float, ...] = ()
    _vector: list[float] = field(default_factory=list)
    _speed: list[float] = field(default_factory=list)
    _left: dict[str, list[float]] = field(default_factory=dict)  # where the vector was when a world was left
    _seen: tuple[str, float, float] = (PAD, 0.5, 0.5)  # name, x, y as they were set at the last look
    _posted: tuple[str, float, float] | None = None  # what this pad itself has posted and will see next
    _serial: int = 0  # of the name's changes, those of this pad included: what a name that was set again is known by
    _start: str = ""
    _met: bool = False  # a world with moods
    _then: float | None = None

    @classmethod
    def declare(cls, params: Params, prefix: str, alias: str, card: Cards, start: str = "") -> MoodPad:
        """Make `<prefix>/mood` and `/mood/x`, `/y`, `/fade`, which also answer under `alias`.

        `card` gives the card whose moods count now (None: no world, no names); `start` is the mood to begin with
        (empty: the world's default; "pad": where `x` and `y` are).
        """

        def names() -> Sequence[str]:
            known = card()
            mood = known.mood if known is not None else None
            return (*(mood.named if mood is not None else ()), PAD)

        def make(key: str, spec: Spec) -> Param:
            return params.declare(f"{prefix}/mood{key}", spec, f"{alias}/mood{key}")

        across = Spec("float", 0.5, *SHARE, doc="The mood pad from left to right over the world's map of moods.")
        up = Spec("float", 0.5, *SHARE, doc="The mood pad from bottom to top over the world's map of moods.")
        glide = Spec("float", 1.0, *MOOD_FADE, unit="s", doc="How long the mood takes to get where it is sent.")
        doc = "The mood of what is dreamt, by name; pad: where x and y are."
        name = make("", Spec("choice", PAD, live_choices=names, doc=doc))
        return cls(params, name, make("/x", across), make("/y", up), make("/fade", glide), card, _start=start)

    def vector(self, now: float) -> tuple[float, ...]:
        """The mood at this moment; empty for a world without one (or no world)."""
        card = self.card()
        mood = card.mood if card is not None else None
        if card is not None and mood is not None:
            self._look(mood, self._enter(card.folder.name))
            self._glide(mood.size, now)
        self._then = now
        return tuple(self._vector)

    def pause(self, seconds: float) -> None:
        """So many seconds went by in which the picture was frozen: a glide does not make up for them."""
        if self._then is not None:
            self._then += seconds

    def _enter(self, world: str) -> bool:
        """The numbers are this world's from now on; True if they were another's. It may still play as it was left: that
        must not change at once.
        """
        if world == self.world:
            return False
        if self.world is not None:
            self._left[self.world] = list(self._vector)
        self.world = world
        if world in self._left:
            self._vector = self._left.pop(world)
            self._speed = [0.0] * len(self._vector)
        return True

    def _look(self, mood: Mood, entered: bool) -> None:
        """Find out where to go: what was touched last, the name or the pad. What modulates the pad touches nothing.
        `entered`: the world is another one than at the last look.
        """
        state = (str(self.name.base), float(self.x.base), float(self.y.base))
        before, self._seen = self._posted or self._seen, state
        self._posted = None
        chosen, self._serial = self.name.serial != self._serial, self.name.serial
        first, self._met = not self._met, True
        if first:  # what the show opens with is what `/panic` falls back to; the world's own, if that is the pad
            name = self._start if self._start in mood.named else mood.default
            self.params.default(self.name.address, name)
        if first and state == (PAD, 0.5, 0.5) and self._start != PAD:
            self._go(mood, self._start if self._start in mood.named else mood.default)
        elif state[0] != PAD and state[0] not in mood.named:
            self._go(mood, mood.default)  # a mood that the new world does not have
        elif state[0] != PAD and (first or chosen):
            self._go(mood, state[0])  # also where it came back within a frame: a cue's own name over its preset's
        elif state[1:] != before[1:] and (state[0] == PAD or state[1:] != self._place(mood, state[0])):
            self._say(PAD, *state[1:])  # not for a preset or a panic, which bring the handle's place with the name
        elif entered and state[0] != PAD:
            self._go(mood, state[0])  # the same name, in another place on this world's map
        self._goal = self._target(mood)

    def _target(self, mood: Mood) -> tuple[float, ...]:
        name, x, y = self._posted or self._seen
        named = mood.named.get(name, mood.named[mood.default])
        if mood.map is None:
            return named
        right, up = float(self.x.value - self.x.base), float(self.y.value - self.y.base)  # what modulates them adds
        if name != PAD and not (right or up):
            return named
        there = mood.map.at(x + right, y + up)
        if name == PAD:
            return there
        return tuple(n + b - a for n, a, b in zip(named, mood.map.at(x, y), there, strict=True))

    def _go(self, mood: Mood, name: str) -> None:
        """A name was chosen: the pad's handle follows, and what is sent to its default stays there."""
        places = self._place(mood, name)
        for param, place in zip((self.x, self.y), places, strict=True):
            self.params.default(param.address, place)
        self._say(name, *places)

    def _place(self, mood: Mood, name: str) -> tuple[float, float]:
        """Where the pad's handle is while a name plays: nearest to it on the map; without a map, wherever it is."""
        return nearest(mood, mood.named[name]) if mood.map is not None else self._seen[1:]

    def _say(self, name: str, x: float, y: float) -> None:
        self._posted = (name, x, y)
        self._serial += name != self.name.base
        for param, value in ((self.name, name), (self.x, x), (self.y, y)):
            if param.base != value:
                self.params.publish(param.address, value)

    def _glide(self, size: int, now: float) -> None:
        """Move towards the goal as a critically damped spring does: exact for any frame rate."""
        if len(self._vector) != size:
            start = fit(self._vector, size) if self._vector else self._goal
            self._vector, self._speed = list(start), list(fit(self._speed, size))
        dt = max(0.0, now - self._then) if self._then is not None else 0.0
        fade = float(self.fade.value)
        if fade < 1e-3:
            self._vector, self._speed = list(self._goal), [0.0] * size
            return
        rate = GLIDE / fade
        decay = math.exp(-rate * dt)
        for i, goal in enumerate(self._goal):
            away, speed = self._vector[i] - goal, self._speed[i]
            push = speed + rate * away
            self._vector[i] = goal + (away + push * dt) * decay
            self._speed[i] = (speed - rate * push * dt) * decay
            if abs(self._vector[i] - goal) < 1e-5 and abs(self._speed[i]) < 1e-4:
                self._vector[i], self._speed[i] = goal, 0.0


def nearest(mood: Mood, vector: Sequence[float], steps: int = 16) -> tuple[float, float]:
    """The place on the mood map that is nearest to a vector, in steps of 1/16. A fraction of a millisecond."""
    if mood.map is None:
        return 0.5, 0.5
    along = np.linspace(0.0, 1.0, steps + 1)

    def weights(count: int) -> npt.NDArray[np.float64]:
        """(steps + 1, count): how much of each row or column there is at each step."""
        return np.stack([np.interp(along * (count - 1), np.arange(count), line) for line in np.eye(count)], axis=1)

    grid = np.reshape(mood.map.grid, (mood.map.rows, mood.map.columns, mood.size))
    places = np.einsum("yr,rcm,xc->yxm", weights(mood.map.rows), grid, weights(mood.map.columns))
    distance = np.square(places - np.asarray(vector)).sum(axis=2)
    y, x = divmod(int(distance.argmin()), steps + 1)
    return x / steps, y / steps
