"""Run folders: where a stage of the lab writes what it did, and resumes from.

recipe.json        what was asked for
log.txt            one readable line every few steps
lock               held while it is trained
share              how much of the batch fits the GPU's memory, where many ranks found that out
checkpoint.pt      everything needed to go on exactly as if never interrupted; replaced atomically, once a minute
ema.safetensors    the averaged weights alone, folded, for export
sheet-000500.jpg   what it paints at that step
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as dump
from torch import Tensor, nn

from perform.lab import moods, networks, ranks

LOCK, SHARE = "lock", "share"
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


def write(path: Path, save: Callable[[Path], object]) -> None:
    """Write a file so that a reader, or a power cut, finds the old one or the new one whole, never a part. Who is
    killed meanwhile leaves a part of his own, which `alone` clears away.
    """
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        save(partial)
        with open(partial, "rb+") as file:
            os.fsync(file.fileno())
        partial.chmod(0o644)  # weights are to be shared
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)  # a half file would keep a full disk full
        raise


def tensors(path: Path, state: Mapping[str, Tensor]) -> None:
    """Write tensors as safetensors, atomically. Raises OSError: safetensors' own writing has an error of its own."""
    data = dump(dict(state))
    write(path, lambda partial: partial.write_bytes(data))


def alone(folder: Path) -> contextlib.AbstractContextManager[object]:
    """Hold a folder of work as long as the returned object lives, or this process, however it ends; what others have
    left half written there is removed.

    Raises ValueError if another process is at work there. Where there are no such locks (Windows) nothing is held.
    """
    try:
        import fcntl
    except ModuleNotFoundError:
        return contextlib.nullcontext()
    lock = open(folder / LOCK, "w", encoding="utf-8")  # noqa: SIM115
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise ValueError(f"another training is at work in {folder}") from None
    clear(folder)
    return lock


def clear(folder: Path) -> None:
    """Remove the files that somebody who was killed has left half written."""
    for part in folder.glob("*.part"):
        if part.is_file():
            part.unlink()


def save(folder: Path, stage: Stage) -> None:
    """Write checkpoint and averaged weights, each atomically. About 0.1 s for a teacher. Raises OSError, and ValueError
    for weights that are no numbers: the files that were there are still whole.
    """
    weights = {key: value.detach().cpu().contiguous().clone() for key, value in stage.weights().items()}
    if not all(bool(value.isfinite().all()) for value in weights.values()):
        raise ValueError(
            f"by step {stage.done} the weights are no numbers any more; {folder} keeps the last good checkpoint, "
            "and a lower --rate (perform distil, perform train --world) goes on from it"
        )
    buffer = io.BytesIO()  # so that a full disk is an OSError here, not one of a library's many
    torch.save(stage.state(), buffer)
    write(folder / "checkpoint.pt", lambda path: path.write_bytes(buffer.getbuffer()))
    tensors(folder / "ema.safetensors", weights)


def resume(folder: Path, stage: Stage) -> bool:
    """Restore `stage` from the folder's checkpoint; False if there is none. Raises ValueError, one sentence, for a
    checkpoint that is damaged, hostile or another network's.
    """
    path = folder / "checkpoint.pt"
    if not path.exists():
        return False
    state = kept(folder)
    try:
        stage.restore(state)
    except torch.cuda.OutOfMemoryError:  # a RuntimeError, too, but not the checkpoint's fault
        raise
    except UNFIT as e:
        raise ValueError(
            f"{path} is not a checkpoint of what is asked for ({first(e)}); give --out another folder"
        ) from None
    return True


def kept(folder: Path) -> Any:
    """What the folder's checkpoint holds, on the CPU. Only tensors and plain containers are ever unpickled. Raises
    ValueError, one sentence, for one that is not there, damaged or hostile.
    """
    path = folder / "checkpoint.pt"
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise ValueError(f"there is no {path}, which a training leaves to go on from") from None
    except Exception as e:  # noqa: BLE001  # parsers of damaged files raise whatever they stumble over
        raise ValueError(
            f"{path} cannot be read ({first(e)}); move it away and the command that wrote it starts afresh"
        ) from None


