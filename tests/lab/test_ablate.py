"""Ablations: every variant names a network and settings that there are, and ends as a run folder that can be read."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import pytest
import torch

from perform.lab import ablate, distil, driving, features, networks, run, train
from perform.lab.batches import Batches
from perform.lab.worlds import World


def test_every_variant_changes_what_there_is() -> None:
    for variant in ablate.VARIANTS.values():
        recipe = train.Recipe if variant.stage == "train" else distil.Recipe
        assert variant.size in networks.names()
        assert set(variant.changes) <= {field.name for field in fields(recipe)}
    removed = {key for variant in ablate.VARIANTS.values() for key in variant.changes}
    losses = {"adversarial", "pixel", "structure", "sparkle", "matching", "steady"}
    assert losses <= removed


def test_variants_end_as_run_folders_and_are_not_done_twice(
    tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = {"s": ((8, 8, 16), 1)}
    monkeypatch.setattr(distil, "Batches", lambda data, side, device: Batches(data, 32, strange=12))
    monkeypatch.setattr(train, "Batches", lambda data, side, device: Batches(data, 32, strange=12))
    monkeypatch.setattr(features, "fetch", lambda cache: None)
    monkeypatch.setattr(networks, "make", lambda name, mood: networks.trainable(*small["s"], mood))
    monkeypatch.setattr(networks, "live", lambda name, mood: networks.fold(networks.trainable(*small["s"], mood)))
    monkeypatch.setattr(train.features.Features, "__init__", _small_features(features.Features.__init__))
    world.save(tmp_path / "world")
    paths = {"world": tmp_path / "world", "cache": tmp_path, "out": tmp_path / "out", "teacher": tmp_path / "teacher"}
    recipe = train.Recipe(size="m", side=32, steps=2, paired=1, unpaired=1)
    train.train(recipe, paths["world"], paths["teacher"], tmp_path, driving.Pace(2), "cpu")
    for name in ("undistilled", "no-pixel", "photographs"):
        there = ablate.one(name, paths, 2, (1, 1), "cpu")
        dream = run.network(there)(torch.zeros(1, 1, 32, 32), torch.zeros(1, 7))
        assert dream.shape == (1, 3, 32, 32)
        before = (there / "ema.safetensors").stat().st_mtime_ns
        assert ablate.one(name, paths, 2, (1, 1), "cpu") == there
        assert (there / "ema.safetensors").stat().st_mtime_ns == before
        told = json.loads((there / "recipe.json").read_text())
        assert name == "undistilled" or (told["projected"] > 0) == (told["coarse"] > 0) == (name == "photographs")
    with pytest.raises(ValueError, match="no variant 'no-such'"):
        ablate.one("no-such", paths, 2, (1, 1))


def test_a_name_that_nobody_has_is_told_of_before_anything_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[str] = []
    monkeypatch.setattr(train, "train", lambda recipe, world, there, *_: trained.append(there.name))
    monkeypatch.setattr(distil, "distil", lambda recipe, teacher, world, there, *_, **__: trained.append(there.name))
    with pytest.raises(ValueError, match="no variant 'no-sparkel'; there are whole"):
        ablate.main(["--only", "undistilled,no-sparkel", "--out", str(tmp_path)])
    assert trained == []


def test_who_is_killed_while_tidying_up_has_not_trained_in_vain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def killed(_path: Path) -> None:
        raise Killed

    there = ablate.folder(tmp_path, "undistilled")
    there.mkdir()
    (there / "checkpoint.pt").write_bytes(b"an hour's work")
    monkeypatch.setattr(train, "train", lambda *_: None)
    monkeypatch.setattr(Path, "touch", killed)
    with pytest.raises(Killed):
        ablate.one("undistilled", dict.fromkeys(("world", "cache", "out", "teacher"), tmp_path), 2, (1, 1), "cpu")
    assert not ablate.finished(tmp_path, "undistilled")
    assert (there / "checkpoint.pt").exists()


def _small_features(original: object) -> object:
    def init(self: features.Features, weights: Path | None, side: int = 128) -> None:
        original(self, None, 128)  # type: ignore[operator]

    return init
