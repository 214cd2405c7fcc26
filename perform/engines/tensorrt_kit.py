"""torch-tensorrt on this machine: which variant, which versions, for which card; or why it cannot be had."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from perform.engines.plan import first_line
from perform.plugins import EngineError

LEAST = (7, 5)  # compute capability


@dataclass(frozen=True, slots=True)
class Kit:
    """torch-tensorrt, loaded: which variant, its versions, and the card it is to build for."""

    library: Any
    variant: str  # "TensorRT", "TensorRT-RTX"
    versions: str
    card: str


def load_kit(device: int = 0) -> Kit:
    """torch-tensorrt for this card. Raises EngineError: not installed, no card, wrong CUDA, too old a card."""
    try:
        import torch
    except (ImportError, OSError) as e:
        raise EngineError(f"TensorRT: PyTorch cannot be loaded: {first_line(e)}") from e
    if not torch.cuda.is_available():
        raise EngineError("TensorRT: PyTorch finds no usable card")
    capability = torch.cuda.get_device_capability(device)
    name = f"{torch.cuda.get_device_name(device)} ({capability[0]}.{capability[1]})"
    if capability < LEAST:
        raise EngineError(f"TensorRT: {name} is too old; compute capability {LEAST[0]}.{LEAST[1]} is needed")
    library = _import()
    variant, version, takes = _variant()
    if variant == "TensorRT-RTX" and takes and f"SM{capability[0]}{capability[1]}" not in takes:
        raise EngineError(f"TensorRT-RTX does not run on {name}; install perform[tensorrt] instead of [tensorrt-rtx]")
    versions = (
        f"{variant} {version}, torch-tensorrt {library.__version__}, torch {torch.__version__}, "
        f"CUDA {torch.version.cuda}, driver {_driver(torch)}"
    )
    return Kit(library, variant, versions, name)


def _import() -> Any:
    """torch_tensorrt. Without a driver, with another CUDA or another torch it raises AssertionError, RuntimeError,
    OSError, ImportError or a bare Exception: all of them mean that it cannot be had.
    """
    try:
        import torch_tensorrt
    except ModuleNotFoundError as e:
        if e.name == "torch_tensorrt":
            raise EngineError("TensorRT: torch-tensorrt is not installed (pip install 'perform[tensorrt]')") from e
        raise EngineError(f"TensorRT: torch-tensorrt lacks {e.name}") from e
    except Exception as e:
        raise EngineError(f"TensorRT: torch-tensorrt cannot be loaded: {first_line(e)}") from e
    return torch_tensorrt


def _variant() -> tuple[str, str, frozenset[str]]:
    """Which TensorRT it brought (torch-tensorrt has its module under this name), and the cards that one is for."""
    import tensorrt

    rtx = getattr(tensorrt, "_package_name", "") == "tensorrt_rtx"
    takes = frozenset(map(str, tensorrt.ComputeCapability.__members__)) if rtx else frozenset()
    return "TensorRT-RTX" if rtx else "TensorRT", str(tensorrt.__version__), takes


def _driver(torch: Any) -> str:
    """The newest CUDA that the driver knows, as PyTorch says it."""
    version = int(torch._C._cuda_getDriverVersion())
    return f"{version // 1000}.{version % 1000 // 10}"
