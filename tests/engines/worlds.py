"""Makes tiny but real worlds: a card, an ONNX network that inverts (and a mood that brightens), safetensors."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

CARD = """format = 1
world = "{world}"
title = "A test"
licence = "CC0-1.0"
multiple = 8
[condition]
name = "reduce"
reduce = 16.0
[mood]
size = 2
default = "calm"
[mood.named]
calm = [0.0, 0.0]
bright = [2.0, 0.0]
[mood.map]
rows = 2
columns = 2
grid = [[0.0, 0.0], [2.0, 0.0], [0.0, 4.0], [2.0, 4.0]]
[network]
name = "plain"
"""


def onnx_bytes(sign: float = -1.0, mood: int = 2, bad: float = 0.0) -> bytes:
    """dream = clip(offset + sign * picture + 10 * first mood number), alpha 255; `bad` is added to a weight."""
    offset = 255.0 if sign < 0 else 0.0
    constants = {
        "sign": np.array([sign, sign, sign, 0.0], np.float32),
        "offset": np.array([offset + bad, offset, offset, 255.0], np.float32),
        "low": np.array(0.0, np.float32),
        "high": np.array(255.0, np.float32),
    }
    nodes = [
        helper.make_node("Cast", ["picture"], ["x"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["x", "sign"], ["y"]),
        helper.make_node("Add", ["y", "offset"], ["z"]),
    ]
    inputs = [helper.make_tensor_value_info("picture", TensorProto.UINT8, [1, "H", "W", 4])]
    last = "z"
    if mood:
        constants["pick"] = np.array([[10.0]] + [[0.0]] * (mood - 1), np.float32)
        nodes.append(helper.make_node("MatMul", ["mood", "pick"], ["shift"]))
        nodes.append(helper.make_node("Add", ["z", "shift"], ["tinted"]))
        inputs.append(helper.make_tensor_value_info("mood", TensorProto.FLOAT, [1, mood]))
        last = "tinted"
    nodes.append(helper.make_node("Clip", [last, "low", "high"], ["clipped"]))
    nodes.append(helper.make_node("Cast", ["clipped"], ["dream"], to=TensorProto.UINT8))
    outputs = [helper.make_tensor_value_info("dream", TensorProto.UINT8, [1, "H", "W", 4])]
    weights = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    data: bytes = model.SerializeToString()
    onnx.checker.check_model(model)
    return data


def plain_bytes(seed: int = 0, bad: float = 0.0) -> bytes:
    """Safetensors of a small `plain` network with random weights (widths 8, blocks 1, mood 2)."""
    import torch
    from safetensors.torch import save

    from perform import networks

    torch.manual_seed(seed)
    network = networks.build("plain", {"widths": [8, 8, 8], "blocks": 1, "mood": 2})
    state = network.state_dict()
    if bad:
        next(iter(state.values())).fill_(bad)
    data: bytes = save(state)
    return data


def write_card(folder: Path, sizes: Sequence[str], card: str = CARD) -> Path:
    """The card of what lies in the folder now: `<size>.onnx`, `<size>.safetensors`."""
    text = card.format(world=folder.name)
    for rank, size in enumerate(sizes):
        text += f"[size.{size}]\nwidths = [8, 8, 8]\nblocks = 1\nmacs = {rank + 1}e6\nparameters = 9\nnative = 64\n"
        for key, name in (("onnx", f"{size}.onnx"), ("weights", f"{size}.safetensors")):
            if (folder / name).exists():
                sha = hashlib.sha256((folder / name).read_bytes()).hexdigest()
                text += f'{key} = "{name}"\n{key}_sha256 = "{sha}"\n'
    path = folder / "card.toml"
    path.write_text(text)
    return path


def make_world(models: Path, world: str, sizes: Sequence[str] = ("s", "m"), sign: float = -1.0) -> Path:
    """A world with ONNX files only: `s` and `m` do the same. Returns its folder."""
    folder = models / world
    folder.mkdir(parents=True)
    for size in sizes:
        (folder / f"{size}.onnx").write_bytes(onnx_bytes(sign))
    write_card(folder, sizes)
    return folder
