"""Evaluation from a small world to its record: everybody is measured, twice the same, and what is known is kept."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

from perform.lab import evaluate, losses, moods, networks, run
from perform.lab.batches import Batches, middle
from perform.lab.conditions import condition, luma
from perform.lab.evaluate import entrants, latency, measuring, record, scene
from perform.lab.metrics import realism
from perform.lab.metrics.perceptual import LpipsHed
from perform.lab.metrics.realism import Embedding
from perform.lab.strangers import strangers
from perform.lab.worlds import World

SMALL = scene.Sizes(held_out=3, held_crops=5, live=4, pairs_live=2, real=16, still=3, moving=1, frames=16)
MODELS = Path(__file__).parents[2] / "models" / "landscape"
RECORDS = sorted((Path(__file__).parents[2] / "docs" / "compression").glob("*.json"))


@pytest.fixture(scope="module")
def open_world(world: World) -> World:
    return World(world.pictures, torch.arange(14) % 5 == 0)


@pytest.fixture(scope="module")
def stage(open_world: World) -> scene.Scene:
    return scene.prepare(open_world, list(strangers(4)), 16.0, side=64, sizes=SMALL)


@pytest.fixture(scope="module")
def judges() -> measuring.Judges:
    """Random ones: what is tested here is the road, not the taste."""
    torch.manual_seed(0)
    return measuring.Judges(LpipsHed(), Embedding())


def a_run(folder: Path, size: str = "s", seed: int = 0) -> Path:
    torch.manual_seed(seed)
    network = networks.make(size, moods.SIZE)
    run.remember(folder, {"size": size})
    state = networks.fold(network).state_dict()
    save_file({key: value.contiguous().clone() for key, value in state.items()}, folder / "ema.safetensors")
    return folder


def test_a_perfect_dreamer_is_told_so(stage: scene.Scene, judges: measuring.Judges) -> None:
    truth = measuring.on_screen(stage.real)
    mine = measuring.Dreams(truth, truth[:1], judges.embed(truth), judges.embed(truth[:1]))
    numbers = measuring._pairs("truth", mine.held, truth)
    assert numbers["truth_l1"] == 0
    assert numbers["truth_psnr"] == 99
    assert numbers["truth_ssim"] == pytest.approx(1, abs=1e-4)
    assert judges.distances(truth, {"itself": truth}) == {"itself_lpips": 0}


def test_nobody_sees_a_photograph_it_was_trained_on(open_world: World, stage: scene.Scene) -> None:
    held = {index for index, out in enumerate(open_world.held_out.tolist()) if out}
    assert set(stage.held.group.tolist()) <= held
    assert stage.real.shape == (3, 3, 64, 64)
    assert stage.held.condition.shape == (5, 1, 64, 64)
    assert int(stage.live.group.min()) >= scene.LIVE
    assert len(stage.collection) == 16


def test_the_condition_is_what_a_show_gives_a_world() -> None:
    """Clipped before the grain, which so is seen in the whitest sky, too."""
    grey = torch.zeros(64, 64, dtype=torch.uint8)
    grey[:, 20:] = 255
    wanted = condition(grey[..., None].expand(-1, -1, 3), reduce=16.0, grain=0.015)[..., 0]
    found = scene.condition(grey[None, None] / 255, 16.0, 64)[0, 0] * 255
    assert int((found - wanted.float()).abs().max()) <= 1


def test_what_is_asked_is_what_is_compared(open_world: World, stage: scene.Scene) -> None:
    """The first conditions are the held-out pictures' own, in their own moods, and so are the first camera pictures."""
    scale, _ = scene.scale_of(open_world, 64)
    grey = luma(stage.real) / 2 + 0.5
    assert torch.equal(stage.held.condition[:3], scene.condition(grey, 16.0, 64))
    assert torch.allclose(stage.held.mood[:3], scale(moods.measure(stage.real, grey)))
    held = stage.held.group.tolist()
    assert held[3:] == held[:2]  # more crops, of the same pictures in turn
    assert torch.equal(stage.camera[0], luma(middle(open_world.pictures[held[0]], 80))[0] / 2 + 0.5)
    assert torch.equal(stage.camera_mood[0], stage.held.mood[0])


