"""Shaders that know nothing of ISF: Shadertoy's `mainImage` and plain fragment shaders (glslsandbox, Book of Shaders).

Their conventions become inputs: `iMouse` and `mouse` a point that can be played, image channels image inputs, a
`backbuffer` a persistent pass, other uniforms floats and colours.
"""

from __future__ import annotations

import re
from pathlib import Path

from perform.gl.isf import tokens
from perform.gl.isf.kinds import BUILT_IN, Header, Input, Pass, PatchError

CHANNELS = ("iChannel0", "iChannel1", "iChannel2", "iChannel3")
# Set by the patch on every frame, whoever declares them.
SHADERTOY = {
    "iResolution": "vec3",
    "iTime": "float",
    "iGlobalTime": "float",
    "iTimeDelta": "float",
    "iFrameRate": "float",
    "iFrame": "int",
    "iDate": "vec4",
    "iSampleRate": "float",
    "iChannelTime[4]": "float",
    "iChannelResolution[4]": "vec3",
}
PLAIN = {
    "time": "float",
    "u_time": "float",
    "uTime": "float",
    "resolution": "vec2",
    "u_resolution": "vec2",
    "uResolution": "vec2",
    "frame": "int",
    "u_frame": "int",
    "u_delta": "float",
    "surfaceSize": "vec2",
}
SURFACE = "(c - 0.5) * vec2(RENDERSIZE.x / RENDERSIZE.y, 1.0)"  # GLSL Sandbox's surfacePosition, from c in 0..1
MOUSE = {"iMouse": "vec4", "mouse": "vec2", "u_mouse": "vec2"}
BACK = ("backbuffer", "u_backbuffer", "u_buffer0", "bb")
_TYPES = {"float": "float", "int": "long", "bool": "bool", "vec2": "point2D", "vec3": "color", "vec4": "color"}
_TYPES |= {"sampler2D": "image"}


def read(text: str, path: Path) -> Header:
    """The header a file would have if its author had known ISF. Raises PatchError if it is no shader at all."""
    words = set(re.findall(r"[A-Za-z_]\w*", re.sub(r"//[^\n]*|/\*.*?\*/", " ", text, flags=re.S)))
    if "mainImage" in words and not _has_main(text):
        return _shadertoy(text, path, words)
    if "main" in words:
        if "gl_Position" in words:
            raise PatchError(path, 0, "is a vertex shader; the fragment shader beside it is the patch")
        return _plain(text, path)
    raise PatchError(path, 0, "has no ISF header and neither mainImage() nor main(): not a shader this can show")


def _has_main(text: str) -> bool:
    return re.search(r"\bvoid\s+main\s*\(", re.sub(r"//[^\n]*|/\*.*?\*/", " ", text, flags=re.S)) is not None


def _mouse(name: str) -> Input:
    start = (0.5, 0.5) if name == "mouse" else (0.0, 0.0)  # GLSL Sandbox's; to Shadertoy 0 is a mouse never pressed
    return Input(name, "point2D", start, (0.0, 0.0), (1.0, 1.0), "Where the mouse would be", mouse=True)


def _shadertoy(text: str, path: Path, words: set[str]) -> Header:
    inputs = [Input(c, "image") for c in CHANNELS if c in words]
    if "iMouse" in words:
        inputs.append(_mouse("iMouse"))
    return Header(path, "shadertoy", "source", text, tuple(inputs))


def _plain(text: str, path: Path) -> Header:
    inputs: dict[str, Input] = {}
    passes = (Pass(),)
    for kind, name in uniforms(text):
        if name in BACK and kind == "sampler2D":
            passes = (Pass(name, persistent=True),)
        elif name in MOUSE:
            inputs[name] = _mouse(name)
        elif name in PLAIN or name in SHADERTOY or name in BUILT_IN or "[" in name or kind not in _TYPES:
            continue
        else:
            default = {"float": 0.5, "long": 0, "bool": False, "point2D": (0.5, 0.5), "color": (1.0,) * 4}
            inputs[name] = Input(name, _TYPES[kind], default.get(_TYPES[kind]))
    return Header(path, "glsl", "source", text, tuple(inputs.values()), passes)


def uniforms(text: str) -> list[tuple[str, str]]:
    """(type, name) of every uniform that the text declares."""
    words = tokens.split(text)
    return [(d.type, n) for d in tokens.declarations(words) if d.qualifier == "uniform" for n in d.names]
