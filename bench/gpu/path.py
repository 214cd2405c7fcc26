"""The whole path: a camera's texture, dreamt, composited, resolved to the screen's eight bits, as in the real loop.

`interop` is the program's CUDA engine, pictures staying on the card; `host bridge` the same engine with pictures
carried through the host's pinned memory; `host` the program's PyTorch engine, which reads the picture back, dreams in a
worker and uploads what it dreamt. All are driven alike: while one picture is dreamt the next is drawn and handed over,
every frame shows a new dream, and GL is never more frames behind than a screen allows.

Without a pause between frames a dream often lands while it is waited for, and is given by itself: the card changes
between GL and CUDA twice a frame. A show at 60 frames a second has it long before the next picture is handed over, and
both go at once. A case that is `landed` waits for the dream before it hands over, as such a show would have: `carried`
says how often each was done a frame.

Latency is from a camera's texture that GL has finished to a dream's texture that GL can read, one frame at a time; a
pass of 16×16 pixels that reads it is part of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.gpu import players
from bench.gpu.alone import one_line
from bench.gpu.counting import Carried
from bench.gpu.timing import at

PATIENCE = 60.0  # seconds for a first dream
STALL = 10.0  # seconds for any other
SETTLE = 90.0  # seconds for an engine that plays at once and gets faster when it has compiled
LATENCIES = 200


def run(case: Any, seconds: float, device: str, world: Path | None) -> Iterator[dict[str, Any]]:
    """One row; where GL and the card are strangers, one more with tensors standing in for textures."""
    from perform.gl.context import GLUnavailable

    size, way = tuple(case.what["size"]), case.what["way"]
    landed = case.what.get("landed", False)
    head = {"network": case.what["network"], "size": list(size), "engine": f"{way}, landed" if landed else way}
    stage: Any = None
    try:
        from bench.gpu.scene import context

        stage = context()
    except (GLUnavailable, ImportError) as e:
        yield head | {"error": f"no GL: {one_line(e)}"}
    if stage is not None:
        try:
            yield head | {"gl": stage.renderer} | _played(case, size, seconds, device, world, stage)
        except Exception as e:  # noqa: BLE001 - a line of the table, the others go on
            yield head | {"gl": stage.renderer, "error": one_line(e)}
    if (stage is None or stage.software) and not landed:
        from bench.gpu import standin

        yield head | {"gl": "none: tensors stand in for textures"} | standin.read(way, size, seconds, device, world)


def _played(case: Any, size: Any, seconds: float, device: str, world: Path | None, stage: Any) -> dict[str, Any]:
    from bench.gpu.scene import Theatre
    from perform.engines.generator import Venue

    assert world is not None
    generator: Any = players.hardware(case.what["way"], device).load(players.card(world), case.what["network"], size)
    with ExitStack() as after:
        after.callback(generator.close)
        generator.prepare()
        theatre = Theatre(stage, size)
        after.callback(theatre.close)
        engine = generator.open(Venue(software=stage.software))
        after.callback(engine.close)
        loop = Loop(theatre, engine, device)
        loop.until_first(PATIENCE)
        row: dict[str, Any] = {"settle_s": round(loop.until_settled(generator, SETTLE), 1)}
        row |= _landed(loop, generator, seconds) if case.what.get("landed") else _at_once(loop, generator, seconds)
        bridge = getattr(getattr(engine, "bridge", None), "kind", "none")
        return row | {"note": players.note(generator), "bridge": bridge}


def _at_once(loop: Loop, generator: Any, seconds: float) -> dict[str, Any]:
    """Frames as fast as they go, latency, and the recorded work by itself."""
    row = {**loop.rate(seconds), **loop.latency(seconds)}
    loop.quiet()
    return row | players.alone(generator, seconds)


def _landed(loop: Loop, generator: Any, seconds: float) -> dict[str, Any]:
    """Frames that hand over once the dream before is there. Latency is that of the other case: it has one frame."""
    loop.before = lambda: players.land(generator)
    return loop.rate(seconds)


class Loop:
    """The loop around one engine. Render thread. `before` is called when a picture is about to be handed over."""

    def __init__(self, theatre: Any, engine: Any, device: str, now: Callable[[], float] = time.perf_counter) -> None:
        from bench.gpu.fences import Fences

        self.theatre, self.engine, self.device, self.now = theatre, engine, device, now
        self.fences = Fences()
        self.mood = (0.0,) * 7
        self.seen = -1
        self.before: Callable[[], None] = lambda: None

    def frame(self) -> None:
        """Camera, dream if there is one, composite, screen: a loop that does not care for every dream."""
        given = self.theatre.camera(self.now() % 60.0)
        self.engine.submit(given, self.mood)
        dream = self.engine.newest()
        if dream is not None:
            self.seen = dream.serial
            self.theatre.show(dream.texture, given.texture)
        self.fences.mark()

    def turn(self) -> None:
        """The same, and the dream is a new one: that of the picture before, while this one is dreamt."""
        given = self.theatre.camera(self.now() % 60.0)
        self.before()
        self.engine.submit(given, self.mood)
        dream = self.awaited(lambda dream: dream.serial != self.seen)
        self.seen = dream.serial
        self.theatre.show(dream.texture, given.texture)
        self.fences.mark()

    def awaited(self, right: Callable[[Any], bool]) -> Any:
        """Ask for the newest dream until it is the right one. Raises TimeoutError."""
        until = self.now() + STALL
        dream = self.engine.newest()
        while dream is None or not right(dream):
            if self.now() > until:
                raise TimeoutError(f"no dream for {STALL:g} seconds")
            time.sleep(0)  # lets a worker have the interpreter
            dream = self.engine.newest()
        return dream

    def prime(self) -> None:
        """Empty the pipeline and put one picture into it."""
        self.quiet()
        given = self.theatre.camera(self.now() % 60.0)
        self.engine.submit(given, self.mood)
        self.seen = self.awaited(lambda dream: dream.time == given.time).serial
        self.engine.submit(self.theatre.camera(self.now() % 60.0), self.mood)

    def until_first(self, patience: float) -> None:
        """Run until there is a dream. Raises TimeoutError."""
        until = self.now() + patience
        while self.seen < 0:
            self.frame()
            if self.now() > until:
                raise TimeoutError(f"no dream for {patience:g} seconds")

    def until_settled(self, generator: Any, patience: float) -> float:
        """Run until the engine says that nothing better is on its way; seconds waited."""
        began = self.now()
        while players.building(generator) and self.now() - began < patience:
            self.frame()
            time.sleep(0.005)
        for _ in range(30):
            self.frame()
        self.quiet()
        return self.now() - began

    def rate(self, seconds: float) -> dict[str, Any]:
        """Frames a second, each with a new dream; how long it is from one to the next; how pictures were carried."""
        self.prime()
        carried = self._counting()
        start = dict(carried.counts) if carried is not None else {}
        frames: list[float] = []
        last = began = self.now()
        while self.now() - began < 2 * seconds or len(frames) < 20:
            self.turn()
            moment = self.now()
            frames.append((moment - last) * 1e3)
            last = moment
        took = last - began
        self.quiet()
        frames.sort()
        row: dict[str, Any] = {
            "fps": round(len(frames) / took, 1),
            "frame_p50_ms": round(at(frames, 0.5), 4),
            "frame_p99_ms": round(at(frames, 0.99), 4),
        }
        return row if carried is None else row | {"carried": carried.since(start, len(frames))}

    def _counting(self) -> Carried | None:
        """The engine's bridge, counting from now on; None for an engine that has none."""
        bridge = getattr(self.engine, "bridge", None)
        if bridge is None or isinstance(bridge, Carried):
            return bridge
        self.engine.bridge = counting = Carried(bridge)
        return counting

    def latency(self, seconds: float) -> dict[str, Any]:
        """Milliseconds from texture to texture, each frame on its own."""
        from bench.gpu.scene import COMPOSITE, finish
        from perform.gl.shader import Program
        from perform.gl.target import Target

        look, small = Program(COMPOSITE, name="look"), Target(16, 16)
        found: list[float] = []
        until = self.now() + seconds
        while len(found) < LATENCIES and (self.now() < until or len(found) < 10):
            given = self.theatre.camera(self.now() % 60.0)
            self.quiet()
            began = self.now()
            self.engine.submit(given, self.mood)
            dream = self.awaited(lambda dream, given=given: dream.time == given.time)  # type: ignore[misc]
            look.draw(small, {"dream": dream.texture, "given": dream.texture}, {"opacity": 0.0})
            finish()
            found.append((self.now() - began) * 1e3)
        look.close()
        small.close()
        found.sort()
        names = ("latency_p50_ms", "latency_p95_ms", "latency_p99_ms")
        return {name: round(at(found, share), 4) for name, share in zip(names, (0.5, 0.95, 0.99), strict=True)}

    def quiet(self) -> None:
        """Wait until GL and CUDA have done everything."""
        from bench.gpu.scene import finish

        self.fences.drain()
        finish()
        if self.device.startswith("cuda"):
            import torch

            torch.cuda.synchronize()
