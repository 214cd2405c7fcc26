"""perform check: would the worlds of a show play on this machine?"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from perform import cli
from perform.card import Asset
from perform.cli.worlds import unsound
from perform.engines.generator import Hardware
from perform.engines.openvino import OpenVino
from perform.engines.rtx import Rtx
from perform.engines.torch import Torch
from tests.engines.worlds import onnx_bytes, plain_bytes, write_card

SHOW = '[show]\nsize = [64, 64]\n[source.card]\ntype = "testcard"\n[[layer]]\nname = "dream"\nworld = "tide"\n'
Check = Callable[..., tuple[int, str]]


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    """Check a show of the world "tide", on a machine that has these engines: (exit code, standard error)."""

    def checked(engines: Sequence[Hardware], more: str = "") -> tuple[int, str]:
        monkeypatch.setattr("perform.engines.choose.auto", lambda gpu=True: list(engines))
        (tmp_path / "show.toml").write_text(SHOW + more)
        code = cli.main(["check", str(tmp_path / "show.toml")])
        return code, capsys.readouterr().err

    return checked


@pytest.fixture
def tide(tmp_path: Path) -> Path:
    folder = tmp_path / "models" / "tide"
    folder.mkdir(parents=True)
    return folder


def test_a_world_that_no_engine_here_can_play_is_told_with_what_makes_it_playable(check: Check, tide: Path) -> None:
    (tide / "m.safetensors").write_bytes(plain_bytes())
    write_card(tide, ["m"])
    assert check([OpenVino()]) == (
        2,
        f"perform: {tide.parents[1] / 'show.toml'}:7: the world 'tide' will not play at size 'm': it brings no ONNX "
        f"file, which is what OpenVINO plays; `perform export m=RUN --world PICTURES --out {tide}` makes all of its "
        "files from a run folder and its pictures\n",
    )
    assert "which is what TensorRT-RTX plays" in check([Rtx(), OpenVino()])[1]  # what the best of them lacks
    assert check([OpenVino(), Torch()]) == (0, "")  # the next one down the ladder does play it


def test_a_machine_without_any_engine_is_told_so(check: Check, tide: Path) -> None:
    (tide / "m.onnx").write_bytes(onnx_bytes())
    write_card(tide, ["m"])
    code, err = check([])
    assert code == 2
    assert err.endswith("there is no engine on this machine; `pip install openvino` brings the one for processors\n")


def test_the_shows_own_engine_counts_too(check: Check, tide: Path) -> None:
    (tide / "m.onnx").write_bytes(onnx_bytes())
    write_card(tide, ["m"])
    assert check([Torch()])[0] == 2
    assert check([Torch()], '[engine]\ntype = "openvino"\n') == (0, "")


def test_only_the_sizes_that_are_played_must_play(check: Check, tide: Path) -> None:
    (tide / "m.onnx").write_bytes(onnx_bytes())
    (tide / "l.safetensors").write_bytes(plain_bytes())
    write_card(tide, ["m", "l"])
    assert check([OpenVino()]) == (0, "")
    cue = '[[cue]]\nname = "a"\nset = { "/layer/1/size" = "l" }\n'
    code, err = check([OpenVino()], cue)
    assert code == 2
    assert "'tide' will not play at size 'l'" in err


def test_a_preset_that_nobody_calls_makes_no_show_wrong(check: Check, tide: Path) -> None:
    (tide / "m.onnx").write_bytes(onnx_bytes())
    (tide / "l.onnx").write_bytes(onnx_bytes()[:200])
    write_card(tide, ["m", "l"])
    (tide.parents[1] / "presets").mkdir()
    (tide.parents[1] / "presets" / "x.toml").write_text('[set]\n"/layer/dream/size" = "l"\n')
    assert check([OpenVino()]) == (0, "")
    cue = '[[cue]]\nname = "a"\nset = { "/layer/1/size" = "l" }\n'
    assert "'tide' will not play at size 'l'" in check([OpenVino()], cue)[1]


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_told_with_their_file_and_tensor(check: Check, tide: Path, bad: float) -> None:
    (tide / "m.onnx").write_bytes(onnx_bytes())
    (tide / "m.safetensors").write_bytes(plain_bytes(bad=bad))
    write_card(tide, ["m"])
    code, err = check([OpenVino()])
    assert code == 2
    assert len(err.splitlines()) == 1
    assert f"'tide' will not play at size 'm': {tide / 'm.safetensors'}: the tensor 'core." in err
    assert "(NaN or infinite)" in err


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_weights_in_a_graph_that_are_no_numbers_are_told_with_their_file(check: Check, tide: Path, bad: float) -> None:
    (tide / "m.onnx").write_bytes(onnx_bytes(bad=bad))
    write_card(tide, ["m"])
    code, err = check([OpenVino()])
    assert code == 2
    said = f"{tide / 'm.onnx'} holds weights that are not finite numbers (offset); export the world again"
    assert err == f"perform: {tide.parents[1] / 'show.toml'}:7: the world 'tide' will not play at size 'm': {said}\n"
    (tide / "m.safetensors").write_bytes(plain_bytes())
    write_card(tide, ["m"])
    assert check([Torch()]) == (0, "")  # which does not play it


@pytest.mark.parametrize("kind", ["onnx", "int8"])
def test_a_graph_that_openvino_cannot_read_is_told(check: Check, tide: Path, kind: str) -> None:
    (tide / "m.onnx").write_bytes(onnx_bytes())
    card = write_card(tide, ["m"])
    (tide / "m.half").write_bytes(onnx_bytes()[:200])
    told = f'{kind} = "m.half"\n{kind}_sha256 = "{hashlib.sha256((tide / "m.half").read_bytes()).hexdigest()}"\n'
    kept = [line for line in card.read_text().splitlines(keepends=True) if not line.startswith(kind)]
    card.write_text("".join(kept) + told)
    code, err = check([OpenVino()])
    assert code == 2
    assert len(err.splitlines()) == 1
    assert f"{tide / 'm.half'} is not an ONNX network that OpenVINO can read: " in err


def test_weights_of_every_kind_are_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    for kind in (np.float16, np.float32, np.float64):
        good, bad = np.ones(4, kind), np.array([1, np.nan, np.inf, 0], kind)
        path.write_bytes(save({"count": np.ones(2, np.int64), "good": good}))
        assert unsound(Asset(path, "")) == ""
        path.write_bytes(save({"good": good, "bad": bad}))
        assert "the tensor 'bad' has 2 of 4 weights that are no finite numbers" in unsound(Asset(path, ""))
    torch = pytest.importorskip("torch")
    from safetensors.torch import save as save_torch

    path.write_bytes(save_torch({"good": torch.ones(3).bfloat16()}))
    assert unsound(Asset(path, "")) == ""
    path.write_bytes(save_torch({"bad": torch.tensor([1.0, float("nan")]).bfloat16()}))
    assert "the tensor 'bad' has 1 of 2 weights" in unsound(Asset(path, ""))
    path.write_bytes(b"half a file")
    assert unsound(Asset(path, "")).startswith(f"{path} is not a safetensors file: ")


def test_a_resolution_that_the_world_rounds_is_pointed_out_with_what_it_becomes(check: Check, tide: Path) -> None:
    (tide / "m.onnx").write_bytes(onnx_bytes())
    write_card(tide, ["m"])
    code, err = check([OpenVino()], "resolution = [160, 90]\n")
    told = "layer 'dream': resolution = [160, 90] is played as [160, 88]: 'tide' takes sides of 8 pixels, 16, 24, …"
    assert (code, err) == (0, f"{tide.parents[1] / 'show.toml'}:8: {told}\n")
    assert check([OpenVino()], "resolution = [160, 88]\n") == (0, "")


def test_a_check_touches_no_film(check: Check, tide: Path) -> None:
    (tide / "m.onnx").write_bytes(onnx_bytes())
    write_card(tide, ["m"])
    film = tide.parents[1] / "out" / "film.mp4"
    film.parent.mkdir()
    film.write_bytes(b"precious")
    check([OpenVino()], '[sink.film]\ntype = "recorder"\n')
    assert [p.name for p in film.parent.iterdir()] == ["film.mp4"]
    assert film.read_bytes() == b"precious"
