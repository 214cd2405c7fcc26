"""Layers: what is shown of each source and world, how the layers blend, and the master that shows the result."""

from perform.layers.flashguard import FlashGuard
from perform.layers.layer import Layer, LayerParams
from perform.layers.master import Master, MasterParams
from perform.layers.memory import Memory
from perform.layers.stack import LayerStack, Place
from perform.layers.transition import Transition

__all__ = [
    "FlashGuard", "Layer", "LayerParams", "LayerStack", "Master", "MasterParams", "Memory", "Place", "Transition",
]  # fmt: skip
