"""TensorRT through torch-tensorrt, the standard one or its RTX variant: an engine made for one card and one shape.

An engine is built for one shape on one card, which takes seconds to minutes: in the background, while PyTorch plays.
It is kept under everything it depends on (weights, shape, precision, library and driver versions, the card), and one
that differs in anything is built anew; if only the weights differ, it is refitted with the new ones in seconds.

    offers()                           who could make TensorRT computes on this machine, and why not
    TensorRt().make(card, "m", (1920, 1080), say) -> Compute

Measured: nothing, as yet. The graph's conversion has been tried as far as a machine without a card allows
(docs/engines.md).
"""

from __future__ import annotations

import functools
import gc
import inspect
import io
import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perform.card import Card, CardError
from perform.engines.cabinet import Cabinet, Found, Label, standard
from perform.engines.cuda_board import check_room
from perform.engines.cuda_compute import Compute, Maker, Say
from perform.engines.generator import Shape, asset_of, check_shape
from perform.engines.plan import first_line
from perform.engines.rtx import Rtx
from perform.engines.tensorrt_kit import Kit, load_kit
from perform.engines.torch import network_of
from perform.plugins import EngineError

if TYPE_CHECKING:
    from torch import Tensor

log = logging.getLogger(__name__)
RECIPE = "fp16, recipe 2"  # of `tensorrt_graph`: counted up when it makes another graph of the same network
FAITHFUL = 4.0  # bytes, on average, that an engine's dream may differ from PyTorch's before it is not trusted


@dataclass(frozen=True, slots=True)
class Offer:
    """A maker of TensorRT computes, or None and the reason why there is none on this machine."""

    maker: Maker | None
    reason: str


def held(device: str) -> int:
    """Bytes of a card that are in use and not PyTorch's; 0 where the device is none. Worker thread."""
    import torch

    if not device.startswith("cuda"):
        return 0
    free, total = torch.cuda.mem_get_info(device)
    return int(total - free - torch.cuda.memory_reserved(device))


@dataclass(slots=True)
class TensorRt:
    """A maker of computes (see `cuda_compute.Maker`) for one shape each. `kit` loads the library: once, in a worker;
    `held` says what of the card others than PyTorch have: TensorRT is one of them."""

    kit: Callable[[], Kit]
    cache: Path | None = None
    device: str = "cuda"
    held: Callable[[str], int] = held
    _kit: Kit | None = None

    @property
    def name(self) -> str:
        return self._kit.variant if self._kit is not None else "TensorRT"

    def quick(self, card: Card, size: str, shape: Shape) -> bool:
        """See `cuda_compute.Maker`: whether the engine is in the cabinet."""
        try:
            return self.cabinet().find(self.label(card, size, shape)) is not None
        except (EngineError, CardError):
            return False  # `make` says why

    def make(self, card: Card, size: str, shape: Shape, say: Say) -> Compute:
        """See `cuda_compute.Maker`. From the cabinet, refitted from an engine of other weights, or built."""
        import torch

        from perform.engines import tensorrt_graph as graph

        kit, label, cabinet = self._loaded(), self.label(card, size, shape), self.cabinet()
        network = network_of(torch, card, size)
        mood = card.mood.size if card.mood is not None else 0
        whole = graph.prepare(network, self.device)
        inputs = graph.example(shape, max(1, mood), self.device)  # TensorRT takes no empty inputs
        work = _Work(kit, cabinet, whole, inputs, f"{card.world} {size}", say)
        before = self.held(self.device)
        module, length = work.known(label) or work.refitted(label) or work.built(label)
        nbytes = max(length, self.held(self.device) - before)  # others may have given some back meanwhile
        note = f"{kit.variant} fp16" + (f"; {work.remark}" if work.remark else "")
        return Compiled(module, note, nbytes, None if mood else inputs[1])

    def label(self, card: Card, size: str, shape: Shape) -> Label:
        """Under what an engine is kept."""
        kit, weights = self._loaded(), asset_of(card, size, "weights", "TensorRT")
        check_shape(shape, card.multiple)
        sides = f"{shape[0]}x{shape[1]}"
        return Label("tensorrt", card.world, size, weights.sha256, sides, RECIPE, kit.versions, kit.card)

    def cabinet(self) -> Cabinet:
        """Where its engines lie."""
        return Cabinet(self.cache / "engines" if self.cache is not None else standard())

    def _loaded(self) -> Kit:
        if self._kit is None:
            self._kit = self.kit()
        return self._kit


