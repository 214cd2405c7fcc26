"""Compiles a world for one card and one size, in a process of its own, into a package that loads in milliseconds.

    python -m perform.engines.cuda_package models/landscape m 1920 1080 landscape.pt2 [cuda:0 [SHA256]]

torch.compile is minutes of Python, and a show that plays in the same process would stutter all the while. So the
compiler (TorchInductor, ahead of time) has a process of its own, and the show loads what it made.
"""

from __future__ import annotations

import contextlib
import os
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from perform.card import read_card
from perform.engines import inductor
from perform.engines.generator import Shape
from perform.engines.torch import network_of
from perform.plugins import EngineError
from perform.workers import spawn

LIMIT = 900.0  # seconds a compiler may take
NICE = 10


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be compiled: a size of the world in a folder, for (width, height), on a device of PyTorch's.

    `weights` is the sha256 that its safetensors must still have when the compiler comes to them: a training may have
    put others there meanwhile. Empty: whatever the card says then.
    """

    folder: Path
    size: str
    shape: Shape
    device: str = "cuda:0"
    weights: str = ""


def compile_apart(order: Order, out: Path, say: Callable[[str], None], kept: Path) -> None:
    """Have it compiled by another process, which keeps things of its own in the folder `kept`. Worker thread; some ten
    seconds to minutes. Raises EngineError: the compiler's last words. What `say` raises, which is called every second,
    ends that process; so does the end of this one, however sudden."""
    width, height = map(str, order.shape)
    what = [str(order.folder), order.size, width, height, str(out), order.device, order.weights]
    command = [sys.executable, "-m", __name__, *what]
    paths = {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    inductor.tidy(kept)
    began = time.monotonic()
    with (
        _leash() as held,
        subprocess.Popen(
            command,
            env={**os.environ, **paths, **inductor.environment(kept)},
            stdin=held,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as child,
    ):
        words = None
        try:
            while words is None:
                gone = time.monotonic() - began
                if gone > LIMIT:
                    raise EngineError(f"the compiler took more than {LIMIT:.0f} s")
                say(f"compiling for this card, {gone:.0f} s")
                with contextlib.suppress(subprocess.TimeoutExpired):
                    words = child.communicate(timeout=1.0)[1]
        except BaseException:
            child.kill()
            raise
    if child.returncode != 0:
        lines = [line.strip() for line in words.splitlines() if line.strip()]
        raise EngineError(f"the compiler failed: {lines[-1][:200] if lines else f'code {child.returncode}'}")


@contextmanager
def _leash() -> Iterator[int]:
    """The end of a pipe for a child, which is at its end when this process is. Not Popen's own: `communicate` would
    close it at once."""
    theirs, ours = os.pipe()  # no other child inherits them
    try:
        yield theirs
    finally:
        os.close(theirs)
        os.close(ours)


def watch_parent() -> None:
    """End this process when the one that holds its leash ends. Of a person at a terminal there is none."""
    if stat.S_ISFIFO(os.fstat(0).st_mode):
        spawn("parent", _watch)


def _watch(stop: threading.Event) -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 1):  # not sys.stdin: Python cannot end while a thread reads there
            continue
    os._exit(1)


def compile_here(order: Order, out: Path) -> None:
    """Compile in this process and write the package. Raises EngineError if the weights are not those of the order."""
    path = order.folder / "card.toml"
    card = read_card(path.read_bytes(), path)
    weights = card.size(order.size).files.get("weights")
    there = weights.sha256 if weights is not None else ""  # and `network_of` takes no file that has another
    if order.weights not in ("", there):
        raise EngineError(f"{card.world} {order.size} was replaced while it was compiled")

    import torch
    from torch._inductor import aoti_compile_and_package

    network = network_of(torch, card, order.size)
    if order.device.startswith("cuda"):
        torch.cuda.set_device(order.device)
        network.core.to(torch.float16)
    network = network.to(order.device, memory_format=torch.channels_last)
    width, height = order.shape
    picture = torch.zeros(1, height, width, 4, dtype=torch.uint8, device=order.device)
    mood = torch.zeros(1, card.mood.size if card.mood is not None else 0, device=order.device)
    with torch.inference_mode(False), torch.no_grad():
        graph = torch.export.export(network, (picture, mood), strict=False)
        aoti_compile_and_package(graph, package_path=str(out), inductor_configs=inductor.options())


def main(words: list[str]) -> int:
    """The process."""
    if hasattr(os, "nice"):
        os.nice(NICE)  # the show goes first
    watch_parent()
    folder, size, width, height, out, *rest = words
    order = Order(Path(folder), size, (int(width), int(height)), *rest)
    compile_here(order, Path(out))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
