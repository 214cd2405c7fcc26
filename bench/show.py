"""What the default show costs: frames and dreams a second, the share of a frame per stage, OSC, switches, memory.

    python bench/show.py                    # the README's table: about three minutes
    python bench/show.py --quick            # a few seconds each, to see that it runs
    python bench/show.py --minutes 11       # and the long memory run
    python bench/show.py --json out/show.json

Each line is read in the real loop (headless, the show's own sources, no instruments); the shares per stage in a run
of their own, in which the GPU finishes each stage before the next begins. Rates are over the whole run after the
warm-up; the machine is printed with them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import socket
import statistics
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from perform.clock import LiveClock
from perform.performance import Performance, Wishes, open_performance
from perform.show import PartSpec, Show, load

SHOW = Path(__file__).parent.parent / "show.toml"
SIZES = ((512, 512), (256, 256))


def staged(side: tuple[int, int], fps: float, world: str = "landscape") -> Show:
    """The default show on a stage of this size, its generator's picture of the same size; `fps` is a ceiling."""
    show = load(SHOW)
    layers = tuple(
        replace(x, resolution=side, world=world, values={**x.values, "world": world}) if x.world != "none" else x
        for x in show.layers
    )
    controls = {
        name: replace(part, keys={**part.keys, "listen": "127.0.0.1:0"}) for name, part in show.controls.items()
    }
    sources = {name: _fitted(part, side) for name, part in show.sources.items()}
    return replace(show, size=side, fps=fps, layers=layers, sources=sources, cues=(), controls=controls)


def _fitted(source: PartSpec, side: tuple[int, int]) -> PartSpec:
    """A source that names a size, drawn no larger than the stage."""
    size = source.keys.get("size")
    return replace(source, keys={**source.keys, "size": tuple(map(min, size, side))}) if size else source


@contextmanager
def playing(show: Show, controls: bool = False) -> Iterator[Performance]:
    """The show, open and warm: its world dreams."""
    with open_performance(show, LiveClock(), Wishes(headless=True, controls=controls, edits=False)) as play:
        deadline = time.monotonic() + 60.0
        while not play.layers["dream"].slot.playing and time.monotonic() < deadline:  # type: ignore[attr-defined]
            play.run(play.clock.now() + 0.25)
        play.run(play.clock.now() + 2.0)
        yield play


@dataclass
class Reading:
    """What one run showed."""

    frames: list[float] = field(default_factory=list)  # seconds each, presented to presented
    dreams: int = 0
    seconds: float = 0.0

    @property
    def line(self) -> dict[str, float]:
        frames = sorted(self.frames)
        return {
            "frames a second": len(frames) / self.seconds,
            "dreams a second": self.dreams / self.seconds,
            "frame, median ms": statistics.median(frames) * 1e3,
            "frame, 99th percentile ms": frames[int(len(frames) * 0.99)] * 1e3,
        }


def watch(play: Performance, seconds: float, each: Callable[[float], None] | None = None) -> Reading:
    """Run and read: `each(now)` is called before every frame."""
    reading, layer, seen = Reading(), play.layers["dream"], -1
    start = last = play.clock.now()
    while (now := play.clock.now()) < start + seconds:
        if each is not None:
            each(now)
        play.tick()
        newest = layer.slot._crossing.leader.frame  # type: ignore[attr-defined]
        if newest is not None and newest.serial != seen:
            seen = newest.serial
            reading.dreams += 1
        shown = play.clock.now()
        reading.frames.append(shown - last)
        last = shown
        play.clock.pace(play.show.fps)
    reading.seconds = play.clock.now() - start
    return reading


def first_picture() -> float:
    """Seconds from the command to the first presented frame, worlds still loading."""
    code = (
        "import time; from perform.cli import run; from perform.performance import performance as p\n"
        "tick = p.Performance.tick\n"
        "def once(self):\n    tick(self); print('first', time.time(), flush=True); self.quit = True\n"
        "p.Performance.tick = once\n"
        f"from perform.cli import main; raise SystemExit(main(['run', {str(SHOW)!r}, '--headless', '--no-supervise',"
        " '--log', 'error']))"
    )
    times = []
    for _ in range(3):
        start = time.time()
        out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stdout
        times.append(float(out.split("first", 1)[1].split()[0]) - start)
    return statistics.median(times)


