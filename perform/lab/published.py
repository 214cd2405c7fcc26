"""The baselines: networks as others published them, to be trained on our task and counted in our tables.

`make(name, inputs)` is the network itself; `on_moods(name, mood)` gives it luma and the mood as constant planes.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from perform.networks import Planes, Resnet, Unet

WIDE = (64,) * 8
NARROW = (16,) * 8
SEARCHED = (16, 16, 32, 16, 32, 32, 16, 16)  # GAN Compression's horse2zebra, once-for-all, Li et al. 2020

NETWORKS: dict[str, Callable[[int], Resnet | Unet]] = {
    "resnet9": lambda inputs: Resnet(inputs, WIDE),
    "resnet9-bn": lambda inputs: Resnet(inputs, WIDE, norm="batch"),
    "resnet6": lambda inputs: Resnet(inputs, WIDE, blocks=6),
    "unet256": lambda inputs: Unet(inputs),
    "gan-compression": lambda inputs: Resnet(inputs, SEARCHED, mobile=True, dropout=0.0),
    "gan-compression-bn": lambda inputs: Resnet(inputs, SEARCHED, norm="batch", mobile=True, dropout=0.0),
    "gan-compression-16": lambda inputs: Resnet(inputs, NARROW, mobile=True, dropout=0.0),
    "gan-compression-16-bn": lambda inputs: Resnet(inputs, NARROW, norm="batch", mobile=True, dropout=0.0),
    "murr": lambda inputs: Unet(inputs, 8),
}


def make(name: str, inputs: int = 3) -> Resnet | Unet:
    """A published network with fresh weights, as its authors start it: normal, deviation 0.02.

    Takes [B,inputs,H,W] in -1..1. `resnet9`, `resnet6`: CycleGAN, Zhu et al. 2017. `unet256`: pix2pix, Isola et al.
    2017. `gan-compression`: the mobile ResNet with the widths that were found for horse2zebra, `-16` with 16
    throughout (which OMGD, Ren et al. 2021, trained without a search); `-bn` with batch norm, which folds. `murr`: the
    U-Net with a first level of 8, Murr 2020. Raises KeyError for other names.
    """
    network = NETWORKS[name](inputs)
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, 0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
    return network


def on_moods(name: str, mood: int) -> Planes:
    """The same, as (luma [B,1,H,W] in 0..1, mood [B,mood]) -> RGB [B,3,H,W] in -1..1."""
    return Planes(make(name, 1 + mood))
