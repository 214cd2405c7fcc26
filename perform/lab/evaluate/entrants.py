"""Who is measured: the sizes of a world as they are shipped, run folders, the teacher, and what needs no network."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from perform.lab import distil, moods, networks, quantise, run, timing
from perform.lab.card import KINDS, trained
from perform.lab.evaluate.measuring import Dream
from perform.lab.metrics.memory import peak_activations
from perform.lab.moods import Scale

SIDE = 256  # costs are of a picture of this side


@dataclass(frozen=True)
class Entrant:
    """Somebody to measure. `kind`: size, int8, teacher, run or baseline. `open` gives the dream, loaded then;
    `fingerprint` changes when the weights do; `cost` is known without running it.
    """

    name: str
    kind: str
    why: str
    open: Callable[[], Dream]
    fingerprint: str
    cost: Mapping[str, float] = field(default_factory=dict)
    network: str = ""  # its name, for those of a run folder


def of_card(folder: Path) -> list[Entrant]:
    """Every size of a world, in float and, where there is a file, in int8. Raises ValueError, one sentence."""
    card = trained(folder)
    out = []
    for size, entry in sorted(card["size"].items(), key=lambda item: item[1]["macs"]):
        if "weights" in entry:
            network = run.of_world(folder, size)
            cost = costs(network) | {"bytes": (folder / entry["weights"]).stat().st_size}
            out.append(Entrant(size, "size", "as shipped, float", _held(network), entry["weights_sha256"], cost))
        if "int8" in entry:
            path = folder / entry["int8"]
            small = {"macs": float(entry["macs"]), "bytes": path.stat().st_size}
            dream = _through(path, int(card["mood"]["size"]))
            out.append(Entrant(f"{size} int8", "int8", "as shipped, int8", dream, entry["int8_sha256"], small))
    return out


def shipped_bytes(folder: Path) -> int:
    """What all sizes of a world weigh together: the files that its card names."""
    sizes = trained(folder)["size"].values()
    return sum((folder / size[kind]).stat().st_size for size in sizes for kind in KINDS if kind in size)


def of_run(folder: Path, kind: str = "run", why: str = "", name: str = "") -> Entrant:
    """The network of a run folder (`recipe.json` names it, `ema.safetensors` holds it). The teacher is asked as its
    students ask it, beyond the borders of the picture. Raises ValueError, one sentence.
    """
    try:
        network, size = run.network(folder), run.size_of(folder)
        fingerprint = hashlib.sha256(run.weights(folder).read_bytes()).hexdigest()
    except (OSError, KeyError, json.JSONDecodeError) as e:
        raise ValueError(f"{folder} is not a run folder with one trained network in it ({e})") from e
    cost = costs(network)
    cost |= {"bytes": 2 * cost["parameters"]}  # as it would be shipped, whatever it learned in
    opened = _held(network) if kind != "teacher" else _beyond(network)
    name = name or ("teacher" if kind == "teacher" else folder.name)
    return Entrant(name, kind, why, opened, fingerprint, cost, size)


def baselines(scale: Scale) -> list[Entrant]:
    """What costs nothing: the condition itself, and the condition in the mood's two colours."""
    nothing = {"macs": 0.0, "published_macs": 0.0, "parameters": 0.0, "bytes": 0.0}
    grey = "the condition itself, shown as it is"
    two = "the condition in the colours of the mood's light and dark"
    return [
        Entrant("input", "baseline", grey, lambda: itself, "1", nothing),
        Entrant("input, tinted", "baseline", two, lambda: tinted(scale), "1", nothing),
    ]


def itself(condition: Tensor, mood: Tensor) -> Tensor:
    """The condition as a picture: cells, bicubic."""
    return (condition * 2 - 1).expand(-1, 3, -1, -1)


def tinted(scale: Scale) -> Dream:
    """The condition between the mood's two colours, so that its light and its dark half have them on average."""

    def dream(condition: Tensor, mood: Tensor) -> Tensor:
        raw = mood[:, :6] * scale.std[:6] + scale.mean[:6]
        lights, darks = raw[:, :3, None, None], raw[:, 3:, None, None]
        mean, spread = condition.mean((2, 3), keepdim=True), condition.std((2, 3), keepdim=True)
        mask = torch.sigmoid((condition - mean) / (0.3 * spread + 0.02))  # as `moods.measure` divides them
        light = (condition * mask).sum((2, 3), keepdim=True) / mask.sum((2, 3), keepdim=True)
        dark = (condition * (1 - mask)).sum((2, 3), keepdim=True) / (1 - mask).sum((2, 3), keepdim=True)
        along = (condition - dark) / (light - dark).clamp(min=1e-3)
        return (darks + (lights - darks) * along).clamp(-1, 1)

    return dream


def costs(network: nn.Module) -> dict[str, float]:
    """Useful and published MACs, parameters and peak activation bytes of one picture of 256x256, batch of one."""
    picture, mood = torch.zeros(1, 1, SIDE, SIDE), torch.zeros(1, moods.SIZE)
    return {
        "macs": float(networks.macs(network)),
        "published_macs": float(networks.published_macs(network)),
        "parameters": float(networks.parameters(network)),
        "activation_bytes": float(peak_activations(copy.deepcopy(network), picture, mood)),
    }


def _held(network: nn.Module) -> Callable[[], Dream]:
    return lambda: network


def _beyond(network: nn.Module) -> Callable[[], Dream]:
    return lambda: lambda condition, mood: distil.borderless(network, condition, mood)


def _through(path: Path, size: int) -> Callable[[], Dream]:
    """An ONNX file as a dream, through OpenVINO as a show plays it, one picture at a time."""

    def opened() -> Dream:
        engines: dict[int, timing.Play] = {}

        def dream(condition: Tensor, mood: Tensor) -> Tensor:
            side = condition.shape[-1]
            if side not in engines:
                engines[side] = timing.openvino(path, side, size, "int8", torch.get_num_threads())
            out = []
            for one, vector in zip(condition, mood, strict=True):
                result = engines[side](quantise.rgba(one)[None].numpy(), vector[None].float().numpy())
                out.append(torch.from_numpy(result[0, ..., :3].copy()))
            return torch.stack(out).permute(0, 3, 1, 2).float() / 127.5 - 1

        return dream

    return opened


def chosen(entrants: Sequence[Entrant], only: Sequence[str]) -> list[Entrant]:
    """Those whose names are in `only` (all, if it is empty). Raises ValueError for a name that nobody has."""
    known = {one.name for one in entrants}
    for name in only:
        if name not in known:
            raise ValueError(f"there is no entrant {name!r}; there are {', '.join(sorted(known))}")
    return [one for one in entrants if not only or one.name in only]