@dataclass(slots=True)
class Compiled:
    """A compute (see `cuda_compute.Compute`): an engine, and perhaps a few operators that PyTorch runs around it."""

    module: Any
    note: str
    nbytes: int
    spare: Tensor | None = None  # what a world without a mood is given in its place
    batch: int = 1

    def __call__(self, picture: Tensor, mood: Tensor) -> Tensor:
        """See `cuda_compute.Compute`."""
        from perform.engines import tensorrt_graph as graph

        return graph.play(self.module, picture, mood if self.spare is None else self.spare)

    def close(self) -> None:
        """See `cuda_compute.Compute`."""
        _release(self.module)
        self.module = None


def _release(module: Any) -> None:
    """Give an engine's memory on the card back now. A graph module is a part of a cycle: left alone it would go when
    Python next looks for those, perhaps between two frames, or while another thread records. Where the library has no
    runtime in C++, a context of Python's holds the engine and the memory that it works in.
    """
    for part in module.modules() if module is not None else ():
        for name in [name for name in vars(part) if name in ("engine", "context") or name.endswith("_engine")]:
            setattr(part, name, None)


def _why(error: Exception) -> str:
    """An error of the library in one line. Where its runtime checks something, the first line only says that something
    is not true, and the second what is wrong."""
    first, _, rest = str(error).strip().partition("\n")
    return first_line(rest if first.endswith("to be true but got false") and rest.strip() else error)


