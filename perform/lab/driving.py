"""Drive a stage of the lab to its end: its steps, its log, its sheets and checkpoints in a run folder (`run.py`)."""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from perform.lab import begun, ranks, room, run

# What a state raises that is another stage's.
UNFIT = (LookupError, RuntimeError, ValueError, TypeError, AttributeError, AssertionError)


class Stage(Protocol):
    """What `drive` needs of a training stage."""

    done: int

    def step(self) -> Mapping[str, float | Tensor]:
        """One optimiser step; adds 1 to `done` and returns the numbers to log, good until the next step."""

    def state(self) -> dict[str, Any]:
        """Everything to go on from, as tensors and plain containers."""

    def restore(self, state: Mapping[str, Any]) -> None: ...

    def weights(self) -> dict[str, Tensor]:
        """The averaged weights, ready for safetensors."""

    def sheet(self) -> Tensor:
        """A contact sheet, RGB uint8 [H,W,3]."""


class Watcher(Protocol):
    """Somebody who looks on while a stage runs: a progress display, a judge of which state was the best."""

    def stepped(self, stage: Stage, numbers: Mapping[str, float], seconds: float) -> None:
        """Every `log_every` steps: the newest numbers, and seconds a step since the start."""

    def saved(self, stage: Stage, folder: Path) -> None:
        """A checkpoint has just been written."""

    def drawn(self, stage: Stage, sheet: Path) -> None:
        """A contact sheet has just been written."""

    def said(self, sentence: str) -> None:
        """Something a person should know, once."""


@dataclass(frozen=True)
class Pace:
    """How long a stage runs and how often it writes."""

    steps: int
    minutes: float = 1e9
    log_every: int = 25
    sheet_every: int = 250
    save_seconds: float = 60.0
    state_every: int = 0  # 0: no states are kept on the way


def save(folder: Path, stage: Stage) -> None:
    """Write checkpoint and averaged weights, each atomically. About 0.1 s for a teacher. Raises OSError, and ValueError
    for weights that are no numbers: the files that were there are still whole.
    """
    weights = averaged(stage)
    if not all(bool(value.isfinite().all()) for value in weights.values()):
        raise ValueError(
            f"by step {stage.done} the weights are no numbers any more; {folder} keeps the last good checkpoint: "
            "the same command goes on from it, a single stage (perform distil, perform train --world) with a lower "
            "--rate as well"
        )
    buffer = io.BytesIO()  # so that a full disk is an OSError here, not one of a library's many
    torch.save(stage.state(), buffer)
    run.write(folder / "checkpoint.pt", lambda path: path.write_bytes(buffer.getbuffer()))
    run.tensors(folder / "ema.safetensors", weights)


def averaged(stage: Stage) -> dict[str, Tensor]:
    """A stage's averaged weights on the CPU, as safetensors takes them."""
    return {key: value.detach().cpu().contiguous().clone() for key, value in stage.weights().items()}


def resume(folder: Path, stage: Stage) -> bool:
    """Restore `stage` from the folder's checkpoint; False if there is none. Raises ValueError, one sentence, for a
    checkpoint that is damaged, hostile or another network's.
    """
    path = folder / "checkpoint.pt"
    if not path.exists():
        return False
    state = run.kept(folder)
    try:
        stage.restore(state)
    except torch.cuda.OutOfMemoryError:  # a RuntimeError, too, but not the checkpoint's fault
        raise
    except UNFIT as e:
        raise ValueError(
            f"{path} is not a checkpoint of what is asked for ({run.first(e)}); give --out another folder"
        ) from None
    return True


def fit(
    folder: Path,
    begin: Callable[[float], Stage],
    pace: Pace,
    watcher: Watcher | None = None,
    recipe: Mapping[str, Any] | None = None,
) -> Stage:
    """Begin a stage, resume it if the folder holds its checkpoint, remember its `recipe` (`begun.told`), and drive it
    to its end.

    When the GPU's memory does not suffice, it is begun again from its last checkpoint with half the batch
    (`room.with_room`). Returns the stage as it ended. Raises ValueError, one sentence, where another process is at work
    in the folder, it holds something else, or was begun with something else (`begun.same`).
    """

    def whole(stage: Stage, _: float) -> Stage:
        resume(folder, stage)
        if recipe is not None:  # only now: what was refused must not stand beside another's network
            run.remember(folder, recipe)
        drive(folder, stage, pace, watcher=watcher)
        return stage

    def told(share: float) -> None:
        _say(folder, f"The GPU's memory is full: going on with 1/{round(1 / share)} of the batch.", watcher)

    folder.mkdir(parents=True, exist_ok=True)
    with run.alone(folder) if ranks.rank() == 0 else contextlib.nullcontext():
        if recipe is not None and (folder / "checkpoint.pt").exists():
            begun.same(folder, recipe)
        return room.with_room(folder / room.SHARE, begin, whole, told)


