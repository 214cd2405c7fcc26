"""Roles whose engine failed at play: why, how often, and until when each is left alone."""

from __future__ import annotations

from dataclasses import dataclass, field

from perform.engines.bank import Role

PATIENCE = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)  # seconds until an engine that failed is tried again
STEADY = 600.0  # seconds without a failure after which the next one counts as the first


@dataclass(slots=True)
class _Blame:
    why: str
    tries: int
    until: float


@dataclass(slots=True)
class Blames:
    """Kept by one slot. Times are seconds of the show's clock. Render thread."""

    _known: dict[Role, _Blame] = field(default_factory=dict)

    def add(self, role: Role, why: str, now: float) -> int:
        """Its engine failed. How often in a row; 0 if that is known, and the role is left alone anyway."""
        if self.rests(role, now):
            return 0
        known = self._known.get(role)
        tries = known.tries + 1 if known is not None and now < known.until + STEADY else 1
        self._known[role] = _Blame(why, tries, now + PATIENCE[min(tries, len(PATIENCE)) - 1])
        return tries

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
