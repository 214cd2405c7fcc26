"""The cue list: fired by hand, by show time, or one after another.

    cues = Cues((Cue("dawn", {"/layer/dream/mood": "dawn"}), Cue("ocean", {"/layer/dream/world": "ocean"}, fade=4.0)))
    with cues.open(stage):
        params.post("/cue/go")

What a post fires lands in the same frame as the post. Numbers and colours fade; worlds, blends and whatever else has
nothing between its values switch when the cue begins. After the last cue comes the first.
"""

from __future__ import annotations

import functools
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from perform.control.cue import ITS_OWN, Cue, Score, fired, problems
from perform.control.osc.pattern import Patterns
from perform.control.preset_list import SAVE, PresetList, Triggers
from perform.health import Status
from perform.params import Post, Refused, Value
from perform.plugins import Closing, Stage

__all__ = ["Cue", "Cues"]

log = logging.getLogger(__name__)
STATUS = "/status/cue"
SAFE: Mapping[str, Value] = {"/master/opacity": 1.0, "/master/blackout": False, "/master/freeze": False}
SLACK = 1e-6  # seconds: rounding must not cost a frame


@dataclass(slots=True)
class Cues(Closing):
    """The cues and presets of a show. Open it last: it looks its addresses up in the finished tree.

    `folder` holds the presets, relative to the show's. `problems` gets a sentence for each line that was left out; the
    rest plays. Those of presets and of an edited list are logged as well. `/panic` goes back, at once, to `opening`
    (the values a show opens with; what it does not name goes to its default), with the master up; without one, to how
    everything stood at the first frame. `resume` is what `stood` said in an earlier process. Render thread, but for the
    writing of presets.
    """

    cues: Sequence[Score] = ()
    folder: Path = Path("presets")
    opening: Mapping[str, Value] | None = None
    resume: Mapping[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list, init=False)
    _list: _List | None = field(default=None, init=False)
    _presets: PresetList | None = field(default=None, init=False)

    def open(self, stage: Stage) -> Self:
        """Declare the addresses and begin to follow the show's time."""
        self.close()
        params = stage.params
        status, patterns = Status(params, STATUS), Patterns(params)
        self._list = _List(status, Triggers(params), patterns, tuple(self.cues), self.opening)
        triggers = self._list.triggers.beside()
        self._presets = PresetList(stage.folder / self.folder, status, triggers, patterns)
        self._list.open()
        self._list.stand(self.resume)
        wrong = self._presets.open()  # first: a cue may call a preset
        self.problems[:] = self._list.problems() + wrong
        _log(wrong)  # whoever opens a show holds its cues against the tree, and says what is wrong with their lines
        params.feeds.append(self._feed)
        return self

    def stood(self) -> dict[str, Any]:
        """Where the list stands: `time` the show has played, over all its starts; the present `cue`; `since` when; if
        a panic `held` it. `resume` takes it in the next process: what was dated before is past, what follows comes in
        time. Any thread.
        """
        return self._list.stood() if self._list is not None else {}

    def change(self, cues: Sequence[Score], opening: Mapping[str, Value] | None = None) -> None:
        """Play another list from here on (an edited show): what was fired stays, what is dated before now is past.

        `opening` is what `/panic` goes back to from now on; None: to what it did before.
        """
        old, self.cues = self._list, cues
        if old is not None and self._presets is not None:
            old.triggers.close()
            self._list = _List(old.status, old.triggers.beside(), old.patterns, tuple(cues), opening or old.opening)
            self._list.open()
            self._list.carry_on(old)
            wrong = self._presets.look()
            self.problems[:] = self._list.problems() + wrong
            _log(self.problems)

    def open_with(self, opening: Mapping[str, Value]) -> None:
        """What `/panic` goes back to from now on; the list stays as it is."""
        if self._list is not None:
            self._list.opening = opening

    def close(self) -> None:
        """Forget the addresses."""
        if self._list is not None:
            params = self._list.triggers.params
            params.feeds[:] = [f for f in params.feeds if f != self._feed]
            self._list.triggers.close()
        if self._presets is not None:
            self._presets.close()
        self._list = self._presets = None

    def _feed(self, now: float) -> list[Post]:
        """What the presets that were called up, and the cues that are due, post. The end of each settle."""
        return self._list.feed(now) if self._list is not None else []


def _log(problems: Sequence[str]) -> None:
    for sentence in problems:
        log.warning("%s", sentence)


