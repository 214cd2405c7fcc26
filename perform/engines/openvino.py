"""OpenVINO: the engine for CPUs (x86 and ARM). Precision is chosen by a short measurement, once for each machine.

Measured at 512², size m, 2 threads: a Xeon with AMX dreams in 8 ms in bf16, 17 in int8 (whose first and last layers
stay in fp32), 31 in fp32; with AVX2 only, bf16 is five times slower than fp32 and int8 stays good. No table can know:
try, keep the fastest, remember it.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from perform.card import Asset, Card, CardError, Size
from perform.engines.generator import Shape, check_shape
from perform.engines.host import HostGenerator
from perform.engines.trial import Run, Vector, prove, race
from perform.gl.transfer import Pixels
from perform.library import verify
from perform.notes import Notes, cache_folder
from perform.plugins import EngineError

PRECISIONS = ("int8", "bf16", "fp32")
CACHE = "openvino"  # the folder of compiled networks, under names of OpenVINO's
# int8 is the smallest and steadiest beside a busy renderer: it stays unless it is this much slower than the best.
INT8_GRACE = 1.3
ROOM = 1_000_000_000  # bytes of compiled networks kept: OpenVINO itself keeps all, two for each export of a training
# Two threads that ask OpenVINO for a constant's numbers, each for the first time, wait for each other for ever: one has
# Python's lock and waits for what the other is setting up, which waits for Python's lock. Seen: `perform check`.
_ALONE = threading.Lock()


@dataclass(slots=True)
class OpenVino:
    """`precision`: auto, int8, bf16 or fp32. `threads`: 0 lets the machine decide (`default_threads`)."""

    precision: str = "auto"
    threads: int = 0
    cache: Path | None = None  # compiled networks and measurements; None: the user's cache folder
    _core: Any = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.precision not in ("auto", *PRECISIONS):
            raise ValueError(f"precision is auto, {', '.join(PRECISIONS)}, not {self.precision!r}")
        if not 0 <= self.threads <= 256:
            raise ValueError(f"threads is 0 (the machine decides) to 256, not {self.threads}")

    def load(self, card: Card, size: str, shape: Shape) -> HostGenerator:
        """See `generator.Hardware`. The first time 0.5–1.5 s (compiling and measuring), then about 0.15 s."""
        ov = self._library()
        chosen = card.size(size)
        assets = candidates(chosen, self.precision)
        if not assets:
            raise EngineError(f"{card.world} {size} brings no ONNX file for precision {self.precision}")
        key = self._key(ov, chosen, shape)
        notes = Notes(self._folder() / "openvino.json")
        known = notes.get(key)
        networks, troubles = {}, []
        for name, asset in sorted(assets.items(), key=lambda item: item[0] != known):
            try:
                network = self._compile(ov, card, asset, name, shape)
                prove(session(network)(), shape, _mood(card))
                networks[name] = network
            except (EngineError, CardError) as e:
                troubles.append(e)
            if name == known and networks:
                break  # measured before: it is this one
        if not networks:
            raise troubles[0]
        times = race({name: session(network)() for name, network in networks.items()}, shape, _mood(card))
        best = choose(times)
        if not troubles and best != known:
            notes.put(key, best)
        tidy(self._folder() / CACHE)
        network, seconds = networks[best], times[best]
        nbytes = _bytes(assets[best].path, shape)
        note = f"OpenVINO {best}, {seconds * 1e3:.0f} ms" + (f"; {troubles[0]}" if troubles else "")
        return HostGenerator(session(network), shape, _mood(card), nbytes, note)

    def lacks(self, size: Size) -> str:
        """See `generator.Choosy`."""
        kind = "int8 ONNX" if self.precision == "int8" else "ONNX"
        return "" if candidates(size, self.precision) else f"no {kind} file, which is what OpenVINO plays"

    def _library(self) -> Any:
        if self._core is None:
            try:
                import openvino
            except (ImportError, OSError) as e:
                raise EngineError(f"OpenVINO cannot be loaded: {e}") from e
            self._core = openvino.Core()
        return self._core

    def _folder(self) -> Path:
        return self.cache if self.cache is not None else cache_folder()

    def _key(self, core: Any, size: Size, shape: Shape) -> str:
        files = "+".join(asset.sha256[:16] for kind, asset in sorted(size.files.items()) if kind != "weights")
        version = core.get_versions("CPU")["CPU"].build_number
        cpu = core.get_property("CPU", "FULL_DEVICE_NAME")
        return f"{files} {shape[0]}x{shape[1]} {self.precision} {self._threads()} {cpu} {version}"

    def _threads(self) -> int:
        return self.threads or default_threads()

    def _compile(self, core: Any, card: Card, asset: Asset, precision: str, shape: Shape) -> Any:
        path = verify(asset, Notes(self._folder() / "sha256.json"))
        model = read(core, path, shape, _mood(card), card.multiple)
        config = {
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": 1,
            "INFERENCE_NUM_THREADS": self._threads(),
            "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32",
            "ENABLE_CPU_PINNING": False,  # a pinned thread waits for its core while the rasteriser uses it
        }
        cache = self._folder() / CACHE
        with contextlib.suppress(OSError):  # a disk that cannot be written: it compiles each time, and plays as fast
            cache.mkdir(parents=True, exist_ok=True)
            if os.access(cache, os.W_OK):
                config["CACHE_DIR"] = str(cache)
        try:
            return core.compile_model(model, "CPU", config)
        except RuntimeError as e:
            raise EngineError(f"{path} cannot be compiled for this machine: {_first(e)}") from e


def candidates(size: Size, precision: str) -> dict[str, Asset]:
    """The precisions worth trying and the file for each."""
    found = {}
    if "int8" in size.files:
        found["int8"] = size.files["int8"]
    if "onnx" in size.files:
        found |= {"bf16": size.files["onnx"], "fp32": size.files["onnx"]}
    return found if precision == "auto" else {k: v for k, v in found.items() if k == precision}


def choose(times: dict[str, float]) -> str:
    """The precision to play, from seconds a dream: int8 unless it is `INT8_GRACE` slower than the fastest."""
    fastest = min(times, key=lambda name: times[name])
    if "int8" in times and times["int8"] <= INT8_GRACE * times[fastest]:
        return "int8"
    return fastest


def tidy(folder: Path) -> None:
    """Keep `ROOM` bytes of the compiled networks, those that were made or read last, and the newest whatever it takes.

    Milliseconds; never raises. What cannot be deleted now (Windows: another process has it open) goes another time.
    """
    total = 0
    for n, (_, nbytes, path) in enumerate(sorted(_files(folder), reverse=True)):
        total += nbytes
        if n and total > ROOM:
            with contextlib.suppress(OSError):
                path.chmod(0o600)  # OpenVINO writes them read-only, and such a file Windows does not delete
                path.unlink()


def _files(folder: Path) -> list[tuple[int, int, Path]]:
    """When each file was last used (ns), its bytes and its path."""
    found = []
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            with contextlib.suppress(OSError):  # another process has just deleted it
                stat = path.stat()
                # when it was read is kept to the day by most systems, and not at all by some: then its making counts
                found.append((max(stat.st_atime_ns, stat.st_mtime_ns), stat.st_size, path))
    return found


def default_threads() -> int:
    """All cores but one, and at least two where there are two.

    Beside llvmpipe on 2 busy cores, 2 threads dreamt as often as 1 (25 and 26 a second) and left the renderer more
    frames (48 and 33); with more cores the render thread and the rasteriser get one for themselves.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(min(cores, 2), cores - 1)


