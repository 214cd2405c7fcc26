"""Other people's checkpoints: read as data, recognised by their keys and shapes, made into a network of ours.

What is known: generators of pytorch-CycleGAN-and-pix2pix (ResNet, U-Net) and of GAN Compression (mobile ResNet, its
supernets too). A file says neither its architecture nor its widths; both follow from the tensors.
"""

from __future__ import annotations

import pickle
import re
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from perform.networks import Resnet, Unet
from perform.networks.cards import DEEPEST, MOST

State = dict[str, Tensor]
INNER = ("state_dict", "model", "netG", "netG_A", "generator", "G", "params")  # where training scripts put weights
FLOATS = (torch.float32, torch.float64, torch.float16, torch.bfloat16)


class Foreign(ValueError):
    """A file that cannot be imported; one sentence that says why and what could be."""


def read(path: Path) -> State:
    """The tensors of a `.pth` or safetensors file, `module.` stripped, as float32. Raises Foreign.

    Nothing is unpickled but tensors and plain containers, so that a hostile file can do nothing but be refused.
    """
    state: State = {}
    for key, value in _weights(path, _parsed(path)).items():
        name = re.sub(r"^(module\.)+", "", str(key))
        if not isinstance(value, Tensor) or name.endswith("num_batches_tracked"):
            continue
        if said := _unsound(value):
            raise Foreign(f"{path.name}: {name} {said}")
        state[name] = value.detach().to(torch.float32)
    return state


def _unsound(value: Tensor) -> str:
    """What is wrong with a tensor as a weight, if anything. A tensor may claim far more than its file holds, so that
    its numbers are looked at last.
    """
    if value.device.type != "cpu":
        return f"is on the device {value.device}, without its numbers; save it from the CPU"
    if value.is_floating_point() and value.dtype not in FLOATS:
        return f"is {str(value.dtype).removeprefix('torch.')}; weights are float32, float64, float16 or bfloat16"
    plain = value.layout == torch.strided and not value.is_nested and value.is_floating_point()
    if plain and value.numel() * value.element_size() > value.untyped_storage().nbytes():
        return f"claims {value.numel()} numbers, more than the file holds; save it after .contiguous()"
    if not plain or not torch.isfinite(value).all():
        return "holds something other than finite numbers; the file may be damaged"
    return ""


