"""Roles whose engine failed at play: why, how often, and until when each is left alone."""

from __future__ import annotations

from dataclasses import dataclass, field

from perform.engines.bank import Role

PATIENCE = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)  # seconds until an engine that failed is tried again


@dataclass(slots=True)
class _Blame:
    why: str
    tries: int
    until: float


@dataclass(slots=True)
class Blames:
    """Kept by one slot. Times are seconds of the show's clock. Render thread."""

    _known: dict[Role, _Blame] = field(default_factory=dict)

    def add(self, role: Role, why: str, now: float) -> bool:
        """Its engine failed. False if that is known, and the role is left alone anyway."""
        if self.rests(role, now):
            return False
        tries = self._known[role].tries + 1 if role in self._known else 0
        self._known[role] = _Blame(why, tries, now + PATIENCE[min(tries, len(PATIENCE) - 1)])
        return True

    def rests(self, role: Role, now: float) -> bool:
        """Whether it is to be left alone for now."""
        return role in self._known and now < self._known[role].until

    def why(self, role: Role) -> str:
        """What its engine died of, the last time; empty if it never failed."""
        return self._known[role].why if role in self._known else ""

    def forgive(self, world: str) -> None:
        """Somebody asked for this world again: all its roles may be tried at once."""
        for role in [r for r in self._known if r.world == world]:
            del self._known[role]
