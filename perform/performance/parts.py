"""Opens plugins: sources, sinks and controls."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

from perform.health import Status
from perform.performance.performance import Performance
from perform.plugins import Declares, Stage
from perform.show import PartSpec

log = logging.getLogger(__name__)


def opened(status: Status, spec: PartSpec, stage: Stage) -> Any:
    """Make and open a part; what keeps it from opening is said, and it is None until somebody opens it again: for a
    sink that is the next start, for the others an edit of their table may be.
    """
    try:
        part = spec.make()
        if spec.group != "sources" and isinstance(part, Declares):
            part.declare(stage)  # what a cue sets is there, whether it opens or not
        return part.open(stage)
    except Exception as e:
        until = "the next start" if spec.group == "sinks" else "its table is edited, or the next start"
        status.say(f"{str(e) or type(e).__name__}: left out until {until}", trouble=True)
        log.debug("%s", status.address, exc_info=True)
        return None


def open_part(play: Performance, spec: PartSpec, stage: Stage, prefix: str) -> Any:
    """One sink or control, opened and to be closed with the show; None if it could not be."""
    part = opened(Status(play.params, f"/status{prefix}"), spec, replace(stage, prefix=prefix))
    if part is not None:
        play.closing.append(part.close)
    return part


def declare_part(play: Performance, spec: PartSpec, stage: Stage, prefix: str) -> bool:
    """Declare the addresses of a sink or a control that is not opened; False if only opening it would tell them."""
    status = Status(play.params, f"/status{prefix}")
    try:
        part = spec.make()
        if not isinstance(part, Declares):
            return False
        part.declare(replace(stage, prefix=prefix))
    except Exception as e:
        status.say(str(e) or type(e).__name__, trouble=True)
        log.debug("%s", status.address, exc_info=True)
        return False
    return True
