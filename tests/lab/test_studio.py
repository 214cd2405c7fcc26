"""One command from pictures to a world: the plan, what is kept, what is said, and what a show finds meanwhile."""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import resource
import subprocess
import sys
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor

from perform import cli
from perform.lab import (
    batches,
    card,
    distil,
    driving,
    export,
    features,
    graph,
    moods,
    networks,
    run,
    strangers,
    studio,
    threads,
)
from perform.lab.studio import atelier, contact, display, ingest, interim, pairs, plan, survey, watching, wish
from perform.lab.words import own
from perform.library import Library, verify
from perform.networks import Dream
from tests.engines.worlds import onnx_bytes

TINY = {
    "minutes": 1.0,
    "sizes": ["s"],
    "device": "a test",
    "teacher": {"steps": 6, "step": 0.1, "log_every": 1, "sheet_every": 2},
    "students": {"steps": 4, "step": 0.1, "log_every": 1, "sheet_every": 2},
    "train": {"size": "s", "side": 32, "paired": 2, "unpaired": 2},
    "distil": {"side": 32, "paired": 1, "unpaired": 2},
}


def paint(folder: Path, count: int = 24) -> Path:
    """Pictures of soft colours, all different."""
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        rng = np.random.default_rng(index)
        soft = Image.fromarray(rng.integers(0, 255, (5, 6, 3), dtype=np.uint8)).resize(
            (280, 260), Image.Resampling.BICUBIC
        )
        grain = rng.normal(0, 12, (260, 280, 3))
        Image.fromarray((np.asarray(soft) + grain).clip(0, 255).astype(np.uint8)).save(folder / f"{index:02d}.jpg")
    return folder


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return paint(tmp_path_factory.mktemp("pictures") / "Été à Nice")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Path]]:
    """No download, and an export that writes what a watched show would get. Returns what was shipped."""
    shipped: list[dict[str, Path]] = []

    def ship(sizes: dict[str, Path], world: Path, out: Path) -> None:
        shipped.append(sizes)
        made = {size: export.live(folder) for size, folder in sizes.items()}
        said = own.own(world, out.name, torch.randn(9, moods.SIZE, generator=torch.Generator().manual_seed(1)))
        about = {"format": 1, "world": out.name, "title": said.title, "licence": said.licence, "multiple": 8}
        named = {name: [0.0] * moods.SIZE for name in said.moods.named}
        mood = {"size": moods.SIZE, "default": said.moods.default, "named": named}
        told = about | {"mood": mood, "condition": {"name": "reduce"}, "network": {"name": "plain"}}
        interim.publish(made, tuple(sizes), told, out)

    real, few = features.Features, strangers.strangers

    def judge(weights: Path | None) -> features.Features:
        torch.manual_seed(5)  # the same one at every start, as a file would be
        return real(None, side=64)

    monkeypatch.setattr(features, "fetch", lambda cache: None)
    monkeypatch.setattr(features, "Features", judge)
    monkeypatch.setattr(export, "ship", ship)
    monkeypatch.setattr(batches, "strangers", lambda count: few(8))
    one = onnx_bytes(mood=moods.SIZE)
    monkeypatch.setattr(graph, "to_onnx", lambda network, path, multiple: path.write_bytes(one))  # a real one takes 5 s
    monkeypatch.setattr(graph, "Moulds", lambda: graph.to_onnx)
    return shipped


def planned(runs: Path, name: str, **changes: Any) -> None:
    """A plan for seconds, as if it had been made before."""
    desk = runs / name
    desk.mkdir(parents=True, exist_ok=True)
    (desk / "plan.json").write_text(json.dumps(TINY | changes))


def asked(photos: Path, at: Path, **changes: Any) -> wish.Wish:
    given: dict[str, Any] = {
        "photos": photos,
        "name": "nice",
        "models": at / "models",
        "runs": at / "runs",
        "minutes": 1.0,
        "sizes": ("s",),
        "how": wish.How(device="cpu"),
        "credit": wish.Credit(),
    }
    return wish.Wish(**given | changes)


def work(wanted: wish.Wish) -> str:
    """Fulfil a wish and return what was said."""
    out = io.StringIO()
    if not (wanted.desk / "wish.json").exists():
        wish.sign(wanted)
        planned(wanted.runs, wanted.name)
    atelier.Atelier(wanted, display.Lines(out, every=0.0), True).work()
    return out.getvalue()


# ---------------------------------------------------------------------------------------------- the whole of it
def test_from_pictures_to_a_world(photos: Path, tmp_path: Path, quick: list[dict[str, Path]]) -> None:
    wanted = asked(photos, tmp_path, credit=wish.Credit("Zoé", "CC-BY-4.0"))
    told = work(wanted)
    assert "24 pictures, 2 of them kept aside" in told
    assert "! Only 24 pictures" in told
    assert "sheet.jpg (always the newest)" in told
    assert "The teacher learns 6/6" in told
    assert "The small ones learn from it 4/4" in told
    assert "nice is ready" in told
    assert "perform run" in told
    card = Library([wanted.models]).card("nice")
    assert (card.title, card.licence) == ("Nice", "CC-BY-4.0")
    assert verify(card.size("s").files["onnx"]).is_file()
    assert "Zoé" in (wanted.world / "ATTRIBUTION.csv").read_text(encoding="utf-8")
    with Image.open(wanted.desk / "sheet.jpg") as sheet:
        assert sheet.width >= 4 * 32
    assert cli.main(["check", str(wanted.desk / "show.toml")]) == 0
    before = (wanted.desk / "students" / "ema.safetensors").read_bytes()
    again = work(wanted)
    assert "nice is finished" in again
    assert "nice is ready" in again
    assert (wanted.desk / "students" / "ema.safetensors").read_bytes() == before
    assert len(quick) == 1