def _parsed(path: Path) -> object:
    try:
        with path.open("rb") as file:
            head = file.read(9)
        if not head:
            raise Foreign(f"{path.name} is empty")
        if head[8:] == b"{":  # eight bytes of length, then JSON
            from safetensors.torch import load_file

            return load_file(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about pickles of other protocols, which are refused or read all the same
            return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise Foreign(f"there is no file {str(path)!r}") from None
    except IsADirectoryError:
        raise Foreign(f"{str(path)!r} is a folder; name the checkpoint in it, such as latest_net_G.pth") from None
    except pickle.UnpicklingError as error:
        raise Foreign(_refusal(path, str(error))) from None
    except Foreign:
        raise
    except OSError as error:
        raise Foreign(f"{str(path)!r} cannot be read: {error.strerror or error}") from None
    except Exception as error:  # noqa: BLE001  # parsers of damaged files raise whatever they stumble over
        raise Foreign(_refusal(path, str(error))) from None


def _refusal(path: Path, why: str) -> str:
    named = re.search(r"GLOBAL ([\w.]+)|[Uu]nsupported class:? ([\w.]+)", why)
    if named is not None:
        what = named.group(1) or named.group(2)
        return f"{path.name} wants to run code ({what}) and is refused: save its state_dict alone and import that"
    if "TorchScript" in why:
        return f"{path.name} is a TorchScript program, which is not run: save its state_dict alone and import that"
    return f"{path.name} cannot be read: {_damage(path)}"


def _damage(path: Path) -> str:
    """What is wrong with a file that no parser takes, by its first bytes: theirs are words for programmers."""
    with path.open("rb") as file:
        head = file.read(9)
    again = f"fetch it again ({path.stat().st_size} bytes are here)"
    if head[8:] == b"{":
        return f"it begins as safetensors and was cut off or damaged; {again}"
    if head.startswith(b"PK"):
        if not zipfile.is_zipfile(path):
            return f"it begins as a torch file and was cut off or damaged; {again}"
        with zipfile.ZipFile(path) as inside:
            if any(name.endswith("/data.pkl") for name in inside.namelist()):
                return "it holds more than tensors, or is damaged: save its state_dict alone and import that"
        return "it is a zip, but not one that torch.save wrote; name the checkpoint itself, such as latest_net_G.pth"
    if head.startswith(b"\x80"):
        return (
            "it is a pickle, but not one that torch.save wrote, or it was cut off; "
            "where it was made, save its weights with torch.save(network.state_dict(), 'net.pth')"
        )
    return f"it is neither a torch file nor safetensors, but begins with {head[:8]!r}"


def _weights(path: Path, parsed: object, deep: int = 0) -> Mapping[Any, Any]:
    """The dictionary of tensors, which may lie in another."""
    if deep > len(INNER):  # a dictionary may lie in itself
        raise Foreign(f"{path.name} nests its weights too deep: save the state_dict alone and import that")
    if isinstance(parsed, Mapping):
        if any(isinstance(value, Tensor) for value in parsed.values()):
            return parsed
        for key in INNER:
            if isinstance(parsed.get(key), Mapping):
                return _weights(path, parsed[key], deep + 1)
    raise Foreign(f"{path.name} holds no weights that have names (a state_dict), only a {type(parsed).__name__}")


def recognise(state: State, name: str, channels: Sequence[int] = (), stored: bool = False) -> Resnet | Unet:
    """The network of these weights, filled. `name` names the file in errors. Raises Foreign.

    `channels`: eight widths to cut out of a GAN Compression supernet. `stored`: a batch norm uses the statistics of
    its training, which fold away; otherwise those of the picture, as these networks were tested by their authors.
    """
    if _dims(state, "model.1.weight")[2:] == (7, 7) and "model.4.weight" in state:
        return _filled(_resnet(state, name, channels, stored), state, name)
    if _dims(state, "model.model.0.weight")[2:] == (4, 4):
        if channels:
            raise Foreign(f"{name} is a U-Net; only a ResNet can be cut to widths")
        return _filled(_unet(state, name, stored), state, name)
    raise Foreign(f"{name} {_guess(state)}; what can be imported are ResNet and U-Net generators of CycleGAN, pix2pix "
                  "and GAN Compression, such as latest_net_G.pth")  # fmt: skip


def _guess(state: State) -> str:
    if any(key.startswith("head_0.") for key in state):
        return "looks like a SPADE generator, which takes label maps"
    if _dims(state, "model.0.weight")[2:] == (4, 4):
        return "looks like a discriminator (a net_D)"
    return f"holds {len(state)} tensors of a network that is not known"


def _resnet(state: State, name: str, channels: Sequence[int], stored: bool) -> Resnet:
    blocks = 0
    while any(key.startswith(f"model.{10 + blocks}.conv_block.") for key in state):
        blocks += 1
    mobile = "model.10.conv_block.1.conv.0.weight" in state
    second = "conv_block.6.conv.0" if mobile else "conv_block.6"  # 5 where there is no dropout
    dropout = _dims(state, f"model.10.{second}.weight")[2:] == (3, 3)
    first = "conv_block.1.conv.2" if mobile else "conv_block.1"
    inner = [_dims(state, f"model.{10 + index}.{first}.weight")[0] for index in range(blocks)]
    groups = [set(inner[start : start + 3 if start < 6 else None]) for start in (0, 3, 6)]
    if not 1 <= blocks <= DEEPEST or any(len(group) > 1 for group in groups):
        raise Foreign(f"{name} has {blocks} blocks of inner widths {inner}; blocks 1-3, 4-6 and from 7 on are alike")
    inside = [next(iter(group)) if group else inner[-1] for group in groups]
    stem, half, quarter, up, last = (
        _dims(state, f"model.{index}.weight")[axis]
        for index, axis in ((1, 0), (4, 0), (7, 0), (10 + blocks, 1), (13 + blocks, 1))
    )
    found = (stem, half // 2, quarter // 4, *(width // 4 for width in inside), up // 2, last)
    inputs, outputs = _dims(state, "model.1.weight")[1], _dims(state, f"model.{17 + blocks}.weight")[0]
    _sides(name, inputs, outputs)
    widths = tuple(channels) or found
    if any(not 1 <= wanted <= there for wanted, there in zip(widths, found, strict=False)):
        raise Foreign(f"{name} has widths {_widths(found)}; {_widths(widths)} cannot be cut out of them")
    return Resnet(inputs, widths, blocks, _norm(state, "model.2", name, stored), mobile, 0.0 if dropout else None)


def _unet(state: State, name: str, stored: bool) -> Unet:
    depth, at = 2, "model.model.1.model"
    while f"{at}.3.model.1.weight" in state and depth < DEEPEST:
        depth, at = depth + 1, f"{at}.3.model"
    width, inputs = _dims(state, "model.model.0.weight")[:2]
    _sides(name, inputs, _dims(state, "model.model.3.weight")[1])
    if depth < 5 or width > MOST:
        raise Foreign(f"{name} is a U-Net of {depth} levels, the first {width} wide; known are 5 levels and more")
    return Unet(inputs, width, depth, _norm(state, "model.model.1.model.2", name, stored), dropout=False)


def _norm(state: State, at: str, name: str, stored: bool) -> str:
    """Which norm: one with a gain is a batch norm, whose statistics may have been kept; else instance norm."""
    if f"{at}.weight" not in state:
        return "instance"
    if stored and f"{at}.running_var" not in state:
        raise Foreign(f"{name} keeps no statistics of its training; import it with --statistics picture")
    return "batch" if stored else "picture"


def _sides(name: str, inputs: int, outputs: int) -> None:
    if inputs not in (1, 3):
        raise Foreign(f"{name} takes {inputs} channels (label maps?); a camera gives 3 (colour) or 1 (grey)")
    if outputs != 3:
        raise Foreign(f"{name} paints {outputs} channels; a world paints 3 (RGB)")


def _filled(network: Resnet | Unet, state: State, name: str) -> Resnet | Unet:
    """Weights into the network, the leading part of each where the network is narrower. Statistics without use
    (old files kept them for instance norms, too) are left.
    """
    cut: State = {}
    for key, wanted in network.state_dict().items():
        if key.endswith("num_batches_tracked"):
            cut[key] = wanted
            continue
        found = state.get(key)
        if found is None:
            raise Foreign(f"{name} lacks {key}, which a {type(network).__name__} of its kind has; is it whole?")
        if found.dim() != wanted.dim() or any(n > m for n, m in zip(wanted.shape, found.shape, strict=True)):
            raise Foreign(f"{name}: {key} is {list(found.shape)}, expected {list(wanted.shape)}")
        cut[key] = found[tuple(slice(count) for count in wanted.shape)].contiguous()
    strange = [key for key in state.keys() - cut.keys() if not key.endswith(("running_mean", "running_var"))]
    if strange:
        raise Foreign(f"{name} has {min(strange)}, which a {type(network).__name__} of its kind does not have")
    network.load_state_dict(cut)
    return network.eval()


def _dims(state: State, key: str) -> tuple[int, ...]:
    """The shape of a convolution's weight; zeros if there is none."""
    found = state.get(key)
    return tuple(found.shape) if found is not None and found.dim() == 4 else (0, 0, 0, 0)


def _widths(widths: Sequence[int]) -> str:
    return "_".join(str(width) for width in widths)
