"""What flows in: every number a performer can touch, as one tree of typed, ranged, documented parameters.

    params = Params()
    opacity = params.declare("/layer/1/opacity", Spec("float", 1.0, 0.0, 1.0, doc="How much of the layer shows."))
    params.post("/layer/1/opacity", 0.5, seconds=2.0)     # any thread
    params.settle(now)                                    # render thread, once a frame
    opacity.value                                         # render thread, or anywhere: no lock

`base` is what the performer set; `value` is base + modulation, smoothed and clipped. Nothing changes between
two calls of `settle`, so a whole bundle posted at once lands in one frame. A bad value never raises on the
live path: it is refused, counted and reported (`refused`, `on_refuse`).
"""

from __future__ import annotations

import itertools
import logging
import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from perform.addresses import Addresses
from perform.param import EASINGS, Easing, Fade, Modulator, Param, Post
from perform.spec import KINDS, Kind, Refused, Spec, Value, number

__all__ = ["EASINGS", "KINDS", "Easing", "Kind", "Modulator", "Param", "Params", "Post", "Refused", "Spec", "Value"]

log = logging.getLogger(__name__)
BACKLOG = 65536  # posts that may wait for a frame; a show that has stalled must not fill the memory
LONGEST_FADE = 86400.0  # seconds


