"""A run folder goes on with what it was begun with, and with nothing else: never a mixture, no needless refusal."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from perform.lab import ablate, begun, distil, driving, run
from tests.lab.test_run import Counter

RECIPE = distil.Recipe(sizes="m")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Two worlds, two teachers and two distillations to start from, no more than their bytes; `students` are begun."""
    home = tmp_path / "home"
    for name in ("a", "b"):
        for folder, file in ((f"world-{name}", "world"), (f"teacher-{name}", "ema"), (f"before-{name}/m", "ema")):
            (home / folder).mkdir(parents=True)
            (home / folder / f"{file}.safetensors").write_text(f"{file} {name}")
    train(home, RECIPE, 3)
    return home


def train(home: Path, recipe: distil.Recipe, steps: int, **other: Path | None) -> driving.Stage:
    """What `distil` does with a run folder."""
    told = begun.told(recipe, **{"world": home / "world-a", "teacher": home / "teacher-a"} | other)
    return driving.fit(home / "students", lambda share: Counter(), driving.Pace(steps), recipe=told)


def bytes_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_another_world_teacher_start_or_recipe_is_refused_and_nothing_is_touched(home: Path) -> None:
    before = bytes_in(home / "students")
    other: dict[str, Any] = {"norm": "kept", "seed": 1, "side": 128, "pixel": 0.0, "sizes": "s", "grain": 0.1}
    for field, value in other.items():
        with pytest.raises(ValueError, match=rf"students was begun with --{field} .*, not {value}: name another --out"):
            train(home, replace(RECIPE, **{field: value}), 9)
    for name in ("world", "teacher"):
        with pytest.raises(ValueError, match=rf"students was begun with --{name} .*{name}-a, not .*{name}-b: name an"):
            train(home, RECIPE, 9, **{name: home / f"{name}-b"})
    with pytest.raises(ValueError, match=r"students was begun without --start .*before-b: name another --out"):
        train(home, RECIPE, 9, start=home / "before-b")
    assert bytes_in(home / "students") == before


def test_what_was_said_when_it_began_is_not_forgotten(home: Path) -> None:
    shutil.rmtree(home / "students")
    kept, start = replace(RECIPE, norm="kept", pixel=7.0), home / "before-a"
    train(home, kept, 3, start=start)
    assert train(home, kept, 4, start=start).done == 4
    for field, said in (("norm", "--norm kept, not batch"), ("pixel", r"--pixel 7\.0, not 5\.0")):
        with pytest.raises(ValueError, match=f"students was begun with {said}: name another --out"):
            train(home, replace(kept, **{field: getattr(RECIPE, field)}), 9, start=start)
    with pytest.raises(ValueError, match=r"begun with --start .*before-a, not without: name another --out"):
        train(home, kept, 9)


def test_more_steps_another_batch_and_rate_go_on(home: Path) -> None:
    recipe = replace(RECIPE, steps=9, paired=1, unpaired=1, rate=1e-5, judge_rate=1e-5)
    assert train(home, recipe, 9).done == 9
    assert train(home, RECIPE, 10).done == 10


def test_a_folder_may_be_moved_and_what_it_learned_from_may_have_gone_on(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = home.rename(home.with_name("moved"))
    assert train(moved, RECIPE, 4).done == 4
    monkeypatch.chdir(moved)
    assert train(Path(), RECIPE, 5).done == 5
    (moved / "teacher-a" / "ema.safetensors").write_text("a thousand steps later")
    assert train(moved, RECIPE, 6).done == 6
    shutil.copytree(moved / "teacher-a", moved / "teacher-c")
    assert train(moved, RECIPE, 7, teacher=moved / "teacher-c").done == 7


def _older(folder: Path, **changes: Any) -> None:
    """Make a recipe one of a program that kept neither what was said nor what folders held."""
    told = json.loads((folder / "recipe.json").read_text())
    told = {name: value for name, value in (told | changes).items() if name not in ("said", "sha256", "norm")}
    (folder / "recipe.json").write_text(json.dumps(told))


def test_an_older_programs_recipe_goes_on(home: Path) -> None:
    before = home / "before-a"
    _older(home / "students", pixel=4.0)  # its default then
    assert train(home, RECIPE, 4, start=before).done == 4  # nor did it keep where it began
    _older(home / "students")
    moved = home.rename(home.with_name("moved"))
    assert train(moved, RECIPE, 5, start=moved / "before-a").done == 5
    _older(moved / "students")
    with pytest.raises(ValueError, match=r"begun with --world .*world-a, not .*world-b"):
        train(moved, RECIPE, 9, world=moved / "world-b", start=moved / "before-a")
    with pytest.raises(ValueError, match="begun without --norm kept: name another"):
        train(moved, replace(RECIPE, norm="kept"), 9, start=moved / "before-a")
    for text in ("{", "[]"):
        (moved / "students" / "recipe.json").write_text(text)
        assert train(moved, RECIPE, 6).done == 6
    (moved / "students" / "recipe.json").unlink()
    assert train(moved, RECIPE, 7).done == 7


def test_the_programs_own_choice_may_change(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Then:
        pixel: float = 5.0
        gone: float = 1.0

    @dataclass(frozen=True)
    class Now:
        pixel: float = 7.0
        new: float = 2.0

    run.remember(tmp_path, begun.told(Then()))
    begun.same(tmp_path, begun.told(Now()))
    begun.same(tmp_path, begun.told(Now(pixel=5.0)))
    with pytest.raises(ValueError, match=r"begun with --pixel 5.0, not 6.0"):
        begun.same(tmp_path, begun.told(Now(pixel=6.0)))
    run.remember(tmp_path, begun.told(Then(pixel=6.0)))
    with pytest.raises(ValueError, match=r"begun with --pixel 6.0, not 7.0"):
        begun.same(tmp_path, begun.told(Now()))


def test_a_finished_variant_of_an_ablation_is_of_its_world_and_teacher(home: Path) -> None:
    there = ablate.folder(home / "ablation", "no-pixel")
    run.remember(there, begun.told(RECIPE, world=home / "world-a", teacher=home / "teacher-a") | {"size": "m"})
    (there / "done").touch()
    paths = {"world": home / "world-a", "teacher": home / "teacher-a", "cache": home, "out": home / "ablation"}
    assert ablate.one("no-pixel", paths, 9, (1, 1)) == there
    for name in ("world", "teacher"):
        with pytest.raises(ValueError, match=f"no-pixel was begun with --{name} .*{name}-a, not .*{name}-b"):
            ablate.one("no-pixel", paths | {name: home / f"{name}-b"}, 9, (1, 1))
    _older(there)
    assert ablate.one("no-pixel", paths, 9, (1, 1)) == there
