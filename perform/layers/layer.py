"""A layer: source -> conditioning -> generator (or none) -> mix and memory. Where it is placed is the stack's work."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from perform.clock import toward
from perform.frame import Frame
from perform.layers.memory import Memory, border
from perform.layers.transition import Transition
from perform.params import Param, Params, Spec
from perform.ranges import CROSSFADE, SHARE

Choices = Callable[[], Sequence[str]]
PAUSE = 0.25  # seconds out of sight after which the dream that is there is of another time
LATE = 1.0  # seconds that a dream of this time is waited for


class World(Protocol):
    """What a layer needs of a world's card: its name, and the condition it was trained on."""

    @property
    def world(self) -> str: ...

    @property
    def defaults(self) -> Mapping[str, Any]: ...


class Playing(Protocol):
    """What a layer needs of a role in its slot: whose it is."""

    @property
    def world(self) -> str: ...


class Conditioner(Protocol):
    """What a layer needs of its conditioning chain (see perform.conditioning)."""

    def draw(
        self, frame: Frame, size: tuple[int, int], now: float, condition: bool | None = None, border: int = 0
    ) -> Frame: ...
    def defaults(self, card: Mapping[str, Any], fade: float = 0.0) -> None: ...
    def refilter(self, filters: Sequence[str]) -> None: ...
    def close(self) -> None: ...

    @property
    def named(self) -> bool: ...


class Dreamer(Protocol):
    """What a layer needs of the slot in which its engine sits (see perform.engines.slot)."""

    def want(self, world: str | None, size: str, crossfade: float = 0.0, unseen: bool = False) -> None: ...
    def takes(self, shape: tuple[int, int]) -> tuple[int, int]: ...
    def dream(self, picture: Frame, mood: Sequence[float], now: float, whose: str | None = None) -> Frame: ...
    def pause(self, seconds: float) -> None: ...
    def close(self) -> None: ...

    @property
    def card(self) -> World | None: ...

    @property
    def playing(self) -> Playing | None: ...

    @property
    def fading(self) -> bool: ...


class Moods(Protocol):
    """What a layer needs of its mood pad (see perform.engines.mood)."""

    def vector(self, now: float) -> Sequence[float]: ...
    def pause(self, seconds: float) -> None: ...

    @property
    def world(self) -> str | None: ...


def _unit(default: float, doc: str, smooth: float = 0.0) -> Spec:
    return Spec("float", default, *SHARE, doc=doc, smooth=smooth)


@dataclass(slots=True)
class LayerParams:
    """A layer's own addresses, under its name."""

    source: Param
    world: Param
    size: Param
    crossfade: Param
    mix: Param
    memory: Param

    @classmethod
    def declare(cls, params: Params, name: str, sources: Choices, worlds: Choices, sizes: Choices) -> LayerParams:
        """Make `/layer/<name>/…`."""

        def make(key: str, spec: Spec) -> Param:
            return params.declare(f"/layer/{name}/{key}", spec)

        first = next(iter(sources()), "")
        return cls(
            source=make("source", Spec("choice", first, live_choices=sources, doc="Which source the layer looks at.")),
            world=make("world", Spec("choice", "none", live_choices=worlds, doc="Which world dreams; none: no world.")),
            size=make("size", Spec("choice", "m", live_choices=sizes, doc="Which size of the world.")),
            crossfade=make("crossfade", Spec("float", 2.0, *CROSSFADE, unit="s", doc="How long a new world takes.")),
            mix=make("mix", _unit(1.0, "The generator's picture (1) against what it was given (0).", 0.05)),
            memory=make("memory", _unit(0.6, "How much of the last picture stays where nothing moves: cures flicker.")),
        )


