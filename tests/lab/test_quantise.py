"""What int8 is said to have lost: the sign, the unit, and against whom."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from perform.lab import card, export, graph, moods, quantise, timing
from perform.lab.batches import Batches
from perform.lab.worlds import World


def painting(level: int) -> Any:
    """Who paints one level of grey, whatever it is given."""
    return lambda picture, mood: torch.full((1, 4, 4, 4), level, dtype=torch.uint8)


def test_a_loss_is_what_int8_is_farther_from_the_truth_and_agreement_is_from_the_network(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(timing, "onnxruntime", lambda path, threads: lambda *given: painting(20)(*given).numpy())
    one: dict[str, npt.NDArray[Any]] = {"picture": np.zeros((1, 4, 4, 4)), "mood": np.zeros((1, 7), np.float32)}
    inputs = [one, one]
    black = torch.zeros(2, 4, 4, 3, dtype=torch.uint8)
    assert quantise.loss(painting(10), Path("m"), inputs, black) == pytest.approx(6.02, abs=0.01)  # twice as far
    assert quantise.loss(painting(40), Path("m"), inputs, black) == pytest.approx(-6.02, abs=0.01)
    assert quantise.loss(painting(20), Path("m"), inputs, black) == 0
    assert graph.agreement(painting(10), Path("m"), inputs) < graph.agreement(painting(19), Path("m"), inputs)
    assert graph.agreement(painting(20), Path("m"), inputs) == 99
    assert graph.agreement(painting(10), Path("m"), inputs) == graph.alike(painting(20), painting(10), inputs)
    assert graph.alike(painting(10), painting(20), inputs) == pytest.approx(28.13, abs=0.01)  # 20 log10(255 / 10)


def test_another_worlds_pictures_are_refused(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(export, "SIDE", 32)
    for name, pictures in (("own", world.pictures), ("other", [255 - one for one in world.pictures])):
        folder = tmp_path / name / "bark"
        World(pictures, world.held_out).save(folder)
    home, models = tmp_path / "own" / "bark", tmp_path / "models"
    models.mkdir()
    (models / "s.int8.onnx").write_bytes(b"before")
    told = export.describe(home, Batches(World.load(home), 32, strange=2))
    small = {"macs": 1, "parameters": 1, "native": 32, "int8": "s.int8.onnx", "int8_sha256": "0" * 64}
    about = {"condition": {"name": "reduce", "reduce": 16.0}, "network": {"name": "plain"}, "multiple": 8}
    card.write(told | about | {"size": {"s": small}}, models)
    before = {path: path.read_bytes() for path in models.iterdir()}
    assert quantise.learned(card.read(models), home, World.load(home))
    with pytest.raises(SystemExit, match="2"):
        quantise.main([str(models), "--world", str(tmp_path / "other" / "bark")])
    assert "models has s, which learned other pictures: name another --world" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in models.iterdir()} == before


def test_a_finish_of_what_it_cannot_teach_is_refused_before_any_work(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world.save(tmp_path / "bark")
    sizes = {
        "m": {"blocks": 3},
        "gan-compression": {"network": "resnet"},
        "murr": {"network": "unet"},
        "d": {"network": "decoder"},
    }
    some = {"macs": 1, "parameters": 1, "native": 32, "onnx": "s.onnx", "onnx_sha256": "0" * 64}
    told = {
        "format": 1,
        "world": "bark",
        "title": "Bark",
        "licence": "CC0-1.0",
        "multiple": 8,
        "mood": {"size": 1, "default": "noon", "named": {"noon": [0.0]}},
        "condition": {"name": "reduce", "reduce": 16.0},
        "network": {"name": "plain"},
        "size": {size: some | about for size, about in sizes.items()},
    }
    (tmp_path / "models").mkdir()
    card.write(told, tmp_path / "models")
    assert [size for size in sizes if quantise.teachable(told, size)] == ["m", "d"]
    monkeypatch.setattr(quantise, "learned", lambda *_: pytest.fail("it has begun"))
    words = [str(tmp_path / "models"), "--world", str(tmp_path / "bark"), "--finish", "3"]
    for given in ([], ["--size", "gan-compression"], ["--size", "m", "--size", "murr"]):
        with pytest.raises(SystemExit, match="2"):
            quantise.main([*words, *given])
        assert "--finish teaches networks of ours, and " in capsys.readouterr().err


def test_samples_are_bytes_repeatable_half_of_them_photographs(batches: Batches) -> None:
    first, again = (list(quantise.samples(batches, 8)) for _ in range(2))
    assert len(first) == 8
    for one, other in zip(first, again, strict=True):
        assert np.array_equal(one["picture"], other["picture"])
        assert np.array_equal(one["mood"], other["mood"])
        assert one["picture"].shape == (1, 32, 32, 4)
        assert one["picture"].dtype == np.uint8
        assert one["mood"].shape == (1, moods.SIZE)
    assert not any(np.array_equal(first[0]["mood"], one["mood"]) for one in first[1:])
    other_seed = list(quantise.samples(batches, 8, seed=8))
    assert not any(np.array_equal(a["picture"], b["picture"]) for a, b in zip(first, other_seed, strict=True))
