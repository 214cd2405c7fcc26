"""The mean of states of one network."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from perform.lab import average, moods, networks, run
from tests.lab.test_evaluate import a_run


def test_the_mean_of_states_is_a_run_folder_like_any_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = a_run(tmp_path / "one", seed=1), a_run(tmp_path / "other", seed=2)
    average.main([str(one), str(other), str(other), "--out", str(tmp_path / "mean")])
    assert capsys.readouterr().out.strip() == str(tmp_path / "mean")
    mean, a, b = (run.network(folder).state_dict() for folder in (tmp_path / "mean", one, other))
    for name, tensor in mean.items():
        assert torch.allclose(tensor, (a[name] + 2 * b[name]) / 3, atol=1e-6), name
    dream = run.network(tmp_path / "mean")(torch.rand(1, 1, 64, 64), torch.zeros(1, moods.SIZE))
    assert dream.shape == (1, 3, 64, 64)


def test_what_has_no_mean_is_told(tmp_path: Path) -> None:
    one = a_run(tmp_path / "one", seed=1)
    with pytest.raises(ValueError, match="name two run folders or more"):
        average.average([one], tmp_path / "mean")
    wide = networks.live("m", moods.SIZE)
    run.remember(tmp_path / "wide", {"size": "m"})
    run.tensors(tmp_path / "wide" / "ema.safetensors", wide.state_dict())
    with pytest.raises(ValueError, match="wide holds another network than"):
        average.average([one, tmp_path / "wide"], tmp_path / "mean")
    with pytest.raises(ValueError, match="there is no run folder"):
        average.average([one, tmp_path / "nowhere"], tmp_path / "mean")
    assert not (tmp_path / "mean").exists()
