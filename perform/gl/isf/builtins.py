"""Patches that give a built-in function of GLSL another meaning for some types.

The language then hides every built-in version (`vec3 mod(vec3, mat3)` makes `mod(float, float)` unknown); the drivers
that most patches were written on do not. Such a function and its calls get another name, and the built-in versions
are declared again under it.
"""

from __future__ import annotations

from itertools import pairwise

from perform.gl.isf.tokens import Token

_T = "T"  # float, vec2, vec3 and vec4 in turn
_FORMS: dict[tuple[str, ...], str] = {
    (_T,): "sin cos tan asin acos atan exp log exp2 log2 sqrt inversesqrt abs sign floor ceil fract round normalize "
    "radians degrees length",
    (_T, _T): "pow mod min max step atan reflect distance dot",
    (_T, "float"): "mod min max",
    ("float", _T): "step",
    (_T, _T, _T): "mix clamp smoothstep",
    (_T, _T, "float"): "mix refract",
    (_T, "float", "float"): "clamp",
    ("float", "float", _T): "smoothstep",
}
_SCALAR = ("length", "distance", "dot")
NAMES = frozenset(name for names in _FORMS.values() for name in names.split())
_TYPES = ("float", "vec2", "vec3", "vec4")
_WORDS = ("in", "out", "inout", "const", "highp", "mediump", "lowp")


def overloads(real: list[Token]) -> str:
    """Rename what overloads a built-in, calls included; returns the declarations that go before the patch."""
    own: dict[str, set[tuple[str, ...]]] = {}
    for n, word in enumerate(real[:-1]):
        if word.text in NAMES and word.depth == 0 and _heads(real, n):
            own.setdefault(word.text, set()).add(_parameters(real[n + 2 :]))
    own = {name: signatures for name, signatures in own.items() if not _all_built_in(name, signatures)}
    for word, after in pairwise(real):
        if word.text in own and after.text == "(":
            word.text = f"isf_{word.text}"
    return "".join(_declared(name, signatures) for name, signatures in own.items())


def _heads(real: list[Token], n: int) -> bool:
    """Whether word `n` is the name in a function's declaration, and not called by a macro: `#define D min(a, b)`."""
    if not n or real[n - 1].kind != "name" or real[n + 1].text != "(":
        return False
    if n > 1 and real[n - 2].kind == "directive" and real[n - 2].text.endswith("define"):
        return False
    end = next((i for i in range(n + 2, len(real) - 1) if real[i].text == ")"), None)  # parameters have no brackets
    return end is not None and real[end + 1].text in ("{", ";")


def _parameters(words: list[Token]) -> tuple[str, ...]:
    """The parameter types behind an opening bracket."""
    found: list[str] = []
    fresh = True
    for word in words:
        if word.text == ")":
            break
        if word.text == ",":
            fresh = True
        elif fresh and word.text not in _WORDS:
            found.append(word.text)
            fresh = False
    return tuple(found)


def _signatures(name: str) -> list[tuple[str, ...]]:
    forms = [form for form, names in _FORMS.items() if name in names.split()]
    return list(dict.fromkeys(tuple(t if p == _T else p for p in form) for form in forms for t in _TYPES))


def _all_built_in(name: str, own: set[tuple[str, ...]]) -> bool:
    """True if the patch gives a complete replacement: every version that it could call is its own."""
    return set(_signatures(name)) <= own


def _declared(name: str, own: set[tuple[str, ...]]) -> str:
    lines = []
    for signature in _signatures(name):
        if signature in own:
            continue
        result = "float" if name in _SCALAR else max(signature, key=_TYPES.index)
        given = ", ".join(f"{kind} {letter}" for kind, letter in zip(signature, "abc", strict=False))
        lines.append(f"{result} isf_{name}({given}) {{ return {name}({', '.join('abc'[: len(signature)])}); }}\n")
    return "".join(lines)
