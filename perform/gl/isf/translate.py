"""From the GLSL that people write for ISF (1.10 to 3.30, ES, Shadertoy) to GLSL 3.30 core. No GL: any thread.

Words are replaced one for one and lines stay where they are, so a driver's error names the line in the file.
The patch's `main` is wrapped: its output starts as transparent black, and what is not a number leaves as 0, what is
beyond all numbers as 1.
"""

from __future__ import annotations

from dataclasses import dataclass

from perform.gl.isf import strangers, tokens
from perform.gl.isf.builtins import overloads
from perform.gl.isf.kinds import BUILT_IN, Header, Input
from perform.gl.isf.modern import declarations, defines, modernise, outputs, safe, writable

VERSION = "#version 330 core"
_GLSL = {"float": "float", "bool": "bool", "event": "bool", "long": "int", "point2D": "vec2", "color": "vec4"}

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
    """GLSL 3.30 for one patch. `names` maps inputs and targets to what they are called there."""

    fragment: str
    vertex: str
    names: dict[str, str]
    discards: bool


def translate(header: Header, vertex: str | None = None) -> Translation:
    """The patch as GLSL 3.30 core; `vertex` is the text of its own vertex shader, if it has one."""
    words = tokens.split(header.body)
    names = {i.name: safe(i.name) for i in header.inputs}
    names |= {n: safe(n) for n in (*header.targets, *header.imported)}
    uniforms = _uniforms(header, names)
    extensions = modernise(words, names)
    again = overloads(tokens.code(words))
    writable(tokens.code(words))
    varyings = declarations(words, _known(header), fragment=True)
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
        return Translation(fragment, _vertex(vertex, header, names, uniforms), names, True)
    if varyings:
        return Translation(fragment, _generated(varyings), names, discards)
    return Translation(fragment, _PLAIN, names, discards)


def _uniforms(header: Header, names: dict[str, str]) -> str:
    lines = [f"uniform {kind} {name};" for name, kind in BUILT_IN.items()]
    for entry in header.inputs:
        lines.append(f"uniform {_type(entry)} {names[entry.name]};")
    declared = {i.name for i in header.inputs}
    kinds = dict.fromkeys(header.targets, "sampler2D")
    kinds |= {n: "samplerCube" if len(files) > 1 else "sampler2D" for n, files in header.imported.items()}
    lines += [f"uniform {kind} {names[p]};" for p, kind in kinds.items() if p not in declared]
    if header.dialect != "isf":
        others = strangers.SHADERTOY if header.dialect == "shadertoy" else {**strangers.SHADERTOY, **strangers.PLAIN}
        lines += [f"uniform {kind} {name};" for name, kind in others.items() if name not in declared]
    return "\n".join(lines)


def _type(entry: Input) -> str:
    if entry.mouse:
        return strangers.MOUSE[entry.name]
    return "sampler2D" if entry.picture else _GLSL[entry.type]


def _known(header: Header) -> set[str]:
    """Uniforms that the host declares: what the patch says about them again is dropped."""
    known = set(BUILT_IN) | {i.name for i in header.inputs} | set(header.targets) | set(header.imported)
    known |= {"isf_FragNormCoord", "isf_FragColor"}
    if header.dialect != "isf":
        known |= {n.split("[")[0] for n in (*strangers.SHADERTOY, *strangers.PLAIN)}
    return known


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


def _vertex(text: str, header: Header, names: dict[str, str], uniforms: str) -> str:
    """The patch's own vertex shader for the four corners of a quad."""
    words = tokens.split(text)
    extensions = modernise(words, names)
    declarations(words, _known(header), fragment=False)
    return (
        f"{_head(extensions, uniforms)}out vec2 isf_FragNormCoord;\n{_CORNER}"
        "vec4 isf_Vertex = vec4(isf_corner() * 2.0 - 1.0, 0.0, 1.0);\n"
        "vec4 isf_TexCoord = vec4(isf_corner(), 0.0, 1.0);\nvec4 isf_FrontColor, isf_TexCoords[2];\n"
        "vec4 isf_ftransform() { return isf_Vertex; }\n"
        f"{_HELP}\n#line 1\n{tokens.join(words)}\nvoid main() {{\n    isf_vertShaderInit();\n    isf_main();\n}}\n"
    )


def _generated(varyings: list[tuple[str, str]]) -> str:
    """A vertex shader for a patch whose varyings nobody else provides: they run over the picture as 0..1."""
    values = {"float": "c.x", "vec2": "c", "vec3": "vec3(c, 0.0)", "vec4": "vec4(c, 0.0, 1.0)"}
    outs, sets = "", ""
    for kind, name in dict.fromkeys(varyings):
        if kind in values:
            outs += f"out {kind} {name};\n"
            sets += f"    {name} = {values[kind]};\n"
    return _PLAIN.replace("void main", f"{outs}void main").replace("}\n", f"    vec2 c = corner;\n{sets}}}\n")