def first(error: BaseException) -> str:
    """The first line of what an error says."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines or [type(error).__name__])[0][:160].rstrip(".:")


def remember(folder: Path, recipe: Mapping[str, Any]) -> None:
    """Keep what was asked for beside what came of it."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(dict(recipe), indent=1, default=str) + "\n"
    if ranks.rank() == 0:
        write(folder / "recipe.json", lambda path: path.write_text(text, encoding="utf-8"))


def network(folder: Path, size: str | None = None) -> nn.Module:
    """The trained generator of a run folder, folded: (luma [B,1,H,W], mood [B,7]) -> RGB [B,3,H,W], on the CPU.

    `size` names the network where the folder's recipe does not. Raises ValueError, one sentence.
    """
    file = folder / "ema.safetensors"
    there(folder)
    try:
        name = size or json.loads((folder / "recipe.json").read_text(encoding="utf-8"))["size"]
        weights = load_file(file)
    except FileNotFoundError:
        made = "recipe.json and ema.safetensors, as `perform distil` leaves them"
        raise ValueError(f"{folder} holds no trained network: a run folder has {made}") from None
    except KeyError as e:
        raise ValueError(f"{folder / 'recipe.json'} has no {e}; that of a student of `perform distil` does") from None
    except json.JSONDecodeError as e:
        raise ValueError(f"{folder / 'recipe.json'} is damaged, it is no JSON: {e}") from None
    except SafetensorError as e:
        raise ValueError(f"{file} is damaged or was cut off: {e}") from None
    state = {key: value.float() for key, value in weights.items() if not key.startswith("mood.")}
    folded = networks.live(name, moods.SIZE)
    try:
        folded.load_state_dict(state)
    except RuntimeError as e:
        raise ValueError(f"{file} does not hold a network {name!r}: {first(e)}") from None
    return folded.eval().requires_grad_(False)


def there(folder: Path) -> None:
    """Raises ValueError, one sentence, for a run folder that is not there."""
    if not folder.is_dir():
        raise ValueError(f"there is no run folder {str(folder)!r}; `perform distil` makes one, such as runs/students/m")