@dataclass(slots=True)
class Params(Addresses):
    """The tree. `declare`, `settle`, `attach` and reads belong to the render thread; `post` to any thread.

    `on_refuse(post, reason)` is called for each refused post (for OSC's /error) and `on_settle(param, origin)` for
    each base that changed (for replies and subscriptions), on the render thread: they may append to a box, no more.
    `refused` counts. `feeds` are asked at the end of each settle, after the posts, for what is due at that show time
    (bundles from the future, cues): it lands in the same frame. `said` has the newest text of each status, `awaited`
    what addresses begin with that there are not yet (case-folded, see `expect`).
    Cost of `settle`: proportional to what changed, not to the number of parameters.
    """

    on_refuse: list[Callable[[Post, str], None]] = field(default_factory=list)
    on_settle: list[Callable[[Param, object], None]] = field(default_factory=list)
    feeds: list[Callable[[float], Sequence[Post]]] = field(default_factory=list)
    refused: int = 0
    said: dict[str, str] = field(default_factory=dict)
    awaited: dict[str, Any] = field(default_factory=dict)
    _inbox: deque[Sequence[Post]] = field(default_factory=deque)
    _waiting: int = 0
    _counter: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _moving: dict[str, Param] = field(default_factory=dict)
    _new: list[Param] = field(default_factory=list)  # declared since the last settle
    _fired: list[Param] = field(default_factory=list)
    _now: float = 0.0

    @property
    def now(self) -> float:
        """Show time of the newest settle, in seconds."""
        return self._now

    # ------------------------------------------------------------------ the tree
    def declare(self, address: str, spec: Spec, *aliases: str) -> Param:
        """Make an address (the only way to). `aliases` answer for the same parameter. Where it is sent before the next
        settle it begins: nothing glides in from a default when a show opens, or when an edit adds a layer.

        Declaring an address again with the same spec returns the parameter that is there (a reloaded patch
        keeps what the performer set); with another spec the value is carried over where it still fits.
        Raises ValueError as `Addresses.add` does.
        """
        new = Param(address, spec)
        param = self.add(new, *aliases)
        if param is new:
            self._new.append(param)
        if param.spec != spec:
            self._respec(param, spec)
        return param

    def default(self, address: str, value: Any) -> None:
        """Let what is there go back to another value from now on (`/panic`); it stays where it is. Raises Refused.

        To declare it again would do that, too, and say to all who know patterns by heart that addresses have changed.
        """
        param = self[address]
        param.spec = replace(param.spec, default=param.spec.coerce(value))

    def expect(self, values: Mapping[str, Any]) -> None:
        """Keep those of these values whose addresses there are not, for `begin`; what was kept before is forgotten."""
        self.awaited = {address.casefold(): value for address, value in values.items() if address not in self}

    def begin(self, address: str, spec: Spec) -> Param:
        """`declare` for what may come late (an input of a patch that is mended while the show plays): a new address
        begins with what is expected of it, at once and not at the next settle. What it cannot take is refused.
        """
        new = address not in self
        param = self.declare(address, spec)
        value = self.awaited.pop(address.casefold(), None)
        if new and value is not None and spec.kind != "trigger":
            try:
                param.base = param.value = spec.coerce(value)
            except Refused as why:
                self.refuse(Post(address, value), str(why))
        return param

    def _respec(self, param: Param, spec: Spec) -> None:
        try:
            base: Any = spec.coerce(param.base) if spec.kind != "trigger" else False
        except Refused:
            base = spec.coerce(spec.default)
        before, same_kind, param.spec = param.base, spec.kind == param.spec.kind, spec
        if spec.kind != "float":
            param.modulators.clear()
        if same_kind and base == before:  # what moves goes on moving, unless it is on its way to what is refused now
            if param.fade is not None and not self._takes(spec, param.fade.goal):
                param.fade = None
            return
        param.base = param.value = base
        param.fade = None
        if base != before:
            self._changed(param, None)

    @staticmethod
    def _takes(spec: Spec, value: Value) -> bool:
        """Whether a value is one of this spec's as it is."""
        try:
            return bool(spec.coerce(value) == value)
        except Refused:
            return False

    def remove(self, prefix: str) -> None:
        """Forget an address or everything below it (a layer or a patch input that is gone), expected or not."""
        for address in self.drop(prefix):
            self._moving.pop(address, None)
            self.said.pop(address, None)
        above = prefix.casefold().rstrip("/") + "/"
        self.awaited = {a: v for a, v in self.awaited.items() if not f"{a}/".startswith(above)}

    def withdraw(self, address: str) -> None:
        """`remove` what may come again, such as an input of a patch that is being written: where it was sent it begins
        then (see `begin`); what nobody has moved, at its default of that time.
        """
        param = self[address]
        goal = param.base if param.fade is None else param.fade.goal
        self.remove(address)
        if param.spec.kind != "trigger" and goal != param.spec.default:
            self.awaited[address.casefold()] = goal

    # ------------------------------------------------------------------ in
    def post(
        self, address: str, value: Any = None, seconds: float = 0.0, easing: str = "smooth", origin: object = None
    ) -> None:
        """Ask for a change at the next settle. Any thread, never blocks, never raises."""
        self.post_all((Post(address, value, seconds, easing, origin),))

    def post_all(self, posts: Iterable[Post]) -> None:
        """A bundle: all of it lands in the same frame. Any thread, never blocks.

        When `BACKLOG` posts wait already because no frame comes, they are counted as refused and forgotten.
        """
        bundle = tuple(posts)
        if self._waiting > BACKLOG:
            for post in bundle:
                self.refuse(post, "the show is not keeping up")
            return
        self._waiting += len(bundle)  # not exact when threads meet; settle starts it from 0 again
        self._inbox.append(bundle)

    def publish(self, address: str, value: Any) -> None:
        """Set a status parameter from inside the program. Any thread."""
        self.post_all((Post(address, value, inside=True),))

    def refuse(self, post: Post, reason: str) -> None:
        """Count and report something that cannot be taken; `reason` ends a sentence. Any thread."""
        self.refused = next(self._counter)  # += would lose some between threads
        for listener in self.on_refuse:
            self._safely(listener, post, reason)

    def attach(self, address: str, modulator: Modulator) -> Callable[[], None]:
        """Add a modulator to a float parameter; returns the function that takes it off again.

        A modulator that raises is taken off and reported; one that returns no finite number counts as 0.
        """
        param = self[address]
        if param.spec.kind != "float":
            raise ValueError(f"{address} is a {param.spec.kind}; only floats can be modulated")
        param.modulators.append(modulator)
        self._moving[param.address] = param

        def detach() -> None:
            if modulator in param.modulators:
                param.modulators.remove(modulator)

        return detach

    def settle(self, now: float) -> None:
        """Apply what was posted, then move what fades, is smoothed or is modulated. Once a frame.

        Takes only what was there when it began: a flood cannot hold the frame for ever.
        """
        for param in self._fired:
            param.fired = False
            param.base = param.value = False
        self._fired.clear()
        dt, self._now = max(0.0, now - self._now), now
        self._waiting = 0
        for _ in range(len(self._inbox)):
            for post in self._inbox.popleft():
                self._apply(post, now)
        for feed in self.feeds:
            for post in self._safely(feed, now) or ():
                self._apply(post, now)
        for param in self._new:
            param.value = param.base
        self._new.clear()
        for address, param in list(self._moving.items()):
            if not self._move(param, now, dt):
                self._moving.pop(address, None)  # a listener may have removed it

    def _apply(self, post: Post, now: float) -> None:
        param = self.find(post.address)
        if param is None:  # a part that has just been closed may still have said how it was
            return None if post.inside else self.refuse(post, "there is no such address")
        spec = param.spec
        if spec.readonly and not post.inside:
            return self.refuse(post, "is read only")
        try:
            value = self._shifted(param, post) if post.operator else spec.coerce(post.value)
            fade = self._fade(param, post, value, now) if post.seconds else None
        except Refused as why:
            return self.refuse(post, str(why))
        except Exception as e:  # live choices are asked of parts, whose mistakes must not cost the frame
            log.debug("%s", param.address, exc_info=True)
            return self.refuse(post, f"cannot be taken now: {str(e).strip() or type(e).__name__}")
        if spec.kind == "trigger":
            if value:
                param.base = param.value = param.fired = True
                self._fired.append(param)
                self._changed(param, post.origin)
            return None
        param.fade = fade
        if fade is None and value != param.base:
            param.base = value
            self._changed(param, post.origin)
        if fade is not None or spec.smooth > 0.0 or param.modulators:
            self._moving[param.address] = param
        else:
            param.value = param.base
        return None

    @staticmethod
    def _shifted(param: Param, post: Post) -> Value:
        """By so much further: in its time, from where the last fade leads, so that three quick turns add up to three;
        at once, from what is there."""
        base = param.fade.goal if param.fade is not None and post.seconds else param.base
        return param.spec.shift(base, post.operator, post.value)

    @staticmethod
    def _fade(param: Param, post: Post, value: Value, now: float) -> Fade | None:
        try:
            seconds = number(post.seconds, 0.0, LONGEST_FADE)
        except Refused as why:
            raise Refused(f"its time {why}") from None
        easing = str(post.easing)
        if easing not in EASINGS:
            raise Refused(f"has no easing {easing[:40]!r}; there are {', '.join(EASINGS)}")
        if seconds <= 0.0 or not param.spec.fades:
            return None
        return Fade(now, param.base, value, seconds, EASINGS[easing], post.origin)

    def _move(self, param: Param, now: float, dt: float) -> bool:
        """Advance one moving parameter; False when it has come to rest."""
        if (fade := param.fade) is not None:
            value, finished = fade.at(now)
            if finished:
                param.fade = None
            if value != param.base:
                param.base = value
                self._changed(param, fade.origin)
        spec = param.spec
        if spec.kind != "float":
            param.value = param.base
            return param.fade is not None
        goal = self._modulated(param, now) if param.modulators else param.base
        if spec.smooth > 0.0:
            param.value += (goal - param.value) * (1.0 - math.exp(-dt / spec.smooth))
            if abs(goal - param.value) <= 1e-6 * max(1.0, abs(goal)):
                param.value = goal
        else:
            param.value = goal
        return param.fade is not None or bool(param.modulators) or param.value != goal

    def _modulated(self, param: Param, now: float) -> float:
        goal = param.base
        for modulator in list(param.modulators):
            try:
                offset = modulator(now)
                goal += offset if math.isfinite(offset) else 0.0
            except Exception as e:
                param.modulators.remove(modulator)
                log.warning("%s: a modulator failed and was taken off (%s)", param.address, e)
                log.debug("%s", param.address, exc_info=True)
        return number(goal, param.spec.lo, param.spec.hi)

    def _changed(self, param: Param, origin: object) -> None:
        param.serial += 1
        if param.on_change is not None:
            self._safely(param.on_change, param)
        for listener in self.on_settle:
            self._safely(listener, param, origin)

    def _safely(self, deed: Callable[..., Any], *args: Any) -> Any:
        """One listener's mistake must not cost the rest of the bundle, nor the frame."""
        try:
            return deed(*args)
        except Exception as e:
            log.error("a listener failed while the parameters settled: %s", e)
            log.debug("the parameters settled", exc_info=True)
            return None

    # ------------------------------------------------------------------ out
    def snapshot(self) -> dict[str, Value]:
        """Every settable base by address, as it is at this moment: what a preset and a PNG's side file hold."""
        return {p.address: p.base for p in self._settable()}

    def goals(self) -> dict[str, Value]:
        """As `snapshot`, but what fades is where it is going: what a restart and a replaced filter hold, in which no
        fade goes on. Any thread.
        """
        return {p.address: p.base if (fade := p.fade) is None else fade.goal for p in self._settable()}

    def _settable(self) -> Iterator[Param]:
        return (p for p in self if not p.spec.readonly and p.spec.kind != "trigger")
