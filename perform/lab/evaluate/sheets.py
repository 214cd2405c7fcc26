"""Contact sheets of an evaluation: the same inputs through every size and the teacher, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from perform.lab import look, run
from perform.lab.evaluate.entrants import Entrant
from perform.lab.evaluate.measuring import paint
from perform.lab.evaluate.scene import Inputs, Scene

SHOWN = 23  # of the live inputs, those that are not only drawn come first


def draw(
    entrants: Sequence[Entrant], scene: Scene, folder: Path, world: str, command: str, rows: int = 7
) -> list[Path]:
    """`WORLD-held-out.jpg` (input | entrants | truth) and `WORLD-live.jpg` (camera | input | entrants). The
    command that made them is each file's own comment.
    """
    held = _pick(scene.held, len(scene.real), rows)
    known = min(SHOWN, len(set(scene.live.group.tolist())))
    live = _pick(scene.live, known, rows)
    camera = (scene.live_seen[_spread(known, rows)] * 2 - 1).expand(-1, 3, -1, -1)
    truth = scene.real[_spread(len(scene.real), rows)]
    sheets = {
        "held-out": columns(entrants, held) | {"truth": bytes_of(truth)},
        "live": {"camera": bytes_of(camera)} | columns(entrants, live),
    }
    words = {
        "held-out": f"{world}: pictures it has never seen, in their own moods",
        "live": f"{world}: live inputs, in moods of its pictures",
    }
    out = []
    for name, sheet in sheets.items():
        path = folder / f"{world}-{name}.jpg"
        folder.mkdir(parents=True, exist_ok=True)
        picture = look.labelled(sheet, words[name])
        run.write(
            path,
            lambda partial, p=picture: p.save(partial, "JPEG", quality=86, comment=command.encode()),  # type: ignore[misc]
        )
        out.append(path)
    return out


def columns(entrants: Sequence[Entrant], inputs: Inputs) -> dict[str, list[Tensor]]:
    """What was given and what each entrant made of it, as bytes, by name."""
    given = (inputs.condition * 2 - 1).expand(-1, 3, -1, -1)
    painted: Mapping[str, Tensor] = {one.name: paint(one.open(), inputs) for one in entrants}
    return {"input": bytes_of(given), **{name: bytes_of(dreams) for name, dreams in painted.items()}}


def bytes_of(pictures: Tensor) -> list[Tensor]:
    """RGB [N,3,S,S] in -1..1 to uint8 [S,S,3] each."""
    whole = ((pictures + 1) * 127.5 + 0.5).clamp(0, 255).to(torch.uint8)
    return [one.permute(1, 2, 0).contiguous() for one in whole]


def _spread(count: int, rows: int) -> Tensor:
    """`rows` of the first `count`, far apart from each other."""
    return torch.linspace(0, count - 1, min(rows, count)).round().long()


def _pick(inputs: Inputs, count: int, rows: int) -> Inputs:
    chosen = _spread(count, rows)
    return Inputs(inputs.condition[chosen], inputs.mood[chosen], inputs.group[chosen])
