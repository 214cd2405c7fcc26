"""What moves parameters beside their faders: modulators, kept where an address leads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from perform.control.osc.pattern import is_pattern
from perform.likeness import no_address
from perform.params import Modulator, Param, Params


def unmovable(params: Params, address: str, hint: bool = True) -> str:
    """Why what there is at an address cannot be moved, or that there is none; a sentence, empty where it can be moved.
    Milliseconds in a large tree where there is none, and `hint` wants the one of all that may have been meant.
    """
    if is_pattern(address):
        return f"{address} is a pattern; each address that is moved is written by itself"
    param = params.find(address)
    if param is None:
        return no_address(address, params.addresses() if hint else ())
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
    _version: int = -1

    def follow(self) -> str | None:
        """What cannot be moved, in words (empty: nothing); None if no address has come or gone since the last look.

        Which address may have been meant is said at the first look: what goes later was right, and a frame cannot wait.
        """
        if self.params.version == self._version:
            return None
        first, self._version = self._version < 0, self.params.version
        return "; ".join(filter(None, (self._seat(address, first) for address in self.movers)))

    def _seat(self, address: str, hint: bool) -> str:
        mover, param = self.movers[address], self.params.find(address)
        if address in self._seats and self._seats[address][0] is not param:  # a layer's number is another's now
            self._take_off(address)
        if param is None:
            if address not in self._absent:
                self._absent[address] = unmovable(self.params, address, hint)
            return f"drive: {self._absent[address]}"
        self._absent.pop(address, None)  # should it go again, there may be others like it
        if param.spec.unmoved:
            return f"drive: {unmovable(self.params, address)}"
        if mover not in param.modulators:
            self._seats[address] = param, self.params.attach(address, mover)
        return ""

    def _take_off(self, address: str) -> None:
        """Let what an address stood for go back to its fader."""
        _, detach = self._seats.pop(address)
        detach()

    def close(self) -> None:
        """Everything goes back to its fader. Twice is allowed."""
        for address in list(self._seats):
            self._take_off(address)
