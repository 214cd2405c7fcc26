"""Training twins of the live networks: batch-normalised convolutions, their folding, and what they really cost."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from perform.networks import Plain

SIZES: dict[str, tuple[tuple[int, int, int], int]] = {
    "s": ((16, 32, 64), 3),
    "m": ((24, 48, 96), 3),
    "l": ((32, 64, 128), 4),
    "teacher": ((48, 96, 192), 6),
}


class NormedConv(nn.Module):
    """A 3x3 convolution without bias, then batch norm: folds exactly into one convolution with bias."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm = nn.BatchNorm2d(outputs, momentum=0.05)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.norm(self.conv(x))
        return y

    def folded(self) -> nn.Conv2d:
        """The one convolution that does the same in evaluation mode."""
        norm, conv = self.norm, self.conv
        assert norm.running_var is not None
        assert norm.running_mean is not None
        gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        plain = nn.Conv2d(conv.in_channels, conv.out_channels, 3, conv.stride[0], 1)
        with torch.no_grad():
            plain.weight.copy_(conv.weight * gain[:, None, None, None])
            assert plain.bias is not None
            plain.bias.copy_(norm.bias - norm.running_mean * gain)
        return plain


def trainable(widths: Sequence[int], blocks: int, mood: int) -> Plain:
    """A `plain` network to train: random weights, quiet FiLM, a head that starts without a checkerboard (ICNR, Aitken
    2017).
    """
    network = Plain(widths, blocks, mood, conv=NormedConv)
    last = network.film[-1]
    assert isinstance(last, nn.Linear)
    nn.init.normal_(last.weight, 0.0, 0.02)
    nn.init.zeros_(last.bias)
    with torch.no_grad():
        network.head.weight.copy_(network.head.weight[::4].repeat_interleave(4, 0))
        assert network.head.bias is not None
        network.head.bias.zero_()
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def fold(network: Plain) -> Plain:
    """The inference twin of a trained network: batch norm folded away, evaluation mode, same results to float
    rounding.
    """
    first = network.film[0]
    assert isinstance(first, nn.Linear)
    plain = Plain(network.widths, len(network.body), first.in_features)
    state = {key: value for key, value in network.state_dict().items() if key.startswith(("head", "film"))}
    for name, module in network.named_modules():
        if isinstance(module, NormedConv):
            folded = module.folded()
            state[f"{name}.weight"], state[f"{name}.bias"] = folded.weight.detach(), folded.bias.detach()  # type: ignore[union-attr]
    plain.load_state_dict(state)
    return plain.eval()


def macs(widths: Sequence[int], blocks: int, mood: int, height: int = 256, width: int = 256) -> int:
    """Useful multiply-accumulates of one picture: what the convolutions and the mood's matrices really multiply.

    Counted on the live network, so that every convolution is charged at the size it runs at. Adds, ReLU and
    resizing are not MACs.
    """
    network = Plain(widths, blocks, mood)
    total = 0

    def count(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        if isinstance(module, nn.Conv2d):
            total += output[0].numel() * module.weight[0].numel()
        elif isinstance(module, nn.Linear):
            total += module.weight.numel()

    hooks = [module.register_forward_hook(count) for module in network.modules()]
    with torch.no_grad():
        network(torch.zeros(1, 1, height, width), torch.zeros(1, mood))
    for hook in hooks:
        hook.remove()
    return total
