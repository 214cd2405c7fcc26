"""How fast does a world dream here, by engine, precision and threads, alone and beside a renderer?

    .venv/bin/python bench/engines.py                        # landscape m, 256² and 512²
    .venv/bin/python bench/engines.py --world landscape --size s --shape 512x512 --json out/engines.json

`alone` is one network in an empty loop (the best and the median of some runs). `beside` is a slot on a stage whose
render loop draws a three-pass picture at the show's resolution as fast as 60 fps allow: dreams a second, frames a
second and the frames' 99th percentile are what a show with this engine would get. Minima and ratios can be trusted
on a machine that does other things, medians less.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from perform.card import CardError
from perform.cli import pixels
from perform.clock import LiveClock
from perform.engines.bank import Bank, Role
from perform.engines.dreamer import be_nice
from perform.engines.generator import Hardware, Shape
from perform.engines.host import HostGenerator
from perform.engines.openvino import OpenVino
from perform.engines.slot import Slot
from perform.engines.torch import Torch
from perform.engines.trial import probe
from perform.frame import Frame
from perform.gl.context import Context, open_headless
from perform.gl.shader import Program
from perform.gl.target import Target
from perform.library import Library
from perform.params import Params
from perform.plugins import EngineError, Stage
from perform.workers import spawn

SCENE = """#version 330 core
in vec2 uv;
out vec4 color;
uniform float time;
uniform sampler2D before;
void main() {
    vec2 p = uv * 4.0;
    float v = 0.0;
    for (int i = 0; i < 4; i++) { p += sin(p.yx * 1.7 + time); v += sin(p.x + p.y); }
    color = mix(vec4(vec3(0.5 + 0.12 * v), 1.0), texture(before, uv), 0.5);
}
"""


@dataclass(frozen=True)
class Row:
    """One line of the table. Times in ms; None where it was not measured."""

    engine: str
    precision: str
    threads: int
    shape: str
    best: float
    median: float
    dreams: float | None = None
    fps: float | None = None
    p99: float | None = None


def wishes(threads: list[int], torch: bool) -> Iterator[tuple[str, str, int, Hardware]]:
    cache = Path(os.environ.get("PERFORM_BENCH_CACHE", "out/bench-cache"))
    for count in threads:
        for precision in ("int8", "bf16", "fp32"):
            yield "openvino", precision, count, OpenVino(precision, count, cache)
        if torch:
            for precision in ("bf16", "fp32"):
                yield "torch", precision, count, Torch("cpu", precision, threads=count, cache=cache)


def alone(generator: HostGenerator, seconds: float) -> tuple[float, float]:
    """(best, median) of one dream in ms, in a thread of its own as in a show."""
    found: list[float] = []

    def work(stop: object) -> None:
        be_nice()
        assert generator.session is not None
        run, picture, mood = generator.session(), probe(generator.shape), np.zeros(generator.mood, np.float32)
        run(picture, mood)
        until = time.perf_counter() + seconds
        while time.perf_counter() < until or len(found) < 3:
            began = time.perf_counter()
            run(picture, mood)
            found.append(time.perf_counter() - began)

    worker = spawn("bench", work, restart=False)
    worker.close(timeout=600.0)
    return min(found) * 1e3, float(np.median(found)) * 1e3


def beside(hardware: Hardware, role: Role, context: Context, seconds: float, show: Shape) -> tuple[float, float, float]:
    """(dreams a second, frames a second, 99th percentile of a frame in ms) with a renderer at work."""
    clock = LiveClock()
    params = Params()
    bank = Bank(Library.standard(), lambda: [hardware])
    slot = Slot(bank, Stage(params, clock, "/layer/bench", show, software=context.software))
    scene = Program(SCENE, name="bench")
    given, targets = Target(*role.shape), [Target(*show), Target(*show)]
    slot.want(role.world, role.size)
    frames: list[float] = []
    times: list[float] = []
    seen, serial = 0, 0
    start = 0.0
    while True:
        now = clock.now()
        if start and now - start > seconds:
            break
        params.settle(now)
        serial += 1
        began = time.perf_counter()
        scene.draw(given, {"before": given.texture}, {"time": now})
        dream = slot.dream(Frame(given.texture, now, serial), (), now)
        for a, b in ((0, 1), (1, 0)):
            scene.draw(targets[a], {"before": dream.texture if a == 0 else targets[b].texture}, {"time": now})
        frames.append(time.perf_counter() - began)
        if slot.playing is not None and not slot.fading and not start:
            start, frames, seen = now, [], dream.serial
        times.append(now)
        clock.pace(60.0)
    shown = [t for t in times if t >= start]
    result = (dream.serial - seen) / seconds, len(shown) / seconds, float(np.percentile(frames, 99)) * 1e3
    slot.close()
    bank.close()
    scene.close()
    for target in (given, *targets):
        target.close()
    return result


def machine() -> dict[str, Any]:
    name = platform.processor()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        name = models[0] if models else name
    flags = cpuinfo.read_text() if cpuinfo.exists() else ""
    features = [f for f in ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8") if f" {f}" in flags]
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {"cpu": name, "cores": os.cpu_count(), "features": features, "system": platform.platform(), "load": load}


def main() -> None:
    parser = argparse.ArgumentParser(description="Latency per engine, precision, shape and threads.")
    parser.add_argument("--world", default="landscape")
    parser.add_argument("--size", default="m")
    parser.add_argument(
        "--shape", type=pixels, action="append", help="WIDTHxHEIGHT, again for more (default 256x256, 512x512)"
    )
    parser.add_argument("--threads", type=int, action="append", help="again for more (default 1 and all cores)")
    parser.add_argument("--seconds", type=float, default=1.0, help="for each measurement")
    parser.add_argument("--show", type=pixels, default=(1280, 720), help="resolution of the renderer beside it")
    parser.add_argument("--torch", action="store_true", help="torch on the CPU, too")
    parser.add_argument("--alone", action="store_true", help="without the renderer")
    parser.add_argument("--json", type=Path, help="where to write the numbers")
    args = parser.parse_args()
    shapes = args.shape or [(256, 256), (512, 512)]
    threads = args.threads or sorted({1, os.cpu_count() or 1})
    try:
        card = Library.standard().card(args.world)
        card.size(args.size)
    except (LookupError, CardError) as e:
        parser.error(str(e.args[0]))
    context = open_headless()
    about = machine()
    print(f"{args.world} {args.size} on {about['cpu']}, {about['cores']} cores ({' '.join(about['features'])})")
    print("engine    prec  thr     shape    best  median  dreams/s   fps    p99")
    rows = []
    for shape in shapes:
        for engine, precision, count, hardware in wishes(threads, args.torch):
            try:
                generator = hardware.load(card, args.size, shape)
            except EngineError as why:
                print(f"{engine:9} {precision:5} {count:3} {why}")
                continue
            assert isinstance(generator, HostGenerator)
            row = Row(engine, precision, count, "{}x{}".format(*shape), *alone(generator, args.seconds))
            if not args.alone:
                more = beside(hardware, Role(args.world, args.size, shape), context, 3 * args.seconds, args.show)
                row = replace(row, dreams=more[0], fps=more[1], p99=more[2])
            rows.append(row)
            print(line(row))
    context.close()
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        about = {"machine": about, "world": args.world, "size": args.size, "show": "{}x{}".format(*args.show)}
        args.json.write_text(json.dumps({**about, "rows": [asdict(row) for row in rows]}, indent=1) + "\n")


def line(row: Row) -> str:
    def number(value: float | None, width: int) -> str:
        return f"{value:{width}.1f}" if value is not None else " " * width

    head = f"{row.engine:9} {row.precision:5} {row.threads:3} {row.shape:>9} {row.best:7.1f} {row.median:7.1f}"
    return f"{head} {number(row.dreams, 9)} {number(row.fps, 5)} {number(row.p99, 6)}"


if __name__ == "__main__":
    main()
