"""Shaders: compile, link, set uniforms, draw one full-screen pass. Errors name file and line.

Goes to GL directly: pyglet's ShaderException is a BaseException that `except Exception` misses, setting an
optimised-out uniform raises there, and its uniform machinery costs 0.05–0.11 ms a pass.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from ctypes import POINTER, byref, c_char, c_char_p, c_float, c_int, c_uint, cast, create_string_buffer, pointer
from dataclasses import dataclass
from typing import Any

from perform.frame import Texture
from perform.gl.lib import gl
from perform.gl.target import Target

Uniform = float | int | bool | tuple[float, ...]

TRIANGLE = """#version 330 core
out vec2 uv;
void main() {
    vec2 corner = vec2(gl_VertexID == 1 ? 2.0 : 0.0, gl_VertexID == 2 ? 2.0 : 0.0);
    uv = corner;
    gl_Position = vec4(corner * 2.0 - 1.0, 0.0, 1.0);
}
"""
_MESSAGE = (  # what drivers write before the message; the last number before it is the line
    re.compile(r"^\d+:(?P<line>\d+)\(\d+\): (?:preprocessor )?(?P<kind>error|warning): (?P<text>.*)$"),  # Mesa
    re.compile(r"^\d+\((?P<line>\d+)\) : (?P<kind>error|warning)(?: \w+)?: (?P<text>.*)$"),  # NVIDIA
    re.compile(r"^(?P<kind>ERROR|WARNING): \d+:(?P<line>\d+): (?P<text>.*)$"),  # Apple, AMD, Intel
)


class ShaderError(Exception):
    """A shader that does not compile or link: `file`, `line` (from 1; 0 if unknown), `message`, the whole `log`."""

    def __init__(self, file: str, line: int, message: str, log: str = "") -> None:
        super().__init__(f"{file}:{line}: {message}" if line else f"{file}: {message}")
        self.file, self.line, self.message, self.log = file, line, message, log


def explain(file: str, log: str) -> ShaderError:
    """The first error in a driver's log, with its line."""
    for text in log.splitlines():
        for pattern in _MESSAGE:
            found = pattern.match(text.strip())
            if found and found["kind"].lower() == "error":
                return ShaderError(file, int(found["line"]), found["text"].strip(), log)
    first = next((line.strip() for line in log.splitlines() if line.strip()), "the driver gave no reason")
    return ShaderError(file, 0, first, log)


def language() -> int:
    """The newest GLSL this context takes: 330 to 460."""
    text = (cast(gl.glGetString(gl.GL_SHADING_LANGUAGE_VERSION), c_char_p).value or b"").decode("ascii", "replace")
    found = re.match(r"(\d)\.(\d\d)", text)
    return int(found[1] + found[2]) if found else 330


def _compile(kind: int, source: str, file: str) -> int:
    if "\0" in source:
        raise ShaderError(file, source[: source.index("\0")].count("\n") + 1, "a NUL byte: this is not a text file")
    if not source.lstrip().startswith("#version"):
        source = "#version 330 core\n#line 1\n" + source
    shader: int = gl.glCreateShader(kind)
    data = create_string_buffer(source.encode("ascii", "replace"))
    text = cast(pointer(c_char_p(data.value)), POINTER(POINTER(c_char)))
    gl.glShaderSource(shader, 1, text, None)
    gl.glCompileShader(shader)
    done = c_int()
    gl.glGetShaderiv(shader, gl.GL_COMPILE_STATUS, byref(done))
    if not done.value:
        log = _log(shader, gl.glGetShaderiv, gl.glGetShaderInfoLog)
        gl.glDeleteShader(shader)
        raise explain(file, log)
    return shader


def _log(name: int, ask: Callable[..., None], get: Callable[..., None]) -> str:
    size = c_int()
    ask(name, gl.GL_INFO_LOG_LENGTH, byref(size))
    text = create_string_buffer(max(1, size.value))
    get(name, len(text), None, text)
    return text.value.decode("utf-8", "replace")


