"""What the cues of a show call: each other, and presets, which are files of their own. Asked before the doors open."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from perform.control import presets
from perform.control.cue import fired
from perform.control.osc.pattern import PatternError, Patterns, is_pattern
from perform.params import Param, Params
from perform.show.lines import Lines
from perform.show.spec import CueSpec, Problem, Show
from perform.show.tree import PRESET, preset_file, wrong

NAMED = 8  # addresses of a preset that are named where there are none such


def miscalled(show: Show, params: Params) -> list[Problem]:
    """Cues that fire themselves, and what the presets that cues call hold and the tree has not got, or cannot take.

    All light: what goes in a circle is fired once, and what is wrong in a preset is left out. Call it when all parts
    are open. Reads the presets' files.
    """
    calls = _Calls(show, Patterns(params))
    after = [tuple(dict.fromkeys(calls.fired_by(cue.set, n, set()))) for n, cue in enumerate(show.cues)]
    return [*_circles(show, after), *calls.wrong()]


def _circles(show: Show, after: Sequence[Sequence[int]]) -> Iterator[Problem]:
    """Each circle once; `after` are the places of the cues that each fires."""
    told: set[int] = set()
    for n, cue in enumerate(show.cues):
        if n in told or (way := _way(after, n)) is None:
            continue
        told |= {n, *way}
        names = " and ".join(repr(show.cues[by].name) for by in way)
        yield Problem(
            show.path, cue.line, f"cue {cue.name!r}: fires itself{f' by way of {names}' if way else ''}", light=True
        )


def _way(after: Sequence[Sequence[int]], start: int) -> list[int] | None:
    """By way of which places one leads back to itself, the shortest; None if none does."""
    before = dict.fromkeys(after[start], start)
    for n in (waiting := list(before)):  # grows while it is gone through
        if n == start:
            way = [before[n]]
            while way[-1] != start:
                way.append(before[way[-1]])
            return way[-2::-1]
        for following in after[n]:
            if following not in before:
                before[following] = n
                waiting.append(following)
    return None


def _left_out(absent: Sequence[str], of: int) -> str:
    """The sentence on the addresses that there are not, of so many that a preset has."""
    more = f" and {len(absent) - NAMED} more" if len(absent) > NAMED else ""
    rest = "the rest of it is called up" if len(absent) < of else "and it has no others"
    return f"there are no addresses {', '.join(map(repr, absent[:NAMED]))}{more}: they are left out, {rest}"


@dataclass(slots=True)
class _Calls:
    """`presets` are those that are called, by their addresses, with their files; a file is read once."""

    show: Show
    patterns: Patterns
    presets: dict[str, tuple[CueSpec, Path]] = field(default_factory=dict)

    def fired_by(self, values: Mapping[str, Any], place: int, seen: set[str]) -> Iterator[int]:
        """The places of the cues that these addresses and values fire while the cue at `place` is the present one,
        also by way of presets; `seen` are those that were gone through.
        """
        for address, value in values.items():
            for param in self._triggers(address, value):
                if (n := fired(param.address, place, self.show.cues)) is not None:
                    yield n
                elif param.address not in seen and (called := re.fullmatch(PRESET, param.address)):
                    seen.add(param.address)
                    yield from self.fired_by(self._preset(param.address, called[1]).set, place, seen)

    def _triggers(self, address: str, value: Any) -> list[Param]:
        try:
            reached = self.patterns.reach(address).values()
        except PatternError:
            return []  # `misfits` says it
        return [p for p in reached if p.spec.kind == "trigger" and not p.spec.misfit(value) and p.spec.coerce(value)]

    def _preset(self, address: str, name: str) -> CueSpec:
        if address not in self.presets:
            path = preset_file(self.show, name)
            try:
                values = presets.read(path)
            except presets.PresetError:  # it was right when the show was opened, a moment ago
                values = {}
            self.presets[address] = CueSpec(name, values), path
        return self.presets[address][0]

    def wrong(self) -> Iterator[Problem]:
        """What the tree cannot take of the presets that were called. Addresses that there are not are one sentence for
        a file: an older version's, or another show's, has many.
        """
        for preset, path in self.presets.values():
            lines = Lines.of(path.read_text("utf-8")) if preset.set else Lines()
            absent = [address for address in preset.set if self._absent(address)]
            if len(absent) > 1:
                line = min(lines["set", address] for address in absent)
                yield Problem(path, line, _left_out(absent, len(preset.set)), light=True)
            for address, value in preset.set.items():
                if len(absent) > 1 and address in absent:
                    continue
                for text, _ in wrong(self.show, self.patterns, address, value, preset):
                    yield Problem(path, lines["set", address], text, light=True)

    def _absent(self, address: str) -> bool:
        """Whether there is no such address. A pattern, and a preset that is not there, have sentences of their own."""
        missing = not is_pattern(address) and self.patterns.params.find(address) is None
        return missing and re.fullmatch(PRESET, address, re.IGNORECASE) is None