@pytest.mark.parametrize("where", ["reading", "teacher", "choice", "students", "export"])
def test_interrupted_anywhere_it_ends_the_same(
    where: str,
    photos: Path,
    tmp_path: Path,
    quick: list[dict[str, Path]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """As kill -9 leaves it: nothing is cleaned up; tests/acceptance/test_train.py does it to a real process."""

    class Killed(BaseException):
        pass

    def kill(*_: Any, **__: Any) -> Any:
        raise Killed

    wanted = asked(photos, tmp_path)
    wish.sign(wanted)
    planned(wanted.runs, "nice")
    with monkeypatch.context() as patch:
        if where == "reading":
            patch.setattr(Path, "rename", kill)
        elif where == "choice":
            patch.setattr(watching, "elect", kill)
        elif where == "export":
            patch.setattr(export, "ship", kill)
        else:
            calls: list[int] = []
            real = driving.drive

            def drive(folder: Path, stage: driving.Stage, pace: driving.Pace, **rest: Any) -> None:
                if folder.name != where:
                    return real(folder, stage, pace, **rest)
                real(folder, stage, driving.Pace(3, log_every=1, sheet_every=2), **rest)
                (folder / "checkpoint.pt.123.part").write_bytes(b"half a checkpoint")
                calls.append(stage.done)
                raise Killed

            patch.setattr(driving, "drive", drive)
        with pytest.raises(Killed):
            work(wanted)
    told = work(wanted)
    assert "Going on with the plan" in told
    whole = asked(photos, tmp_path_factory.getbasetemp() / "never-interrupted")
    if not whole.desk.exists():
        work(whole)
    for stage in ("teacher", "students"):
        ours, theirs = (desk / stage / "ema.safetensors" for desk in (wanted.desk, whole.desk))
        assert ours.read_bytes() == theirs.read_bytes()
    assert (wanted.world / "card.toml").read_bytes() == (whole.world / "card.toml").read_bytes()
    assert not [*wanted.desk.rglob("*.part")]


def test_trained_here_and_written_elsewhere(
    photos: Path, tmp_path: Path, quick: list[dict[str, Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(photos.parent)
    here = asked(Path(photos.name), tmp_path, how=wish.How(train_only=True, device="cpu"))
    assert "The same command without --train-only writes" in work(here)
    assert not quick
    assert not here.world.exists()
    for checkpoint in here.desk.glob("*/checkpoint.pt"):
        checkpoint.unlink()
    here.desk.rename(tmp_path / "carried")
    monkeypatch.chdir(tmp_path)  # where there are no such pictures, and need not be
    there = asked(Path(photos.name), tmp_path, runs=tmp_path / "elsewhere")
    there.runs.mkdir()
    (tmp_path / "carried").rename(there.desk)
    assert "nice is ready" in work(there)


# ---------------------------------------------------------------------------------------------- the plan
def test_a_plan_fits_the_time() -> None:
    teacher, students = plan.Timed(0.7, 6.0), plan.Timed(2.0, 9.0)
    first, second = plan.choose(7200, 3, teacher, students)
    took = [
        leg.steps * each.step + leg.steps // leg.sheet_every * each.sheet
        for leg, each in ((first, teacher), (second, students))
    ]
    assert 0.9 * 7200 < sum(took) + 3 * plan.EXPORT < 7200
    assert 1.5 < took[0] / took[1] < 2.0
    fast, _ = plan.choose(600, 3, plan.Timed(0.01, 0.2), plan.Timed(0.01, 0.2))
    assert fast.steps == plan.MOST_TEACHER
    assert fast.log_every == 300
    slow, _ = plan.choose(60, 1, plan.Timed(30.0, 60.0), students)
    assert slow.steps == plan.LEAST


def test_a_plan_is_kept(tmp_path: Path, photos: Path) -> None:
    made = plan.Plan(
        25.0, ("s", "m"), "cpu", plan.Leg(900, 0.7, 4, 60), plan.Leg(400, 2.0, 2, 60), {"paired": 3}, {"paired": 2}
    )
    made.save(tmp_path)
    assert plan.Plan.load(tmp_path) == made
    assert made.students_recipe.sizes == "s,m"
    assert made.teacher_recipe.steps == 900
    again = asked(photos, tmp_path, minutes=600.0)
    made.save(again.desk) if again.desk.mkdir(parents=True) is None else None
    assert survey.plan(again, print, 0.0) == made
    (tmp_path / "plan.json").write_text("{")
    with pytest.raises(ValueError, match=r"plan.json is no plan"):
        plan.Plan.load(tmp_path)


def test_steps_are_timed_and_a_full_gpu_halves_the_batch(tmp_path: Path) -> None:
    now = [0.0]

    class Steps:
        done = 0

        def __init__(self, share: float) -> None:
            self.share = share

        def step(self) -> dict[str, float]:
            if self.share > 0.25:
                raise torch.cuda.OutOfMemoryError
            now[0] += 2.0
            return {}

    def draw(stage: Any) -> None:
        now[0] += 7.0

    timed = plan.measure(Steps, torch.device("cpu"), draw, tmp_path / "share", clock=lambda: now[0])  # type: ignore[arg-type]
    assert timed == plan.Timed(2.0, 7.0, 0.25)


def test_a_time_that_is_short_is_told_with_one_that_would_do() -> None:
    teacher, students = plan.Timed(2.0, 6.0), plan.Timed(3.3, 9.0)

    def planned(minutes: float) -> plan.Plan:
        legs = plan.choose(60 * minutes - plan.SURVEY, 3, teacher, students)
        return plan.Plan(minutes, ("s", "m", "l"), "cpu", *legs, {"paired": 3, "unpaired": 3})

    short = planned(10.0)
    assert plan.too_short(short) == ""
    assert "the teacher sees 624 pictures" in plan.warnings(short)[0]
    assert "--hours 1.7 would do" in plan.warnings(short)[0]
    assert plan.warnings(planned(1.7 * 60)) == []
    assert "--hours 1.7 would do" in plan.warnings(planned(1.0))[0]  # the machine's need, whatever was asked for


def test_a_time_that_is_more_than_helps_is_told() -> None:
    teacher, students = plan.Timed(0.7, 6.0), plan.Timed(1.6, 9.0)

    def said(hours: float) -> list[str]:
        legs = plan.choose(3600 * hours, 3, teacher, students)
        return plan.warnings(plan.Plan(60 * hours, ("s", "m", "l"), "a test", *legs))

    assert said(100) == ["More than about 9 h 45 min brings nothing here: it ends then, not after 6000 minutes."]
    assert said(9) == []


def test_a_time_in_which_no_world_can_be_made_is_said_before_the_plan(photos: Path, tmp_path: Path) -> None:
    legs = plan.choose(60.0, 3, plan.Timed(2.0, 6.0), plan.Timed(3.3, 9.0))
    made = plan.Plan(1.0, ("s", "m", "l"), "a test", *legs, {"paired": 3, "unpaired": 3})
    assert made.seconds == pytest.approx(plan.LEAST * (2.0 + 3.3) + 3 * plan.EXPORT)
    out = io.StringIO()
    wanted = asked(photos, tmp_path, sizes=("s", "m", "l"))
    wanted.desk.mkdir(parents=True)
    atelier.Atelier(wanted, display.Lines(out), True)._say_plan(made, known=False)
    first, second, *_ = out.getvalue().splitlines()
    assert first.startswith("! No world can be made here in 1 minute: the least takes about 6 min, a trial")
    assert second.endswith("about 6 min in all.")


def test_other_times_and_sizes_than_the_plans_are_said_to_change_nothing(
    photos: Path, tmp_path: Path, quick: list[dict[str, Path]]
) -> None:
    wanted = asked(photos, tmp_path, how=wish.How(train_only=True, device="cpu"))
    same, other = "Going on with the plan", "! The plan stays as it was made, for 1 minute and the sizes s; for others"
    assert other not in work(wanted)
    told = work(asked(photos, tmp_path, how=wanted.how, minutes=90.0))
    assert same in told
    assert other in told
    assert other in work(asked(photos, tmp_path, how=wanted.how, sizes=("s", "m")))
    assert other not in work(asked(photos, tmp_path, how=wanted.how, minutes=None))


# ---------------------------------------------------------------------------------------------- looking on
class Scorer:
    """A stage whose scores are written beforehand."""

    def __init__(self, scores: Mapping[int, tuple[float, float]]) -> None:
        self.scores, self.done = scores, 0

    def step(self) -> dict[str, float]:
        self.done += 1
        return {"judge": 1.0, "follow": 0.4, "coarse": 2.0}

    def score(self) -> dict[str, float]:
        score, variety = self.scores[self.done]
        return {"score": score, "variety": variety}

    def weights(self) -> dict[str, Tensor]:
        return {"head.weight": torch.full((1,), float(self.done))}

    def state(self) -> dict[str, Any]:
        return {"done": self.done}

    def restore(self, state: Mapping[str, Any]) -> None:
        self.done = int(state["done"])

    def sheet(self) -> Tensor:
        return torch.full((8 * 16, 3 * 16, 3), min(255, 20 * self.done), dtype=torch.uint8)


def watched(folder: Path, scores: Mapping[int, tuple[float, float]], steps: int = 8) -> tuple[watching.Watching, str]:
    leg = plan.Leg(steps, 0.1, 1, 2)
    out = io.StringIO()
    view = watching.View(watching.TITLES["teacher"], leg, 6, 0.0, lambda numbers: ["fine"])
    watcher = watching.Watching(view, display.Lines(out), folder / "sheet.jpg", scores=watching.recall(folder))
    driving.drive(folder, Scorer(scores), leg.pace, watcher=watcher)
    return watcher, out.getvalue()


def test_the_best_of_the_later_half_is_kept_and_chosen_if_clearly_better(tmp_path: Path) -> None:
    scores = {2: (0.1, 1.0), 4: (3.0, 1.0), 6: (1.0, 1.0), 8: (2.0, 1.0)}
    watcher, _ = watched(tmp_path, scores)
    assert watcher.final["score"] == 2.0
    assert [row[0] for row in watching.recall(tmp_path)] == [2, 4, 6, 8]
    assert watching.elect(tmp_path, watcher.final, 8) == {"step": 6.0, "score": 1.0, "variety": 1.0}
    assert float(load_file(tmp_path / "ema.safetensors")["head.weight"]) == 6.0
    nearly, _ = watched(tmp_path, scores | {8: (1.01, 1.0)})
    assert watching.elect(tmp_path, nearly.final, 8) == nearly.final
    assert float(load_file(tmp_path / "ema.safetensors")["head.weight"]) == 8.0


def test_the_summary_judges_the_state_that_the_small_ones_learned_from(
    photos: Path, tmp_path: Path, quick: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = {2: (4.0, 1.0), 4: (1.11, 0.91), 6: (3.33, 0.11)}
    scored = lambda teacher: dict(zip(("score", "variety"), scores[teacher.done], strict=True))  # noqa: E731
    monkeypatch.setattr("perform.lab.train.Teacher.score", scored)
    told = work(asked(photos, tmp_path))
    assert "It painted best at step 4, clearly better than at the end: that state is the teacher." in told
    assert "close to your pictures (distance 1.11; the lab's own worlds: about 1)" in told
    assert "as various as your pictures (0.91 of their variety)" in told


def test_of_a_score_that_is_no_number_nothing_is_kept(tmp_path: Path) -> None:
    lost = float("nan")
    (tmp_path / "scores.json").write_text("[[1, NaN, 1.0], [2, 9.0, NaN]]")  # of an older program
    watcher, told = watched(tmp_path, {2: (lost, 0.0), 4: (3.0, 1.0), 6: (lost, 1.0), 8: (1.0, lost)})
    assert watcher.scores == watching.recall(tmp_path) == [[4, 3.0, 1.0]]
    assert "NaN" not in (tmp_path / "scores.json").read_text()
    assert float(load_file(tmp_path / "best.safetensors")["head.weight"]) == 4.0
    assert "nearly the same" not in told


def test_a_collapse_is_said_once_in_words(tmp_path: Path) -> None:
    _, told = watched(tmp_path, {2: (1.0, 0.2), 4: (1.0, 0.1), 6: (1.0, 0.1), 8: (1.0, 0.1)})
    assert told.count("nearly the same picture whatever it is given") == 1
    _, told = watched(tmp_path, {2: (1.0, 0.9), 4: (1.0, 0.8), 6: (1.0, 0.5), 8: (1.0, 0.4)})
    assert "nearly the same" not in told


def test_threads_are_counted_again_when_a_show_begins_beside(tmp_path: Path) -> None:
    now, counted, out, stage = [0.0], [], io.StringIO(), Scorer({})
    full = torch.get_num_threads() + 1
    torch.set_num_threads(full)

    def refit(most: int) -> int:
        counted.append(now[0])
        assert most == full
        torch.set_num_threads(full - 1 if now[0] < 700 else full)
        return torch.get_num_threads()

    view = watching.View("It learns", plan.Leg(10_000, 0.1, 1, 2), 6, 0.0, lambda numbers: [])
    shown = display.Lines(out, clock=lambda: 0.0)
    watcher = watching.Watching(view, shown, tmp_path / "sheet.jpg", clock=lambda: now[0], most=full, refit=refit)
    for now[0], stage.done in ((0, 1), (30, 100), (60, 500), (90, 550), (120, 700), (180, 900), (240, 1400)):
        watcher.stepped(stage, {}, 0.1)
    assert counted == [120, 180]  # 200 steps in a minute each, of which there were to be 600
    assert out.getvalue().count("Steps take twice as long as was planned: going on with") == 1
    for now[0], stage.done in ((700, 6000), (760, 6600), (820, 7200), (1500, 20000)):
        watcher.stepped(stage, {}, 0.1)
    assert counted == [120, 180, 820]  # ten minutes later, and never again with all of them
    assert f"There is room again: going on with {full} thread" in out.getvalue()


def test_threads_are_counted_ten_minutes_after_a_stage_began_and_fewer_need_not_be_slow(tmp_path: Path) -> None:
    now, counted, out, stage = [50_000.0], [], io.StringIO(), Scorer({})
    torch.set_num_threads(4)

    def refit(most: int) -> int:
        counted.append(now[0] - 50_000)
        torch.set_num_threads(2)
        return 2

    try:
        view = watching.View("It learns", plan.Leg(100_000, 0.1, 1, 2), 6, 0.0, lambda numbers: [])
        shown = display.Lines(out, clock=lambda: 0.0)
        watcher = watching.Watching(view, shown, tmp_path / "sheet.jpg", clock=lambda: now[0], most=8, refit=refit)
        for seconds in range(0, 661, 60):
            now[0], stage.done = 50_000.0 + seconds, 10 * seconds
            watcher.stepped(stage, {}, 0.1)
    finally:
        torch.set_num_threads(1)
    assert counted == [600]
    assert "The machine is busier: going on with 2 threads, which is quicker now." in out.getvalue()
    assert "twice as long" not in out.getvalue()


@pytest.mark.parametrize(("asked_for", "most"), [(0, 5), (3, 0)])
def test_threads_are_counted_again_up_to_those_it_began_with_unless_somebody_chose_them(
    asked_for: int, most: int, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def work(made: atelier.Atelier) -> None:
        view = watching.View("It learns", plan.Leg(8, 0.1, 1, 2), 6, 0.0, lambda numbers: [])
        seen.append(made._watcher(view, tmp_path, {}, plan.Plan.load(tmp_path)).most)

    (tmp_path / "plan.json").write_text(json.dumps(TINY))
    monkeypatch.setattr(threads, "fit", lambda most: torch.set_num_threads(2))
    monkeypatch.setattr(atelier.Atelier, "work", work)
    torch.set_num_threads(5)
    try:
        assert atelier.open_for(asked(photos, tmp_path, how=wish.How(device="cpu", threads=asked_for))) == 0
        assert torch.get_num_threads() == (asked_for or 2)
    finally:
        torch.set_num_threads(1)
    assert seen == [most]


def test_the_contact_sheet_grows(tmp_path: Path) -> None:
    watched(tmp_path, dict.fromkeys(range(20), (1.0, 1.0)))
    with Image.open(tmp_path / "sheet.jpg") as sheet:
        assert sheet.height == contact.TILE * (8 + 3)  # three earlier dreams beside the newest
        middle = [sheet.getpixel((200, contact.TILE * row + 60))[0] for row in (1, 2, 3, 4)]  # type: ignore[index]
    assert middle == sorted(middle)
    (tmp_path / "sheet-000002.jpg").write_bytes(b"cut off")
    contact.grow(tmp_path, tmp_path / "sheet.jpg")


def test_networks_stand_above_each_other_under_what_they_were_given(tmp_path: Path) -> None:
    names, side = ("s", "m", "teacher"), 32
    whole = Image.new("RGB", (len(names) * 2 * side, 8 * side))
    for place in range(len(names)):
        for row in range(8):
            tile = Image.new("RGB", (2 * side, side), (100 * place, 30 * row, 0))
            whole.paste(tile, (place * 2 * side, row * side))
    whole.save(tmp_path / "sheet.png")
    contact.beside(tmp_path / "sheet.png", names, tmp_path / "sheet.jpg")
    with Image.open(tmp_path / "sheet.jpg") as made:
        assert made.height == 8 * contact.TILE
        margin, half = made.width - 4 * contact.TILE, 2 * contact.TILE
        seen = [
            [made.getpixel((margin + half * column + 60, contact.TILE * row + 60)) for column in (0, 1)]
            for row in range(8)
        ]
    want = [(0, 0, 5), *((100 * n, 1, 6) for n in range(3)), (0, 2, None), *((100 * n, 3, 7) for n in range(3))]
    for row, (red, left, right) in zip(seen, want, strict=True):
        assert row[0] == pytest.approx((red, 30 * left, 0), abs=6)
        assert row[1] == pytest.approx((red, 30 * right, 0) if right is not None else contact.GROUND, abs=6)
    contact.beside(tmp_path / "away.png", names, tmp_path / "sheet.jpg")  # what was there stays


def test_a_full_disk_at_a_sheet_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(contact, "grow", full)
    _, told = watched(tmp_path, dict.fromkeys(range(20), (1.0, 1.0)))
    assert "The contact sheet could not be written (No space left on device). Going on." in told


def test_a_full_disk_at_the_end_is_one_sentence_and_code_1(
    photos: Path, tmp_path: Path, quick: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    wanted = asked(photos, tmp_path)
    wish.sign(wanted)
    planned(wanted.runs, "nice")
    monkeypatch.setattr(driving, "save", full)
    assert atelier.open_for(wanted) == 1
    assert "No space left on device. All that was done is kept: the same command goes on" in capsys.readouterr().err


@pytest.fixture
def full_log() -> Iterator[TextIO]:
    """Where nothing can be written."""
    file = open("/dev/full", "w", encoding="utf-8")  # noqa: SIM115
    yield file
    with contextlib.suppress(OSError):
        file.close()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no such device here")
def test_a_log_on_a_full_disk_ends_no_training(
    photos: Path, tmp_path: Path, full_log: TextIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rich.console import Console

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run, "picture", full)  # so that something is said
    monkeypatch.setattr("sys.stderr", full_log)
    for number, shown in enumerate((display.Lines(full_log), display.Panel(Console(file=full_log), "nice"), None)):
        folder, stage = tmp_path / str(number), Scorer(dict.fromkeys(range(20), (1.0, 1.0)))
        view = watching.View("It learns", plan.Leg(8, 0.1, 1, 2), 6, 0.0, lambda numbers: [])
        watcher = watching.Watching(view, shown, folder / "sheet.jpg") if shown is not None else None
        driving.fit(folder, lambda share, stage=stage: stage, view.leg.pace, watcher)  # type: ignore[misc]
        assert stage.done == 8
        if shown is not None:
            shown.close()
    monkeypatch.setattr("sys.stdout", full_log)
    monkeypatch.setattr(atelier.Atelier, "work", full)
    assert atelier.open_for(asked(photos, tmp_path)) == 1


@contextlib.contextmanager
def full_disk(free: int = 4096) -> Iterator[None]:
    """No file may become larger than this: the system says so where it would say that the disk is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (free, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_is_full_for_the_world_ends_no_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph, "to_onnx", lambda network, path, multiple: path.write_bytes(b"a graph"))
    stage = Scorer({})
    weights = networks.fold(networks.make("s", moods.SIZE)).state_dict()
    monkeypatch.setattr(stage, "weights", lambda: weights)

    def publish(now: Mapping[str, Tensor]) -> None:
        interim.publish(interim.dreams(now, {interim.TEACHER: "s"}), ("s",), {}, tmp_path / "models" / "nice")

    out = io.StringIO()
    view = watching.View("It learns", plan.Leg(8, 0.1, 1, 2), 6, 0.0, lambda numbers: [])
    watcher = watching.Watching(view, display.Lines(out), tmp_path / "sheet.jpg", publish)
    with full_disk():
        watcher.stepped(stage, {}, 1.0)
    assert "The world could not be written for the show (File too large); it plays the one before." in out.getvalue()
    assert not list((tmp_path / "models").iterdir())


def test_a_card_with_a_slip_in_it_ends_no_training(tmp_path: Path) -> None:
    out, stage, world = io.StringIO(), Scorer({}), tmp_path / "nice"
    world.mkdir()
    (world / "card.toml").write_text("title = Nice")

    def publish(_: Mapping[str, Tensor]) -> None:
        card.publish({}, tmp_path / "staged", world)

    (tmp_path / "staged").mkdir()
    view = watching.View("It learns", plan.Leg(8, 0.1, 1, 2), 6, 0.0, lambda numbers: [])
    watcher = watching.Watching(view, display.Lines(out), tmp_path / "sheet.jpg", publish, clock=lambda: 0.0)
    for _ in range(2):
        watcher.stepped(stage, {}, 1.0)
    assert out.getvalue().count("The world could not be written for the show") == 1  # the next try is a minute later
    assert "card.toml cannot be read: Invalid value" in out.getvalue()
    assert (world / "card.toml").read_text() == "title = Nice"


def test_a_disk_that_is_full_is_an_oserror_wherever_weights_or_pictures_are_written(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = asked(photos, tmp_path)
    with full_disk():
        assert atelier.open_for(wanted) == 1
    err = capsys.readouterr().err
    assert "File too large" in err
    assert err.count("\n") == 1
    run.tensors(tmp_path / "ema.safetensors", {"s.weight": torch.ones(9000)})
    with full_disk(), pytest.raises(OSError, match="File too large"):
        distil.split(tmp_path)
    assert not list((tmp_path / "s").iterdir())


# ---------------------------------------------------------------------------------------------- watched meanwhile
def test_a_learning_world_is_a_world_and_is_replaced_card_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph, "to_onnx", lambda network, path, multiple: path.write_bytes(b"a graph"))  # 5 s each
    about = {
        "format": 1,
        "world": "nice",
        "title": "Nice",
        "licence": "mine",
        "multiple": 8,
        "mood": {"size": moods.SIZE, "default": "grey", "named": {"grey": [0.0] * moods.SIZE}},
        "condition": {"name": "reduce"},
        "network": {"name": "plain"},
    }
    out = tmp_path / "models" / "nice"

    def teacher(seed: int) -> dict[str, Dream]:
        torch.manual_seed(seed)
        weights = networks.fold(networks.make("s", moods.SIZE)).state_dict() | {"mood.mean": torch.zeros(7)}
        return interim.dreams(weights, {interim.TEACHER: "s"})

    interim.publish(teacher(1), ("s", "m"), about, out)
    library = Library([tmp_path / "models"])
    first = library.card("nice").sizes
    assert set(first) == {"s", "m"}
    assert first["s"].files["weights"] == first["m"].files["weights"]
    before = (out / "card.toml").stat().st_mtime_ns
    interim.publish(teacher(2), ("s", "m"), about, out)
    second = library.card("nice").sizes
    assert second["s"].files["weights"].sha256 != first["s"].files["weights"].sha256
    assert verify(second["s"].files["onnx"]).is_file()
    newest = max(path.stat().st_mtime_ns for path in out.iterdir() if path.name != "card.toml")
    assert (out / "card.toml").stat().st_mtime_ns >= newest > before
    interim.publish({"s": next(iter(teacher(3).values()))}, ("s",), about, out)
    assert sorted(path.name for path in out.iterdir()) == ["card.toml", "s.onnx", "s.safetensors"]


def test_who_watches_gets_the_world_while_it_learns(photos: Path, tmp_path: Path, quick: Any, monkeypatch: Any) -> None:
    seen: list[list[str]] = []
    real = interim.publish

    def publish(made: Mapping[str, Dream], sizes: tuple[str, ...], about: Any, out: Path, *write: Any) -> None:
        real(made, sizes, about, out, *write)
        seen.append(sorted(path.name for path in out.iterdir()))

    monkeypatch.setattr(interim, "publish", publish)
    told = work(asked(photos, tmp_path, how=wish.How(watch=True, device="cpu")))
    assert "Play it meanwhile: perform run" in told
    assert seen[0] == ["card.toml", "learning.onnx", "learning.safetensors"]
    assert seen[1] == ["card.toml", "s.onnx", "s.safetensors"]


def test_who_watches_holds_the_pictures_once(
    photos: Path, tmp_path: Path, quick: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted, read = asked(photos, tmp_path), []

    def load(*given: Any, **more: Any) -> batches.Batches:
        made = batches.Batches(*given, **more)
        read.append(weakref.ref(made))
        return made

    wish.settle(wanted)
    ingest.take_in(wanted, lambda sentence: None)
    monkeypatch.setattr(atelier, "Batches", load)
    made = atelier.Atelier(wanted, display.Silent(), True)
    assert made._about == made._about
    gc.collect()
    assert [one() for one in read] == [None]


def test_only_int8_that_does_not_suit_is_left_out(
    photos: Path, tmp_path: Path, quick: list[dict[str, Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong: list[ValueError] = [ValueError("words.toml cannot be read: Invalid value")]

    def ship(*_: object) -> None:
        raise wrong[0]

    monkeypatch.setattr(export, "ship", ship)
    wanted = asked(photos, tmp_path)
    with pytest.raises(ValueError, match=r"words\.toml cannot be read"):
        work(wanted)
    assert not wanted.world.exists()
    wrong[0] = export.Unfit("s: the exported network disagrees with what was trained (int8: 10.0 dB, 24 at least)")
    assert "24 at least). The world is written without its int8 files." in work(wanted)
    assert sorted(path.name for path in wanted.world.glob("s.*")) == ["s.onnx", "s.safetensors"]


# ---------------------------------------------------------------------------------------------- bad input
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "there is nothing at nowhere"),
        (["{empty}"], "no pictures"),
        (["{photos}", "--sizes", "xxl"], "sizes are some of s,m,l"),
        (["{photos}", "--size", "m"], "with {photos} say --sizes, --hours or --minutes"),
        (["{photos}", "--minutes", "-3"], "a number of minutes or hours above 0"),
        (["{photos}", "--hours", "soon"], "--hours is a number, not 'soon'"),
        (["{photos}", "--name", "../../etc"], "letters, digits, - and _"),
        (["{photos}", "--name", "taken"], "there is a world in"),
        (["{photos}", "--name", "another"], "already learns from"),
        ([], "required: PHOTOS"),
    ],
)
def test_bad_input_is_one_sentence_and_code_2(
    words: list[str], said: str, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "models" / "taken").mkdir(parents=True)
    (tmp_path / "models" / "taken" / "card.toml").write_text("")
    (tmp_path / "runs" / "another").mkdir(parents=True)
    (tmp_path / "runs" / "another" / "wish.json").write_text(json.dumps({"photos": "/elsewhere"}))
    given = [word.format(empty=tmp_path / "empty", photos=photos) for word in words]
    try:
        code: object = cli.main(["train", *given, "--out", str(tmp_path / "models"), "--runs", str(tmp_path / "runs")])
    except SystemExit as left:
        code = left.code
    assert code == 2
    err = capsys.readouterr().err
    assert said.format(photos=photos) in err
    assert err.count("\n") == 1


def test_two_at_once_on_one_desk_are_refused(tmp_path: Path) -> None:
    first = run.alone(tmp_path)
    with pytest.raises(ValueError, match="another training is at work"):
        run.alone(tmp_path)
    del first
    assert run.alone(tmp_path)


def test_what_interrupted_exports_left_is_removed(tmp_path: Path) -> None:
    for name in (".learning-nice-abcd1234", ".export-nice-abcd1234", ".export-nicer-abcd1234"):
        (tmp_path / name).mkdir()
    interim.tidy(tmp_path / "nice")
    assert [path.name for path in tmp_path.iterdir()] == [".export-nicer-abcd1234"]


def test_a_single_stage_is_still_a_stage() -> None:
    assert studio.is_stage(["--world", "runs/landscape", "--out", "runs/teacher"])
    assert studio.is_stage(["--steps=10"])
    assert not studio.is_stage(["photos", "--out", "models", "--sizes", "s,m"])


def test_help_needs_nothing_heavy() -> None:
    code = "import sys; from perform import cli\ntry: cli.main(['train', '--help'])\nexcept SystemExit: pass\n"
    check = "assert not {'torch', 'numpy', 'PIL', 'rich'} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", code + check], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "PHOTOS" in done.stdout


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("Été à Nice", "ete-a-nice"),
        ("фото.zip", "world-фото"),
        ("sea.mp4", "sea"),
        ("...", "world"),
        ("2024_07", "2024_07"),
        ("Aux", "world-aux"),
        ("auxiliary", "auxiliary"),
        (f"{49 * 'a'} cut.mp4", 49 * "a"),
    ],
)
def test_names_in_any_script(path: str, name: str) -> None:
    assert wish.name_of(Path("/tmp") / path) == name


# ---------------------------------------------------------------------------------------------- pairs
def test_pairs_side_by_side_and_in_two_folders(tmp_path: Path) -> None:
    both, two = tmp_path / "both", tmp_path / "two"
    for folder in (both, two / "A", two / "B"):
        folder.mkdir(parents=True)
    for index in range(3):
        rng = np.random.default_rng(index)
        picture = Image.fromarray(rng.integers(0, 120, (260, 260, 3), dtype=np.uint8))
        bright = picture.point(lambda value: value + 120)
        wide = Image.new("RGB", (520, 260))
        wide.paste(picture, (0, 0))
        wide.paste(bright, (260, 0))
        wide.save(both / f"{index}.png")
        picture.save(two / "A" / f"{index}.png")
        bright.save(two / "B" / f"{index}.png")
    (two / "A" / "alone.png").write_bytes((two / "A" / "0.png").read_bytes())
    for folder in (both, two):
        found = pairs.take(folder, least=3)
        assert len(found.world.inputs) == len(found.world.pictures) == 3
        for given, target in zip(found.world.inputs, found.world.pictures, strict=True):
            assert given.shape == target.shape
            assert float(target.float().mean() - given.float().mean()) == pytest.approx(120, abs=3)
        some = pairs.take(folder, least=1, most=2)
        assert some.names == ["0.png", "1.png"]
        assert len(some.world.inputs) == len(some.world.pictures) == 2
        assert any("left out: a world takes 2 pictures at most (2.png" in said for said in some.warnings)
    assert "alone.png: it is in A and not in B" in pairs.take(two, least=3).refused
    with pytest.raises(ValueError, match=r"3 pairs in .* are too few"):
        pairs.take(two)


@pytest.mark.parametrize(("width", "height"), [(300, 300), (450, 300), (640, 360)])
def test_double_pictures_are_halved_before_they_are_sized(tmp_path: Path, width: int, height: int) -> None:
    """Twice the same: what is given and what is dreamt agree, pixel by pixel, and nothing is cut off."""
    noise = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)
    one = np.asarray(Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC))
    Image.fromarray(np.concatenate([one, one], 1)).save(tmp_path / "a.png")
    found = pairs.take(tmp_path, least=1)
    assert torch.equal(found.world.inputs[0], found.world.pictures[0])
    assert found.world.pictures[0].shape == (3, height, width)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_pairs_are_as_careful_as_folders(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for side in ("A", "B"):
        (tmp_path / side).mkdir()
        (tmp_path / side / "x.heic").write_bytes(b"of some kind")
        for name in (b"1.png", b"\xe9.png", b"\xe8.png"):  # the last two are no UTF-8
            with open(os.fsencode(tmp_path / side) + b"/" + name, "wb") as file:
                Image.fromarray(rng.integers(0, 256, (260, 260, 3), dtype=np.uint8)).save(file, "PNG")
    os.mkfifo(tmp_path / "A" / "pipe.png")
    (tmp_path / "B" / "pipe.png").write_bytes(b"")
    found = pairs.take(tmp_path, least=3)
    assert found.names == ["1.png", "\\xe8.png", "\\xe9.png"]
    assert [line.split(": ", 1)[0] for line in found.refused] == ["pipe.png", "x.heic"]
    assert "it is no file (a pipe" in found.refused[0]
    assert "save it as JPEG" in found.refused[1]


# ---------------------------------------------------------------------------------------------- words
def test_times_and_curves_in_words() -> None:
    assert [display.left(s) for s in (12, 240, 7300)] == ["12 s", "4 min", "2 h 01 min"]
    assert display.sparkline([3, 2, 1]) == "█▅▁"
    assert display.sparkline([1.0]) == "▁"


def test_the_panel_shows_the_stage_and_what_is_left() -> None:
    from rich.console import Console

    out = io.StringIO()
    panel = display.Panel(Console(file=out, force_terminal=True, width=100), "nice")
    news = display.News("The teacher learns", 10, 100, 300.0, 5.5, ["follows the light 91 %"], [2.0, 1.5])
    panel.show(news)
    panel.say("A sentence.")
    panel.console.print(panel._drawn(news))
    panel.console.print(panel._drawn(replace(news, scores=[float("nan"), 1.7, 1.3, float("inf")])))
    panel.close()
    for part in (
        "The teacher learns",
        "5 min left",
        "5.5 pictures/s",
        "follows the light 91 %",
        "A sentence.",
        "best 1.50",
        "distance from your pictures 1.30, best 1.30",
    ):
        assert part in out.getvalue()
    assert isinstance(display.pick(io.StringIO(), "nice"), display.Lines)
