"""What a world in training paints of photographs it has never seen: to look at, and as two numbers."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from perform.lab import losses, moods, run
from perform.lab.batches import Batches, apart, middle
from perform.lab.conditions import augment


def held_out(batches: Batches, unseen: Sequence[Tensor], most: int) -> tuple[Tensor, Tensor, Tensor]:
    """(photographs [N,3,S,S], conditions, own moods) of the middles of at most `most` held-out photographs."""
    real, grey = apart(torch.cat([middle(one.to(batches.device), batches.side) for one in unseen[:most]]))
    rng = torch.Generator().manual_seed(1)
    condition = augment(grey, rng, batches.side, 14.0, min(18.0, batches.coarsest))
    return real, condition, batches.scale(moods.measure(real, grey))


@torch.no_grad()
def sheet(network: nn.Module, batches: Batches, unseen: Sequence[Tensor], columns: int = 8) -> Tensor:
    """A contact sheet of a generator (luma, mood) -> RGB, uint8 [8*S, columns*S, 3]: condition, dream, photograph, the
    same input in two other moods, strangers and their dreams in two moods.
    """
    rng = torch.Generator().manual_seed(1)
    real, condition, own = held_out(batches, unseen, columns)
    columns = len(real)
    foreign = augment(batches.strangers[5 : 5 + columns].float() / 255, rng, batches.side, 14.0, 18.0)
    any_mood = batches.any_moods(columns, rng)
    rows = [condition * 2 - 1, network(condition, own), real]
    rows += [network(condition, own[k : k + 1].expand(len(own), -1)) for k in (0, len(own) // 2)]
    rows += [foreign * 2 - 1, network(foreign, any_mood), network(foreign, any_mood.roll(3, 0))]
    return run.tile([row.float().cpu() for row in rows])


@torch.no_grad()
def score(network: nn.Module, frozen: nn.Module, batches: Batches, unseen: Sequence[Tensor]) -> dict[str, float]:
    """How far a generator is from held-out photographs (`score`, lower is better: mean and spread of frozen features,
    and layout), and how various its dreams are beside theirs (`variety`, 1: as the photographs; near 0 it paints one
    picture whatever it is given). Seconds on a CPU.
    """
    real, condition, own = held_out(batches, unseen, 24)
    dream = torch.cat(
        [network(c, m).float() for c, m in zip(torch.split(condition, 4), torch.split(own, 4), strict=True)]
    )
    parts = (torch.split(dream, 4), torch.split(real, 4))
    mine, theirs = (torch.cat([frozen(part)[2].mean((2, 3)) for part in those]) for those in parts)
    spread = theirs.std(0, correction=0)
    away = (mine.mean(0) - theirs.mean(0)).abs().mean() + (mine.std(0, correction=0) - spread).abs().mean()
    unit = spread.mean().clamp(min=1e-6)
    return {
        "score": float(away / unit + 5 * losses.coarse(dream, real)),
        "variety": float(mine.std(0, correction=0).mean() / unit),
    }
