"""A stage to rehearse on: where checks open parts, and what they all ask."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from ctypes import byref, c_uint
from pathlib import Path
from typing import Any, TypeVar

from perform.clock import Clock, ManualClock
from perform.frame import Frame
from perform.gl.context import Context, open_headless
from perform.gl.lib import gl
from perform.params import Params
from perform.plugins import Control, Declares, Sink, Source, Stage

T = TypeVar("T")
BLOCKED = 0.25  # seconds: far more than any frame may take, far less than a device that is waited for
OPENING = 2.0  # seconds until a show must have its first picture
CLOSING = 5.0  # seconds in which a part's threads must be gone
KINDS = ("Texture", "Framebuffer", "Renderbuffer", "Buffer", "VertexArray", "Program")  # of things that GL keeps
NAMES = 4096  # that are looked at after the next that GL would give: drivers give the smallest that is free
SWITCHES = ("GL_SCISSOR_TEST", "GL_BLEND", "GL_DEPTH_TEST", "GL_STENCIL_TEST", "GL_CULL_FACE")


class Broken(AssertionError):
    """A part does not keep its contract; the text says which promise and how."""


def require(kept: object, sentence: str) -> None:
    """Raise Broken with the sentence unless `kept`."""
    if not kept:
        raise Broken(sentence)


@contextlib.contextmanager
def context() -> Iterator[Context | None]:
    """A current GL context: the one that is there (None is given), or a headless one for as long as the block."""
    import sys

    pyglet = sys.modules.get("pyglet.gl")
    if pyglet is not None and getattr(pyglet, "current_context", None) is not None:
        yield None
        return
    with open_headless() as made:
        yield made


def stage(
    prefix: str = "/source/mine",
    size: tuple[int, int] = (96, 64),
    clock: Clock | None = None,
    folder: Path | None = None,
) -> Stage:
    """A small stage with parameters of its own and a clock that stands still until it is moved."""
    return Stage(Params(), clock or ManualClock(), prefix, size, folder=folder or Path())


def opened(make: Callable[[], Any], on: Stage, kind: Any) -> Any:
    """Make and open a part; what all parts promise about that."""
    part = make()
    name = type(part).__name__
    require(dataclasses.is_dataclass(part), f"{name} is not a dataclass: its fields are its keys in show.toml")
    for promise in ("open", "close", "__enter__", "__exit__"):
        require(callable(getattr(part, promise, None)), f"{name} has no {promise}()")
    promised = beforehand(part, on, kind) if kind in (Control, Sink) and isinstance(part, Declares) else None
    known = {param.address for param in on.params}
    began = time.perf_counter()
    try:
        given = part.open(on)
    except Exception as e:
        raise Broken(f"{name}.open() raises {type(e).__name__}: {e}") from e
    took = time.perf_counter() - began
    require(given is part, f"{name}.open() returns {given!r}, not the part itself")
    require(took < OPENING, f"{name}.open() took {took:.1f} s; what takes long belongs in a worker")
    require(isinstance(part, kind), f"{name} is no {kind.__name__}: something that one has is missing once it is open")
    declared(name, on, known, kind)
    if promised is not None:
        there = {param.address for param in on.params}
        for address in sorted(there - known - promised):
            raise Broken(f"{name}.declare() leaves out {address}: perform check would not know it")
        for address in sorted(promised - there):
            raise Broken(f"{name}.open() does not declare {address}, which {name}.declare() does")
    return part


def beforehand(part: Any, on: Stage, kind: Any) -> set[str]:
    """The addresses that a part says it will have; it says so without opening anything."""
    name, before = type(part).__name__, set(threading.enumerate())
    apart = dataclasses.replace(on, params=Params(), sound={})
    try:
        part.declare(apart)
    except Exception as e:
        raise Broken(f"{name}.declare() raises {type(e).__name__}: {e}") from e
    require(set(threading.enumerate()) <= before, f"{name}.declare() starts a thread; that is open()'s")
    declared(name, apart, set(), kind)
    return {param.address for param in apart.params}


def declared(name: str, on: Stage, known: set[str], kind: Any) -> None:
    """Every new parameter says what it is, and a source's lie below its own address."""
    for param in on.params:
        if param.address in known:
            continue
        own = param.address.startswith((on.prefix + "/", "/status"))
        require(own or kind is not Source, f"{name} declares {param.address}, which is not below {on.prefix}")
        require(
            param.spec.doc.strip(), f"{name}'s {param.address} has no doc: a performer reads it in the address list"
        )


def closed(part: Any, before: set[threading.Thread]) -> None:
    """Close a part, twice; its threads end."""
    name = type(part).__name__
    for turn in ("", " a second time"):
        began = time.perf_counter()
        try:
            part.close()
        except Exception as e:
            raise Broken(f"{name}.close() raises{turn}: {type(e).__name__}: {e}") from e
        took = time.perf_counter() - began
        require(took < CLOSING, f"{name}.close() took {took:.1f} s{turn}")
    deadline = time.monotonic() + CLOSING
    while (left := set(threading.enumerate()) - before) and time.monotonic() < deadline:
        time.sleep(0.005)
    require(not left, f"{name} leaves threads behind: {', '.join(sorted(t.name for t in left))}")