def _link(vertex: tuple[str, str], fragment: tuple[str, str]) -> int:
    """Compile and link (source, file) pairs; returns the program's GL name."""
    shaders = [_compile(gl.GL_VERTEX_SHADER, *vertex)]
    try:
        shaders.append(_compile(gl.GL_FRAGMENT_SHADER, *fragment))
        program: int = gl.glCreateProgram()
        for shader in shaders:
            gl.glAttachShader(program, shader)
        gl.glLinkProgram(program)
    finally:
        for shader in shaders:
            gl.glDeleteShader(shader)  # lives on while it is attached
    done = c_int()
    gl.glGetProgramiv(program, gl.GL_LINK_STATUS, byref(done))
    if not done.value:
        log = _log(program, gl.glGetProgramiv, gl.glGetProgramInfoLog)
        gl.glDeleteProgram(program)
        raise explain(fragment[1], log)
    return program


def _setter(location: int, kind: int, count: int, array: bool) -> Callable[[Any], None] | None:
    """What puts a Python value into a uniform of this GL type; None if there is no such way."""
    floats = {gl.GL_FLOAT: 1, gl.GL_FLOAT_VEC2: 2, gl.GL_FLOAT_VEC3: 3, gl.GL_FLOAT_VEC4: 4}
    ints = {gl.GL_INT: 1, gl.GL_INT_VEC2: 2, gl.GL_INT_VEC3: 3, gl.GL_INT_VEC4: 4}
    ints |= {gl.GL_BOOL: 1, gl.GL_BOOL_VEC2: 2, gl.GL_BOOL_VEC3: 3, gl.GL_BOOL_VEC4: 4}
    matrices = {gl.GL_FLOAT_MAT2: 2, gl.GL_FLOAT_MAT3: 3, gl.GL_FLOAT_MAT4: 4}
    if kind in matrices:
        side = matrices[kind]
        matrix = getattr(gl, f"glUniformMatrix{side}fv")
        return lambda v: matrix(location, count, 0, (c_float * (side * side * count))(*v))
    if array and kind in floats | ints:
        width = (floats | ints)[kind]
        many = getattr(gl, f"glUniform{width}{'f' if kind in floats else 'i'}v")
        cell: Any = c_float if kind in floats else c_int
        return lambda v: many(location, len(v) // width, (cell * len(v))(*v))
    if kind in floats and floats[kind] > 1:
        vector = getattr(gl, f"glUniform{floats[kind]}f")
        return lambda v: vector(location, *v)
    if kind in floats:
        scalar = gl.glUniform1f
        return lambda v: scalar(location, v)
    if kind in ints and ints[kind] > 1:
        ivector = getattr(gl, f"glUniform{ints[kind]}i")
        return lambda v: ivector(location, *map(int, v))
    if kind in ints or kind == gl.GL_UNSIGNED_INT:
        whole = gl.glUniform1ui if kind == gl.GL_UNSIGNED_INT else gl.glUniform1i
        return lambda v: whole(location, int(v))
    return None


@dataclass(frozen=True, slots=True)
class _Active:
    """A uniform the linker kept."""

    name: str
    location: int
    kind: int
    count: int
    array: bool


def _active(program: int) -> list[_Active]:
    total, size, kind = c_int(), c_int(), c_uint()
    gl.glGetProgramiv(program, gl.GL_ACTIVE_UNIFORMS, byref(total))
    text = create_string_buffer(512)
    found = []
    for index in range(total.value):
        gl.glGetActiveUniform(program, index, 512, None, byref(size), byref(kind), text)
        location = gl.glGetUniformLocation(program, text)
        name = text.value.decode("ascii")
        if location >= 0:
            array = name.endswith("[0]")  # even if the linker trimmed it to one element
            found.append(_Active(name.removesuffix("[0]"), location, kind.value, size.value, array))
    return found


class Program:
    """A fragment shader that fills a target in one pass. Compiling costs 1–200 ms, `draw` about 0.02 ms.

    `fragment` is GLSL 3.30; the built-in vertex shader gives it `in vec2 uv` (0,0 bottom left to 1,1 top right).
    With an own `vertex` shader, which gets gl_VertexID 0 to 3 (bottom left, bottom right, top left, top right),
    the pass is a quad. `name` is what errors call it (a path; `vertex_name` for the vertex shader).
    Raises ShaderError.
    """

    def __init__(
        self, fragment: str, vertex: str | None = None, name: str = "shader", vertex_name: str | None = None
    ) -> None:
        self.name = name
        self._quad = vertex is not None
        self._id = _link((vertex or TRIANGLE, vertex_name or name), (fragment, name))
        array = c_uint()
        gl.glGenVertexArrays(1, byref(array))
        self._array = array.value
        self._units: dict[str, tuple[int, int]] = {}  # sampler: (texture unit, what is bound there)
        self._set: dict[str, Callable[[Any], None]] = {}
        self._last: dict[str, Uniform] = {}
        gl.glUseProgram(self._id)
        for uniform in _active(self._id):
            if uniform.kind in (gl.GL_SAMPLER_2D, gl.GL_SAMPLER_CUBE):
                gl.glUniform1i(uniform.location, len(self._units))
                kind = gl.GL_TEXTURE_2D if uniform.kind == gl.GL_SAMPLER_2D else gl.GL_TEXTURE_CUBE_MAP
                self._units[uniform.name] = gl.GL_TEXTURE0 + len(self._units), kind
                continue
            put = _setter(uniform.location, uniform.kind, uniform.count, uniform.array)
            if put is None:
                self.close()
                raise ShaderError(name, 0, f"the uniform {uniform.name!r} is of a type that nothing here can set")
            self._set[uniform.name] = put

    @property
    def uniforms(self) -> set[str]:
        """Names of the uniforms the shader really uses, samplers included."""
        return self._set.keys() | self._units.keys()

    @property
    def samplers(self) -> set[str]:
        """Names of the textures the shader really reads."""
        return set(self._units)

    def draw(
        self,
        target: Target | None,
        textures: Mapping[str, Texture] | None = None,
        uniforms: Mapping[str, Uniform] | None = None,
        blend: bool = False,
        viewport: tuple[int, int, int, int] | None = None,
    ) -> None:
        """Fill `target` (None: the default framebuffer, which needs a `viewport` of x, y, width, height).

        Names that the shader does not use are ignored; uniforms keep their values between draws. `blend` lays
        the result, premultiplied, over what is there.
        """
        if target is None:
            gl.glBindFramebuffer(gl.GL_FRAMEBUFFER, 0)
        else:
            target.bind()
        if viewport is not None:
            gl.glViewport(*viewport)
        gl.glUseProgram(self._id)
        for name, texture in (textures or {}).items():
            unit = self._units.get(name)
            if unit is not None:
                gl.glActiveTexture(unit[0])
                gl.glBindTexture(unit[1], texture.id)
        for name, value in (uniforms or {}).items():
            put = self._set.get(name)
            if put is not None and self._last.get(name) != value:
                put(value)
                self._last[name] = value
        if blend:
            gl.glEnable(gl.GL_BLEND)
            gl.glBlendFunc(gl.GL_ONE, gl.GL_ONE_MINUS_SRC_ALPHA)
        else:
            gl.glDisable(gl.GL_BLEND)
        gl.glBindVertexArray(self._array)
        if self._quad:
            gl.glDrawArrays(gl.GL_TRIANGLE_STRIP, 0, 4)
        else:
            gl.glDrawArrays(gl.GL_TRIANGLES, 0, 3)
        gl.glActiveTexture(gl.GL_TEXTURE0)

    def close(self) -> None:
        """Give the program back. May be called twice."""
        if self._id:
            gl.glDeleteProgram(self._id)
            gl.glDeleteVertexArrays(1, byref(c_uint(self._array)))
            self._id = self._array = 0