@dataclass(slots=True)
class _Work:
    """One engine in the making. `remark` is what a person should know of it afterwards, mostly empty."""

    kit: Kit
    cabinet: Cabinet
    whole: Any
    inputs: tuple[Tensor, Tensor]
    what: str
    say: Say
    remark: str = ""

    def known(self, label: Label) -> tuple[Any, int] | None:
        """From the cabinet; None if it is not there, or the library will not have it (then it is thrown away)."""
        found = self.cabinet.find(label)
        if found is None:
            if self.cabinet.doubt:
                self.remark = f"{self.cabinet.doubt}: built again"
            return None
        module = None
        try:
            module, nbytes = self._open(found)
            self._compare(module)
        except Exception as e:  # noqa: BLE001 - whatever the library makes of it: a file is not worth a show
            _release(module)
            check_room(e)  # a good one would be thrown away
            self.cabinet.discard(label)
            self.remark = f"the engine kept for {self.what} does not load ({_why(e)}): built again"
            return None
        return module, nbytes

    def refitted(self, label: Label) -> tuple[Any, int] | None:
        """An engine of other weights with these instead; None if there is none, or it cannot be refitted."""
        found = self.cabinet.kin(label)
        if found is None:
            return None
        from perform.engines import tensorrt_graph as graph

        self.say(f"refitting the engine of {self.what} with new weights")
        old = module = None
        try:
            old, _ = self._open(found)
            program = graph.export(self.whole, self.inputs)
            module = self.kit.library.dynamo.refit_module_weights(old, program, arg_inputs=self.inputs)
            self._compare(module)
        except Exception as e:  # then it is built, which only takes longer
            _release(module)
            check_room(e)  # nor can it be built
            log.debug("%s cannot be refitted", self.what, exc_info=e)
            return None
        finally:
            if old is not module:
                _release(old)
        return module, self._keep(module, label)

    def built(self, label: Label) -> tuple[Any, int]:
        """Compiled for this card now. Raises EngineError: a graph TensorRT cannot take, or dreams it gets wrong."""
        from perform.engines import tensorrt_graph as graph

        began, module = time.perf_counter(), None
        self.say(f"exporting {self.what} for {self.kit.variant} (1 of 3)")
        try:
            program = graph.export(self.whole, self.inputs)
            self.say(f"{self.kit.variant} is building {self.what} for {label.shape}: up to some minutes (2 of 3)")
            module = self._compiled(program)
            self.say(f"checking what {self.kit.variant} makes of {self.what} (3 of 3)")
            self._compare(module)
        except Exception as e:
            _release(module)
            if isinstance(e, EngineError):
                raise
            check_room(e)  # which is not the graph's fault
            raise EngineError(f"{self.kit.variant} cannot take {self.what}: {_why(e)}") from e
        log.info("%s built %s for %s in %.0f s", self.kit.variant, self.what, label.shape, time.perf_counter() - began)
        return module, self._keep(module, label)

    def _compiled(self, program: Any) -> Any:
        """The graph as an engine, in seconds to minutes; with timings of other builds, and if that fails once more
        without: the library takes damaged ones as they are. Raises whatever it makes of the graph."""
        from perform.engines import tensorrt_graph as graph

        with self._timings() as timings:
            helped = timings.exists()
            try:
                return self._compile(program, timings)
            except Exception as e:
                check_room(e)
                if not helped:
                    raise
                log.info("%s is built again without the timings of other builds: %s", self.what, _why(e))
            timings.unlink(missing_ok=True)
            return self._compile(graph.export(self.whole, self.inputs), timings)  # it may have changed the first

    def _compile(self, program: Any, timings: Path) -> Any:
        dynamo = self.kit.library.dynamo
        return dynamo.compile(program, arg_inputs=self.inputs, **self._settings(timings))

    def _settings(self, timings: Path) -> dict[str, Any]:
        """How to compile, as far as this version of the library knows the words."""
        wanted = {
            "device": self.inputs[0].device,
            "immutable_weights": False,  # so that it can be refitted
            "min_block_size": 1,
            "use_explicit_typing": True,  # older ones: compute in the types of the graph
            "timing_cache_path": str(timings),
        }
        known = inspect.signature(self.kit.library.dynamo.compile).parameters
        return {name: value for name, value in wanted.items() if name in known}

    @contextmanager
    def _timings(self) -> Iterator[Path]:
        """A file for what TensorRT times while it builds: it makes the next build quicker.

        The library loses a finished engine if it cannot write that file: it gets a place where it can. TensorRT itself
        refuses timings of another version or card. What is kept is replaced by what a build that came to its end left.
        """
        kept = self.cabinet.folder / "tensorrt-timings.bin"
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / kept.name
            try:
                shutil.copyfile(kept, path)
            except OSError as e:
                log.debug("no timings from before: %s", e)
            yield path
            try:
                self.cabinet.lay(kept.name, path.read_bytes())
            except OSError as e:
                log.debug("the timings are not kept: %s", e)

    def _open(self, found: Found) -> tuple[Any, int]:
        data = found.path.read_bytes()
        return self.kit.library.load(io.BytesIO(data)).module(), len(data)

    def _keep(self, module: Any, label: Label) -> int:
        """Put the engine into the cabinet; its length in bytes, the least it takes of the card (0: not saved)."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "engine.pt2"
            gc.freeze()  # what there is already: a show plays, and a search through all of it costs frames
            try:
                self.kit.library.save(module, str(path), output_format="exported_program", arg_inputs=self.inputs)
                data = path.read_bytes()
            except Exception as e:  # noqa: BLE001 - it plays all the same
                self.remark = f"the engine of {self.what} cannot be kept: {_why(e)}"
                return 0
            finally:
                gc.collect()  # it is exported to be saved, and what that leaves behind, in cycles, holds the engine
                gc.unfreeze()
        if not self.cabinet.put(label, data):
            self.remark = self.cabinet.trouble
        return len(data)

    def _compare(self, module: Any) -> None:
        """Raise EngineError unless the engine dreams what PyTorch dreams."""
        import torch

        picture, mood = self.inputs
        noise = torch.arange(picture.numel(), device=picture.device).remainder(251).to(picture.dtype).view_as(picture)
        with torch.inference_mode():
            ours, right = module(noise, mood), self.whole(noise, mood)
        if (ours.dtype, ours.shape) != (right.dtype, right.shape):
            raise EngineError(f"{self.kit.variant} gives {self.what} as {ours.dtype} {tuple(ours.shape)}")
        off = float((ours.float() - right.float()).abs().mean())
        if not off <= FAITHFUL:
            raise EngineError(f"{self.kit.variant} gets {self.what} wrong, by {off:.0f} of 255 on average")


# ---------------------------------------------------------------- what this machine has
@functools.cache
def offers(cache: Path | None = None, device: int = 0) -> tuple[Offer, ...]:
    """Makers of TensorRT computes on this machine, best first, each with its reason; what is not there is logged, once.

    Worker thread; imports PyTorch and torch-tensorrt (seconds) where there is a card. Never raises. A process asks its
    machine once: what is installed later counts from the next start.
    """
    found = standard_offer(cache, device), _light(cache, device)
    for offer in found:
        log.log(logging.INFO if offer.maker is None else logging.DEBUG, "%s", offer.reason)
    return found


def standard_offer(cache: Path | None = None, device: int = 0) -> Offer:
    """torch-tensorrt on this machine. Never raises."""
    try:
        kit = load_kit(device)
    except EngineError as e:
        return Offer(None, str(e))
    return Offer(TensorRt(lambda: kit, cache, f"cuda:{device}"), f"{kit.variant} on {kit.card}")


def _light(cache: Path | None, device: int) -> Offer:
    from perform.engines.rtx_maker import RtxMaker

    try:
        maker = RtxMaker.open(Rtx(device, cache))
    except EngineError as e:
        return Offer(None, str(e))
    return Offer(maker, f"TensorRT-RTX on {maker.gpu}")
