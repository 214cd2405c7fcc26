"""Run folders: where a stage of the lab writes what it did, and resumes from.

recipe.json        what was asked for
log.txt            one readable line every few steps
lock               held while it is trained
share              how much of the batch fits the GPU's memory, where many ranks found that out
checkpoint.pt      everything needed to go on exactly as if never interrupted; replaced atomically, once a minute
ema.safetensors    the averaged weights alone, folded, for export
sheet-000500.jpg   what it paints at that step
state-000500.safetensors   the averaged weights of that step, where such were asked for

`driving.py` writes them while a stage runs.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as dump
from torch import Tensor, nn

from perform.lab import moods, networks, ranks
from perform.lab.plans import Plan
from perform.networks.cards import load

LOCK = "lock"


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


def text(path: Path, words: str) -> None:
    """Write words as UTF-8, atomically."""
    write(path, lambda partial: partial.write_text(words, encoding="utf-8"))


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
    """Remove the files that somebody who was killed has left half written (`write`), and nobody else's."""
    for part in folder.glob("*.part"):
        if re.search(r"\.\d+\.part$", part.name) and part.is_file():
            part.unlink()


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


def shipped(place: Path) -> tuple[Path, str] | None:
    """The world and the size that are meant by `models/cosmos/m`, which is no folder; None for what is one. Such a size
    stands for a run folder with its network in it: a shipped world goes on where its teacher is no more.
    """
    world = place.parent
    return (world, place.name) if (world / "card.toml").is_file() and not place.is_dir() else None


def size_of(folder: Path) -> str:
    """The name of the network in a run folder; of a size of a world its plan, whatever it is called there. Raises
    OSError, KeyError or ValueError where there is none.
    """
    if shipped(folder):
        return str(Plan.of(network(folder)))
    return str(json.loads((folder / "recipe.json").read_text(encoding="utf-8"))["size"])


def network(folder: Path, size: str | None = None) -> nn.Module:
    """The trained generator of a run folder, or of a size of a world (`shipped`), folded:
    (luma [B,1,H,W], mood [B,7]) -> RGB [B,3,H,W], on the CPU.

    `size` names the network where the folder's recipe does not. Raises ValueError, one sentence.
    """
    if (meant := shipped(folder)) is not None:
        return of_world(*meant)
    file = folder / "ema.safetensors"
    there(folder)
    try:
        name = size or size_of(folder)
        found = load_file(file)
    except FileNotFoundError:
        made = "recipe.json and ema.safetensors, as `perform distil` leaves them"
        raise ValueError(f"{folder} holds no trained network: a run folder has {made}") from None
    except KeyError as e:
        raise ValueError(f"{folder / 'recipe.json'} has no {e}; that of a student of `perform distil` does") from None
    except json.JSONDecodeError as e:
        raise ValueError(f"{folder / 'recipe.json'} is damaged, it is no JSON: {e}") from None
    except SafetensorError as e:
        raise ValueError(f"{file} is damaged or was cut off: {e}") from None
    state = {key: value.float() for key, value in found.items() if not key.startswith("mood.")}
    folded = networks.live(name, moods.SIZE)
    try:
        folded.load_state_dict(state)
    except RuntimeError as e:
        raise ValueError(f"{file} does not hold a network {name!r}: {first(e)}") from None
    return folded.eval().requires_grad_(False)


def weights(folder: Path) -> Path:
    """The file with the weights of a run folder, or of a size of a world (`shipped`), as its card names it; whether it
    is there or not. Raises ValueError, one sentence, where the card names none.
    """
    if (meant := shipped(folder)) is None:
        return folder / "ema.safetensors"
    from perform.lab import card  # which is made of this module

    world, size = meant
    named = card.sized(card.trained(world), world, size).get("weights")
    if not isinstance(named, str):
        raise ValueError(f"{world} has no weights of size {size}: its card names none")
    return world / Path(named).name  # a card names files beside itself, never elsewhere


def of_world(world: Path, size: str) -> nn.Module:
    """The network of one size of a world, folded, on the CPU. Raises ValueError, one sentence."""
    from perform.lab import card  # which is made of this module

    file = weights(world / size)
    try:
        return load(card.trained(world), size, world).core.eval().requires_grad_(False)
    except KeyError as e:
        raise ValueError(f"{world / card.NAME}: size.{size} has no {e}, which its network needs") from None
    except OSError:
        raise ValueError(f"{world} has no weights of size {size}: there is no {file.name} to be read") from None


def there(folder: Path) -> None:
    """Raises ValueError, one sentence, for a run folder that is not there."""
    if not folder.is_dir():
        raise ValueError(f"there is no run folder {str(folder)!r}; `perform distil` makes one, such as runs/students/m")


def picture(path: Path, rgb: Tensor) -> None:
    """Save RGB uint8 [H,W,3]; the format follows the name."""
    Image.fromarray(rgb.contiguous().numpy()).save(path, quality=90)


def tile(rows: list[Tensor]) -> Tensor:
    """Rows of pictures, each [B,1|3,H,W] in -1..1, as one sheet: uint8 [rows*H, B*W, 3]."""
    lines = [torch.cat(list(row.expand(-1, 3, -1, -1)), 2) for row in rows]
    sheet = torch.cat(lines, 1).permute(1, 2, 0).float()
    return ((sheet + 1) * 127.5 + 0.5).clamp(0, 255).to(torch.uint8)
