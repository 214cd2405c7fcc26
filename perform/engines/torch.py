"""PyTorch: CUDA and Apple graphics cards, and CPUs where OpenVINO cannot be had.

The network is rebuilt from the card by `perform.networks`; weights are safetensors. On a card it runs in fp16 with
channels last; on a CPU in bf16 where that measures faster (AMX, AVX512-BF16).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from perform.card import Card, Size
from perform.engines import inductor
from perform.engines.generator import Shape, asset_of, check_shape
from perform.engines.host import HostGenerator
from perform.engines.trial import Run, Vector, prove, race
from perform.gl.transfer import Pixels
from perform.library import verify
from perform.notes import Notes, cache_folder
from perform.plugins import EngineError

PRECISIONS = {"cuda": ("fp16",), "mps": ("fp16",), "cpu": ("bf16", "fp32")}
# PyTorch has one stream for Apple's card, whose state threads share unguarded: two that work there at once (both worlds
# of a crossfade, two layers, a world that is proved while another plays) abort the process, or wait for ever.
_MPS = threading.Lock()


@dataclass(slots=True)
class Torch:
    """`device`: auto, cuda, mps or cpu. `precision`: auto, fp16, bf16, fp32. `compile`: torch.compile, which
    takes up to a minute to start and wins where launches, not arithmetic, are the cost."""

    device: str = "auto"
    precision: str = "auto"
    compile: bool = False
    threads: int = 0
    cache: Path | None = None

    def __post_init__(self) -> None:
        if self.device.partition(":")[0] not in ("auto", *PRECISIONS):
            raise ValueError(f"device is auto, {', '.join(PRECISIONS)}, not {self.device!r}")
        if self.precision not in ("auto", "fp16", "bf16", "fp32"):
            raise ValueError(f"precision is auto, fp16, bf16 or fp32, not {self.precision!r}")
        if not 0 <= self.threads <= 256:
            raise ValueError(f"threads is 0 (the machine decides) to 256, not {self.threads}")

    def load(self, card: Card, size: str, shape: Shape) -> HostGenerator:
        """See `generator.Hardware`. Imports torch: the first time a second or two."""
        torch = _library()
        device = pick(torch, self.device)
        weights = asset_of(card, size, "weights", "torch")
        check_shape(shape, card.multiple)
        path = verify(weights, Notes((self.cache or cache_folder()) / "sha256.json"))
        wanted = PRECISIONS[device.partition(":")[0]] if self.precision == "auto" else (self.precision,)
        tried = {name: self._build(torch, card, size, device, name) for name in wanted}
        mood = card.mood.size if card.mood is not None else 0
        runs, troubles = {}, []
        for name, make in tried.items():
            try:
                run = make()
                prove(run, shape, mood)
                runs[name] = run
            except (EngineError, RuntimeError) as e:  # torch's own: no such operator in this precision, no memory
                troubles.append(e)
        if not runs:
            raise troubles[0]
        times = race(runs, shape, mood)
        best = min(times, key=lambda name: times[name])
        nbytes = 3 * path.stat().st_size + shape[0] * shape[1] * 256
        note = f"torch {device} {best}, {times[best] * 1e3:.0f} ms" + (f"; {troubles[0]}" if troubles else "")
        return HostGenerator(tried[best], shape, mood, nbytes, note)

    def lacks(self, size: Size) -> str:
        """See `generator.Choosy`."""
        return "" if "weights" in size.files else "no safetensors, which is what PyTorch plays"

    def _build(self, torch: Any, card: Card, size: str, device: str, precision: str) -> Callable[[], Run]:
        kinds = {"fp16": torch.float16, "bf16": torch.bfloat16, "fp32": torch.float32}
        network = network_of(torch, card, size)
        network.core.to(kinds[precision])
        with alone(device):
            network = network.to(device, memory_format=torch.channels_last)
        if self.compile:
            kept = (self.cache or cache_folder()) / inductor.NAME
            inductor.tidy(kept)
            os.environ.update(inductor.environment(kept))  # read when the first picture comes
            network.compile(options=inductor.options())
        return session(torch, network, device, self.threads)


def _library() -> Any:
    try:
        import torch
    except (ImportError, OSError) as e:
        raise EngineError(f"torch cannot be loaded: {e}") from e
    return torch


def pick(torch: Any, device: str) -> str:
    """The device to use. Raises EngineError if the one asked for is not there."""
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if device == "auto":
        return next(name for name, present in there.items() if present)
    if not there.get(device.partition(":")[0], False):
        raise EngineError(f"torch finds no device {device!r} here; {', '.join(n for n, ok in there.items() if ok)}")
    return device


def network_of(torch: Any, card: Card, size: str) -> Any:
    """The network of one size, on the CPU in float32, its numbers finite. Raises EngineError, one sentence."""
    from safetensors import SafetensorError

    from perform import networks

    try:
        network = networks.load(card.raw, size, card.folder)
    except (KeyError, OSError, ValueError, SafetensorError) as e:
        what = f"the card has no {e}" if isinstance(e, KeyError) else str(e)
        raise EngineError(f"{card.world} {size} cannot be loaded: {what}") from e
    for name, weights in network.named_parameters():
        weights.requires_grad_(False)
        if not bool(torch.isfinite(weights).all()):
            raise EngineError(f"{card.world} {size} holds weights that are not finite numbers ({name})")
    return network


def alone(device: str) -> AbstractContextManager[Any]:
    """What a thread works inside on this device: on MPS one waits for the other; elsewhere nobody does."""
    return _MPS if device.partition(":")[0] == "mps" else nullcontext()


def session(torch: Any, network: Any, device: str, threads: int = 0) -> Callable[[], Run]:
    """Makes Runs of a network; several may run at once (on MPS one after the other)."""

    def make() -> Run:
        if threads:
            torch.set_num_threads(threads)  # of this thread's parallel regions

        def dreamt(picture: Pixels, mood: Vector) -> Pixels:
            with torch.inference_mode():
                given = torch.from_numpy(picture)[None].to(device, non_blocking=True)
                dream = network(given, torch.from_numpy(mood)[None].to(device, non_blocking=True))
                result: Pixels = dream[0].cpu().numpy()
                return result

        def run(picture: Pixels, mood: Vector) -> Pixels:
            with alone(device):
                return dreamt(picture, mood)  # whose tensors are given back inside, too

        return run

    return make
