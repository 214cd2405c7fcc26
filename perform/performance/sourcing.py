"""Opens the sources of a show, each behind a guard and, where the show says so, with a fallback."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from perform.frame import Frame
from perform.gl.target import Texture
from perform.health import Guard, Status
from perform.performance.feeds import Closable, Feed
from perform.performance.parts import opened
from perform.performance.performance import Performance
from perform.plugins import Closing, Source, Stage
from perform.show import PartSpec
from perform.sources.fallback import Fallback
from perform.sources.shader import Shader


class Dark(Closing):
    """Stands in for a source that could not be opened: lost from the start, so that a fallback plays."""

    lost = True

    def open(self, stage: Stage) -> Dark:
        self._texture = Texture.make(16, 16)
        return self

    def frame(self, now: float) -> Frame:
        return Frame(self._texture, now, 0)

    def close(self) -> None:
        self._texture.close()


def open_sources(play: Performance, specs: Mapping[str, PartSpec], stage: Stage) -> None:
    """Open every source into `play.sources`; those that others fall back to are opened first."""
    waiting = dict(specs)
    while waiting:
        for name, spec in list(waiting.items()):
            if spec.fallback in waiting:
                continue
            del waiting[name]
            play.sources[name] = open_source(play, spec, stage)
    in_order(play, specs)


def in_order(play: Performance, specs: Mapping[str, PartSpec]) -> None:
    """Put the sources in the order of the file: their places are their numbers over OSC."""
    for name in specs:
        play.sources[name] = play.sources.pop(name)


def become(feed: Feed, old: PartSpec, new: PartSpec) -> bool:
    """Let a source play on as another where nothing but its patch is another; False: it has to be opened again."""
    source, keys = feed.closing[-1], {**new.keys, "patch": old.keys.get("patch")}
    if not isinstance(source, Shader) or (old.type, dict(old.keys), old.fallback) != (new.type, keys, new.fallback):
        return False
    try:
        source.become(new.keys["patch"])
    except LookupError:
        return False  # to open it says why
    return True


def open_source(play: Performance, spec: PartSpec, stage: Stage) -> Feed:
    """One source, opened; a dark one if it cannot be. Never raises for the source's sake."""
    prefix = f"/source/{spec.name}"
    status = Status(play.params, f"/status{prefix}")
    source: Source | None = opened(status, spec, replace(stage, prefix=prefix))
    if source is None:
        source = Dark().open(stage)
    connect = getattr(source, "connect", None)  # a source that takes others' pictures, as a shader may
    if connect is not None:
        connect(play.look)
    closing: list[Closable] = [source]
    if spec.fallback is not None and spec.fallback in play.sources:
        source = Fallback(source, play.sources[spec.fallback].source, guard=Guard(status)).open(stage)
        closing.insert(0, source)
    feed = Feed(source, Guard(status), closing=closing)
    play.closing.append(feed.close)
    return feed