def read(core: Any, path: Path, shape: Shape, mood: int, multiple: int) -> Any:
    """The network in this file with its sides fixed. Raises EngineError: what it is and what it should be."""
    width, height = shape
    check_shape(shape, multiple)
    try:
        model = core.read_model(path)
    except RuntimeError as e:
        raise EngineError(f"{path} is not an ONNX network that OpenVINO can read: {_first(e)}") from e
    inputs = {port.any_name: port for port in model.inputs}
    wanted = {"picture", "mood"} if mood else {"picture"}
    if set(inputs) != wanted or len(model.outputs) != 1:
        raise EngineError(
            f"{path} takes {', '.join(sorted(inputs))} and gives {len(model.outputs)} results; "
            f"a world takes {' and '.join(sorted(wanted))} and gives one picture"
        )
    shapes = {inputs["picture"]: [1, height, width, 4]}
    if mood:
        shapes[inputs["mood"]] = [1, mood]
    try:
        model.reshape(shapes)
    except RuntimeError as e:
        raise EngineError(f"{path} cannot dream at {width}×{height}: {_first(e)}") from e
    _sane(model, path)
    return model


def _sane(model: Any, path: Path) -> None:
    """Refuse numbers that are not numbers: uint8 results would hide them. Costs a millisecond."""
    with _ALONE:
        _look_through(model, path)


def _look_through(model: Any, path: Path) -> None:
    for node in model.get_ops():
        if node.get_type_name() != "Constant" or not node.get_element_type().is_real():
            continue
        if not np.isfinite(np.asarray(node.data, np.float32)).all():
            raise EngineError(f"{path} holds weights that are not finite numbers ({node.friendly_name})")


def session(network: Any) -> Callable[[], Run]:
    """Makes Runs of a compiled network; several may run at once."""
    names = {port.any_name for port in network.inputs}

    def make() -> Run:
        request = network.create_infer_request()

        def run(picture: Pixels, mood: Vector) -> Pixels:
            given: dict[str, Any] = {"picture": picture[None]}
            if "mood" in names:
                given["mood"] = mood[None]
            try:
                result: Pixels = request.infer(given, share_inputs=True, share_outputs=True)[0][0]
            except RuntimeError as e:
                raise EngineError(f"OpenVINO cannot compute it: {_first(e)}") from e
            return result

        return run

    return make


def _mood(card: Card) -> int:
    return card.mood.size if card.mood is not None else 0


def _bytes(path: Path, shape: Shape) -> int:
    """A guess at memory in use: the weights, their repacked copy, the activations of the finest layers."""
    return 3 * path.stat().st_size + shape[0] * shape[1] * 64


def _first(error: BaseException) -> str:
    """The line of a long message that says what happened."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith(("Exception from", "Check '"))]
    return (telling or lines or [type(error).__name__])[0][:200]
