"""A layer: source -> conditioning -> generator (or none) -> mix and memory. Where it is placed is the stack's work."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from perform.frame import Frame
from perform.gl.shader import Program
from perform.gl.target import Target
from perform.params import Param, Params, Spec

Choices = Callable[[], Sequence[str]]


class World(Protocol):
    """What a layer needs of a world's card: the condition it was trained on."""

    @property
    def defaults(self) -> Mapping[str, Any]: ...


class Conditioner(Protocol):
    """What a layer needs of its conditioning chain (see perform.conditioning)."""

    def draw(self, frame: Frame, size: tuple[int, int], now: float, condition: bool | None = None) -> Frame: ...
    def defaults(self, card: Mapping[str, Any], fade: float = 0.0) -> None: ...
    def close(self) -> None: ...


class Dreamer(Protocol):
    """What a layer needs of the slot in which its engine sits (see perform.engines.slot)."""

    def want(self, world: str | None, size: str, crossfade: float = 0.0) -> None: ...
    def dream(self, picture: Frame, mood: Sequence[float], now: float) -> Frame: ...
    def close(self) -> None: ...

    @property
    def card(self) -> World | None: ...


class Moods(Protocol):
    """What a layer needs of its mood pad (see perform.engines.mood)."""

    def vector(self, now: float) -> Sequence[float]: ...


# Motion-aware smoothing after the generator, the cure for flicker: where the dream barely differs from what is
# shown, keep more of what is shown; where it moves, let the new one through. The difference is taken over a
# neighbourhood so that texture noise does not count as motion.
SETTLE = """#version 330 core
in vec2 uv;
out vec4 color;
uniform sampler2D dream;
uniform sampler2D given;
uniform sampler2D shown;
uniform float wet;      // 1 = the dream, 0 = what the generator was given
uniform float keep;     // share of the shown picture that stays where nothing moves
uniform vec2 pixel;
float change(vec2 at) {
    vec3 d = abs(texture(dream, at).rgb - texture(shown, at).rgb);
    return max(d.r, max(d.g, d.b));
}
void main() {
    vec4 fresh = mix(texture(given, uv), texture(dream, uv), wet);
    if (keep <= 0.0) { color = fresh; return; }
    float motion = 0.25 * (change(uv + pixel * vec2(2.5, 1.5)) + change(uv + pixel * vec2(-2.5, -1.5))
                         + change(uv + pixel * vec2(-1.5, 2.5)) + change(uv + pixel * vec2(1.5, -2.5)));
    color = mix(fresh, texture(shown, uv), keep * (1.0 - smoothstep(0.10, 0.40, motion)));
}
"""


def _unit(default: float, doc: str, smooth: float = 0.0) -> Spec:
    return Spec("float", default, 0.0, 1.0, doc=doc, smooth=smooth)


@dataclass(slots=True)
class LayerParams:
    """A layer's own addresses, under its name."""

    source: Param
    world: Param
    size: Param
    crossfade: Param
    mix: Param
    memory: Param

    @classmethod
    def declare(
        cls, params: Params, name: str, sources: Choices, worlds: Choices, sizes: Choices
    ) -> LayerParams:
        """Make `/layer/<name>/…`."""

        def make(key: str, spec: Spec) -> Param:
            return params.declare(f"/layer/{name}/{key}", spec)

        first = next(iter(sources()), "")
        return cls(
            source=make("source", Spec("choice", first, live_choices=sources, doc="Which source the layer looks at.")),
            world=make("world", Spec("choice", "none", live_choices=worlds, doc="Which world dreams; none: no world.")),
            size=make("size", Spec("choice", "m", live_choices=sizes, doc="Which size of the world.")),
            crossfade=make("crossfade", Spec("float", 2.0, 0.0, 60.0, unit="s", doc="How long a new world takes.")),
            mix=make("mix", _unit(1.0, "The generator's picture (1) against what it was given (0).", 0.05)),
            memory=make("memory", _unit(0.6, "How much of the last picture stays where nothing moves: cures flicker.")),
        )


@dataclass(slots=True)
class Layer:
    """Turns the frames of this tick into one picture (straight RGBA), and remembers what its generator was given.

    Render thread. `given` and `picture` are None before the first frame. A layer without a world hands on what
    its conditioning (filters only) makes of the source.
    """

    name: str
    params: LayerParams
    conditioning: Conditioner
    slot: Dreamer
    moods: Moods
    resolution: tuple[int, int]  # of the picture that the generator gets, (width, height)
    given: Frame | None = None
    picture: Frame | None = None
    _program: Program | None = None
    _shown: list[Target] = field(default_factory=list)
    _serial: int = 0
    _then: float = 0.0
    _wanted: tuple[str, str] | None = None
    _card: World | None = None

    @property
    def world(self) -> str | None:
        """The world that is asked for, or None."""
        name = str(self.params.world.value)
        return None if name == "none" else name

    def render(self, frames: Mapping[str, Frame], now: float) -> Frame | None:
        """This tick's picture, or None if the source has none. Equal serial: nothing has changed."""
        frame = frames.get(str(self.params.source.value))
        if frame is None:
            return self.picture
        self._ask()
        if self.world is None and self.given is None:
            self.picture = self.conditioning.draw(frame, frame.size, now, condition=False)
            return self.picture
        size = self.resolution
        self._learn()
        self.given = self.conditioning.draw(frame, size, now, condition=True)
        dream = self.slot.dream(self.given, self.moods.vector(now), now)
        self.picture = self._settle(dream, self.given, now)
        return self.picture

    def _ask(self) -> None:
        wanted = (str(self.params.world.value), str(self.params.size.value))
        if wanted != self._wanted:
            fade = float(self.params.crossfade.value) if self._wanted is not None else 0.0
            self._wanted = wanted
            self.slot.want(self.world, wanted[1], fade)

    def _learn(self) -> None:
        """A world that has just become known brings the condition it was trained on."""
        card = self.slot.card
        if card is not None and card is not self._card:
            self._card = card
            self.conditioning.defaults(card.defaults, float(self.params.crossfade.value))

    def _settle(self, dream: Frame, given: Frame, now: float) -> Frame:
        """Mix and memory in one pass; no pass at all when neither is wanted."""
        wet, memory = float(self.params.mix.value), float(self.params.memory.value)
        dt, self._then = max(0.0, now - self._then), now
        if wet >= 1.0 and memory <= 0.0:
            return dream
        size = dream.size
        if not self._shown or (self._shown[0].width, self._shown[0].height) != size:
            for old in self._shown:
                old.close()
            self._shown = [Target(*size, "rgba16f"), Target(*size, "rgba16f")]
            memory = 0.0
        if self._program is None:
            self._program = Program(SETTLE, name="memory")
        # `memory` is the share kept at 30 dreams a second, whatever the frame rate is.
        keep = min(memory, 0.98) ** (dt * 30.0) if memory > 0.0 else 0.0
        before, after = self._shown
        textures = {"dream": dream.texture, "given": given.texture, "shown": before.texture}
        self._program.draw(
            after, textures, {"wet": wet, "keep": keep, "pixel": (1.0 / size[0], 1.0 / size[1])}
        )
        self._shown = [after, before]
        self._serial += 1
        return Frame(after.texture, dream.time, self._serial)

    def close(self) -> None:
        """Give back GL objects, the conditioning and the slot."""
        for target in self._shown:
            target.close()
        self._shown = []
        if self._program is not None:
            self._program.close()
            self._program = None
        self.conditioning.close()
        self.slot.close()
