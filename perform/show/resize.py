"""A show on a stage of another size than its file's."""

from __future__ import annotations

import math
from dataclasses import replace

from perform.show.layers import resolution
from perform.show.spec import Show

Size = tuple[int, int]  # width, height


def resized(show: Show, size: Size) -> Show:
    """What is of the stage's shape, pictures of networks and of sources, takes the new one, with about as many pixels:
    a portrait is not to be the enlarged middle of a landscape. What has a shape of its own keeps it."""
    own, other = resolution(show.size), resolution(size)
    layers = tuple(
        replace(layer, resolution=other if layer.resolution == own else _shaped(layer.resolution, show.size, size))
        for layer in show.layers
    )
    sources = {
        name: replace(source, keys={**source.keys, "size": _shaped(source.keys["size"], show.size, size)})
        if source.keys.get("size")
        else source
        for name, source in show.sources.items()
    }
    return replace(show, size=size, layers=layers, sources=sources)


def _shaped(own: Size, stage: Size, other: Size) -> Size:
    """A size in the shape of another stage, in steps of 16, if it is in the shape of this one."""
    shape, new = own[0] / own[1], other[0] / other[1]
    if abs(shape * stage[1] / stage[0] - 1.0) > 0.05 or abs(new / shape - 1.0) < 0.05:
        return own
    height = math.sqrt(own[0] * own[1] / new)
    return max(16, round(height * new / 16) * 16), max(16, round(height / 16) * 16)