class _Failures(logging.Handler):
    """Writes down what is said of workers that fail: they are restarted, and nobody else hears of it."""

    def __init__(self, heard: list[str]) -> None:
        super().__init__(logging.WARNING)
        self.heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(record.getMessage())


@contextlib.contextmanager
def failures() -> Iterator[list[str]]:
    """A list that is given a sentence for every thread and worker that fails within the block."""
    heard: list[str] = []
    usual, workers, handler = threading.excepthook, logging.getLogger("perform.workers"), _Failures(heard)

    def note(args: threading.ExceptHookArgs) -> None:
        who = args.thread.name if args.thread else "a thread"
        heard.append(f"{who} failed ({args.exc_type.__name__}: {args.exc_value})")

    threading.excepthook = note
    workers.addHandler(handler)
    try:
        yield heard
    finally:
        workers.removeHandler(handler)
        threading.excepthook = usual


@dataclasses.dataclass
class Stopwatch:
    """Sees who keeps the render thread waiting. Three calls over `BLOCKED` are too many, or one over `OPENING`: a
    busy machine may stop anyone for a moment. With `gl` it also sees who leaves GL's switches as others do not
    expect them."""

    slow: int = 0
    gl: bool = True

    def quickly(self, name: str, deed: Callable[..., T], *given: Any) -> T:
        """What `deed(*given)` returns; it may neither raise nor wait."""
        before = switches() if self.gl else {}
        began = time.perf_counter()
        try:
            answer = deed(*given)
        except Exception as e:
            raise Broken(f"{name} raises {type(e).__name__}: {e}") from e
        took = time.perf_counter() - began
        self.slow += took > BLOCKED
        waits = self.slow >= 3 or took > OPENING
        require(not waits, f"{name} took {took * 1000:.0f} ms: it waits for something on the render thread")
        for switch, on in (switches() if self.gl else {}).items():
            require(on == before[switch], f"{name} leaves {switch} {'on' if on else 'off'}")
        return answer


def switches() -> dict[str, bool]:
    """GL's switches that spoil what others draw. Needs a current context."""
    return {name: bool(gl.glIsEnabled(getattr(gl, name))) for name in SWITCHES}


def drawable(name: str, frame: object) -> Frame:
    """A frame as the rest of the show needs it."""
    if not isinstance(frame, Frame):
        raise Broken(f"{name} gives {type(frame).__name__}, not a Frame")
    texture = frame.texture
    require(gl.glIsTexture(texture.id), f"{name} gives a texture ({texture.id}) that GL does not know")
    require(texture.width > 0 and texture.height > 0, f"{name} gives a picture of {texture.width}×{texture.height}")
    require(math.isfinite(frame.time), f"{name} gives a frame whose time is {frame.time}")
    return frame


def held() -> dict[str, set[int]]:
    """The names that GL knows of each of the `KINDS`. Needs a current context. 10 ms on llvmpipe."""
    gl.glUseProgram(0)  # the one in use would stay when it is deleted
    return {
        kind: {name for name in range(1, _next(kind) + NAMES) if getattr(gl, f"glIs{kind}")(name)} for kind in KINDS
    }


def _next(kind: str) -> int:
    """The name that GL would give to the next of its kind."""
    if kind == "Program":
        program = gl.glCreateProgram()
        gl.glDeleteProgram(program)
        return int(program)
    name = c_uint()
    getattr(gl, f"glGen{kind}s")(1, byref(name))
    getattr(gl, f"glDelete{kind}s")(1, byref(name))
    return name.value


def given_back(name: str, kept: dict[str, set[int]]) -> None:
    """GL holds what it held before the part was made (`kept`): what the part took is back, and nothing of others."""
    for kind, names in held().items():
        more, fewer = len(names - kept[kind]), len(kept[kind] - names)
        require(not more, f"{name}.close() does not give back what it took of GL: {more} × {kind.lower()}")
        require(not fewer, f"{name}.close() takes away what others have in GL: {fewer} × {kind.lower()}")


def no_gl_error(name: str) -> None:
    """GL has nothing to complain about."""
    error = gl.glGetError()
    require(error == 0, f"{name} leaves a GL error behind: {error:#x}")


def nasty(on: Stage) -> Iterator[float]:
    """Post to every settable parameter what performers, and their software, send; yields the time after each round."""
    now = on.clock.now()
    for what in ("lo", "hi", math.nan, math.inf, "text", None, (1, 2, 3), "default"):
        for param in on.params:
            if not param.spec.readonly:
                value = getattr(param.spec, what) if what in ("lo", "hi", "default") else what
                on.params.post(param.address, value)
        now += 1.0 / on.fps
        on.params.settle(now)
        yield now
