"""The card's two ceilings, measured, and the least time that a network can take under them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.gpu.count import Cost


@dataclass(frozen=True, slots=True)
class Ceilings:
    """Arithmetic (operations a second in half precision) and memory (bytes a second, read plus written)."""

    flops: float
    bandwidth: float

    def floor(self, cost: Cost, ideal: bool = False) -> float:
        """Milliseconds that a picture takes at least: the larger of arithmetic and memory."""
        return max(self.arithmetic(cost), self.memory(cost, ideal))

    def arithmetic(self, cost: Cost) -> float:
        """Milliseconds at the arithmetic ceiling."""
        return 1e3 * cost.flops / self.flops

    def memory(self, cost: Cost, ideal: bool = False) -> float:
        """Milliseconds at the memory ceiling, moving `layered` bytes or `ideal` ones."""
        return 1e3 * (cost.ideal if ideal else cost.layered) / self.bandwidth


def read(device: str, side: int = 8192, megabytes: int = 2048) -> tuple[Ceilings, dict[str, Any]]:
    """Measure both: the best of fp16 and bf16 matrix products on random data, and copies from the card to itself."""
    import torch

    from bench.gpu.timing import measure

    rates = {}
    for kind in (torch.float16, torch.bfloat16):
        a = torch.randn(side, side, device=device, dtype=kind)
        b = torch.randn(side, side, device=device, dtype=kind)
        out = torch.empty_like(a)
        times = measure(lambda i, a=a, b=b, out=out: torch.mm(a, b, out=out), 0.3, device)  # type: ignore[misc]
        rates[str(kind).removeprefix("torch.")] = 2 * side**3 / (times.p50 * 1e-3)
        del a, b, out
    count = megabytes * 1_000_000 // 4
    source = torch.randint(0, 2**31 - 1, (count,), dtype=torch.int32, device=device)
    target = torch.empty_like(source)
    times = measure(lambda i: target.copy_(source), 0.3, device)
    bandwidth = 2 * count * 4 / (times.p50 * 1e-3)
    found = Ceilings(max(rates.values()), bandwidth)
    return found, {"flops": rates, "bandwidth": bandwidth, "matrix": side, "copied_bytes": count * 4}
