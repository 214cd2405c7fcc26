"""Export: the ONNX twin paints the same picture at any size, int8 nearly; the card says what is there."""

from __future__ import annotations

import gc
import hashlib
import json
import os
import re
import shutil
import tomllib
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save, save_file

from perform import networks
from perform.card import read_card
from perform.lab import card, export, graph, look, moods, quantise
from perform.lab import networks as lab
from perform.lab.batches import Batches
from perform.lab.evaluate import entrants
from perform.lab.worlds import World

onnxruntime = pytest.importorskip("onnxruntime")
MODELS = Path(__file__).parents[2] / "models" / "landscape"


def lively(plan: str, seed: int = 2) -> networks.Dream:
    """A small network with lively weights."""
    torch.manual_seed(seed)
    core = lab.make(plan, 7)
    for _ in range(2):
        core(torch.rand(2, 1, 32, 32), torch.randn(2, 7))
    return networks.Dream(lab.fold(core)).eval()


@pytest.fixture(scope="module")
def network() -> networks.Dream:
    return lively("s")


@pytest.fixture
def home(tmp_path: Path, world: World) -> Path:
    """A folder with a collected world and a distillation's sizes `s` and `slim`."""
    world.save(tmp_path / "landscape")
    (tmp_path / "landscape" / "world.json").write_text('{"world": "landscape"}')
    (tmp_path / "landscape" / "ATTRIBUTION.csv").write_text("file,author\n")
    for name, plan in (("s", "8-8-16_16"), ("slim", "8-16-16_8-16")):
        folder = tmp_path / "students" / name
        folder.mkdir(parents=True)
        state = {key: value.contiguous() for key, value in lively(plan).core.state_dict().items()}
        save_file(state, folder / "ema.safetensors")
        (folder / "recipe.json").write_text(json.dumps({"size": plan}))
    return tmp_path


def test_onnx_paints_what_torch_paints_at_any_size(network: networks.Dream, tmp_path: Path) -> None:
    graph.to_onnx(network, tmp_path / "s.onnx")
    for height, width in ((64, 64), (72, 136), (40, 32)):
        picture = torch.randint(0, 256, (1, height, width, 4), dtype=torch.uint8)
        mood = torch.randn(1, 7)
        theirs = graph.play(tmp_path / "s.onnx", picture.numpy(), mood.numpy())
        ours = network(picture, mood).numpy()
        assert theirs.shape == ours.shape
        assert theirs.dtype == np.uint8
        assert np.abs(theirs.astype(int) - ours).max() <= 1
    assert b".py" not in (tmp_path / "s.onnx").read_bytes()  # no word of the machine it was made on


def test_weights_of_fp16_take_two_bytes_and_change_nothing(network: networks.Dream, tmp_path: Path) -> None:
    half = graph.rounded(network)
    graph.to_onnx(half, tmp_path / "half.onnx")
    whole = sum(4 * parameter.numel() for parameter in network.parameters())
    assert (tmp_path / "half.onnx").stat().st_size < 0.55 * whole
    picture = np.random.default_rng(0).integers(0, 256, (1, 32, 40, 4), np.uint8)
    mood = np.zeros((1, 7), np.float32)
    theirs = graph.play(tmp_path / "half.onnx", picture, mood)
    assert np.abs(theirs.astype(int) - half(torch.from_numpy(picture), torch.from_numpy(mood)).numpy()).max() <= 1
    assert graph.alike(network, half, [{"picture": picture, "mood": mood}]) > 50
    with torch.no_grad():
        half.core.head.weight[0, 0, 0, 0] = 1e6  # type: ignore[index, union-attr]
    with pytest.raises(ValueError, match="beyond fp16"):
        graph.rounded(half)


def test_who_writes_a_network_again_and_again_exports_its_graph_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exported, real = [], graph.model_of

    def model_of(dream: networks.Dream, multiple: int = 8) -> object:
        exported.append(dream)
        return real(dream, multiple)

    monkeypatch.setattr(graph, "model_of", model_of)
    write, path = graph.Moulds(), tmp_path / "now.onnx"
    dreams = [graph.rounded(lively("8-8-16_16", seed)) for seed in range(8)]
    kept = []
    for dream in dreams:
        write(dream, path)
        gc.collect()
        kept.append(len(gc.get_objects()))
    assert len(exported) == 1
    assert abs(kept[7] - kept[2]) < 500
    graph.to_onnx(dreams[7], tmp_path / "fresh.onnx")
    picture = np.random.default_rng(0).integers(0, 256, (1, 64, 96, 4), dtype=np.uint8)
    mood = np.linspace(-1, 1, 7, dtype=np.float32)[None]
    now, then = (graph.play(tmp_path / name, picture, mood) for name in ("now.onnx", "fresh.onnx"))
    np.testing.assert_array_equal(now, then)
    assert path.stat().st_size == pytest.approx((tmp_path / "fresh.onnx").stat().st_size, rel=0.02)


