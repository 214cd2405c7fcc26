"""From the GLSL that people write for ISF (1.10 to 3.30, ES, Shadertoy) to GLSL 3.30 core. No GL: any thread.

Words are replaced one for one and lines stay where they are, so a driver's error names the line in the file.
The patch's `main` is wrapped: its output starts as transparent black, and what is not a number leaves as 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from perform.gl.isf import strangers, tokens
from perform.gl.isf.builtins import NAMES, overloads
from perform.gl.isf.kinds import Header, Input
from perform.gl.isf.tokens import Token

VERSION = "#version 330 core"
BUILT_IN = {
    "PASSINDEX": "int",
    "RENDERSIZE": "vec2",
    "TIME": "float",
    "TIMEDELTA": "float",
    "DATE": "vec4",
    "FRAMEINDEX": "int",
}
_GLSL = {"float": "float", "bool": "bool", "event": "bool", "long": "int", "point2D": "vec2", "color": "vec4"}
_OLD = {  # names of other times and hosts
    "vv_FragNormCoord": "isf_FragNormCoord",
    "vv_vertShaderInit": "isf_vertShaderInit",
    "gl_FragColor": "isf_FragColor",
    "texture2DRect": "isf_textureRect",
    "texture2D": "isf_texture",
    "texture2DEXT": "isf_texture",
    "texture2DProj": "textureProj",
    "texture2DLod": "textureLod",
    "texture2DLodEXT": "textureLod",
    "texture2DGradEXT": "textureGrad",
    "texture2DGradARB": "textureGrad",
    "textureCube": "texture",
    "textureCubeLod": "textureLod",
    "textureCubeLodEXT": "textureLod",
    "sampler2DRect": "sampler2D",
    "gl_Vertex": "isf_Vertex",
    "gl_MultiTexCoord0": "isf_TexCoord",
    "gl_ModelViewProjectionMatrix": "mat4(1.0)",
    "gl_Color": "vec4(1.0)",
    "gl_FrontColor": "isf_FrontColor",
    "gl_TexCoord": "isf_TexCoords",
}
# Words that GLSL 3.30 (or a driver at that version) keeps for itself and older shaders use as names.
_TAKEN = frozenset(
    """active asm atomic_uint cast class coherent common enum extern external filter fixed fvec2 fvec3 fvec4 goto half
    hvec2 hvec3 hvec4 inline input interface long namespace noinline output packed partition patch public readonly
    resource restrict sample shared short sizeof static subroutine superp template this typedef union unsigned using
    volatile writeonly buffer row_major""".split()  # noqa: SIM905
)
# Words that are keywords or functions in one place and names in old shaders.
_PERHAPS = frozenset(
    ("smooth", "flat", "centroid", "noperspective", "invariant", "texture", "precise", "case", "switch", "layout")
)
_CALLED = NAMES | {"texture"}  # functions, whatever else has their name

_HELP = """
vec4 isf_texture(sampler2D s, vec2 p) { return texture(s, p); }
vec4 isf_textureRect(sampler2D s, vec2 p) { return texture(s, p / vec2(textureSize(s, 0))); }
vec4 IMG_NORM_PIXEL(sampler2D s, vec2 p) { return texture(s, p); }
vec4 IMG_PIXEL(sampler2D s, vec2 p) { return texture(s, p / vec2(textureSize(s, 0))); }
vec4 IMG_THIS_PIXEL(sampler2D s) { return texture(s, isf_FragNormCoord); }
vec4 IMG_THIS_NORM_PIXEL(sampler2D s) { return texture(s, isf_FragNormCoord); }
vec2 IMG_SIZE(sampler2D s) { return vec2(textureSize(s, 0)); }
"""
_BIAS = """vec4 isf_texture(sampler2D s, vec2 p, float bias) { return texture(s, p, bias); }
vec4 IMG_NORM_PIXEL(sampler2D s, vec2 p, float bias) { return texture(s, p, bias); }
vec4 IMG_PIXEL(sampler2D s, vec2 p, float bias) { return texture(s, p / vec2(textureSize(s, 0)), bias); }
"""
# The comparison of bits survives compilers that assume there is no NaN.
_MAIN = """
void main() {
    isf_FragColor = vec4(0.0);
    isf_main();
    bvec4 bad = equal(floatBitsToUint(isf_FragColor) & 0x7f800000u, uvec4(0x7f800000u));
    isf_FragColor = mix(isf_FragColor, vec4(0.0), bad);
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
    """GLSL 3.30 for one patch. `vertex` is None where the built-in one will do; `names` maps inputs to uniforms."""

    fragment: str
    vertex: str | None
    names: dict[str, str]
    discards: bool


def translate(header: Header, vertex: str | None = None) -> Translation:
    """The patch as GLSL 3.30 core; `vertex` is the text of its own vertex shader, if it has one."""
    words = tokens.split(header.body)
    names = {i.name: _safe(i.name) for i in header.inputs}
    names |= {n: _safe(n) for n in (*header.targets, *header.imported)}
    uniforms = _uniforms(header, names)
    extensions = _modernise(words, names)
    again = overloads(tokens.code(words))
    _writable(tokens.code(words))
    varyings = _declarations(words, _known(header), fragment=True)
    out = _outputs(words)
    head = _head(extensions, uniforms)
    fragment = (
        f"{head}in vec2 isf_FragNormCoord;\nout vec4 isf_FragColor;\n{_HELP}{_BIAS}"
        f"vec4 isf_TexCoords[2] = vec4[2](vec4(isf_FragNormCoord, 0.0, 1.0), vec4(isf_FragNormCoord, 0.0, 1.0));\n"
        f"vec4 isf_FragCoord = gl_FragCoord;\n{again}#line 1\n{tokens.join(words)}\n"
    )
    if header.dialect == "shadertoy" or (_defines(words, "mainImage") and not _defines(words, "isf_main")):
        fragment += _SHADERTOY
    fragment += _MAIN.replace("isf_main();", f"isf_main();\n    isf_FragColor = {out};") if out else _MAIN
    discards = any(w.text == "discard" for w in words)
    if vertex is not None:
        return Translation(fragment, _vertex(vertex, header, names, uniforms), names, True)
    if varyings:
        return Translation(fragment, _generated(varyings), names, discards)
    return Translation(fragment, _PLAIN, names, discards)


def _safe(name: str) -> str:
    return f"isf_{name}_" if name in _TAKEN or name in _PERHAPS or name in NAMES else name


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


def _modernise(words: list[Token], names: dict[str, str]) -> list[str]:
    """Replace words in place; returns the extensions that were asked for and could matter."""
    tokens.drop_directives(words, frozenset(("version", "line")))
    tokens.redefine(words)
    asked = tokens.drop_directives(words, frozenset(("extension",)))
    real = tokens.code(words)
    renamed = {w: f"isf_{w}_" for w in _names(real) & _PERHAPS} | {w: f"isf_{w}_" for w in _TAKEN}
    renamed |= {n: safe for n, safe in names.items() if n != safe}
    pictures = set(names)
    for n, word in enumerate(real):
        if word.kind != "name":
            continue
        after = real[n + 1].text if n + 1 < len(real) else ""
        before = real[n - 1].text if n else ""
        if word.text in renamed and not (word.text in _CALLED and after == "("):
            word.text = renamed[word.text]
        elif before == ".":
            continue  # a field
        elif word.text == "main" and after == "(":
            word.text = "isf_main"
        elif word.text == "ftransform" and after == "(":
            word.text = "isf_ftransform"
        elif word.text == "gl_FragData" and after == "[":
            word.text = "isf_FragColor"
            for other in real[n + 1 : n + 4]:
                other.blank()
        elif word.text.startswith("_") and word.text.rsplit("_", 1)[0][1:] in pictures:
            picture, what = word.text[1:].rsplit("_", 1)
            word.text = {
                "imgSize": f"IMG_SIZE({names[picture]})",
                "imgRect": "vec4(0.0, 0.0, 1.0, 1.0)",
                "flip": "false",
            }.get(what, word.text)
        else:
            word.text = _OLD.get(word.text, word.text)
    return [a.split(":")[0].strip() for a in asked if a.startswith("GL_ARB_") and "rectangle" not in a]


def _writable(real: list[Token]) -> None:
    """Give a patch that writes to gl_FragCoord a copy of its own."""
    found = [n for n, w in enumerate(real[:-5]) if w.text == "gl_FragCoord"]
    for n in found:
        rest = [w.text for w in real[n + 1 : n + 6]]
        first, second = rest[2:4] if rest[:1] == ["."] else rest[:2]
        if (first == "=" and second != "=") or (first in "+-*/" and second == "="):
            for other in found:
                real[other].text = "isf_FragCoord"
            return


def _names(real: list[Token]) -> set[str]:
    """Words that this shader uses as names of its own: behind a type and before what follows a name."""
    return {
        b.text
        for a, b, c in zip(real, real[1:], real[2:], strict=False)
        if a.kind == b.kind == "name" and a.text not in tokens.QUALIFIERS | {"return", "else"} and c.text in "=;,)["
    }


def _declarations(words: list[Token], known: set[str], fragment: bool) -> list[tuple[str, str]]:
    """Bring global uniforms and varyings to 3.30; returns (type, name) of the varyings that come in."""
    varyings = []
    for found in tokens.declarations(words):
        names = [n for n in found.names if n.split("[")[0] not in known]
        if len(names) < len(found.names):
            found.keep(names)
        if found.qualifier in ("varying", "in", "attribute") and fragment:
            varyings += [(found.type, n) for n in names]
    for word in tokens.code(words):
        if word.kind == "name" and word.text == "varying":
            word.text = "in" if fragment else "out"
        elif word.text.startswith("varying ") and word.kind == "name":
            word.text = ("in" if fragment else "out") + word.text.removeprefix("varying")
        elif word.kind == "name" and word.text == "attribute":
            word.text = "in"
    return varyings


def _outputs(words: list[Token]) -> str:
    """A patch's own `out vec4 color;` becomes a plain global; returns its name, or nothing."""
    real = tokens.code(words)
    for n, word in enumerate(real):
        if word.text != "out" or word.depth or (n and real[n - 1].text in ("(", ",")):
            continue
        line = [w.text for w in real[n + 1 : n + 5] if w.text not in tokens.QUALIFIERS]
        if len(line) > 2 and line[0] == "vec4" and line[2] == ";" and line[1].isidentifier():
            start = n
            if n and real[n - 1].text == ")":
                start = max((i for i in range(n) if real[i].text == "layout"), default=n)
            for other in real[start : n + 1]:
                other.blank()
            return line[1]
    return ""


def _defines(words: list[Token], name: str) -> bool:
    real = tokens.code(words)
    return any(a.text == "void" and b.text == name for a, b in pairwise(real))


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
    extensions = _modernise(words, names)
    _declarations(words, _known(header), fragment=False)
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
