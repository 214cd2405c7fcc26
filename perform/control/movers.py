"""What moves parameters beside their faders: modulators, kept where an address leads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from perform.control.osc.pattern import is_pattern
from perform.likeness import no_address
from perform.params import Modulator, Param, Params


def unmovable(params: Params, address: str, hint: bool = True) -> str:
    """Why what there is at an address cannot be moved, or that there is none; a sentence, empty where it can be moved.
    Milliseconds in a large tree where there is none, and `hint` wants the one that may have been meant, of all.
    """
    if is_pattern(address):
        return f"{address} is a pattern; each address that is moved is written by itself"
    param = params.find(address)
    if param is None:
        return no_address(address, params.addresses() if hint else None)
    return f"{address} {param.spec.unmoved}" if param.spec.unmoved else ""


@dataclass(slots=True)
class Movers:
    """`follow` attaches each modulator to what its address stands for now. Render thread."""

    params: Params
    movers: Mapping[str, Modulator]  # by the address that each moves
    _seats: dict[str, tuple[Param, Callable[[], None]]] = field(
        default_factory=dict
    )  # what it moves, what takes it off
    _absent: dict[str, str] = field(default_factory=dict)  # what is said of each: not worked out in every frame
    _unsought: list[str] = field(default_factory=list)  # those of them that nothing like has been looked for, as yet
    _version: int = -1

    def follow(self) -> str | None:
        """What cannot be moved, in words (empty: nothing); None if that is as it was at the last look.

        Which address may have been meant is found out for one a frame, whoever moves it, and said when all are: what
        is said is a line in the log. What was found in the tree before stands until then.
        """
        changed = self.params.version != self._version
        if changed:
            self._version = self.params.version
            for address in self.movers:
                self._seat(address)
            self._unsought = [address for address in self._absent if not is_pattern(address)]
        if self._unsought and not self.params.sought:
            self.params.sought = True
            address = self._unsought.pop(0)
            self._absent[address] = unmovable(self.params, address)
            changed = changed or not self._unsought
        return "; ".join(filter(None, map(self._say, self.movers))) if changed else None

    def _seat(self, address: str) -> None:
        """Let what moves an address be at what it stands for now, if that can be moved."""
        mover, param = self.movers[address], self.params.find(address)
        if address in self._seats and self._seats[address][0] is not param:  # a layer's number is another's now
            self._take_off(address)
        if param is None:
            if address not in self._absent:
                self._absent[address] = unmovable(self.params, address, hint=False)
            return
        self._absent.pop(address, None)  # should it go again, there may be others like it
        if not param.spec.unmoved and mover not in param.modulators:
            self._seats[address] = param, self.params.attach(address, mover)

    def _say(self, address: str) -> str:
        why = self._absent.get(address) or unmovable(self.params, address, hint=False)
        return why and f"drive: {why}"

    def _take_off(self, address: str) -> None:
        """Let what an address stood for go back to its fader."""
        _, detach = self._seats.pop(address)
        detach()

    def close(self) -> None:
        """Everything goes back to its fader. Twice is allowed."""
        for address in list(self._seats):
            self._take_off(address)
