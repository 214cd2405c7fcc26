"""The tree of addresses: which parameter answers to which name, whatever its case and by whatever alias."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from perform.param import Param

__all__ = ["Addresses"]


@dataclass(slots=True)
class Addresses:
    """Addresses and aliases. Changes are made by one thread at a time; reads come from any, without a lock.

    `version` grows with each address that comes or goes.
    """

    version: int = 0
    _params: dict[str, Param] = field(default_factory=dict)
    _folded: dict[str, Param] = field(default_factory=dict)
    _prefixes: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, param: Param, *aliases: str) -> Param:
        """Let `param` answer to its address and `aliases`; returns the one that was there already, if one was.

        An alias never takes another parameter's own address. Raises ValueError for what is no OSC address or
        differs from another one only by case.
        """
        address = param.address
        for name in (address, *aliases):
            if not name.startswith("/") or not name.isprintable() or any(c in " #*,?[]{}" for c in name):
                raise ValueError(f"{name!r} is not an OSC address")
        with self._lock:
            old = self._own(address)
            if old is not None and old.address != address:
                raise ValueError(f"{address} and {old.address} differ only by case")
            param = old or param
            self._params[address] = param
            self._folded[address.casefold()] = param
            for name in (*aliases, *self._other_names(address)):
                if self._own(name) is None:
                    self._folded[name.casefold()] = param
            self.version += 1
        return param

    def alias(self, prefix: str, of: str | None) -> None:
        """Let every address below `of`, present and future, answer below `prefix` too; None: no longer.

        `/layer/1` for `/layer/dream`: whoever declares below the one need not know of the other.
        """
        with self._lock:
            root = prefix.casefold() + "/"
            self._prefixes.pop(prefix, None)
            self._folded = {a: p for a, p in self._folded.items() if not a.startswith(root) or self._own(a)}
            if of is not None and of != prefix:
                self._prefixes[prefix] = of
                for address, param in self._params.items():
                    if address.startswith(of + "/"):
                        self._folded.setdefault((prefix + address[len(of) :]).casefold(), param)
            self.version += 1

    def _other_names(self, address: str) -> list[str]:
        return [prefix + address[len(of) :] for prefix, of in self._prefixes.items() if address.startswith(of + "/")]

    def _own(self, address: str) -> Param | None:
        """The parameter whose own address this is: not one that answers to it as an alias."""
        param = self._folded.get(address.casefold())
        return param if param is not None and param.address.casefold() == address.casefold() else None

    def drop(self, prefix: str) -> list[str]:
        """Forget an address or everything below it; returns the addresses that are gone."""
        with self._lock:
            gone = [a for a in self._params if a == prefix or a.startswith(prefix.rstrip("/") + "/")]
            dead = {id(self._params.pop(a)) for a in gone}
            self._folded = {a: p for a, p in self._folded.items() if id(p) not in dead}
            self.version += 1
        return gone

    def find(self, address: str) -> Param | None:
        """The parameter at an address or alias, case forgiven; None if there is none."""
        return self._folded.get(address) or self._folded.get(address.casefold())

    def __getitem__(self, address: str) -> Param:
        param = self.find(address)
        if param is None:
            raise KeyError(address)
        return param

    def __contains__(self, address: str) -> bool:
        return self.find(address) is not None

    def __iter__(self) -> Iterator[Param]:
        """All parameters, in the order they were declared; safe while others are declared."""
        with self._lock:
            return iter(list(self._params.values()))

    def addresses(self) -> dict[str, Param]:
        """Every address that answers, aliases included, case-folded. A copy."""
        with self._lock:
            return dict(self._folded)
