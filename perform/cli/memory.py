"""What a show remembers from one start to the next: its parameters and where its cue list stands, written down every
few seconds."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from perform import workers
from perform.params import Params

log = logging.getLogger(__name__)
EVERY = 3.0  # seconds


def memory_of(show: Path) -> Memory:
    """The memory that belongs to this show file, in the user's state folder."""
    from platformdirs import user_state_path

    name = hashlib.sha256(str(show.absolute()).encode()).hexdigest()[:16]
    return Memory(user_state_path("perform", appauthor=False) / "shows" / f"{name}.json")


@dataclass(frozen=True, slots=True)
class Memory:
    """A JSON file of address -> value, and under "cues" where the cue list stood. Written whole or not at all."""

    path: Path

    def values(self) -> dict[str, Any]:
        """The values last written down; none if there is nothing that can be read."""
        return {address: value for address, value in self._read().items() if address.startswith("/")}

    def stood(self) -> dict[str, Any]:
        """Where the cue list stood (see `Cues.stood`); empty if that is not known."""
        stood = self._read().get("cues")
        return stood if isinstance(stood, dict) else {}

    def _read(self) -> dict[str, Any]:
        try:
            data = json.loads(self.path.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as e:
            log.warning("the last values cannot be read, starting with the show's own: %s", e)
            return {}
        return data if isinstance(data, dict) else {}

    def write(self, values: dict[str, Any]) -> None:
        """Replace what was written down. Raises OSError."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_suffix(".new")
        try:
            new.write_text(json.dumps(values), "utf-8")
            os.replace(new, self.path)
        except OSError:
            with contextlib.suppress(OSError):
                new.unlink(missing_ok=True)
            raise

    def forget(self) -> None:
        """Nothing is left of an earlier evening. A disk that is frozen is said, and the show plays."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as e:
            log.warning("the values of the last time cannot be removed: %s", e)

    def keep(
        self, params: Params, every: float = EVERY, stood: Callable[[], Mapping[str, Any]] = dict
    ) -> workers.Worker:
        """Write the parameters, and where the cues stand, down every few seconds until the worker is closed. What
        fades is written as where it is going: its cue is past for who resumes. So is what is expected of patches that
        are not good yet. A full disk is said once.
        """
        trouble = ""

        def run(stop: threading.Event) -> None:
            nonlocal trouble
            while not stop.wait(every):
                try:
                    self.write({**params.awaited, **params.goals(), "cues": dict(stood())})
                    trouble = ""
                except OSError as e:
                    if str(e) != trouble:
                        trouble = str(e)
                        log.warning("the values cannot be written down: %s", e)

        return workers.spawn("memory", run)
