"""Export: the ONNX twin paints the same picture at any size, int8 nearly; the card says what is there."""

from __future__ import annotations

import hashlib
import io
import tomllib
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from perform import networks
from perform.lab import card, export, landscape, look, moods
from perform.lab import networks as lab
from perform.lab.batches import Batches

onnxruntime = pytest.importorskip("onnxruntime")
MODELS = Path(__file__).parents[2] / "models" / "landscape"


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> networks.Dream:
    """A small network with lively weights."""
    torch.manual_seed(2)
    core = lab.trainable(*lab.SIZES["s"], 7)
    for _ in range(2):
        core(torch.rand(2, 1, 32, 32), torch.randn(2, 7))
    folder = tmp_path_factory.mktemp("run")
    save_file(
        {key: value.contiguous().clone() for key, value in lab.fold(core).state_dict().items()},
        folder / "ema.safetensors",
    )
    return export.live(folder / "ema.safetensors", "s")


def test_onnx_paints_what_torch_paints_at_any_size(network: networks.Dream, tmp_path: Path) -> None:
    export.to_onnx(network, tmp_path / "s.onnx")
    for height, width in ((64, 64), (72, 136), (40, 32)):
        picture = torch.randint(0, 256, (1, height, width, 4), dtype=torch.uint8)
        mood = torch.randn(1, 7)
        theirs = export.play(tmp_path / "s.onnx", picture.numpy(), mood.numpy())
        ours = network(picture, mood).numpy()
        assert theirs.shape == ours.shape
        assert theirs.dtype == np.uint8
        assert np.abs(theirs.astype(int) - ours).max() <= 1
    assert b".py" not in (tmp_path / "s.onnx").read_bytes()  # no word of the machine it was made on


def test_a_whole_export_and_its_card(network: networks.Dream, batches: Batches, tmp_path: Path) -> None:
    pytest.importorskip("nncf")
    done = export.export(network, "s", batches, tmp_path, calibration=4)
    assert done.onnx_psnr > 45
    assert done.int8_psnr > 24
    files = {"weights": done.weights, "onnx": done.onnx, "int8": done.int8}
    widths, blocks = lab.SIZES["s"]
    entry = card.size_entry(widths, blocks, 123, 456, 32, files, {"l1": 0.123456})
    named = {name: [0.5] * 7 for name in landscape.NAMED}
    text = card.dumps(export.describe(named, {"s": entry}))
    read = tomllib.loads(text)
    assert read == tomllib.load(io.BytesIO(card.dumps(read).encode()))
    assert read["size"]["s"]["quality"] == {"l1": 0.1235}
    assert read["mood"]["map"]["rows"] * read["mood"]["map"]["columns"] == 9
    loaded = networks.load(read, "s", tmp_path)
    picture = torch.randint(0, 256, (1, 32, 32, 4), dtype=torch.uint8)
    assert torch.equal(loaded(picture, torch.zeros(1, 7)), network(picture, torch.zeros(1, 7)))


def test_an_export_that_disagrees_is_refused(
    network: networks.Dream, batches: Batches, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "to_int8", lambda source, path, inputs: None)
    monkeypatch.setattr(export, "agreement", lambda *_: 10.0)
    with pytest.raises(ValueError, match="disagrees"):
        export.export(network, "s", batches, tmp_path)


def test_cards_hold_plain_data_only() -> None:
    awkward = {"a": 'quote " and \\ and ü', "b": [1.5, -2], "table": {"odd key": True, "inner": {"x": [[1.0], [2.0]]}}}
    assert tomllib.loads(card.dumps(awkward)) == awkward
    with pytest.raises(TypeError, match="cannot hold"):
        card.dumps({"a": object()})


def test_the_shipped_world_keeps_the_contract() -> None:
    read = tomllib.loads((MODELS / "card.toml").read_text(encoding="utf-8"))
    assert read["format"] == 1
    assert read["world"] == "landscape"
    assert read["mood"]["size"] == moods.SIZE
    assert read["mood"]["default"] in read["mood"]["named"]
    pad = read["mood"]["map"]
    assert len(pad["grid"]) == pad["rows"] * pad["columns"]
    assert all(len(vector) == moods.SIZE for vector in [*pad["grid"], *read["mood"]["named"].values()])
    for size, entry in read["size"].items():
        for kind in ("weights", "onnx", "int8"):
            assert hashlib.sha256((MODELS / entry[kind]).read_bytes()).hexdigest() == entry[f"{kind}_sha256"], (
                size,
                kind,
            )
        assert entry["macs"] == lab.macs(networks.load(read, size, MODELS))
    assert (MODELS / "ATTRIBUTION.csv").read_text(encoding="utf-8").startswith("file,author,licence")


def test_the_shipped_world_dreams_the_same_in_torch_and_onnx() -> None:
    read = tomllib.loads((MODELS / "card.toml").read_text(encoding="utf-8"))
    size = min(read["size"])
    noon = read["mood"]["named"]["noon"]
    pictures = look.procedural(2, 64)
    sheet = look.plate(read, MODELS, pictures, ["noon"], size, "torch")
    assert sheet.shape == (3 * 64, 2 * 64, 3)
    rgba = torch.cat([pictures[0], torch.full((64, 64, 1), 255, dtype=torch.uint8)], -1)
    ours, theirs = (look.dream(read, MODELS, size, kind, [rgba], noon)[0].int() for kind in ("torch", "onnx"))
    assert int((ours - theirs).abs().max()) <= 1
    assert look.flicker(networks.load(read, size, MODELS), rgba, torch.tensor([noon]), noise=0.0) == 0.0
