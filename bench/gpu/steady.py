"""Hours of it in a minute: waits and allocations a frame, worlds switched at 60 fps, memory over 10,000 frames."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.gpu import counting, players
from bench.gpu.path import PATIENCE, SETTLE, Loop
from bench.gpu.timing import at

FPS = 60.0


def run(case: Any, device: str, world: Path | None) -> Iterator[dict[str, Any]]:
    """The rows of a case: `counts`, `growth`, or switches."""
    assert world is not None
    from bench.gpu.scene import context

    stage = context()
    size = tuple(case.what["size"])
    way = "interop"
    head = {"network": "m", "size": list(size), "engine": way, "gl": stage.renderer}
    if case.group == "switch":
        yield head | switches(stage, way, device, world, size, case.what["switches"], case.what["every"])
        return
    with _playing(stage, way, device, world, size) as loop:
        deed = counts if case.what["way"] == "counts" else growth
        yield head | deed(loop, case.what["frames"])


@contextmanager
def _playing(stage: Any, way: str, device: str, world: Path, size: Any) -> Iterator[Loop]:
    """A loop around one engine, warm."""
    from bench.gpu.scene import Theatre
    from perform.engines.generator import Venue

    generator: Any = players.hardware(way, device).load(players.card(world), "m", size)
    with ExitStack() as after:
        after.callback(generator.close)
        generator.prepare()
        theatre = Theatre(stage, size)
        after.callback(theatre.close)
        engine = generator.open(Venue(software=stage.software))
        after.callback(engine.close)
        loop = Loop(theatre, engine, device)
        loop.until_first(PATIENCE)
        loop.until_settled(generator, SETTLE)
        yield loop


def counts(loop: Loop, frames: int) -> dict[str, Any]:
    """What `frames` frames waited for and allocated, (the loop's own fences apart)."""
    loop.prime()
    for _ in range(50):
        loop.turn()
    before = counting.allocations()
    with counting.counted() as found:
        for _ in range(frames):
            loop.turn()
    after = counting.allocations()
    grown = {name: after[name] - before[name] for name in before}
    return {
        "frames": frames,
        "host waits a frame": round(counting.waits(found) / frames, 3),
        "card allocations a frame": round((grown["blocks"] + counting.allocated(found)) / frames, 3),
        "segments": grown["segments"],
        "seen": dict(found),
    }


def growth(loop: Loop, frames: int, warm: int = 500) -> dict[str, Any]:
    """Memory after `warm` frames and at the end: the process's, PyTorch's, and the card's as the driver sees it."""
    loop.prime()
    for _ in range(min(warm, frames // 4)):
        loop.turn()
    first = memory()
    began = time.perf_counter()
    done = 0
    while done < frames and time.perf_counter() - began < 60.0:
        loop.turn()
        done += 1
    last = memory()
    return {"frames": done, "seconds": round(time.perf_counter() - began, 1), "before": first, "after": last}


def memory() -> dict[str, float]:
    """Megabytes."""
    import torch

    from perform.engines.stamps import resident

    found = {"resident": resident() / 1e6}
    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        found |= {
            "allocated": torch.cuda.memory_allocated() / 1e6,
            "reserved": torch.cuda.memory_reserved() / 1e6,
            "card": (total - free) / 1e6,
        }
    return {name: round(value, 2) for name, value in found.items()}


@dataclass(slots=True)
class Pace:
    """Frames on a grid: how long each took, and which came later than their slot."""

    fps: float
    took: list[float] = field(default_factory=list)  # seconds of work, until GL was through
    late: int = 0

    def add(self, seconds: float) -> None:
        """A frame's own time; late if it did not fit its slot."""
        self.took.append(seconds)
        self.late += seconds > 1.0 / self.fps


def switches(stage: Any, way: str, device: str, world: Path, size: Any, count: int, every: int) -> dict[str, Any]:
    """`count` switches between two warm worlds, one each `every` frames, half of them with a short fade."""
    from bench.gpu.scene import Theatre, finish
    from perform.clock import LiveClock
    from perform.engines.bank import Bank, Role
    from perform.engines.slot import Slot
    from perform.library import Library
    from perform.params import Params
    from perform.plugins import Stage

    with tempfile.TemporaryDirectory() as folder:
        names = players.twins(world, Path(folder))
        clock, params, player = LiveClock(), Params(), players.hardware(way, device)
        bank = Bank(Library([Path(folder)]), lambda: [player])
        roles = [Role(name, "m", size) for name in names]
        bank.keep(roles)
        slot = Slot(bank, Stage(params, clock, "/layer/bench", size, software=stage.software))
        theatre = Theatre(stage, size)
        pace, calm = Pace(FPS), Pace(FPS)

        def frame(into: Pace | None) -> None:
            now = clock.now()
            params.settle(now)
            given = theatre.camera(now)
            dream = slot.dream(given, (), now)
            theatre.show(dream.texture, given.texture)
            finish()
            if into is not None:
                into.add(clock.now() - now)
            clock.pace(FPS)

        try:
            _warm(bank, roles, slot, frame)
            for _ in range(120):
                frame(calm)
            seen: Counter[str] = Counter()
            for n in range(count):
                slot.want(names[n % 2], "m", crossfade=(n // 2 % 2) * 0.05)
                for _ in range(every):
                    frame(pace)
                    seen[slot.playing.world if slot.playing is not None else "none"] += 1
        finally:
            slot.close()
            bank.close()
            theatre.close()
    times = sorted(pace.took)
    return {
        "switches": count, "frames": len(times), "late": pace.late, "late without switches": calm.late,
        "frame_p50_ms": round(at(times, 0.5) * 1e3, 3), "frame_p99_ms": round(at(times, 0.99) * 1e3, 3),
        "frame_worst_ms": round(times[-1] * 1e3, 3), "seen": dict(seen),
    }  # fmt: skip


def _warm(bank: Any, roles: list[Any], slot: Any, frame: Any) -> None:
    """Both worlds loaded, each played once, compilers through. Raises TimeoutError."""
    until = time.monotonic() + PATIENCE + SETTLE
    for role in roles:
        slot.want(role.world, role.size)
        while slot.playing != role or players.building(bank.find(role)):
            frame(None)
            if bank.trouble(role):
                raise RuntimeError(bank.trouble(role))
            if time.monotonic() > until:
                raise TimeoutError(f"{role} was not there in time")
        for _ in range(30):
            frame(None)
