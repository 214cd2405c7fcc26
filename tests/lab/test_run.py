"""Run folders: atomic checkpoints, exact resume, hostile files."""

from __future__ import annotations

import gc
import multiprocessing
import pickle
import re
import shutil
import weakref
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from perform.lab import average, begun, distil, driving, features, graft, networks, room, run, train
from perform.lab.batches import Batches
from perform.lab.discriminators import Jury
from perform.lab.evaluate import entrants
from perform.lab.worlds import World

MODELS = Path(__file__).parents[2] / "models"
TINY = train.Recipe(size="s", side=32, paired=2, unpaired=2, steps=6, steady_every=2, steady=1.0)


class Counter:
    """A stage that counts, and may die."""

    def __init__(self, dies_at: int = -1) -> None:
        self.done, self.dies_at = 0, dies_at

    def step(self) -> dict[str, float]:
        if self.done == self.dies_at:
            raise KeyboardInterrupt
        self.done += 1
        return {"loss": 1.0 / self.done}

    def state(self) -> dict[str, Any]:
        return {"done": self.done}

    def restore(self, state: Mapping[str, Any]) -> None:
        self.done = int(state["done"])

    def weights(self) -> dict[str, Tensor]:
        return {"w": torch.tensor([float(self.done)])}

    def sheet(self) -> Tensor:
        return torch.zeros(8, 8, 3, dtype=torch.uint8)


def test_a_stage_runs_logs_and_saves(tmp_path: Path) -> None:
    driving.drive(tmp_path, Counter(), driving.Pace(10, log_every=5, sheet_every=10))
    assert len((tmp_path / "log.txt").read_text().splitlines()) == 2
    assert (tmp_path / "sheet-000010.jpg").exists()
    assert load_file(tmp_path / "ema.safetensors")["w"].item() == 10


def test_interrupted_runs_go_on_from_the_last_checkpoint(tmp_path: Path) -> None:
    times = iter(range(0, 10_000, 100))  # every look at the clock is 100 s later, so that each step is saved
    with pytest.raises(KeyboardInterrupt):
        driving.drive(tmp_path, Counter(dies_at=4), driving.Pace(10), clock=lambda: float(next(times)))
    again = Counter()
    assert driving.resume(tmp_path, again)
    assert again.done == 4
    driving.drive(tmp_path, again, driving.Pace(10))
    assert again.done == 10


def test_weights_that_are_no_numbers_do_not_take_the_place_of_good_ones(tmp_path: Path) -> None:
    driving.save(tmp_path, Counter())
    lost = Counter()
    lost.done, lost.weights = 7, lambda: {"w": torch.tensor([1.0, float("nan")])}  # type: ignore[method-assign]
    with pytest.raises(ValueError, match=r"by step 7 the weights are no numbers any more; .*the same command goes on"):
        driving.save(tmp_path, lost)
    again = Counter()
    assert driving.resume(tmp_path, again)
    assert again.done == 0
    assert load_file(tmp_path / "ema.safetensors")["w"].item() == 0


def test_a_run_stops_after_its_minutes(tmp_path: Path) -> None:
    times = iter(range(0, 10_000, 20))
    stage = Counter()
    driving.drive(tmp_path, stage, driving.Pace(1000, minutes=2.0), clock=lambda: float(next(times)))
    assert 0 < stage.done < 10
    assert driving.resume(tmp_path, Counter())


def test_a_failing_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    run.write(path, lambda partial: partial.write_text("old"))

    def broken(partial: Path) -> None:
        partial.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        run.write(path, broken)
    assert path.read_text() == "old"


