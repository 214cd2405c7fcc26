"""The live network: shapes, folding, cost, and files it must refuse."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from perform import networks

ARGS = {"widths": [16, 32, 64], "blocks": 3, "mood": 7}


@pytest.mark.parametrize(("height", "width"), [(64, 64), (8, 8), (72, 136), (40, 24)])
def test_any_picture_whose_sides_are_multiples_of_eight(height: int, width: int) -> None:
    network = networks.build("plain", ARGS)
    picture = torch.randint(0, 256, (2, height, width, 4), dtype=torch.uint8)
    dream = network(picture, torch.zeros(2, 7))
    assert dream.shape == (2, height, width, 4)
    assert dream.dtype == torch.uint8
    assert bool((dream[..., 3] == 255).all())


def test_colour_is_read_as_luma_and_alpha_ignored() -> None:
    network = networks.build("plain", ARGS)
    colour = torch.randint(0, 256, (1, 16, 16, 4), dtype=torch.uint8)
    other = colour.clone()
    other[..., 3] = 0
    mood = torch.zeros(1, 7)
    assert torch.equal(network(colour, mood), network(other, mood))


def test_unknown_network_is_named() -> None:
    with pytest.raises(ValueError, match=r"plein.*known: plain, decoder"):
        networks.build("plein", ARGS)


def _card(folder: Path, **changes: object) -> dict[str, object]:
    data = (folder / "s.safetensors").read_bytes()
    entry = {
        "widths": [16, 32, 64],
        "blocks": 3,
        "weights": "s.safetensors",
        "weights_sha256": hashlib.sha256(data).hexdigest(),
    }
    return {"network": {"name": "plain"}, "mood": {"size": 7}, "size": {"s": entry | changes}}


def _save(folder: Path) -> None:
    network = networks.build("plain", ARGS)
    save_file({key: value.contiguous() for key, value in network.state_dict().items()}, folder / "s.safetensors")


def test_load_gives_back_what_was_saved(tmp_path: Path) -> None:
    _save(tmp_path)
    network = networks.load(_card(tmp_path), "s", tmp_path)
    assert network(torch.zeros(1, 16, 24, 4, dtype=torch.uint8), torch.zeros(1, 7)).shape == (1, 16, 24, 4)


def test_load_refuses_changed_bytes_and_wrong_shapes(tmp_path: Path) -> None:
    _save(tmp_path)
    with pytest.raises(ValueError, match="sha256"):
        networks.load(_card(tmp_path, weights_sha256="0" * 64), "s", tmp_path)
    with pytest.raises(ValueError, match="does not fit"):
        networks.load(_card(tmp_path, blocks=4), "s", tmp_path)
    with pytest.raises(FileNotFoundError):
        networks.load(_card(tmp_path, weights="../../elsewhere.safetensors"), "s", tmp_path)
    with pytest.raises(KeyError):
        networks.load(_card(tmp_path), "xl", tmp_path)


DESCRIBED: list[tuple[str, dict[str, object]]] = [
    ("plain", {"widths": [8, 16, 24], "blocks": 2}),
    ("plain", {"widths": [8, 16, 24], "blocks": 2, "inner": [3, 24]}),
    ("decoder", {"widths": [8, 16, 24], "blocks": 1, "inner": [5]}),
    ("resnet", {"inputs": 8, "channels": [4] * 8, "blocks": 2, "norm": "folded", "mobile": True, "dropout": 0.0}),
    ("resnet", {"inputs": 8, "channels": [4, 4, 8, 2, 3, 4, 5, 6], "blocks": 7, "norm": "instance", "mobile": False}),
    ("unet", {"inputs": 8, "width": 4, "depth": 5, "norm": "picture", "dropout": True}),
]


@pytest.mark.parametrize(("name", "told"), DESCRIBED)
def test_a_network_says_what_a_card_must_say_to_rebuild_it(name: str, told: dict[str, object]) -> None:
    network = networks.build(name, told | {"mood": 7})
    assert networks.describe(network) == (name, told)
    again = networks.build(name, networks.describe(network.core)[1] | {"mood": 7})
    again.load_state_dict(network.state_dict())
    picture, mood = torch.randint(0, 256, (1, 32, 64, 4), dtype=torch.uint8), torch.randn(1, 7)
    assert torch.equal(network(picture, mood), again(picture, mood))


def test_what_no_card_can_describe_is_named() -> None:
    with pytest.raises(ValueError, match="cannot describe a Linear"):
        networks.describe(torch.nn.Linear(1, 1))


def test_a_size_may_be_another_network_than_its_world(tmp_path: Path) -> None:
    told = {"widths": [8, 16, 24], "blocks": 2, "inner": [3, 24]}
    network = networks.build("decoder", told | {"mood": 7})
    save_file({key: value.contiguous() for key, value in network.state_dict().items()}, tmp_path / "s.safetensors")
    loaded = networks.load(_card(tmp_path, network="decoder", **told), "s", tmp_path)
    assert networks.describe(loaded) == ("decoder", told)
    picture, mood = torch.randint(0, 256, (1, 32, 64, 4), dtype=torch.uint8), torch.randn(1, 7)
    assert torch.equal(network(picture, mood), loaded(picture, mood))


def test_arguments_of_a_size_reach_the_network(tmp_path: Path) -> None:
    told = {"inputs": 3, "width": 4, "depth": 5, "norm": "folded", "dropout": False}
    network = networks.build("unet", told | {"mood": 0})
    save_file({key: value.contiguous() for key, value in network.state_dict().items()}, tmp_path / "s.safetensors")
    card = _card(tmp_path, network="unet", arguments=told)
    del card["mood"]
    picture = torch.randint(0, 256, (1, 64, 32, 4), dtype=torch.uint8)
    loaded = networks.load(card, "s", tmp_path)
    assert torch.equal(loaded(picture, torch.zeros(1, 0)), network(picture, torch.zeros(1, 0)))


def test_a_network_without_mood_sees_colour_and_one_of_one_channel_sees_luma() -> None:
    told = {"channels": [2] * 8, "blocks": 1, "norm": "folded", "mobile": False, "mood": 0}
    picture = torch.randint(0, 256, (1, 16, 16, 4), dtype=torch.uint8)
    none = torch.zeros(1, 0)
    rgb = picture[..., :3].permute(0, 3, 1, 2) / 127.5 - 1
    luma = (rgb * torch.tensor(networks.LUMA)[:, None, None]).sum(1, keepdim=True)
    for inputs, seen in ((3, rgb), (1, luma)):
        network = networks.build("resnet", told | {"inputs": inputs})
        wanted = (network.core(seen) * 127.5 + 127.5).permute(0, 2, 3, 1)
        assert bool(((network(picture, none)[..., :3] - wanted).abs() <= 0.51).all())


@pytest.mark.parametrize(
    "changes",
    [
        {"widths": [16, 32]},
        {"widths": [16, 32, 0]},
        {"widths": [16, 32, 10**9]},
        {"widths": "wide"},
        {"blocks": -1},
        {"blocks": 10**9},
        {"inner": [8, 8]},
        {"inner": [8, 8, 0]},
    ],
)
def test_impossible_numbers_are_refused_before_memory_is_asked_for(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="whole number"):
        networks.build("plain", ARGS | changes)


def test_a_card_that_promises_more_than_its_file_holds_costs_no_memory(tmp_path: Path) -> None:
    _save(tmp_path)
    with pytest.raises(ValueError, match=r"does not fit.*"):
        networks.load(_card(tmp_path, widths=[4096] * 3, blocks=64), "s", tmp_path)  # 77 GB


@pytest.mark.parametrize(
    "changes",
    [
        {"network": ["plain"]},
        {"network": "resnet", "arguments": 5},
        {"network": "resnet", "arguments": {"inputs": 8, "channels": 7, "norm": [], "mobile": 1}},
        {"network": "unet", "arguments": {"inputs": 8, "width": "wide", "depth": 8, "norm": "batch", "dropout": 1}},
        {"network": "unet", "arguments": {"inputs": 4, "width": 4, "depth": 5, "norm": "batch", "dropout": 1}},
        {"network": "resnet", "arguments": {"inputs": 8, "channels": [4] * 8, "dropout": {}, "norm": "", "mobile": 1}},
    ],
)
def test_arguments_of_the_wrong_kind_are_refused(changes: dict[str, object], tmp_path: Path) -> None:
    _save(tmp_path)
    with pytest.raises(ValueError, match=r"network|arguments|whole number|mood|norm"):
        networks.load(_card(tmp_path, **changes), "s", tmp_path)


def test_weights_in_half_precision_are_played_in_full(tmp_path: Path) -> None:
    network = networks.build("plain", ARGS)
    save_file({key: value.half() for key, value in network.state_dict().items()}, tmp_path / "s.safetensors")
    loaded = networks.load(_card(tmp_path), "s", tmp_path)
    assert {parameter.dtype for parameter in loaded.parameters()} == {torch.float32}
    assert {parameter.device.type for parameter in loaded.parameters()} == {"cpu"}
