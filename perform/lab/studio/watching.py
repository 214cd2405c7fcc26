"""Looking over a stage's shoulder: tells a person how it stands, keeps the best state, warns of a collapse, and hands a
learning world to a running show.
"""

from __future__ import annotations

import json
import math
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from perform.lab import driving, run, threads
from perform.lab.studio import contact
from perform.lab.studio.display import Display, News
from perform.lab.studio.plan import Leg

VARIETY = 0.3  # of the photographs' own: below, it paints nearly the same whatever it is given
EARLY = 0.2  # of a stage: before this nothing is judged
CLEARLY = 0.95  # times the last state's distance: then the best is taken instead
BEST, SCORES = "best.safetensors", "scores.json"
COLLAPSE = (
    "It paints nearly the same picture whatever it is given (variety {variety:.2f} of the photographs'). This often "
    "heals; if the last rows of the sheet still look alike at the end, give it more, and more different, pictures."
)


@dataclass(frozen=True)
class View:
    """What a watcher is to see: the stage's name for people, its leg, pictures a step, seconds of what comes after, and
    the networks that stand side by side in its sheets (none: there is one).
    """

    title: str
    leg: Leg
    batch: int
    after: float
    said: Callable[[Mapping[str, float]], Sequence[str]]
    beside: Sequence[str] = ()


@dataclass
class Watching:
    """A `driving.Watcher`. `publish` is called with the stage's weights about once a minute, if somebody watches. The
    threads, at most `most` (0: they are not ours to choose), are counted again (`refit`) after a minute whose steps
    took twice as long as planned, and every ten minutes while they are fewer.

    `scores` are those of the folder, kept over interruptions: [step, score, variety].
    """

    view: View
    display: Display
    sheet: Path
    publish: Callable[[Mapping[str, Tensor]], None] | None = None
    clock: Callable[[], float] = time.monotonic
    scores: list[list[float]] = field(default_factory=list)
    most: int = 0
    refit: Callable[[int], int] = threads.fit
    _since: tuple[int, float] | None = None
    _counted: float = 0.0
    _published: float = float("-inf")
    _warned: bool = False

    def stepped(self, stage: driving.Stage, numbers: Mapping[str, float], seconds: float) -> None:
        leg = self.view.leg
        left = (leg.steps - stage.done) * seconds + self.view.after
        rate = self.view.batch / seconds if seconds > 0 else 0.0
        words, curve = self.view.said(numbers), [score for _, score, _ in self.scores]
        self.display.show(News(self.view.title, stage.done, leg.steps, left, rate, words, curve))
        self._hand_over(stage)
        self._make_room(stage)

    def saved(self, stage: driving.Stage, folder: Path) -> None:
        """At the end, a last sheet and a last judgement."""
        last = folder / f"sheet-{stage.done:06d}.jpg"
        if stage.done >= self.view.leg.steps and not (self.scores and self.scores[-1][0] == stage.done):
            try:
                run.picture(last, stage.sheet())
            except OSError as e:
                self.said(f"The contact sheet could not be written ({e.strerror or e}).")
            self.drawn(stage, last)

    def drawn(self, stage: driving.Stage, sheet: Path) -> None:
        try:
            self._draw(sheet)
            if hasattr(stage, "score"):
                self._judge(stage, sheet.parent)
        except OSError as e:
            self.said(f"The contact sheet could not be written ({e.strerror or e}). Going on.")

    def said(self, sentence: str) -> None:
        self.display.say(sentence)

    @property
    def final(self) -> dict[str, float]:
        """The newest judgement: step, score, variety; empty before the first."""
        return _judgement(self.scores[-1]) if self.scores else {}

    def _draw(self, sheet: Path) -> None:
        if self.view.beside:
            contact.beside(sheet, self.view.beside, self.sheet)
        else:
            contact.grow(sheet.parent, self.sheet)

    def _judge(self, stage: Any, folder: Path) -> None:
        """Score the state; the best of the later half is kept as `best.safetensors`. Of weights that are no numbers
        any more nothing is kept: their training ends at its next checkpoint, and goes on from the last.
        """
        got = stage.score()
        if not (math.isfinite(got["score"]) and math.isfinite(got["variety"])):
            return
        later = [
            row for row in self.scores if row[0] < stage.done
        ]  # what was judged after the last checkpoint is redone
        half = self.view.leg.steps / 2
        best = min((row[1] for row in later if row[0] >= half), default=float("inf"))
        if stage.done >= half and got["score"] < best:
            keep(folder / BEST, stage.weights())
        self.scores[:] = [*later, [stage.done, got["score"], got["variety"]]]
        text = json.dumps(self.scores)
        run.write(folder / SCORES, lambda path: path.write_text(text, encoding="utf-8"))
        if got["variety"] < VARIETY and stage.done >= EARLY * self.view.leg.steps and not self._warned:
            self._warned = True
            self.said(COLLAPSE.format(variety=got["variety"]))

    def _hand_over(self, stage: driving.Stage) -> None:
        if self.publish is None or self.clock() - self._published < 60.0:
            return
        try:
            self.publish(stage.weights())
        except (OSError, ValueError) as e:  # a full disk; a card or words with a slip in them, weights beyond fp16
            why = (e.strerror or e) if isinstance(e, OSError) else e
            self.said(f"The world could not be written for the show ({why}); it plays the one before.")
        self._published = self.clock()

    def _make_room(self, stage: driving.Stage) -> None:
        """A show that was started after the threads were counted is in the way of each of them, and one that has ended
        leaves room: count them again.
        """
        if self._since is None:
            self._counted = self.clock()  # they were counted before the stage began
        done, then = self._since or (stage.done, self.clock())
        self._since = done, then
        if not self.most or self.clock() - then < 60.0:
            return
        before = torch.get_num_threads()
        slow = self.clock() - then > 2 * self.view.leg.step * (stage.done - done)
        if slow or (before < self.most and self.clock() - self._counted >= 600.0):
            now = self.refit(self.most)
            if now != before:
                busier = "Steps take twice as long as was planned" if slow else "The machine is busier"
                why = "There is room again" if now > before else busier
                self.said(f"{why}: going on with {now} thread{'s' * (now != 1)}, which is quicker now.")
            self._counted = self.clock()
        self._since = stage.done, self.clock()