def test_a_screen_shows_whole_bytes_rounded_half_up() -> None:
    levels = torch.arange(256) / 127.5 - 1
    assert torch.allclose(measuring.on_screen(levels + 0.4 / 127.5), levels, atol=1e-6)
    assert torch.allclose(measuring.on_screen(levels - 0.4 / 127.5), levels, atol=1e-6)
    assert measuring.on_screen(torch.tensor([-3.0, 3.0])).tolist() == [-1.0, 1.0]


def test_truth_and_teacher_are_each_compared_with_their_own(stage: scene.Scene, judges: measuring.Judges) -> None:
    """Dreams that are off by so many bytes: from the photographs, from the teacher, from the teacher on live inputs."""

    def dreams(held: float, live: float) -> measuring.Dreams:
        seen = torch.randn(9, 8, generator=torch.Generator().manual_seed(0))
        some = torch.cat([stage.real, stage.real[:2]]).clamp(-0.5, 0.5) + held / 127.5
        return measuring.Dreams(some, torch.full((4, 3, 64, 64), live / 127.5), seen[:5], seen[5:])

    still = replace(stage, real=stage.real.clamp(-0.5, 0.5))
    fresh = measuring.Judges(judges.lpips, judges.embedding)
    found = measuring.fidelity(dreams(2, 7), still, fresh, dreams(-3, 2))
    assert found["truth_l1"] == pytest.approx(2, rel=1e-3)
    assert found["teacher_l1"] == pytest.approx(5, rel=1e-3)
    assert found["teacher_live_l1"] == pytest.approx(5, rel=1e-3)
    assert found["truth_psnr"] == pytest.approx(losses.psnr(torch.zeros(1), torch.ones(1) * 2, 255.0), rel=1e-3)
    assert found["teacher_kid"] == pytest.approx(0, abs=1e-9)
    assert 0 < found["truth_lpips"] < found["teacher_lpips"]


def test_realism_tells_photographs_inputs_from_live_ones(stage: scene.Scene, judges: measuring.Judges) -> None:
    def seen(count: int, seed: int) -> Tensor:
        return torch.randn(count, 8, generator=torch.Generator().manual_seed(seed))

    fresh = measuring.Judges(judges.lpips, judges.embedding, {"real": seen(16, 0)})
    mine = measuring.Dreams(stage.real, stage.real, seen(5, 1) + 3, seen(4, 2))
    found, left = measuring.realism(mine, stage, fresh)
    assert found["kid_error"] == pytest.approx(realism.spread(left))
    assert found["kid_held"] > found["kid"] > found["kid_live"] + 1
    assert found["kid_held"] > 10


def test_steadiness_of_what_never_moves_and_of_what_never_rests(stage: scene.Scene) -> None:
    rng = torch.Generator().manual_seed(0)
    fixed = 0.2 * torch.randn(1, 3, 64, 64, generator=rng)
    stuck = measuring.steadiness(lambda condition, mood: fixed.expand(len(condition), -1, -1, -1), stage)
    assert stuck["tremble"] == 0
    assert stuck["shimmer"] < 1e-3
    assert stuck["warp_pan"] == pytest.approx(127.5 * 0.2 * 2 / math.sqrt(math.pi), rel=0.05)  # mean of |a - b|
    assert stuck["warp_zoom"] > 10

    def restless(condition: Tensor, mood: Tensor) -> Tensor:
        return 0.1 * torch.randn(len(condition), 3, 64, 64, generator=rng)

    found = measuring.steadiness(restless, stage)
    assert found["tremble"] == pytest.approx(12.75, rel=0.05)
    assert found["shimmer"] == pytest.approx(12.75 * math.sqrt(22 / 30), rel=0.1)


def test_measuring_twice_gives_the_same_numbers(stage: scene.Scene, judges: measuring.Judges) -> None:
    torch.manual_seed(1)
    network = networks.live("s", moods.SIZE)
    theirs = measuring.dreams(entrants.itself, stage, judges)
    first, left = measuring.measure(network, stage, judges, theirs)
    assert (first, left) == measuring.measure(network, stage, judges, theirs)
    assert {"truth_lpips", "teacher_lpips", "teacher_live_l1", "teacher_kid", "kid_error", "swd_live"} <= set(first)
    assert {"tremble", "warp_pan", "warp_zoom", "shimmer"} <= set(first)
    assert all(isinstance(value, float) for value in first.values())
    assert {"kid", "kid_spread", "spectrum", "swd"} == set(measuring.floor(stage, judges, 3))


