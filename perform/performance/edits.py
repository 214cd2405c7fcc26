"""show.toml while it plays: a saved edit is taken up where that is safe, and a wrong one changes nothing."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from perform.files import Stamp, stamp
from perform.health import Status
from perform.params import Params, Post
from perform.performance.layering import Layering, roles
from perform.performance.parts import open_part
from perform.performance.performance import Performance
from perform.performance.sourcing import become, in_order, open_source
from perform.plugins import Declares, Stage
from perform.show import Edits, PartSpec, Problem, Show, ShowError, diff, load, misfits, resized
from perform.show.edits import CORNERS, FIXED, FOLDERS
from perform.workers import Mailbox, Worker, spawn

log = logging.getLogger(__name__)
PERIOD = 0.3  # seconds between two looks at the file
AGAIN = 10  # looks until a file that was wrong is read again: some 25 ms, which the picture should not feel
PATIENCE = 10  # looks at a file that is gone or empty: an editor may do that, for a moment, on its way to saving it


@dataclass(slots=True)
class Editor:
    """Follows the file of a performance. A worker reads it; `take_up` (render thread) makes the change."""

    play: Performance
    stage: Stage
    layering: Layering
    status: Status
    _news: Mailbox[Show | ShowError] = field(default_factory=Mailbox)
    _taken: Mailbox[str] = field(default_factory=Mailbox)  # what an edit left for the next start
    _stamp: Stamp | None = None
    _size: tuple[int, int] = (0, 0)  # that the file asks for
    _wrong: str = ""  # with the file as it is
    _looks: int = 0  # since it was read
    _absent: int = 0  # looks, one after the other, that found no file or an empty one
    _worker: Worker | None = None

    def watch(self) -> None:
        """Look at the file from now on; what was saved while the show opened is found at the first look."""
        show = self.play.show
        self._stamp, self._size = show.stamp or stamp(show.path), show.size
        with contextlib.suppress(ShowError, OSError):
            there = load(show.path)
            if there.stamp == self._stamp:
                self._size = there.size  # the file's own, whatever size was asked for on the command line
        self._worker = spawn("watch show.toml", self._watch)

    def _watch(self, stop: threading.Event) -> None:
        while not stop.wait(PERIOD):
            self.look()
            self.review()

    def look(self) -> bool:
        """Read the file if it has changed; True if there is news. The worker's thread.

        One that was wrong is read now and then without having changed: what it names may be there by now (a folder on
        a stick that was pulled, a patch that is written after the show).
        """
        path = self.play.show.path
        seen = stamp(path)
        if seen is None or seen.size == 0:
            self._absent += 1
            if self._absent != PATIENCE:
                return False
            self._stamp = None  # so that it is read when it is back, even if it is as it was
            gone = "there is no such file any more" if seen is None else "the file is empty now"
            self._news.put(ShowError([Problem(path, 0, gone)]))
            return True
        self._absent, self._looks = 0, self._looks + 1
        changed = seen != self._stamp
        if not changed and not (self._wrong and self._looks >= AGAIN):
            return False
        self._stamp, self._looks = seen, 0
        news = self._read()
        said, self._wrong = self._wrong, str(news) if isinstance(news, ShowError) else ""
        if not changed and self._wrong == said:
            return False
        self._news.put(news)
        return True

    def _read(self) -> Show | ShowError:
        path = self.play.show.path
        try:
            return load(path)
        except ShowError as e:
            return e
        except OSError as e:
            what = f"{e.filename or 'a folder that it names'} cannot be looked at: {e.strerror or e}"
            return ShowError([Problem(path, 0, what)])

    def take_up(self, now: float) -> None:
        """Become the newest version of the show, between two frames."""
        new = self._news.take()
        if isinstance(new, ShowError):
            self.status.say(
                f"{new.problems[0]}{_more(new.problems)}: the show goes on as it was", trouble=True, again=True
            )
        elif new is not None:
            kept, size = self.play.show, new.size
            try:
                later = self._become(resized(new, kept.size))
            except Exception as e:
                self.play.show = kept
                log.debug("edit", exc_info=True)
                return self.status.say(f"only a part could be taken up: {e}", trouble=True)
            if size != self._size:
                self._size, later = size, ["size", *later]
            at_start = f"; {', '.join(later)} at the next start" if later else ""
            self.status.say(f"taken up{at_start}", again=True)  # whoever saves wants an answer each time
            self._taken.put(at_start)
        return None

    def review(self) -> None:
        """Hold what was taken up against the tree as it is now: addresses and values. The worker's thread.

        A show plays on without what is wrong, but does not start with what is wrong and not light: that comes first.
        """
        at_start = self._taken.take()
        if at_start is not None and (wrong := misfits(self.play.show, self.play.params)):
            wrong.sort(key=lambda problem: problem.light)
            end = "" if wrong[0].light else "; as the file is now, the show would not start again"
            self.status.say(f"taken up but for {wrong[0]}{_more(wrong)}{at_start}{end}", trouble=True)

    def _become(self, new: Show) -> list[str]:
        """Make the changes; returns the words for what has to wait."""
        kept = self.play.show
        edits = diff(kept, new)
        fixed = {key: getattr(kept, key) for key in (*FIXED, *FOLDERS)}
        self.play.show = replace(new, **fixed)
        if edits.corners:
            self._pin(new)
        if edits.name:
            self._rename(new.name)
        self._change_sources(edits, kept, new)
        self._change_layers(edits, new)
        self._change_values(edits, new)
        self._change_controls(edits, kept, new)
        self._expect(edits, new)
        self.layering.bank.keep(roles(new, self.layering.bank.library))
        return list(edits.restart)

    def _pin(self, new: Show) -> None:
        """The picture's corners are elsewhere in the window: somebody stands on a ladder and looks."""
        corners = new.window.keys.get(CORNERS, {})
        if (window := self.play.outputs.get("window")) is not None:
            window.sink.pin(corners)  # type: ignore[attr-defined]
        kept = self.play.show.window
        self.play.show = replace(self.play.show, window=replace(kept, keys={**kept.keys, CORNERS: corners}))

    def _rename(self, name: str) -> None:
        """A window that has no title of its own has the show's name."""
        window = self.play.outputs.get("window")
        if window is not None and "title" not in self.play.show.window.keys:
            window.sink.retitle(name)  # type: ignore[attr-defined]

    def _change_sources(self, edits: Edits, kept: Show, new: Show) -> None:
        """Changed sources are opened again; so are those that fall back to them, which hold the old ones.

        What the performer has moved stays; what nobody has goes to the new default. Another type begins anew; another
        patch takes the place of the one that plays once it is good, or begins anew if more than that has changed.
        """
        params = self.play.params
        untouched = {p.address: p.spec.default for p in params if p.spec.default == p.base and not p.spec.readonly}
        stale = set(edits.sources) | (set(new.sources) - set(self.play.sources))  # or one that an edit before lost
        stale -= {n for n in stale if n in kept.sources and self._becomes(kept.sources[n], new.sources[n])}
        while more := {n for n, s in new.sources.items() if s.fallback in stale} - stale:
            stale |= more
        old = [n for n in self.play.sources if n in stale or n in edits.gone_sources]
        leaving = [self.play.sources.pop(name) for name in old]
        for name in edits.gone_sources:
            params.remove(f"/source/{name}")
            params.remove(f"/status/source/{name}")
        posts: list[Post] = []
        for name in stale & kept.sources.keys():
            if _what(kept.sources[name]) != _what(new.sources[name]):
                params.remove(f"/source/{name}")
                posts += [Post(f"/source/{name}/{tail}", v) for tail, v in new.sources[name].values.items()]
        untouched = {address: default for address, default in untouched.items() if address in params}
        waiting = {n: s for n, s in new.sources.items() if n in stale}
        while waiting:
            for name, spec in list(waiting.items()):
                if spec.fallback not in waiting:
                    self.play.sources[name] = open_source(self.play, waiting.pop(name), self.stage)
        in_order(self.play, new.sources)
        said = {address.casefold(): value for address, value in new.values().items()}  # may have been the old default
        for address, default in untouched.items():
            param = params.find(address)
            if param is not None and param.spec.default != default:
                posts.append(Post(address, said.get(address.casefold(), param.spec.default)))
        params.post_all(posts)
        for feed in leaving:  # last, so that what they show is there until something else is
            self.play.closing.remove(feed.close)
            feed.close()

    def _becomes(self, old: PartSpec, new: PartSpec) -> bool:
        feed = self.play.sources.get(new.name)
        return feed is not None and become(feed, old, new)

    def _change_layers(self, edits: Edits, new: Show) -> None:
        """Layers come and go; one with other filters or another resolution plays on. An address that is new has what
        the performer had set there (another file under a filter's name spells it otherwise), or what the show says.
        """
        params = self.play.params
        known, values = set(params), {**new.values(), **params.goals()}
        for name in edits.gone_layers:
            self.layering.drop(name)
        for spec in new.layers:
            if spec.name not in self.play.layers:
                self.layering.add(spec)
            elif spec.name in edits.layers:
                self.layering.refilter(spec)
        posts = [Post(a, v) for a, v in values.items() if (p := params.find(a)) is not None and p not in known]
        if edits.order or edits.layers or edits.gone_layers:
            self.layering.number(new.layers)
        for spec in new.layers if edits.gone_sources or edits.gone_layers else ():
            there = self.layering.feeds(spec.name)
            for tail, said_so in (("source", spec.source), ("mask", spec.values.get("mask", "none"))):
                param = params[f"{spec.address}/{tail}"]
                if param.base not in there and param.base != said_so:  # the performer's choice is gone
                    posts.append(Post(param.address, said_so))
        params.post_all(posts)

    def _change_values(self, edits: Edits, new: Show) -> None:
        params = self.play.params
        posts = [Post(address, value) for address, value in edits.values.items()]
        for address in edits.defaults:
            param = params.find(address)
            if param is not None:
                posts.append(Post(address, param.spec.default))
        if edits.inset:
            posts.append(Post("/master/inset", new.inset))
        params.post_all(posts)

    def _expect(self, edits: Edits, new: Show) -> None:
        """What inputs begin with whose patches are not good yet: with what the show says now; where that is as it was,
        with what was expected (after a restart, the performer's).
        """
        edited = {address.casefold() for address in (*edits.values, *edits.defaults)}
        kept = {a: v for a, v in self.play.params.awaited.items() if a not in edited}
        self.play.params.expect({**new.values(), **kept})

    def _change_controls(self, edits: Edits, kept: Show, new: Show) -> None:
        gone: set[str] = set()
        for name in (*edits.controls, *edits.gone_controls):
            part = self.play.controls.pop(name, None)
            if part is not None:
                self.play.closing.remove(part.close)
                part.close()
                if name not in new.controls or new.controls[name].type != kept.controls[name].type:
                    gone |= self._declared(name, part)
        for name, part in self.play.controls.items() if gone else ():
            gone -= self._declared(name, part)  # two controls may share one
        for address in gone:
            self.play.params.remove(address)
        for name in edits.controls:
            part = open_part(self.play, new.controls[name], self.stage, f"/{name}")
            if part is not None:
                self.play.controls[name] = part
        opening = {**new.values(), "/master/inset": new.inset}
        if self.play.cues is None:
            return
        if edits.cues or edits.layers or edits.sources:
            self.play.cues.change(new.cues, opening)  # cues dated before now are past
        else:  # reads no presets: a number that is edited must not cost a frame
            self.play.cues.open_with(opening)

    def _declared(self, name: str, control: object) -> set[str]:
        """The addresses that are a control's own, as far as it tells."""
        apart = Params()
        if isinstance(control, Declares):
            control.declare(replace(self.stage, params=apart, prefix=f"/{name}"))
        return {param.address for param in apart}

    def close(self) -> None:
        """Stop looking."""
        if self._worker is not None:
            self._worker.close()


def _what(source: PartSpec) -> tuple[str, object]:
    return source.type, source.keys.get("patch")


def _more(problems: Sequence[Problem]) -> str:
    return f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
