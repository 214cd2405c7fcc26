"""From a card to a network, and back."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from perform.networks.dream import Dream
from perform.networks.plain import Decoder, Plain
from perform.networks.published import Planes, Resnet, Unet

Args = Mapping[str, Any]
MOST = 4096  # channels; a card that asks for more than any network has would only fill the memory
DEEPEST = 256


def _plain(args: Args) -> nn.Module:
    return _own(Plain, args)


def _decoder(args: Args) -> nn.Module:
    return _own(Decoder, args)


def _own(kind: type[Plain] | type[Decoder], args: Args) -> nn.Module:
    inner = _wholes(args, "inner", _whole(args, "blocks")) if "inner" in args else None
    return kind(_wholes(args, "widths", 3), _whole(args, "blocks"), int(args["mood"]), inner=inner)


def _resnet(args: Args) -> nn.Module:
    inputs, channels = _whole(args, "inputs"), _wholes(args, "channels", 8)
    dropout = None if "dropout" not in args else float(args["dropout"])
    core = Resnet(inputs, channels, _whole(args, "blocks"), str(args["norm"]), bool(args["mobile"]), dropout)
    return _with_mood(core, args)


def _unet(args: Args) -> nn.Module:
    width, depth = _whole(args, "width"), _whole(args, "depth")
    return _with_mood(Unet(_whole(args, "inputs"), width, depth, str(args["norm"]), bool(args["dropout"])), args)


def _with_mood(core: Resnet | Unet, args: Args) -> nn.Module:
    mood = args.get("mood", 0)
    if mood and core.inputs != 1 + mood:
        raise ValueError(f"a network of {core.inputs} input channels cannot take a mood of {mood} numbers")
    return Planes(core) if mood else core


BUILDERS: dict[str, Callable[[Args], nn.Module]] = {
    "plain": _plain,
    "decoder": _decoder,
    "resnet": _resnet,
    "unet": _unet,
}
NAMES: dict[type[nn.Module], str] = {Plain: "plain", Decoder: "decoder", Resnet: "resnet", Unet: "unet"}


def build(name: str, args: Args) -> Dream:
    """The untrained live network `name`: (picture uint8 [B,H,W,4], mood [B,M]) -> uint8 [B,H,W,4].

    args holds `mood` (the vector's length; networks of others may do without) and what the network needs: `widths`
    (3 ints), `blocks` and, where they differ, `inner` (an int a block) for `plain` and `decoder`; see `Resnet` and
    `Unet` for theirs. Unknown names and impossible numbers raise ValueError, missing ones KeyError.
    """
    if not isinstance(name, str) or name not in BUILDERS:
        raise ValueError(f"unknown network {name!r}; known: {', '.join(BUILDERS)}")
    try:
        return Dream(BUILDERS[name](args)).eval()
    except (TypeError, OverflowError) as error:  # the latter of a number of hundreds of digits
        raise ValueError(f"the arguments of {name} are not of the kinds it takes: {error}") from None


def describe(network: nn.Module) -> tuple[str, dict[str, Any]]:
    """The name and the arguments (without `mood`) with which `build` makes this network again.

    Takes a `Dream` or its core, folded. A card's size entry is these arguments: `widths`, `blocks` and `inner` as they
    are, all others in a table `arguments`. Raises ValueError for a network that no card can describe.
    """
    core = network.core if isinstance(network, Dream | Planes) else network
    core = core.core if isinstance(core, Planes) else core
    name = NAMES.get(type(core))
    if name is None or not isinstance(core, Plain | Decoder | Resnet | Unet):
        raise ValueError(f"a card cannot describe a {type(core).__name__}; known: {', '.join(BUILDERS)}")
    return name, core.arguments()


def load(card: Mapping[str, Any], size: str, folder: str | Path) -> Dream:
    """The network of one size of a world, weights loaded, ready for inference on the CPU in float32.

    card is the parsed card.toml and folder the place it lies in. Raises KeyError for a size the card lacks,
    FileNotFoundError, and ValueError where the file's sha256, keys or shapes are not the card's. Reads a few
    megabytes: tens of milliseconds.
    """
    from safetensors.torch import load as parse

    entry = card["size"][size]
    path = Path(folder) / Path(str(entry["weights"])).name  # a card names files beside itself, never elsewhere
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != str(entry["weights_sha256"]).lower():
        raise ValueError(f"{path.name} is not the file the card describes (sha256 differs)")
    with torch.device("meta"):  # no memory before the file has shown that it holds what the card promises
        network = build(entry.get("network", card["network"]["name"]), _args(card, entry))
    state = {key: value.float() if value.is_floating_point() else value for key, value in parse(data).items()}
    try:
        network.load_state_dict(state, assign=True)
    except RuntimeError as error:
        what = str(error).splitlines()[1:2] or [str(error)]
        raise ValueError(f"{path.name} does not fit the network the card describes: {what[0].strip()[:200]}") from None
    return network


def _args(card: Args, entry: Args) -> Args:
    """What `build` takes, from a card and the entry of a size."""
    args = entry.get("arguments", {})
    if not isinstance(args, Mapping):
        raise ValueError(f"arguments are a table, not {args!r}")
    args = dict(args) | {key: entry[key] for key in ("widths", "blocks", "inner") if key in entry}
    return args | {"mood": card["mood"]["size"]} if "mood" in card else args


def _whole(args: Args, key: str) -> int:
    value, most = args[key], DEEPEST if key in ("blocks", "depth") else MOST
    if not isinstance(value, int) or not 0 <= value <= most:
        raise ValueError(f"{key} is a whole number from 0 to {most}, not {value!r}")
    return value


def _wholes(args: Args, key: str, count: int) -> list[int]:
    values = args[key]
    if not isinstance(values, Sequence) or len(values) != count or not all(_sound(value) for value in values):
        raise ValueError(f"{key} are {count} whole numbers from 1 to {MOST}, not {values!r}")
    return list(values)


def _sound(value: object) -> bool:
    return isinstance(value, int) and 1 <= value <= MOST
