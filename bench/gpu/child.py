"""The process that measures: cases in on standard input, findings out on standard output, a line of JSON each."""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.gpu.alone import one_line
from bench.gpu.conduct import MARK
from bench.gpu.plan import GL_ALONE, Case


def tell(event: str, **more: Any) -> None:
    """One line to whoever conducts."""
    sys.stdout.write(MARK + json.dumps({"event": event, **more}) + "\n")
    sys.stdout.flush()


def poisoned(torch: Any) -> bool:
    """Whether a CUDA error has made this process useless: only a new one heals that."""
    if not torch.cuda.is_available():
        return False
    try:
        torch.cuda.synchronize()
        torch.zeros(1, device="cuda").add_(1).item()
    except RuntimeError as e:
        return "out of memory" not in str(e).lower()
    return False


def measure(case: Case, task: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The rows of one case."""
    seconds, device, world = task["seconds"], task["device"], Path(task["world"])
    if case.group == "roofline":
        from bench.gpu import roofline

        side, megabytes = (8192, 2048) if device.startswith("cuda") else (256, 8)
        ceilings, about = roofline.read(device, side, megabytes)
        yield {"flops": ceilings.flops, "bandwidth": ceilings.bandwidth, "about": about}
    elif case.group == "engines":
        from bench.gpu import alone

        yield from alone.run(case, seconds, device, world)
    elif case.group == "path" and case.what["way"] == GL_ALONE:
        from bench.gpu import drawn

        yield from drawn.run(case, seconds)
    elif case.group == "path":
        from bench.gpu import path

        yield from path.run(case, seconds, device, world)
    elif case.group == "naive":
        from bench.gpu import naive

        yield from naive.run(case, seconds, device, world)
    elif case.group == "diffusion":
        from bench.gpu import diffusion

        yield from diffusion.run(case, seconds, device)
    else:
        from bench.gpu import steady

        yield from steady.run(case, device, world)


def main() -> None:
    """Take the cases one after another. Leaves early, with the rest undone, if CUDA cannot be used any more."""
    task = json.load(sys.stdin)
    ends = time.monotonic() + task["room"]
    import torch

    from bench.gpu.machine import libraries

    tell("about", about=libraries())
    for told in task["cases"]:
        case = Case(told["name"], told["group"], told["seconds"], told["what"])
        if time.monotonic() + case.seconds > ends:
            tell("skip", case=case.name)
            continue
        tell("begin", case=case.name)
        began = time.monotonic()
        head = {"case": case.name, "group": case.group}
        try:
            for row in measure(case, task):
                tell("row", row={**head, **row})
        except Exception as e:  # noqa: BLE001 - a line of the table; the others go on
            traceback.print_exc()
            tell("row", row={**head, **case.what, "error": one_line(e)})
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        tell("done", case=case.name, seconds=round(time.monotonic() - began, 1))
        if poisoned(torch):
            tell("leave")
            break
    else:
        tell("end")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # drivers and compilers have their own ideas of how to end; everything has been said
