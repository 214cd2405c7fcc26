"""The GL functions, found on first use.

pyglet reads its options while `pyglet.gl` is imported and needs libGL from then on. So nothing here imports it
before a context is asked for: `perform --help` and `perform check` run on a machine without any GL.
"""

from __future__ import annotations

import importlib
from typing import Any


class _Library:
    """`gl.glClear` and the rest of pyglet.gl; each name is looked up once and then is a plain attribute."""

    def __getattr__(self, name: str) -> Any:
        if not name.startswith(("gl", "GL", "Con")):  # Config, ContextException; a test collector asks for others
            raise AttributeError(name)
        found = getattr(importlib.import_module("pyglet.gl"), name)
        setattr(self, name, found)
        return found


gl: Any = _Library()
