"""How long one dream takes, engine by engine: measured, never estimated.

    python -m perform.lab.timing models/landscape --side 256 --side 512 --threads 1 --threads 2

The settings are those of the live engines (perform/engines): one stream, latency first. A run is `picture` uint8
[1,S,S,4] and `mood` float32 [1,M] in, uint8 [1,S,S,4] out, so what is timed is what a show waits for, without the copy
to and from the screen.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from perform import networks
from perform.lab.card import fits, sized, trained

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Play = Callable[[Bytes, Floats], Bytes]
LEAST = 20  # calls: of fewer there is no 95th percentile
HINTS = {"int8": "f32", "bf16": "bf16", "f32": "f32"}  # what OpenVINO may compute in; int8 is in the graph itself


@dataclass(frozen=True)
class Latency:
    """Milliseconds a dream: the fastest, the median and the 95th percentile of `rounds` calls."""

    best: float
    p50: float
    p95: float
    rounds: int


def clock(
    play: Play,
    side: int,
    mood: int,
    seconds: float = 1.0,
    most: int = 60,
    now: Callable[[], float] = time.perf_counter,
) -> Latency:
    """Time `play` for about `seconds`, after three calls that do not count; at least `LEAST` calls, at most `most`."""
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (1, side, side, 4), np.uint8)
    vector = rng.standard_normal((1, mood)).astype(np.float32)
    for _ in range(3):
        play(picture, vector)
    times: list[float] = []
    began = now()
    while len(times) < LEAST or (len(times) < most and now() - began < seconds):
        start = now()
        play(picture, vector)
        times.append(1e3 * (now() - start))
    p50, p95 = np.percentile(times, (50, 95))
    return Latency(min(times), float(p50), float(p95), len(times))


def openvino(source: Any, side: int, mood: int, precision: str = "int8", threads: int = 1) -> Play:
    """An ONNX file, or an OpenVINO model, compiled at one size. Half a second. Raises RuntimeError: what OpenVINO says.

    precision: int8 (what an int8 graph is), bf16 (a float graph, fast where the processor has it), f32.
    """
    import openvino as ov

    core = ov.Core()
    model = core.read_model(source) if isinstance(source, (str, Path)) else source
    model.reshape({"picture": [1, side, side, 4], "mood": [1, mood]})
    config = {
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
        "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": HINTS[precision],
        "ENABLE_CPU_PINNING": False,
    }
    request = core.compile_model(model, "CPU", config).create_infer_request()

    def play(picture: Bytes, vector: Floats) -> Bytes:
        result: Bytes = request.infer({"picture": picture, "mood": vector}, share_inputs=True, share_outputs=True)[0]
        return result

    return play


def onnxruntime(source: Path, threads: int = 1) -> Play:
    """An ONNX file in ONNX Runtime on the CPU."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = ort.InferenceSession(str(source), options, providers=["CPUExecutionProvider"])

    def play(picture: Bytes, vector: Floats) -> Bytes:
        result: Bytes = session.run(["dream"], {"picture": picture, "mood": vector})[0]
        return result

    return play


def pytorch(network: nn.Module, precision: str = "f32", threads: int = 1, device: str = "cpu") -> Play:
    """A live network (bytes in and out) in PyTorch, channels last; precision f32, bf16 or f16. Moves the network."""
    kind = {"f32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16}[precision]
    core = network.core if isinstance(network, networks.Dream) else network
    core.to(kind)
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def play(picture: Bytes, vector: Floats) -> Bytes:
        torch.set_num_threads(threads)
        with torch.inference_mode():
            dream = network(torch.from_numpy(picture).to(device), torch.from_numpy(vector).to(device))
            result: Bytes = dream.cpu().numpy()
        return result

    return play


def engines(card: dict[str, Any], size: str, folder: Path, side: int, threads: int) -> Iterator[tuple[str, Play]]:
    """(name, play) of every engine and precision that one size of a world can be played with on a CPU."""
    entry, mood = card["size"][size], int(card["mood"]["size"])
    if "int8" in entry:
        yield "OpenVINO int8", openvino(folder / entry["int8"], side, mood, "int8", threads)
    if "onnx" in entry:
        for precision in ("bf16", "f32"):
            yield f"OpenVINO {precision}", openvino(folder / entry["onnx"], side, mood, precision, threads)
        yield "ONNX Runtime f32", onnxruntime(folder / entry["onnx"], threads)
    if "weights" in entry:
        for precision in ("bf16", "f32"):
            yield f"torch {precision}", pytorch(networks.load(card, size, folder), precision, threads)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("world", type=Path, help="a world's folder, with its card.toml")
    parser.add_argument("--size", action="append", help="repeatable; every size of the card by default")
    parser.add_argument("--side", type=int, action="append", help="repeatable; 256 by default")
    parser.add_argument("--threads", type=int, action="append", help="repeatable; 1 by default")
    args = parser.parse_args(argv)
    try:
        card = trained(args.world)
        for size in args.size or ():
            sized(card, args.world, size)
        for side in args.side or ():
            fits(card, args.world, side)
    except ValueError as e:
        parser.error(str(e))
    if min(args.threads or (), default=1) < 1:
        parser.error("--threads is 1 or more")
    print(f"{'size':4} {'side':>5} {'threads':>7}  {'engine':18} {'best':>7} {'p50':>7} {'p95':>7}  ms")
    for size in args.size or card["size"]:
        for side in args.side or [256]:
            for threads in args.threads or [1]:
                for name, play in engines(card, size, args.world, side, threads):
                    got = clock(play, side, int(card["mood"]["size"]))
                    print(f"{size:4} {side:5} {threads:7}  {name:18} {got.best:7.2f} {got.p50:7.2f} {got.p95:7.2f}")


if __name__ == "__main__":
    main()
