"""The rewrite for TensorRT: half precision inside, bytes at the two ends, and the same picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from perform import paths
from perform.card import read_card
from perform.engines.halve import Unfit, halve
from perform.engines.trial import probe
from tests.engines.worlds import onnx_bytes

WORLDS = sorted(p.parent for p in paths.models().glob("*/card.toml"))
FILES = [p for folder in WORLDS for p in sorted(folder.glob("*.onnx")) if not p.name.endswith(".int8.onnx")]


def played(data: bytes, picture: Any, mood: Any) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    given = {"picture": picture} | ({"mood": mood} if len(session.get_inputs()) > 1 else {})
    return session.run(None, given)[0]


def kinds(data: bytes) -> dict[str, set[int]]:
    """The types that each operator's first output has."""
    model = onnx.shape_inference.infer_shapes(onnx.load_from_string(data))
    known = {v.name: v.type.tensor_type.elem_type for v in (*model.graph.value_info, *model.graph.output)}
    found: dict[str, set[int]] = {}
    for node in model.graph.node:
        found.setdefault(node.op_type, set()).add(known[node.output[0]])
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_every_shipped_world_stays_the_same_picture(path: Path) -> None:
    card = read_card((path.parent / "card.toml").read_bytes(), path.parent / "card.toml")
    data, picture = path.read_bytes(), probe((96, 64))[None]
    moods = list(card.mood.named.values()) if card.mood is not None else [()]
    halved = halve(data)
    assert len(halved) < 1.02 * len(data)  # shipped weights are in fp16, and stay so
    for mood in (moods[0], moods[-1]):
        numbers = np.float32([mood])
        was, now = (played(d, picture, numbers).astype(float) for d in (data, halved))
        error = float(((was - now) ** 2).mean())
        assert error == 0.0 or 10.0 * np.log10(255.0**2 / error) > 50.0
        assert now[..., 3].min() == 255


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_bottom_up_is_the_same_picture_upside_down(path: Path) -> None:
    card = read_card((path.parent / "card.toml").read_bytes(), path.parent / "card.toml")
    picture = probe((96, 64))[None].copy()
    picture[:, :20] = 30  # top and bottom differ
    mood = np.zeros((1, card.mood.size if card.mood is not None else 0), np.float32)
    upright = played(halve(path.read_bytes()), picture, mood)
    turned = played(halve(path.read_bytes(), bottom_up=True), np.ascontiguousarray(picture[:, ::-1]), mood)
    assert np.array_equal(turned[:, ::-1], upright)
    assert not np.array_equal(turned, upright)


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_one_sweep_gives_the_same_bytes(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card = read_card((path.parent / "card.toml").read_bytes(), path.parent / "card.toml")
    mood = np.full((1, card.mood.size if card.mood is not None else 0), 0.7, np.float32)
    swept = halve(path.read_bytes())
    operators = [node.op_type for node in onnx.load_from_string(swept).graph.node]
    assert "DepthToSpace" not in operators
    assert operators[-3:] == ["Reshape", "Pad", "Cast"]
    monkeypatch.setattr("perform.engines.halve.one_sweep", lambda onnx, model: False)
    plain = halve(path.read_bytes())
    assert "DepthToSpace" in [node.op_type for node in onnx.load_from_string(plain).graph.node]
    picture = probe((96, 64))[None]
    assert np.array_equal(played(swept, picture, mood), played(plain, picture, mood))


@pytest.mark.parametrize("mode", ["CRD", "DCR"])
@pytest.mark.parametrize("between", ["nothing", "numbers"])
def test_either_shuffle_is_swept(mode: str, between: str) -> None:
    data = shuffled(mode, between)
    halved = halve(data)
    assert "DepthToSpace" not in [node.op_type for node in onnx.load_from_string(halved).graph.node]
    picture = np.random.default_rng(1).integers(0, 255, (1, 16, 24, 4), np.uint8)
    assert np.abs(played(halved, picture, None).astype(int) - played(data, picture, None)).max() <= 1


@pytest.mark.parametrize("between", ["channels", "twice", "softmax", "old"])
def test_other_endings_are_left_alone(between: str) -> None:
    data = shuffled("CRD", between)
    halved = halve(data)
    assert "DepthToSpace" in [node.op_type for node in onnx.load_from_string(halved).graph.node]
    picture = np.random.default_rng(1).integers(0, 255, (1, 16, 24, 4), np.uint8)
    assert np.abs(played(halved, picture, None).astype(int) - played(data, picture, None)).max() <= 1


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_the_arithmetic_is_half_and_the_bytes_are_outside(path: Path) -> None:
    halved = halve(path.read_bytes())
    model = onnx.load_from_string(halved)
    found = kinds(halved)
    assert found["Conv"] == {TensorProto.FLOAT16}
    inner = {name for node in model.graph.node[:-1] for name in node.output}
    last = model.graph.node[-1]
    assert (last.op_type, list(last.output)) == ("Cast", ["dream"])
    assert found["Cast"] >= {TensorProto.UINT8}
    typed = onnx.shape_inference.infer_shapes(model)
    assert not [v.name for v in typed.graph.value_info if v.type.tensor_type.elem_type == TensorProto.UINT8]
    assert not [c.name for c in model.graph.initializer if c.data_type == TensorProto.UINT8]
    assert "dream" not in inner


def test_a_graph_without_arithmetic_keeps_its_types() -> None:
    data = onnx_bytes(mood=0)
    halved = halve(data)
    assert TensorProto.FLOAT16 not in kinds(halved)["Add"]
    picture = probe((32, 16))[None]
    assert np.array_equal(played(halved, picture, None), played(data, picture, None))


def graph(nodes: list[Any], constants: dict[str, Any], out: tuple[int, list[Any]]) -> bytes:
    weights = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    made = helper.make_graph(
        nodes, "made",
        [helper.make_tensor_value_info("picture", TensorProto.UINT8, [1, "H", "W", 4])],
        [helper.make_tensor_value_info("dream", *out)], weights,
    )  # fmt: skip
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    data: bytes = model.SerializeToString()
    return data


def convolved(*after: Any, out: tuple[int, list[Any]], weight: float = 0.25, **more: Any) -> bytes:
    nodes = [
        helper.make_node("Cast", ["picture"], ["x"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["x"], ["y"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["y", "w"], ["z"]),
        *after,
    ]
    kernel = np.full((4, 4, 1, 1), weight, np.float32)
    return graph(nodes, {"w": kernel, **more}, out)


def shuffled(mode: str, between: str) -> bytes:
    """A convolution to 16 channels at the picture's own size, shuffled to twice the size, as pixels."""
    middle = {
        "nothing": [],
        "numbers": [("Mul", ["s", "gain"]), ("Clip", ["m0", "low", "high"])],
        "channels": [("Mul", ["s", "four"])],
        "twice": [("Add", ["s", "s"])],
        "softmax": [("Softmax", ["s"])],
        "old": [("Mul", ["s", "gain"])],
    }[between]
    nodes = [
        helper.make_node("Cast", ["picture"], ["x"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["x"], ["y"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["y", "w"], ["z"]),
        helper.make_node("DepthToSpace", ["z"], ["s"], blocksize=2, mode=mode),
        *(helper.make_node(op, given, [f"m{k}"]) for k, (op, given) in enumerate(middle)),
        helper.make_node("Transpose", [f"m{len(middle) - 1}" if middle else "s"], ["t"], perm=[0, 2, 3, 1]),
        helper.make_node("Cast", ["t"], ["dream"], to=TensorProto.UINT8),
    ]
    kernel = np.random.default_rng(0).uniform(0.0, 0.12, (16, 4, 1, 1)).astype(np.float32)
    constants = {"w": kernel, "gain": np.float32(1.5), "low": np.float32(0), "high": np.float32(200),
                 "four": np.float32([1.0, 0.5, 1.5, 1.0]).reshape(1, 4, 1, 1)}  # fmt: skip
    used = {name for node in nodes for name in node.input}
    data = graph(nodes, {k: v for k, v in constants.items() if k in used}, (TensorProto.UINT8, [1, "h", "w", 4]))
    if between == "old":
        model = onnx.load_from_string(data)
        model.opset_import[0].version = 13
        data = model.SerializeToString()
    return data


def test_a_norm_between_convolutions_stays_float32() -> None:
    after = [
        helper.make_node("InstanceNormalization", ["z", "scale", "bias"], ["n"]),
        helper.make_node("Relu", ["n"], ["r"]),
        helper.make_node("Conv", ["r", "w"], ["c"]),
        helper.make_node("Clip", ["c", "low", "high"], ["d"]),
        helper.make_node("Transpose", ["d"], ["t"], perm=[0, 2, 3, 1]),
        helper.make_node("Cast", ["t"], ["dream"], to=TensorProto.UINT8),
    ]
    four = np.ones(4, np.float32)
    data = convolved(*after, out=(TensorProto.UINT8, [1, "H", "W", 4]), scale=40 * four, bias=90 * four,
                     low=np.float32(0), high=np.float32(255))  # fmt: skip
    halved = halve(data)
    found = kinds(halved)
    assert found["InstanceNormalization"] == {TensorProto.FLOAT}
    assert found["Conv"] == {TensorProto.FLOAT16}
    picture = probe((32, 16))[None]
    was, now = (played(d, picture, None).astype(int) for d in (data, halved))
    assert np.abs(was - now).max() <= 1


def test_a_float_result_keeps_its_type_and_what_is_resized_its_scales() -> None:
    after = [
        helper.make_node("Resize", ["z", "", "scales"], ["r"], mode="nearest"),
        helper.make_node("Conv", ["r", "w"], ["dream"]),
    ]
    data = convolved(
        *after, out=(TensorProto.FLOAT, [1, 4, "h", "w"]), weight=0.5, scales=np.float32([1.0, 1.0, 2.0, 2.0])
    )
    halved = halve(data)
    result = played(halved, probe((32, 16))[None], None)
    assert result.dtype == np.float32
    assert np.allclose(result, played(data, probe((32, 16))[None], None), atol=1.0)


def test_alpha_that_is_handed_through_stays_what_it_was() -> None:
    after = [
        helper.make_node("Transpose", ["z"], ["t"], perm=[0, 2, 3, 1]),
        helper.make_node("Cast", ["t"], ["u"], to=TensorProto.UINT8),
        helper.make_node("Slice", ["u", "zero", "three", "axis"], ["rgb"]),
        helper.make_node("Slice", ["picture", "three", "four", "axis"], ["alpha"]),
        helper.make_node("Concat", ["rgb", "alpha"], ["dream"], axis=3),
    ]
    data = convolved(
        *after, out=(TensorProto.UINT8, [1, "H", "W", 4]), weight=0.2,
        zero=np.int64([0]), three=np.int64([3]), four=np.int64([4]), axis=np.int64([3]),
    )  # fmt: skip
    picture = probe((32, 16))[None]
    picture[..., 3] = 77
    was, now = (played(d, picture, None) for d in (data, halve(data)))
    assert np.array_equal(now[..., 3], picture[..., 3])
    assert np.abs(was.astype(int) - now).max() <= 1


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "it is not an ONNX network"),
        (b"not a network at all", "it is not an ONNX network"),
        (onnx_bytes()[:-40], "it is not an ONNX network"),
        (convolved(helper.make_node("Identity", ["z"], ["dream"]), out=(TensorProto.FLOAT, [1, 4, "H", "W"]),
                   weight=1e5), "holds numbers above 65,504"),
    ],
)  # fmt: skip
def test_what_cannot_be_rewritten_is_told_in_one_sentence(data: bytes, why: str) -> None:
    with pytest.raises(Unfit, match=why) as told:
        halve(data)
    assert "\n" not in str(told.value)