def test_the_condition_follows_itself_and_takes_the_moods_colours(batches: Batches) -> None:
    condition = strangers(4, seed=2)
    mood = batches.moods[:4]
    same = entrants.itself(condition, mood)
    assert torch.equal(same[:, 1], condition[:, 0] * 2 - 1)
    painted = entrants.tinted(batches.scale)(condition, mood)
    back = batches.scale(moods.measure(painted, condition))
    assert float((back - mood)[:, :6].abs().median()) < 0.2  # clipping keeps a few from their colour
    assert float(luma(painted).flatten(1).std(1).min()) > 0


def test_costs_are_those_of_the_network() -> None:
    found = entrants.costs(networks.live("s", moods.SIZE))
    assert found["macs"] == pytest.approx(455e6, rel=0.01)
    assert found["parameters"] == pytest.approx(285e3, rel=0.01)
    assert 16 * 128 * 128 * 4 < found["activation_bytes"] < 20e6


def test_a_run_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no trained network: a run folder has"):
        entrants.of_run(tmp_path)
    with pytest.raises(ValueError, match="there is no world in"):
        entrants.of_card(tmp_path)
    with pytest.raises(ValueError, match="no entrant 'q'; there are input"):
        entrants.chosen(entrants.baselines(moods.Scale(torch.zeros(7), torch.ones(7))), ["q"])


def test_a_world_that_holds_nothing_out_cannot_be_evaluated(world: World) -> None:
    with pytest.raises(ValueError, match="holds out three pictures or more, not 0"):
        scene.prepare(World(world.pictures, torch.zeros(14, dtype=torch.bool)), list(strangers(2)), 16.0, 64)
    with pytest.raises(ValueError, match="no live-like input"):
        scene.prepare(World(world.pictures, torch.arange(14) % 5 == 0), [], 16.0, 64)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, judges: measuring.Judges) -> None:
    """Evaluation of little, with random judges, so that nothing is downloaded."""
    real = scene.prepare

    def prepare(world: World, live: list[Tensor], reduce: float, side: int, seed: int) -> scene.Scene:
        return real(world, live, reduce, side, seed, SMALL)

    monkeypatch.setattr(scene, "prepare", prepare)
    fresh = measuring.Judges(judges.lpips, judges.embedding)
    monkeypatch.setattr(measuring.Judges, "fetched", classmethod(lambda cls, cache: fresh))
    monkeypatch.setattr(evaluate, "live_inputs", lambda cache: list(strangers(4)))