def shrunk(counts: tuple[int, ...], share: float) -> tuple[int, ...]:
    """A batch's counts times `share`, a multiple of the ranks and at least one for each, none where there was none."""
    ours = ranks.count()
    return tuple(max(ours, int(count * share) // ours * ours) if count else 0 for count in counts)


def room(file: Path) -> float:
    """The share of a batch that `halved` has kept in this file; else the whole."""
    return float(file.read_text(encoding="utf-8")) if file.exists() else 1.0


def halved(file: Path, share: float) -> float:
    """Half the share of a batch that did not fit the GPU's memory. Raises ValueError below an eighth; and on one of
    many ranks, with the half kept in `file`: the others wait within a step that this one has left, and only their end
    ends that.
    """
    if share <= 0.125:
        raise ValueError("the GPU's memory does not suffice even for an eighth of the batch") from None
    share /= 2
    if ranks.count() > 1:
        write(file, lambda path: path.write_text(str(share), encoding="utf-8"))
        said = f"the memory of rank {ranks.rank()}'s GPU is full: the same command goes on with"
        raise ValueError(f"{said} 1/{round(1 / share)} of the batch") from None
    return share


def fit(
    folder: Path,
    begin: Callable[[float], Stage],
    pace: Pace,
    watcher: Watcher | None = None,
    recipe: Mapping[str, Any] | None = None,
) -> Stage:
    """Begin a stage, resume it if the folder holds its checkpoint, remember its `recipe`, and drive it to its end.

    When the GPU's memory does not suffice, it is begun again from its last checkpoint with half the batch, down to an
    eighth; many ranks end for that, and begin so. Returns the stage as it ended. Raises ValueError, one sentence, where
    another process is at work in the folder, or it holds something else.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with alone(folder) if ranks.rank() == 0 else contextlib.nullcontext():
        share = room(folder / SHARE)
        while True:
            stage: Stage | None = None
            try:
                stage = begin(share)
                resume(folder, stage)
                if recipe is not None:  # only now: what was refused must not stand beside another's network
                    remember(folder, recipe)
                drive(folder, stage, pace, watcher=watcher)
                return stage
            except torch.cuda.OutOfMemoryError:
                share = halved(folder / SHARE, share)
                _say(folder, f"The GPU's memory is full: going on with 1/{round(1 / share)} of the batch.", watcher)
                del stage
                torch.cuda.empty_cache()


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
        if ours and clock() - saved > pace.save_seconds:
            _keep(folder, stage, watcher)
            saved = clock()
    if ours:
        save(folder, stage)
        if watcher is not None:
            watcher.saved(stage, folder)


def _draw(path: Path, stage: Stage, watcher: Watcher | None) -> None:
    try:
        picture(path, stage.sheet())
    except OSError as e:
        path.unlink(missing_ok=True)
        _say(path.parent, f"The contact sheet could not be written ({e.strerror or e}). Going on.", watcher)
        return
    if watcher is not None:
        watcher.drawn(stage, path)


def _keep(folder: Path, stage: Stage, watcher: Watcher | None) -> None:
    try:
        save(folder, stage)
    except OSError as e:
        _say(folder, f"The checkpoint could not be written ({e.strerror or e}); the last one stays. Going on.", watcher)
        return
    if watcher is not None:
        watcher.saved(stage, folder)


def _say(folder: Path, sentence: str, watcher: Watcher | None) -> None:
    """To whoever looks on, else to standard error; and into the log, if that can be written."""
    if watcher is not None:
        watcher.said(sentence)
    else:
        print(sentence, file=sys.stderr)
    _log(folder, sentence)


def _log(folder: Path, line: str) -> None:
    """If it can be written: a training does not end for want of its log."""
    with contextlib.suppress(OSError), open(folder / "log.txt", "a", encoding="utf-8") as log:
        log.write(line + "\n")


def picture(path: Path, rgb: Tensor) -> None:
    """Save RGB uint8 [H,W,3]; the format follows the name."""
    Image.fromarray(rgb.contiguous().numpy()).save(path, quality=90)


def tile(rows: list[Tensor]) -> Tensor:
    """Rows of pictures, each [B,1|3,H,W] in -1..1, as one sheet: uint8 [rows*H, B*W, 3]."""
    lines = [torch.cat(list(row.expand(-1, 3, -1, -1)), 2) for row in rows]
    sheet = torch.cat(lines, 1).permute(1, 2, 0).float()
    return ((sheet + 1) * 127.5 + 0.5).clamp(0, 255).to(torch.uint8)


def add_arguments(parser: argparse.ArgumentParser, recipe: Any) -> None:
    """The options every stage takes, and one for each field of its recipe (a dataclass)."""
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"), help="downloads; reused when present")
    parser.add_argument("--minutes", type=float, default=1e9, help="stop (resumably) after this long")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0 leaves torch's choice")
    parser.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda"])
    parser.add_argument("--sheet-every", type=int, default=250, help="steps between contact sheets")
    for name, value in asdict(recipe).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)


def pace(args: Mapping[str, Any]) -> Pace:
    """The pace that `add_arguments` was asked for; sets the CPU threads. Raises ValueError for what cannot be done."""
    if args["threads"] < 0 or min(args["steps"], args["sheet_every"], args["steady_every"]) < 1:
        raise ValueError("--threads is 0 or more, --steps, --sheet-every and --steady-every are 1 or more")
    if args["paired"] < 1 or args["unpaired"] < 0:
        raise ValueError("--paired is 1 or more, --unpaired 0 or more: pictures of a batch")
    if args["side"] < 32 or args["side"] % 8:
        raise ValueError(f"--side is a multiple of 8, 32 or more, not {args['side']}")
    if args["threads"]:
        torch.set_num_threads(args["threads"])
    return Pace(args["steps"], args["minutes"], sheet_every=args["sheet_every"])
