"""The live network: shapes, folding, cost, and files it must refuse."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from perform import networks
from perform.lab import networks as lab

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


def test_a_mood_changes_the_picture_once_trained() -> None:
    core = lab.fold(lab.trainable((16, 32, 64), 1, 7))
    luma = torch.rand(1, 1, 16, 16)
    assert not torch.allclose(core(luma, torch.zeros(1, 7)), core(luma, torch.full((1, 7), 3.0)))


def test_folding_batch_norm_changes_nothing() -> None:
    torch.manual_seed(1)
    network = lab.trainable((16, 32, 64), 2, 7)
    for _ in range(3):
        network(torch.rand(4, 1, 32, 32), torch.randn(4, 7))  # moves the running statistics off their start
    network.eval()
    luma, mood = torch.rand(2, 1, 40, 64), torch.randn(2, 7)
    with torch.no_grad():
        assert torch.allclose(network(luma, mood), lab.fold(network)(luma, mood), atol=1e-5)


def test_macs_against_a_count_by_hand() -> None:
    a, b, c, blocks, side = 2, 3, 5, 1, 16
    half, quarter, eighth = (side // 2) ** 2, (side // 4) ** 2, (side // 8) ** 2
    convolutions = 9 * (5 * a * half + a * b * quarter + b * c * eighth + 2 * blocks * c * c * eighth)
    convolutions += 9 * (c * b * quarter + b * a * half + a * 12 * half)
    film = 7 * networks.HIDDEN + networks.HIDDEN * 2 * (a + b + c)
    assert lab.macs((a, b, c), blocks, 7, side, side) == convolutions + film


def test_published_sizes_cost_what_the_guide_says() -> None:
    cost = {size: lab.macs(*lab.SIZES[size], 7, 64, 64) * 16 / 1e9 for size in ("s", "m", "l")}
    assert cost == pytest.approx({"s": 0.46, "m": 1.0, "l": 2.05}, rel=0.03)


def test_unknown_network_is_named() -> None:
    with pytest.raises(ValueError, match=r"plein.*known: plain"):
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
