"""A patch that follows its file: a saved change is in the next frames, a broken one leaves the last good one on."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from perform.clock import FixedClock, LiveClock
from perform.files import Stamp, stamp
from perform.frame import Texture as AnyTexture
from perform.gl.isf import controls
from perform.gl.isf.cost import BRIEF, LONGEST, THOROUGH, NoEnd, Size, TooSlow, judge, seconds_a_frame
from perform.gl.isf.draft import Draft, draft
from perform.gl.isf.header import load, parse
from perform.gl.isf.kinds import VERTEX, Header, PatchError
from perform.gl.isf.patch import Date, Patch, today
from perform.gl.isf.rehearse import rehearse
from perform.gl.target import Format, Texture
from perform.params import Param, Params
from perform.plugins import Stage
from perform.workers import Mailbox, spawn

log = logging.getLogger(__name__)
News = tuple[Draft | PatchError, Size | None]  # and the size at which it is known to be quick enough
PERIOD = 0.2  # seconds between looks at the files
# Seconds until a patch that was too slow is tried once more: the machine may have been busy. A frame has a tenth of a
# second to judge it, often while a show starts: so at first soon, then each time twice as long, as far as `AGAIN`.
SOON = 5.0
AGAIN = 300.0


class LivePatch:
    """One patch on stage. Its inputs are parameters below `prefix`; `images` are the pictures it works on.

    Never raises for what is in the file: `error` says what is wrong (file, line, message; "" if nothing), and the
    last good version stays. `header` is the present version's, None before the first good one. `serial` grows
    with each render. Render thread, but for the worker that reads the files (`watch=False`: none).

    `spend` is how many seconds it may take, about five times over, to find out on the render thread what a version
    costs. `before` is another patch that plays below the same prefix: its parameters stay as they are until the first
    good version here, which takes their place as a saved version takes the place of the one before.
    """

    def __init__(
        self,
        path: Path,
        params: Params,
        prefix: str,
        format: Format = "rgba8",
        date: Callable[[], Date] = today,
        watch: bool = True,
        before: LivePatch | None = None,
        spend: float = BRIEF,
    ) -> None:
        self.path, self.params, self.prefix = path, params, prefix
        self.error = ""
        self.serial = 0
        self.header: Header | None = None
        self._format, self._date = format, date
        self._patch: Patch | None = None
        self._past: Patch | None = None  # until there is a picture of the present one: it may be looked at for that
        self._before = before
        self._spend = spend
        self._controls: controls.Controls = {}
        self._blank: Texture | None = None
        self._news: Mailbox[News] = Mailbox()
        self._stamps = self._look((path,))
        self._size: Size | None = None  # of the last frame: the worker measures at it
        self._slow = False  # the newest version was refused for nothing else
        self._news.put((self._draft(), None))
        self._watcher = spawn(f"watch {path.name}", self._watch) if watch else None

    @classmethod
    def on(cls, stage: Stage, path: Path, prefix: str, before: LivePatch | None = None) -> LivePatch:
        """For a part of a show. With a fixed clock nobody watches the file, and the date is the show's own: the same
        film twice. Where time is not the machine's (a film, a check) nobody waits for a picture, and a patch is
        measured thoroughly.
        """
        clock = stage.clock
        spend = BRIEF if isinstance(clock, LiveClock) else THOROUGH
        if not isinstance(clock, FixedClock):
            return cls(path, stage.params, prefix, before=before, spend=spend)

        def date() -> Date:
            return 2000.0, 1.0, 1.0, clock.now() % 86400.0

        return cls(path, stage.params, prefix, date=date, watch=False, before=before, spend=spend)

    # ------------------------------------------------------------------ the worker
    def _watch(self, stop: threading.Event) -> None:
        waited, patience = 0.0, SOON
        while not stop.wait(PERIOD):
            waited += PERIOD
            if self.look(rehearsed=True) or not self._slow:
                waited, patience = 0.0, SOON
            elif waited >= patience:
                self.again()
                waited, patience = 0.0, min(2.0 * patience, AGAIN)

    def look(self, rehearsed: bool = False) -> bool:
        """Look at the files now, and read the patch again if one has changed; True if so. The worker's thread.

        `rehearsed` tries and measures it in another process first: half a second later on stage, without a hitch.
        """
        now = self._look(tuple(self._stamps))
        own = now[self.path]
        if now == self._stamps or own is None or own.size == 0:
            return False  # an editor may delete or empty a file on its way to saving it
        news = self._draft()
        self._news.put(self._rehearsed(news) if rehearsed else (news, None))
        return True

    def again(self) -> bool:
        """Try a patch that was too slow once more, in another process; True if it is quick enough now, and goes on
        stage. A show must not lose a source for weeks because its machine was busy when it started: nor because it
        still is, so that a trial is not done in time. The worker's thread.
        """
        before = self._stamps
        news, quick = self._rehearsed(self._draft())
        if quick is None and isinstance(news, Draft | TooSlow):
            return False  # it has been said
        if isinstance(news, NoEnd) and self._stamps == before:
            return False  # frames of it have come to an end: it is the machine's fault
        self._news.put((news, quick))
        return quick is not None

    def _rehearsed(self, news: Draft | PatchError) -> News:
        size = self._size
        if size is None or not isinstance(news, Draft):
            return news, None
        try:
            takes = rehearse(self.path, self._format, size)
        except PatchError as e:
            return e, None
        return news, size if takes is not None and takes <= LONGEST else None

    def _draft(self) -> Draft | PatchError:
        found: Draft | PatchError
        files: tuple[Path, ...] = (self.path, *(self.path.with_suffix(kind) for kind in VERTEX))
        before = self._look((*dict.fromkeys((*self._stamps, *files)),))
        try:
            found = draft(self.path)
            files = found.header.files
        except PatchError as e:
            found = e
            files = tuple(before)  # whichever file is wrong, saving it is news
            with contextlib.suppress(PatchError):  # the header itself may be what is wrong
                files += parse(load(self.path), self.path).files
        self._stamps = {f: before.get(f, now) for f, now in self._look(files).items()}
        return found

    @staticmethod
    def _look(files: tuple[Path, ...]) -> dict[Path, Stamp | None]:
        return {file: stamp(file) for file in files}

    # ------------------------------------------------------------------ the render thread
    @property
    def ready(self) -> bool:
        """True once there has been a good version."""
        return self._patch is not None

    @property
    def inputs(self) -> Mapping[str, Param]:
        """The parameters of the present version, by input name."""
        return self._controls

    def prepare(self, size: tuple[int, int]) -> None:
        """Take up a new version if one has been read; `render` does this too."""
        self._size = size
        found = self._news.take()
        if found is None:
            return
        news, quick = found
        if isinstance(news, PatchError):
            self._complain(news)
            return
        patch: Patch | None = None
        try:
            patch = Patch(news, self._format)
            if quick is None or size[0] * size[1] > quick[0] * quick[1]:
                judge(self.path, size, seconds_a_frame(patch, size, LONGEST, self._spend))
            self._controls = self._declared(news.header)
        except PatchError as e:
            if patch is not None:
                patch.close()
            self._complain(e)
            return
        if self._patch is not None:
            self._forget()
            self._past = self._patch
            log.info("%s is live", self.path.name)
        self._patch, self.header, self.error, self._slow = patch, news.header, "", False
        self._before = None

    def _declared(self, header: Header) -> controls.Controls:
        """The parameters of a new version, in the place of those of the present one, which stay if it cannot be.
        Raises PatchError."""
        present = self._before or self
        controls.gone(self.params, present._controls, header, self.prefix)
        try:
            return controls.declare(self.params, self.prefix, header)
        except ValueError as e:
            if present.header is not None:
                present._controls = controls.declare(self.params, self.prefix, present.header)
            raise PatchError(self.path, 0, str(e)) from e

    def _complain(self, error: PatchError) -> None:
        self._slow = isinstance(error, TooSlow)
        stays = "; the last good version stays" if self._patch is not None else ""
        if self.error != str(error):
            log.warning("%s%s", error, stays)
        self.error = str(error)

    def render(
        self,
        size: tuple[int, int],
        now: float,
        images: Mapping[str, AnyTexture] | None = None,
        lane: str = "",
        **more: float,
    ) -> Texture:
        """The picture of `size`, valid until the next render in its lane; transparent black while there is no good
        version.

        `images` by input name ("inputImage", "startImage", "bottom"…); "audio" and "audioFFT" stand for every
        input of that type. `more` overrides parameters (a transition's progress).
        """
        self.prepare(size)
        self.serial += 1
        if self._patch is None or self.header is None:
            self._blank = self._blank or Texture.make(1, 1, self._format)
            if (self._blank.width, self._blank.height) != size:
                self._blank.allocate(*size)
            return self._blank
        inputs = controls.values(self.header, self._controls) | more | controls.sound(self.header, images or {})
        picture = self._patch.render(size, now, inputs, self._date(), lane)
        self._forget()
        return picture

    def _forget(self) -> None:
        if self._past is not None:
            self._past.close()
            self._past = None

    def close(self) -> None:
        """Stop watching and give everything back; the parameters stay. May be called twice. Does not wait: the watcher
        may be at a rehearsal, and touches nothing but its mailbox."""
        if self._watcher is not None:
            self._watcher.close(0.0)
            self._watcher = None
        self._forget()
        if self._patch is not None:
            self._patch.close()
            self._patch = None
        if self._blank is not None:
            self._blank.close()
            self._blank = None
