"""What every entrant is measured on: the same photographs, the same live inputs, the same moods, the same noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from perform.lab import moods
from perform.lab.batches import apart, crop, middle
from perform.lab.card import condition
from perform.lab.moods import Scale
from perform.lab.worlds import World

LIVE = 1_000_000  # groups from here on are live inputs, below they are photographs of the world


@dataclass(frozen=True)
class Sizes:
    """How much is looked at. The published numbers are made with these; tests take less."""

    held_out: int = 24  # photographs, one pair each for the fidelity numbers
    held_crops: int = 96  # all crops of them together, for realism and texture
    live: int = 96
    pairs_live: int = 16  # of the live inputs, those compared with the teacher's dream of them
    real: int = 438  # crops of the world's photographs: the real side
    still: int = 6
    moving: int = 3
    frames: int = 64


@dataclass(frozen=True)
class Inputs:
    """Conditions [N,1,S,S] in 0..1 with their moods [N,7], and the group (photograph or live input) of each."""

    condition: Tensor
    mood: Tensor
    group: Tensor


@dataclass(frozen=True)
class Scene:
    """Everything an entrant is measured on.

    `real` [P,3,S,S]: the middles of held-out photographs; the first P of `held` are their conditions in their own
    moods, the rest crops of the same photographs. `live`: what a camera shows (`live_seen` [N,1,S,S] in 0..1, before
    the condition), under moods of any of the photographs it was trained on. `collection`: crops of the world's
    photographs, trained on or not, with their groups, the real side of realism and texture. `camera` [K,1,W,W]: wide
    pictures in 0..1 to hold still, to pan and to zoom, with a mood each; `hand`: a figure.
    """

    side: int
    reduce: float
    real: Tensor
    held: Inputs
    live: Inputs
    live_seen: Tensor
    pairs_live: int
    collection: Tensor
    collection_group: Tensor
    camera: Tensor
    camera_mood: Tensor
    hand: Tensor
    frames: int
    moving: int


def scale_of(world: World, side: int) -> tuple[Scale, Tensor]:
    """The world's mood scale, as training has it, and its photographs' moods [N,7]."""
    raw = torch.cat([moods.measure(*apart(middle(one, side))) for one in world.training()])
    scale = Scale.of(raw)
    return scale, scale(raw)


def prepare(
    world: World, live: Sequence[Tensor], reduce: float, side: int = 256, seed: int = 0, sizes: Sizes | None = None
) -> Scene:
    """The scene of a world. `live`: inputs that are not of the world, light [1,h,h] in 0..1 each (squares).

    The same for the same seed. Raises ValueError where the world holds nothing out.
    """
    pictures, sizes, rng = world.whole(), sizes or Sizes(), torch.Generator().manual_seed(seed)
    held = [index for index, out in enumerate(world.held_out.tolist()) if out]
    held = held[:: -(-len(held) // sizes.held_out)] if held else []  # photographs and renders alike, far apart
    if len(held) < 3:
        raise ValueError(f"to be evaluated, a world holds out three pictures or more, not {len(held)}")
    scale, known = scale_of(world, side)
    crops = [middle(pictures[index], side) for index in held]
    real, _ = apart(torch.cat(crops))
    groups = list(held)
    while len(crops) < sizes.held_crops:
        groups.append(held[len(crops) % len(held)])
        crops.append(crop(pictures[groups[-1]], side, rng))
    seen, grey = apart(torch.cat(crops))
    own = scale(moods.measure(seen, grey))
    foreign, foreign_group = _live(live, sizes.live, side)
    any_mood = known[torch.randint(0, len(known), (len(foreign),), generator=rng)]
    collection, collection_group = _collection(world, sizes.real, side, rng)
    wide = side + side // 4
    camera = torch.cat([apart(middle(pictures[index], wide))[1] for index in held[: sizes.still - 2]])
    camera = torch.cat([camera, *(_wide(one, wide) for one in foreign[:2])])
    still = torch.cat([own[: len(camera) - 2], any_mood[:2]])
    return Scene(
        side,
        reduce,
        real,
        Inputs(condition(grey, reduce, side), own, torch.tensor(groups)),
        Inputs(condition(foreign, reduce, side), any_mood, foreign_group + LIVE),
        foreign,
        min(sizes.pairs_live, len(foreign)),
        collection,
        collection_group,
        camera,
        still,
        _wide(foreign[0], wide),
        sizes.frames,
        sizes.moving,
    )


def _wide(grey: Tensor, side: int) -> Tensor:
    return F.interpolate(grey.view(1, 1, *grey.shape[-2:]), side, mode="bicubic", align_corners=False).clamp(0, 1)


def _live(live: Sequence[Tensor], count: int, side: int) -> tuple[Tensor, Tensor]:
    """`count` live inputs [count,1,side,side], each in turn, mirrored the second time, and whose group each is."""
    if not live:
        raise ValueError("there is no live-like input to evaluate on")
    out, groups = [], []
    for index in range(count):
        one = _wide(live[index % len(live)], side)
        out.append(one.flip(3) if index // len(live) % 2 else one)
        groups.append(index % len(live))
    return torch.cat(out), torch.tensor(groups)


def _collection(world: World, count: int, side: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """`count` crops of the world's photographs, held out or not: their middles first, then at random."""
    order = torch.randperm(len(world.pictures), generator=rng).tolist()
    crops, groups = [], []
    for turn in range(count):
        index = order[turn % len(order)]
        picture = world.pictures[index]
        crops.append(middle(picture, side) if turn < len(order) else crop(picture, side, rng))
        groups.append(index)
    return torch.cat(crops), torch.tensor(groups)
