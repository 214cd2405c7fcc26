"""Notes the program keeps for itself between runs: small facts that took time to find out, as JSON in the user's cache.

Everything here can be deleted at any time: it is measured or computed again.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


def cache_folder() -> Path:
    """Where this user's throw-away files lie (`~/.cache/perform` on Linux). Not created here."""
    from platformdirs import user_cache_path

    return user_cache_path("perform", appauthor=False)


@dataclass(slots=True)
class Notes:
    """A JSON file of key -> value. Any thread. Another process's notes are kept: it is read again before a write.

    A file that cannot be read counts as empty, one that cannot be written is done without: notes only save time.
    """

    path: Path
    limit: int = 500  # notes kept; the oldest go first
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, key: str) -> Any:
        """What was noted under this key, or None."""
        with self._lock:
            return self._read().get(key)

    def put(self, key: str, value: Any) -> bool:
        """Note a JSON value; False if the file cannot be written."""
        with self._lock:
            notes = self._read()
            notes.pop(key, None)
            notes[key] = value
            return self._write(dict(list(notes.items())[-self.limit :]))

    def _read(self) -> dict[str, Any]:
        try:
            notes = json.loads(self.path.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return notes if isinstance(notes, dict) else {}

    def _write(self, notes: dict[str, Any]) -> bool:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=self.path.name)
        except OSError:
            return False
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(notes, file, indent=0)
            os.replace(name, self.path)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(name)
            return False
        return True
