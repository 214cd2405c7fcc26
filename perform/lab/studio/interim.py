"""A world while it still learns, written into the models folder for a running show to play.

Its networks as they are at the moment, as safetensors and ONNX; int8 comes at the end. As long as only the teacher is
there it stands in for every size: slower to play, but what it has learned can be seen.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from perform.lab import card, export, graph, moods, networks, run
from perform.networks import Dream

TEACHER = ""  # the key under which the teacher's weights come, instead of a size


def dreams(weights: Mapping[str, Tensor], names: Mapping[str, str]) -> dict[str, Dream]:
    """The live networks of a stage's `weights()`: `names` maps key prefixes ("m"; TEACHER for none) to what
    `networks.live` takes. On the CPU, float32.
    """
    made = {}
    for prefix, name in names.items():
        start = f"{prefix}." if prefix else ""
        mine = {k.removeprefix(start): v.detach().cpu().float() for k, v in weights.items() if k.startswith(start)}
        network = networks.live(name, moods.SIZE)
        network.load_state_dict({key: value for key, value in mine.items() if not key.startswith("mood.")})
        made[prefix] = Dream(network.eval().requires_grad_(False))
    return made


def tidy(out: Path) -> None:
    """Remove what interrupted exports of the world `out` have left beside and in it."""
    for kind in ("learning", "export"):
        for stale in out.parent.glob(f".{kind}-{out.name}-????????"):
            shutil.rmtree(stale, ignore_errors=True)
    run.clear(out)


@torch.no_grad()
def publish(
    networks_now: Mapping[str, Dream],
    sizes: tuple[str, ...],
    about: Mapping[str, Any],
    out: Path,
    write: Callable[[Dream, Path, int], None] | None = None,
) -> None:
    """Write the world `out` anew, files first, the card last. `about`: what the card says apart from the sizes. A
    network under TEACHER serves all `sizes`. ONNX files are written by `write`: `graph.to_onnx`, 2 to 10 s each, or for
    those who come again `graph.Moulds`. Raises OSError or ValueError; the world that was there stays.
    """
    write = write or graph.to_onnx
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".learning-{out.name}-", dir=out.parent) as aside:
        staged = Path(aside)
        entries = {}
        for name, network in networks_now.items():
            half = graph.rounded(network)
            stem = name or "learning"
            files = {"weights": staged / f"{stem}.safetensors", "onnx": staged / f"{stem}.onnx"}
            state = {key: value.detach().half().contiguous() for key, value in half.state_dict().items()}
            run.tensors(files["weights"], state)
            write(half, files["onnx"], export.multiple(half))
            entries[name] = card.size_entry(half, export.SIDE, files, {})
        table = {size: entries.get(size, entries.get(TEACHER)) for size in sizes}
        told = {**about, "size": {size: entry for size, entry in table.items() if entry is not None}}
        told["multiple"] = max(export.multiple(network) for network in networks_now.values())
        card.publish(told, staged, out)
