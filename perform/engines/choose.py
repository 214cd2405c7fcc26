"""Which engine suits this machine: a ranked list, each with its reason in one line."""

from __future__ import annotations

import ctypes
import importlib.util
import platform
import sys
from dataclasses import dataclass
from typing import Any

from perform.engines.generator import Hardware
from perform.plugins import find


@dataclass(frozen=True, slots=True)
class Option:
    """An engine this machine could use. `hardware` is None where it cannot; `reason` says why or why not."""

    name: str
    hardware: Hardware | None
    reason: str


def options() -> list[Option]:
    """All engines, best first. Imports torch only where a graphics card's driver is present. Worker thread."""
    found = [*_nvidia(), _mps(), _openvino(), _cpu()]
    found.append(Option("passthrough", _make("passthrough"), "always there: shows what the generator would be given"))
    return found


def auto(gpu: bool = True) -> list[Hardware]:
    """The engines this machine can use, best first: a bank tries them in this order. Worker thread.

    `gpu` False leaves those out that need a graphics card.

    Passthrough is not among them: a world that cannot be loaded must be said to be so, and a smaller size be tried.
    """
    found = options() if gpu else [_openvino(), _cpu()]
    return [o.hardware for o in found if o.hardware is not None and o.name != "passthrough"]


def named(name: str, **keys: Any) -> list[Hardware]:
    """One engine by its name in show.toml ("auto" for the machine's choice), with its keys.

    Raises LookupError if there is none of that name, TypeError if it has no such key.
    """
    return auto() if name == "auto" else [_make(name, **keys)]


def _make(name: str, **keys: Any) -> Hardware:
    hardware: Hardware = find("engines", name)(**keys)
    return hardware


def _driver() -> bool:
    """Whether NVIDIA's driver is installed: asking it costs a millisecond, importing torch a second."""
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True


def _nvidia() -> list[Option]:
    """Between textures first: with PyTorch (which brings in TensorRT where it is installed), then without it; then
    PyTorch through the host's memory."""
    if not _driver():
        return [Option("cuda", None, "CUDA: there is no NVIDIA driver")]
    without = _torch_trouble()
    light = _light()
    if without:
        return [Option("cuda", None, without), light]
    import torch

    name = torch.cuda.get_device_name()
    found = [Option("torch", _make("torch", device="cuda"), f"CUDA on {name}, through the host's memory")]
    if not _has("cuda.bindings"):
        why = "CUDA: cuda-bindings is not installed; without it pictures go through the host's memory"
        return [Option("cuda", None, why), light, *found]
    return [Option("cuda", _make("cuda"), f"CUDA on {name}"), light, *found]


def _torch_trouble() -> str:
    """Why PyTorch cannot use a card here; empty if it can."""
    if not _has("torch"):
        return "CUDA: torch is not installed"
    try:
        import torch
    except (ImportError, OSError) as e:
        return f"CUDA: torch cannot be imported: {e}"
    if torch.cuda.is_available():
        return ""
    why = "this torch was built without CUDA" if torch.version.cuda is None else "torch finds no usable card"
    return f"CUDA: {why}"


def _light() -> Option:
    if not _has("tensorrt_rtx") or not _has("cuda.bindings"):
        return Option("rtx", None, "TensorRT-RTX is not installed")
    return Option("rtx", _make("rtx"), "TensorRT-RTX, which does without PyTorch")


def _mps() -> Option:
    if (platform.system(), platform.machine()) != ("Darwin", "arm64"):
        return Option("torch", None, "MPS: this is not an Apple silicon Mac")
    if not _has("torch"):
        return Option("torch", None, "MPS: torch is not installed")
    return Option("torch", _make("torch", device="mps"), "MPS on Apple silicon")


def _openvino() -> Option:
    if not _has("openvino"):
        return Option("openvino", None, "OpenVINO is not installed")
    return Option("openvino", _make("openvino"), "OpenVINO: the fastest on a CPU")


def _cpu() -> Option:
    if not _has("torch"):
        return Option("torch", None, "torch is not installed")
    return Option("torch", _make("torch", device="cpu"), "torch on the CPU: where OpenVINO cannot be had")


def _has(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:  # its parent is not there
        return False