def test_two_who_write_one_file_do_not_tear_each_others(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    other = multiprocessing.get_context("fork").Process(
        target=run.write, args=(path, lambda partial: partial.write_text("theirs"))
    )

    def ours(partial: Path) -> None:
        partial.write_text("ours")
        other.start()
        other.join()
        assert path.read_text() == "theirs"

    run.write(path, ours)
    assert other.exitcode == 0
    assert path.read_text() == "ours"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_trained_in_by_one_process_which_clears_it(tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt.17.part").write_bytes(b"half a checkpoint")
    (tmp_path / "film.mp4.part").write_bytes(b"somebody's download")
    begin = lambda share: Counter()  # noqa: E731
    held = run.alone(tmp_path)
    with pytest.raises(ValueError, match="another training is at work in"):
        driving.fit(tmp_path, begin, driving.Pace(3))
    del held
    assert driving.fit(tmp_path, begin, driving.Pace(3)).done == 3
    assert driving.fit(tmp_path, begin, driving.Pace(5)).done == 5
    assert [path.name for path in tmp_path.glob("*.part")] == ["film.mp4.part"]


def test_an_empty_folder_has_nothing_to_resume(tmp_path: Path) -> None:
    assert not driving.resume(tmp_path, Counter())


class _Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return (open, ("/tmp/perform-was-here", "w"))


def test_a_hostile_checkpoint_is_refused_and_not_run(tmp_path: Path) -> None:
    torch.save({"done": 1, "evil": _Evil()}, tmp_path / "checkpoint.pt")
    with pytest.raises(ValueError, match=r"checkpoint.pt cannot be read"):
        driving.resume(tmp_path, Counter())
    with pytest.raises(pickle.UnpicklingError):
        features.Features(tmp_path / "checkpoint.pt")
    assert not Path("/tmp/perform-was-here").exists()


def test_a_cut_off_checkpoint_and_one_of_another_network_are_one_sentence(tmp_path: Path) -> None:
    driving.save(tmp_path, Counter())
    whole = (tmp_path / "checkpoint.pt").read_bytes()
    (tmp_path / "checkpoint.pt").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"cannot be read \(.*\); move it away"):
        driving.resume(tmp_path, Counter())
    torch.save({"students": {}}, tmp_path / "checkpoint.pt")
    with pytest.raises(ValueError, match="not a checkpoint of what is asked for"):
        driving.resume(tmp_path, Counter())


def _broken(whole: bytes, at: int, byte: int) -> bytes:
    return whole[:at] + bytes([byte]) + whole[at + 1 :]


def test_whatever_is_wrong_with_a_checkpoint_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "checkpoint.pt"
    torch.save({"done": 1, "w": torch.ones(3)}, file, _use_new_zipfile_serialization=False)
    whole = file.read_bytes()
    damaged = [whole[:28], whole[:49], *(_broken(whole, *one) for one in ((272, 75), (351, 106), (200, 46)))]
    for data in damaged:  # struct's own error, IndexError, AssertionError, KeyError and IndexError
        file.write_bytes(data)
        with pytest.raises(ValueError, match=r"checkpoint.pt cannot be read \(.*\); move it away"):
            driving.resume(tmp_path, Counter())
        with pytest.raises(ValueError, match="cannot be read"):
            distil.judges_of(tmp_path)
    for strange in ({}, [1], {"jury": {}}, {"jury": 1}):
        torch.save(strange, file)
        with pytest.raises(ValueError, match="not a checkpoint of what is asked for"):
            driving.resume(tmp_path, Counter())
        with pytest.raises(ValueError, match=r"checkpoint.pt holds no teacher's judges"):
            distil.judges_of(tmp_path)
    file.unlink()
    with pytest.raises(ValueError, match=r"there is no .*checkpoint.pt"):
        distil.judges_of(tmp_path)


@pytest.fixture
def fresh_features(monkeypatch: pytest.MonkeyPatch) -> None:
    """Frozen features of chance, so that nothing is downloaded."""
    made = features.Features
    monkeypatch.setattr(features, "fetch", lambda cache: None)
    monkeypatch.setattr(features, "Features", lambda weights: made(None, side=64))


@pytest.mark.usefixtures("fresh_features")
def test_what_is_refused_leaves_what_was_asked_for_before(tmp_path: Path, world: World) -> None:
    world.save(tmp_path / "world")
    paths = [tmp_path / name for name in ("teacher", "world", "students")]
    pace = driving.Pace(1, sheet_every=9)

    def teach(size: str) -> None:
        recipe = train.Recipe(size=size, side=32, paired=1, unpaired=1, steps=1)
        train.train(recipe, paths[1], paths[0], tmp_path, pace, "cpu")

    def pass_on(size: str) -> None:
        asked = distil.Recipe(sizes=size, side=32, paired=1, unpaired=1, steps=1)
        distil.distil(asked, *paths, pace, "cpu")

    def finish(width: str) -> None:
        school = graft.School(paths[0], paths[1], 32, "cpu", tmp_path)
        asked = distil.Recipe(side=32, paired=1, unpaired=1, steps=1)
        plain = networks.fold(networks.trainable((8, 8, 16), 1, 7, inner=(int(width),)))
        graft.finish(plain, school, asked, tmp_path / "slim", pace)  # type: ignore[arg-type]

    for stage, asked, other in (
        (teach, "8-8-16_16", "8-8-16_8"),
        (pass_on, "8-8-16_16", "8-8-16_8"),
        (finish, "16", "8"),
    ):
        stage(asked)
        before = {path: path.read_bytes() for path in tmp_path.rglob("recipe.json")}
        with pytest.raises(ValueError, match=r"was begun with --sizes? 8-8-16_16, not 8-8-16_8: name another --out"):
            stage(other)
        assert {path: path.read_bytes() for path in tmp_path.rglob("recipe.json")} == before
    World(world.pictures[::-1], world.held_out).save(tmp_path / "other")
    paths[1] = tmp_path / "other"
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*") if path.is_file()}
    for stage, asked in ((teach, "8-8-16_16"), (pass_on, "8-8-16_16"), (finish, "16")):
        with pytest.raises(ValueError, match=r"was begun with --world .*world, not .*other: name another --out"):
            stage(asked)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.*") if path.is_file()} == before


@pytest.mark.usefixtures("fresh_features")
def test_a_shipped_world_goes_on_without_its_teacher(tmp_path: Path, world: World) -> None:
    world.save(tmp_path / "world")
    shutil.copytree(MODELS / "agate", tmp_path / "agate")
    asked = distil.Recipe(sizes="s", side=32, paired=1, unpaired=1, steps=2, judges_first=1, norm="kept")

    def go_on(size: str = "s", recipe: distil.Recipe = asked, out: str = "on") -> None:
        paths = (tmp_path / "agate" / size, tmp_path / "world", tmp_path / out)
        distil.distil(recipe, *paths, driving.Pace(2, sheet_every=9), "cpu", start=tmp_path / "agate")

    go_on()
    mean = average.average([tmp_path / "agate" / "s", tmp_path / "on" / "s"], tmp_path / "mean")
    for folder in (tmp_path / "on" / "s", mean):
        for name, tensor in run.network(folder).state_dict().items():
            assert torch.allclose(tensor, run.network(tmp_path / "agate" / "s").state_dict()[name], atol=2e-3), name
    with pytest.raises(ValueError, match=r"was begun with --teacher .*agate.s, not .*agate.m: name another --out"):
        go_on("m")
    with pytest.raises(ValueError, match=r"agate has no size 'x'; it has s, m, l"):
        go_on("x")
    with pytest.raises(ValueError, match="there is no run folder"):
        run.network(tmp_path / "nowhere" / "s")
    with pytest.raises(ValueError, match=r"--judges-first, while .*, is 0 or more of 2 --steps, not 2"):
        go_on(recipe=replace(asked, judges_first=2), out="off")
    with pytest.raises(ValueError, match=r"agate.s has no judges, .*: of these only `perform distil` learns"):
        graft.School(tmp_path / "agate" / "s", tmp_path / "world", 32, "cpu")
    (tmp_path / "world" / "world.json").write_text('{"world": "bark"}')
    with pytest.raises(ValueError, match=r"agate.s is a size of the world 'agate', .*world holds 'bark': name another"):
        go_on(out="other")
    (tmp_path / "world" / "world.json").write_text("{}")
    with pytest.raises(ValueError, match=r"world\.json is damaged: it names no world"):
        go_on(out="other")
    (tmp_path / "world" / "world.json").write_text('{"world": "agate"}')
    go_on()
    assert entrants.of_run(tmp_path / "agate" / "s").network == "16-32-64_64-64-64"
    card = (tmp_path / "agate" / "card.toml").read_text(encoding="utf-8")
    by_another = tmp_path / "by-another" / "s"  # whose file has a name of its own
    shutil.copytree(tmp_path / "agate", by_another.parent)
    (by_another.parent / "s.safetensors").rename(by_another.parent / "small.safetensors")
    named = card.replace('weights = "s.safetensors"', 'weights = "small.safetensors"')
    (by_another.parent / "card.toml").write_text(named, encoding="utf-8")
    one = entrants.of_run(tmp_path / "agate" / "s")
    assert entrants.of_run(by_another).fingerprint == one.fingerprint
    assert begun.held(by_another) == begun.held(tmp_path / "agate" / "s") != ""
    assert run.weights(tmp_path / "on" / "s") == tmp_path / "on" / "s" / "ema.safetensors"
    unnamed = re.sub(r'weights = "s.safetensors"\nweights_sha256 = .*', "", card)
    (tmp_path / "agate" / "card.toml").write_text(unnamed, encoding="utf-8")
    with pytest.raises(ValueError, match=r"agate has no weights of size s: its card names none$"):
        go_on()
    (tmp_path / "agate" / "card.toml").write_text(card, encoding="utf-8")
    (tmp_path / "agate" / "s.safetensors").unlink()
    with pytest.raises(ValueError, match=r"agate has no weights of size s: there is no s.safetensors to be read$"):
        go_on()


def test_a_full_disk_is_said_and_training_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    driving.save(tmp_path, Counter())
    before = (tmp_path / "checkpoint.pt").read_bytes()
    real, full = run.write, [True]

    def write(path: Path, save: Any) -> None:
        if full[0]:
            raise OSError(28, "No space left on device")
        real(path, save)

    class Tidy(Counter):
        def step(self) -> dict[str, float]:
            full[0] = self.done < 6
            if self.done == 5:
                assert (tmp_path / "checkpoint.pt").read_bytes() == before
            return super().step()

    monkeypatch.setattr(run, "write", write)
    times = iter(range(0, 10_000, 100))
    driving.drive(tmp_path, Tidy(), driving.Pace(10), clock=lambda: float(next(times)))
    assert "No space left on device" in capsys.readouterr().err
    again = Counter()
    assert driving.resume(tmp_path, again)
    assert again.done == 10


def test_neither_a_sheet_nor_a_log_that_cannot_be_written_ends_a_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run, "picture", full)
    (tmp_path / "log.txt").mkdir()  # which cannot be written either
    driving.drive(tmp_path, Counter(), driving.Pace(10, log_every=1, sheet_every=5))
    assert load_file(tmp_path / "ema.safetensors")["w"].item() == 10
    said = capsys.readouterr().err.splitlines()
    assert said == 2 * ["The contact sheet could not be written (No space left on device). Going on."]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--paired", "0"], "--paired is 1 or more"),
        (["--unpaired", "-1"], "--unpaired 0 or more"),
        (["--side", "60"], "--side is a multiple of 8, 32 or more, not 60"),
        (["--steady-every", "0"], "--steps, --sheet-every and --steady-every are 1 or more"),
    ],
)
def test_a_batch_that_cannot_be_is_refused(words: list[str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        distil.main(words)


def test_a_full_gpu_halves_the_batch_and_goes_on_from_the_checkpoint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shares = []

    class Big(Counter):
        def __init__(self, share: float) -> None:
            super().__init__()
            self.share = share

        def restore(self, state: Mapping[str, Any]) -> None:
            if self.share == 1.0:
                raise torch.cuda.OutOfMemoryError
            super().restore(state)

        def step(self) -> dict[str, float]:
            if self.share > 0.3:
                raise torch.cuda.OutOfMemoryError
            return super().step()

    def begin(share: float) -> Big:
        shares.append(share)
        return Big(share)

    start = Counter()
    start.done = 4
    driving.save(tmp_path, start)
    assert driving.fit(tmp_path, begin, driving.Pace(10)).done == 10
    assert shares == [1.0, 0.5, 0.25]
    assert "1/4 of the batch" in capsys.readouterr().err
    with pytest.raises(ValueError, match="does not suffice"):
        driving.fit(tmp_path / "other", lambda share: Big(1.0), driving.Pace(11))
    assert room.shrunk((8, 8, 0), 0.25) == (2, 2, 0)


def test_a_training_has_left_the_memory_before_the_next_one_begins(
    tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    alive: weakref.WeakSet[train.Teacher] = weakref.WeakSet()
    begun: list[int] = []
    init, work, judge = train.Teacher.__init__, train.Teacher.work, features.Features

    def made(self: train.Teacher, *given: Any) -> None:
        assert not alive
        alive.add(self)
        begun.append(given[0].paired)
        init(self, *given)

    def full(self: train.Teacher, given: Any) -> Any:
        if self.recipe.paired == 2 and self.done == 1:
            raise torch.cuda.OutOfMemoryError
        return work(self, given)

    monkeypatch.setattr(train.Teacher, "__init__", made)
    monkeypatch.setattr(train.Teacher, "work", full)
    monkeypatch.setattr(features, "fetch", lambda cache: None)
    monkeypatch.setattr(features, "Features", lambda weights: judge(weights, side=64))
    world.save(tmp_path / "world")
    gc.disable()  # it may not come by between two trainings
    try:
        train.train(TINY, tmp_path / "world", tmp_path / "out", tmp_path, driving.Pace(2))
        assert not alive
    finally:
        gc.enable()
    assert begun == [2, 1]


def test_who_looks_on_is_told(tmp_path: Path) -> None:
    told: list[tuple[str, object]] = []

    class Watcher:
        def stepped(self, stage: driving.Stage, numbers: Mapping[str, float], seconds: float) -> None:
            told.append(("stepped", stage.done))

        def saved(self, stage: driving.Stage, folder: Path) -> None:
            told.append(("saved", folder))

        def drawn(self, stage: driving.Stage, sheet: Path) -> None:
            told.append(("drawn", sheet.name))

        def said(self, sentence: str) -> None:
            told.append(("said", sentence))

    driving.drive(tmp_path, Counter(), driving.Pace(6, log_every=3, sheet_every=5), watcher=Watcher())
    assert told == [("stepped", 3), ("drawn", "sheet-000005.jpg"), ("stepped", 6), ("saved", tmp_path)]


def _plain(numbers: Mapping[str, float | Tensor]) -> dict[str, float]:
    return {name: float(value) for name, value in numbers.items()}


def _teacher(world: World, batches: Batches) -> train.Teacher:
    torch.manual_seed(5)
    return train.Teacher(TINY, batches, features.Features(None, side=128), world.unseen())


def test_training_resumes_exactly(tmp_path: Path, world: World, batches: Batches) -> None:
    whole = _teacher(world, batches)
    losses = [_plain(whole.step()) for _ in range(5)]
    first = _teacher(world, batches)
    for _ in range(2):
        first.step()
    driving.save(tmp_path, first)
    second = _teacher(world, batches)
    torch.manual_seed(99)
    assert driving.resume(tmp_path, second)
    assert [_plain(second.step()) for _ in range(3)] == losses[2:]
    assert set(load_file(tmp_path / "ema.safetensors")) >= {"head.weight", "mood.mean", "mood.std"}


def test_sheets_show_every_row(world: World, batches: Batches) -> None:
    sheet = _teacher(world, batches).sheet()
    assert sheet.dtype == torch.uint8
    assert sheet.shape[0] == 8 * 32


def test_distillation_resumes_exactly_and_splits(tmp_path: Path, world: World, batches: Batches) -> None:
    recipe = distil.Recipe(sizes="s", side=32, paired=2, unpaired=2, steps=6, steady_every=2)

    def students() -> distil.Students:
        torch.manual_seed(6)
        core = networks.fold(networks.trainable((16, 32, 64), 1, 7))
        return distil.Students(recipe, batches, core, Jury(8), world.unseen(), features.Features(None, side=64))

    whole = students()
    losses = [_plain(whole.step()) for _ in range(4)]
    first = students()
    first.step()
    driving.save(tmp_path, first)
    second = students()
    driving.resume(tmp_path, second)
    assert [_plain(second.step()) for _ in range(3)] == losses[1:]
    folders = distil.split(tmp_path)
    assert set(folders) == {"s"}
    assert "head.weight" in load_file(folders["s"] / "ema.safetensors")

    kept = tmp_path / "kept"
    kept.mkdir()
    driving.drive(kept, students(), driving.Pace(4, state_every=2))
    run_of_s = distil.split(kept)["s"]
    states = sorted(run_of_s.glob("state-*"))
    assert [state.name for state in states] == ["state-000002", "state-000004"]
    early, late, last = (run.network(folder).state_dict() for folder in (*states, run_of_s))
    assert all(torch.equal(late[name], last[name]) for name in last)
    assert not all(torch.equal(early[name], last[name]) for name in last)
