"""What is asked of an NVIDIA card before anything is loaded onto it: which one it is, and whether its driver will do.

Through cuda-bindings, without PyTorch: milliseconds. `cuda` is the module cuda.bindings.runtime, or a stand-in for it.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import Any

from perform.gl.interop import call
from perform.plugins import EngineError


@dataclass(frozen=True, slots=True)
class Gpu:
    """A card: its name, its compute capability and the newest CUDA (major, minor) that its driver knows."""

    name: str
    capability: tuple[int, int]
    driver: tuple[int, int]

    def __str__(self) -> str:
        return f"{self.name} (compute capability {self.capability[0]}.{self.capability[1]})"


def bindings() -> Any:
    """cuda.bindings.runtime. Raises EngineError if it is not installed or cannot be loaded."""
    if importlib.util.find_spec("cuda") is None or importlib.util.find_spec("cuda.bindings") is None:
        raise EngineError("cuda-bindings is not installed (pip install 'perform[rtx]')")
    try:
        from cuda.bindings import runtime
    except (ImportError, OSError, RuntimeError) as e:
        raise EngineError(f"cuda-bindings cannot be loaded: {str(e).splitlines()[0]}") from e
    return runtime


def look(cuda: Any, device: int = 0, major: int = 0) -> Gpu:
    """The card. `major` is the CUDA major that the libraries were made for (0: any).

    Raises EngineError: no driver, one that is too old, no card. The first call of a process makes its CUDA context.
    """
    version = call(cuda, "cudaDriverGetVersion")
    if version == 0:
        raise EngineError("there is no NVIDIA driver")
    driver = version // 1000, version % 1000 // 10
    if driver[0] < major:
        raise EngineError(
            f"the NVIDIA driver is too old: it knows CUDA {driver[0]}.{driver[1]}, and the libraries here are made "
            f"for CUDA {major}"
        )
    count = call(cuda, "cudaGetDeviceCount")
    if device >= count:
        raise EngineError(f"there is no CUDA card number {device}: the driver shows {count}")
    about = call(cuda, "cudaGetDeviceProperties", device)
    name = about.name.decode() if isinstance(about.name, bytes) else str(about.name)
    return Gpu(name.rstrip("\0"), (int(about.major), int(about.minor)), driver)
