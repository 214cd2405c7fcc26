"""perform build: every engine that a show needs, made before the doors open."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, Protocol

from perform.cli import Bad
from perform.cli.run import load_show

if TYPE_CHECKING:
    from perform.engines.targets import Target
    from perform.library import Library
    from perform.show import Show
    from perform.show.spec import CueSpec, LayerSpec, PartSpec

NVIDIA = {"cuda", "rtx", "tensorrt"}  # engines and targets whose `device` is the number of a CUDA card


@dataclass(frozen=True, slots=True)
class Need:
    """A world at one size for pictures of one shape, as some layer plays it now or after a cue or a preset."""

    world: str
    size: str
    shape: tuple[int, int]

    def __str__(self) -> str:
        return f"{self.world} {self.size} {self.shape[0]}×{self.shape[1]}"


class Said(Protocol):
    """Where the verb speaks: lines that stay, and what it is at."""

    def line(self, text: str) -> None: ...

    def at(self, text: str) -> None: ...

    def step(self) -> None: ...


def build(args: argparse.Namespace) -> int:
    """Build everything; 0 if each world of the show has an engine for what was asked, 2 if one has not."""
    from perform.library import Library

    show = load_show(args)
    library = Library(show.models)
    wanted, wrong = needs(show, library)
    targets, missing = _targets(show, args.target)
    if not targets:
        raise Bad(" ".join(missing[0].split()) if args.target != "auto" else "nothing can be built on this machine")
    failed, engines = len(wrong), 0
    with _speaker(len(wanted) * len(targets)) as said:
        for text in (*wrong, *missing):
            said.line(text)
        for need in wanted:
            worked = [_one(need, target, library, said) for target in targets]
            engines += sum(worked)
            failed += not (any(worked) if args.target == "auto" else all(worked))
    if failed:
        raise Bad(f"{failed} of the {many(len(wanted) + len(wrong), 'world')} that {show.path} plays: no engine")
    ready = f"{many(len(wanted), 'world')}, {many(engines, 'engine')}: ready" if wanted else "it plays no world"
    print(f"{show.path}: {ready}")
    return 0


def many(count: int, what: str) -> str:
    """ "1 world", "2 worlds"."""
    return f"{count} {what}{'s' * (count != 1)}"


def needs(show: Show, library: Library, presets: Sequence[CueSpec] | None = None) -> tuple[list[Need], list[str]]:
    """What the layers play, at the start, after any cue and after any preset that is there to be called (None: all
    beside the show); and one sentence for each that cannot be.

    Each world that a layer ever plays is taken at each size that the layer ever has: cues may come in any order. A
    preset mostly brings both, so that the size of one may be none of another's world: such a pair is left out.
    """
    from perform.library import CardError
    from perform.show import ever, presets_of

    found: dict[Need, None] = {}
    wrong: dict[str, None] = {}
    presets = presets_of(show) if presets is None else presets
    for layer in show.layers:
        sizes, sure = ever(layer, "size", layer.size, (*show.cues, *presets)), _sure(layer, show.cues, presets)
        for world in ever(layer, "world", layer.world, (*show.cues, *presets)):
            if world == "none":
                continue
            try:
                card = library.card(world)
            except (LookupError, CardError) as e:
                wrong[f"{e.args[0]}{_whose(layer, world, '', show.cues, presets)}"] = None
                continue
            fitting = [size for size in sizes if size in card.sizes or (world, size) in sure]
            for size in fitting or sizes[:1]:  # where none fits, one sentence says so
                try:
                    found[Need(world, card.size(size).name, card.fit(*layer.resolution))] = None
                except CardError as e:  # the others play
                    wrong[f"{e.args[0]}{_whose(layer, world, size, show.cues, presets)}"] = None
    return list(found), list(wrong)


def _sure(layer: LayerSpec, cues: Sequence[CueSpec], presets: Sequence[CueSpec]) -> set[tuple[str, str]]:
    """Worlds and sizes of a layer that meet: those of the show and its cues, and those that one preset brings."""
    from perform.show import ever

    pairs = set(product(ever(layer, "world", layer.world, cues), ever(layer, "size", layer.size, cues)))
    for preset in presets:
        pairs |= set(product(ever(layer, "world", "", [preset])[1:], ever(layer, "size", "", [preset])[1:]))
    return pairs


def _whose(layer: LayerSpec, world: str, size: str, cues: Sequence[CueSpec], presets: Sequence[CueSpec]) -> str:
    """Which preset brings a world that the show itself does not name, or brings it at this size, in the end of a
    sentence; else nothing.
    """
    from perform.show import ever

    bring = [preset for preset in presets if world in ever(layer, "world", "", [preset])]
    both = [preset for preset in bring if size in ever(layer, "size", "", [preset])[1:]]
    if world in ever(layer, "world", layer.world, cues) and (not both or size in ever(layer, "size", layer.size, cues)):
        return ""
    return f" (the preset {(both or bring)[0].name!r} brings it)"


def _targets(show: Show, wanted: str) -> tuple[list[Target], list[str]]:
    """What to build for, and why not for the others. "auto": the show's own engine if it names one, else all."""
    from perform.engines.targets import NAMES, open_target
    from perform.plugins import EngineError

    own = show.engine
    names: tuple[str, ...] = NAMES if wanted == "auto" else (wanted,)
    if wanted == "auto" and own is not None and own.type in NAMES:
        names = (own.type,)
    targets, missing = [], []
    for name in names:
        try:
            targets.append(open_target(name, _keys(own, name)))
        except EngineError as e:
            missing.append(f"{name:<8}  not here: {e}")
    return targets, missing


def _keys(own: PartSpec | None, target: str) -> dict[str, Any]:
    """What the show's engine says to a target: all, if it is of that kind; which card, if both are for NVIDIA's."""
    if own is None or own.type == target:
        return dict(own.keys) if own is not None else {}
    both = {own.type, target} <= NVIDIA and "device" in own.keys
    return {"device": own.keys["device"]} if both else {}


def _one(need: Need, target: Target, library: Library, said: Said) -> bool:
    from perform.library import CardError
    from perform.plugins import EngineError

    said.at(f"{need} for {target.name}")
    try:
        built = target.build(library.card(need.world), need.size, need.shape, said.at)
    except (EngineError, CardError) as e:
        said.line(f"{target.name:<8}  {need}: {e}")
        return False
    finally:
        said.step()
    said.line(f"{target.name:<8}  {need}: {built.text}")
    return True


# ---------------------------------------------------------------- speaking
@contextmanager
def _speaker(total: int) -> Iterator[Said]:
    """A bar where somebody watches and rich is installed, otherwise plain lines."""
    if sys.stdout.isatty():
        try:
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
        except ImportError:
            pass
        else:
            columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
            with Progress(*columns, transient=True) as progress:
                yield _Bar(progress, progress.add_task("", total=total))
            return
    yield _Lines()


@dataclass(slots=True)
class _Bar:
    """A rich.progress.Progress with one task."""

    progress: Any
    task: Any

    def line(self, text: str) -> None:
        self.progress.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def at(self, text: str) -> None:
        self.progress.update(self.task, description=text)

    def step(self) -> None:
        self.progress.advance(self.task)


class _Lines:
    def line(self, text: str) -> None:
        print(text, flush=True)

    def at(self, text: str) -> None:
        """What it is at is not worth a line: the result comes on one."""

    def step(self) -> None:
        """Lines count for themselves."""