def help_time() -> float:
    """Seconds that `perform --help` takes, the median of seven."""
    times = []
    for _ in range(7):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "perform", "--help"], capture_output=True, check=True)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def stages(play: Performance, frames: int) -> dict[str, float]:
    """Milliseconds of each stage of a frame (median), each finished on the GPU before the next begins."""
    from perform.conditioning import Conditioning
    from perform.engines.slot import Slot
    from perform.gl.lib import gl
    from perform.layers import LayerStack, Master
    from perform.layers.memory import Memory
    from perform.params import Params
    from perform.performance.feeds import Feed

    inside: list[str] = []
    spent: dict[str, float] = {}
    rows: list[dict[str, float]] = []

    def timed(owner: Any, name: str, stage: str) -> Callable[[], None]:
        deed = getattr(owner, name)

        def wrapped(*args: Any, **keys: Any) -> Any:
            gl.glFinish()
            start = time.perf_counter()
            inside.append(stage)
            try:
                return deed(*args, **keys)
            finally:
                gl.glFinish()
                took = time.perf_counter() - start
                inside.pop()
                spent[stage] = spent.get(stage, 0.0) + took
                if inside:  # a stage's time is its own, without what it calls
                    spent[inside[-1]] = spent.get(inside[-1], 0.0) - took

        setattr(owner, name, wrapped)
        return lambda: setattr(owner, name, deed)

    undo = [
        timed(*what)
        for what in (
            (Params, "settle", "parameters"),
            (Feed, "frame", "source"),
            (Conditioning, "draw", "conditioning"),
            (Slot, "dream", "generator (hand over, take, dissolve)"),
            (Memory, "settle", "mix and memory"),
            (LayerStack, "blend", "composite"),
            (Master, "show", "master, flash guard, inset"),
        )
    ]
    for _ in range(frames):
        spent.clear()
        play.tick()
        rows.append({stage: seconds * 1e3 for stage, seconds in spent.items()})
    for back in undo:
        back()
    return {stage: statistics.median(row.get(stage, 0.0) for row in rows) for stage in rows[-1]}


def osc_flood(play: Performance, seconds: float, rate: int = 5000) -> dict[str, float]:
    """`rate` messages a second in bursts of 50 from another thread; what arrived, what it cost."""
    port = play.controls["osc"].port  # type: ignore[attr-defined]
    received = play.params["/status/osc/messages"]
    play.run(play.clock.now() + 1.0)
    before, sent, stop = float(received.value), 0, threading.Event()
    head = b"/layer/dream/opacity\0\0\0\0,f\0\0"

    def send() -> None:
        nonlocal sent
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            start = time.perf_counter()
            while not stop.is_set():
                for _ in range(50):
                    out.sendto(head + struct.pack(">f", 0.9 + sent % 100 / 1000), ("127.0.0.1", port))
                    sent += 1
                time.sleep(max(0.0, start + sent / rate - time.perf_counter()))

    calm = watch(play, min(seconds, 10.0))
    sender = threading.Thread(target=send)
    sender.start()
    busy = watch(play, seconds)
    stop.set()
    sender.join()
    play.run(play.clock.now() + 1.5)
    slot = 1.0 / play.show.fps
    return {
        "messages sent": sent,
        "messages received": float(received.value) - before,
        "messages a second": sent / busy.seconds,
        "frames beyond twice their slot, calm": sum(f > 2 * slot for f in calm.frames),
        "frames beyond twice their slot, flooded": sum(f > 2 * slot for f in busy.frames),
        "frame, median ms, calm": calm.line["frame, median ms"],
        "frame, median ms, flooded": busy.line["frame, median ms"],
    }


