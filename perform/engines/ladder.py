"""The ladder of engines: the best that this machine has, the next one where that cannot, or has failed at play."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field

from perform.card import Card, CardError
from perform.engines.generator import Full, Generator, Hardware, Shape
from perform.plugins import EngineError

TRIES = 2  # failures at play on one rung; then the next one down


@dataclass(slots=True)
class Ladder:
    """`hardware` names the engines, best first; it is asked when the first world is loaded. Worker thread."""

    hardware: Callable[[], Sequence[Hardware]]
    _rungs: Sequence[Hardware] = ()
    _plays: dict[Hashable, int] = field(default_factory=dict)  # the rung that each role was loaded on
    _failed: dict[Hashable, tuple[int, int, str]] = field(default_factory=dict)  # first rung left, failures, why

    def load(
        self, role: Hashable, card: Card, size: str, shape: Shape, room: Callable[[], bool], ahead: bool = False
    ) -> tuple[Generator, Sequence[Exception]]:
        """Load with the best engine that can; and why the better ones could not. Raises what the first one said.

        `room` gives memory back, for one that is short of it; False if there is none to give. `ahead`: nobody plays
        it yet, so that it had better wait for room (`Full` is raised) than go to a slower engine.
        """
        try:
            self._rungs = self._rungs or self.hardware()
        except Exception as e:
            raise EngineError(f"the engines of this machine cannot be listed: {e}") from e
        if not self._rungs:
            raise EngineError("there is no engine on this machine")
        card.size(size)
        first, _, why = self._failed.get(role, (0, 0, ""))
        troubles: list[Exception] = [EngineError(why)] if first else []
        for rung in range(first, len(self._rungs)):
            try:
                generator = _load(self._rungs[rung], card, size, shape, room)
            except (EngineError, CardError) as e:
                if getattr(e, "deadly", False) or (ahead and isinstance(e, Full)):
                    raise
                troubles.append(e)
                continue
            self._plays[role] = rung
            return generator, troubles
        raise troubles[0]

    def failed(self, role: Hashable, why: str, again: bool = True) -> bool:
        """Its engine failed at play. True if it is to be loaded again, one rung down. `again`: False if it had played
        well for so long that what was before does not count. Any thread."""
        first, times, _ = self._failed.get(role, (0, 0, ""))
        times = times + 1 if again else 1
        rung = self._plays.get(role, first)
        down = times >= TRIES and rung + 1 < len(self._rungs)
        self._failed[role] = (rung + 1, 0, why) if down else (first, times, why)
        return down

    def forgive(self, role: Hashable) -> bool:
        """Start from the top again; True if it was not there. Any thread."""
        first, _, _ = self._failed.pop(role, (0, 0, ""))
        return first > 0


def _load(hardware: Hardware, card: Card, size: str, shape: Shape, room: Callable[[], bool]) -> Generator:
    """One rung. Whatever a library raises becomes an EngineError."""
    while True:
        try:
            return hardware.load(card, size, shape)
        except Full:
            if not room():
                raise
        except (EngineError, CardError):
            raise
        except Exception as e:
            raise EngineError(f"{type(hardware).__name__}: {str(e).strip() or type(e).__name__}") from e
