"""Live networks: the folded generators that engines run. Pure torch; imported by the torch engine and by the lab only.

A network is named in a model card (``[network] name``, or ``network`` of one size) and rebuilt from the card's numbers;
weights come from safetensors, so that a stranger's file stays data. A topology is written once, here: the lab trains
the same classes with batch-normalised convolutions (`perform.lab.networks`) and folds them into the plain ones.
"""

from __future__ import annotations

from perform.networks.cards import build, describe, load
from perform.networks.dream import LUMA, Dream
from perform.networks.plain import HIDDEN, ConvFactory, Decoder, Plain, conv3
from perform.networks.published import Planes, Resnet, Separable, Unet

__all__ = [
    "HIDDEN",
    "LUMA",
    "ConvFactory",
    "Decoder",
    "Dream",
    "Plain",
    "Planes",
    "Resnet",
    "Separable",
    "Unet",
    "build",
    "conv3",
    "describe",
    "load",
]
