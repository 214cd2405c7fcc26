"""Other people's checkpoints become worlds that play, or are refused in one sentence."""

from __future__ import annotations

import os
import pickle
import re
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from perform import cli, networks
from perform.card import read_card
from perform.engines.openvino import OpenVino
from perform.engines.torch import Torch
from perform.lab import importers
from perform.lab.checkpoints import Foreign, read, recognise
from perform.networks import Resnet, Unet

State = dict[str, Tensor]


def _random(shapes: dict[str, tuple[int, ...]]) -> State:
    torch.manual_seed(0)
    return {key: 0.2 * torch.randn(shape) for key, shape in shapes.items()}


def _resnet(widths: tuple[int, ...], blocks: int, *, mobile: bool, dropout: bool, norm: str, inputs: int = 3) -> State:
    """A checkpoint as the two projects write it, from the table of its keys; widths are those of the tensors."""
    stem, half, quarter, *inner, up, last = widths
    shapes: dict[str, tuple[int, ...]] = {}

    def conv(at: str, shape: tuple[int, ...], width: int) -> None:
        shapes[f"{at}.weight"] = shape
        if norm == "instance":
            shapes[f"{at}.bias"] = (width,)

    def after(at: str, width: int) -> None:
        if norm == "batch":
            shapes.update({f"{at}.{name}": (width,) for name in ("weight", "bias", "running_mean", "running_var")})

    for at, (out, given, side) in {1: (stem, inputs, 7), 4: (half, stem, 3), 7: (quarter, half, 3)}.items():
        conv(f"model.{at}", (out, given, side, side), out)
        after(f"model.{at + 1}", out)
    second = 6 if dropout else 5
    for index in range(blocks):
        wide = inner[min(index // 3, 2)]
        for at, given, out in ((1, quarter, wide), (second, wide, quarter)):
            name = f"model.{10 + index}.conv_block.{at}"
            if mobile:
                conv(f"{name}.conv.0", (given, 1, 3, 3), given)
                after(f"{name}.conv.1", given)
                conv(f"{name}.conv.2", (out, given, 1, 1), out)
            else:
                conv(name, (out, given, 3, 3), out)
            after(f"model.{10 + index}.conv_block.{at + 1}", out)
    for at, given, out in ((10 + blocks, quarter, up), (13 + blocks, up, last)):
        conv(f"model.{at}", (given, out, 3, 3), out)
        after(f"model.{at + 1}", out)
    shapes |= {f"model.{17 + blocks}.weight": (3, last, 7, 7), f"model.{17 + blocks}.bias": (3,)}
    return _positive(_random(shapes))


def _unet(width: int, depth: int, *, norm: str, inputs: int = 3) -> State:
    wide = [width * min(2**level, 8) for level in range(depth)]
    shapes: dict[str, tuple[int, ...]] = {"model.model.0.weight": (width, inputs, 4, 4)}
    shapes |= {"model.model.3.weight": (2 * width, 3, 4, 4), "model.model.3.bias": (3,)}
    if norm == "instance":
        shapes["model.model.0.bias"] = (width,)
    at = "model.model.1.model"
    for level in range(1, depth):
        outer, inner, deepest = wide[level - 1], wide[level], level == depth - 1
        up = 3 if deepest else 5
        shapes |= {f"{at}.1.weight": (inner, outer, 4, 4)}
        shapes |= {f"{at}.{up}.weight": (inner if deepest else 2 * inner, outer, 4, 4)}
        if norm == "instance":
            shapes |= {f"{at}.1.bias": (inner,), f"{at}.{up}.bias": (outer,)}
        else:
            kept = ("weight", "bias", "running_mean", "running_var")
            shapes |= {f"{at}.{up + 1}.{name}": (outer,) for name in kept}
            shapes |= {} if deepest else {f"{at}.2.{name}": (inner,) for name in kept}
        at += ".3.model"
    return _positive(_random(shapes))


def _positive(state: State) -> State:
    return {key: value.abs() + 0.5 if key.endswith("running_var") else value for key, value in state.items()}


SMALL = (8, 8, 16, 16, 16, 16, 8, 4)
MIXED = (4, 8, 16, 8, 12, 4, 6, 5)


@pytest.mark.parametrize(
    ("state", "channels", "blocks", "mobile", "norm"),
    [
        (
            _resnet(SMALL, 6, mobile=False, dropout=False, norm="instance"),
            (8, 4, 4, 4, 4, 4, 4, 4),
            6,
            False,
            "instance",
        ),
        (_resnet(SMALL, 9, mobile=False, dropout=True, norm="batch"), (8, 4, 4, 4, 4, 4, 4, 4), 9, False, "picture"),
        (_resnet(SMALL, 9, mobile=False, dropout=False, norm="batch"), (8, 4, 4, 4, 4, 4, 4, 4), 9, False, "picture"),
        (_resnet(MIXED, 9, mobile=True, dropout=True, norm="instance"), (4, 4, 4, 2, 3, 1, 3, 5), 9, True, "instance"),
    ],
)
def test_a_resnet_is_known_by_its_tensors(
    state: State, channels: tuple[int, ...], blocks: int, mobile: bool, norm: str
) -> None:
    network = recognise(state, "net.pth")
    assert isinstance(network, Resnet)
    assert (network.channels, network.blocks, network.mobile, network.norm) == (channels, blocks, mobile, norm)
    ours = network.state_dict()
    for key, value in state.items():
        if norm == "picture" and "running" in key:
            continue
        assert torch.equal(ours[key], value), key


@pytest.mark.parametrize(("depth", "norm", "inputs"), [(5, "batch", 3), (8, "batch", 1), (7, "instance", 3)])
def test_a_unet_is_known_by_its_tensors(depth: int, norm: str, inputs: int) -> None:
    state = _unet(4, depth, norm=norm, inputs=inputs)
    network = recognise(state, "net.pth", stored=norm == "batch")
    assert isinstance(network, Unet)
    assert (network.width, network.depth, network.norm, network.inputs) == (4, depth, norm, inputs)
    assert all(torch.equal(network.state_dict()[key], value) for key, value in state.items())


def test_statistics_of_the_picture_are_what_batch_norm_does_while_it_trains() -> None:
    state = _resnet(SMALL, 6, mobile=False, dropout=False, norm="batch")
    x = torch.rand(1, 3, 32, 32) * 2 - 1
    training = recognise(state, "net.pth", stored=True).train()
    with torch.no_grad():
        torch.testing.assert_close(recognise(state, "net.pth")(x), training(x), rtol=0, atol=1e-4)


def test_a_supernet_is_cut_to_its_leading_channels() -> None:
    state = _resnet((16, 32, 64, 64, 64, 64, 32, 16), 9, mobile=True, dropout=True, norm="instance")
    network = recognise(state, "net.pth", (8, 16, 8, 4, 8, 16, 4, 12))
    assert isinstance(network, Resnet)
    assert network.channels == (8, 16, 8, 4, 8, 16, 4, 12)
    ours = network.state_dict()
    assert torch.equal(ours["model.4.weight"], state["model.4.weight"][:32, :8])
    assert torch.equal(
        ours["model.13.conv_block.6.conv.2.weight"], state["model.13.conv_block.6.conv.2.weight"][:32, :32]
    )
    assert torch.equal(ours["model.19.weight"], state["model.19.weight"][:32, :8])
    with pytest.raises(Foreign, match="widths 16_16_16_16_16_16_16_16; 64_16"):
        recognise(state, "net.pth", (64, 16, 8, 4, 8, 16, 4, 12))


def test_statistics_that_old_instance_norms_kept_are_left() -> None:
    state = _resnet(SMALL, 6, mobile=False, dropout=False, norm="instance")
    state |= {"model.2.running_mean": torch.zeros(8), "model.2.running_var": torch.ones(8)}
    assert recognise(state, "net.pth").norm == "instance"


WRAPPINGS: list[Callable[[State], object]] = [
    lambda state: state,
    lambda state: {f"module.{key}": value for key, value in state.items()},
    lambda state: {"epoch": 3, "state_dict": state},
    lambda state: state | {"model.2.num_batches_tracked": torch.tensor(7)},
    lambda state: {key: value.half() for key, value in state.items()},
]


@pytest.mark.parametrize("wrap", WRAPPINGS)
@pytest.mark.parametrize("old", [False, True])
def test_however_the_weights_are_wrapped(wrap: Callable[[State], object], old: bool, tmp_path: Path) -> None:
    state = _resnet(SMALL, 6, mobile=False, dropout=False, norm="instance")
    torch.save(wrap(state), tmp_path / "net.pth", _use_new_zipfile_serialization=not old)
    found = read(tmp_path / "net.pth")
    assert found.keys() == state.keys()
    for key, value in state.items():
        assert found[key].dtype == torch.float32
        torch.testing.assert_close(found[key], value, rtol=1e-3, atol=1e-4)


def test_safetensors_are_read_as_well(tmp_path: Path) -> None:
    state = _resnet(SMALL, 6, mobile=False, dropout=False, norm="instance")
    save_file(state, tmp_path / "net.safetensors")
    assert all(torch.equal(value, state[key]) for key, value in read(tmp_path / "net.safetensors").items())


def _world(tmp_path: Path, state: State, *more: str) -> Path:
    torch.save(state, tmp_path / "latest_net_G.pth")
    importers.main([str(tmp_path / "latest_net_G.pth"), "--out", str(tmp_path / "models" / "zebra"), *more])
    return tmp_path / "models" / "zebra"


def test_an_imported_world_plays_in_both_engines_and_all_say_the_same(tmp_path: Path) -> None:
    state = _resnet(SMALL, 6, mobile=False, dropout=False, norm="batch")
    folder = _world(tmp_path, state, "--statistics", "stored", "--licence", "CC0-1.0")
    known = read_card((folder / "card.toml").read_bytes(), folder / "card.toml")
    assert (known.network, known.mood, known.licence, known.multiple) == ("resnet", None, "CC0-1.0", 8)
    assert known.defaults == {"reduce": 1.0, "smooth": 0.0, "grey": 0.0}
    picture = np.random.default_rng(1).integers(0, 256, (64, 96, 4), np.uint8)
    none = np.zeros(0, np.float32)
    with torch.no_grad():
        x = torch.from_numpy(picture[None, ..., :3]).permute(0, 3, 1, 2) / 127.5 - 1
        wanted = recognise(state, "", stored=True)(x)[0].permute(1, 2, 0).numpy() * 127.5 + 127.5
    cache = tmp_path / "cache"
    makes = (OpenVino(precision="fp32", cache=cache), Torch(device="cpu", precision="fp32", cache=cache))
    for make in makes:
        dream = make.load(known, "m", (96, 64)).session()(picture, none)
        assert float(np.abs(dream[..., :3] - wanted).max()) < 1.01
        assert bool((dream[..., 3] == 255).all())


def test_a_unet_becomes_a_world_of_its_own_multiple(tmp_path: Path) -> None:
    folder = _world(tmp_path, _unet(4, 6, norm="batch", inputs=1), "--size", "l", "--title", "Façades")
    card = tomllib.loads((folder / "card.toml").read_text(encoding="utf-8"))
    assert (card["multiple"], card["title"], card["condition"]["grey"]) == (64, "Façades", 1.0)
    loaded = networks.load(card, "l", folder)
    assert loaded.core.norm == "picture"
    picture = torch.randint(0, 256, (1, 128, 64, 4), dtype=torch.uint8)
    session = onnxruntime.InferenceSession(str(folder / "l.onnx"), providers=["CPUExecutionProvider"])
    theirs = torch.from_numpy(session.run(None, {"picture": picture.numpy()})[0])
    assert int((loaded(picture).int() - theirs.int()).abs().max()) <= 1


class _Hostile:
    def __reduce__(self) -> object:
        return os.mkdir, ("owned",)


def _hostile(path: Path) -> None:
    path.write_bytes(pickle.dumps(_Hostile()))


def _hostile_torch(path: Path) -> None:
    torch.save({"model.1.weight": _Hostile()}, path)


def _truncated(path: Path) -> None:
    torch.save(_resnet(SMALL, 6, mobile=False, dropout=False, norm="instance"), path)
    path.write_bytes(path.read_bytes()[:-3000])


def _within_itself() -> object:
    state: dict[str, object] = {}
    state["model"] = state
    return state


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("photo.jpg", b"")


def _protocol(path: Path) -> None:
    torch.save({"model.1.weight": torch.ones(1), "options": complex(1, 2)}, path, pickle_protocol=4)


def _program(path: Path) -> None:
    torch.jit.save(torch.jit.trace(torch.nn.Identity(), torch.ones(1)), path)


def _saver(make: Callable[[], object]) -> Callable[[Path], None]:
    return lambda path: torch.save(make(), path)


def _without(key: str) -> object:
    state = _resnet(SMALL, 6, mobile=False, dropout=False, norm="instance")
    del state[key]
    return state


def _with(key: str, value: Tensor) -> object:
    return _resnet(SMALL, 6, mobile=False, dropout=False, norm="instance") | {key: value}


BAD: dict[str, tuple[Callable[[Path], None], str]] = {
    "missing": (lambda path: None, "there is no file"),
    "folder": (lambda path: path.mkdir(), "is a folder"),
    "empty": (lambda path: path.write_bytes(b"") and None, "is empty"),
    "text": (
        lambda path: path.write_text("not a network") and None,
        "neither a torch file nor safetensors, but begins with b'not a ne'",
    ),
    "safetensors cut off": (
        lambda path: path.write_bytes(b'\x99\0\0\0\0\0\0\0{"a"') and None,
        r"begins as safetensors and was cut off or damaged; fetch it again \(12 bytes are here\)$",
    ),
    "truncated": (
        _truncated,
        r"begins as a torch file and was cut off or damaged; fetch it again \(\d+ bytes are here\)$",
    ),
    "zip": (_zip, "a zip, but not one that torch.save wrote"),
    "hostile pickle": (_hostile, r"refused|a pickle, but not one that torch.save wrote"),
    "plain pickle": (
        lambda path: path.write_bytes(pickle.dumps({"a": 1})) and None,
        r"a pickle, but not one that torch.save wrote, or it was cut off; where .*'net\.pth'\)$",
    ),
    "other protocol": (_protocol, "holds more than tensors, or is damaged: save its state_dict alone"),
    "program": (_program, "TorchScript program, which is not run"),
    "hostile checkpoint": (_hostile_torch, r"wants to run code \(\w+\.mkdir\) and is refused"),
    "a list": (_saver(lambda: [1, 2]), "no weights that have names"),
    "no tensors": (_saver(lambda: {"epoch": 3}), "no weights that have names"),
    "discriminator": (_saver(lambda: {"model.0.weight": torch.ones(64, 6, 4, 4)}), "discriminator"),
    "SPADE": (_saver(lambda: {"head_0.conv_0.weight": torch.ones(1, 1, 3, 3)}), "SPADE"),
    "stranger": (_saver(lambda: {"layer": torch.ones(3)}), "1 tensors of a network that is not known"),
    "lacking": (_saver(lambda: _without("model.11.conv_block.5.weight")), r"lacks model\.11\.conv_block\.5\.weight"),
    "no end": (_saver(lambda: _without("model.23.weight")), "paints 0 channels"),
    "too much": (_saver(lambda: _with("model.99.weight", torch.ones(1))), r"has model\.99\.weight"),
    "odd shape": (_saver(lambda: _with("model.12.conv_block.5.bias", torch.ones(2))), r"is \[2\], expected \[16\]"),
    "NaN": (_saver(lambda: _with("model.1.bias", torch.full((8,), torch.nan))), "finite"),
    "within itself": (_saver(_within_itself), "nests its weights too deep"),
    "a giant of one number": (
        _saver(lambda: {"model.1.weight": torch.zeros(1).expand(10**14)}),
        r"model\.1\.weight claims 100000000000000 numbers, more than the file holds",
    ),
    "float8": (
        _saver(lambda: {"a": torch.zeros(4, dtype=torch.float8_e4m3fn)}),
        "a is float8_e4m3fn; weights are float32, float64, float16 or bfloat16",
    ),
    "without numbers": (_saver(lambda: {"a": torch.zeros(4, device="meta")}), "a is on the device meta"),
    "nested": (_saver(lambda: {"a": torch.nested.nested_tensor([torch.ones(1), torch.ones(2)])}), "finite"),
    "labels": (
        _saver(lambda: _resnet(SMALL, 6, mobile=False, dropout=False, norm="instance", inputs=36)),
        "takes 36 channels",
    ),
    "uneven": (_saver(lambda: _with("model.11.conv_block.1.weight", torch.ones(12, 16, 3, 3))), "inner widths"),
}


@pytest.mark.parametrize("what", BAD)
def test_what_cannot_be_imported_is_refused_in_one_sentence(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    make, says = BAD[what]
    make(tmp_path / "net.pth")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(SystemExit) as left:
        cli.main(["import", "net.pth", "--out", "models/x"])
    said = capsys.readouterr().err
    assert left.value.code == 2
    assert said.count("\n") == 1
    assert said.startswith("perform: ")
    assert re.search(says, said), said
    assert sorted(tmp_path.iterdir()) == before  # no half a world, and nobody owns us


def test_a_world_is_never_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "models" / "zebra").mkdir(parents=True)
    with pytest.raises(SystemExit):
        _world(tmp_path, _unet(4, 5, norm="instance"))
    assert "is there already" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--size", "../m"], ["--channels", "16_16"], ["--out", "models/a b"]])
def test_names_that_no_card_may_hold(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as left:
        _world(tmp_path, _unet(4, 5, norm="instance"), *arguments)
    assert left.value.code == 2
    assert arguments[1].rpartition("/")[2] in capsys.readouterr().err
    assert not (tmp_path / "models").exists()


def test_statistics_that_were_not_kept_cannot_be_used() -> None:
    state = {key: value for key, value in _unet(4, 5, norm="batch").items() if "running" not in key}
    assert recognise(state, "net.pth").norm == "picture"
    with pytest.raises(Foreign, match="--statistics picture"):
        recognise(state, "net.pth", stored=True)
