"""Words of older GLSL and other hosts, replaced one for one by those of GLSL 3.30 core. No GL: any thread."""

from __future__ import annotations

from itertools import pairwise

from perform.gl.isf import tokens
from perform.gl.isf.builtins import NAMES
from perform.gl.isf.tokens import Token

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
    """smooth flat centroid noperspective invariant texture precise case switch default double
    layout""".split()  # noqa: SIM905
)
_CALLED = NAMES | {"texture"}  # functions, whatever else has their name


def safe(name: str) -> str:
    """What an input of this name is called in the shader: itself, unless GLSL keeps the word."""
    return f"isf_{name}_" if name in _TAKEN or name in _PERHAPS or name in NAMES else name


def modernise(words: list[Token], names: dict[str, str]) -> list[str]:
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
        if word.text == "default" and after == ":" and before in ("{", "}", ";", ":"):
            continue  # the label in a switch
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


def writable(real: list[Token]) -> None:
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


def declarations(words: list[Token], known: set[str], fragment: bool) -> list[tuple[str, str]]:
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


def outputs(words: list[Token]) -> str:
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


def defines(words: list[Token], name: str) -> bool:
    real = tokens.code(words)
    return any(a.text == "void" and b.text == name for a, b in pairwise(real))
