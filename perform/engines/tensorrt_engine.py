"""One TensorRT engine in the making: from the cabinet, refitted from one of other weights, or built; compared with
PyTorch before it is trusted, and kept. Worker thread, all of it.
"""

from __future__ import annotations

import gc
import inspect
import io
import logging
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perform.engines.cabinet import Cabinet, Found, Label
from perform.engines.cuda_board import check_room
from perform.engines.cuda_compute import Say
from perform.engines.plan import first_line
from perform.engines.tensorrt_kit import Kit
from perform.plugins import EngineError

if TYPE_CHECKING:
    from torch import Tensor

log = logging.getLogger(__name__)
FAITHFUL = 4.0  # bytes, on average, that an engine's dream may differ from PyTorch's before it is not trusted


def release(module: Any) -> None:
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
class Work:
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
            release(module)
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
            release(module)
            check_room(e)  # nor can it be built
            log.debug("%s cannot be refitted", self.what, exc_info=e)
            return None
        finally:
            if old is not module:
                release(old)
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
            release(module)
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
