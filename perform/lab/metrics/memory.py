"""How much has to be kept while a dream is computed."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class _Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up the bytes of every storage that an operator makes, and takes them off when it dies."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.alive = 0
        self.peak = 0
        self.known: weakref.WeakSet[Any] = weakref.WeakSet()

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        given = {id(leaf.untyped_storage()) for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)}
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor):
                storage = leaf.untyped_storage()
                if storage not in self.known and id(storage) not in given:
                    self.known.add(storage)
                    self.alive += storage.nbytes()
                    weakref.finalize(storage, self._died, storage.nbytes())
        self.peak = max(self.peak, self.alive)
        return result

    def _died(self, size: int) -> None:
        self.alive -= size


def peak_activations(network: nn.Module, *inputs: Tensor) -> int:
    """The most bytes that results of operators held at one moment of one pass without gradients, inputs and weights
    not counted: a liveness count of the network as PyTorch runs it, operator by operator.

    It runs on shapes alone (device `meta`), so the numbers are exact and the same everywhere; an engine that fuses
    operators or reuses buffers needs less. `network` is left on the device `meta`: hand in a copy.
    """
    network = network.to("meta")
    shapes = [one.to("meta") for one in inputs]
    with torch.no_grad(), _Counter() as counter:
        network(*shapes)
        peak: int = counter.peak
    return peak
