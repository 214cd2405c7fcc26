"""The ISF 2.0 host: headers, translation to GLSL 3.30, passes, live reloading; Shadertoy and plain GLSL too.

patch = LivePatch(find_patch("drift", folders), params, "/source/drift")
texture = patch.render((1280, 720), now)
"""

from perform.gl.isf.controls import declare
from perform.gl.isf.find import find_patch
from perform.gl.isf.header import Header, PatchError, read
from perform.gl.isf.live import LivePatch
from perform.gl.isf.patch import Patch
from perform.gl.isf.succession import Succession

__all__ = ["Header", "LivePatch", "Patch", "PatchError", "Succession", "declare", "find_patch", "read"]
