"""What a network has to do for one picture: multiply-adds and bytes, counted while shapes alone pass through it.

Multiply-adds are the useful ones: a convolution's at the size of what it gives, a transposed one's at the size of what
it takes (it multiplies nothing else), a matrix product's as it stands. Bytes are counted twice:

    layered  every convolution and matrix product reads its input once, reads its weights and writes its output once,
             in `width` bytes a number. What only moves numbers or works on each for itself (growing, padding,
             shuffling, joining, adding, ReLU, scales) is taken as done on the way and costs nothing; a norm that needs
             the picture's statistics reads and writes once more. The first convolution reads the picture's bytes, the
             last one writes the dream's.
    ideal    the picture in, the dream out, the weights, and nothing between.

No engine moves less than `ideal`; one that runs layer after layer moves `layered` or more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

# What makes a larger tensor of a smaller one without knowing anything more: a layer behind it reads the smaller one.
LAYOUT = (
    "upsample_nearest2d", "pixel_shuffle", "pixel_unshuffle", "reflection_pad2d", "constant_pad_nd", "view",
    "_unsafe_view", "permute", "expand", "clone", "slice", "unsqueeze", "reshape", "_to_copy", "transpose", "copy",
    "alias", "detach", "contiguous",
)  # fmt: skip
JOINS = ("cat",)
NORMS = ("native_batch_norm", "cudnn_batch_norm", "native_group_norm", "native_layer_norm", "_native_batch_norm_legit",
         "_batch_norm_impl_index", "batch_norm", "instance_norm", "native_batch_norm_legit_no_training")  # fmt: skip
PRODUCTS = ("addmm", "mm", "bmm", "baddbmm", "linear")


@dataclass(frozen=True, slots=True)
class Layer:
    """One convolution, matrix product or norm: multiply-adds, and the numbers it reads, writes and holds as weights."""

    kind: str
    macs: int
    reads: int
    writes: int
    weights: int


@dataclass(frozen=True, slots=True)
class Cost:
    """What one picture costs. `layered` and `ideal` in bytes, as the module says."""

    macs: int
    layered: int
    ideal: int
    weights: int  # bytes
    layers: tuple[Layer, ...] = field(default=(), repr=False)

    @property
    def flops(self) -> int:
        return 2 * self.macs


class _Counter(TorchDispatchMode):
    """Watches every operation. `small` remembers how few numbers stand behind a tensor that was only spread out."""

    def __init__(self) -> None:
        super().__init__()
        self.layers: list[Layer] = []
        self._small: dict[int, tuple[Tensor, int]] = {}  # the tensor is kept: ids are given a second time

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        if name == "convolution":
            self._convolution(args, out)
        elif name.startswith(("_scaled_dot_product", "scaled_dot_product")):
            self._attention(args, out)
        elif name in PRODUCTS:
            self._product(name, args, out)
        elif name in NORMS:
            made = out[0] if isinstance(out, tuple) else out
            if self._statistics(name, args):
                self.layers.append(Layer("norm", 0, self.behind(args[0]), made.numel(), 0))
        elif name in LAYOUT and isinstance(out, Tensor):
            self._remember(out, min(self.behind(args[0]), out.numel()))
        elif name in JOINS:
            self._remember(out, min(sum(self.behind(part) for part in args[0]), out.numel()))
        return out

    def behind(self, tensor: Tensor) -> int:
        """How many numbers must be read to know this tensor."""
        known = self._small.get(id(tensor))
        return known[1] if known is not None else tensor.numel()

    def _remember(self, tensor: Tensor, count: int) -> None:
        self._small[id(tensor)] = (tensor, count)

    @staticmethod
    def _statistics(name: str, args: tuple[Any, ...]) -> bool:
        """Whether a norm looks at the picture: a batch norm at rest does not."""
        return not (name.endswith("no_training") or (name == "native_batch_norm" and args[5] is False))

    def _convolution(self, args: tuple[Any, ...], out: Tensor) -> None:
        given, weight, bias, transposed = args[0], args[1], args[2], args[6]
        size = given if transposed else out
        macs = size.numel() * weight[0].numel()
        held = weight.numel() + (bias.numel() if bias is not None else 0)
        kind = "transposed convolution" if transposed else "convolution"
        self.layers.append(Layer(kind, macs, self.behind(given), out.numel(), held))

    def _product(self, name: str, args: tuple[Any, ...], out: Tensor) -> None:
        first = 1 if name in ("addmm", "baddbmm") else 0
        a, b = args[first], args[first + 1]
        macs = out.numel() * a.shape[-1]
        reads, held = (self.behind(a) + self.behind(b), 0) if "bmm" in name else (self.behind(a), b.numel())
        self.layers.append(Layer("product", macs, reads, out.numel(), held))

    def _attention(self, args: tuple[Any, ...], out: Any) -> None:
        q, k, v = args[:3]
        made = out[0] if isinstance(out, tuple) else out
        macs = q.numel() * k.shape[-2] + made.numel() * k.shape[-2]
        self.layers.append(Layer("attention", macs, q.numel() + k.numel() + v.numel(), made.numel(), 0))


def observe(run: Callable[[], object]) -> tuple[Layer, ...]:
    """The layers that `run` passes through, in order. Meant for tensors on the `meta` device: milliseconds."""
    counter = _Counter()
    with torch.no_grad(), counter:
        run()
    return tuple(counter.layers)


def cost(layers: tuple[Layer, ...], picture: int, width: int = 2) -> Cost:
    """Add up. `picture` is the bytes of the picture, in and out alike; `width` the bytes of a number between."""
    weights = width * sum(layer.weights for layer in layers)
    reads = width * sum(layer.reads for layer in layers)
    writes = width * sum(layer.writes for layer in layers)
    convolutions = [layer for layer in layers if "convolution" in layer.kind]
    if convolutions:  # pixel maths happens on the way in and out
        reads -= width * convolutions[0].reads
        writes -= width * convolutions[-1].writes
    macs = sum(layer.macs for layer in layers)
    return Cost(macs, 2 * picture + reads + writes + weights, 2 * picture + weights, weights, layers)


def of_dream(network: Any, width: int, height: int) -> Cost:
    """What a `Dream` of (width, height) pixels costs. The network may be on `meta`, or is copied there."""
    import copy

    twin = copy.deepcopy(network).to("meta").eval()
    picture = torch.empty(1, height, width, 4, dtype=torch.uint8, device="meta")
    mood = torch.empty(1, int(getattr(twin.core, "mood", 0)), device="meta")
    return cost(observe(lambda: twin(picture, mood)), 4 * width * height)
