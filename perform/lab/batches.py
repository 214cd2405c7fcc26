"""What a training step sees: crops of photographs with their conditions and moods, and strangers to dream on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from perform.lab import moods
from perform.lab.conditions import apply, augment, controls, luma
from perform.lab.strangers import SIDE, strangers, twist
from perform.lab.worlds import World


@dataclass(frozen=True)
class Batch:
    """`real` [P,3,S,S] in -1..1; `condition` [P+U,1,S,S] in 0..1 and `mood` [P+U,7], the first P of them the
    photographs' own. `moved` [K,1,S,S] are conditions of the last K pictures after they have moved by `shift` [K,2]
    pixels (down, right) in front of the camera: the condition's cells have not moved along.
    """

    real: Tensor
    condition: Tensor
    mood: Tensor
    moved: Tensor
    shift: Tensor


class Batches:
    """Draws batches of a world. All randomness comes from the CPU generator handed in, so that a resumed run, another
    rank and another device draw the same. The photographs live on the device they are trained on.
    """

    def __init__(self, world: World, side: int, strange: int = 1200, device: torch.device | None = None) -> None:
        self.device = device or torch.device("cpu")
        self.pictures = [one.to(self.device) for one in world.training()]
        self.side = side
        self.pairs = bool(world.inputs)  # then a picture's last three channels are what it is to be dreamt from
        self.coarsest = 1.0 if self.pairs else 28.0
        # strangers' side: whole pixels of theirs, by which they move, are whole ones of a picture
        self.grid = side if side % SIDE else SIDE
        self.stride = 1 if self.pairs else max(1, round(self.grid / SIDE))
        self.strangers = (strangers(strange) * 255).to(torch.uint8).to(self.device)
        raw = self.raw_of(self.pictures)
        self.scale = moods.Scale.of(raw)
        self.moods = self.scale(raw)

    def draw(self, paired: int, unpaired: int, rng: torch.Generator, moved: int = 0) -> Batch:
        """`paired` photographs with their own condition and mood, `unpaired` foreign inputs or moods, the last `moved`
        of which also move. About 15 ms for 4 + 4 on a CPU.
        """
        chosen = torch.randint(0, len(self.pictures), (paired,), generator=rng)
        real = torch.cat([crop(self.pictures[i], self.side, rng) for i in chosen.tolist()])
        real, grey = apart(real if self.pairs else expose(real, rng))
        mood = self.scale(moods.measure(real, grey))
        condition = augment(grey, rng, self.side, coarsest=self.coarsest)
        if unpaired == 0:
            return Batch(real, condition, mood, condition[:0], torch.zeros(0, 2, device=self.device))
        foreign = self._foreign(grey, unpaired, rng)
        dialled = controls(unpaired, rng, self.side, coarsest=self.coarsest)
        condition = torch.cat([condition, apply(foreign, dialled, rng, self.side)])
        steps = self.stride * torch.randint(-2, 3, (moved, 2), generator=rng)
        gone = apply(nudge(foreign[unpaired - moved :], steps), dialled.tail(moved), rng, self.side) if moved else None
        return Batch(
            real,
            condition,
            torch.cat([mood, self.any_moods(unpaired, rng)]),
            condition[:0] if gone is None else gone,
            (steps * (self.side / foreign.shape[2])).to(self.device),
        )

    def any_moods(self, count: int, rng: torch.Generator) -> Tensor:
        """Moods of any photographs [count,7], half of them a mix of two, all a little off."""
        first, second = torch.randint(0, len(self.moods), (2, count), generator=rng).to(self.device)
        mix = torch.rand(count, 1, generator=rng).mul(2).sub(1).clamp(min=0).to(self.device)
        near = torch.lerp(self.moods[first], self.moods[second], mix)
        return near + 0.15 * torch.randn(near.shape, generator=rng).to(self.device)

    def _foreign(self, grey: Tensor, count: int, rng: torch.Generator) -> Tensor:
        """Half procedural strangers, a quarter twisted photographs, a quarter photographs that will get another's
        mood. [count,1,64,64], or [count,1,S,S] where S is no multiple of 64. Of pairs, inputs that will get another's
        mood, [count,1,S,S].
        """
        if self.pairs:
            return grey[torch.randint(0, len(grey), (count,), generator=rng).to(self.device)]
        small = F.interpolate(grey, SIDE, mode="area")
        rows = torch.randint(0, len(self.strangers), (count,), generator=rng).tolist()
        own = torch.randint(0, len(grey), (count,), generator=rng).tolist()
        kinds = torch.rand(count, generator=rng).tolist()
        twisted = twist(small, rng)
        out = []
        for row, index, kind in zip(rows, own, kinds, strict=True):
            drawn = self.strangers[row].float() / 255
            out.append(drawn if kind < 0.5 else twisted[index] if kind < 0.75 else small[index])
        whole = torch.stack(out)
        return whole if self.grid == SIDE else F.interpolate(whole, self.grid, mode="bilinear", align_corners=False)

    def raw_of(self, pictures: Sequence[Tensor]) -> Tensor:
        """Raw moods of the middle square of photographs, each uint8 [3,H,W], to [N,7]. 10 ms each."""
        raw = []
        for one in pictures:
            raw.append(moods.measure(*apart(middle(one, self.side))))
        return torch.cat(raw)


def apart(pictures: Tensor) -> tuple[Tensor, Tensor]:
    """(what is to be dreamt [B,3,H,W], the luma in 0..1 it is to be dreamt from [B,1,H,W]) of photographs [B,3,H,W] in
    -1..1, which are their own input, or of pairs [B,6,H,W].
    """
    return pictures[:, :3], luma(pictures[:, -3:]) / 2 + 0.5


def crop(picture: Tensor, side: int, rng: torch.Generator) -> Tensor:
    """A random square of a photograph, 62 to 100 % of its height, flipped half of the time: uint8 [C,H,W] to
    [1,C,side,side] in -1..1.
    """
    height, width = picture.shape[1:]
    square = int(min(height, width) * (0.62 + 0.38 * float(torch.rand(1, generator=rng))))
    y = int(torch.randint(0, height - square + 1, (1,), generator=rng))
    x = int(torch.randint(0, width - square + 1, (1,), generator=rng))
    window = picture[:, y : y + square, x : x + square]
    if float(torch.rand(1, generator=rng)) < 0.5:
        window = window.flip(2)
    return _resize(window, side)


def nudge(pictures: Tensor, steps: Tensor) -> Tensor:
    """Pictures [B,C,H,W], each moved down and right by its whole pixels [B,2]; edges go on outwards."""
    reach = int(steps.abs().max()) if len(steps) else 0
    wide = F.pad(pictures, (reach,) * 4, mode="replicate")
    height, width = pictures.shape[2:]
    starts = (reach - steps).tolist()
    moved = [one[:, y : y + height, x : x + width] for one, (y, x) in zip(wide, starts, strict=True)]
    return torch.stack(moved)


def middle(picture: Tensor, side: int) -> Tensor:
    """The largest centred square: uint8 [C,H,W] to [1,C,side,side] in -1..1."""
    height, width = picture.shape[1:]
    square = min(height, width)
    y, x = (height - square) // 2, (width - square) // 2
    return _resize(picture[:, y : y + square, x : x + square], side)


def expose(real: Tensor, rng: torch.Generator) -> Tensor:
    """Another exposure of the same photographs (gamma .75..1.35), so that light itself varies and the dream follows
    it.
    """
    gamma = torch.exp(0.3 * (2 * torch.rand(len(real), 1, 1, 1, generator=rng) - 1)).to(real.device)
    return ((real + 1) / 2).clamp(0, 1) ** gamma * 2 - 1


def _resize(window: Tensor, side: int) -> Tensor:
    small = F.interpolate(window[None].float(), (side, side), mode="bicubic", antialias=True, align_corners=False)
    return small.clamp(0, 255) / 127.5 - 1
