"""Would the worlds of a show play on this machine? Asked before the doors open; files are read, nothing is compiled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from safetensors import SafetensorError, deserialize

from perform.card import Asset, Card, CardError, Size
from perform.cli.build import needs
from perform.engines.generator import Choosy, Hardware, Shape
from perform.engines.openvino import OpenVino, read
from perform.library import Library, verify
from perform.performance import hardware
from perform.plugins import EngineError
from perform.show import Problem, Show, ever

KINDS = {"F64": np.float64, "F32": np.float32, "F16": np.float16, "BF16": np.uint16}  # numpy has no bfloat16


def unplayable(show: Show, told: Sequence[Problem]) -> list[Problem]:
    """Every file of a world that the show names, held against its card, and the sizes that it plays against the
    engines of this machine. A world that is not there is left out if it has been `told` already.
    """
    library = Library(show.models)
    found: dict[str, Sequence[str]] = {}
    for world in show.worlds:
        try:
            card = library.card(world)
            for size in card.sizes.values():
                for asset in size.files.values():
                    verify(asset)
            found[world] = ()
        except (CardError, LookupError, OSError) as e:
            if not (isinstance(e, LookupError) and any(repr(world) in problem.text for problem in told)):
                found[world] = (f"the world {world!r} will not play: {e.args[0] if e.args else e}",)
    whole = [world for world, wrong in found.items() if not wrong]
    engines = hardware(show, gpu=True) if whole else []
    # Presets are files of their own, and what one brings that nobody calls must not make the show itself wrong.
    played = {(need.world, need.size): need.shape for need in needs(show, library, presets=())[0]}
    for world in whole:
        card = library.card(world)
        sizes = [(card.size(size), shape) for (w, size), shape in played.items() if w == world]
        found[world] = [text for size, shape in sizes for text in _doubts(card, size, shape, engines)]
    return [Problem(show.path, _line(show, world), text) for world, texts in found.items() for text in texts]


def _doubts(card: Card, size: Size, shape: Shape, engines: Sequence[Hardware]) -> Iterator[str]:
    start = f"the world {card.world!r} will not play at size {size.name!r}"
    if not engines:
        yield f"{start}: there is no engine on this machine; `pip install openvino` brings the one for processors"
    if why := lacking(engines, size):
        make = f"perform export {size.name}=RUN --world PICTURES --out {card.folder}"
        yield f"{start}: it brings {why}; `{make}` makes all of its files from a run folder and its pictures"
    if "weights" in size.files and (why := unsound(size.files["weights"])):
        yield f"{start}: {why}"
    if any(isinstance(engine, OpenVino) for engine in engines):
        graphs = [size.files[kind] for kind in ("onnx", "int8") if kind in size.files]
        yield from (f"{start}: {why}" for asset in graphs if (why := unreadable(card, asset, shape)))


def lacking(engines: Sequence[Hardware], size: Size) -> str:
    """What a size does not bring for the best of these engines; empty if any of them can play it."""
    lacks = [engine.lacks(size) if isinstance(engine, Choosy) else "" for engine in engines]
    return lacks[0] if lacks and all(lacks) else ""


def unsound(asset: Asset) -> str:
    """Why weights cannot be played, one sentence with the file and the tensor; empty if they are numbers. Reads it."""
    try:
        tensors: list[tuple[str, Any]] = deserialize(asset.path.read_bytes())  # type: ignore[no-untyped-call]
    except SafetensorError as e:
        return f"{asset.path} is not a safetensors file: {e}"
    for name, tensor in tensors:
        kind = KINDS.get(tensor["dtype"])
        if kind is None:
            continue  # whole numbers are always finite
        values = np.frombuffer(tensor["data"], kind)
        if kind is np.uint16:
            values = (values.astype(np.uint32) << 16).view(np.float32)
        wrong = int((~np.isfinite(values)).sum())
        if wrong:
            return (
                f"{asset.path}: the tensor {name!r} has {wrong} of {values.size} weights that are no finite numbers "
                "(NaN or infinite); export the world again from a training that is sound"
            )
    return ""


def unreadable(card: Card, asset: Asset, shape: Shape) -> str:
    """Why OpenVINO cannot play a file at this shape, one sentence with the file: it is no ONNX, it takes other inputs,
    it holds weights that are no finite numbers. Empty if nothing is against it. 20 ms, and 0.2 s for the first.
    """
    try:
        import openvino
    except (ImportError, OSError) as e:
        return f"{asset.path} cannot be looked at: OpenVINO cannot be loaded ({e})"
    try:
        read(openvino.Core(), asset.path, shape, card.mood.size if card.mood is not None else 0, card.multiple)
    except EngineError as e:
        return f"{e}; export the world again"
    return ""


def rounded(show: Show) -> Iterator[Problem]:
    """Resolutions that the show names and a layer's world does not take as they are, pointed out; one for a layer."""
    library = Library(show.models)
    for layer in show.layers:
        line = show.lines.get(f"{layer.address}/resolution", 0)
        for world in ever(layer, "world", layer.world, show.cues) if line else ():
            try:
                card = library.card(world)
            except (CardError, LookupError):
                continue  # "none", or one that is told elsewhere
            if (played := card.fit(*layer.resolution)) != layer.resolution:
                text = f"resolution = {list(layer.resolution)} is played as {list(played)}"
                why = f"{world!r} takes sides of {card.multiple} pixels, {2 * card.multiple}, {3 * card.multiple}, …"
                yield Problem(show.path, line, f"layer {layer.name!r}: {text}: {why}", light=True, hint=True)
                break


def _line(show: Show, world: str) -> int:
    """Where a world is first named: in a layer, else in a cue."""
    layers = [show.lines.get(f"{x.address}/world", x.line) for x in show.layers if x.world == world]
    cues = [show.lines.get(f"cue {c.name} {a}", c.line) for c in show.cues for a, v in c.set.items() if v == world]
    return next(iter(layers + cues), 0)
