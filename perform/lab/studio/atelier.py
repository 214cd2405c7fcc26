"""The order of the studio's work: pictures, plan, teacher, students, world. Each piece of work is written whole or not
at all, so that the same command, said again after anything, goes on where it was.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from perform.lab import card, device, distil, export, graph, ranks, run, threads, train
from perform.lab.batches import Batches
from perform.lab.studio import ingest, interim, summary, survey, watching
from perform.lab.studio.contact import SHEET
from perform.lab.studio.display import Display, Silent, left, pick
from perform.lab.studio.plan import EXPORT, FILE, Plan, too_short, warnings
from perform.lab.studio.wish import Wish, leave, reach, settle
from perform.lab.worlds import World

NEEDED = ("nncf", "onnx", "onnxruntime", "onnxscript")  # of the last stage: better missed in the first second


def open_for(wish: Wish) -> int:
    """Fulfil a wish; the exit code. Raises ValueError, one sentence, for what cannot be done."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing and not wish.how.train_only:
        raise ValueError(f"'perform train' needs {', '.join(missing)}: pip install 'perform[lab]'")
    if wish.how.threads < 0:
        raise ValueError(f"--threads is 0 (as many as are quickest now) or more, not {wish.how.threads}")
    on_cpu = device.pick(wish.how.device).type == "cpu"
    most = torch.get_num_threads() if on_cpu and not wish.how.threads else 0  # before any are taken away
    if wish.how.threads:
        torch.set_num_threads(wish.how.threads)
    elif most:
        threads.fit(most)
    ours = os.environ.get("RANK", "0") == "0"
    display: Display = pick(sys.stdout, wish.name) if ours else Silent()
    try:
        Atelier(wish, display, ours, most).work()
        ranks.leave()  # whoever fails just goes: a farewell would wait for the others, who wait for him
    except OSError as e:
        display.close()
        file = f"{e.filename}: " if e.filename else ""
        kept = f". All that was done is kept: {AGAIN}" if wish.desk.is_dir() else ""
        with contextlib.suppress(OSError):  # which may be the disk that is full
            print(f"perform train: {file}{e.strerror or e}{kept}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        display.say(f"Stopped. {AGAIN[:1].upper()}{AGAIN[1:]}")
        raise
    finally:
        display.close()
    return 0


AGAIN = "the same command goes on from there."


@dataclass
class Atelier:
    """One wish at work. `ours`: whether this rank writes and speaks. `most`: threads that it may train with, as many as
    are quickest at the time; 0 where their count is not its to choose.
    """

    wish: Wish
    display: Display
    ours: bool
    most: int = 0
    lock: object = None

    def work(self) -> None:
        """All of it, or what is left of it."""
        began, wish, say = time.monotonic(), self.wish, self.display.say
        ranks.join(wish.how.device)
        if not ranks.agree(self.ours and self._open()):  # the others wait here until the pictures are there
            return
        known = (wish.desk / FILE).exists()
        plan = survey.plan(wish, say, began)
        self._say_plan(plan, known)
        self._teacher(plan)
        self._students(plan)
        if self.ours and wish.how.train_only:
            say(f"Trained. The same command without --train-only writes {wish.world}, here or where {wish.desk} is.")
        elif self.ours:
            self._export(plan)
            say(summary.write(wish, plan))

    def _open(self) -> bool:
        """Take the desk and the pictures; whether there is anything left to do."""
        wish, say = self.wish, self.display.say
        made = settle(wish)
        self.lock = run.alone(wish.desk)
        interim.tidy(wish.world)
        if summary.done(wish):
            say(f"{wish.name} is finished; new pictures or more time want another --name.\n\n{summary.read(wish)}")
            return False
        try:
            reach(wish)
            ingest.take_in(wish, say)
        except BaseException:
            leave(wish, made)
            raise
        self._greet()
        return True

    # ------------------------------------------------------------------ words
    def _greet(self) -> None:
        wish, told = self.wish, ingest.told(self.wish.world_folder)
        self.display.say(f"{told['pictures']} pictures, {len(_list(told['held_out']))} of them kept aside to judge by.")
        for sentence in _list(told["warnings"]):
            self.display.say(f"! {sentence}")
        self.display.say(f"Look at it grow: {wish.desk / SHEET} (always the newest)")

    def _say_plan(self, plan: Plan, known: bool) -> None:
        teacher, students = (leg.steps * leg.step for leg in (plan.teacher, plan.students))
        if known:
            self.display.say("Going on with the plan that was made when this began.")
        if self.wish.minutes not in (None, plan.minutes) or self.wish.sizes != plan.sizes:
            kept = f"{plan.time} and the sizes {','.join(plan.sizes)}"
            self.display.say(f"! The plan stays as it was made, for {kept}; for others give another --name.")
        if short := too_short(plan):
            self.display.say(f"! {short}")
        self.display.say(
            f"Plan for {plan.device}: the teacher {plan.teacher.steps:,} steps ({left(teacher)}), "
            f"{', '.join(plan.sizes)} {plan.students.steps:,} steps ({left(students)}), then export; "
            f"about {left(plan.seconds)} in all."
        )
        for sentence in warnings(plan):
            self.display.say(f"! {sentence}")
        if self.ours:
            self.wish.models.mkdir(parents=True, exist_ok=True)
            summary.write_show(self.wish, plan.sizes)
        if self.wish.how.watch:
            self.display.say(f"Play it meanwhile: perform run {self.wish.desk / 'show.toml'}")

    # ------------------------------------------------------------------ stages
    def _teacher(self, plan: Plan) -> None:
        folder, done = self.wish.desk / "teacher", self.wish.desk / "teacher" / "done.json"
        if done.exists():
            return
        recipe = plan.teacher_recipe
        after = plan.students.steps * plan.students.step + EXPORT * len(plan.sizes)
        names = {interim.TEACHER: recipe.size}
        view = watching.View(
            watching.TITLES["teacher"],
            plan.teacher,
            recipe.paired + recipe.unpaired,
            after,
            watching.teacher_words(recipe),
        )
        watcher = self._watcher(view, folder, names, plan)
        train.train(
            recipe,
            self.wish.world_folder,
            folder,
            self.wish.how.cache,
            plan.teacher.pace,
            self.wish.how.device,
            watcher,
        )
        if self.ours:
            stands = watching.elect(folder, watcher.final, recipe.steps)
            if stands != watcher.final:
                better = f"It painted best at step {stands['step']:.0f}, clearly better than at the end"
                self.display.say(f"{better}: that state is the teacher.")
            summary.note(done, stands)
        ranks.agree(True)

    def _students(self, plan: Plan) -> None:
        folder, done = self.wish.desk / "students", self.wish.desk / "students" / "done.json"
        if done.exists():
            return
        recipe = plan.students_recipe
        view = watching.View(
            watching.TITLES["students"],
            plan.students,
            recipe.paired + recipe.unpaired,
            EXPORT * len(plan.sizes),
            watching.student_words(recipe),
            (*plan.sizes, "teacher"),
        )
        watcher = self._watcher(view, folder, {size: size for size in plan.sizes}, plan)
        teacher, world = self.wish.desk / "teacher", self.wish.world_folder
        distil.distil(
            recipe, teacher, world, folder, plan.students.pace, self.wish.how.device, watcher, cache=self.wish.how.cache
        )
        if self.ours:
            summary.note(done, asdict(recipe))
        ranks.agree(True)

    def _export(self, plan: Plan) -> None:
        self.display.close()
        self.display.say(f"Writing the world: half a minute for each of {', '.join(plan.sizes)} …")
        folder, wish = self.wish.desk / "students", self.wish
        runs = {size: folder / size for size in plan.sizes}
        try:
            export.ship(runs, wish.world_folder, wish.world)
        except export.Unfit as e:
            # hours are not lost over a network that eight bits do not suit
            self.display.say(f"! {e}. The world is written without its int8 files.")
            made = {size: export.live(run_folder) for size, run_folder in runs.items()}
            interim.publish(made, plan.sizes, self._about, wish.world)
        attribution = (wish.world_folder / "ATTRIBUTION.csv").read_bytes()
        run.write(wish.world / "ATTRIBUTION.csv", lambda path: path.write_bytes(attribution))

    # ------------------------------------------------------------------ the world while it learns
    def _watcher(self, view: watching.View, folder: Path, names: Mapping[str, str], plan: Plan) -> watching.Watching:
        moulds = graph.Moulds()

        def publish(weights: Mapping[str, Tensor]) -> None:
            interim.publish(interim.dreams(weights, names), plan.sizes, self._about, self.wish.world, moulds)

        sheet, told = self.wish.desk / SHEET, publish if self.wish.how.watch else None
        return watching.Watching(view, self.display, sheet, told, scores=watching.recall(folder), most=self.most)

    @cached_property
    def _about(self) -> dict[str, object]:
        """What the card says apart from the sizes. The pictures that it is made of are let go: the training has its
        own.
        """
        batches = Batches(World.load(self.wish.world_folder), export.SIDE, strange=16)
        told = export.describe(self.wish.world_folder, batches)
        del told["preview"]
        condition = card.CONDITION | ({"reduce": 1.0} if batches.pairs else {})
        return told | {"condition": {"name": "reduce", **condition}, "network": {"name": "plain"}}


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else []
