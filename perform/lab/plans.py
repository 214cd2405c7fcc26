"""The shape of a `plain` network in numbers: what slimming and the width search choose.

A plan is written `24-48-96_96-40-64`: the widths at 1/2, 1/4 and 1/8 of the picture's size, then the inner width of
each residual block. So it can be the name of a network, of a folder and of a size on a card.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from perform.networks import ConvFactory, Plain, conv3

WRITTEN = re.compile(r"(\d+)-(\d+)-(\d+)_(\d+(?:-\d+)*)")


@dataclass(frozen=True)
class Layer:
    """One 3x3 convolution: channels in and out, and how many of its output cells a picture of 8x8 pixels has."""

    inputs: int
    outputs: int
    cells: int


@dataclass(frozen=True, order=True)
class Plan:
    """Widths at the three resolutions, and the inner width of every block."""

    widths: tuple[int, int, int]
    inner: tuple[int, ...]

    @classmethod
    def uniform(cls, widths: Sequence[int], blocks: int) -> Plan:
        """The ordinary network: blocks as wide inside as outside."""
        a, b, c = widths
        return cls((a, b, c), (c,) * blocks)

    @classmethod
    def of(cls, network: nn.Module) -> Plan:
        """The plan of a network. Raises ValueError for one that is not `plain`."""
        if not isinstance(network, Plain):
            raise ValueError(f"only plain networks have a plan of widths, not {type(network).__name__}")
        return cls(network.widths, network.inner)

    @classmethod
    def parse(cls, text: str) -> Plan:
        """The plan that `str()` wrote. Raises ValueError, one sentence."""
        match = WRITTEN.fullmatch(text)
        if match is None:
            raise ValueError(f"a plan is written like 24-48-96_96-96-96, not {text!r}")
        a, b, c = (int(number) for number in match.groups()[:3])
        return cls((a, b, c), tuple(int(number) for number in match[4].split("-")))

    def __str__(self) -> str:
        return "-".join(map(str, self.widths)) + "_" + "-".join(map(str, self.inner))

    @property
    def layers(self) -> list[Layer]:
        """The convolutions in the order they run, first and last included."""
        a, b, c = self.widths
        stem = [Layer(5, a, 16), Layer(a, b, 4), Layer(b, c, 1)]
        body = [layer for width in self.inner for layer in (Layer(c, width, 1), Layer(width, c, 1))]
        return [*stem, *body, Layer(c, b, 4), Layer(b, a, 16), Layer(a, 12, 16)]

    def network(self, mood: int, conv: ConvFactory = conv3) -> Plain:
        """The network of this plan, untrained; `conv` makes its convolutions."""
        return Plain(self.widths, len(self.inner), mood, conv, self.inner)
