"""Run folders: where a stage of the lab writes what it did, and resumes from.

recipe.json        what was asked for log.txt            one readable line every few steps checkpoint.pt
everything needed to go on exactly as if never interrupted; replaced atomically, once a minute ema.safetensors    the
averaged weights alone, for export sheet-000500.jpg   what it paints at that step
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor


class Stage(Protocol):
    """What `drive` needs of a training stage."""

    done: int

    def step(self) -> dict[str, float]:
        """One optimiser step; adds 1 to `done` and returns the numbers to log."""

    def state(self) -> dict[str, Any]:
        """Everything to go on from, as tensors and plain containers."""

    def restore(self, state: Mapping[str, Any]) -> None: ...

    def weights(self) -> dict[str, Tensor]:
        """The averaged weights, ready for safetensors."""

    def sheet(self) -> Tensor:
        """A contact sheet, RGB uint8 [H,W,3]."""


@dataclass(frozen=True)
class Pace:
    """How long a stage runs and how often it writes."""

    steps: int
    minutes: float = 1e9
    log_every: int = 25
    sheet_every: int = 250
    save_seconds: float = 60.0


def write(path: Path, save: Callable[[Path], object]) -> None:
    """Write a file so that a reader, or a power cut, finds the old one or the new one whole, never a part."""
    partial = path.with_name(path.name + ".part")
    save(partial)
    with open(partial, "rb+") as file:
        os.fsync(file.fileno())
    partial.chmod(0o644)  # safetensors makes private files; weights are to be shared
    os.replace(partial, path)


def save(folder: Path, stage: Stage) -> None:
    """Write checkpoint and averaged weights, each atomically. About 0.1 s for a teacher."""
    write(folder / "checkpoint.pt", lambda path: torch.save(stage.state(), path))
    weights = {key: value.detach().contiguous().clone() for key, value in stage.weights().items()}
    write(folder / "ema.safetensors", lambda path: save_file(weights, path))


def resume(folder: Path, stage: Stage) -> bool:
    """Restore `stage` from the folder's checkpoint; False if there is none. Only tensors and plain containers are
    ever unpickled.
    """
    path = folder / "checkpoint.pt"
    if not path.exists():
        return False
    stage.restore(torch.load(path, map_location="cpu", weights_only=True))
    return True


def remember(folder: Path, recipe: Mapping[str, Any]) -> None:
    """Keep what was asked for beside what came of it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "recipe.json").write_text(json.dumps(dict(recipe), indent=1, default=str) + "\n", encoding="utf-8")


def drive(folder: Path, stage: Stage, pace: Pace, clock: Callable[[], float] = time.monotonic) -> None:
    """Run `stage` to the end of its pace, writing log, sheets and checkpoints; interrupting it loses at most a
    minute.
    """
    began = saved = clock()
    first = stage.done
    with open(folder / "log.txt", "a", encoding="utf-8", buffering=1) as log:
        while stage.done < pace.steps and clock() - began < 60 * pace.minutes:
            numbers = stage.step()
            now = clock()
            if stage.done % pace.log_every == 0:
                each = (now - began) / (stage.done - first)
                words = "  ".join(f"{name} {value:.3f}" for name, value in numbers.items())
                log.write(f"{stage.done:6d}  {each:.3f} s/step  {words}\n")
            if stage.done % pace.sheet_every == 0:
                picture(folder / f"sheet-{stage.done:06d}.jpg", stage.sheet())
            if now - saved > pace.save_seconds:
                save(folder, stage)
                saved = clock()
    save(folder, stage)


def picture(path: Path, rgb: Tensor) -> None:
    """Save RGB uint8 [H,W,3]; the format follows the name."""
    Image.fromarray(rgb.contiguous().numpy()).save(path, quality=90)


def tile(rows: list[Tensor]) -> Tensor:
    """Rows of pictures, each [B,1|3,H,W] in -1..1, as one sheet: uint8 [rows*H, B*W, 3]."""
    lines = [torch.cat(list(row.expand(-1, 3, -1, -1)), 2) for row in rows]
    sheet = torch.cat(lines, 1).permute(1, 2, 0).float()
    return ((sheet + 1) * 127.5 + 0.5).clamp(0, 255).to(torch.uint8)
