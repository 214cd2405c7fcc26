"""The slot: the place in a layer where an engine sits. Switches worlds without a hitch and survives their failures.

    slot.want("ocean", "m", crossfade=2.0)             # whenever it changes; None: the input itself
    picture = slot.dream(conditioned, mood, now)       # once a frame

While a world loads, the present one plays on. Once it has dreamt its first picture it fades in, both dreaming. The
ladder: the chosen size, a smaller one, what was playing, the input itself. An engine that fails keeps its last
picture on the screen, and is tried again after a while.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from perform.card import Card
from perform.engines.bank import Bank, Role
from perform.engines.blame import Blames
from perform.engines.crossing import Crossing
from perform.engines.fade import Fader
from perform.engines.generator import Generator, Shape, Venue
from perform.engines.passthrough import Input
from perform.engines.rates import Rates
from perform.engines.seat import Seat
from perform.frame import Frame
from perform.gl.dissolve import Dissolve
from perform.health import Status, ask_restart
from perform.plugins import Stage

ARRIVAL = 1.0  # seconds in which a world dissolves in that nobody switched to: at the start, or back from trouble


class Slot:
    """Render thread for all calls, GL context current. `fps` caps the dreams a second of each engine (0: no cap).
    `fader` draws the change from one world to another (None: a dissolve); the slot closes it.

    `stage.prefix` is the layer's address; status is under `/status/engine/<its last part>`: a sentence, and
    `dreams` (a second) and `latency` (milliseconds from the input's time to its dream).
    """

    def __init__(self, bank: Bank, stage: Stage, fps: float = 0.0, fader: Fader | None = None) -> None:
        address = f"/status/engine/{stage.prefix.rpartition('/')[2]}"
        self._bank = bank
        self._venue = Venue.of(stage, fps)
        self._status = Status(stage.params, address)
        self._params = stage.params
        self._rates = Rates(stage.params, address)
        self._crossing = Crossing(fader or Dissolve.prepared())
        self._wanted: tuple[str, str] | None = None  # world and size
        self._fade = 0.0  # seconds that were asked for with it
        self._shape: Shape | None = None  # of the pictures in which the world that was asked for is to dream
        self._asked = False  # somebody asked for what comes next (not: it arrives or recovers by itself)
        self._blames = Blames()
        self._held: set[Role] = set()

    # ------------------------------------------------------------------ what the layer calls
    def want(self, world: str | None, size: str = "m", crossfade: float = 0.0, unseen: bool = False) -> None:
        """Play this world (None: the input itself) from now on, fading for so many seconds. Costs nothing.

        The first one dissolves in by itself where it is not there at once, unless what it would come out of is
        `unseen`. Asking for a world that failed tries it again.
        """
        self._wanted = (world, size) if world is not None else None
        self._fade, self._asked = max(0.0, crossfade), unseen or self._crossing.shown is not None
        if world is not None:
            self._bank.retry(world)
            self._blames.forgive(world)

    def takes(self, shape: Shape) -> Shape:
        """The shape in which it wants its pictures: that of what comes, or of what plays until there is something.

        `shape` is (width, height) in pixels, as the world that was asked for would like them. Without this call the
        pictures' own shape is that. Call it before `dream`, every frame.
        """
        self._shape = shape
        for seat in reversed(list(self._crossing.seats)):
            if seat.role is not None and not seat.trouble:
                return seat.role.shape
        return shape

    def dream(self, picture: Frame, mood: Sequence[float], now: float, whose: str | None = None) -> Frame:
        """The newest finished dream of these pictures; the picture itself where nothing dreams. Never blocks.

        `mood` is in the numbers of the world `whose` (None: of any); others that play stay in the mood they have.
        The Frame's serial grows with every change of the picture, `time` is that of the input it was dreamt from,
        its size may differ from the input's while the resolution changes.
        """
        shape = self._shape or picture.size
        self._steer(shape, now)
        for seat in self._crossing.seats:
            known = seat.trouble
            fresh = seat.dream(picture, mood, whose)
            if fresh and seat.role is not None and seat.frame is not None and seat is self._crossing.leader:
                self._rates.count(now, now - seat.frame.time)
            if seat.trouble and not known and seat.role is not None:  # one failure is blamed once
                self._blame(seat.role, seat.trouble, now)
            if seat.deadly:
                ask_restart(self._params, f"{seat.role}: {seat.trouble}")
        frame = self._crossing.draw(picture, now)
        self._rates.publish(now, self._crossing.leader.role is not None)
        self._describe(shape, now)
        return frame

    def pause(self, seconds: float) -> None:
        """So many seconds went by in which nothing was seen to move: a fade goes on where it was."""
        self._crossing.pause(seconds)

    def close(self) -> None:
        """Give everything back. May be called twice."""
        self._crossing.close()
        self._hold(set())

    @property
    def card(self) -> Card | None:
        """The card of the world that was asked for, once it is known; of the one that plays until then."""
        for world in (self._wanted and self._wanted[0], self.playing and self.playing.world):
            for role in self._held:
                card = self._bank.card(role) if role.world == world else None
                if card is not None:
                    return card
        return None

    @property
    def playing(self) -> Role | None:
        """What plays, or fades in; None: the input itself."""
        return self._crossing.leader.role

    @property
    def fading(self) -> bool:
        """Whether two are seen at once."""
        return self._crossing.fading

    # ------------------------------------------------------------------ who plays
    def _role(self, shape: Shape) -> Role | None:
        return Role(*self._wanted, shape) if self._wanted is not None else None

    def _steer(self, shape: Shape, now: float) -> None:
        """Bring in another seat if another one should play."""
        asked: set[Role] = set()
        cast, crossing = self._cast(shape, now, asked), self._crossing
        self._claim(asked)
        if cast is None:
            if crossing.coming is not None and crossing.coming.trouble:
                crossing.turn_back(crossing.present.generator, now)
            return
        role, generator = cast
        if crossing.leads_to(generator):
            self._asked = self._asked and role is None  # it is there: what comes after it is another matter
            return
        if crossing.coming is not None:
            if crossing.turn_back(generator, now, self._fade if self._asked else None):
                self._asked = False
                return
            if role is not None and crossing.coming.frame is None and not crossing.coming.trouble:
                return  # it has not had its first dream: a storm of wishes opens one engine at a time
            crossing.interrupt()
        try:
            engine = Input() if generator is None else generator.open(self._venue)
        except Exception as e:  # noqa: BLE001 - a guard, as in Seat
            if role is not None:
                self._blame(role, str(e).strip() or type(e).__name__, now)
            return
        arrival = ARRIVAL if crossing.shown is not None else 0.0
        crossing.bring(Seat(engine, role, generator), self._fade if self._asked else arrival)
        self._asked = False

    def _cast(self, shape: Shape, now: float, asked: set[Role]) -> tuple[Role | None, Generator | None] | None:
        """Who should play: (role, generator), (None, None) for the input, or None: leave it as it is.

        Fills `asked` with the roles that the bank was asked for.
        """
        wanted = self._role(shape)
        if wanted is None:
            return None, None
        for role in self._ladder(wanted):
            asked.add(role)
            self._hold(self._held | asked)
            if self._blames.rests(role, now):
                continue
            generator = self._bank.find(role)
            if generator is not None:
                return role, generator
            if not self._bank.trouble(role):
                return None  # it is loading
        leader = self._crossing.leader
        if leader.role is not None and leader.sound:
            return None
        return None, None

    def _ladder(self, wanted: Role) -> Iterator[Role]:
        """The chosen size, then the smaller ones (known once the first has been looked for)."""
        yield wanted
        card = self._bank.card(wanted)
        for size in card.smaller(wanted.size) if card is not None else ():
            yield Role(wanted.world, size, wanted.shape)

    def _claim(self, asked: set[Role]) -> None:
        """Tell the bank what is needed: what plays, what fades in and what is asked for."""
        self._hold(asked | {seat.role for seat in self._crossing.seats if seat.role is not None})

    def _hold(self, roles: set[Role]) -> None:
        if roles == self._held:
            return
        for role in roles - self._held:
            self._bank.hold(role)
        for role in self._held - roles:
            self._bank.release(role)
        self._held = roles

    def _blame(self, role: Role, why: str, now: float) -> None:
        if times := self._blames.add(role, why, now):
            self._bank.failed(role, why, again=times > 1)

    def _describe(self, shape: Shape, now: float) -> None:
        """Say who plays, and if it is not what was asked for, why."""
        leader, plays, wanted = self._crossing.leader, self._crossing.plays, self._role(shape)
        if wanted is None:
            return self._status.say("no world: its input shows" if leader.role is None else plays)
        why = self._bank.trouble(wanted)
        if leader.role == wanted and leader.sound and leader.generator is not None:
            if why:
                return self._status.say(f"{wanted} plays on as it was; its new files: {why}", trouble=True)
            return self._status.say(f"{wanted} ({leader.generator.note})")
        if died := self._blames.why(wanted):
            why = f"{wanted} failed: {died}"
        if not why:
            return self._status.say(f"{wanted} is loading; {plays}")
        return self._status.say(f"{why}; {plays}", trouble=True)