@dataclass(slots=True)
class _List:
    """The cue list while it is open. A trigger wishes for a deed; the feed, at the end of the settle, does it."""

    status: Status
    triggers: Triggers
    patterns: Patterns
    cues: tuple[Score, ...]
    opening: Mapping[str, Value] | None = None
    place: int = -1  # of the present cue; -1 before the first
    since: float | None = None  # show time at which it was fired; None: nothing follows by itself
    held: bool = False  # since a panic: nothing fires by itself until the list is told to go
    last: float = -1.0  # show time of the last settle
    earlier: float = 0.0  # seconds that the show had played before this process; `since` and `last` count them
    ways: dict[int, tuple[int, ...]] = field(default_factory=dict)  # cues that cues fired in the last settle: by which
    begun: dict[int, tuple[int, ...]] = field(default_factory=dict)  # and in this one

    def open(self) -> None:
        """Declare the addresses."""
        self.triggers.add(
            "/cue/go", "Fires the next cue; after the last comes the first.", lambda now: self._go(self.place + 1, now)
        )
        self.triggers.add("/cue/back", "Fires the cue before.", lambda now: self._go(max(self.place - 1, 0), now))
        self.triggers.add("/panic", "Everything back to how the show opened, at once, with the master up.", self._panic)
        self.triggers.alone = self._panic
        for n, cue in enumerate(self.cues):
            self.triggers.add(f"/cue/{cue.name}/go", f"Fires the cue {cue.name!r}.", functools.partial(self._go, n))
        self.status.say(f"{len(self.cues)} cues" if len(self.cues) != 1 else "1 cue")

    def problems(self) -> list[str]:
        """What the tree cannot take of the cues, one sentence each."""
        return problems(self.cues, self.patterns, self.triggers.called(self.cues, self.patterns))

    def carry_on(self, old: _List) -> None:
        """Stand where another list stood, at the same time: at the cue of the same name; at the same place, where that
        was renamed; else, at the last before it that is still there.
        """
        self.last, self.since, self.earlier, self.held = old.last, old.since, old.earlier, old.held
        there = {cue.name: n for n, cue in enumerate(self.cues)}
        past = [cue.name for cue in old.cues[: old.place + 1]]
        if past and past[-1] not in there and len(self.cues) == len(old.cues):
            self.place = old.place
        else:
            self.place = next((there[name] for name in reversed(past) if name in there), -1)

    def stood(self) -> dict[str, Any]:
        place = self.place
        name = self.cues[place].name if 0 <= place < len(self.cues) else ""
        return {"time": self.last, "cue": name, "since": self.since, "held": self.held}

    def stand(self, stood: Mapping[str, Any]) -> None:
        """Go on from there; what makes no sense is left out."""
        time, since = stood.get("time"), stood.get("since")
        if isinstance(time, (int, float)) and 0.0 <= time < math.inf:
            self.earlier = self.last = float(time)
            self.since = min(float(since), self.last) if isinstance(since, (int, float)) else None
            self.held = stood.get("held") is True
            self.place = next((n for n, cue in enumerate(self.cues) if cue.name == stood.get("cue")), -1)

    def feed(self, now: float) -> list[Post]:
        """What the cues that are due post. The end of each settle."""
        now += self.earlier
        self.ways, self.begun = self.begun, {}
        if self.opening is None:
            self.opening = self.triggers.params.snapshot()
        out = self.triggers.fulfil(now)
        for n in self._timed(now):
            out += self._go(n, now)
        self.last = now
        return out

    def _timed(self, now: float) -> list[int]:
        """The cues that fire by themselves, in the order of their times."""
        if self.held:
            return []
        due = [n for n, cue in enumerate(self.cues) if cue.at is not None and self.last < cue.at - SLACK <= now]
        due.sort(key=lambda n: self.cues[n].at or 0.0)
        if due or self.since is None or not self.cues:
            return due
        after = (self.place + 1) % len(self.cues)
        follow = self.cues[after].follow
        return [after] if follow is not None and now >= self.since + follow - SLACK else []

    def _go(self, n: int, now: float) -> list[Post]:
        if not self.cues:
            self.status.say("there are no cues")
            return []
        self.place, self.since, self.held = n % len(self.cues), now, False
        cue = self.cues[self.place]
        self.status.say(cue.name)
        return self._onward(self.place, self.triggers.posts(f"/cue/{cue.name}/go", cue, self.patterns))

    def _onward(self, n: int, posts: list[Post]) -> list[Post]:
        """A cue's posts, but for those that fire it once more, or a cue by which it was fired: they go round for ever,
        a cue in each frame.
        """
        way = (*self.ways.get(n, ()), n)
        out: list[Post] = []
        for post in posts:
            after = self._fires(post)
            if after is not None and after in way:
                name = self.cues[n].name
                why = f"cue {name!r}: fires itself" + (f" by way of {self.cues[after].name!r}" if after != n else "")
                self.triggers.params.refuse(Post(f"/cue/{name}/go", None), why)
                self.status.say(why, trouble=True)
                continue
            if after is not None:
                self.begun[after] = way
            out.append(post)
        return out

    def _fires(self, post: Post) -> int | None:
        """The place of the cue that a post of the present one fires."""
        param = self.triggers.params.find(post.address)
        if param is None or param.spec.kind != "trigger" or not param.spec.coerce(post.value):
            return None
        return fired(param.address, self.place, self.cues)

    def _panic(self, now: float) -> list[Post]:
        self.place, self.since, self.held = -1, None, True
        self.status.say("panic: everything as it was when the show opened")
        params = self.triggers.params
        opening = {known.address: v for a, v in {**(self.opening or {}), **SAFE}.items() if (known := params.find(a))}
        back: dict[str, Value] = {}
        for param in params:
            if not (param.spec.readonly or param.spec.kind == "trigger"):
                # A preset's name says what to do, and is not brought back; empty, the same can be said again.
                value = "" if param.address == SAVE else opening.get(param.address, param.spec.default)
                its_own = param.address.rpartition("/")[2] in ITS_OWN  # its world comes back first, and has it
                try:
                    back[param.address] = value if its_own else param.spec.coerce(value)
                except Refused:
                    continue  # a choice that has nothing to choose from now
                except Exception:  # live choices are asked of parts: the mistake of one must not keep all the others
                    log.debug("panic: %s stays", param.address, exc_info=True)
        params.expect(self.opening or {})  # what comes only now begins there, too
        return [Post(a, v) for a, v in back.items() if params[a].base != v or params[a].fade is not None]