@dataclass(slots=True)
class Layer:
    """Turns the frames of this tick into one picture (straight RGBA), and remembers what its generator was given.

    Render thread. `picture` is None before the first frame, `given` while no world dreams. A layer without a world
    hands on what its conditioning (filters only) makes of the source; worlds come out of it and go back into it in
    a transition of `crossfade` seconds.

    Out of sight it does not dream (`rest`), and what it dreamt last is of that time: back again it is `late`, and its
    picture the one of then, until it has dreamt what it is given now.
    """

    name: str
    params: LayerParams
    conditioning: Conditioner
    slot: Dreamer
    moods: Moods
    transition: Transition
    resolution: Callable[[], tuple[int, int]]  # for the world that is asked for: (width, height) in pixels
    memory: Memory = field(default_factory=Memory)
    say: Callable[[str, bool], object] = lambda text, trouble: None  # one sentence; whether it tells of trouble
    _inside: Memory = field(default_factory=lambda: Memory("rgba8"))  # of what is given, where that is shown
    given: Frame | None = None
    picture: Frame | None = None
    late: bool = False
    _rested: bool = False
    _back: tuple[float, float] | None = None  # show time at which it came back, and that of what it was given then
    _asleep: float | None = None  # 0 the source as it is, 1 the dream; None before the first frame
    _then: float = 0.0
    _wanted: tuple[str | None, str] = (None, "")
    _card: World | None = None
    _plain: bool = False  # the condition is not its card's, which asks for what there is not

    @property
    def world(self) -> str | None:
        """The world that is asked for, or None."""
        name = str(self.params.world.value)
        return None if name == "none" else name

    def render(self, frames: Mapping[str, Frame], now: float) -> Frame | None:
        """This tick's picture, or None if the source has none. Equal serial: nothing has changed."""
        rested, self._rested = self._rested and now - self._then > PAUSE, False
        self.late = False
        frame = frames.get(str(self.params.source.value))
        if frame is None:
            return self.picture
        self._ask(rested)
        if self._wanted[0] is None:
            self.given = None
            self.picture = self.conditioning.draw(frame, frame.size, now, condition=False)
            self._asleep, self._then, self._back = 0.0, now, None
            self.slot.dream(self.picture, (), now)  # unseen: so that it lets go of what played
            return self.picture
        self._learn()
        size = self.slot.takes(self.resolution())
        self.given = given = self.conditioning.draw(frame, size, now, condition=True, border=border(size)[1])
        mood = self.moods.vector(now)
        dream = self.slot.dream(given, mood, now, self.moods.world)
        if rested:
            self._back = now, given.time
        self._fall(now)
        self.late = self._awaits(dream, now)
        if self.late:
            return self.picture
        mix, memory = float(self.params.mix.value), float(self.params.memory.value)
        self.picture = self.memory.settle(dream, given, now, mix, memory)
        if self._asleep is not None and self._asleep < 1.0:
            # A chain that names its condition has it without a world, too: drawn twice it would be into one target.
            if self.conditioning.named:
                raw = self._inside.settle(given, given, now, 1.0, 0.0)
            else:
                raw = self.conditioning.draw(frame, frame.size, now, condition=False)
            if self._asleep <= 0.0:
                self.picture = raw  # as it was before a world was asked for: not a pass until one dreams
                return raw
            drawn = self.transition.cross(raw.texture, self.picture.texture, self._asleep, now)
            self.picture = Frame(drawn, dream.time, self.transition.serial)
        return self.picture

    def hold(self, now: float) -> None:
        """The picture is frozen, and this tick goes by: nothing of a layer that is seen moves, neither its own fade nor
        one from world to world, nor its mood, nor the time that a dream is waited for. Costs nothing.
        """
        if not self._rested:
            lost, self._then = now - self._then, now
            self.slot.pause(lost)
            self.moods.pause(lost)
            if self._back is not None:
                self._back = self._back[0] + lost, self._back[1]

    def rest(self) -> None:
        """This tick goes by without it: nobody sees it. Costs nothing."""
        self._rested = True

    def _awaits(self, dream: Frame, now: float) -> bool:
        """Whether this dream is from before a rest, and one of what is there now may still come."""
        if self._back is None:
            return False
        back, given = self._back
        there = self._asleep is not None and (self._asleep == 0.0 or dream.time >= given)
        if there or now - back >= LATE:
            self._back = None
        return self._back is not None

    def _ask(self, rested: bool) -> None:
        """Tell the slot of a new wish; "no world" only once the last one has dissolved into the source, and then before
        any other: what is not seen any more would come back until that one dreams.

        As long as only the source is seen the slot changes at once: the layer's own transition is all there is to see.
        What was wished for out of sight needs none: it comes with its dream, as at the first time.
        """
        wanted = (self.world, str(self.params.size.value))
        if wanted == self._wanted or (wanted[0] is None and self._asleep):
            return
        if not self._asleep and self.slot.playing is not None:
            wanted = (None, wanted[1])
        self._wanted = wanted
        if rested and wanted[0] is not None and not self._asleep:
            self._asleep = None
        self.slot.want(*wanted, float(self.params.crossfade.value) if self._asleep else 0.0, rested)

    def _fall(self, now: float) -> None:
        """Towards the dream once something dreams, towards the source when no world is wanted any more."""
        dt, self._then = max(0.0, now - self._then), now
        if self._asleep is None and self.slot.playing is None and self._back is not None and now - self._back[0] < LATE:
            return  # its world was asked for out of sight, in the midst of a show, and may be there already
        goal = 0.0 if self.world is None else 1.0 if self._asleep or self.slot.playing is not None else 0.0
        if self._asleep is None:
            # A show may open on a dream; a world that comes out of what it is given has the source before that.
            self._asleep = 0.0 if self.slot.fading else goal
        seconds = float(self.params.crossfade.value)
        self._asleep = toward(self._asleep, goal, dt / seconds if seconds > 0.0 else 1.0)

    def _learn(self) -> None:
        """A world brings the condition it was trained on once it is seen, or where nothing else dreams."""
        card, playing = self.slot.card, self.slot.playing
        if card is not None and card is not self._card and (playing is None or playing.world == card.world):
            self._card = card
            self._condition(card, float(self.params.crossfade.value))

    def _condition(self, card: World, fade: float) -> None:
        """A card of a newer version may ask for controls that there are not: its world plays all the same."""
        plain, self._plain = self._plain, False
        try:
            self.conditioning.defaults(card.defaults, fade)
        except ValueError as why:
            self._plain = True
            self.conditioning.defaults({}, fade)
            self.say(f"{card.world} plays with the condition's own defaults: in its card {why}", True)
        if plain and not self._plain:
            self.say(f"the condition is that of {card.world}", False)

    def close(self) -> None:
        """Give back GL objects, the conditioning and the slot."""
        self.memory.close()
        self._inside.close()
        self.conditioning.close()
        self.transition.close()
        self.slot.close()