@pytest.mark.usefixtures("small")
def test_evaluate_from_folders_to_a_record(
    open_world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    open_world.save(tmp_path / "painted")
    teacher, undistilled = a_run(tmp_path / "t", seed=1), a_run(tmp_path / "undistilled", seed=2)
    words = ["--world", str(tmp_path / "painted"), "--side", "64", "--out", str(tmp_path / "e.json")]
    words += ["--stored", str(tmp_path / "none.json")]
    evaluate.main([*words, "--teacher", str(teacher), "--runs", str(undistilled)])
    found = record.load(tmp_path / "e.json")
    assert list(found["entrants"]) == ["teacher", "input", "input, tinted", "undistilled"]
    assert found["entrants"]["undistilled"]["why"].startswith("the same network taught by photographs")
    assert found["entrants"]["undistilled"]["quality"]["teacher_l1"] > 0
    assert "teacher_l1" not in found["entrants"]["teacher"]["quality"]
    assert found["about"]["seed"] == 0
    assert found["about"]["command"].startswith("perform evaluate --world")
    assert found["n"]["held-out photographs"] == 3
    before = capsys.readouterr().out
    evaluate.main([*words, "--teacher", str(teacher), "--runs", str(undistilled)])
    again = record.load(tmp_path / "e.json")
    assert again == found
    assert "undistilled" in before
    assert "undistilled" not in capsys.readouterr().out  # nothing had changed, nothing was measured

    # elsewhere, without the teacher: its numbers and the distances to it are those stored
    (tmp_path / "e.json").rename(tmp_path / "stored.json")
    words[-1] = str(tmp_path / "stored.json")
    evaluate.main([*words, "--runs", str(undistilled)])
    there = record.load(tmp_path / "e.json")["entrants"]
    assert there["undistilled"]["quality"] == found["entrants"]["undistilled"]["quality"]
    assert "teacher_l1" in there["undistilled"]["carried"]
    assert there["teacher"]["quality"] == found["entrants"]["teacher"]["quality"]
    assert there["teacher"]["about"]["command"].startswith("perform evaluate")

    # of one alone, what is said of all stays
    about = record.load(tmp_path / "e.json")["about"]
    evaluate.main([*words, "--only", "input"])
    assert record.load(tmp_path / "e.json")["about"] == about

    # another world's record is not written into
    open_world.save(tmp_path / "other")
    with pytest.raises(SystemExit, match="2"):
        evaluate.main(["--world", str(tmp_path / "other"), *words[2:]])
    assert "is of the world 'painted', not of 'other'" in capsys.readouterr().err

    # those who are not here at all stay as stored
    evaluate.main(words)
    assert record.load(tmp_path / "e.json")["entrants"]["undistilled"]["quality"]["teacher_l1"] > 0

    # with other weights of the same name nothing is carried
    a_run(undistilled, seed=3)
    evaluate.main([*words, "--runs", str(undistilled)])
    assert record.load(tmp_path / "e.json")["entrants"]["undistilled"]["carried"] == []


def test_without_a_network_it_is_one_sentence_and_code_2(
    open_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def away(cache: Path) -> list[Tensor]:
        raise ConnectionError("some==1 could not be downloaded: ERROR: no network")

    open_world.save(tmp_path / "painted")
    monkeypatch.setattr(evaluate, "live_inputs", away)
    words = ["--world", str(tmp_path / "painted"), "--side", "64", "--out", str(tmp_path / "e.json")]
    for deed in ([], ["--sheets", str(tmp_path / "sheets")]):
        with pytest.raises(SystemExit, match="2"):
            evaluate.main([*words, *deed])
        assert capsys.readouterr().err == "perform evaluate: some==1 could not be downloaded: ERROR: no network\n"


@pytest.mark.parametrize("deed", [[], ["--sheets", "sheets"], ["--latency"]])
def test_a_teacher_of_another_world_is_one_sentence_and_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], deed: list[str]
) -> None:
    (tmp_path / "sea").mkdir()
    (tmp_path / "sea" / "world.json").write_text('{"world": "sea"}')
    with pytest.raises(SystemExit, match="2"):
        evaluate.main(["--world", str(tmp_path / "sea"), "--teacher", str(MODELS / "m"), *deed])
    told = f"{MODELS / 'm'} is a size of the world 'landscape', {tmp_path / 'sea'} holds 'sea': name another --world"
    assert capsys.readouterr().err == f"perform evaluate: {told}\n"


