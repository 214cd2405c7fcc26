"""The presets at play: an address for each file of the folder, and one that writes them."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from perform.control import presets
from perform.control.cue import HINTS, Cue, Score, posts, worlds_of
from perform.control.osc.pattern import PatternError, Patterns
from perform.files import Stamp, stamp
from perform.health import Status
from perform.params import Param, Params, Post, Spec, Value
from perform.workers import Worker, spawn

AT_ONCE = 8  # presets being written: a flood of names must not become a flood of threads
SAVE = "/preset/save"
Deed = Callable[[float], list[Post]]  # show time -> what it posts


@dataclass(slots=True)
class Triggers:
    """Addresses that wish for a deed when they are fired; `fulfil` does it, in the same settle. Render thread."""

    params: Params
    wishes: deque[Deed] = field(default_factory=deque)
    alone: Deed | None = None  # what was wished for before it, in the same settle, is not posted
    declared: set[str] = field(default_factory=set)
    presets: dict[str, Score] = field(default_factory=dict)  # by the address that calls them up

    def beside(self) -> Triggers:
        """Others in the same tree: what they wish for is done in the same order, and the presets are the same."""
        return Triggers(self.params, self.wishes, presets=self.presets)

    def fulfil(self, now: float) -> list[Post]:
        """What the deeds that were wished for post."""
        out: list[Post] = []
        while self.wishes:
            deed = self.wishes.popleft()
            if deed == self.alone:
                out.clear()
            out += deed(now)
        return out

    def posts(self, address: str, cue: Score, patterns: Patterns) -> list[Post]:
        """What a cue or a preset posts when `address` fires it; what the tree cannot take of it is counted.

        The presets that it calls come first, in the same frame: its own lines stand on top, and what it fades goes
        from where it is, not from what a preset says.
        """
        find = self.params.find
        scores = self._with_presets(address, cue, patterns, set())
        worlds = worlds_of([score for _, score in scores], patterns)  # a cue may bring a mood of a preset's world
        out: list[Post] = []
        for name, score in scores:
            own, wrong = posts(score, patterns, worlds=worlds)
            for line in wrong:
                self.params.refuse(Post(name, None), line.text)
            fading = {find(post.address) for post in own if post.seconds > 0.0}
            out = [post for post in out if find(post.address) not in fading]
            out += [post for post in own if not ((param := find(post.address)) and self._calls(param, post.value))]
        return out

    def called(self, cues: Iterable[Score], patterns: Patterns) -> list[Score]:
        """The presets that these cues or presets call, directly or by others; each once."""
        seen: set[str] = set()
        return [score for cue in cues for own, score in self._with_presets("", cue, patterns, seen) if own]

    def _with_presets(self, address: str, cue: Score, patterns: Patterns, seen: set[str]) -> list[tuple[str, Score]]:
        """A cue or preset with its address, after the presets that it calls and those that they call. Each is there
        once: one that calls itself, by whatever way, must not go round.
        """
        seen.add(address)
        first: list[tuple[str, Score]] = []
        for line, value in cue.set.items():
            with contextlib.suppress(PatternError):  # `posts` says it
                for param in patterns.reach(line).values():
                    own = param.address
                    if own not in seen and self._calls(param, value):
                        first += self._with_presets(own, self.presets[own], patterns, seen)
        return [*first, (address, cue)]

    def _calls(self, param: Param, value: Any) -> bool:
        """Whether this value at this address calls up a preset."""
        return param.address in self.presets and not param.spec.misfit(value) and bool(param.spec.coerce(value))

    def add(self, address: str, doc: str, deed: Deed) -> None:
        """Raises ValueError as `Addresses.add` does."""

        def wish(param: Param) -> None:
            self.wishes.append(deed)

        self.params.declare(address, Spec("trigger", doc=doc)).on_change = wish
        self.declared.add(address)

    def drop(self, address: str) -> None:
        """Forget one, if it is there."""
        if address in self.declared:
            self.declared.discard(address)
            self.presets.pop(address, None)
            self.params[address].on_change = None
            self.params.remove(address)

    def close(self) -> None:
        """Forget them all. May be called twice."""
        for address in list(self.declared):
            self.drop(address)


@dataclass(slots=True)
class PresetList:
    """The presets in a folder. Render thread, but for their writing. An edit of the cues leaves them where they are:
    files are read once, and again only when they change.
    """

    folder: Path
    status: Status
    triggers: Triggers
    patterns: Patterns
    _known: dict[str, Stamp | None] = field(default_factory=dict)  # the files that were read, by name
    _workers: list[Worker] = field(default_factory=list)

    def open(self) -> list[str]:
        """Declare the addresses. Returns what is wrong with the files, one sentence each."""
        spec = Spec("text", "", doc="Writes every value of now to the presets folder, under this name.")
        params = self.triggers.params
        params.declare(SAVE, spec)
        params.on_settle.append(self._wish_to_save)  # which knows who asks: a refusal is to reach them
        self.triggers.declared.add(SAVE)
        return self.look()

    def look(self) -> list[str]:
        """Take up files that are new, changed or gone; a millisecond if none of a hundred is. Returns what is wrong."""
        there = presets.names(self.folder)
        for gone in self._known.keys() - set(there):
            del self._known[gone]
            self.triggers.drop(_address(gone))
        wrong: list[str] = []
        fresh: list[Cue] = []
        for name in there:
            try:
                fresh += self._take_up(name)
            except presets.PresetError as why:
                wrong.append(str(why))
        for preset in fresh:  # when all are declared: one preset may call another
            wrong += self._judge(preset, hint=len(wrong) < HINTS)
        return wrong

    def close(self) -> None:
        """Forget the addresses, and wait for what is being written. May be called twice."""
        settled = self.triggers.params.on_settle
        settled[:] = [listener for listener in settled if listener != self._wish_to_save]
        self.triggers.close()
        for worker in self._workers:
            worker.close()
        self._workers.clear()

    def _take_up(self, name: str) -> list[Cue]:
        """Read and declare it if it is new or has changed. Raises PresetError."""
        path = self.folder / f"{name}.toml"
        now = stamp(path)
        if name in self._known and self._known[name] == now:
            return []
        self._known[name] = now
        preset = Cue(name, presets.read(path))
        try:
            self._add(preset)
        except ValueError as why:  # Calm.toml beside calm.toml
            raise presets.PresetError(f"{path}: {why}") from None
        return [preset]

    def _judge(self, preset: Cue, hint: bool) -> list[str]:
        path = self.folder / f"{preset.name}.toml"
        worlds = worlds_of(self.triggers.called([preset], self.patterns), self.patterns)
        wrong = posts(preset, self.patterns, worlds=worlds)[1]
        more = f" (and {len(wrong) - 1} more of {path}: is it another show's?)" if len(wrong) > 1 else ""
        told = [line.hinted(self.patterns.params) if hint else line.text for line in wrong[:1]]
        return [text.replace("cue", "preset", 1) + more for text in told]

    def _add(self, preset: Cue) -> None:
        def deed(now: float) -> list[Post]:
            self.status.say(f"preset {preset.name}")
            return self.triggers.posts(_address(preset.name), preset, self.patterns)

        self.triggers.add(_address(preset.name), f"Calls up the preset {preset.name!r}, at once.", deed)
        self.triggers.presets[_address(preset.name)] = preset

    def _wish_to_save(self, param: Param, origin: object) -> None:
        if param.address == SAVE and (name := str(param.base).strip()):
            self.triggers.wishes.append(lambda now: self._save(name, origin))

    def _save(self, name: str, origin: object) -> list[Post]:
        done = [Post(SAVE, "")]  # so that the same name can be said again
        self._workers[:] = [w for w in self._workers if w.alive]
        if why := self._unfit(name):
            self._refuse(name, why, origin)
            return done
        preset = Cue(name, {a: v for a, v in self.triggers.params.snapshot().items() if a != SAVE})
        path = self.folder / f"{name}.toml"
        try:
            self._add(preset)
        except ValueError as why:
            self._refuse(name, f"cannot take this name: {why}", origin)
            return done
        self._workers.append(spawn(f"preset {name}", lambda stop: self._write(path, preset.set), restart=False))
        return done

    def _unfit(self, name: str) -> str:
        """Why nothing is saved under a name now, as the end of a sentence; empty where it is."""
        if name.casefold() == "save":
            return f"takes any name but {name!r}, which is its own"
        if not presets.NAME.fullmatch(name):
            return "takes a name of at most 64 letters, digits, - and _, not beginning with -"
        return f"writes {AT_ONCE} presets at a time; say it again" if len(self._workers) >= AT_ONCE else ""

    def _refuse(self, name: str, why: str, origin: object) -> None:
        """Whoever asked hears it as an /error, everybody else from the status."""
        self.triggers.params.refuse(Post(SAVE, name, origin=origin), why)
        self.status.say(f"the preset {name[:40]!r} is not saved: {SAVE} {why}", trouble=True)

    def _write(self, path: Path, values: Mapping[str, Value]) -> None:
        try:
            presets.write(path, values)
        except presets.PresetError as why:
            self.status.say(str(why), trouble=True)
        else:
            self.status.say(f"saved preset {path.stem}")


def _address(name: str) -> str:
    return f"/preset/{name}/go"
