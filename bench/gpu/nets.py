"""The networks that are measured: bytes in, bytes out, in half precision on a card.

`s`, `m`, `l` with the weights of a world where they are there, otherwise with random ones (time does not depend on
them); the published networks with fresh weights, batch norm folded, instance norm as their authors play it.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

OURS = ("s", "m", "l")
PUBLISHED = {"resnet9": "ResNet-9", "unet256": "U-Net-256", "gan-compression": "GAN Compression"}
MOOD = 7


def label(name: str) -> str:
    """What a table calls it."""
    return PUBLISHED.get(name, f"size {name}")


def multiple(name: str) -> int:
    """What the sides of a picture must be a multiple of."""
    return {"unet256": 256, "resnet9": 4, "gan-compression": 4}.get(name, 8)


def fitted(name: str, size: tuple[int, int]) -> tuple[int, int]:
    """The size, each side rounded up to one that this network takes: U-Net-256 plays 1920×1080 as 2048×1280."""
    step = multiple(name)
    return (-(-size[0] // step) * step, -(-size[1] // step) * step)


def make(name: str, world: Path | None = None) -> Any:
    """A `Dream` on the CPU in float32. Raises KeyError for a name it does not know."""
    from perform.lab import networks, published
    from perform.networks import Dream, load

    if name in OURS:
        if world is not None and (world / "card.toml").is_file():
            card = tomllib.loads((world / "card.toml").read_text("utf-8"))
            if name in card["size"] and (world / card["size"][name]["weights"]).is_file():
                return load(card, name, world).requires_grad_(False)
        return Dream(networks.live(name, MOOD)).eval().requires_grad_(False)
    return Dream(networks.fold(published.make(name))).eval().requires_grad_(False)


def outline(name: str, world: Path | None = None) -> Any:
    """The same to be counted, not run: shapes without numbers where that is quicker."""
    import torch

    from perform.lab import published
    from perform.networks import Dream

    if name in OURS:
        return make(name, world)
    with torch.device("meta"):
        return Dream(published.make(name)).eval()  # a batch norm at rest costs as little as one that is folded


def ready(name: str, device: str, precision: str = "fp16", world: Path | None = None) -> Any:
    """The same, on its device, in its precision, channels last."""
    import torch

    kinds = {"fp16": torch.float16, "bf16": torch.bfloat16, "fp32": torch.float32}
    network = make(name, world)
    network.core.to(kinds[precision])
    return network.to(device, memory_format=torch.channels_last)


def mood_size(network: Any) -> int:
    """How many numbers its mood has; 0 for networks of others."""
    return int(getattr(network.core, "mood", 0))
