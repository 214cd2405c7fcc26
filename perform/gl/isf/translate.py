"""From the GLSL that people write for ISF (1.10 to 3.30, ES, Shadertoy) to GLSL 3.30 core. No GL: any thread.

Words are replaced one for one and lines stay where they are, so a driver's error names the line in the file.
The patch's `main` is wrapped: its output starts as transparent black, and what is not a number leaves as 0, what is
beyond all numbers as 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from perform.gl.isf import strangers, tokens
from perform.gl.isf.builtins import overloads
from perform.gl.isf.kinds import BUILT_IN, Header, Input
from perform.gl.isf.modern import declarations, defines, modernise, outputs, safe, writable

VERSION = "#version 330 core"
_GLSL = {"float": "float", "bool": "bool", "event": "bool", "long": "int", "point2D": "vec2", "color": "vec4"}
_WIDTHS = {"float": 1, "int": 1, "vec2": 2, "vec3": 3, "vec4": 4}

_HELP = """
vec4 isf_texture(sampler2D s, vec2 p) { return texture(s, p); }
vec4 isf_textureRect(sampler2D s, vec2 p) { return texture(s, p / vec2(textureSize(s, 0))); }
vec4 IMG_NORM_PIXEL(sampler2D s, vec2 p) { return texture(s, p); }
vec4 IMG_PIXEL(sampler2D s, vec2 p) { return texture(s, p / vec2(textureSize(s, 0))); }
vec4 IMG_THIS_PIXEL(sampler2D s) { return texture(s, isf_FragNormCoord); }
vec4 IMG_THIS_NORM_PIXEL(sampler2D s) { return texture(s, isf_FragNormCoord); }
vec4 IMG_NORM_THIS_PIXEL(sampler2D s) { return texture(s, isf_FragNormCoord); }
vec2 IMG_SIZE(sampler2D s) { return vec2(textureSize(s, 0)); }
"""
_BIAS = """vec4 isf_texture(sampler2D s, vec2 p, float bias) { return texture(s, p, bias); }
vec4 IMG_NORM_PIXEL(sampler2D s, vec2 p, float bias) { return texture(s, p, bias); }
vec4 IMG_PIXEL(sampler2D s, vec2 p, float bias) { return texture(s, p / vec2(textureSize(s, 0)), bias); }
"""
# The comparison of bits survives compilers that assume there is no NaN. +Infinity is white where 8 bits are written:
# a glow of 1 / distance is full at its heart.
_MAIN = """
void main() {
    isf_FragColor = vec4(0.0);
    isf_main();
    uvec4 bits = floatBitsToUint(isf_FragColor);
    bvec4 bad = equal(bits & 0x7f800000u, uvec4(0x7f800000u));
    vec4 instead = mix(vec4(0.0), vec4(1.0), equal(bits, uvec4(0x7f800000u)));
    isf_FragColor = mix(isf_FragColor, instead, bad);
}
"""
_SHADERTOY = """
void isf_main() {
    mainImage(isf_FragColor, gl_FragCoord.xy);
    isf_FragColor.a = 1.0;
}
"""


@dataclass(frozen=True, slots=True)
class Translation:
    """GLSL 3.30 for one patch. `names` maps inputs and targets to what they are called there.

    `widths` are the components of uniforms for which the patch declared another type than the host has.
    """

    fragment: str
    vertex: str
    names: dict[str, str]
    discards: bool
    widths: dict[str, int] = field(default_factory=dict)


def translate(header: Header, vertex: str | None = None) -> Translation:
    """The patch as GLSL 3.30 core; `vertex` is the text of its own vertex shader, if it has one."""
    words = tokens.split(header.body)
    names = {i.name: safe(i.name) for i in header.inputs}
    names |= {n: safe(n) for n in (*header.targets, *header.imported)}
    given = _given(header, tokens.defined(words))
    others = _others(header, given)
    uniforms = "\n".join(f"uniform {kind} {names.get(n, n)};" for n, kind in (given | others).items())
    known = {n.split("[")[0] for n in given} | {"isf_FragNormCoord", "isf_FragColor"}  # said again, it is dropped
    extensions = modernise(words, names)
    again = overloads(tokens.code(words))
    writable(tokens.code(words))
    varyings = declarations(words, known, fragment=True)
    out = outputs(words)
    head = _head(extensions, uniforms)
    fragment = (
        f"{head}in vec2 isf_FragNormCoord;\nout vec4 isf_FragColor;\n{_HELP}{_BIAS}"
        f"vec4 isf_TexCoords[2] = vec4[2](vec4(isf_FragNormCoord, 0.0, 1.0), vec4(isf_FragNormCoord, 0.0, 1.0));\n"
        f"vec4 isf_FragCoord = gl_FragCoord;\n{again}#line 1\n{tokens.join(words)}\n"
    )
    if header.dialect == "shadertoy" or (defines(words, "mainImage") and not defines(words, "isf_main")):
        fragment += _SHADERTOY
    fragment += _MAIN.replace("isf_main();", f"isf_main();\n    isf_FragColor = {out};") if out else _MAIN
    discards = any(w.text == "discard" for w in words)
    if vertex is not None:
        return Translation(fragment, _vertex(vertex, known, names, uniforms), names, True)
    corners = _generated(varyings) if varyings else _PLAIN
    return Translation(fragment, corners, names, discards, {names.get(n, n): _WIDTHS[k] for n, k in others.items()})


def _given(header: Header, defined: set[str]) -> dict[str, str]:
    """The uniforms that the host declares, and their types in GLSL: none that the patch uses for something else."""
    given = dict(BUILT_IN)
    if header.dialect != "isf":
        own = {name for _, name in strangers.uniforms(header.body)}
        given |= strangers.SHADERTOY
        given |= {n: kind for n, kind in strangers.PLAIN.items() if header.dialect == "glsl" or n in own}
    given = {n: kind for n, kind in given.items() if n.split("[")[0] not in defined}
    given |= dict.fromkeys(header.targets, "sampler2D")
    given |= {n: "samplerCube" if len(files) > 1 else "sampler2D" for n, files in header.imported.items()}
    return given | {i.name: _type(i) for i in header.inputs}


def _others(header: Header, given: dict[str, str]) -> dict[str, str]:
    """The numbers and vectors among these that a stranger declares as of another type, and that type: it is kept."""
    if header.dialect == "isf":
        return {}
    own = {name: kind for kind, name in strangers.uniforms(header.body)}
    return {n: own[n] for n, kind in given.items() if kind in _WIDTHS and own.get(n, kind) in _WIDTHS.keys() - {kind}}


def _type(entry: Input) -> str:
    if entry.mouse:
        return strangers.MOUSE[entry.name]
    return "sampler2D" if entry.picture else _GLSL[entry.type]


def _head(extensions: list[str], uniforms: str) -> str:
    lines = [VERSION, *(f"#extension {name} : enable" for name in extensions)]
    return "\n".join(lines) + f"\n#define ISF 2\n{uniforms}\n"


_CORNER = """vec2 isf_corner() { return vec2(gl_VertexID & 1, gl_VertexID >> 1); }
void isf_vertShaderInit() {
    isf_FragNormCoord = isf_corner();
    gl_Position = vec4(isf_FragNormCoord * 2.0 - 1.0, 0.0, 1.0);
}
"""
_PLAIN = f"""{VERSION}
out vec2 isf_FragNormCoord;
void main() {{
    vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
    isf_FragNormCoord = corner;
    gl_Position = vec4(corner * 2.0 - 1.0, 0.0, 1.0);
}}
"""


def _vertex(text: str, known: set[str], names: dict[str, str], uniforms: str) -> str:
    """The patch's own vertex shader for the four corners of a quad."""
    words = tokens.split(text)
    extensions = modernise(words, names)
    declarations(words, known, fragment=False)
    return (
        f"{_head(extensions, uniforms)}out vec2 isf_FragNormCoord;\n{_CORNER}"
        "vec4 isf_Vertex = vec4(isf_corner() * 2.0 - 1.0, 0.0, 1.0);\n"
        "vec4 isf_TexCoord = vec4(isf_corner(), 0.0, 1.0);\nvec4 isf_FrontColor, isf_TexCoords[2];\n"
        "vec4 isf_ftransform() { return isf_Vertex; }\n"
        f"{_HELP}\n#line 1\n{tokens.join(words)}\nvoid main() {{\n    isf_vertShaderInit();\n    isf_main();\n}}\n"
    )


def _generated(varyings: list[tuple[str, str]]) -> str:
    """A vertex shader for a patch whose varyings nobody else provides: they run over the picture as 0..1, but for
    GLSL Sandbox's surfacePosition.
    """
    values = {"float": "c.x", "vec2": "c", "vec3": "vec3(c, 0.0)", "vec4": "vec4(c, 0.0, 1.0)"}
    own = {("vec2", "surfacePosition"): strangers.SURFACE}
    outs, sets = "uniform vec2 RENDERSIZE;\n" if own.keys() & set(varyings) else "", ""
    for kind, name in dict.fromkeys(varyings):
        if kind in values:
            outs += f"out {kind} {name};\n"
            sets += f"    {name} = {own.get((kind, name), values[kind])};\n"
    return _PLAIN.replace("void main", f"{outs}void main").replace("}\n", f"    vec2 c = corner;\n{sets}}}\n")
