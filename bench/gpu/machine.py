"""The machine by its names: a number without them is worth nothing."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path
from typing import Any

QUERY = ("name", "driver_version", "memory.total", "power.limit", "clocks.max.sm", "clocks.max.memory")


def describe() -> dict[str, Any]:
    """What can be said without a GPU library: processor, system, and what nvidia-smi says. Never fails."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "gpu": _smi(),
    }


def libraries() -> dict[str, Any]:
    """The libraries' versions, in a process that has them loaded anyway."""
    import torch

    about: dict[str, Any] = {"torch": torch.__version__, "cuda": torch.version.cuda}
    if torch.cuda.is_available():
        properties = torch.cuda.get_device_properties(0)
        about["device"] = torch.cuda.get_device_name(0)
        about["cudnn"] = torch.backends.cudnn.version()
        about["multiprocessors"] = properties.multi_processor_count
        about["memory_bytes"] = properties.total_memory
    return about


def _smi() -> dict[str, str]:
    command = ["nvidia-smi", f"--query-gpu={','.join(QUERY)}", "--format=csv,noheader"]
    try:
        out = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError) as e:
        return {"none": f"nvidia-smi says nothing ({type(e).__name__})"}
    lines = out.strip().splitlines()
    values = [value.strip() for value in lines[0].split(",")] if lines else []
    return dict(zip(QUERY, values, strict=False))


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
