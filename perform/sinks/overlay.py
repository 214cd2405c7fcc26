"""Text on screen: one monospaced face, small, only when asked for.

The text is set by Pillow in a worker, so that the render thread only uploads a finished picture, and only when
the words have changed.
"""

from __future__ import annotations

import math
import textwrap
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from perform.gl.shader import Program
from perform.gl.target import Texture
from perform.gl.transfer import upload
from perform.workers import Mailbox, Worker, spawn

Lines = Sequence[tuple[str, str]]  # (name, what it says); an empty name is a heading

DRAW = """#version 330 core
in vec2 uv;
out vec4 color;
uniform sampler2D text;
uniform vec4 box;       // left, bottom, width, height in uv of the window
uniform float level;
void main() {
    vec2 p = (uv - box.xy) / box.zw;
    if (any(lessThan(p, vec2(0.0))) || any(greaterThan(p, vec2(1.0)))) discard;
    color = texture(text, p) * level;
}
"""


MARGIN = 18.0  # around the panel, in pixels of the face


def set_text(lines: Lines, size: int, most: float = math.inf) -> NDArray[np.uint8]:
    """A panel with these lines as premultiplied RGBA, shape (height, width, 4), bottom row first; what is longer than
    `most` pixels goes on in the next row. About 3 ms.
    """
    from PIL import Image, ImageDraw, ImageFont

    with resources.as_file(resources.files("perform.sinks") / "fonts/JetBrainsMono-Regular.ttf") as path:
        font = ImageFont.truetype(str(path), size)
    pad, step = round(size * 1.1), round(size * 1.55)
    column = max((font.getlength(name) for name, _ in lines if name), default=0.0) + size * 1.5
    lines = list(_wrapped(lines, (most - 2 * pad) / font.getlength("m"), column / font.getlength("m")))
    width = max((column * bool(name) + font.getlength(text) for name, text in lines), default=1.0)
    image = Image.new("RGBA", (round(width) + 2 * pad, step * len(lines) + 2 * pad - step // 3), (10, 11, 13, 190))
    draw = ImageDraw.Draw(image)
    for row, (name, text) in enumerate(lines):
        y = pad + row * step
        if name:
            draw.text((pad, y), name, (150, 152, 148, 255), font)
        draw.text((pad + column * bool(name), y), text, (238, 235, 226, 255), font)
    rgba = np.asarray(image, np.uint8).astype(np.uint16)
    rgba[..., :3] = rgba[..., :3] * rgba[..., 3:] // 255
    return np.ascontiguousarray(rgba[::-1].astype(np.uint8))


def _wrapped(lines: Lines, across: float, column: float) -> Iterator[tuple[str, str]]:
    """Lines of a monospaced face, none longer than `across` letters, of which a name takes `column`."""
    for name, text in lines:
        room = max(12, int(min(across - column * bool(name), 500)))
        first, *more = textwrap.wrap(text, room) or [""]
        yield name, first
        yield from ((" ", rest) for rest in more)


@dataclass(slots=True)
class Overlay:
    """A panel in the window's top left corner. `say` and `draw` on the render thread; neither waits."""

    size: int = 13  # of the face, in pixels
    _wanted: Mailbox[tuple[Lines, float]] = field(default_factory=Mailbox)
    _done: Mailbox[NDArray[np.uint8]] = field(default_factory=Mailbox)
    _said: tuple[tuple[str, str], ...] = ()
    _room: float = math.inf  # how wide the panel may be, in pixels of the face
    _texture: Texture | None = None
    _program: Program | None = None
    _worker: Worker | None = None

    def say(self, lines: Lines) -> None:
        """What the panel shows from soon on; no lines: nothing."""
        said = tuple(lines)
        if said == self._said:
            return
        self._said = said
        if said:
            self._wanted.put((said, self._room))
            if self._worker is None:
                self._worker = spawn("overlay text", self._work)

    def _work(self, stop: threading.Event) -> None:
        while not stop.is_set():
            wanted = self._wanted.wait(0.5)
            if wanted is not None:
                lines, most = wanted
                self._done.put(set_text(lines, self.size, most))

    def draw(self, window: tuple[int, int], scale: float = 1.0) -> None:
        """Draw over the default framebuffer of a window of this size in pixels."""
        room = window[0] / scale - 2 * MARGIN
        if room != self._room:
            self._room = room
            if self._said:
                self._wanted.put((self._said, room))
        done = self._done.take()
        if done is not None:
            height, width = done.shape[:2]
            if self._texture is None or (self._texture.width, self._texture.height) != (width, height):
                if self._texture is not None:
                    self._texture.close()
                self._texture = Texture.make(width, height)
            upload(self._texture, done)
        if self._texture is None or not self._said:
            return
        if self._program is None:
            self._program = Program(DRAW, name="overlay")
        width, height = self._texture.width * scale, self._texture.height * scale
        margin = MARGIN * scale
        box = (margin / window[0], 1.0 - (margin + height) / window[1], width / window[0], height / window[1])
        self._program.draw(None, {"text": self._texture}, {"box": box, "level": 1.0}, blend=True)

    def close(self) -> None:
        """Stop the worker and give back GL objects."""
        if self._worker is not None:
            self._worker.close()
        for thing in (self._texture, self._program):
            if thing is not None:
                thing.close()
        self._texture = self._program = self._worker = None