def drive(
    folder: Path,
    stage: Stage,
    pace: Pace,
    clock: Callable[[], float] = time.monotonic,
    watcher: Watcher | None = None,
) -> None:
    """Run `stage` to the end of its pace, writing log, sheets and checkpoints; interrupting it loses at most a
    minute. What cannot be written (a full disk) is said, and training goes on; the checkpoint before stays. At the end
    it raises OSError, and the same stage goes on from that checkpoint.

    Of many ranks, the first one writes and tells the others when to stop.
    """
    began = saved = clock()
    first = stage.done
    ours = ranks.rank() == 0
    while stage.done < pace.steps and ranks.agree(clock() - began < 60 * pace.minutes):
        numbers = stage.step()
        if ours and stage.done % pace.log_every == 0:
            plain = {name: float(value) for name, value in numbers.items()}
            each = (clock() - began) / (stage.done - first)
            words = "  ".join(f"{name} {value:.3f}" for name, value in plain.items())
            _log(folder, f"{stage.done:6d}  {each:.3f} s/step  {words}")
            if watcher is not None:
                watcher.stepped(stage, plain, each)
        if ours and stage.done % pace.sheet_every == 0:
            _draw(folder / f"sheet-{stage.done:06d}.jpg", stage, watcher)
        if ours and pace.state_every and stage.done % pace.state_every == 0:
            _store(folder / f"state-{stage.done:06d}.safetensors", stage, watcher)
        if ours and clock() - saved > pace.save_seconds:
            _keep(folder, stage, watcher)
            saved = clock()
    if ours:
        save(folder, stage)
        if watcher is not None:
            watcher.saved(stage, folder)


def _draw(path: Path, stage: Stage, watcher: Watcher | None) -> None:
    try:
        run.picture(path, stage.sheet())
    except OSError as e:
        path.unlink(missing_ok=True)
        _say(path.parent, f"The contact sheet could not be written ({e.strerror or e}). Going on.", watcher)
        return
    if watcher is not None:
        watcher.drawn(stage, path)


def _store(path: Path, stage: Stage, watcher: Watcher | None) -> None:
    try:
        run.tensors(path, averaged(stage))
    except OSError as e:
        _say(path.parent, f"The state could not be written ({e.strerror or e}). Going on.", watcher)


def _keep(folder: Path, stage: Stage, watcher: Watcher | None) -> None:
    try:
        save(folder, stage)
    except OSError as e:
        _say(folder, f"The checkpoint could not be written ({e.strerror or e}); the last one stays. Going on.", watcher)
        return
    if watcher is not None:
        watcher.saved(stage, folder)


def _say(folder: Path, sentence: str, watcher: Watcher | None) -> None:
    """To whoever looks on, else to standard error; and into the log. What cannot be written ends no training."""
    if watcher is not None:
        watcher.said(sentence)
    else:
        with contextlib.suppress(OSError):
            print(sentence, file=sys.stderr)
    _log(folder, sentence)


def _log(folder: Path, line: str) -> None:
    """If it can be written: a training does not end for want of its log."""
    with contextlib.suppress(OSError), open(folder / "log.txt", "a", encoding="utf-8") as log:
        log.write(line + "\n")


def add_arguments(parser: argparse.ArgumentParser, recipe: Any) -> None:
    """The options every stage takes, and one for each field of its recipe (a dataclass)."""
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"), help="downloads; reused when present")
    parser.add_argument("--minutes", type=float, default=1e9, help="stop (resumably) after this long")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0 leaves torch's choice")
    parser.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda"])
    parser.add_argument("--sheet-every", type=int, default=250, help="steps between contact sheets")
    parser.add_argument("--state-every", type=int, default=0, help="steps between states kept for a mean; 0: none")
    for name, value in asdict(recipe).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)


def pace(args: Mapping[str, Any]) -> Pace:
    """The pace that `add_arguments` was asked for; sets the CPU threads. Raises ValueError for what cannot be done."""
    if args["threads"] < 0 or min(args["steps"], args["sheet_every"], args["steady_every"]) < 1:
        raise ValueError("--threads is 0 or more, --steps, --sheet-every and --steady-every are 1 or more")
    if args["state_every"] < 0:
        raise ValueError("--state-every is 0 (none are kept) or more steps")
    if args["paired"] < 1 or args["unpaired"] < 0:
        raise ValueError("--paired is 1 or more, --unpaired 0 or more: pictures of a batch")
    if args["side"] < 32 or args["side"] % 8:
        raise ValueError(f"--side is a multiple of 8, 32 or more, not {args['side']}")
    if args["threads"]:
        torch.set_num_threads(args["threads"])
    return Pace(args["steps"], args["minutes"], sheet_every=args["sheet_every"], state_every=args["state_every"])
