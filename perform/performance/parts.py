"""Opens plugins: sinks and controls."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from perform.health import Guard, Status
from perform.performance.performance import Performance
from perform.plugins import Stage
from perform.show import PartSpec


def open_part(play: Performance, spec: PartSpec, stage: Stage, prefix: str) -> Any:
    """Make and open one sink or control; what keeps it from opening is said, and it is left out (None)."""
    guard = Guard(Status(play.params, f"/status{prefix}"))
    part = guard.run(0.0, lambda: spec.make().open(replace(stage, prefix=prefix)), None)
    if part is not None:
        play.closing.append(part.close)
    return part
