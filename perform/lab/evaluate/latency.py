"""How long a dream takes: every entrant in every engine that can play it, with one and with two threads.

What is timed is what a show waits for: bytes in, bytes out (`perform.lab.timing`). Both the fastest call and the
percentiles are kept; medians are compared, since a fastest call is the faster the more calls there were.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from perform.lab import export, graph, moods, run, timing
from perform.networks import Dream


def of_size(
    card: dict[str, Any], size: str, folder: Path, sides: Sequence[int], threads: Sequence[int], seconds: float
) -> list[dict[str, Any]]:
    """One size of a shipped world, in all its engines."""
    rows = []
    for side in sides:
        for count in threads:
            for name, play in timing.engines(card, size, folder, side, count):
                rows.append(_row(name, play, side, count, seconds))
    return rows


SLOW = 200.0  # milliseconds: who takes longer is not asked for larger pictures


def of_run(folder: Path, sides: Sequence[int], threads: Sequence[int], seconds: float) -> list[dict[str, Any]]:
    """The network of a run folder, in the engines that need no calibration: float everywhere. An engine that is slower
    than `SLOW` is not timed at larger sides.
    """
    network = run.network(folder)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as there:
        path = Path(there) / "network.onnx"
        dream = Dream(network).eval()
        graph.to_onnx(dream, path, export.multiple(dream))
        for side in sorted(sides):
            slow = {row["engine"] for row in rows if row["best"] > SLOW}
            for count in threads:
                for name, play in _float(network, path, side, count):
                    if name not in slow:
                        rows.append(_row(name, play, side, count, seconds))
    return rows


def _float(network: nn.Module, path: Path, side: int, threads: int) -> Iterator[tuple[str, timing.Play]]:
    for precision in ("bf16", "f32"):
        yield f"OpenVINO {precision}", timing.openvino(path, side, moods.SIZE, precision, threads)
    yield "ONNX Runtime f32", timing.onnxruntime(path, threads)
    for precision in ("bf16", "f32"):
        yield f"torch {precision}", timing.pytorch(Dream(network).eval(), precision, threads)


def _row(name: str, play: timing.Play, side: int, threads: int, seconds: float) -> dict[str, Any]:
    got = timing.clock(play, side, moods.SIZE, seconds)
    return {
        "engine": name,
        "side": side,
        "threads": threads,
        "best": got.best,
        "p50": got.p50,
        "p95": got.p95,
        "rounds": got.rounds,
    }


def fastest(rows: Sequence[Mapping[str, Any]], side: int, threads: int, among: str = "") -> Mapping[str, Any] | None:
    """The quickest engine at a size with so many threads or fewer, by its median; `among`: engines' names start so.

    Or fewer: on a machine with other work a second thread can cost more than it brings.
    """
    fit = [row for row in rows if row["side"] == side and row["threads"] <= threads and row["engine"].startswith(among)]
    return min(fit, key=lambda row: row["p50"], default=None)
