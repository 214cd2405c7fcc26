"""The bank: loads worlds in the background and keeps those a show needs warm, within a memory budget.

    bank.keep([Role("landscape", "m", (512, 512)), Role("ocean", "m", (512, 512))])    # most needed first
    bank.find(Role("ocean", "m", (512, 512)))                                          # a Generator, or None yet

One worker does all loading, one world after another: what a slot is waiting for first, then what the show names.
A failed load leaves everything as it was; it is tried again when one of the world's files changes, on request, and
after a while by itself: the disk may have been away, or memory short.
A world whose files change while it plays is loaded again, and the slots move over to the new one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from perform.card import Card, CardError
from perform.engines.dreamer import be_nice
from perform.engines.generator import Full, Generator, Hardware, OnCard
from perform.engines.ladder import Ladder
from perform.engines.room import Cost, Room
from perform.engines.shelf import Entry, Role, Shelf
from perform.engines.stamps import resident, stamp
from perform.health import Status, ask_restart
from perform.library import Library
from perform.plugins import EngineError
from perform.workers import Worker, spawn

__all__ = ["Bank", "Role"]

PARTING = 5.0  # seconds a load under way is waited for at the end
BUDGET = 2_000_000_000  # bytes of warm worlds in the host's memory
SHARE = 0.7  # of what a graphics card has free
LOOK = 1.0  # seconds between looks at the files
AGAIN = 300.0  # seconds until what failed to load is tried once more


@dataclass(slots=True)
class Bank:
    """Warm worlds. `find`, `card`, `trouble`, `hold`, `release` never wait: render thread. Costs a dict look-up.

    `hardware` names the engines to try for each world, best first; it is asked in the worker, when the first
    world is loaded. `synchronous` (a fixed clock) loads inside `find`, so that frame 0 already dreams. `budget` is
    bytes of the host's memory, `share` the part of what a graphics card has free that worlds may take there.
    """

    library: Library
    hardware: Callable[[], Sequence[Hardware]]
    budget: int = BUDGET
    synchronous: bool = False
    status: Status | None = None
    share: float = SHARE
    clock: Callable[[], float] = time.monotonic
    worlds: tuple[str, ...] = ()  # all that the library has, as of the worker's last look: no disk for who asks
    _ladder: Ladder = field(init=False)
    _shelf: Shelf = field(init=False)
    _news: threading.Event = field(default_factory=threading.Event)
    _worker: Worker | None = None
    _leaving: list[OnCard] = field(default_factory=list)  # put away, and not yet gone from a card

    def __post_init__(self) -> None:
        self.worlds = tuple(self.library.names())
        self._ladder, self._shelf = Ladder(self.hardware), Shelf(Room(self.budget, self.share))

    # ------------------------------------------------------------------ any thread, never waits for a load
    def keep(self, roles: Sequence[Role]) -> None:
        """The roles a show names, most needed first: they are loaded ahead and dropped last."""
        self._shelf.keep(roles)
        self._wake()

    def hold(self, role: Role) -> None:
        """A slot wants or plays this role: load it next, and do not drop it."""
        self._shelf.hold(role)
        self._wake()

    def release(self, role: Role) -> None:
        """A slot has no more use for it. It stays warm while there is room."""
        self._shelf.release(role)
        self._wake()

    def find(self, role: Role) -> Generator | None:
        """The loaded world, or None if it is not (or cannot be) there. The newest version if its files changed."""
        entry = self._shelf.entries.get(role)
        if self.synchronous and entry is not None and entry.due:
            self._load(role)
            self._tidy()
        return entry.generator if entry is not None else None

    def trouble(self, role: Role) -> str:
        """Why the role could not be loaded the last time, one sentence; empty if it could, or is still loading."""
        entry = self._shelf.entries.get(role)
        return entry.trouble if entry is not None else ""

    def card(self, role: Role) -> Card | None:
        """The role's card once it has been read."""
        entry = self._shelf.entries.get(role)
        return entry.card if entry is not None else None

    def retry(self, world: str) -> None:
        """Try again now, with the best engine, what of a world failed to load or went down the ladder."""
        with self._shelf.lock:
            for role, entry in self._shelf.entries.items():
                if role.world == world and (self._ladder.forgive(role) or entry.trouble):
                    entry.trouble, entry.due = "", True
        self._wake()

    def failed(self, role: Role, why: str, again: bool = True) -> None:
        """An engine of this role failed at play. When it fails `again`, the next engine down the ladder is loaded."""
        with self._shelf.lock:
            entry = self._shelf.entries.get(role)
            if entry is not None and self._ladder.failed(role, why, again):
                entry.due = True
        self._wake()

    @property
    def nbytes(self) -> int:
        """What the warm worlds cost in the host's memory, about."""
        return self._shelf.total.host

    @property
    def warm(self) -> list[Role]:
        """The roles that could play at once."""
        return [role for role, entry in list(self._shelf.entries.items()) if entry.generator is not None]

    def close(self) -> None:
        """Drop everything, after the slots are closed. Waits some seconds for a load that is under way."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.stop.set()
            self._news.set()
            worker.close(PARTING)
        for generator in self._shelf.clear():
            generator.close()

    # ------------------------------------------------------------------ worker
    def _wake(self) -> None:
        if self.synchronous:
            return
        if self._worker is None:
            self._worker = spawn("bank", self._work)
        self._news.set()

    def _work(self, stop: threading.Event) -> None:
        be_nice()
        looked = time.monotonic()
        while not stop.is_set():
            self._read_cards()
            queue = self._shelf.queue()
            if queue:
                self._load(queue[0], len(queue) - 1)
                self._tidy()
                continue
            self._tidy()
            self._news.wait(LOOK)
            self._news.clear()
            if time.monotonic() - looked >= LOOK:
                looked = time.monotonic()
                self._look()

    def _read_cards(self) -> None:
        """Cards before weights: moods and sizes have names long before a world is loaded."""
        for role, entry in list(self._shelf.entries.items()):
            if entry.card is None and not entry.trouble:
                before = stamp(self.library, role.world, role.size)  # first: what comes meanwhile is a change
                try:
                    entry.card = self.library.card(role.world)
                except (CardError, LookupError) as e:
                    with self._shelf.lock:
                        entry.stamp = before
                    self._failed(role, entry, str(e.args[0]))

    def _load(self, role: Role, more: int = 0) -> None:
        entry = self._shelf.entries.get(role)
        if entry is None:
            return
        if not entry.trouble:  # else it is tried once more, of which something is said only if it goes otherwise
            self._say(f"loading {role} at {role.shape[0]}×{role.shape[1]}" + f", {more} to follow" * (more > 0))
        entry.stamp = entry.seen = stamp(self.library, role.world, role.size)
        before, ahead = resident(), not entry.wanted
        try:
            card = self.library.card(role.world)
            entry.card = card
            generator, troubles = self._ladder.load(
                role, card, role.size, role.shape, lambda: self._yield_to(role), ahead
            )
            if not self.synchronous:
                generator.prepare()
        except (EngineError, CardError, LookupError) as e:
            if isinstance(e, Full) and ahead:
                with self._shelf.lock:
                    entry.trouble, entry.due = "", entry.wanted > 0  # once somebody wants it, others make room
                self._say(f"{role} is not loaded ahead: {e}")
                return
            why = str(e.args[0] if e.args else e)
            if getattr(e, "deadly", False) and self.status is not None:
                ask_restart(self.status.params, why)
            self._failed(role, entry, why)
            return
        with self._shelf.lock:
            forgotten = self._shelf.entries.get(role) is not entry  # the bank was closed meanwhile
            before_it = generator if forgotten else entry.generator
            if not forgotten:
                entry.cost = Cost.of(generator, resident() - before)  # first: who finds it warm may ask what it takes
                entry.generator, entry.trouble, entry.due = generator, "", False
                entry.makeshift = any(isinstance(trouble, Full) for trouble in troubles)
        if before_it is not None:
            self._part(before_it)
        if forgotten:
            return
        why = f"; {troubles[0]}" if troubles else ""
        self._say(f"{role} is ready ({generator.note}){why}", trouble=bool(why))

    def _failed(self, role: Role, entry: Entry, why: str) -> None:
        """It cannot be loaded. Said once, however often it is tried."""
        with self._shelf.lock:
            before, entry.trouble, entry.due, entry.failed = entry.trouble, why, False, self.clock()
        if why != before:
            self._say(f"{role} cannot be loaded: {why}", trouble=True)

    def _tidy(self) -> None:
        """Put away what there is no room for."""
        self._leaving = [gone for gone in self._leaving if not gone.part(0.0)]
        for why, generator in self._shelf.overflow():
            self._say(why)
            self._part(generator)

    def _part(self, generator: Generator) -> None:
        generator.close()
        if isinstance(generator, OnCard) and not generator.part(0.0):
            self._leaving.append(generator)

    def _yield_to(self, role: Role) -> bool:
        """A card's memory is full: put something away there, if this one is needed more. What has been put away is
        waited for before anything else has to go: a compiler that is at work for it may take minutes to end."""
        if not self._leaving:
            taken = self._shelf.yield_to(role)
            if taken is None:
                return False
            self._say(taken[0])
            self._part(taken[1])
        if self._leaving:
            self._say(f"{role} waits for the memory of a world that was put away while something was made for it")
        while self._leaving:
            if self._leaving[0].part(LOOK):
                self._leaving.pop(0)
            elif (worker := self._worker) is None or worker.stop.is_set():
                return False  # the bank is being closed
        return True

    def _look(self) -> None:
        """See whether files of what is loaded, or failed, have changed: seen twice the same, they are complete. And
        whether what failed, and is needed, has waited for long enough: its trouble stands until it has been loaded.
        """
        self.worlds = tuple(self.library.names())
        for role, entry in list(self._shelf.entries.items()):
            if entry.due or not (entry.generator or entry.trouble):
                continue
            now = stamp(self.library, role.world, role.size)
            if now != entry.stamp and now == entry.seen:
                with self._shelf.lock:
                    entry.trouble, entry.due = "", True
            elif entry.trouble and self.clock() - entry.failed >= AGAIN:
                with self._shelf.lock:
                    entry.due = entry.wanted > 0 or role in self._shelf.kept
            entry.seen = now

    def _say(self, text: str, trouble: bool = False) -> None:
        if self.status is not None:
            self.status.say(text, trouble)
