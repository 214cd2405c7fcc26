"""How fast a slot dreams, as two read-only parameters."""

from __future__ import annotations

from dataclasses import dataclass

from perform.params import Params, Spec

EVERY = 0.5  # seconds of show time between two readings


@dataclass(slots=True)
class Rates:
    """Counts dreams; publishes `<address>/dreams` (a second) and `<address>/latency` (ms). Render thread."""

    params: Params
    address: str
    _count: int = 0
    _late: float = 0.0  # sum of latencies, seconds
    _since: float | None = None

    def __post_init__(self) -> None:
        dreams = Spec("float", 0.0, 0.0, unit="1/s", doc="Dreams a second.", readonly=True)
        late = "Milliseconds from the moment a picture was taken to its dream."
        self.params.declare(f"{self.address}/dreams", dreams)
        self.params.declare(f"{self.address}/latency", Spec("float", 0.0, 0.0, unit="ms", doc=late, readonly=True))

    def count(self, now: float, latency: float) -> None:
        """A new dream, this many seconds after its picture was taken."""
        self._count += 1
        self._late += max(0.0, latency)

    def publish(self, now: float, dreaming: bool) -> None:
        """Once a frame."""
        if self._since is None or now < self._since:
            self._since = now
        span = now - self._since
        if span < EVERY:
            return
        self.params.publish(f"{self.address}/dreams", self._count / span)
        if self._count or not dreaming:
            self.params.publish(f"{self.address}/latency", self._late / self._count * 1e3 if self._count else 0.0)
        self._count, self._late, self._since = 0, 0.0, now
