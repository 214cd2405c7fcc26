"""The cue list: fired by hand, by show time, or one after another.

    cues = Cues((Cue("dawn", {"/layer/dream/mood": "dawn"}), Cue("ocean", {"/layer/dream/world": "ocean"}, fade=4.0)))
    with cues.open(stage):
        params.post("/cue/go")

What a post fires lands in the same frame as the post. Numbers and colours fade; worlds, blends and whatever else has
nothing between its values switch when the cue begins. After the last cue comes the first.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from perform.control import presets
from perform.control.cue import Cue, Score, posts
from perform.control.osc.pattern import Patterns
from perform.health import Status
from perform.params import Param, Post, Refused, Spec, Value
from perform.plugins import Closing, Stage
from perform.workers import Worker, spawn

log = logging.getLogger(__name__)
STATUS = "/status/cue"
SAFE: Mapping[str, Value] = {"/master/opacity": 1.0, "/master/blackout": False, "/master/freeze": False}
AT_ONCE = 8  # presets being written: a flood of names must not become a flood of threads
SLACK = 1e-6  # seconds: rounding must not cost a frame
Deed = Callable[[float], list[Post]]  # show time -> what it posts


@dataclass(slots=True)
class Cues(Closing):
    """The cues and presets of a show. Open it last: it looks its addresses up in the finished tree.

    `folder` holds the presets, relative to the show's. `problems` gets a sentence for each line that was left out; the
    rest plays. `/panic` goes back, at once, to `opening` (the values a show opens with; what it does not name goes to
    its default), with the master up; without one, to how everything stood at the first frame. `resume` is what
    `stood` said in an earlier process. Render thread, but for the writing of presets.
    """

    cues: Sequence[Score] = ()
    folder: Path = Path("presets")
    opening: Mapping[str, Value] | None = None
    resume: Mapping[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list, init=False)
    _list: _List | None = field(default=None, init=False)

    def open(self, stage: Stage) -> Self:
        """Declare the addresses and begin to follow the show's time."""
        self.close()
        self._list = _List(stage, tuple(self.cues), stage.folder / self.folder, self.opening)
        self.problems[:] = self._list.open()
        self._list.stand(self.resume)
        return self

    def stood(self) -> dict[str, Any]:
        """Where the list stands: `time` the show has played, over all its starts; the present `cue`; `since` when.
        `resume` takes it in the next process: what was dated before is past, what follows comes in time. Any thread.
        """
        return self._list.stood() if self._list is not None else {}

    def change(self, cues: Sequence[Score], opening: Mapping[str, Value] | None = None) -> None:
        """Play another list from here on (an edited show): what was fired stays, what is dated before now is past.

        `opening` is what `/panic` goes back to from now on; None: to what it did before.
        """
        old, self.cues = self._list, cues
        if old is not None:
            self.close()
            self._list = _List(old.stage, tuple(cues), old.folder, opening or old.opening)
            self.problems[:] = self._list.open()
            self._list.carry_on(old)

    def open_with(self, opening: Mapping[str, Value]) -> None:
        """What `/panic` goes back to from now on; the list stays as it is."""
        if self._list is not None:
            self._list.opening = opening

    def close(self) -> None:
        """Forget the addresses."""
        cues, self._list = self._list, None
        if cues is not None:
            cues.close()


