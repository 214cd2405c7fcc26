"""From a Show to a Performance: opens every part in the order in which they need each other.

Context, parameters, sources, worlds, layers, master, controls, outputs. A part that does not open is said once and
left out; only a machine without any GL context (GLUnavailable) keeps a show from opening at all.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from perform.clock import Clock, FixedClock
from perform.control.cues import Cues
from perform.engines import choose
from perform.engines.bank import Bank
from perform.engines.generator import Hardware
from perform.gl.context import Context, open_headless
from perform.gl.isf import Patch, find_patch
from perform.health import Guard, Health, Status
from perform.layers import LayerStack, Master, MasterParams, Place
from perform.library import Library
from perform.params import Params, Post
from perform.performance.edits import Editor
from perform.performance.layering import Layering, roles
from perform.performance.parts import declare_part, open_part
from perform.performance.performance import Output, Performance
from perform.performance.sourcing import open_sources
from perform.plugins import Stage
from perform.show import PartSpec, Show
from perform.show.stock import Stock

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is asked for on top of the show: how it is run, not what it is.

    `on_beat` is called with the show time of each presented frame (the supervisor's heartbeat). `resume` holds
    parameter values to start from, `stood` where the cue list stood (see `Cues.stood`). `gpu` False leaves graphics
    cards alone: the worlds play on the CPU. `controls` False leaves controls out, `edits` False does not follow the
    show's file. `dry`: controls, the window and what else can say its addresses beforehand declare them and are not
    opened: no port, no device, no film.
    """

    headless: bool = False
    gpu: bool = True
    record: Path | None = None
    controls: bool = True
    edits: bool = True
    dry: bool = False
    on_beat: Callable[[float], None] | None = None
    resume: Mapping[str, Any] = field(default_factory=dict)
    stood: Mapping[str, Any] = field(default_factory=dict)


def open_performance(show: Show, clock: Clock, wishes: Wishes | None = None) -> Performance:
    """Open a show; the calling thread becomes the render thread. First picture within 2 s: worlds come later.

    Raises GLUnavailable with one sentence where no GL context can be had.
    """
    wishes = wishes or Wishes()
    window = None if wishes.headless else show.window.make()
    if window is not None and "title" not in show.window.keys:
        window.title = show.name
    context = open_headless() if window is None else window.open_window(show.size)
    closing: list[Callable[[], Any]] = [context.close]
    try:
        return _open(show, clock, wishes, context, window, closing)
    except BaseException:
        for close in reversed(closing):
            close()
        raise


def _open(
    show: Show, clock: Clock, wishes: Wishes, context: Context, window: Any, closing: list[Callable[[], Any]]
) -> Performance:
    params = Params()
    health = Health(params, wishes.on_beat)
    stage = Stage(params, clock, "", show.size, show.fps, show.folder, show.patches, context.software)
    stock = Stock(show.folder, show.patches, show.models)
    places: dict[str, Place] = {}
    stack = LayerStack(
        show.size,
        places,
        _blends(show),
        linear=show.blend_space == "linear",
        smoothly=not context.software,
        trouble=lambda text: log.warning("%s", text),
    )
    knobs = MasterParams.declare(params, show.inset)
    master = Master(show.size, params, knobs, stack.linear, context.software)
    guard = Guard(Status(params, "/status/composite"))
    play = Performance(show, clock, context, params, health, stack, master, guard, closing=closing)
    closing += [stack.close, master.close]
    open_sources(play, show.sources, stage)
    layering = Layering(play, stage, stock, _open_bank(play, wishes.gpu), places)
    for layer in show.layers:
        layering.add(layer)
    layering.number(show.layers)
    # A new process has nothing to hold: frozen, it would show its first frame, before a camera has delivered, for ever.
    values = {a: v for a, v in {**show.values(), **wishes.resume}.items() if a.casefold() != "/master/freeze"}
    _set(play, values)
    there = {address for address in wishes.resume if address in params}
    if wishes.controls:
        _open_controls(play, wishes, stage)
        # Their addresses are there only now, and begin where the performer had them.
        params.post_all(Post(a, v) for a, v in wishes.resume.items() if a not in there and a in params)
    _open_outputs(play, wishes, stage, window)
    play.cues = Cues(show.cues, opening=show.values(), resume=wishes.stood).open(replace(stage, prefix="/cue"))
    closing.append(play.cues.close)
    params.expect(values)  # of patches that are not good yet: their inputs begin there when they come
    if wishes.edits:
        _follow_edits(play, stage, layering)
    return play


def _follow_edits(play: Performance, stage: Stage, layering: Layering) -> None:
    editor = Editor(play, stage, layering, Status(play.params, "/status/show"))
    editor.watch()
    play.before.append(editor.take_up)
    play.closing.append(editor.close)


def _blends(show: Show) -> Callable[[str], Any]:
    """Opens blend patches by name; they draw into half floats, as the composite does."""
    return lambda name: Patch.open(find_patch(f"blends/{name}", show.patches), "rgba16f")


def hardware(show: Show, gpu: bool) -> list[Hardware]:
    """The show's own engine first, then what suits this machine. The bank's worker asks."""
    own = [show.engine.make()] if show.engine is not None and gpu else []
    return [*own, *choose.auto(gpu)]


def _open_bank(play: Performance, gpu: bool) -> Bank:
    show, fixed = play.show, isinstance(play.clock, FixedClock)
    status = Status(play.params, "/status/worlds")
    share = show.gpu_memory
    bank = Bank(Library(show.models), lambda: hardware(show, gpu), synchronous=fixed, status=status, share=share)
    play.closing.append(bank.close)
    if named := roles(show, bank.library):
        bank.keep(named)
    return bank


def _open_controls(play: Performance, wishes: Wishes, stage: Stage) -> None:
    for name, control in play.show.controls.items():
        if wishes.dry:
            if not declare_part(play, control, stage, f"/{name}"):
                play.strangers.append(f"[{name}]" if name == control.type else f"[control.{name}]")
        elif (part := open_part(play, control, stage, f"/{name}")) is not None:
            play.controls[name] = part


def _open_outputs(play: Performance, wishes: Wishes, stage: Stage, window: Any) -> None:
    """The window first: what people see must not wait for a film."""
    show = play.show
    sinks = dict(show.sinks)
    if show.record is not None:
        sinks["record"] = show.record
    if wishes.record is not None:
        sinks["record"] = PartSpec("sinks", "record", "recorder", {"file": str(wishes.record.absolute())})
    if all(sink.type != "snapshot" for sink in sinks.values()):
        sinks["snapshot"] = PartSpec("sinks", "snapshot", "snapshot")
    if wishes.dry:
        declare_part(play, show.window, stage, "/window")
        Status(play.params, "/status/sink/window")
        sinks = {name: sink for name, sink in sinks.items() if not declare_part(play, sink, stage, f"/sink/{name}")}
    opened = {name: open_part(play, spec, stage, f"/sink/{name}") for name, spec in sinks.items()}
    if window is not None:
        opened = {"window": window.open(replace(stage, prefix="/window")), **opened}
        play.closing.insert(1, window.close)  # it takes the context along, which the others still need to close
    for name, sink in opened.items():
        if sink is not None:
            play.outputs[name] = Output(sink, Guard(Status(play.params, f"/status/sink/{name}")))


def _set(play: Performance, values: Mapping[str, Any]) -> None:
    """Begin where the show (or the last snapshot) says, without gliding there."""
    play.params.post_all(Post(address, value) for address, value in values.items())
    play.params.settle(play.clock.now())