TITLES = {"teacher": "The teacher learns", "students": "The small ones learn from it"}


def recall(folder: Path) -> list[list[float]]:
    """The scores of a run folder; none if it has none yet, or they cannot be read. What is no number says nothing."""
    try:
        rows = json.loads((folder / SCORES).read_text(encoding="utf-8"))
        scores = [[float(number) for number in row] for row in rows]
    except (OSError, ValueError, TypeError):
        return []
    return [row for row in scores if all(map(math.isfinite, row))]


def _judgement(row: Sequence[float]) -> dict[str, float]:
    return dict(zip(("step", "score", "variety"), row, strict=True))


def keep(path: Path, weights: Mapping[str, Tensor]) -> None:
    """Write weights as safetensors, atomically."""
    run.tensors(path, {key: value.detach().cpu().contiguous().clone() for key, value in weights.items()})


def elect(folder: Path, final: Mapping[str, float], steps: int) -> dict[str, float]:
    """Let the best state of the later half stand for the teacher if it is clearly better than the last: it becomes
    `ema.safetensors`. Returns the judgement of the state that stands now, else `final`. Doing it twice does no harm.
    """
    half = [row for row in recall(folder) if steps / 2 <= row[0] < steps]
    best = min(half, key=lambda row: row[1], default=None)
    if best is None or best[1] > CLEARLY * final["score"] or not (folder / BEST).exists():
        return dict(final)
    run.write(folder / "ema.safetensors", lambda path: shutil.copyfile(folder / BEST, path))
    return _judgement(best)


def teacher_words(recipe: Any) -> Callable[[Mapping[str, float]], Sequence[str]]:
    """A teacher's losses as a person would say them."""

    def said(numbers: Mapping[str, float]) -> list[str]:
        follows = 1 - numbers["follow"] / recipe.follow if recipe.follow else 0.0
        layout = 1 - numbers["coarse"] / recipe.coarse / 2 if recipe.coarse else 0.0
        fooled = min(1.0, max(0.0, numbers["judge"] / 2))  # the hinge loss of judges that cannot tell is 2
        return [f"follows the light {_percent(follows)}", f"colours {_percent(layout)}", f"fools {_percent(fooled)}"]

    return said


def student_words(recipe: Any) -> Callable[[Mapping[str, float]], Sequence[str]]:
    """How near each size is to its teacher, pixel by pixel."""

    def said(numbers: Mapping[str, float]) -> list[str]:
        near = {size: 1 - numbers.get(f"{size} pixel", 0.0) / recipe.pixel / 2 for size in recipe.sizes.split(",")}
        first, *others = (f"{size} {_percent(value)}" for size, value in near.items())
        return [f"as the teacher: {first}", *others]

    return said


def _percent(part: float) -> str:
    return f"{100 * max(0.0, min(1.0, part)):.0f} %"
