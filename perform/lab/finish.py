"""Quantisation-aware finish: a trained network learns to live with eight bits, in a minute or two.

After Jacob et al. 2018: the convolutions that will be int8 compute with rounded weights and rounded inputs, gradients
pass the rounding as if it were not there (straight through, Bengio et al. 2013), and the network is asked for the
picture that it painted before. Nothing is learned that it did not know; it only moves to weights that round well. What
comes out is a float network again, to be quantised as any other.
"""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from perform.lab.batches import Batches
from perform.lab.device import last
from perform.networks import Dream

FORGET = 0.02  # how fast the range of a convolution's input follows what it sees


class Rounded(nn.Module):
    """A convolution as int8 will compute it: weights to 255 levels for each output channel, its input to 255 levels of
    the range it usually has, symmetric about zero unless it is never negative.
    """

    most: Tensor
    least: Tensor

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.conv = conv
        self.register_buffer("most", torch.zeros(()))
        self.register_buffer("least", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self._look(x.detach())
        reach = torch.maximum(self.most, -self.least).clamp(min=1e-6)
        step = torch.where(self.least < 0, reach / 127, reach / 255)
        given = rounded(x.clamp(-reach, reach), step)
        weight = self.conv.weight
        grain = weight.detach().abs().amax((1, 2, 3), keepdim=True).clamp(min=1e-8) / 127
        return F.conv2d(given, rounded(weight, grain), self.conv.bias, self.conv.stride, self.conv.padding)

    @torch.no_grad()
    def _look(self, x: Tensor) -> None:
        share = FORGET if bool(self.most > self.least) else 1.0
        self.most.lerp_(x.max().clamp(min=0), share)
        self.least.lerp_(x.min().clamp(max=0), share)


def rounded(x: Tensor, step: Tensor) -> Tensor:
    """x in whole steps; its gradient is x's own."""
    return x + ((x / step).round() * step - x).detach()


def with_rounding(core: nn.Module) -> nn.Module:
    """A copy of a folded network of ours that computes as int8 will: all convolutions but the first and the last, which
    stand in the order they run.
    """
    copied = copy.deepcopy(core).requires_grad_(True)
    for name, conv in _middle(copied).items():
        parent, _, child = name.rpartition(".")
        setattr(copied.get_submodule(parent), child, Rounded(conv))
    return copied.train()


def _middle(core: nn.Module) -> dict[str, nn.Conv2d]:
    convolutions = {name: module for name, module in core.named_modules() if isinstance(module, nn.Conv2d)}
    return {name: convolutions[name] for name in list(convolutions)[1:-1]}


def finish(network: Dream, batches: Batches, steps: int = 300, pictures: int = 8, rate: float = 3e-5) -> Dream:
    """The finished float network; `network` stays as it is. With few pictures or a high rate it comes out worse than it
    went in. For `s` at 128x128 about 0.5 s a step on one core.
    """
    torch.manual_seed(0)
    core = copy.deepcopy(network.core).to(batches.device)
    learner = with_rounding(core).to(device=batches.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    weights = [value for name, value in learner.named_parameters() if not name.startswith("film")]
    optimiser = torch.optim.Adam(weights, rate, (0.9, 0.99))
    rng = torch.Generator().manual_seed(21)
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1.0, 2 * (1 - step / steps))
        batch = batches.draw(max(1, pictures // 2), max(1, pictures - pictures // 2), rng)
        mood = batches.any_moods(len(batch.condition), rng)
        with torch.no_grad():
            target = core(last(batch.condition), mood)
        dream = learner(last(batch.condition), mood)
        loss = (dream - target).square().mean() + 0.01 * (dream - target).abs().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return Dream(_plain(learner, core)).eval().cpu().requires_grad_(False)


def _plain(learner: nn.Module, core: nn.Module) -> nn.Module:
    """The learner's weights in a network without rounding."""
    state = {name.replace(".conv.", "."): value for name, value in learner.state_dict().items()}
    finished = copy.deepcopy(core)
    finished.load_state_dict({name: state[name] for name in finished.state_dict()})
    return finished
