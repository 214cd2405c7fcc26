"""The shelf: what the bank knows of each world that is wanted, what to load next, and what to put away first."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from perform.card import Card
from perform.engines.generator import Generator, OnCard, Shape
from perform.engines.room import Cost, Room
from perform.engines.stamps import Stamp


@dataclass(frozen=True, slots=True)
class Role:
    """What is to be played: a world at one size, for pictures of one shape (width, height)."""

    world: str
    size: str
    shape: Shape

    def __str__(self) -> str:
        return f"{self.world} {self.size}"


@dataclass(slots=True)
class Entry:
    """What is known of one role. Written under the shelf's lock."""

    generator: Generator | None = None
    card: Card | None = None
    trouble: str = ""
    failed: float = 0.0  # wall time of that, by the bank's clock
    stamp: Stamp = ()  # of the files it was loaded from, or that failed
    seen: Stamp = ()  # of the last look: a change counts once it is seen twice
    wanted: int = 0  # slots that wait for it or play it
    used: float = 0.0  # wall time it was last needed
    due: bool = True  # to be loaded (again)
    makeshift: bool = False  # a better engine had no room for it: it plays there until nobody plays it
    cost: Cost = field(default_factory=Cost)  # known once it has been loaded, and kept when it is put away

    def put_away(self) -> list[Generator]:
        """Take the generator out: what is to be closed, but not under the lock, since it may wait for a last dream."""
        generator, self.generator, self.due = self.generator, None, True
        return [generator] if generator is not None else []


@dataclass(slots=True)
class Shelf:
    """`kept` are the roles that a show names, most needed first. Any thread; nothing here waits."""

    room: Room
    entries: dict[Role, Entry] = field(default_factory=dict)
    kept: tuple[Role, ...] = ()
    lock: threading.Lock = field(default_factory=threading.Lock)

    def keep(self, roles: Sequence[Role]) -> None:
        """These are loaded ahead and put away last."""
        with self.lock:
            self.kept = tuple(dict.fromkeys(roles))
            for role in self.kept:
                self.entries.setdefault(role, Entry())

    def hold(self, role: Role) -> None:
        """Somebody wants or plays it."""
        with self.lock:
            entry = self.entries.setdefault(role, Entry())
            entry.wanted += 1
            entry.due = entry.due or (entry.generator is None and not entry.trouble)
            entry.used = time.monotonic()

    def release(self, role: Role) -> None:
        """Somebody has no more use for it."""
        with self.lock:
            entry = self.entries.get(role)
            if entry is not None:
                entry.wanted = max(0, entry.wanted - 1)
                entry.used = time.monotonic()

    def clear(self) -> list[Generator]:
        """Forget everything: what is to be closed."""
        with self.lock:
            entries = list(self.entries.values())
            self.entries.clear()
            self.kept = ()
        return [generator for entry in entries for generator in entry.put_away()]

    @property
    def total(self) -> Cost:
        """What all that is warm takes."""
        return Cost.sum(e.cost for e in list(self.entries.values()) if e.generator is not None)

    def queue(self) -> list[Role]:
        """What to load: what slots wait for, the latest first; then what the show names and there is room for."""
        with self.lock:
            due = [role for role, entry in self.entries.items() if entry.due and entry.wanted]
            due.sort(key=lambda role: self.entries[role].used, reverse=True)
            taken = Cost.sum(e.cost for e in self.entries.values() if e.wanted)  # these are never put away
            for role in self.kept:
                entry = self.entries[role]
                if entry.wanted:
                    continue
                taken += entry.cost
                if entry.due and self.room.holds(taken):
                    due.append(role)
        return due

    def overflow(self) -> list[tuple[str, Generator]]:
        """Take off what there is no room for, the least needed first, never what a slot wants or plays: why, and what
        is to be closed. Worker thread."""
        warm = [e.generator for e in list(self.entries.values()) if e.generator is not None]
        self.room.look(warm)
        taken: list[tuple[str, Generator]] = []
        with self.lock:
            for entry in self.entries.values():
                generator = entry.generator
                if generator is not None and isinstance(generator, OnCard):  # it may have grown: a wider batch
                    entry.cost = Cost(entry.cost.host, generator.card_bytes)
            total = self.total
            for role in self._idle():
                entry = self.entries[role]
                if entry.generator is None or not (entry.makeshift or self.room.helps(total, entry.cost)):
                    continue
                short = "a better engine may have room for it by now" if entry.makeshift else self.room.short(total)
                why = f"{role} was put away: {short}"
                total -= entry.cost
                taken += [(why, gone) for gone in entry.put_away()]
            known = set(self.kept)
            for role in [r for r, e in self.entries.items() if r not in known and not e.wanted and not e.generator]:
                del self.entries[role]
        return taken

    def yield_to(self, role: Role) -> tuple[str, Generator] | None:
        """A card is full: take off the least needed world there, if this one is needed more. None: there is none.

        One for which something is being made goes after all others: its memory is not free before that has ended.
        """
        with self.lock:
            idle = self._idle()
            wanted = role in self.entries and self.entries[role].wanted
            less = idle if wanted or role not in idle else idle[: idle.index(role)]
            there: dict[Role, OnCard] = {}
            for other in less:
                there |= {other: g} if isinstance(g := self.entries[other].generator, OnCard) else {}
            if not there:
                return None
            other = min(there, key=lambda r: there[r].making)
            (generator,) = self.entries[other].put_away()
        return f"{other} was put away: the graphics card's memory is full", generator

    def _idle(self) -> list[Role]:
        """What is warm, or to be loaded ahead, and nobody plays; the least needed first."""
        need = {role: len(self.kept) - i for i, role in enumerate(self.kept)}
        idle = [r for r, e in self.entries.items() if not e.wanted and (e.generator is not None or e.due)]
        return sorted(idle, key=lambda r: (need.get(r, 0), self.entries[r].used))