def test_a_world_is_shipped_whole(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("nncf")
    monkeypatch.setattr(export, "SIDE", 32)
    monkeypatch.setattr(quantise, "CALIBRATION", 4)
    out = home / "models" / "landscape"
    out.mkdir(parents=True)
    (out / "card.toml").write_text('[size.old]\nweights = "old.safetensors"\n')
    (out / "old.safetensors").write_bytes(b"before")
    sizes = export.sizes_of([str(home / "students")])
    assert set(sizes) == {"s", "slim"}
    export.ship(sizes, home / "landscape", out)
    read = read_card((out / "card.toml").read_bytes(), out / "card.toml")
    assert list(read.sizes) == ["s", "slim"]
    assert set(read.sizes["slim"].files) == {"weights", "onnx", "int8"}
    assert read.raw["size"]["slim"]["inner"] == [8, 16]
    assert read.sizes["s"].quality["half_psnr"] > 50
    assert {path.name for path in out.iterdir()} == {
        *(f"{size}{end}" for size in sizes for end in (".safetensors", ".onnx", ".int8.onnx")),
        *("card.toml", "preview.jpg", "ATTRIBUTION.csv"),
    }
    assert [path.name for path in out.parent.iterdir()] == ["landscape"]
    loaded = networks.load(read.raw, "slim", out)
    picture, mood = torch.randint(0, 256, (1, 32, 32, 4), dtype=torch.uint8), torch.zeros(1, 7)
    assert torch.equal(loaded(picture, mood), graph.rounded(lively("8-16-16_8-16"))(picture, mood))

    before = {path.name: path.read_bytes() for path in out.glob("slim.*")}
    export.main([f"s={sizes['s']}", "--world", str(home / "landscape"), "--out", str(out)])
    assert "slim   stays as it was" in capsys.readouterr().out
    assert tomllib.loads((out / "card.toml").read_text()) == read.raw
    assert {path.name: path.read_bytes() for path in out.glob("slim.*")} == before
    other = (out / "card.toml").read_text()
    (out / "card.toml").write_text(re.sub('default = ".*"', f'default = "{[*read.raw["mood"]["named"]][-1]}"', other))
    with pytest.raises(ValueError, match=r"has slim, too, which learned other pictures: .* \(slim=FOLDER\)"):
        export.main([f"s={sizes['s']}", "--world", str(home / "landscape"), "--out", str(out)])
    (out / "card.toml").write_text(other)

    (out / "s.int8.onnx").unlink()  # and its int8 form made again
    options = ["--world", str(home / "landscape"), "--side", "32", "--calibration", "4", "--size", "s"]
    quantise.main([str(out), *options])
    again = tomllib.loads((out / "card.toml").read_text())
    assert again["size"]["s"]["int8_sha256"] == hashlib.sha256((out / "s.int8.onnx").read_bytes()).hexdigest()
    assert again["size"]["slim"] == read.raw["size"]["slim"]
    assert again["size"]["s"]["quality"]["int8_psnr"] > 24
    with pytest.raises(SystemExit):
        quantise.main([str(out), "--world", str(home / "landscape"), "--calibration", "1"])
    assert "--calibration is 2 or more" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        quantise.main([str(out), "--world", str(home / "landscape"), "--size", "q"])
    assert "has no size 'q'; it has s, slim" in capsys.readouterr().err


def test_an_export_that_disagrees_leaves_the_world_as_it_was(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "SIDE", 32)
    monkeypatch.setattr(quantise, "CALIBRATION", 4)
    monkeypatch.setattr(quantise, "to_int8", lambda network, path, inputs, model: path.write_bytes(b""))
    monkeypatch.setattr(quantise.Bench, "judge", lambda *_: {"int8_psnr": 10.0, "int8_loss": 9.0})
    out = home / "models" / "landscape"
    out.mkdir(parents=True)
    (out / "card.toml").write_text('author = "before"')
    with pytest.raises(export.Unfit, match=r"disagrees with what was trained \(int8: 10\.0 dB"):
        export.ship({"s": home / "students" / "s"}, home / "landscape", out)
    assert (out / "card.toml").read_text() == 'author = "before"'
    assert [path.name for path in out.iterdir()] == ["card.toml"]


def test_what_cannot_be_exported_is_said(home: Path) -> None:
    with pytest.raises(ValueError, match="holds no sizes"):
        export.main([str(home / "landscape"), "--world", str(home / "landscape")])
    for words in ("nowhere", "m=nowhere"):
        with pytest.raises(ValueError, match="there is no run folder 'nowhere'; `perform distil` makes one"):
            export.main([words, "--world", str(home / "landscape")])
    with pytest.raises(ValueError, match=r"landscape holds no trained network: a run folder has recipe.json and ema"):
        export.main([f"m={home / 'landscape'}", "--world", str(home / "landscape")])
    (home / "students" / "s+").mkdir()
    (home / "students" / "s+" / "ema.safetensors").write_bytes(b"")
    for twice in ([str(home / "students")], ["s=here", "--size", "s=there"], ["s=here", str(home / "students")]):
        with pytest.raises(ValueError, match="would both be 's': name each, such as s2="):
            export.main([*twice, "--world", str(home / "landscape")])
    (home / "students" / "s+" / "ema.safetensors").unlink()
    with pytest.raises(ValueError, match="there is no world in"):
        quantise.main([str(home / "students"), "--world", str(home / "landscape")])
    with pytest.raises(ValueError, match="holds no world"):
        export.main([str(home / "students"), "--world", str(home / "elsewhere")])


@pytest.mark.parametrize(
    ("recipe", "weights", "said"),
    [
        ("{}", b"", r"m/recipe\.json has no 'size'; that of a student of `perform distil` does"),
        ('{"size"', b"", r"m/recipe\.json is damaged, it is no JSON: "),
        ('{"size": "m"}', b"half", r"m/ema\.safetensors is damaged or was cut off: "),
    ],
)
def test_a_damaged_run_folder_is_said_with_the_file(tmp_path: Path, recipe: str, weights: bytes, said: str) -> None:
    folder = tmp_path / "m"
    folder.mkdir()
    (folder / "recipe.json").write_text(recipe)
    (folder / "ema.safetensors").write_bytes(weights or save({}))
    with pytest.raises(ValueError, match=said):
        export.live(folder)


def test_a_world_of_ones_own_is_described_by_its_words_and_its_moods_are_found(
    tmp_path: Path, batches: Batches
) -> None:
    folder = tmp_path / "old-bark"
    folder.mkdir()
    plain = export.describe(folder, batches)
    assert plain["title"] == "Old bark"
    assert plain["mood"]["default"] in plain["mood"]["named"]
    assert len(plain["mood"]["map"]["grid"]) == plain["mood"]["map"]["rows"] * plain["mood"]["map"]["columns"]
    (folder / "words.toml").write_text('title = "Rinde"\nlicence = "CC0-1.0"')
    told = export.describe(folder, batches)
    assert (told["title"], told["licence"], told["mood"]) == ("Rinde", "CC0-1.0", plain["mood"])
    (folder / "words.toml").write_text("titel = 3")
    with pytest.raises(ValueError, match="titel should not be there"):
        export.describe(folder, batches)


def test_cards_hold_plain_data_only() -> None:
    awkward = {"a": 'quote " and \\ and ü', "b": [1.5, -2], "table": {"odd key": True, "inner": {"x": [[1.0], [2.0]]}}}
    assert tomllib.loads(card.dumps(awkward)) == awkward
    with pytest.raises(TypeError, match="cannot hold"):
        card.dumps({"a": object()})


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])))
def test_a_card_takes_any_words(name: str, text: str) -> None:
    words = {name: text, "table": {name: [text]}, "\x7f\u0085\U0001f30a": "\x7f\u0085\U0001f30a"}
    assert tomllib.loads(card.dumps(words)) == words


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[mood]\nsize = 7", "[mood]\nsize = nan", "mood.size: expected a whole number from 1 to 64, found nan"),
        ("[size.s]", "[size]\nxs = 3\n[size.s]", "size.xs: expected a table, found 3"),
        ("macs = 455358912", 'macs = "few"', "size.s.macs: expected a number, found few"),
        ('weights = "s.safetensors"', "weights = 3", "size.s.weights: expected a text, found 3"),
        ("multiple = 8", 'multiple = "x"', "multiple: expected a whole number from 1, found x"),
        ("[mood.named]", "[mood.nmd]", "mood.named: expected a table, found nothing"),
    ],
)
def test_a_card_that_a_hand_has_spoilt_is_told_with_its_key(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = (MODELS / "card.toml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / card.NAME).write_text(text.replace(old, new, 1), encoding="utf-8")
    for reading in (card.read, card.trained, entrants.of_card, entrants.shipped_bytes):
        with pytest.raises(ValueError, match=re.escape(f"{tmp_path / card.NAME}: {said}")):
            reading(tmp_path)


def test_a_size_that_does_not_say_what_its_network_needs_is_told(tmp_path: Path) -> None:
    shutil.copytree(MODELS, tmp_path / "copy")
    path = tmp_path / "copy" / card.NAME
    path.write_text(path.read_text(encoding="utf-8").replace("blocks = 3\n", "", 1), encoding="utf-8")
    with pytest.raises(ValueError, match=re.escape(f"{path}: size.s has no 'blocks', which its network needs")):
        entrants.of_card(tmp_path / "copy")


def test_a_number_of_hundreds_of_digits_is_none_that_a_network_takes() -> None:
    args = {"inputs": 3, "channels": [8] * 8, "blocks": 1, "norm": "instance", "mobile": False, "dropout": 10**400}
    with pytest.raises(ValueError, match="the arguments of resnet are not of the kinds it takes"):
        networks.build("resnet", args)


@pytest.mark.parametrize(
    ("before", "stay"),
    [
        ("size = 3", ["old.onnx"]),
        ("[size]\nm = 3\n[size.s]\nweights = 'old.onnx'", []),
        ("[size.m]\nweights = 3\nonnx = ''", ["old.onnx"]),
    ],
)
def test_a_card_that_a_hand_has_spoilt_is_replaced(tmp_path: Path, before: str, stay: list[str]) -> None:
    staged, world = tmp_path / "staged", tmp_path / "world"
    staged.mkdir()
    world.mkdir()
    (world / card.NAME).write_text(before, encoding="utf-8")
    (world / "old.onnx").touch()
    card.publish({"title": "new"}, staged, world)
    assert (world / card.NAME).read_text(encoding="utf-8") == 'title = "new"\n'
    assert [path.name for path in world.iterdir() if path.name != card.NAME] == stay


@pytest.mark.parametrize(
    "name", [card.NAME, "CARD.TOML", "..", ".", "../world/card.toml", "folder", "nul\\u0000", "x" * 300, "new.onnx"]
)
def test_a_card_that_a_hand_has_spoilt_costs_no_file_but_its_own(tmp_path: Path, name: str) -> None:
    staged, world = tmp_path / "staged", tmp_path / "world"
    for folder in (staged, world / "folder"):
        folder.mkdir(parents=True)
    (staged / "new.onnx").touch()
    (world / "old.onnx").touch()
    (world / card.NAME).write_text(f'[size.s]\nweights = "{name}"\nonnx = "old.onnx"\n', encoding="utf-8")
    card.publish({"title": "new"}, staged, world)
    assert (world / card.NAME).read_text(encoding="utf-8") == 'title = "new"\n'
    assert sorted(os.listdir(world)) == [card.NAME, "folder", "new.onnx"]


def test_a_card_that_is_no_toml_is_left_to_whoever_wrote_it(tmp_path: Path) -> None:
    staged, world = tmp_path / "staged", tmp_path / "world"
    staged.mkdir()
    world.mkdir()
    (staged / "s.onnx").write_text("new", encoding="utf-8")
    (world / card.NAME).write_text("author = me", encoding="utf-8")
    told = f"{re.escape(str(world / card.NAME))} cannot be read: .*; mend it, or move it away and a new one is written$"
    for replaced in (
        lambda: card.publish({"title": "new"}, staged, world),
        lambda: export.ship({"s": tmp_path / "no run"}, tmp_path / "no world", world),
        lambda: export.staying(world, {}, {}),
    ):
        with pytest.raises(ValueError, match=told):
            replaced()
    assert os.listdir(world) == [card.NAME]
    assert (world / card.NAME).read_text(encoding="utf-8") == "author = me"
    (world / card.NAME).rename(tmp_path / "aside.toml")
    card.publish({"title": "new"}, staged, world)
    assert sorted(os.listdir(world)) == [card.NAME, "s.onnx"]


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
