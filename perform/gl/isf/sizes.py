"""Size expressions of passes: `floor($WIDTH / 2.0)`, `max($HEIGHT * $quality, 1)`. Parsed, never eval'ed.

    size = Expression("$WIDTH / 2")
    size({"WIDTH": 640.0, "HEIGHT": 360.0})     # 320.0

The grammar is the part of DDMathParser's (which the ISF spec refers to) that sizes need: + - * / % ^,
comparisons, parentheses, `$name`, constants and the functions below. Length and depth are limited.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping

LENGTH, DEPTH = 512, 24
Node = Callable[[Mapping[str, float]], float]
_TOKEN = re.compile(r"\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)f?|\$?([A-Za-z_]\w*)|(\*\*|<=|>=|==|!=|[-+*/%^(),<>]))")

FUNCTIONS: dict[str, tuple[int, Callable[..., float]]] = {  # name: (how many arguments, -1: one or more; function)
    "floor": (1, math.floor),
    "ceil": (1, math.ceil),
    "round": (1, lambda x: math.floor(x + 0.5)),
    "trunc": (1, math.trunc),
    "abs": (1, abs),
    "sign": (1, lambda x: float((x > 0) - (x < 0))),
    "sqrt": (1, math.sqrt),
    "exp": (1, math.exp),
    "log": (1, math.log10),
    "ln": (1, math.log),
    "log2": (1, math.log2),
    "sin": (1, math.sin),
    "cos": (1, math.cos),
    "tan": (1, math.tan),
    "pow": (2, lambda a, b: _power(a, b)),
    "mod": (2, lambda a, b: math.fmod(a, b)),
    "clamp": (3, lambda x, lo, hi: max(lo, min(hi, x))),
    "min": (-1, min),
    "max": (-1, max),
}
CONSTANTS = {"pi": math.pi, "e": math.e}
_POWER = {"+": 2, "-": 2, "*": 3, "/": 3, "%": 3, "^": 5, "**": 5, "<": 1, ">": 1, "<=": 1, ">=": 1, "==": 1, "!=": 1}


def _power(a: float, b: float) -> float:
    return math.pow(a, b)  # of floats: 9**9**9 as integers would never end


_BINARY: dict[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "%": math.fmod,
    "^": _power,
    "**": _power,
    "<": lambda a, b: float(a < b),
    ">": lambda a, b: float(a > b),
    "<=": lambda a, b: float(a <= b),
    ">=": lambda a, b: float(a >= b),
    "==": lambda a, b: float(a == b),
    "!=": lambda a, b: float(a != b),
}


class Expression:
    """A parsed size expression; `names` are the variables it reads. Raises ValueError with one sentence."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.names: set[str] = set()
        if len(text) > LENGTH:
            raise ValueError(f"the size expression is longer than {LENGTH} characters")
        self._tokens = self._split(text)
        self._depth = 0
        self._node = self._binary(0)
        if self._tokens:
            raise ValueError(f"the size expression {text!r} goes wrong at {self._tokens[0]!r}")

    def __call__(self, values: Mapping[str, float]) -> float:
        """The value; not-a-number where there is none (a division by zero, the root of a negative number)."""
        try:
            return float(self._node(values))
        except (ArithmeticError, ValueError):
            return math.nan

    @staticmethod
    def _split(text: str) -> list[str]:
        found, position = [], 0
        while text[position:].strip():
            token = _TOKEN.match(text, position)
            if token is None:
                raise ValueError(f"the size expression {text!r} goes wrong at {text[position:].strip()[:12]!r}")
            found.append(token[0].strip())
            position = token.end()
        return found

    def _next(self) -> str:
        if not self._tokens:
            raise ValueError(f"the size expression {self.text!r} ends too early")
        return self._tokens.pop(0)

    def _expect(self, wanted: str) -> None:
        found = self._next()
        if found != wanted:
            raise ValueError(f"the size expression {self.text!r} needs {wanted!r} where it has {found!r}")

    def _binary(self, least: int) -> Node:
        """Precedence climbing; every operator but the power binds to the left."""
        self._depth += 1
        if self._depth > DEPTH:
            raise ValueError(f"the size expression is nested more than {DEPTH} deep")
        left = self._unary()
        while self._tokens and _POWER.get(self._tokens[0], -1) >= least:
            sign = self._next()
            right = self._binary(_POWER[sign] + (sign not in ("^", "**")))
            left = self._join(_BINARY[sign], left, right)
        self._depth -= 1
        return left

    @staticmethod
    def _join(function: Callable[[float, float], float], left: Node, right: Node) -> Node:
        return lambda values: function(left(values), right(values))

    def _unary(self) -> Node:
        token = self._next()
        if token in ("-", "+"):
            inner = self._binary(4)
            return (lambda values: -inner(values)) if token == "-" else inner
        if token == "(":
            inner = self._binary(0)
            self._expect(")")
            return inner
        if token[0].isdigit() or token[0] == ".":
            number = float(token.rstrip("f"))
            return lambda values: number
        name = token.removeprefix("$")
        if self._tokens[:1] == ["("] and not token.startswith("$"):
            return self._call(name)
        if name.lower() in CONSTANTS and not token.startswith("$"):
            constant = CONSTANTS[name.lower()]
            return lambda values: constant
        if not name or not (name[0].isalpha() or name[0] == "_"):
            raise ValueError(f"the size expression {self.text!r} goes wrong at {token!r}")
        self.names.add(name)
        return lambda values: values[name]

    def _call(self, name: str) -> Node:
        if name.lower() not in FUNCTIONS:
            raise ValueError(f"there is no function {name!r} for sizes; there are {', '.join(FUNCTIONS)}")
        count, function = FUNCTIONS[name.lower()]
        self._expect("(")
        arguments = [self._binary(0)]
        while self._tokens[:1] == [","]:
            self._next()
            arguments.append(self._binary(0))
        self._expect(")")
        if count >= 0 and len(arguments) != count:
            raise ValueError(f"{name} takes {count} argument{'s' * (count != 1)}, not {len(arguments)}")
        return lambda values: float(function(*(a(values) for a in arguments)))
