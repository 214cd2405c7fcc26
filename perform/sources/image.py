"""A picture, or a folder of them, with a slow breathing pan and zoom and crossfades between."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

from perform.clock import FixedClock
from perform.finding import expanded
from perform.frame import Frame
from perform.gl.cover import share
from perform.gl.dissolve import MIXED
from perform.gl.shader import Program, Uniform
from perform.gl.target import Target, Texture
from perform.gl.transfer import upload
from perform.health import Status
from perform.params import Param, Spec
from perform.plugins import Closing, Stage
from perform.sources.album import Album, Print
from perform.sources.sizes import check_range, check_size
from perform.sources.stills import Fit

PATIENCE = 30.0  # seconds an offline render waits for a picture to load
BREATH = 12.0  # seconds in which a single picture drifts one way, before it drifts back
GOLDEN = 2.399963  # radians: each picture drifts another way, and no two neighbours alike
RANGES = {"hold": (0.0, 7 * 86400.0), "crossfade": (0.0, 60.0), "zoom": (0.0, 1.0), "pan": (0.0, 1.0)}  # s, s, 1, 1
ROOM = 1.25  # pictures are kept this much larger than the stage, so that the zoom stays sharp

DRAW = """in vec2 uv;
out vec4 color;
uniform sampler2D before;
uniform sampler2D after;
uniform vec4 beforeview;   // scale and middle of the part that is seen
uniform vec4 afterview;
uniform float progress;
vec4 look(sampler2D picture, vec4 view) {
    vec2 at = (uv - 0.5) * view.xy + view.zw;
    vec2 inside = step(vec2(0.0), at) * step(at, vec2(1.0));
    vec4 c = texture(picture, at);
    return vec4(c.rgb, c.a * inside.x * inside.y);  // clear, in the colour of the edge: who scales it mixes that in
}
void main() {
    vec4 b = look(after, afterview);
    if (progress >= 1.0) { color = b; return; }
    color = mixed(look(before, beforeview), b, progress);
}
"""


@dataclass(slots=True)
class Slide:
    """A picture on show: since when, and how it moves."""

    texture: Texture
    number: int = 0
    since: float = 0.0
    life: float = 20.0  # seconds from one end of its movement to the other

    def view(self, now: float, stage: float, zoom: float, pan: float, cover: bool) -> tuple[float, float, float, float]:
        """Scale and middle of the part of the picture that fills a stage of this aspect (0..1 of the picture)."""
        aspect = self.texture.width / self.texture.height
        wide, high = share(aspect, stage)
        if not cover:
            wide, high = max(1.0, stage / aspect), max(1.0, aspect / stage)
        ease = 0.5 - 0.5 * math.cos(math.pi * (now - self.since) / self.life)
        closer = 1.0 + zoom * (ease if self.number % 2 == 0 else 1.0 - ease)
        wide, high = wide / closer, high / closer
        swing = (ease - 0.5) * pan
        turn = GOLDEN * self.number + 0.6
        x = 0.5 + swing * math.cos(turn) * max(0.0, 1.0 - wide)
        y = 0.5 + swing * math.sin(turn) * max(0.0, 1.0 - high)
        return wide, high, x, y


@dataclass
class Image(Closing):
    """`type = "image"`. `file` is a picture or a folder of pictures, relative to show.toml; folders are watched.

    `hold` seconds each, `crossfade` seconds between; `zoom` (0 none, 0.25 a quarter closer) and `pan` (0..1 of the
    part that is out of sight) move it slowly; `fit = "contain"` shows all of it, on transparency. One pass at
    `size` (width, height; the stage's if left out) for each frame that moves. `lost` while nothing can be shown.
    """

    file: str
    hold: float = 8.0
    crossfade: float = 2.0
    zoom: float = 0.12
    pan: float = 0.8
    fit: Fit = "cover"
    shuffle: bool = False
    size: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        check_size(self.size)
        for key, span in RANGES.items():
            check_range(key, getattr(self, key), *span)

    def open(self, stage: Stage) -> Self:
        """Render thread. A bad file is no error here: the status says what is wrong, and it is looked for again."""
        self._status = Status(stage.params, f"/status{stage.prefix}")
        self._declare(stage)
        path = stage.folder / expanded(self.file)
        width, height = self.size or stage.size
        room = (round(width * ROOM), round(height * ROOM))
        self._exact = isinstance(stage.clock, FixedClock)
        self._program = Program(MIXED + DRAW, name="image")
        self._target = Target(width, height)
        self._front, self._back = Slide(Texture.make(1, 1)), Slide(Texture.make(1, 1))
        self._next: Print | None = None
        self._fading = 0.0  # seconds that the crossfade under way takes
        self._number = 0  # how many were shown
        self._place = 0  # the next one's number in the album, which counts those that cannot be read, too
        self._asked = 0  # the newest picture that the album was asked for
        self._skipped = False
        self._drawn: tuple[int, dict[str, Uniform]] | None = None
        self._now = -math.inf
        self._frame = Frame(self._target.texture, 0.0, 0)
        name = f"image {stage.prefix}"
        self._album = Album(name, path, room, self.fit, self.shuffle, self._status.say)  # last, for it is a thread
        self._album.ask(0)
        return self

    def _declare(self, stage: Stage) -> None:
        def declare(name: str, spec: Spec) -> Param:
            return stage.params.declare(f"{stage.prefix}/{name}", spec)

        doc = "How long a picture stands before the next one."
        self._hold = declare("hold", Spec("float", self.hold, *RANGES["hold"], unit="s", doc=doc))
        doc = "How long the change from one picture to the next takes."
        self._crossfade = declare("crossfade", Spec("float", self.crossfade, *RANGES["crossfade"], unit="s", doc=doc))
        doc = "How far the slow zoom goes: 0.12 ends 12 % closer."
        self._zoom = declare("zoom", Spec("float", self.zoom, *RANGES["zoom"], doc=doc, smooth=0.3))
        doc = "How far it drifts over what is out of sight."
        self._pan = declare("pan", Spec("float", self.pan, *RANGES["pan"], doc=doc, smooth=0.3))
        self._skip = declare("next", Spec("trigger", doc="The next picture, now."))

    @property
    def lost(self) -> bool:
        """Whether there is nothing to show."""
        return bool(self._album.failed) and self._frame.serial == 0

    def frame(self, now: float) -> Frame:
        """The picture at show time `now`; the last good one if the next cannot be had. Render thread."""
        if now == self._now:
            return self._frame
        self._now = now
        self._turn(now)
        if self._number:
            self._draw(now)
        return self._frame

    def _turn(self, now: float) -> None:
        """Go on to the next picture if it is time and it is there."""
        first = self._number == 0
        if self._asked < self._place and self._album.count > 1:  # which may be long after the only one was shown
            self._asked = self._place
            self._album.ask(self._place)
        self._skipped |= self._skip.fired
        standing = now - self._front.since - self._fading
        if standing < 0.0 and not first:
            return  # one crossfade at a time: cutting it short would pop
        due = first or (self._album.count > 1 and (self._skipped or standing >= float(self._hold.value)))
        if self._exact and due and self._next is None:
            self._album.wait(PATIENCE)
        self._next = self._album.take() or self._next
        if self._next is None or not (due or self._next.fresh):
            return
        self._skipped = False
        self._show(self._next, now, 0.0 if first else float(self._crossfade.value))
        self._next = None

    def _show(self, picture: Print, now: float, fading: float) -> None:
        self._front, self._back = self._back, self._front
        height, width = picture.pixels.shape[:2]
        slide = self._front
        if (slide.texture.width, slide.texture.height) != (width, height):
            slide.texture.allocate(width, height, blank=False)  # all of it is uploaded at once
        upload(slide.texture, picture.pixels)
        slide.number, slide.since = self._number, now
        many = self._album.count > 1
        slide.life = max(4.0, float(self._hold.value) + 2.0 * fading) if many else BREATH
        of = f", one of {self._album.count}" if many else ""
        self._status.say(f"showing {picture.path.name}{of}{picture.note}", bool(picture.note))
        self._fading = fading
        self._number += 1
        self._place += 1 + picture.skipped

    def _draw(self, now: float) -> None:
        """One pass, unless it would draw what is there already."""
        share = min(1.0, (now - self._front.since) / self._fading) if self._fading > 0.0 else 1.0
        look = (self._target.width / self._target.height, float(self._zoom.value), float(self._pan.value))
        values: dict[str, Uniform] = {
            "progress": share * share * (3.0 - 2.0 * share),
            "afterview": self._front.view(now, *look, self.fit == "cover"),
            "beforeview": self._back.view(now, *look, self.fit == "cover") if share < 1.0 else (1.0, 1.0, 0.5, 0.5),
        }
        if self._drawn == (self._number, values):
            return
        self._drawn = (self._number, values)
        self._program.draw(self._target, {"before": self._back.texture, "after": self._front.texture}, values)
        self._frame = Frame(self._target.texture, now, self._frame.serial + 1)

    def close(self) -> None:
        """Render thread; twice is allowed."""
        self._album.close()
        for slide in (self._front, self._back):
            slide.texture.close()
        self._target.close()
        self._program.close()
