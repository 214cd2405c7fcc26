"""A patch's programs: one a pass, compiled for this context. Render thread only."""

from __future__ import annotations

import contextlib
from dataclasses import replace

from perform.gl.isf.draft import Draft
from perform.gl.isf.kinds import PatchError
from perform.gl.isf.translate import VERSION
from perform.gl.shader import Program, ShaderError, language

SPECIAL = 12  # passes up to which each has a program of its own


def programs(draft: Draft) -> list[Program]:
    """One program a pass, in which PASSINDEX is a constant; or one for all where there are too many passes.

    A compiler drops what another pass does; software GL else runs it all for each pixel of each pass, masked (a
    source of 4 passes: 9 instead of 21 ms at 640×360).
    """
    count = len(draft.header.passes)
    if not 1 < count <= SPECIAL:
        return [_compile(draft)]
    found: list[Program] = []
    try:
        for index in range(count):
            words = draft.shader.fragment.replace("uniform int PASSINDEX;", f"const int PASSINDEX = {index};", 1)
            found.append(_compile(replace(draft, shader=replace(draft.shader, fragment=words))))
    except PatchError:
        for program in found:
            program.close()
        raise
    return found


def _compile(draft: Draft) -> Program:
    """GLSL 3.30; where that fails, the newest this context has, which converts more by itself (4.20: int to uint)."""
    header, shader = draft.header, draft.shader
    names = str(header.path), str(header.vertex or header.path)
    try:
        return Program(shader.fragment, shader.vertex, *names)
    except ShaderError as e:
        error = PatchError(e.file, e.line, e.message)
        error.__cause__ = e
    newest = language()
    if newest >= 400:
        version = f"#version {newest} core"
        fragment, vertex = (t.replace(VERSION, version, 1) for t in (shader.fragment, shader.vertex))
        with contextlib.suppress(ShaderError):  # the first complaint is the one to tell
            return Program(fragment, vertex, *names)
    raise error
