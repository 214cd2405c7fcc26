"""A cue: addresses and values to reach, in a time, with an easing."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from perform.control.osc.pattern import PatternError, Patterns
from perform.params import Params, Post, Refused

ITS_OWN = ("mood", "size")  # what each world has its own names of


class Score(Protocol):
    """What a cue says. Show time in seconds: `at` fires it by itself, `follow` so long after the cue before it."""

    @property
    def name(self) -> str: ...
    @property
    def set(self) -> Mapping[str, Any]: ...
    @property
    def fade(self) -> float: ...
    @property
    def easing(self) -> str: ...
    @property
    def at(self) -> float | None: ...
    @property
    def follow(self) -> float | None: ...


@dataclass(frozen=True, slots=True)
class Cue:
    """A cue. The keys of `set` are addresses or OSC patterns ("/layer/*/opacity")."""

    name: str
    set: Mapping[str, Any] = field(default_factory=dict)
    fade: float = 0.0
    easing: str = "smooth"
    at: float | None = None
    follow: float | None = None


def posts(
    cue: Score, patterns: Patterns, origin: object = None, worlds: Collection[str] = ()
) -> tuple[list[Post], list[str]]:
    """What a cue posts, and a sentence for each of its lines that the tree cannot take. Any thread.

    A mood is its world's: worlds are posted first, and where the cue itself brings a layer's world (or cues before it
    may have: `worlds_of` them), whether that has the mood is for the tree to say when it is there.
    """
    out: list[Post] = []
    wrong: list[str] = []
    worlds = {*worlds, *worlds_of((cue,), patterns)}
    for address, value in cue.set.items():
        try:
            reached = patterns.reach(address)
            if not reached:
                raise Refused(f"is no address here{_nearest(address, patterns.params)}")
        except (Refused, PatternError) as why:
            wrong.append(f"cue {cue.name!r}: {address} {why}")
            continue
        for own, param in reached.items():
            try:
                if param.spec.readonly:
                    raise Refused("is read only")
                layer, _, tail = param.address.rpartition("/")
                if tail not in ITS_OWN or f"{layer}/world" not in worlds:
                    param.spec.coerce(value)
                out.append(Post(own, value, cue.fade if param.spec.fades else 0.0, cue.easing, origin))
            except Refused as why:  # of what a pattern reaches the others take it
                wrong.append(f"cue {cue.name!r}: {own} {why}")
    return sorted(out, key=lambda post: not post.address.casefold().endswith("/world")), wrong


def worlds_of(cues: Sequence[Score], patterns: Patterns) -> frozenset[str]:
    """The addresses of the layers' worlds that cues set."""
    found: set[str] = set()
    for cue in cues:
        for address in cue.set:
            with contextlib.suppress(PatternError):  # `posts` says it
                reached = (param.address for param in patterns.reach(address).values())
                found.update(own for own in reached if own.endswith("/world"))
    return frozenset(found)


def _nearest(address: str, params: Params) -> str:
    near = difflib.get_close_matches(address.casefold(), list(params.addresses()), 1)
    return f"; did you mean {params[near[0]].address}?" if near else ""


def problems(cues: Sequence[Score], params: Params | Patterns) -> list[str]:
    """Everything in these cues that this tree cannot take, one sentence each."""
    patterns = params if isinstance(params, Patterns) else Patterns(params)
    worlds = worlds_of(cues, patterns)
    return [sentence for cue in cues for sentence in posts(cue, patterns, worlds=worlds)[1]]
