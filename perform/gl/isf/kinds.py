"""What a patch is made of: its inputs, passes and imported images. No GL, no files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from perform.gl.isf.sizes import Expression

Kind = Literal["source", "filter", "transition", "blend"]
Dialect = Literal["isf", "shadertoy", "glsl"]

TYPES = ("event", "bool", "long", "float", "point2D", "color", "image", "audio", "audioFFT")
PICTURES = ("image", "audio", "audioFFT")
VERTEX = (".vs", ".vert")  # of the file beside it that is its vertex shader
BUILT_IN = {  # what every patch is given, and its type in GLSL
    "PASSINDEX": "int",
    "RENDERSIZE": "vec2",
    "TIME": "float",
    "TIMEDELTA": "float",
    "DATE": "vec4",
    "FRAMEINDEX": "int",
}


class PatchError(Exception):
    """A patch that cannot be used: `file`, `line` (from 1; 0: the whole file), `message`."""

    def __init__(self, file: Path | str, line: int, message: str) -> None:
        super().__init__(f"{file}:{line}: {message}" if line else f"{file}: {message}")
        self.file, self.line, self.message = str(file), line, message


@dataclass(frozen=True, slots=True)
class Input:
    """One input. Numbers in the shader's own unit.

    `default`: float, int (long), bool (bool, event), (x, y) or (r, g, b, a); None for pictures. `lo` and `hi` have
    the default's shape, None where the header gives none. A point with neither range nor default is in pixels of
    the rendering: `relative` says that its value here is 0..1 of that size.
    """

    name: str
    type: str
    default: Any = None
    lo: Any = None
    hi: Any = None
    label: str = ""
    values: tuple[int, ...] = ()
    labels: tuple[str, ...] = ()
    relative: bool = False
    mouse: bool = False  # a stranger's mouse: 0..1 here, each in its own unit in the shader

    @property
    def picture(self) -> bool:
        """True for images and sound, which arrive as textures."""
        return self.type in PICTURES


@dataclass(frozen=True, slots=True)
class Pass:
    """One rendering pass. An empty `target` is the output; no `width` or `height` means the output's."""

    target: str = ""
    persistent: bool = False
    float: bool = False
    width: Expression | None = None
    height: Expression | None = None


@dataclass(frozen=True, slots=True)
class Header:
    """A patch as read from disk. `body` is the GLSL with the header blanked out: its lines are the file's lines.

    `imported` images are one file each, or six: the sides of a cube (+x, -x, +y, -y, +z, -z).
    """

    path: Path
    dialect: Dialect
    kind: Kind
    body: str
    inputs: tuple[Input, ...] = ()
    passes: tuple[Pass, ...] = (Pass(),)
    imported: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    description: str = ""
    credit: str = ""
    categories: tuple[str, ...] = ()

    @property
    def targets(self) -> tuple[str, ...]:
        """Names of the buffers that passes draw into, each once."""
        return tuple(dict.fromkeys(p.target for p in self.passes if p.target))

    @property
    def pictures(self) -> tuple[Input, ...]:
        """The inputs that take a texture."""
        return tuple(i for i in self.inputs if i.picture)

    @property
    def vertex(self) -> Path | None:
        """The file of the patch's own vertex shader, if it is there."""
        if self.dialect != "isf":
            return None
        return next((p for s in VERTEX if (p := self.path.with_suffix(s)).is_file()), None)

    @property
    def files(self) -> tuple[Path, ...]:
        """Everything on disk that the patch is made of (whether it is there or not): what to watch."""
        shaders = (self.path.with_suffix(kind) for kind in VERTEX)
        return self.path, *shaders, *(f for files in self.imported.values() for f in files)
