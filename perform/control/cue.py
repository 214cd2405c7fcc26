"""A cue: addresses and values to reach, in a time, with an easing."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from perform.control.osc.pattern import PatternError, Patterns
from perform.likeness import near
from perform.params import Params, Post

ITS_OWN = ("mood", "size")  # what each world has its own names of
HINTS = 5  # lines that are told what they may have meant: each is looked for among all addresses


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


class Wrong(NamedTuple):
    """A line of a cue that the tree cannot take, as a sentence; `unknown` is its address, where there is none such."""

    text: str
    unknown: str = ""

    def hinted(self, params: Params) -> str:
        """The sentence with the address that may have been meant. Milliseconds in a large tree: not for a frame."""
        found = near(self.unknown.casefold(), params.addresses()) if self.unknown else ""
        return f"{self.text}; did you mean {params[found].address}?" if found else self.text


def posts(
    cue: Score, patterns: Patterns, origin: object = None, worlds: Collection[str] = ()
) -> tuple[list[Post], list[Wrong]]:
    """What a cue posts, and each of its lines that the tree cannot take. Any thread.

    A mood is its world's: worlds are posted first, and where the cue itself brings a layer's world (or cues before it
    may have: `worlds_of` them), whether that has the mood is for the tree to say when it is there.
    """
    out: list[Post] = []
    wrong: list[Wrong] = []
    worlds = {*worlds, *worlds_of((cue,), patterns)}
    for address, value in cue.set.items():
        try:
            reached = patterns.reach(address)
        except PatternError as why:
            wrong.append(Wrong(f"cue {cue.name!r}: {address} {why}"))
            continue
        if not reached:
            wrong.append(Wrong(f"cue {cue.name!r}: {address} is no address here", address))
        for own, param in reached.items():
            layer, _, tail = param.address.rpartition("/")
            later = tail in ITS_OWN and f"{layer}/world" in worlds
            misfit = "" if later else param.spec.misfit(value)
            if misfit:  # of what a pattern reaches the others take it
                wrong.append(Wrong(f"cue {cue.name!r}: {own} {misfit}"))
            else:
                out.append(Post(own, value, cue.fade if param.spec.fades else 0.0, cue.easing, origin))
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


def fired(address: str, place: int, cues: Sequence[Score]) -> int | None:
    """The place of the cue that an address fires while the one at `place` is the present one; None: it fires none."""
    if address == "/cue/go":
        return (place + 1) % len(cues)
    if address == "/cue/back":
        return max(place - 1, 0)
    return next((n for n, cue in enumerate(cues) if address == f"/cue/{cue.name}/go"), None)


def problems(cues: Sequence[Score], params: Params | Patterns, also: Sequence[Score] = ()) -> list[str]:
    """Everything in these cues that this tree cannot take, one sentence each; the first have a hint. `also` may bring
    worlds, as they may: the presets that they call.
    """
    patterns = params if isinstance(params, Patterns) else Patterns(params)
    worlds = worlds_of([*cues, *also], patterns)
    wrong = [line for cue in cues for line in posts(cue, patterns, worlds=worlds)[1]]
    return [line.hinted(patterns.params) if n < HINTS else line.text for n, line in enumerate(wrong)]