def test_a_difference_is_of_two_that_were_given_the_same() -> None:
    found = record.empty("painted")
    for name, kid, left in (("m", 0.5, (0.1, 0.2, 0.3)), ("whole", 0.25, (0.1, 0.2, 0.3003)), ("few", 0.1, (0.0, 1.0))):
        entrant = entrants.Entrant(name, "run", "", lambda: entrants.itself, name)
        record.enter(found, entrant, {"kid": kid}, "4/x", {}, left)
    value, error = record.difference(found, "m", "whole") or (0.0, 0.0)
    assert value == 0.25
    assert error == pytest.approx((2 / 3 * (2 * 0.0001**2 + 0.0002**2)) ** 0.5, rel=0.01)
    assert record.difference(found, "m", "nobody") is None
    with pytest.raises(ValueError, match="rest on other pictures: 3 and 2 groups"):
        record.difference(found, "m", "few")
    found["entrants"]["whole"]["protocol"] = "4/y"
    found["entrants"]["m"]["protocol"] = "4/0/256/219/16/-"
    with pytest.raises(ValueError, match="m and whole were not measured on the same pictures"):
        record.difference(found, "m", "whole")
    found["entrants"]["whole"]["protocol"] = "4/0/256/219/16/18c4b06a"  # whoever they were compared with
    assert record.difference(found, "m", "whole") is not None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"world": "../../evil"}, "'../../evil' is no name of a world"),
        ({"world": None}, "None is no name of a world"),
        ({"about": 3}, "says nothing of about"),
        ({"entrants": {"m": {"kind": "size"}}}, "m is no entrant of an evaluation"),
        ({"format": 9}, "is not an evaluation of format 1"),
    ],
)
def test_a_record_of_a_stranger_is_told_in_one_sentence(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    (tmp_path / "e.json").write_text(json.dumps(record.empty("painted") | change))
    with pytest.raises(ValueError, match=re.escape(said)):
        record.load(tmp_path / "e.json")


def test_only_what_was_measured_in_the_same_way_is_carried_over() -> None:
    """Another seed, other pictures, a metric that has been mended: such numbers do not belong into one table."""
    row = {
        "kind": "run",
        "fingerprint": "f",
        "protocol": "3/0/64/14/16/teacher",
        "quality": {"kid": 1.0, "teacher_l1": 2},
    }
    stored: dict[str, Any] = {"about": {"seed": 0}, "entrants": {"m": row, "whole": row}}
    entrant = entrants.Entrant("m", "run", "", lambda: entrants.itself, "f")
    for protocol, carried in (
        ("3/0/64/14/16/-", ["teacher_l1"]),
        ("3/1/64/14/16/-", []),
        ("4/0/64/14/16/-", []),
        ("3/0/64/0a1b2c3d/16/-", []),  # of a count of pictures nobody knows which they were
    ):
        found = record.empty("painted")
        record.enter(found, entrant, {"kid": 0.5}, protocol, stored)
        assert record.carry(found, stored, protocol) == ([] if carried else ["whole"])
        assert found["entrants"]["m"]["quality"]["kid"] == 0.5
        assert found["entrants"]["m"]["carried"] == carried
        assert found["entrants"]["m"]["teacher"] == ("teacher" if carried else "-")
        assert ("whole" in found["entrants"]) == bool(carried)
        again: dict[str, Any] = {
            **stored,
            "entrants": {"m": dict(row)},
        }  # as if it stood in this record, and none were stored
        record.enter(again, entrant, {"kid": 0.5}, protocol, {})
        assert again["entrants"]["m"]["carried"] == carried


@pytest.mark.parametrize("path", RECORDS, ids=lambda p: p.stem)
def test_the_stored_records_know_their_pictures(path: Path) -> None:
    """By their file, not by their count: else nobody who collects the world anew has the teacher's numbers."""
    found = record.load(path)
    ways = {entry["protocol"].split("/")[3] for entry in found["entrants"].values()}
    assert ways == {found["floor"]["protocol"].split("/")[3]}
    assert all(re.fullmatch("[0-9a-f]{8}", way) for way in ways)


@pytest.mark.parametrize("processor", ["An Abacus", "A Loom"])
def test_times_of_another_processor_are_not_carried_over(processor: str) -> None:
    row: dict[str, Any] = {"kind": "run", "fingerprint": "f", "protocol": "4/x/-", "quality": {}, "latency": [1]}
    stored = {"about": {"latency": {"processor": "An Abacus"}}, "entrants": {"m": row, "whole": row}}
    found = record.empty("painted") | {"about": {"latency": {"processor": processor}}}
    record.enter(found, entrants.Entrant("m", "run", "", lambda: entrants.itself, "f"), {}, "4/x/-", stored)
    record.carry(found, stored, "4/x/-")
    wanted = [1] if processor == "An Abacus" else []
    assert [found["entrants"][name]["latency"] for name in ("m", "whole")] == [wanted, wanted]


@pytest.mark.usefixtures("small")
def test_who_paints_no_numbers_is_named_and_not_kept(
    open_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A training that failed leaves a network of NaN: no file may be left with it, nor a goal be reached by it."""
    open_world.save(tmp_path / "painted")
    words = ["--world", str(tmp_path / "painted"), "--side", "64", "--out", str(tmp_path / "e.json")]
    numbers = {"kid": 0.1}
    monkeypatch.setattr(measuring, "measure", lambda *_: (dict(numbers), ()))
    evaluate.main([*words, "--stored", str(tmp_path / "none.json"), "--only", "input"])
    numbers["kid_error"] = float("nan")
    with pytest.raises(SystemExit, match="2"):
        evaluate.main([*words, "--stored", str(tmp_path / "none.json"), "--only", "input, tinted"])
    assert "input, tinted paints what is no number" in capsys.readouterr().err
    assert list(record.load(tmp_path / "e.json")["entrants"]) == ["input"]


@pytest.mark.usefixtures("small")
def test_a_world_of_other_pictures_is_measured_again(
    open_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that has grown, and one that was rendered anew with as many pictures."""
    seen: list[int] = []

    def measured(*_: object) -> tuple[dict[str, float], tuple[float, ...]]:
        seen.append(1)
        return {"kid": 0.1}, ()

    monkeypatch.setattr(measuring, "floor", lambda *_: {"kid": float(len(seen))})
    monkeypatch.setattr(measuring, "measure", measured)
    out, stored = tmp_path / "e.json", tmp_path / "stored.json"
    same, anew = open_world.pictures, [255 - one for one in open_world.pictures]
    for pictures, times in ((same, 2), (same, 2), (same[:13], 4), (anew[:13], 6)):
        World(pictures, open_world.held_out[: len(pictures)]).save(tmp_path / "w")
        words = ["--world", str(tmp_path / "w"), "--side", "64", "--out", str(out)]
        evaluate.main([*words, "--stored", str(stored)])
        assert len(seen) == times  # the two that need no network, each once for each world
        found = record.load(out)
        assert found["floor"]["kid"] == times - 2
        assert list(found["entrants"]) == ["input", "input, tinted"]
        assert found["entrants"]["input"]["carried"] == []
        of_these = found["entrants"]["input"] | {"kind": "teacher", "quality": {"kid": 0.1, "teacher_l1": 3.0}}
        if times > 2:  # what is stored is of the world before the last
            record.save(stored, found | {"entrants": {"input": of_these, "teacher": of_these}})


@pytest.mark.usefixtures("small")
def test_contact_sheets_say_what_made_them(open_world: World, tmp_path: Path) -> None:
    open_world.save(tmp_path / "painted")
    words = ["--world", str(tmp_path / "painted"), "--side", "64", "--sheets", str(tmp_path / "sheets")]
    evaluate.main([*words, "--teacher", str(a_run(tmp_path / "t")), "--runs", f"m={a_run(tmp_path / 'other')}"])
    with Image.open(tmp_path / "sheets" / "painted-held-out.jpg") as sheet:
        assert sheet.size == (4 * 70 + 6, 28 + 10 + 3 * 70)  # input, m, teacher, photograph; three of them
        assert sheet.info["comment"].decode().startswith("perform evaluate --world")
    with Image.open(tmp_path / "sheets" / "painted-live.jpg") as sheet:
        assert sheet.size == (4 * 70 + 6, 28 + 10 + 4 * 70)  # camera, input, m, teacher


def test_without_a_card_cells_are_as_large_as_a_card_would_have_them(open_world: World) -> None:
    pairs = World(open_world.pictures, open_world.held_out, open_world.pictures)
    for words, of, pixels in (([], open_world, 16), ([], pairs, 1), (["--reduce", "24"], open_world, 24)):
        assert evaluate._reduce(evaluate._parser().parse_args(words), of) == pixels
    assert evaluate._reduce(evaluate._parser().parse_args(["--models", str(MODELS)]), pairs) == 16


def test_bad_words_end_with_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        evaluate.main(["--world", str(tmp_path / "nowhere"), "--out", str(tmp_path / "e.json")])
    assert "holds no world" in capsys.readouterr().err
    (tmp_path / "e.json").write_text("[]")
    with pytest.raises(SystemExit, match="2"):
        evaluate.main(["--latency", "--out", str(tmp_path / "e.json")])
    assert "is not an evaluation of format 1" in capsys.readouterr().err


def test_times_of_another_processor_go_before_new_ones_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one = {"network": "s", "latency": [{"engine": "torch f32", "best": 9.0}]}
    one |= {"kind": "run", "why": "", "fingerprint": "", "quality": {}, "cost": {}}
    kept = record.empty("painted") | {"entrants": {"here": one, "elsewhere": one}}
    kept["about"] = {"latency": {"processor": "another"}}
    row = {"engine": "torch f32", "side": 256, "threads": 1, "best": 1.0, "p50": 1.0, "p95": 1.0}
    monkeypatch.setattr(latency, "of_run", lambda *_: [row])
    words = ["--world", "runs/painted", "--latency", "--out", str(tmp_path / "e.json"), "--runs", "here=nowhere"]
    for processor, left in (("another", []), (record.processor(), one["latency"])):
        kept["about"]["latency"]["processor"] = processor
        record.save(tmp_path / "e.json", kept)
        evaluate.main(words)
        found = record.load(tmp_path / "e.json")
        assert found["entrants"]["here"]["latency"] == [row]
        assert found["entrants"]["elsewhere"]["latency"] == left
    one = {**one, "latency": [{**row, "engine": "torch bf16"}]}
    kept["entrants"] = {"here": one, "there": {**one, "network": "m"}, "elsewhere": one}
    kept["about"]["latency"]["processor"] = "another"
    record.save(tmp_path / "e.json", kept)
    timed: list[Path] = []

    def of_run(folder: Path, *_: object) -> list[dict[str, Any]]:
        """The machine that the record names is this one, before the first time is kept, and after."""
        timed.append(folder)
        assert folder.name == "1" or record.load(tmp_path / "e.json")["about"]["latency"]["processor"] != "another"
        return [row]

    monkeypatch.setattr(latency, "of_run", of_run)
    for name in ("here", "there"):  # one after the other: the first's times are not dropped with the second
        evaluate.main([*words[:-1], "here=1", "there=2", "--only", name])
    found = record.load(tmp_path / "e.json")
    assert found["about"]["latency"]["processor"] == record.processor()
    assert [found["entrants"][name]["latency"] for name in ("here", "there", "elsewhere")] == [[row], [row], []]
    assert timed == [Path("1"), Path("2")]
    with pytest.raises(SystemExit, match="2"):
        evaluate.main([*words, "--only", "nobody"])
    assert "has no 'nobody'; it has here, there, elsewhere" in capsys.readouterr().err


def test_pairs_are_shown_their_inputs_and_compared_with_their_targets(open_world: World) -> None:
    dark = [torch.full_like(picture, 40) for picture in open_world.pictures]
    pairs = World(open_world.pictures, open_world.held_out, dark)
    mine = scene.prepare(pairs, list(strangers(4)), 16.0, side=64, sizes=SMALL)
    plain = scene.prepare(open_world, list(strangers(4)), 16.0, side=64, sizes=SMALL)
    assert torch.equal(mine.real, plain.real)
    assert torch.equal(mine.collection, plain.collection)
    assert mine.held.mood.shape == plain.held.mood.shape
    assert float((mine.held.condition - 40 / 255).abs().max()) < 0.1 < float(plain.held.condition.std())


def test_a_record_is_rounded_so_that_a_difference_is_one(tmp_path: Path) -> None:
    whole = record.empty("painted") | {"floor": {"kid": 0.123456789, "n": 3}}
    record.save(tmp_path / "e.json", whole)
    assert json.loads((tmp_path / "e.json").read_text())["floor"] == {"kid": 0.123457, "n": 3}


def test_shipped_sizes_are_entrants_in_float_and_int8() -> None:
    pytest.importorskip("openvino")
    found = {one.name: one for one in entrants.of_card(MODELS)}
    condition, mood = strangers(1, seed=5), torch.zeros(1, moods.SIZE)
    condition = torch.nn.functional.interpolate(condition, 64)
    with torch.inference_mode():
        dreams = [found[name].open()(condition, mood) for name in ("m", "m int8")]
    assert dreams[1].shape == (1, 3, 64, 64)
    assert entrants.shipped_bytes(MODELS) == sum(
        path.stat().st_size for path in MODELS.iterdir() if path.suffix in (".safetensors", ".onnx")
    )
    assert float((dreams[0] - dreams[1]).abs().mean()) * 127.5 < 4


def test_latency_rows(tmp_path: Path) -> None:
    pytest.importorskip("openvino")
    rows = latency.of_run(a_run(tmp_path / "s"), [64], [1], 0.01)
    assert [row["engine"] for row in rows][:2] == ["OpenVINO bf16", "OpenVINO f32"]
    assert all(0 < row["best"] <= row["p50"] <= row["p95"] for row in rows)
    quickest = latency.fastest(rows, 64, 1, "torch")
    assert quickest is not None
    assert quickest["engine"].startswith("torch")
    assert latency.fastest(rows, 512, 1) is None
