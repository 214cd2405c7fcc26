"""Training twins of the live networks: how they are made, folded, and what they really cost.

network = networks.make("m+", moods.SIZE)      # (luma [B,1,H,W] in 0..1, mood [B,M]) -> RGB [B,3,H,W] in -1..1
twin = networks.fold(network)                  # the same in evaluation mode, with nothing left to fold
networks.macs(network), networks.published_macs(network)
"""

from __future__ import annotations

from perform.lab.networks.convs import Branched, NormedConv
from perform.lab.networks.cost import macs, parameters, published_macs
from perform.lab.networks.folding import fold
from perform.lab.networks.registry import SIZES, live, make, names, trainable

__all__ = [
    "SIZES",
    "Branched",
    "NormedConv",
    "fold",
    "live",
    "macs",
    "make",
    "names",
    "parameters",
    "published_macs",
    "trainable",
]
