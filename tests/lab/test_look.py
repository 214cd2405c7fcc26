"""Contact sheets and timings by hand: what cannot be done is said in one sentence, before the first dream."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch

from perform.lab import card, costs, look, timing

MODELS = Path(__file__).parents[2] / "models" / "landscape"
CARD = {
    "format": 1,
    "world": "own",
    "title": "Own",
    "licence": "CC0-1.0",
    "multiple": 8,
    "network": {"name": "plain"},
    "condition": {"name": "reduce", "reduce": 8.0, "smooth": 0.1, "grey": 1.0},
    "mood": {"size": 1, "default": "noon", "named": {"noon": [0.0]}},
    "size": {
        "m": {"macs": 1, "parameters": 1, "native": 8, "weights": "m.safetensors", "weights_sha256": "0" * 64},
    },
}


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A world that has a card and no files; and one without moods, as `perform import` makes them."""
    for name, told in (("own", CARD), ("imported", {key: CARD[key] for key in ("condition", "size")})):
        (tmp_path / name).mkdir()
        card.write(told, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--size", "xl"], "own has no size 'xl'; it has m"),
        (["--precision", "int8"], "own has no int8 file of m"),
        (["--moods", "noon,nope"], "own has no mood 'nope'; it has noon"),
        (["--side", "60"], "--side is a multiple of 8 for"),
        (["--out", "no/such.jpg"], "there is no folder 'no' to write such.jpg into"),
        (["--out", "sheet.doc"], "no picture can be written as 'sheet.doc'"),
        (["nowhere.jpg"], "nowhere.jpg"),
    ],
)
def test_a_sheet_that_cannot_be_is_told_of_before_the_first_dream(
    models: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: Sequence[str],
    said: str,
) -> None:
    monkeypatch.setattr(look, "plate", lambda *_: pytest.fail("it has dreamt"))
    with pytest.raises(SystemExit, match="2"):
        look.main(["--models", str(models / "own"), *words])
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("main", [lambda there: look.main(["--models", there]), lambda there: timing.main([there])])
def test_a_world_without_moods_says_what_it_lacks(
    models: Path, capsys: pytest.CaptureFixture[str], main: Callable[[str], None]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(str(models / "imported"))
    assert "has no [mood]: it is no world that was trained here" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--size", "xl"], "has no size 'xl'; it has m"),
        (["--side", "0"], "--side is a multiple of 8 for"),
        (["--side", "256", "--side", "100"], "--side is a multiple of 8 for"),
        (["--threads", "0"], "--threads is 1 or more"),
    ],
)
def test_what_cannot_be_timed_is_told(
    models: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: Sequence[str], said: str
) -> None:
    monkeypatch.setattr(timing, "engines", lambda *_: pytest.fail("it has begun"))
    with pytest.raises(SystemExit, match="2"):
        timing.main([str(models / "own"), *words])
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("side", ["100", "0"])
def test_what_cannot_be_measured_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], side: str
) -> None:
    pytest.importorskip("openvino")
    monkeypatch.setattr(costs, "measure", lambda *_: pytest.fail("it has begun"))
    with pytest.raises(SystemExit, match="2"):
        costs.main(["--side", side])
    assert "--side is a multiple of 8, not" in capsys.readouterr().err


def test_a_still_sheet_leaves_out_what_only_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    """A card may have `smooth` and `grey`, which are controls of a show."""
    monkeypatch.setattr(look, "dream", lambda card, folder, size, precision, inputs, mood: [i[..., :3] for i in inputs])
    sheet = look.plate(CARD, MODELS, look.procedural(2, 32), ["noon"], "m", "torch")
    assert sheet.shape == (3 * 32, 2 * 32, 3)
    assert torch.equal(sheet[32:64], sheet[64:])