@dataclass(slots=True)
class _List:
    """The cue list while it is open. A trigger wishes for a deed; the feed, at the end of the settle, does it."""

    stage: Stage
    cues: tuple[Score, ...]
    folder: Path
    opening: Mapping[str, Value] | None = None
    place: int = -1  # of the present cue; -1 before the first
    since: float | None = None  # show time at which it was fired; None: nothing follows by itself
    last: float = -1.0  # show time of the last settle
    earlier: float = 0.0  # seconds that the show had played before this process; `since` and `last` count them
    wishes: deque[Deed] = field(default_factory=deque)
    declared: set[str] = field(default_factory=set)
    workers: list[Worker] = field(default_factory=list)
    status: Status = field(init=False)
    patterns: Patterns = field(init=False)

    def open(self) -> list[str]:
        """Returns what is wrong with the cues and presets, one sentence each."""
        params = self.stage.params
        self.status, self.patterns = Status(params, STATUS), Patterns(params)
        self._trigger(
            "/cue/go", "Fires the next cue; after the last comes the first.", lambda now: self._go(self.place + 1, now)
        )
        self._trigger("/cue/back", "Fires the cue before.", lambda now: self._go(max(self.place - 1, 0), now))
        self._trigger("/panic", "Everything back to how the show opened, at once, with the master up.", self._panic)
        for n, cue in enumerate(self.cues):
            self._trigger(f"/cue/{cue.name}/go", f"Fires the cue {cue.name!r}.", functools.partial(self._go, n))
        problems = [sentence for cue in self.cues for sentence in posts(cue, self.patterns, before=self.cues)[1]]
        for name in presets.names(self.folder):
            path = self.folder / f"{name}.toml"
            try:
                preset = Cue(name, presets.read(path))
                self._add_preset(preset)
            except presets.PresetError as why:
                problems.append(str(why))
                continue
            except ValueError as why:  # Calm.toml beside calm.toml
                problems.append(f"{path}: {why}")
                continue
            wrong = posts(preset, self.patterns)[1]
            more = f" (and {len(wrong) - 1} more of {path}: is it another show's?)" if len(wrong) > 1 else ""
            problems += [s.replace("cue", "preset", 1) + more for s in wrong[:1]]
        spec = Spec("text", "", doc="Writes every value of now to the presets folder, under this name.")
        params.declare("/preset/save", spec).on_change = self._wish_to_save
        self.declared.add("/preset/save")
        for sentence in problems:
            log.warning("%s", sentence)
        self.status.say(f"{len(self.cues)} cues" if len(self.cues) != 1 else "1 cue")
        params.feeds.append(self.feed)
        return problems

    def carry_on(self, old: _List) -> None:
        """Stand where another list stood: at the cue of the same name, at the same time."""
        self.last, self.since, self.earlier = old.last, old.since, old.earlier
        present = old.cues[old.place].name if old.place >= 0 else None
        self.place = next((n for n, cue in enumerate(self.cues) if cue.name == present), -1)

    def stood(self) -> dict[str, Any]:
        place = self.place
        name = self.cues[place].name if 0 <= place < len(self.cues) else ""
        return {"time": self.last, "cue": name, "since": self.since}

    def stand(self, stood: Mapping[str, Any]) -> None:
        """Go on from there; what makes no sense is left out."""
        time, since = stood.get("time"), stood.get("since")
        if isinstance(time, (int, float)) and 0.0 <= time < math.inf:
            self.earlier = self.last = float(time)
            self.since = min(float(since), self.last) if isinstance(since, (int, float)) else None
            self.place = next((n for n, cue in enumerate(self.cues) if cue.name == stood.get("cue")), -1)

    def close(self) -> None:
        params = self.stage.params
        params.feeds[:] = [f for f in params.feeds if f != self.feed]
        for address in self.declared:
            params[address].on_change = None
            params.remove(address)
        for worker in self.workers:
            worker.close()

    def feed(self, now: float) -> list[Post]:
        """What the cues that are due post. The end of each settle."""
        now += self.earlier
        if self.opening is None:
            self.opening = self.stage.params.snapshot()
        out: list[Post] = []
        while self.wishes:
            out += self.wishes.popleft()(now)
        for n in self._timed(now):
            out += self._go(n, now)
        self.last = now
        return out

    def _timed(self, now: float) -> list[int]:
        """The cues that fire by themselves, in the order of their times."""
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
        self.place, self.since = n % len(self.cues), now
        cue = self.cues[self.place]
        self.status.say(cue.name)
        return posts(cue, self.patterns)[0]

    def _panic(self, now: float) -> list[Post]:
        self.place, self.since = -1, None
        self.status.say("panic: everything as it was when the show opened")
        params = self.stage.params
        back: dict[str, Value] = {}
        for param in params:
            if not (param.spec.readonly or param.spec.kind == "trigger" or self._is_own(param.address)):
                with contextlib.suppress(Refused):  # a choice that has nothing to choose from now
                    back[param.address] = param.spec.coerce(param.spec.default)
        for address, value in {**(self.opening or {}), **SAFE}.items():
            if (known := params.find(address)) is not None and known.address in back:
                back[known.address] = value
        return [Post(a, v) for a, v in back.items() if params[a].base != v or params[a].fade is not None]

    def _is_own(self, address: str) -> bool:
        return address in self.declared

    # ------------------------------------------------------------------ addresses
    def _trigger(self, address: str, doc: str, deed: Deed) -> None:
        def wish(param: Param) -> None:
            self.wishes.append(deed)

        self.stage.params.declare(address, Spec("trigger", doc=doc)).on_change = wish
        self.declared.add(address)

    def _add_preset(self, preset: Cue) -> None:
        def deed(now: float) -> list[Post]:
            self.status.say(f"preset {preset.name}")
            return posts(preset, self.patterns)[0]

        self._trigger(f"/preset/{preset.name}/go", f"Calls up the preset {preset.name!r}, at once.", deed)

    def _wish_to_save(self, param: Param) -> None:
        name = str(param.base).strip()
        if name:
            self.wishes.append(lambda now: self._save(name))

    def _save(self, name: str) -> list[Post]:
        done = [Post("/preset/save", "")]  # so that the same name can be said again
        if not presets.NAME.fullmatch(name) or name.casefold() == "save":
            self._refuse(name, "takes a name of letters, digits, - and _")
            return done
        self.workers[:] = [w for w in self.workers if w.alive]
        if len(self.workers) >= AT_ONCE:
            self._refuse(name, f"writes {AT_ONCE} presets at a time; say it again")
            return done
        preset = Cue(name, {a: v for a, v in self.stage.params.snapshot().items() if not self._is_own(a)})
        path = self.folder / f"{name}.toml"
        try:
            self._add_preset(preset)
        except ValueError as why:
            self._refuse(name, f"cannot take this name: {why}")
            return done
        self.workers.append(spawn(f"preset {name}", lambda stop: self._write(path, preset.set), restart=False))
        return done

    def _refuse(self, name: str, why: str) -> None:
        """Nobody hears an /error for what was wished for in the settle before: the status says it."""
        self.stage.params.refuse(Post("/preset/save", name), why)
        self.status.say(f"the preset {name[:40]!r} is not saved: /preset/save {why}", trouble=True)

    def _write(self, path: Path, values: Mapping[str, Value]) -> None:
        try:
            presets.write(path, values)
        except presets.PresetError as why:
            self.status.say(str(why), trouble=True)
        else:
            self.status.say(f"saved preset {path.stem}")