def osc_to_pixel(play: Performance) -> float:
    """Frames between a message being received and its pixel: 1 means the very next frame."""
    from perform.gl.transfer import read

    port = play.controls["osc"].port  # type: ignore[attr-defined]
    counts = []
    play.params.post("/master/flashguard", False)  # dark and bright by turns is what it holds back
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        for n in range(20):
            gamma = struct.pack(">f", 5.0 if n % 2 else 0.2)
            inbox = play.params._inbox
            out.sendto(b"/master/gamma\0\0\0,f\0\0" + gamma, ("127.0.0.1", port))
            deadline = time.monotonic() + 2.0
            while time.monotonic() < deadline and not any(
                post.address == "/master/gamma" for bundle in list(inbox) for post in bundle
            ):
                time.sleep(0.0005)
            mean = read(play.picture.texture).mean()  # type: ignore[union-attr, arg-type]
            for frames in range(1, 10):
                play.tick()
                now = read(play.picture.texture).mean()  # type: ignore[union-attr, arg-type]
                if abs(now - mean) > 4.0:
                    counts.append(frames)
                    break
    return statistics.median(counts) if counts else float("nan")


def switches(play: Performance, count: int) -> dict[str, float]:
    """World off and on again, `count` times in the running show: frames beyond twice their slot."""
    names = ("none", "landscape")
    slot = 1.0 / play.show.fps
    play.params.post("/layer/dream/crossfade", 0.0)
    state = {"next": 0.0, "n": 0}

    def each(now: float) -> None:
        if now >= state["next"]:
            play.params.post("/layer/dream/world", names[int(state["n"]) % 2])
            state["n"] += 1
            state["next"] = now + 0.25

    reading = watch(play, count * 0.25, each)
    return {"switches": state["n"], "frames beyond twice their slot": sum(f > 2 * slot for f in reading.frames)}


def resident() -> float:
    """Resident memory of this process in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def memory(play: Performance, minutes: float) -> dict[str, float]:
    """Resident memory after the first minute and at the end."""
    watch(play, 60.0)
    first = resident()
    play.run(play.clock.now() + (minutes - 1.0) * 60.0)
    return {"MB after one minute": first, f"MB after {minutes:g} minutes": resident()}


def machine() -> str:
    """Processor, cores, rasteriser, versions."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                cpu = line.split(":", 1)[1].strip()
                break
    return f"{cpu}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def table(title: str, rows: dict[str, float]) -> None:
    print(f"\n{title}")
    for name, value in rows.items():
        print(f"  {name:<46}{value:10.2f}")


def main() -> None:
    prog = globals().get("PROG")  # `perform bench` sets it
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog=prog, description=__doc__, formatter_class=raw)
    parser.add_argument("--quick", action="store_true", help="a few seconds each")
    parser.add_argument("--minutes", type=float, default=0.0, help="the long memory run: at least 1")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    if args.minutes and args.minutes < 1.0:
        parser.error(f"argument --minutes: memory is read after one minute first, so at least 1, not {args.minutes:g}")
    seconds = 3.0 if args.quick else 15.0
    found: dict[str, Any] = {"machine": machine()}
    print(machine())
    found["start"] = {"perform --help, s": help_time(), "command to first picture, s": first_picture()}
    table("start", found["start"])
    with playing(staged(SIZES[0], 30.0)) as play:
        name = f"{SIZES[0][0]}×{SIZES[0][1]}, size m, paced at 30 fps"
        found[name] = watch(play, seconds).line
        table(name, found[name])
    for side in SIZES:
        name = f"{side[0]}×{side[1]}, size m"
        with playing(staged(side, 240.0)) as play:
            found[f"{name}, as fast as it goes"] = watch(play, seconds).line
            print(f"\n{name}: {play.context.renderer}; {play.params['/status/engine/dream'].value}")
            table(f"{name}, as fast as it goes", found[f"{name}, as fast as it goes"])
            found[f"{name}, ms a stage"] = stages(play, 60)
            table(f"{name}, ms a stage", found[f"{name}, ms a stage"])
    with playing(staged((256, 256), 30.0), controls=True) as play:
        found["OSC to pixel, frames"] = osc_to_pixel(play)
        table("OSC", {"message to pixel, frames": found["OSC to pixel, frames"]})
        found["OSC flood"] = osc_flood(play, 5.0 if args.quick else 60.0)
        table("OSC, 5,000 messages a second, 256×256 at 30 fps", found["OSC flood"])
        found["world switches"] = switches(play, 20 if args.quick else 100)
        table("world switches, 256×256 at 30 fps", found["world switches"])
        if args.minutes:
            found["memory"] = memory(play, args.minutes)
            table("memory", found["memory"])
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
